"""The portable products and roots are PyTorch's own to the last few bits, in every form that a caller may give."""

import numpy as np
import pytest
import torch
from torch import Tensor

from whatmoves.arithmetic import kernels
from whatmoves.arithmetic.level import not_portable

pytestmark = pytest.mark.skipif(not_portable() is not None, reason="portable arithmetic is not possible here")


def drawn(*shape: int, dtype: torch.dtype = torch.float32) -> Tensor:
    generator = torch.Generator().manual_seed(sum(shape))
    return torch.randn(shape, generator=generator, dtype=torch.float64).to(dtype)


def test_they_are_in_place() -> None:
    assert kernels.installed()


@pytest.mark.parametrize(
    ("a", "b"),
    [
        (drawn(3, 4), drawn(4, 5)),
        (drawn(4, 3).T, drawn(5, 4).T),
        (drawn(6, 8)[::2, ::2], drawn(4, 5)),
        (drawn(3, 1).expand(3, 4), drawn(4, 5)),
        (torch._neg_view(drawn(3, 4)), drawn(4, 5)),
        (drawn(0, 4), drawn(4, 5)),
        (drawn(3, 0), drawn(0, 5)),
        (drawn(2, 3, 4), drawn(2, 4, 5)),
        (drawn(2, 4, 3).transpose(1, 2), drawn(2, 5, 4).transpose(1, 2)),
        (drawn(3, 4, dtype=torch.float64), drawn(4, 5, dtype=torch.float64)),
        (drawn(3, 4, dtype=torch.bfloat16), drawn(4, 5, dtype=torch.bfloat16)),
        (drawn(3, 4).mul(9).long(), drawn(4, 5).mul(9).long()),
    ],
)
def test_products(a: Tensor, b: Tensor) -> None:
    expected = (a.double().unsqueeze(-1) * b.double().unsqueeze(-3)).sum(-2)
    found = a @ b
    assert found.dtype == a.dtype
    torch.testing.assert_close(found.double(), expected, rtol=1e-2 if a.dtype == torch.bfloat16 else 1e-5, atol=1e-5)


@pytest.mark.parametrize("added", [drawn(5), drawn(3, 5), drawn(3, 1), torch.tensor(2.0)])
def test_sums_with_a_product(added: Tensor) -> None:
    a, b = drawn(3, 4), drawn(4, 5)
    torch.testing.assert_close(torch.addmm(added, a, b, beta=0.5, alpha=2), 0.5 * added + 2 * (a @ b))
    batched = torch.baddbmm(added, a.expand(2, 3, 4), b.expand(2, 4, 5), beta=0.5, alpha=2)
    torch.testing.assert_close(batched, (0.5 * added + 2 * (a @ b)).expand(2, 3, 5))


def test_what_is_not_added_counts_for_nothing() -> None:
    """Not even NaN, as the library has it."""
    nothing = torch.full((3, 5), torch.nan)
    assert torch.addmm(nothing, drawn(3, 4), drawn(4, 5), beta=0).isfinite().all()


def test_sizes_that_do_not_fit_are_refused() -> None:
    with pytest.raises(RuntimeError, match="cannot be multiplied"):
        torch.mm(drawn(3, 4), drawn(5, 3))
    with pytest.raises(RuntimeError, match=r"batch2|multiplied"):
        torch.bmm(drawn(2, 3, 4), drawn(3, 4, 5))


def test_gradients() -> None:
    a, b, c = (drawn(*s, dtype=torch.float64).requires_grad_() for s in ((2, 3, 4), (2, 4, 5), (5,)))
    assert torch.autograd.gradcheck(lambda a, b, c: torch.baddbmm(c, a, b).square(), (a, b, c))
    assert torch.autograd.gradcheck(lambda a: a.square().add(1).sqrt(), (a,))


def test_roots_are_correctly_rounded() -> None:
    """A root in float64, rounded to float32, is exact; MKL's on AMD is off by a unit for one number in six."""
    x = torch.rand(100_000, generator=torch.Generator().manual_seed(0)) * 1000
    exact = torch.from_numpy(np.sqrt(x.double().numpy())).float()
    assert torch.equal(x.sqrt(), exact)
    assert torch.equal(x.clone().sqrt_(), exact)
    assert torch.equal(x[::2].sqrt(), exact[::2])
    assert torch.tensor([-1.0]).sqrt().isnan()
    assert torch.equal(torch.tensor([4, 9]).sqrt(), torch.tensor([2.0, 3.0]))
