"""Separated attribute predictability: by how much is the best single dimension better than the second best?

Kumar et al. 2018 (Variational Inference of Disentangled Latent Concepts), section 3. All forms here are fitted on
training rows and scored on test rows, of standardised codes. A per-dimension score, blind to blocks.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.svm import LinearSVC

from whatmoves.evaluation.dci import target_columns
from whatmoves.evaluation.discretise import inner_quantiles
from whatmoves.evaluation.mig import gap_of_best_two
from whatmoves.evaluation.rows import Rows

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
    line, steps, accuracy = [], [], []
    for k, kind in enumerate(kinds):
        both = target_columns(np.concatenate([train.factors[:, k], test.factors[:, k]]), kind)
        targets, truth = np.split(both, [len(known)])  # [N, T]
        line.append(_line_r2(known, targets, unseen, truth))
        steps.append(_steps_r2(known, targets, unseen, truth, bins))
        if kind == "discrete":
            columns = zip(known.T, unseen.T, strict=True)
            y, answer = train.factors[:, k], test.factors[:, k]
            accuracy.append([svm_accuracy(z[:, None], y, z_test[:, None], answer) for z, z_test in columns])
    svm_gaps = gap_of_best_two(np.array(accuracy).T) if accuracy else np.zeros(0)
    line_gaps, step_gaps = gap_of_best_two(np.stack(line, axis=1)), gap_of_best_two(np.stack(steps, axis=1))
    svm = float(svm_gaps.mean()) if accuracy else None
    return SapResult(float(line_gaps.mean()), float(step_gaps.mean()), svm, line_gaps, step_gaps, svm_gaps)


def svm_accuracy(codes: NDArray[Any], classes: NDArray[Any], unseen: NDArray[Any], truth: NDArray[Any]) -> float:
    """Accuracy on `unseen` of a linear support vector machine with C = 0.01 and balanced classes."""
    model = LinearSVC(C=0.01, class_weight="balanced", random_state=0).fit(codes, classes)
    return float(np.mean(model.predict(unseen) == truth))


def _line_r2(
    codes: NDArray[np.float64], targets: NDArray[np.float64], unseen: NDArray[np.float64], truth: NDArray[np.float64]
) -> NDArray[np.float64]:
    """Test R² `[D]` of the least-squares line from each standardised dimension to all targets `[N, T]`."""
    centre = targets.mean(0)
    slopes = codes.T @ (targets - centre) / len(codes)  # [D, T]
    rest = truth - centre
    blind = np.square(rest).sum()
    removed = 2 * (slopes * (unseen.T @ rest)).sum(1) - np.square(unseen).sum(0) * np.square(slopes).sum(1)
    share: NDArray[np.float64] = np.clip(removed / blind, 0.0, 1.0)
    return share


def _steps_r2(
    codes: NDArray[np.float64],
    targets: NDArray[np.float64],
    unseen: NDArray[np.float64],
    truth: NDArray[np.float64],
    bins: int,
) -> NDArray[np.float64]:
    """Test R² `[D]` of the mean target in each of `bins` equal-frequency bins of each dimension."""
    centre = targets.mean(0)
    blind = np.square(truth - centre).sum()
    scores = np.zeros(codes.shape[1])
    for d, (column, unseen_column) in enumerate(zip(codes.T, unseen.T, strict=True)):
        cuts = inner_quantiles(column, bins)
        cells = np.eye(len(cuts) + 1)[np.searchsorted(cuts, column, side="right")]  # [N, cells]
        means = cells.T @ (targets - centre) / np.maximum(cells.sum(0), 1)[:, None]
        predicted = centre + means[np.searchsorted(cuts, unseen_column, side="right")]
        scores[d] = max(0.0, 1 - np.square(truth - predicted).sum() / blind)
    return scores
