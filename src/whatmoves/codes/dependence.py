"""Does one block of code tell of the other? Measures of dependence between two blocks, each with a permutation p value.

Independence is necessary for separation and never sufficient: a dead block is independent of everything. Read these
beside the blocks' usable information. Correlation alone misses leaks in scale or shape.
"""

from itertools import pairwise
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.spatial.distance import pdist, squareform
from scipy.stats import rankdata
from torch.optim.adamw import adamw

MOST_ROWS = 700  # pairwise matrices of 2 MB stay in a core's cache while they are permuted
PERMUTATIONS = 999
STRIPS = 4  # of a matrix whose rows and columns are permuted
RIDGE = 0.1  # of the mean variance of a block's dimensions, added to its covariance before whitening
CRITIC_STEPS = 150
CRITIC_ROWS = 128
ADAMW: dict[str, Any] = {
    "lr": 5e-3, "weight_decay": 0.1, "beta1": 0.9, "beta2": 0.999, "eps": 1e-8, "amsgrad": False, "maximize": False,
}  # fmt: skip


class Measured(NamedTuple):
    """A statistic and its one-sided permutation p value, (1 + permuted values that reach it) / (1 + permutations)."""

    value: float
    p: float


class Dependence(NamedTuple):
    """0 is independence, for each but `pairs_auc` (0.5), up to sampling noise; 1 is the most.

    `mean_r` and `max_r` of the absolute Pearson correlations over all pairs of dimensions grow with the number of
    pairs and shrink with N: read their p. `cca` is the top canonical correlation, of held-out rows. `dcor` is the
    bias-corrected squared distance correlation (Székely & Rizzo 2013), `hsic` its like with Gaussian kernels of median
    width; both can be a little below 0. `pairs_auc`: how well a critic tells true from shuffled pairs of held-out rows.
    """

    mean_r: Measured
    max_r: Measured
    cca: Measured
    dcor: Measured
    hsic: Measured
    pairs_auc: Measured


def dependence(
    first: NDArray[Any], second: NDArray[Any], rng: np.random.Generator, permutations: int = PERMUTATIONS
) -> Dependence:
    """All measures between blocks `first` `[N, D]` and `second` `[N, E]` of the same clips, on at most 700 of them.

    Columns that never change are dropped; a block with no other column is independent of everything (p = 1).
    """
    rows = np.sort(rng.permutation(len(first))[:MOST_ROWS])
    x, y = (block[rows][:, np.ptp(block[rows], axis=0) > 0].astype(np.float64) for block in (first, second))
    if x.shape[1] == 0 or y.shape[1] == 0:
        nothing = Measured(0.0, 1.0)
        return Dependence(nothing, nothing, nothing, nothing, nothing, Measured(0.5, 1.0))
    orders = np.stack([rng.permutation(len(rows)) for _ in range(permutations)])
    half = len(rows) // 2
    halves = np.stack([rng.permutation(len(rows) - half) for _ in range(permutations)])
    (x_fit, x_held), (y_fit, y_held) = _whitened_halves(x, half), _whitened_halves(y, half)
    mean_r, max_r = correlations(x, y, orders)
    return Dependence(
        mean_r=mean_r,
        max_r=max_r,
        cca=held_out_cca(x_fit, y_fit, x_held, y_held, halves),
        dcor=paired_matrices(pdist(x), pdist(y), orders),
        hsic=paired_matrices(_gaussian(pdist(x)), _gaussian(pdist(y)), orders),
        pairs_auc=pairs_auc(x_fit, y_fit, x_held, y_held, halves, rng),
    )


def correlations(
    x: NDArray[np.float64], y: NDArray[np.float64], orders: NDArray[np.int64]
) -> tuple[Measured, Measured]:
    """Mean and largest |Pearson r| over all pairs of columns of `x` `[N, D]` and `y` `[N, E]`.

    `orders` `[P, N]` are the permutations of rows that make the null distribution.
    """
    x = (x - x.mean(0)) / (x.std(0) * len(x))
    y = (y - y.mean(0)) / y.std(0)

    def both(rows: NDArray[np.float64]) -> tuple[float, float]:
        r = np.abs(rows.T @ y)
        return float(r.mean()), float(r.max())

    mean_r, max_r = both(x)
    null = np.array([both(x[order]) for order in orders]).reshape(-1, 2)
    return _measured(mean_r, null[:, 0]), _measured(max_r, null[:, 1])


def held_out_cca(
    x_fit: NDArray[np.float64],
    y_fit: NDArray[np.float64],
    x_held: NDArray[np.float64],
    y_held: NDArray[np.float64],
    orders: NDArray[np.int64],
) -> Measured:
    """Correlation, on held-out rows, of the top canonical pair of directions; codes whitened (with a ridge) before.

    In sample the top correlation nears 1 for wide independent blocks; held out it is 0 in the mean and may be negative.
    """
    left, _, right = np.linalg.svd(x_fit.T @ y_fit, full_matrices=False)
    a, b = x_held @ left[:, 0], y_held @ right[0]
    a, b = (a - a.mean()) / max(a.std(), 1e-12), (b - b.mean()) / max(b.std(), 1e-12)
    return _measured(float(a @ b / len(a)), a[orders] @ b / len(a))


