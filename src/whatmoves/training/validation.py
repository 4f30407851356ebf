"""Validation: how good the weights are now, whether they are the best so far, and whether a code has collapsed."""

import fnmatch
import logging
import math

import torch
from torch import nn

from whatmoves.blame import blaming
from whatmoves.data.clips import Split
from whatmoves.errors import TrainingError
from whatmoves.models.interface import Step, Trains
from whatmoves.study import Training
from whatmoves.training.checkpoint import Progress, copy_weights
from whatmoves.training.failure import circumstances
from whatmoves.training.history import Row
from whatmoves.training.runtime import autocast

log = logging.getLogger(__name__)

COLLAPSED_NATS = 0.1
"""A KL term below this many nats per clip carries nothing: its code has collapsed."""
COLLAPSE_AFTER = 0.25
"""Part of the budget before which a small KL term is no alarm: codes may start late where β is annealed."""
NOISE_SEED = 20_000_001
"""Every validation draws the same noise, so that losses of different moments can be compared."""


@torch.no_grad()
def validate(model: nn.Module, split: Split, training: Training, device: torch.device) -> dict[str, float]:
    """Mean loss terms over the first `validation_clips` clips, in evaluation mode, with all schedules at their end.

    A fixed β makes losses comparable along a run. Leaves the random numbers of the training as they were.
    """
    assert isinstance(model, Trains)
    count = min(training.validation_clips, len(split.video))
    at_end = Step(training.clips, training.clips)
    sums: dict[str, float] = {}
    model.eval()
    with torch.random.fork_rng(devices=[0] if device.type == "cuda" else []), autocast(device, training.precision):
        torch.manual_seed(NOISE_SEED)
        for first in range(0, count, training.batch_size):
            rows = slice(first, min(first + training.batch_size, count))
            with blaming(model.loss, "validation clips"):
                terms = model.loss(split.batch(rows, device), at_end)
            for name, value in terms.items():  # a term is a mean over its batch, and the last batch may be smaller
                sums[name] = sums.get(name, 0.0) + float(value) * (rows.stop - rows.start)
    model.train()
    return {name: value / count for name, value in sums.items()}


def require_finite(
    run_name: str, progress: Progress, scores: dict[str, float], split: Split, training: Training, loss: str
) -> None:
    """Raise `TrainingError` where a score of `validate` is not finite."""
    if not all(math.isfinite(value) for value in scores.values()):
        seen = split.batch(slice(0, training.validation_clips), torch.device("cpu"))
        after = f"{run_name}: validation after {progress.clips_seen:,} clips"
        raise TrainingError(f"{after} gave {in_words(scores)}, {circumstances(training, seen, loss)}")


def keep_if_best(
    run_name: str, model: nn.Module, progress: Progress, scores: dict[str, float], clips_total: int, settled_clips: int
) -> Row:
    """Keep the weights if they are the best so far, sound the alarm if a code has collapsed; the row's new cells.

    Before `settled_clips` another loss is trained than the validated one: nothing is best yet, and patience waits.
    """
    if progress.clips_seen < settled_clips:
        pass
    elif scores["total"] < progress.best_loss:
        progress.best_loss, progress.best_clips, progress.bad_validations = scores["total"], progress.clips_seen, 0
        progress.best_terms, progress.best_weights = scores, copy_weights(model)
    else:
        progress.bad_validations += 1

    collapsed = collapsed_terms(scores) if progress.clips_seen > COLLAPSE_AFTER * clips_total else []
    if collapsed and not any(row.get("collapsed") for row in progress.rows):
        found = in_words({name: scores[name] for name in collapsed})
        log.warning("%s: %s per clip: this code has collapsed and carries nothing; lower its β", run_name, found)
    return {**{f"validation_{name}": value for name, value in scores.items()}, "collapsed": " ".join(collapsed)}


def collapsed_terms(scores: dict[str, float]) -> list[str]:
    """The names of the KL terms (`kl*_nats`) that carry next to nothing."""
    return sorted(n for n, value in scores.items() if fnmatch.fnmatch(n, "kl*_nats") and value < COLLAPSED_NATS)


def in_words(values: dict[str, float]) -> str:
    """Named numbers for a message: `total 31.2, kl_nats 0.0123`."""
    return ", ".join(f"{name} {value:.4g}" for name, value in values.items())
