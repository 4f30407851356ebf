"""What a study asks of its evaluation that cannot be measured: told on shapes and drawn factors, before any job."""

import logging
from collections.abc import Mapping

import torch

from whatmoves import plugins
from whatmoves.data.clips import ClipShape, past_of
from whatmoves.errors import ConfigError, DataError, ModelError
from whatmoves.evaluation.quality import asked
from whatmoves.evaluation.ssim import WINDOW_PX
from whatmoves.evaluation.swaps import can_swap, swap_pairs
from whatmoves.models.answers import require_answers
from whatmoves.study import DataSet, ModelEntry, Study
from whatmoves.training.estimate import noise, shapes_only

log = logging.getLogger(__name__)


def check(study: Study, shapes: Mapping[str, ClipShape], where: str) -> None:
    """Raise `ConfigError` for the first measure that a model or data set of the study could not be given."""
    try:
        for module in plugins.measures(study.evaluation.measures).values():
            for shape in shapes.values():
                asked(module, *(torch.rand(2, *shape[:4]) for _ in range(2)))
    except (ConfigError, ModelError) as error:
        raise type(error)(f"{where}: {error}") from None
    for name, dataset in study.data.items():
        entries = {model: entry for model, entry in study.models.items() if name in entry.trains_on}
        if not entries:
            continue
        _large_enough(shapes[name], f"{where}: data.{name}")
        if any(entry.judged for entry in entries.values()):
            _enough_pairs(dataset, study.evaluation.swap_pairs, f"{where}: data.{name}")
        for model, entry in entries.items():
            past_frames = past_of(dataset.past_frames, shapes[name].frames)
            _can_answer(entry, shapes[name], past_frames, f"{where}: models.{model} on data.{name}")


def _large_enough(shape: ClipShape, where: str) -> None:
    if min(shape.height, shape.width) < WINDOW_PX:
        raise ConfigError(
            f"{where}: frames are {shape.height}×{shape.width} px; structural similarity needs ≥ {WINDOW_PX} px on "
            f"each side. Make them larger (options.image_px)."
        )


def _enough_pairs(dataset: DataSet, count: int, where: str) -> None:
    """Draw the test clips' factors, without a frame, and the pairs to swap from them."""
    module = plugins.data_module(dataset.kind, where)
    if not can_swap(module) or not hasattr(module, "test_factors"):
        return
    config = plugins.data_config(dataset.kind, dataset.options, where)
    if getattr(config, "download", False):
        return  # digits that are not there yet: fetching them is a job's work
    try:
        swap_pairs(module.test_factors(config), count)
    except DataError as error:
        raise ConfigError(f"{where}: {error}") from None


def _can_answer(entry: ModelEntry, shape: ClipShape, past_frames: int, where: str) -> None:
    """Ask the model all that it can, of noise without memory. What needs values says nothing here (`try_on_shapes`)."""
    try:
        with shapes_only(), torch.inference_mode():
            model = plugins.build_model(entry.kind, entry.options, shape, where).eval()
            require_answers(model, noise(shape, 2), past_frames)
    except (ConfigError, ModelError) as error:
        raise type(error)(f"{where}: {error}") from None
    except Exception:
        log.debug("%s cannot be tried on shapes alone", where, exc_info=True)
