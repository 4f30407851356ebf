"""What a study asks of its trainings that they cannot do: told before any job."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from whatmoves.errors import ConfigError
from whatmoves.study import Study
from whatmoves.training.optimiser import learning_rate

if TYPE_CHECKING:
    from whatmoves.data.clips import ClipShape

FEWEST_FITTED = 2  # clips that a principal component needs


def check(study: Study, shapes: Mapping[str, ClipShape], where: str) -> None:
    """Raise `ConfigError` for a schedule or budget that no training can follow (sizes: `training.estimate`)."""
    for model in study.models:
        training = study.training_of(model)
        try:
            learning_rate(training, 0.0)
        except ConfigError as error:
            raise ConfigError(f"{where}: models.{model}: {error}") from None
        if training.clips < FEWEST_FITTED:
            raise ConfigError(f"{where}: models.{model}: training.clips is {training.clips}; must be ≥ {FEWEST_FITTED}")
    if study.training.tensorboard:
        try:
            import tensorboard  # noqa: F401
        except ImportError:
            raise ConfigError(
                f"{where}: training.tensorboard is true, but the package tensorboard is missing; pip install "
                f"tensorboard, or set it to false"
            ) from None
