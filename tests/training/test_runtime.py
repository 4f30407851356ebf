"""The machine: devices that are not here, signals, locks."""

import fcntl
import os
import shutil
import signal
from pathlib import Path
from typing import TextIO

import pytest
import torch

from whatmoves.errors import ConfigError, TrainingError
from whatmoves.study import Study
from whatmoves.training import runtime


def test_devices(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)  # float64 is missing there
    assert runtime.choose_device("auto") == runtime.choose_device("cpu") == torch.device("cpu")
    with pytest.raises(ConfigError) as told:
        runtime.choose_device("cuda")
    assert str(told.value) == ("--device is 'cuda', but PyTorch sees no such device here; use --device auto or cpu")
    with pytest.raises(ConfigError, match=r"^--device is 'tpu'; must be auto, cpu, cuda or mps$"):
        runtime.choose_device("tpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert runtime.choose_device("auto") == torch.device("cuda")


def test_float32_on_a_gpu_is_no_tf32(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    torch.backends.cudnn.allow_tf32 = True  # PyTorch's default
    torch.backends.cuda.matmul.allow_tf32 = True
    runtime.choose_device("auto")
    assert not torch.backends.cudnn.allow_tf32
    assert not torch.backends.cuda.matmul.allow_tf32


def test_a_second_interrupt_is_not_held_back() -> None:
    signal.signal(signal.SIGINT, signal.default_int_handler)  # a shell's background jobs start with it ignored
    with pytest.raises(KeyboardInterrupt), runtime.stop_signals() as stop:  # noqa: PT012
        os.kill(os.getpid(), signal.SIGINT)
        assert stop.number == signal.SIGINT
        os.kill(os.getpid(), signal.SIGINT)


def test_a_scheduler_that_asks_twice_to_end_is_heard_once() -> None:
    with runtime.stop_signals() as stop:
        for _ in range(3):
            os.kill(os.getpid(), signal.SIGTERM)
        assert stop.number == signal.SIGTERM
    assert signal.getsignal(signal.SIGTERM) is signal.SIG_DFL


def test_threads_and_autocast() -> None:
    runtime.prepare(torch.device("cpu"), threads=1, arithmetic="portable")
    assert torch.get_num_threads() == 1
    a = torch.ones(2, 2)
    for precision, dtype in [("fp32", torch.float32), ("bf16", torch.bfloat16), ("fp16", torch.float16)]:
        with runtime.autocast(torch.device("cpu"), precision):
            assert (a @ a).dtype == dtype
    assert runtime.peak_memory_mib(torch.device("cpu")) > 10


def test_an_entry_overrides_any_setting_of_one_training() -> None:
    entry = {"training": {"optimizer": "adamw", "schedule": "constant", "precision": "bf16", "patience": 3}}
    study = Study.model_validate(
        {"study": "s", "data": {"moving_digits": None}, "models": {"lstm_vae": entry, "pca": None}}
    )
    own, others = study.training_of("lstm_vae"), study.training_of("pca")
    assert (own.optimizer, own.schedule, own.precision, own.patience) == ("adamw", "constant", "bf16", 3)
    assert (others.optimizer, others.schedule, others.precision, others.patience) == ("adam", "cosine", "fp32", None)


def test_a_lock_on_a_file_that_is_gone_keeps_nobody_out(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Between opening the lock file and locking it, the run that held it may end and take the folder away."""
    folder, lock = tmp_path / "work", fcntl.flock

    def after_the_other_has_ended(stream: TextIO, how: int) -> None:
        monkeypatch.setattr(fcntl, "flock", lock)
        shutil.rmtree(folder)
        lock(stream, how)

    monkeypatch.setattr(fcntl, "flock", after_the_other_has_ended)
    with runtime.locked(folder):
        with pytest.raises(TrainingError, match="is training this run already"), runtime.locked(folder):
            pass
        assert (folder / "lock").read_text(encoding="utf-8") == str(os.getpid())
    assert not folder.exists()
    with pytest.raises(FileNotFoundError, match="of the run itself"), runtime.locked(folder):
        raise FileNotFoundError("of the run itself")
