"""Separated attribute predictability: by how much is the best single dimension better than the second best?

Kumar et al. 2018 (Variational Inference of Disentangled Latent Concepts), section 3. All forms here are fitted on
training rows and scored on test rows, of standardised codes. A per-dimension score, blind to blocks.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn import config_context
from sklearn.svm import LinearSVC

from whatmoves.codes.discretise import inner_quantiles
from whatmoves.codes.mig import gap_of_best_two
from whatmoves.codes.rows import Rows, target_columns

SMALLEST_VARIANCE = 1e-12  # the reference scores a dimension below it as 0


class SapResult(NamedTuple):
    """Gaps in 0…1, higher is better, chance 0; each is the mean of its `*_per_factor`.

    `r2`: share of test variance explained by a straight line (of a label: of its class indicators). Blind to a code
    that is not monotone. `nonlinear`: the same of a step function on 20 equal-frequency bins, unmoved by any monotone
    change of the code. `svm`: test accuracy of a linear support vector machine, over the labels alone (a factor cut
    in classes would score low even for a perfect code); None without labels.
    """

    r2: float
    nonlinear: float
    svm: float | None
    r2_per_factor: NDArray[np.float64]
    nonlinear_per_factor: NDArray[np.float64]
    svm_per_factor: NDArray[np.float64]


def sap(train: Rows, test: Rows, kinds: Sequence[str], bins: int = 20) -> SapResult:
    """The three forms of the gap; `kinds` one of "discrete" and "continuous" a factor."""
    mean, deviation = train.codes.mean(0, dtype=np.float64), train.codes.std(0, dtype=np.float64)
    scale = np.where(deviation > SMALLEST_VARIANCE**0.5, deviation, np.inf)  # a constant dimension becomes all zeros
    known, unseen = (train.codes - mean) / scale, (test.codes - mean) / scale
    columns = [
        target_columns(np.concatenate([train.factors[:, k], test.factors[:, k]]), kind) for k, kind in enumerate(kinds)
    ]
    first = np.cumsum([0, *(column.shape[1] for column in columns[:-1])])  # of each factor's targets
    targets, truth = np.split(np.concatenate(columns, axis=1), [len(known)])  # [N, T]
    blind = np.add.reduceat(np.square(truth - targets.mean(0)).sum(0), first)  # [K]

    def removed(errors: NDArray[np.float64]) -> NDArray[np.float64]:
        return gap_of_best_two(np.clip(1 - np.add.reduceat(errors, first, axis=1) / blind, 0.0, 1.0))

    line_gaps = removed(_line_errors(known, targets, unseen, truth))
    step_gaps = removed(_steps_errors(known, targets, unseen, truth, bins))
    accuracy = [
        [svm_accuracy(z[:, None], train.factors[:, k], seen[:, None], test.factors[:, k]) for z, seen in
         zip(known.T, unseen.T, strict=True)]
        for k, kind in enumerate(kinds) if kind == "discrete"
    ]  # fmt: skip
    svm_gaps = gap_of_best_two(np.array(accuracy).T) if accuracy else np.zeros(0)
    svm = float(svm_gaps.mean()) if accuracy else None
    return SapResult(float(line_gaps.mean()), float(step_gaps.mean()), svm, line_gaps, step_gaps, svm_gaps)


def svm_accuracy(codes: NDArray[Any], classes: NDArray[Any], unseen: NDArray[Any], truth: NDArray[Any]) -> float:
    """Accuracy on `unseen` of a linear support vector machine with C = 0.01 and balanced classes."""
    with config_context(assume_finite=True, skip_parameter_validation=True):
        model = LinearSVC(C=0.01, class_weight="balanced", random_state=0).fit(codes, classes)
        return float(np.mean(model.predict(unseen) == truth))


def _line_errors(
    codes: NDArray[np.float64], targets: NDArray[np.float64], unseen: NDArray[np.float64], truth: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Squared test error `[D, T]` of the least-squares line from each standardised dimension to each target `[N]`."""
    centre = targets.mean(0)
    slopes = codes.T @ (targets - centre) / len(codes)  # [D, T]
    rest = truth - centre
    removed = 2 * slopes * (unseen.T @ rest) - np.square(unseen).sum(0)[:, None] * np.square(slopes)
    errors: NDArray[np.float64] = np.square(rest).sum(0) - removed
    return errors


def _steps_errors(
    codes: NDArray[np.float64],
    targets: NDArray[np.float64],
    unseen: NDArray[np.float64],
    truth: NDArray[np.float64],
    bins: int,
) -> NDArray[np.float64]:
    """Squared test error `[D, T]` of the mean target in each of `bins` equal-frequency bins of each dimension."""
    centre = targets.mean(0)
    errors = np.empty((codes.shape[1], targets.shape[1]))
    for d, (column, unseen_column) in enumerate(zip(codes.T, unseen.T, strict=True)):
        cuts = inner_quantiles(column, bins)
        cells = np.eye(len(cuts) + 1)[np.searchsorted(cuts, column, side="right")]  # [N, cells]
        means = cells.T @ (targets - centre) / np.maximum(cells.sum(0), 1)[:, None]
        predicted = centre + means[np.searchsorted(cuts, unseen_column, side="right")]
        errors[d] = np.square(truth - predicted).sum(0)
    return errors
