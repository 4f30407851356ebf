"""What a GPU would stumble over, told without one: every kind, option and ability on the meta device.

There a tensor has a shape, a type and a place, and no values. So whatever asks for a value fails (`.item()`, `if` on a
tensor, NumPy, a copy to the host), and so does a shape that depends on values (rows picked by a mask): on a GPU these
make the host wait for all that was asked before. The watch below sees the rest: two places in one operation, and what a
training step sends from the host, which waits as well.

`fit` is not asked: it runs once, before anything, and PCA counts there how many components it found. Noise for
predictions and samples is made where the generator lives, so abilities may send; nothing may be read back. The coin of
the CVAE's teacher forcing is tossed on the CPU and stays there.
"""

import contextlib
from typing import Any

import pytest
import torch
from every_kind import CONTROLLED, KINDS, SMALL, Entry, moved_options
from torch import Generator, Tensor, nn
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from whatmoves.data.clips import Batch
from whatmoves.models.interface import Future, Step, abilities

aten, META = torch.ops.aten, torch.device("meta")
MADE_OF_NUMBERS = {torch.tensor, torch.as_tensor, torch.asarray, torch.from_numpy, Tensor.new_tensor}
MORE = ("path", "attention", "detect_ahead", "detection_targets")  # what some models offer beside their abilities


class Watch(TorchDispatchMode):
    """Fails where an operation, also one of the backward pass, has tensors of two places. Copies may, if they `send`.

    A number on the CPU may take part, as it may on a GPU: it goes along with the call. `empty_like` copies no values.
    """

    def __init__(self, send: bool) -> None:
        super().__init__()
        self.send = send

    def __torch_dispatch__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        places = _places((args, kwargs, result))
        copies = func.overloadpacket in (aten._to_copy, aten.copy_, aten.empty_like)
        crossed = {place for place, axes in places if axes or place != "cpu" or copies}
        assert len(crossed) < 2 or (copies and self.send), f"{func} has tensors on {' and '.join(sorted(crossed))}"
        return result


class Numbers(TorchFunctionMode):
    """Fails where plain numbers become a tensor on the device: on a GPU that is a copy, and the copy waits."""

    def __torch_function__(self, func: Any, types: Any, args: Any = (), kwargs: Any = None) -> Any:
        result = func(*args, **(kwargs or {}))
        assert func not in MADE_OF_NUMBERS or result.device != META, f"{func.__name__} sends numbers from the host"
        return result


def _places(values: Any) -> set[tuple[str, int]]:
    return {(leaf.device.type, min(leaf.ndim, 1)) for leaf in tree_leaves(values) if isinstance(leaf, Tensor)}


@pytest.fixture(autouse=True)
def no_autocast(monkeypatch: pytest.MonkeyPatch) -> None:
    """`torch.autocast` knows no such device."""
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: contextlib.nullcontext())


def on_meta(entry: Entry) -> tuple[Any, Batch]:
    """A model and a batch. Nothing else is put there: what a model makes itself must find its own place."""
    with META:
        return entry.model(), entry.batch()


def require_step(entry: Entry) -> None:
    """A training step at both ends of the schedules. What the first step sets up once, it may send."""
    model, batch = on_meta(entry)
    with Watch(send=True):
        model.train().loss(batch, Step(0, 1))
    with Watch(send=False), Numbers():
        terms = model.loss(batch, Step(1, 1))
        terms["total"].backward()
    gradients = [parameter.grad for parameter in model.parameters() if parameter.grad is not None]
    assert len(gradients) > 0
    assert {place for place, _ in _places([terms, gradients])} == {"meta"}


@torch.no_grad()
def require_abilities(entry: Entry) -> None:
    """All abilities, and what the model has of `MORE`."""
    model, batch = on_meta(entry)
    more = [name for name in MORE if callable(getattr(model, name, None))]
    for ability in (*abilities(model.eval()), *more):
        with Watch(send=True):
            answer = asked(model, ability, batch, entry.past)
        assert _places(answer) == {("meta", 1)}, ability


def asked(model: Any, ability: str, batch: Batch, past: int) -> Any:
    """What an ability answers."""
    video, generator = batch.video, Generator().manual_seed(0)
    match ability:
        case "sample":
            return model.sample(2, generator)
        case "decode":
            return model.decode(model.encode(video))
        case "predict":
            return model.predict(video[:, :past], video.shape[1] - past, Future(batch.actions, batch.states, generator))
        case "detection_targets":
            return model.detection_targets(batch)
        case _:
            return getattr(model, ability)(video)


@pytest.mark.parametrize("name", [name for name, entry in SMALL.items() if entry.learns])
def test_a_step_of_training(name: str) -> None:
    require_step(SMALL[name])


@pytest.mark.parametrize("name", SMALL)
def test_abilities(name: str) -> None:
    require_abilities(SMALL[name])


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_every_option(kind: str) -> None:
    """Moved alone, on coloured clips with controls."""
    first = next(entry for entry in SMALL.values() if entry.kind == kind)
    for entry in moved_options(first._replace(shape=CONTROLLED, past=4)):
        try:
            require_abilities(entry)
            if entry.learns:
                require_step(entry)
        except Exception as error:
            moved = {name: value for name, value in entry.options.items() if first.options.get(name) != value}
            pytest.fail(f"{moved}: {error}")


class Faulty(nn.Module):
    """Does one of the things that this file is about."""

    def __init__(self, fault: str) -> None:
        super().__init__()
        self.fault, self.weight = fault, nn.Parameter(torch.ones(3))

    def loss(self, batch: Batch, step: Step) -> dict[str, Tensor]:
        values = batch.video.mean((1, 2, 3)) * self.weight
        match self.fault:
            case "left on the CPU":
                values = values + torch.ones(len(values), 3)
            case "numbers sent":
                values = values + torch.tensor([1.0, 2.0, 3.0], device=values.device)
            case "a tensor sent":
                values = values + torch.ones(3).to(values.device)
            case "a value read":
                values = values * values.detach().amax().item()
            case "read back":
                values = values + values.detach().cpu().sum().to(values)
            case "a branch":
                values = values * 2 if values.sum() > 0 else values
            case "rows picked":
                values = values[values.sum(1) > 0]
            case "rows written":
                kept = values.clone()
                kept[values.sum(1) > 0] = values[0]
                values = kept
        return {"total": values.square().mean()}


FAULTS = {
    "left on the CPU": "device cpu is not on the expected device meta",
    "numbers sent": "tensor sends numbers",
    "a tensor sent": "has tensors on cpu and meta",
    "a value read": "item",
    "read back": "Cannot copy out of meta tensor",
    "a branch": "item",
    "rows picked": "nonzero",
    "rows written": "nonzero",
}


@pytest.mark.parametrize(("fault", "told"), FAULTS.items())
def test_faults_are_found(fault: str, told: str) -> None:
    class Planted(Entry):
        def model(self) -> Any:
            return Faulty(fault)

    shape = CONTROLLED._replace(width=3)
    with pytest.raises((AssertionError, RuntimeError, NotImplementedError), match=told):
        require_step(Planted("faulty", {}, shape, 2, SMALL["jepa"].training))
