"""The weight of a KL term over a run, as a function of the fraction of the budget spent."""

import math
from typing import Literal

Ramp = Literal["linear", "cosine", "cyclical"]


def kl_ramp(ramp: Ramp, progress: float, start: float, warmup: float) -> float:
    """Factor 0 … 1 on β at `progress`; `start` and `warmup` are fractions of the budget too.

    Before `start` it is 0. Then, over `warmup`, it rises to 1 linearly, or along half a cosine, and stays; `cyclical`
    rises along half a cosine, falls to 0 and begins again every `warmup` (after Fu et al., Cyclical Annealing
    Schedule, 2019). At `progress` 1 it is 1 in every case, so that losses taken there always hold the full β.
    """
    if progress >= 1:
        return 1.0
    if progress < start:
        return 0.0
    if warmup == 0:
        return 1.0
    position = (progress - start) / warmup
    if ramp == "cyclical":
        position %= 1.0
    position = min(1.0, position)
    return position if ramp == "linear" else 0.5 * (1 - math.cos(math.pi * position))
