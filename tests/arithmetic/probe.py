"""A digest of the bits of every function that results are computed with, at the portable level: JSON, name → digest.

`python probe.py` asks this processor, `qemu-x86_64 -cpu NAME python probe.py --emulated` another one. An emulator
passes the processor's own approximations through in its own way, and does not reach the functions under `natively`.
"""

import hashlib
import json
import sys
from collections.abc import Callable, Iterator
from typing import Any

from whatmoves.arithmetic.level import set_level

set_level("portable")

import numpy as np
import scipy.linalg
import scipy.special
import torch
from sklearn.decomposition import PCA
from sklearn.ensemble import GradientBoostingClassifier, HistGradientBoostingClassifier
from sklearn.linear_model import LogisticRegression
from torch import nn
from torch.nn import functional as F

Probes = Iterator[tuple[str, Callable[[], Any]]]

torch.set_num_threads(1)
RNG = np.random.default_rng(0)
A, B, X = RNG.normal(size=(300, 1000)), RNG.normal(size=(1000, 200)), RNG.normal(size=20001)
LABEL = (A[:, 0] + 0.5 * A[:, 1] > 0).astype(int)
torch.manual_seed(0)
IMAGE, U, V = torch.randn(64, 3, 32, 32), torch.randn(100, 1500), torch.randn(1500, 80)
POSITIVE = U.abs() + 0.1
SYMMETRIC = (U @ U.T / 1500 + torch.eye(100)).double()
LAST = torch.channels_last


def of_arrays() -> Probes:
    """NumPy, SciPy and scikit-learn."""
    yield "numpy product", lambda: A @ B
    yield "numpy product f4", lambda: A.astype("f4") @ B.astype("f4")
    yield "numpy vector product", lambda: A @ B[:, 0]
    yield "numpy exp", lambda: np.exp(X)
    yield "numpy exp f4", lambda: np.exp(X.astype("f4"))
    yield "numpy log", lambda: np.log(np.abs(X))
    yield "numpy sin", lambda: np.sin(X)
    yield "numpy tanh", lambda: np.tanh(X)
    yield "numpy arctan2", lambda: np.arctan2(X, X[::-1])
    yield "numpy hypot", lambda: np.hypot(X, X[::-1])
    yield "numpy power", lambda: np.abs(X) ** 1.7
    yield "numpy sum", lambda: [X.sum(), X.astype("f4").sum(), X.mean(), X.std()]
    yield "numpy sort", lambda: np.sort(X)
    yield "numpy svd", lambda: np.linalg.svd(A[:, :300], full_matrices=False)[1]
    yield "numpy eigh", lambda: np.linalg.eigh(A @ A.T)[0]
    yield "scipy solve", lambda: scipy.linalg.solve(A @ A.T + np.eye(300), X[:300])
    yield "scipy gammaln", lambda: scipy.special.gammaln(np.abs(X) + 0.1)
    yield "logistic regression", lambda: LogisticRegression(max_iter=200).fit(A[:, :30], LABEL).coef_
    yield "PCA", lambda: PCA(5, svd_solver="full").fit(A[:, :300]).components_
    trees = GradientBoostingClassifier(n_estimators=20, random_state=0)
    yield "boosted trees", lambda: trees.fit(A[:, :30], LABEL).predict_proba(A[:, :30])


def of_tensors() -> Probes:
    """PyTorch's functions."""
    yield "randn", lambda: IMAGE
    yield "product", lambda: U @ V
    yield "product of transposed", lambda: V.T @ U.T
    yield "product f8", lambda: U.double() @ V.double()
    yield "products in a batch", lambda: IMAGE.reshape(64, 96, 32) @ IMAGE.reshape(64, 32, 96)
    yield "linear", lambda: F.linear(U, V.T, U[0, :80])
    yield "matrix times vector", lambda: U @ U[0]
    yield "exp", lambda: torch.exp(U)
    yield "log", lambda: torch.log(POSITIVE)
    yield "erf", lambda: torch.erf(U)
    yield "sqrt", lambda: torch.sqrt(POSITIVE)
    yield "sqrt in place", lambda: POSITIVE.clone().sqrt_()
    yield "rsqrt", lambda: torch.rsqrt(POSITIVE)
    yield "pow", lambda: POSITIVE.pow(1.7)
    yield "tanh", lambda: torch.tanh(U)
    yield "sigmoid", lambda: torch.sigmoid(U)
    yield "gelu", lambda: F.gelu(U)
    yield "silu", lambda: F.silu(U)
    yield "softplus", lambda: F.softplus(U)
    yield "softmax", lambda: torch.softmax(U, 1)
    yield "log_softmax", lambda: torch.log_softmax(U, 1)
    yield "sums", lambda: torch.cat([U.sum(0), U.mean(1), U.std(0), U.var(1)])
    yield "norm", lambda: torch.linalg.vector_norm(U, dim=1)
    yield "cumsum", lambda: U.cumsum(1)
    yield "lerp", lambda: torch.lerp(U, U * 2, 0.1)
    yield "layer norm", lambda: F.layer_norm(U, (1500,))
    yield "group norm", lambda: F.group_norm(torch.cat([IMAGE, IMAGE[:, :1]], 1), 2)
    yield "batch norm", lambda: F.batch_norm(IMAGE, None, None, training=True)
    yield "attention", lambda: F.scaled_dot_product_attention(IMAGE, IMAGE, IMAGE)
    yield "fold", lambda: F.fold(U[:, :1024].reshape(-1, 16, 64), (16, 16), 4, stride=2, padding=1)
    yield "average pool", lambda: F.adaptive_avg_pool2d(IMAGE, 5)
    yield "max pool", lambda: F.max_pool2d(IMAGE, 2)
    yield "fft", lambda: torch.fft.rfft2(IMAGE).abs()
    yield "eigenvalues", lambda: torch.linalg.eigvalsh(SYMMETRIC)
    yield "singular values", lambda: torch.linalg.svdvals(U[:, :300])
    yield "cholesky f8", lambda: torch.linalg.cholesky(SYMMETRIC)
    yield "solve", lambda: torch.linalg.solve(SYMMETRIC.float(), U[:, :5])