def paired_matrices(x: NDArray[np.float64], y: NDArray[np.float64], orders: NDArray[np.int64]) -> Measured:
    """Bias-corrected, normalised agreement of two pairwise matrices given as condensed vectors `[N (N-1) / 2]`.

    Of distances it is the squared distance correlation, of kernels the normalised HSIC: U-centring (Székely & Rizzo
    2014, equation 2.5) makes its mean 0 for independent blocks, where the plain forms read 0.1 and more at N = 1,000.
    Float32, to halve the cost of permuting; a power of two first brings the entries to 1, since their fourth powers
    would leave its range, and changes no digit of the result.
    """
    a, b = (_u_centred(squareform(np.ldexp(part, -np.frexp(part.max())[1]))) for part in (x, y))
    scale = float(np.sqrt(np.vdot(a, a) * np.vdot(b, b)))
    if scale == 0:
        return Measured(0.0, 1.0)
    null = permuted_products(a, b, orders)
    return _measured(float(np.vdot(a, b)) / scale, null.astype(np.float64) / scale)


def permuted_products(a: NDArray[np.float32], b: NDArray[np.float32], orders: NDArray[np.int64]) -> NDArray[np.float32]:
    """Σ over i, j of a[order[i], order[j]] · b[i, j] for each of `orders` `[P, N]`; `a`, `b` `[N, N]` are symmetric.

    In strips of rows, of which only what lies right of the diagonal is permuted, with that of `b` doubled.
    """
    borders = np.linspace(0, len(a), STRIPS + 1).astype(int)
    strips = [slice(first, last) for first, last in pairwise(borders.tolist())]
    doubled = [np.hstack([b[strip, strip], 2 * b[strip, strip.stop :]]) for strip in strips]
    return np.array([
        sum(
            np.vdot(a.take(order[strip], 0, mode="clip").take(order[strip.start :], 1, mode="clip"), part)
            for strip, part in zip(strips, doubled, strict=True)
        )
        for order in orders
    ], np.float32)  # fmt: skip


def pairs_auc(
    x_fit: NDArray[np.float64],
    y_fit: NDArray[np.float64],
    x_held: NDArray[np.float64],
    y_held: NDArray[np.float64],
    orders: NDArray[np.int64],
    rng: np.random.Generator,
) -> Measured:
    """ROC AUC with which a critic tells held-out true pairs from all shuffled ones.

    The critic is the inner product of two small networks, fitted to pick each row's partner among a batch (InfoNCE,
    van den Oord et al. 2018): every batch brings fresh shuffled pairs.
    """
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    fit, held = ([torch.from_numpy(part).float() for part in pair] for pair in ((x_fit, y_fit), (x_held, y_held)))
    sides = [_network(part.shape[1], generator) for part in fit]

    def critic(x: torch.Tensor, y: torch.Tensor) -> torch.Tensor:
        one, two = (torch.relu(part @ w + b) @ v for part, (w, b, v) in zip((x, y), sides, strict=True))
        return one @ two.T  # [rows of x, rows of y]

    weights = [weight for side in sides for weight in side]
    means, squares = ([torch.zeros_like(weight) for weight in weights] for _ in range(2))
    steps = [torch.zeros(()) for _ in weights]
    for _ in range(CRITIC_STEPS):
        rows = torch.randperm(len(fit[0]), generator=generator)[:CRITIC_ROWS]
        loss = torch.nn.functional.cross_entropy(critic(fit[0][rows], fit[1][rows]), torch.arange(len(rows)))
        gradients = list(torch.autograd.grad(loss, weights))
        with torch.no_grad():  # the function: PyTorch's optimiser classes take a second to import a compiler
            adamw(weights, gradients, means, squares, [], steps, fused=True, **ADAMW)
    with torch.no_grad():
        scores = critic(held[0], held[1]).numpy()
    # A row's mean says how likely it looks beside anything; only what is left can tell its partner.
    scores = scores - scores.mean(0) - scores.mean(1, keepdims=True)
    count = len(scores)
    ranks = rankdata(scores).reshape(scores.shape)

    def auc(sums: NDArray[np.float64]) -> NDArray[np.float64]:
        found: NDArray[np.float64] = (sums - count * (count + 1) / 2) / (count * (count**2 - count))
        return found

    null = auc(ranks[np.arange(count), orders].sum(1))
    return _measured(float(auc(np.array([np.trace(ranks)]))[0]), null)


def _measured(value: float, null: NDArray[np.float64]) -> Measured:
    hits = np.count_nonzero(null >= value - 1e-9)
    return Measured(value, float((1 + hits) / (1 + len(null))))


def _whitened_halves(block: NDArray[np.float64], half: int) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The first `half` rows and the rest, centred and whitened with a ridge by the first."""
    centred = block - block[:half].mean(0)
    values, axes = np.linalg.eigh(centred[:half].T @ centred[:half] / half)
    projected = centred @ (axes / np.sqrt(values + RIDGE * values.mean() + 1e-12))
    return projected[:half], projected[half:]


def _gaussian(distances: NDArray[np.float64]) -> NDArray[np.float64]:
    """Gaussian kernel values of condensed `distances`, as wide as their median."""
    width = np.median(distances)
    kernel: NDArray[np.float64] = np.exp(-np.square(distances / (width if width > 0 else 1.0)) / 2)
    return kernel


def _u_centred(matrix: NDArray[np.float64]) -> NDArray[np.float32]:
    count = len(matrix)
    rows = matrix.sum(0) / (count - 2)
    centred = matrix - rows - rows[:, None] + matrix.sum() / ((count - 1) * (count - 2))
    np.fill_diagonal(centred, 0.0)
    single: NDArray[np.float32] = centred.astype(np.float32)
    return single


def _network(width: int, generator: torch.Generator) -> list[torch.Tensor]:
    """Weights of a network of 64 hidden units and 16 outputs."""
    weights = [
        torch.randn(width, 64, generator=generator) * (2 / width) ** 0.5,
        torch.randn(64, generator=generator) * 0.1,
        torch.randn(64, 16, generator=generator) / 16,
    ]
    return [weight.requires_grad_() for weight in weights]
