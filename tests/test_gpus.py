"""GPUs are leased: by real processes, on names of GPUs that are not there."""

import logging
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from tools import ROOT, run

from whatmoves import gpus, machine
from whatmoves.errors import ConfigError

# Takes a GPU, makes a file named after it that must not be there yet, waits, removes the file and ends.
HOLDER = """
import sys, time
from pathlib import Path
from whatmoves.gpus import leased
names, jobs, folder, seconds = sys.argv[1].split(","), int(sys.argv[2]), Path(sys.argv[3]), float(sys.argv[4])
gpu, lease = leased(names, jobs, every_s=0.01)
print(gpu, flush=True)
for place in range(jobs):
    try:
        (folder / f"{gpu}.{place}").open("x").close()
        break
    except FileExistsError:
        pass
print(place, flush=True)
time.sleep(seconds)
(folder / f"{gpu}.{place}").unlink()
"""


@pytest.fixture
def names() -> list[str]:
    """GPUs that nobody else leases."""
    return [f"{os.getpid()}-{time.monotonic_ns()}-{index}" for index in range(3)]


def holder(names: list[str], folder: Path, jobs: int = 1, seconds: float = 60) -> subprocess.Popen[str]:
    words = [",".join(names), str(jobs), str(folder), str(seconds)]
    return subprocess.Popen([sys.executable, "-c", HOLDER, *words], stdout=subprocess.PIPE, text=True)