def of_networks() -> Probes:
    """Layers with their gradients, and steps of the optimisers."""
    stride = nn.Sequential(nn.Conv2d(3, 16, 3, 2, 1), nn.SiLU(), nn.ConvTranspose2d(16, 3, 4, 2, 1))
    yield "convolutions", lambda: learned(stride, IMAGE)
    wide = nn.Sequential(nn.Conv2d(16, 32, 4, 2, 1), nn.ReLU(), nn.ConvTranspose2d(32, 16, 2, 2)).to(memory_format=LAST)
    yield "convolutions, channels last", lambda: learned(wide, torch.ones(8, 16, 16, 16).to(memory_format=LAST))
    yield "cell", lambda: learned(Cell(), U[:, :64])
    for name, decoupled in (("Adam, fused", torch.optim.Adam), ("AdamW, fused", torch.optim.AdamW)):
        yield name, lambda kind=decoupled: stepped(kind)


def natively() -> Probes:
    """What an emulator does not reach."""
    yield "argsort of ties", lambda: np.argsort(np.round(X, 1))
    trees = HistGradientBoostingClassifier(max_iter=20, random_state=0)
    yield "histogram trees", lambda: trees.fit(A[:, :30], LABEL).predict_proba(A[:, :30])
    torch.manual_seed(0)
    lstm = nn.LSTM(32, 48, batch_first=True)
    yield "LSTM", lambda: lstm(torch.ones(8, 10, 32))[0]
    grid = F.affine_grid(torch.eye(2, 3)[None].repeat(64, 1, 1) * 0.9, [64, 3, 32, 32], align_corners=False)
    yield "grid_sample", lambda: F.grid_sample(IMAGE, grid, align_corners=False)


class Cell(nn.Module):
    """Five steps of an LSTM cell."""

    def __init__(self) -> None:
        super().__init__()
        self.cell = nn.LSTMCell(64, 48)

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        state = None
        for _ in range(5):
            state = self.cell(x, state)
        return torch.cat(state, 1)


def learned(network: nn.Module, x: torch.Tensor) -> list[torch.Tensor]:
    """The output of a network with fixed weights, and the gradient of each weight."""
    for weight in network.parameters():
        weight.data = torch.sin(torch.arange(weight.numel(), dtype=torch.float32)).reshape(weight.shape) / 4
        weight.grad = None
    y = network(x)
    y.square().mean().backward()
    return [y, *(weight.grad for weight in network.parameters())]


def stepped(kind: type[torch.optim.Optimizer]) -> torch.Tensor:
    """The weights after five steps."""
    torch.manual_seed(0)
    layer = nn.Linear(300, 10)
    optimiser = kind(layer.parameters(), weight_decay=0.01, fused=True)
    for _ in range(5):
        optimiser.zero_grad()
        F.cross_entropy(layer(U[:, :300]), torch.arange(100) % 10).backward()
        optimiser.step()
    return layer.weight


def digest(result: Any) -> str:
    """Twelve digits for the bits of a result."""
    results = result if isinstance(result, list) else [result]
    arrays = [
        r.detach().contiguous().numpy() if isinstance(r, torch.Tensor) else np.ascontiguousarray(r) for r in results
    ]
    return hashlib.sha256(b"".join(array.tobytes() for array in arrays)).hexdigest()[:12]


def main() -> None:
    """Print the digests."""
    groups = [of_arrays, of_tensors, of_networks] + ([] if "--emulated" in sys.argv else [natively])
    print(json.dumps({name: digest(function()) for group in groups for name, function in group()}, indent=1))


if __name__ == "__main__":
    main()
