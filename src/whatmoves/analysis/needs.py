"""What a study asks of its analysis that cannot be computed: told before any job."""

import logging
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from whatmoves.analysis.hypotheses import Hypothesis, load_hypotheses
from whatmoves.analysis.metrics import OWN_PREFIXES, described
from whatmoves.analysis.statistics import FEWEST_SEEDS, LARGEST_EXACT_COUNT, LEVEL
from whatmoves.errors import ConfigError
from whatmoves.study import Study

if TYPE_CHECKING:
    from whatmoves.data.clips import ClipShape

log = logging.getLogger(__name__)

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
    if warning := undecidable(study, load_hypotheses(HYPOTHESES)):
        log.warning("%s: %s", where, warning)


def undecidable(study: Study, declared: Sequence[Hypothesis]) -> str:
    """What to say where the primary hypotheses are too many for their seeds to decide, or nothing.

    With n seeds the exact two-sided sign-flip test gives p = 2 / 2^n at the least, and Holm (1979) multiplies the
    smallest of m such p by m.
    """
    counts = []
    for hypothesis in declared:
        models = {model for model in (hypothesis.first, hypothesis.second) if model}
        if hypothesis.primary and models <= set(study.models):
            counts.append(len(set.intersection(*(set(study.seeds_of(model)) for model in models))))
    tested, alpha = [count for count in counts if count >= FEWEST_SEEDS], 1 - LEVEL
    if not tested or len(tested) * 2 / 2 ** min(tested) <= alpha:
        return ""
    seeds, least = min(tested), 2 / 2 ** min(tested)
    enough = next(n for n in range(seeds, 64) if len(tested) * 2 / 2**n <= alpha)
    return (
        f"{len(tested)} primary hypotheses are corrected together, and with {seeds} seeds the exact test gives no p "
        f"below {least:.3g}: Holm's correction can leave them undecided, whatever is measured. Name {enough} seeds for "
        f"their models, or declare at most {int(alpha / least)} as primary in paper/hypotheses.yaml."
    )
