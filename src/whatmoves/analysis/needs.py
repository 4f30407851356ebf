"""What a study asks of its analysis that cannot be computed: told before any job."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

from whatmoves.analysis.hypotheses import load_hypotheses
from whatmoves.analysis.metrics import OWN_PREFIXES, described
from whatmoves.analysis.statistics import LARGEST_EXACT_COUNT
from whatmoves.errors import ConfigError
from whatmoves.study import Study

if TYPE_CHECKING:
    from whatmoves.data.clips import ClipShape

HYPOTHESES = Path(__file__).parents[3] / "paper" / "hypotheses.yaml"


def check(study: Study, shapes: "Mapping[str, ClipShape]", where: str) -> None:
    """Raise `ConfigError` for more seeds than the exact test takes, measures of the study's own that have the name of
    another, and declared hypotheses that are none."""
    for model in study.models:
        key = f"models.{model}.seeds" if study.models[model].seeds else "seeds"
        if len(study.seeds_of(model)) > LARGEST_EXACT_COUNT:
            raise ConfigError(
                f"{where}: {key} names {len(study.seeds_of(model))} seeds; the exact paired test takes at most "
                f"{LARGEST_EXACT_COUNT}. Name fewer."
            )
    for name in (path.rpartition(".")[2] for path in study.evaluation.measures):
        if any(described(prefix + name) for prefix in OWN_PREFIXES):
            raise ConfigError(f"{where}: evaluation.measures: {name!r} is a measure already; rename the module")
    load_hypotheses(HYPOTHESES)
