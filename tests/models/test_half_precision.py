"""One step of every small model in 16 bits, as a GPU makes it: what is finite, and how near it is to 32 bits."""

import pytest
import torch
from every_kind import HALFWAY, SMALL, Entry
from torch import Tensor
from torch.nn.functional import cosine_similarity

from whatmoves.training.runtime import autocast

CPU = torch.device("cpu")
RELATIVE = 2**-7  # a number in bf16 has 8 bits; the losses measured are off by at most a quarter of this
SAME_WAY = 0.9  # cosine between all gradients; measured ≥ 0.96, the least where a fresh picture has hardly any slope


def step(entry: Entry, precision: str) -> tuple[dict[str, Tensor], Tensor]:
    """The terms of a loss and all gradients in a row, with the same weights, clips and noise at every precision."""
    model, batch = entry.model().train(), entry.batch()
    torch.manual_seed(2)
    with autocast(CPU, precision):
        terms: dict[str, Tensor] = model.loss(batch, HALFWAY)
    terms["total"].backward()
    gradients = [p.grad.flatten() for p in model.parameters() if p.grad is not None]
    return terms, torch.cat(gradients)


@pytest.mark.parametrize("name", [name for name, entry in SMALL.items() if entry.learns])
def test_a_step_in_16_bits_is_near_one_in_32(name: str) -> None:
    (exact, wanted), (found, gradients) = (step(SMALL[name], precision) for precision in ("fp32", "bf16"))
    assert {value.dtype for value in (*found.values(), gradients)} == {torch.float32}
    assert gradients.isfinite().all()
    for term, value in found.items():
        torch.testing.assert_close(value, exact[term], rtol=RELATIVE, atol=1e-6)
    assert cosine_similarity(gradients, wanted, dim=0) > SAME_WAY
    assert not torch.equal(gradients, wanted)  # so it was done in 16 bits
