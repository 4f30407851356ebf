"""What a training batch sends to a GPU goes by pinned memory, so that no step waits for the one before it."""

import contextlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from tools import ROOT
from torch import Tensor

from whatmoves.data.clips import sent
from whatmoves.loading import load_study
from whatmoves.plugins import data_config, data_module

TINY = load_study(ROOT / "config/tiny.yaml")
GPU = torch.device("cuda")


class Sending:
    """In the place of a GPU stand shapes without memory; copies to it are kept apart by whether the host waits."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.pinned: list[int] = []
        self.copies: list[bool] = []
        plain = Tensor.to

        def to(tensor: Tensor, *to_what: Any, **options: Any) -> Tensor:
            there = to_what[0] if to_what else None
            if not isinstance(there, torch.device) or there.type == "cpu" or tensor.device.type != "cpu":
                return plain(tensor, *to_what, **options)
            self.copies.append(tensor.data_ptr() in self.pinned and options.get("non_blocking", False))
            return plain(tensor, torch.device("meta"))

        def pin_memory(tensor: Tensor) -> Tensor:
            copy = tensor.clone()
            self.pinned.append(copy.data_ptr())
            return copy

        monkeypatch.setattr(Tensor, "to", to)
        monkeypatch.setattr(Tensor, "pin_memory", pin_memory)
        monkeypatch.setattr(torch, "autocast", lambda *_, **__: contextlib.nullcontext())  # it knows no such device
        # Pictures lie on a stand-in; what is sent to where they lie is sent to the GPU.
        monkeypatch.setattr("whatmoves.data.render.sent", lambda values, _: sent(values, GPU))


@pytest.mark.parametrize("name", TINY.data)
def test_a_batch_after_the_first_never_has_the_host_wait(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = TINY.data[name]
    module, config = data_module(entry.kind), data_config(entry.kind, entry.options)
    module.make(config, tmp_path)
    source, sending = module.open_source(config, tmp_path), Sending(monkeypatch)
    source.train_batch(0, 0, 4, GPU)  # keeps pictures or frames there, once
    sending.copies.clear()
    source.train_batch(0, 4, 4, GPU)
    assert sending.copies
    assert all(sending.copies)


def test_on_a_cpu_an_array_is_its_tensor() -> None:
    array = np.arange(6, dtype=np.float32)
    tensor = sent(array, torch.device("cpu"))
    assert tensor.data_ptr() == array.ctypes.data
