"""Explicitness: how simply can a factor be read from the code?

`explicitness`: Ridgeway & Mozer 2018, section 2, ROC AUC of a linear classifier. `explicitness_curve`: Eastwood et al.
2023 (DCI-ES), section 3, area under the loss of probes of growing capacity.
"""

import warnings
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.stats import rankdata
from sklearn import config_context
from sklearn.exceptions import ConvergenceWarning
from sklearn.linear_model import LogisticRegression

from whatmoves.codes.discretise import check_classes, factor_classes, scored_classes
from whatmoves.codes.rows import Rows, standardised


class ExplicitnessResult(NamedTuple):
    """`score` in 0…1 is the mean of `per_factor` `[K]`; higher is better, chance 0.5 (a dead code has exactly 0.5)."""

    score: float
    per_factor: NDArray[np.float64]


def explicitness(train: Rows, test: Rows, kinds: Sequence[str], factor_bins: int = 10) -> ExplicitnessResult:
    """One-vs-rest ROC AUC on `test` of a logistic regression fitted on standardised `train` codes.

    Continuous factors become `factor_bins` equal-frequency classes over both parts. Constant dimensions are dropped.
    Raises `DataError` as `explicitness_of_classes`.
    """
    classes = factor_classes(np.concatenate([train.factors, test.factors]), kinds, factor_bins)
    known, unseen = np.split(classes, [len(train.codes)])
    return explicitness_of_classes(Rows(train.codes, known), Rows(test.codes, unseen))


def explicitness_of_classes(train: Rows, test: Rows) -> ExplicitnessResult:
    """As `explicitness`, of factors that are class numbers already.

    The mean runs over the classes that occur in both parts (and are not all of the test part). A class of one part
    alone has no column or no row to score: it is left out, and stays among "the rest" of the others. Raises `DataError`
    for a factor of one class in training, or without a class to score.
    """
    check_classes(train.factors, test.factors)
    known, unseen = standardised(train.codes, test.codes)
    per_factor = np.full(train.factors.shape[1], 0.5)
    for k in range(train.factors.shape[1]):
        if known.shape[1] == 0:
            continue
        y, truth = train.factors[:, k], test.factors[:, k]
        with warnings.catch_warnings(), config_context(assume_finite=True, skip_parameter_validation=True):
            warnings.simplefilter("ignore", ConvergenceWarning)  # the reference stops at the same 100 steps
            model = LogisticRegression().fit(known, y)
        chances = model.predict_proba(unseen)
        column = {name: c for c, name in enumerate(model.classes_.tolist())}
        scored = scored_classes(y, truth).tolist()
        areas = auc(np.stack([chances[:, column[name]] for name in scored], axis=1), truth[:, None] == scored)
        per_factor[k] = areas.mean()
    return ExplicitnessResult(float(per_factor.mean()), per_factor)


def auc(scores: NDArray[Any], positive: NDArray[np.bool_]) -> NDArray[np.float64]:
    """Areas under the ROC curves `[C]` of columns of `scores` `[N, C]` for the rows that are `positive` `[N, C]`."""
    count = positive.sum(0)
    sums = np.where(positive, rankdata(scores, axis=0), 0.0).sum(0)
    areas: NDArray[np.float64] = (sums - count * (count + 1) / 2) / (count * (len(scores) - count))
    return areas


def explicitness_curve(capacities: NDArray[Any], losses: NDArray[Any], blind: float) -> float:
    """1 - 2 · area between the best loss so far and the lowest loss / (capacity range · `blind` loss).

    `capacities` `[P]` rise strictly; `losses` `[P]` are the probes' losses, `blind` that of a probe without input. 1:
    the smallest probe is as good as any; negative: only the largest probe reads the factor (range -1…1, not 0…1).
    The area is taken by the trapezoid rule. Raises `ValueError` for other capacities.
    """
    if len(capacities) < 2 or np.any(np.diff(capacities) <= 0):
        raise ValueError(f"capacities {np.asarray(capacities).tolist()} must be two or more that rise strictly")
    best = np.minimum.accumulate(losses)
    area = np.trapezoid(best - best[-1], capacities)
    return float(1 - 2 * area / ((capacities[-1] - capacities[0]) * blind))
