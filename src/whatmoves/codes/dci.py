"""Disentanglement, completeness, informativeness from tree importances.

Eastwood & Williams 2018 (A Framework for the Quantitative Evaluation of Disentangled Representations), section 2.
The scores of an importance matrix are exact functions; `dci` estimates the matrix.
"""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import entr

from whatmoves.codes.rows import Rows, target_columns

if TYPE_CHECKING:
    from sklearn.ensemble import ExtraTreesRegressor

TREE_CELLS = 256_000  # numbers of the training table that each tree sees: 8,000 rows of 32 dimensions, 1,000 of 256
TINY = 1e-11  # added before the entropy, so that an unused row or column counts as spread evenly


class DciResult(NamedTuple):
    """All scores in 0…1, higher is better, chance near 0.

    `informativeness` is the mean of `per_factor` `[K]`: the share of the blind squared error that the trees remove on
    test rows (R² of a continuous factor, its counterpart on class indicators for a label).
    `importances` `[D, K]` are measured on test rows too; column k sums to `per_factor[k]`, so a factor that nobody can
    predict has no say in `disentanglement` and `completeness`.
    The `plain_*` scores follow the original: training-side impurity importances that sum to 1 for every factor, and
    test accuracy (R² for continuous factors).
    """

    disentanglement: float
    completeness: float
    informativeness: float
    per_factor: NDArray[np.float64]
    importances: NDArray[np.float64]
    plain_disentanglement: float
    plain_completeness: float
    plain_informativeness: float


def dci(
    train: Rows, test: Rows, kinds: Sequence[str], rng: np.random.Generator, trees: int = 30, smallest_leaf: int = 5
) -> DciResult:
    """Fit trees per factor on `train`; read importances and informativeness on `test`.

    Extremely randomised trees over all dimensions stand in for gradient boosting: 256 dimensions take seconds instead
    of an hour, and ties between equal dimensions break at random, where histogram boosting always takes the first and
    makes duplicated codes look complete. Of a large table each tree draws its own rows. A label is regressed on as
    class indicators, whose squared error splits exactly as Gini impurity does; a continuous factor as itself.
    """
    from sklearn.ensemble import ExtraTreesRegressor  # takes a second, which floors need not pay

    width, factors = train.codes.shape[1], len(kinds)
    rows = max(TREE_CELLS // width, 1)
    drawn = {"bootstrap": True, "max_samples": rows} if rows < len(train.codes) else {}
    held_out, impurity = np.zeros((width, factors)), np.zeros((width, factors))
    per_factor, plain = np.zeros(factors), np.zeros(factors)
    for k, kind in enumerate(kinds):
        targets = target_columns(np.concatenate([train.factors[:, k], test.factors[:, k]]), kind)  # [N, T]
        known, unseen = np.split(targets, [len(train.codes)])
        model = ExtraTreesRegressor(
            trees, max_features=1.0, min_samples_leaf=smallest_leaf, random_state=int(rng.integers(2**31)), **drawn
        )
        model.fit(train.codes, known if kind == "discrete" else known[:, 0])
        predicted = model.predict(test.codes).reshape(unseen.shape)
        blind = np.square(unseen - known.mean(0)).sum()
        per_factor[k] = max(0.0, 1 - np.square(unseen - predicted).sum() / blind)
        gains = _held_out_gains(model, test.codes, unseen)
        held_out[:, k] = per_factor[k] * gains / max(gains.sum(), TINY)
        impurity[:, k] = model.feature_importances_
        right = predicted.argmax(1) == unseen.argmax(1)
        plain[k] = right.mean() if kind == "discrete" else per_factor[k]
    return DciResult(
        disentanglement_from_importance(held_out),
        completeness_from_importance(held_out),
        float(per_factor.mean()),
        per_factor,
        held_out,
        disentanglement_from_importance(impurity),
        completeness_from_importance(impurity),
        float(plain.mean()),
    )


def disentanglement_from_importance(importance: NDArray[Any]) -> float:
    """Mean over dimensions of 1 - H(row) / ln K, weighted by the rows' sums; `importance` `[D, K]` ≥ 0.

    Equal importances everywhere, or none at all, give exactly 0. A single factor leaves nothing to mix: 1.
    """
    return _one_minus_entropy(importance)


def completeness_from_importance(importance: NDArray[Any]) -> float:
    """Mean over factors of 1 - H(column) / ln D, weighted by the columns' sums; `importance` `[D, K]` ≥ 0.

    Equal importances everywhere, or none at all, give exactly 0. A single dimension has all there is: 1.
    """
    return _one_minus_entropy(importance.T)


def _one_minus_entropy(importance: NDArray[Any]) -> float:
    """Weighted mean over rows of 1 - entropy in units of the largest possible, which is 0 / 0 of one column: 1."""
    if not importance.sum() > 0:
        return 0.0
    if importance.shape[1] == 1:
        return 1.0
    shares = importance + TINY
    shares = shares / shares.sum(1, keepdims=True)
    per_row = 1 - entr(shares).sum(1) / np.log(importance.shape[1])
    return max(0.0, float(np.average(per_row, weights=importance.sum(1))))  # even rows round to -2e-16


def _held_out_gains(forest: "ExtraTreesRegressor", codes: NDArray[Any], targets: NDArray[np.float64]) -> NDArray[Any]:
    """Squared error on held-out rows that the splits on each dimension remove, `[D]`, mean over trees, floored at 0.

    Each node predicts its training mean. A split on noise fits training rows only and removes nothing (in the mean, a
    little less) on others, so noise dimensions sum to nothing however many values they have.
    """
    gains = np.zeros(codes.shape[1])
    moments = np.column_stack([np.ones(len(targets)), np.square(targets).sum(1), targets])  # 1, y², y
    for tree in forest.estimators_:
        nodes = tree.tree_
        mean = nodes.value[:, :, 0]  # [nodes, T]
        count, squares, sums = np.split(tree.decision_path(codes).T @ moments, [1, 2], axis=1)  # rows that pass a node
        error = squares[:, 0] - 2 * (mean * sums).sum(1) + count[:, 0] * np.square(mean).sum(1)
        inner = np.nonzero(nodes.children_left >= 0)[0]
        removed = error[inner] - error[nodes.children_left[inner]] - error[nodes.children_right[inner]]
        np.add.at(gains, nodes.feature[inner], removed)
    return np.maximum(gains / len(forest.estimators_), 0.0)
