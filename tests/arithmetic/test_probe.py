"""Function by function, the same bits on every processor: this one, and an AMD and an Intel one that are emulated."""

import json
import os
import shutil
import sys
from pathlib import Path

import pytest
from tools import ROOT, run

from whatmoves.arithmetic.level import not_portable

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


@pytest.mark.slow
@pytest.mark.parametrize("processor", ["EPYC-Milan", "Haswell-noTSX"])
def test_an_emulated_processor(processor: str, tmp_path: Path) -> None:
    """Neither has AVX-512; one is AMD's, one Intel's."""
    if shutil.which(EMULATOR) is None:
        pytest.skip(f"no {EMULATOR} here; apt-get install qemu-user")
    command = [EMULATOR, "-cpu", processor, os.path.realpath(sys.executable), str(PROBE), "--emulated"]
    found = json.loads(run(*command, folder=tmp_path, PYTHONPATH=os.pathsep.join(sys.path)).stdout)
    assert len(found) > 55
    assert differing(found) == []
