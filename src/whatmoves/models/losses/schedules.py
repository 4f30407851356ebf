"""What changes over a run, as a function of the fraction of the budget spent: weights of KL terms, teacher forcing."""

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


def kl_settled(ramp: Ramp, start: float, warmup: float) -> float:
    """The fraction of the budget from which `kl_ramp` is 1 for good; 1 where it goes on in cycles."""
    return 1.0 if ramp == "cyclical" and warmup > 0 else min(1.0, start + warmup)


def cycled_settled(cycles: int, ratio: float) -> float:
    """The fraction of the budget from which `cycled_ramp` is 1 for good: that of the last cycle."""
    return (cycles - 1 + ratio) / cycles


def cycled_ramp(progress: float, cycles: int, ratio: float) -> float:
    """Factor 0 … 1 on β at `progress`: in each of `cycles` equal parts of the budget it rises from 0 to 1 linearly over
    a fraction `ratio` > 0 of the part, and stays. One cycle is monotonic. At `progress` 1 it is 1.

    Source: Fu et al., Cyclical Annealing Schedule, 2019, equations 6 and 7.
    """
    if progress >= 1:
        return 1.0
    return min(1.0, progress * cycles % 1.0 / ratio)


def teacher_forcing(progress: float, first: float, start: float, lower: float, decay: float) -> float:
    """Probability that a step reads true frames: `first` until `start`, then down a line that is at `lower` when
    `progress` is 1, `decay` times as steep (0: it stays), and never below `lower`.

    Source: Bengio et al., Scheduled Sampling, 2015, section 2.4 (linear decay).
    """
    if progress <= start:
        return first
    return max(lower, first - (first - lower) * decay * (min(1.0, progress) - start) / (1 - start))
