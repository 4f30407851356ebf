"""Function by function, the same bits on every processor: this one, and an AMD and an Intel one that are emulated."""

import json
import os
import shutil
import sys
from pathlib import Path
from typing import Any

import pytest
from tools import ROOT, run

from whatmoves.arithmetic.level import not_portable
from whatmoves.loading import load_study

STEPS = ROOT / "tests" / "arithmetic" / "steps.py"
WITH_LSTM = {"lstm_vae", "disentangled_vae", "what_where_vae", "cvae"}
PROBE = ROOT / "tests" / "arithmetic" / "probe.py"
DIGESTS = json.loads(PROBE.with_name("digests.json").read_text(encoding="utf-8"))
EMULATOR = "qemu-x86_64"

pytestmark = pytest.mark.skipif(not_portable() is not None, reason="portable arithmetic is not possible here")


def differing(found: dict[str, str]) -> list[str]:
    return [name for name, digest in found.items() if digest != DIGESTS[name]]


def test_this_processor(tmp_path: Path) -> None:
    """With other levels and threads in the environment, too: the product sets its own."""
    answer = run(sys.executable, str(PROBE), folder=tmp_path, ONEDNN_MAX_CPU_ISA="SSE41", OMP_NUM_THREADS="2")
    found = json.loads(answer.stdout)
    assert found.keys() == DIGESTS.keys()
    assert differing(found) == []


def emulated(processor: str, *command: str, folder: Path) -> dict[str, Any]:
    """What a Python command prints as JSON on another processor."""
    if shutil.which(EMULATOR) is None:
        pytest.skip(f"no {EMULATOR} here; apt-get install qemu-user")
    python = os.path.realpath(sys.executable)  # the emulator does not follow links
    path = os.pathsep.join(filter(None, sys.path))
    answer = run(EMULATOR, "-cpu", processor, python, *command, folder=folder, PYTHONPATH=path)
    found: dict[str, Any] = json.loads(answer.stdout)
    return found


@pytest.mark.slow
def test_an_emulated_processor(tmp_path: Path) -> None:
    """AMD's, without AVX-512. Intel's Haswell (`-cpu Haswell-noTSX`) takes as long again and gave the same by hand."""
    found = emulated("EPYC-Milan", str(PROBE), "--emulated", folder=tmp_path)
    assert len(found) > 55
    assert differing(found) == []


@pytest.mark.slow
def test_steps_of_whole_models_on_an_emulated_processor(tmp_path: Path) -> None:
    """The emulator computes oneDNN's LSTM wrongly (QEMU 7.2), so models with one are left out; real AMD and Intel
    processors agree on it (docs/reproducibility.md)."""
    kept = json.loads(STEPS.with_name("steps.json").read_text(encoding="utf-8"))
    study = str(ROOT / "config" / "tiny.yaml")
    found = emulated("EPYC-Milan", str(STEPS), study, "portable", "1", folder=tmp_path)
    models = load_study(ROOT / "config" / "tiny.yaml").models
    compared = [part for part in kept if models[part.split(" on ")[0]].kind not in WITH_LSTM]
    assert len(compared) > 30
    assert [part for part in compared if found[part] != kept[part]] == []