def said(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    return process.stdout.readline().strip()


@pytest.mark.parametrize(("jobs", "each"), [(1, 1), (3, 1), (4, 2), (6, 2)])
def test_no_more_jobs_than_asked_for_share_a_gpu(names: list[str], tmp_path: Path, jobs: int, each: int) -> None:
    processes = [holder(names, tmp_path, jobs, seconds=0.1) for _ in range(9)]
    places = []
    for process in processes:
        lines = process.communicate(timeout=60)[0].split()
        assert process.returncode == 0
        places.append((lines[0], int(lines[1])))
    assert {place for _, place in places} <= set(range(each))  # a GPU had never more holders than this at once
    assert {name for name, _ in places} <= set(names)


def test_jobs_are_spread_before_any_two_share(names: list[str], tmp_path: Path) -> None:
    processes = [holder(names, tmp_path, jobs=6) for _ in range(6)]
    try:
        assert sorted(said(process) for process in processes) == sorted([*names, *names])
    finally:
        for process in processes:
            process.kill()
            process.wait()


@pytest.mark.parametrize("number", [signal.SIGKILL, signal.SIGTERM])
def test_a_job_that_is_killed_leaves_its_gpu(names: list[str], tmp_path: Path, number: int) -> None:
    first, second = holder(names[:1], tmp_path), None
    try:
        assert said(first) == names[0]
        second = holder(names[:1], tmp_path / "other")
        with pytest.raises(subprocess.TimeoutExpired):
            second.wait(timeout=0.7)  # it waits: nothing is printed, and nothing shared
        first.send_signal(number)
        assert said(second) == names[0]
    finally:
        for process in (first, second):
            if process is not None:
                process.kill()
                process.wait()


@pytest.fixture
def two_gpus(monkeypatch: pytest.MonkeyPatch, names: list[str]) -> list[str]:
    """A machine that shows two GPUs, and nothing held."""
    monkeypatch.setattr(gpus, "has_usable_gpu", lambda: True)
    monkeypatch.setattr(gpus, "_held", [])
    monkeypatch.delenv(gpus.JOBS_AT_ONCE, raising=False)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", ",".join(names[:2]))
    return names[:2]


def test_a_job_sees_the_gpu_that_it_took_and_no_other(
    two_gpus: list[str], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "whatmoves")
    lease = gpus.leased(two_gpus, 1)  # another's
    gpus.take_gpu("auto")
    assert os.environ["CUDA_VISIBLE_DEVICES"] == two_gpus[1]
    assert f"GPU {two_gpus[1]} of {', '.join(two_gpus)}" in caplog.text
    gpus.take_gpu("auto")  # the second training of a process takes no second GPU
    assert os.environ["CUDA_VISIBLE_DEVICES"] == two_gpus[1]
    lease[1].close()


@pytest.mark.parametrize("device", ["cpu", "mps"])
def test_who_uses_no_gpu_takes_none(two_gpus: list[str], device: str) -> None:
    gpus.take_gpu(device)
    assert os.environ["CUDA_VISIBLE_DEVICES"] == ",".join(two_gpus)


def test_one_gpu_is_shared_as_ever(two_gpus: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", two_gpus[0])
    _, lease = gpus.leased(two_gpus[:1], 1)  # were it leased, the next line would wait for ever
    gpus.take_gpu("auto")
    assert os.environ["CUDA_VISIBLE_DEVICES"] == two_gpus[0]
    lease.close()


def test_a_number_of_jobs_is_a_number(two_gpus: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    for text in ("0", "-1", "two", ""):
        monkeypatch.setenv(gpus.JOBS_AT_ONCE, text)
        with pytest.raises(ConfigError) as refused:
            gpus.take_gpu("cuda")
        assert str(refused.value) == f"WHATMOVES_GPU_JOBS is {text!r}; must be a number from 1 on, or unset it"


SEEN = {
    "": [],
    "-1": [],
    "0": ["0"],
    "3, 1": ["3", "1"],
    "2,-1,0": ["2"],
    "1,1": ["1"],
    "GPU-a,MIG-b": ["GPU-a", "MIG-b"],
}


@pytest.mark.parametrize(("text", "seen"), SEEN.items())
def test_visible_gpus_are_those_that_cuda_would_show(
    text: str, seen: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", text)
    assert machine.visible_gpus() == seen


STUDY = """
study: s
seeds: [0, 1]
training: {clips: 512, batch_size: 8, validation_clips: 8}
evaluation: {swap_pairs: 4}
data: {d: {kind: moving_digits, options: {image_px: 16, digit_px: 8, frames: 6, validation_clips: 8, test_clips: 8}}}
models: {m: {kind: baseline_vae, options: {channels: [4], features: 8, latent_dim: 4}}}
"""
# Python runs this first in each process: a machine with two GPUs.
TWO_GPUS = """
from whatmoves import machine
import os
machine.has_usable_gpu = lambda: os.environ.get("CUDA_VISIBLE_DEVICES", "all") != ""
"""


@pytest.mark.parametrize(("limit", "given"), [(2, ["0", "1"]), (0, [])])
def test_snakemake_with_several_gpus_gives_each_job_its_own_and_with_none_it_gives_none(
    tmp_path: Path, limit: int, given: list[str]
) -> None:
    (tmp_path / "study.yaml").write_text(STUDY, encoding="utf-8")
    (tmp_path / "site").mkdir()
    (tmp_path / "site/sitecustomize.py").write_text(TWO_GPUS, encoding="utf-8")
    visible = f"{os.getpid()}{limit}"  # indices that nobody else leases
    answer = run(
        "snakemake", *(f"results/s/train/d/m/seed-{seed}/checkpoint.pt" for seed in (0, 1)), "--cores", "2",
        "--resources", f"gpu={limit}", "--snakefile", str(ROOT / "Snakefile"), "--configfile", "study.yaml",
        folder=tmp_path, PYTHONPATH=str(tmp_path / "site"), CUDA_VISIBLE_DEVICES=f"{visible}0,{visible}1",
    )  # fmt: skip
    logs = [(tmp_path / f"logs/s/train/d/m/seed-{seed}.log").read_text(encoding="utf-8") for seed in (0, 1)]
    taken = [
        line.split()[-4] for log in logs for line in log.splitlines() if line.endswith(f"of {visible}0, {visible}1")
    ]
    assert sorted(taken) == [visible + name for name in given], (answer.stderr, logs)
