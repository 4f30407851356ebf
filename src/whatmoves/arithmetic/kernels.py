"""PyTorch's matrix products and square roots on a CPU, portable: computed by NumPy instead of MKL.

MKL picks its product by the maker of the processor; the one branch that is the same everywhere (COMPATIBLE) knows no
AVX and made whole trainings 1.0 to 1.6 times as long. NumPy's OpenBLAS, told its kernel, gives the same bits on Intel
and AMD at AVX2's speed. MKL's square root refines an approximation that each maker has its own of, and on AMD misses
by a unit in a sixth of all float32 numbers; NumPy's is the processor's, exact by the IEEE standard.

PyTorch calls `install` at the end of its own import (entry point `torch.backends` in pyproject.toml), so that no code
can be in between. It does nothing unless portable arithmetic was set before. Autograd, vmap and operation counts stand
above these kernels and see no difference.
"""

import warnings

import numpy as np
import torch
from torch import Tensor

from whatmoves.arithmetic.level import in_force

FLOATS = (torch.float32, torch.float64)

_library: torch.library.Library | None = None


def install() -> None:
    """Take the place of PyTorch's CPU kernels for the rest of the process, where the level in force is portable."""
    global _library
    if _library is not None or in_force() != "portable":
        return
    _library = torch.library.Library("aten", "IMPL")  # type: ignore[no-untyped-call]
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Warning only once for all operators", UserWarning)  # it is meant
        for kernel in (mm, bmm, addmm, baddbmm, sqrt):
            _library.impl(kernel.__name__, kernel, "CPU")  # type: ignore[no-untyped-call]
        _library.impl("sqrt_", sqrt_, "CPU")  # type: ignore[no-untyped-call]


def installed() -> bool:
    """Whether these kernels are in place."""
    return _library is not None


def mm(a: Tensor, b: Tensor) -> Tensor:
    """`[N, K] × [K, M] → [N, M]`."""
    out = a.new_empty((a.shape[0], b.shape[1]))
    return _product(a, b, out) if _is_ours(a, b) else torch.mm(a, b, out=out)


def bmm(a: Tensor, b: Tensor) -> Tensor:
    """`[B, N, K] × [B, K, M] → [B, N, M]`."""
    out = a.new_empty((a.shape[0], a.shape[1], b.shape[2]))
    return _product(a, b, out) if _is_ours(a, b) else torch.bmm(a, b, out=out)


def addmm(added: Tensor, a: Tensor, b: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """`beta · added + alpha · a × b`; `added` may broadcast to `[N, M]`, and counts for nothing where beta is 0."""
    out = a.new_empty((a.shape[0], b.shape[1]))
    if not _is_ours(a, b, added):
        return torch.addmm(added, a, b, beta=beta, alpha=alpha, out=out)
    return _sum(added, _product(a, b, out), beta, alpha)


def baddbmm(added: Tensor, a: Tensor, b: Tensor, *, beta: float = 1, alpha: float = 1) -> Tensor:
    """The same for `[B, N, M]`."""
    out = a.new_empty((a.shape[0], a.shape[1], b.shape[2]))
    if not _is_ours(a, b, added):
        return torch.baddbmm(added, a, b, beta=beta, alpha=alpha, out=out)
    return _sum(added, _product(a, b, out), beta, alpha)


def sqrt(x: Tensor) -> Tensor:
    """Elementwise square root, correctly rounded; NaN below 0."""
    if x.dtype not in FLOATS:
        return torch.sqrt(x, out=torch.empty_like(x, dtype=_result_type(x)))
    out = torch.empty_like(x)
    with np.errstate(invalid="ignore"):
        np.sqrt(x.detach().numpy(), out=out.numpy())
    return out


def sqrt_(x: Tensor) -> Tensor:
    """The same in place."""
    return x.copy_(sqrt(x))


def _is_ours(*tensors: Tensor) -> bool:
    """Whether all are float32 or all float64; the rest is left to PyTorch, with its own messages."""
    kinds = {tensor.dtype for tensor in tensors}
    return len(kinds) == 1 and kinds <= set(FLOATS)


def _product(a: Tensor, b: Tensor, out: Tensor) -> Tensor:
    if a.shape[-1] != b.shape[-2] or a.shape[:-2] != b.shape[:-2]:
        raise RuntimeError(f"matrices of shapes {tuple(a.shape)} and {tuple(b.shape)} cannot be multiplied")
    np.matmul(_array(a), _array(b), out=out.numpy())
    return out


def _array(x: Tensor) -> np.ndarray:
    """The tensor's numbers, without a copy; a lazily negated or conjugated tensor is made real first."""
    return x.detach().resolve_neg().numpy()


def _sum(added: Tensor, product: Tensor, beta: float, alpha: float) -> Tensor:
    if alpha != 1:
        product.mul_(alpha)
    return product.add_(added, alpha=beta) if beta != 0 else product


def _result_type(x: Tensor) -> torch.dtype:
    """Whole numbers have square roots in the default type."""
    return x.dtype if x.is_floating_point() or x.is_complex() else torch.get_default_dtype()
