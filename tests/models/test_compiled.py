"""`training.compile`: a step of every kind compiled to C++, as the training loop does it, beside the same step plain.

A compiler takes from half a minute to several for each, so all are slow. `make test-slow` runs them.
"""

import shutil
from collections.abc import Iterator

import pytest
import torch
from every_kind import HALFWAY, SMALL, Entry, entries
from tools import ROOT
from torch import Tensor
from torch._dynamo import config as dynamo
from torch._dynamo.utils import counters
from torch._inductor import config as inductor
from torch.nn.functional import cosine_similarity

from whatmoves.loading import load_study
from whatmoves.training.loop import _prepare

CPU = torch.device("cpu")
RELATIVE = 1e-3  # fused sums are added in another order; batch statistics of two clips make 1.2e-4 of it in a full JEPA

pytestmark = [
    pytest.mark.slow,
    pytest.mark.filterwarnings("ignore::UserWarning"),  # the compiler's own, of tensors that it looks at
    pytest.mark.skipif(
        not (shutil.which("g++") or shutil.which("clang++")), reason="no C++ compiler here; apt-get install g++"
    ),
]


def first_of_each_kind(models: dict[str, Entry]) -> dict[str, Entry]:
    found: dict[str, Entry] = {}
    for entry in models.values():
        if entry.learns:
            found.setdefault(entry.kind, entry)
    return found


SMALLEST = first_of_each_kind(SMALL)
FULL = first_of_each_kind(entries(load_study(ROOT / "config" / "full.yaml")))


@pytest.fixture(autouse=True)
def fresh_compiler() -> Iterator[None]:
    """Dropout draws what it draws without the compiler, and what would be compiled again and again fails, where by
    default it goes on uncompiled."""
    torch.compiler.reset()
    counters.clear()
    with dynamo.patch(fail_on_recompile_limit_hit=True), inductor.patch(fallback_random=True):
        yield
    torch.compiler.reset()


def step(entry: Entry, compiled: bool) -> tuple[Tensor, Tensor]:
    """The loss and all gradients in a row, of two clips, with the same weights and noise either way."""
    model, batch = entry.model(), entry.batch(2)
    _prepare(model, entry.training.model_copy(update={"compile": compiled}), CPU)
    torch.manual_seed(2)
    loss: Tensor = model.loss(batch, HALFWAY)["total"]
    loss.backward()
    return loss.detach(), torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]).double()


def require_equal_steps(entry: Entry) -> None:
    (exact, wanted), (found, gradients) = step(entry, compiled=False), step(entry, compiled=True)
    assert counters["stats"]["unique_graphs"] > 0
    torch.testing.assert_close(found, exact, rtol=RELATIVE, atol=0)
    assert gradients.isfinite().all()
    assert cosine_similarity(gradients, wanted, dim=0) > 1 - RELATIVE


@pytest.mark.parametrize("kind", SMALLEST)
def test_a_small_model(kind: str) -> None:
    require_equal_steps(SMALLEST[kind])


@pytest.mark.parametrize("kind", FULL)
def test_a_model_of_full_size(kind: str) -> None:
    """In fp32; 16 bits, which this size is trained in, are left to a GPU."""
    require_equal_steps(FULL[kind])
