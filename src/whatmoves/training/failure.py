"""What is known where a loss is not finite: the precision, the largest input, and so what to do about it."""

import math

from whatmoves.data.clips import Batch
from whatmoves.study import Training

LARGE = 1_000.0
"""Pixels are at most 1 and controls some deviations: an input beyond this is a fault of the data, not of training."""


def circumstances(training: Training, batch: Batch, loss: str, moved: bool = True) -> str:
    """Precision, the largest input of `batch`, and the fix, as the end of a message.

    `loss` is the file and the method of the model; before the weights have `moved`, the fault is there.
    """
    name, size = largest_input(batch)
    slower = f"lower training.learning_rate, set training.clip_norm: 1.0, or mend {loss}"
    if not size <= LARGE:  # so for what is no number, too
        fix = f"inputs should be some units large: mend {name} in the data or leave them out"
    elif training.precision == "fp16":
        fix = f"set training.precision: bf16, or {slower}"
    elif not moved:
        fix = f"no weight has moved yet: mend {loss} (a logarithm or root of 0 or less, a division by 0)"
    else:
        fix = slower
    return f"precision {training.precision}, largest input {size:.3g} ({name}); {fix}"


def largest_input(batch: Batch) -> tuple[str, float]:
    """Name and size of what is largest in a batch without its sign; what is no number is largest of all."""
    inputs = {"video": batch.video, "actions": batch.actions, "states": batch.states}
    sizes = {name: float(values.abs().max()) for name, values in inputs.items() if values is not None}
    return max(sizes.items(), key=lambda found: math.inf if math.isnan(found[1]) else found[1])
