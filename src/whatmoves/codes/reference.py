"""The per-dimension scores by the definitions and settings of the common reference implementation.

Locatello et al. 2019 (Challenging Common Assumptions in the Unsupervised Learning of Disentangled Representations)
compare representations by these. They are kept for comparison with published numbers, with their known faults
(in-sample information and R², importances that sum to 1 for factors nobody can predict, SVMs that are not scale-free).
"""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from whatmoves.codes.boosting import Boosted, boosted
from whatmoves.codes.dci import completeness_from_importance, disentanglement_from_importance
from whatmoves.codes.discretise import check_classes, entropy_nats, equal_width, labels, mutual_information_nats
from whatmoves.codes.explicitness import explicitness_of_classes
from whatmoves.codes.mig import gap_of_best_two
from whatmoves.codes.modularity import modularity_from_mi
from whatmoves.codes.rows import Rows
from whatmoves.codes.sap import SMALLEST_VARIANCE, svm_accuracy

CODE_BINS = 20
FACTOR_BINS = 10


class ReferenceScores(NamedTuple):
    """All higher is better; field names are the keys of the result file."""

    mig: float
    modularity: float
    sap_r2: float
    sap_svm: float
    dci_disentanglement: float
    dci_completeness: float
    dci_informativeness: float
    explicitness: float


def reference_scores(train: Rows, test: Rows, kinds: Sequence[str], threads: int = 1) -> ReferenceScores:
    """MIG, modularity, SAP, DCI and explicitness as the reference computes them.

    Continuous factors become 10 equal-width classes between the minimum and maximum over both parts. Information and
    SAP (R²) use the training rows; SAP (SVM), informativeness and explicitness are test scores. The boosted trees take
    most of the time: those of `threads` factors are fitted side by side, with equal results. Raises `DataError` as
    `reference_classes`.
    """
    known, unseen = reference_classes(train.factors, test.factors, kinds)
    information = mutual_information_nats(equal_width(train.codes, CODE_BINS), known)  # [D, K]
    classes_train, classes_test = Rows(train.codes, known), Rows(test.codes, unseen)
    importance, accuracy = boosted_importance(classes_train, classes_test, threads)
    return ReferenceScores(
        float((gap_of_best_two(information) / entropy_nats(known)).mean()),
        modularity_from_mi(information),
        float(gap_of_best_two(_squared_correlation(train)).mean()),
        float(gap_of_best_two(_svm_matrix(classes_train, classes_test)).mean()),
        disentanglement_from_importance(importance),
        completeness_from_importance(importance),
        float(accuracy.mean()),
        explicitness_of_classes(classes_train, classes_test).score,
    )


def reference_classes(
    train: NDArray[Any], test: NDArray[Any], kinds: Sequence[str], names: Sequence[str] | None = None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Both parts' factors `[N, K]` as class numbers, numbered and cut over all rows.

    Raises `DataError` with the factor's name where the training rows are of one class (a single outlier can widen the
    range until they are), or no class can be scored on the test rows.
    """
    both = np.concatenate([train, test])
    binned = equal_width(both, FACTOR_BINS)
    columns = [labels(both[:, k]) if kind == "discrete" else binned[:, k] for k, kind in enumerate(kinds)]
    known, unseen = np.split(np.stack(columns, axis=1), [len(train)])
    check_classes(known, unseen, names)
    return known, unseen


def boosted_importance(train: Rows, test: Rows, threads: int = 1) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Importances `[D, K]` of boosted trees with scikit-learn's default settings, and their test accuracies `[K]`."""

    def boost(known: NDArray[Any]) -> Boosted:
        return boosted(train.codes, known, test.codes, np.random.default_rng(0))

    with ThreadPoolExecutor(threads) as pool:
        fits = list(pool.map(boost, train.factors.T))
    accuracies = [np.mean(fit.predicted == truth) for fit, truth in zip(fits, test.factors.T, strict=True)]
    return np.stack([fit.importances for fit in fits], axis=1), np.array(accuracies)


def _squared_correlation(train: Rows) -> NDArray[np.float64]:
    """Squared Pearson correlation `[D, K]` of dimensions with raw factors; 0 for a dimension of variance ≤ 1e-12."""
    codes = train.codes - train.codes.mean(0, dtype=np.float64)
    factors = train.factors - train.factors.mean(0, dtype=np.float64)
    degrees = len(codes) - 1
    variance, covariance = np.square(codes).sum(0) / degrees, codes.T @ factors / degrees
    alive = (variance > SMALLEST_VARIANCE) & (np.ptp(train.codes, axis=0) > 0)  # a large constant's mean is rounded
    scale = np.where(alive, variance, 1.0)[:, None] * np.square(factors).sum(0) / degrees
    return np.where(alive[:, None], np.minimum(np.square(covariance) / scale, 1.0), 0.0)


def _svm_matrix(train: Rows, test: Rows) -> NDArray[np.float64]:
    """Test accuracy `[D, K]` from each dimension alone, as it comes (not standardised)."""
    return np.array(
        [
            [
                svm_accuracy(train.codes[:, [d]], train.factors[:, k], test.codes[:, [d]], test.factors[:, k])
                for k in range(train.factors.shape[1])
            ]
            for d in range(train.codes.shape[1])
        ]
    )
