"""No level of instructions damages memory or finds other numbers: every model of every size, step and abilities.

Each combination is a process of its own, with an allocator that checks what it is given back. On PyTorch 2.13 and 2.14
residual blocks died here before their shortcuts were rewritten (see whatmoves.models.pointwise).
"""

import json
import signal
import sys
from pathlib import Path

import pytest
from tools import ROOT, run

from whatmoves.arithmetic.level import PORTABLE, not_portable

STEPS = str(ROOT / "tests" / "arithmetic" / "steps.py")
CHECKED = {"LD_PRELOAD": "libc_malloc_debug.so.0", "MALLOC_CHECK_": "3"}
NATIVE = dict.fromkeys(PORTABLE, "")  # what the tests themselves were started with
LEVELS = ("SSE41", "AVX", "AVX2", "")  # of oneDNN, up to all that this processor has
RELATIVE = 2e-3  # one step of fp32 arithmetic, added in another order


def steps(study: str, folder: Path, level: str, threads: int, **environment: str) -> dict[str, list[float]]:
    """What every part of the study's models answers; a death by a signal is told with the part it came at."""
    command = [sys.executable, STEPS, str(ROOT / "config" / f"{study}.yaml"), level, str(threads)]
    command += ["--only-steps"] if study == "full" else []
    answer = run(*command, folder=folder, expect=None, **{**NATIVE, **CHECKED, **environment})
    if answer.returncode:
        died = signal.Signals(-answer.returncode).name if answer.returncode < 0 else f"exit code {answer.returncode}"
        last = "\n".join(answer.stderr.splitlines()[-3:])
        pytest.fail(f"{study}, {level}, {environment}, {threads} threads: {died} at: {last}")
    found: dict[str, list[float]] = json.loads(answer.stdout)
    return found


_PORTABLE: dict[str, dict[str, list[float]]] = {}


def portable(study: str, folder: Path) -> dict[str, list[float]]:
    """The portable answers, asked for once."""
    if study not in _PORTABLE:
        _PORTABLE[study] = steps(study, folder, "portable", 1)
    return _PORTABLE[study]


@pytest.mark.slow
@pytest.mark.parametrize(
    ("study", "isa", "threads"),
    [(study, isa, threads) for study in ("tiny", "config") for isa in LEVELS for threads in (1, 2)]
    + [("full", "AVX2", 1), ("full", "", 1)],
)
def test_every_model_at_every_level(study: str, isa: str, threads: int, tmp_path: Path) -> None:
    aten = {"SSE41": "default", "AVX": "default", "AVX2": "avx2"}.get(isa, "")
    found = steps(study, tmp_path, "native", threads, ONEDNN_MAX_CPU_ISA=isa, ATEN_CPU_CAPABILITY=aten)
    expected = portable(study, tmp_path)
    close = {name: pytest.approx(numbers, RELATIVE) for name, numbers in expected.items()}
    assert {name: (found[name], expected[name]) for name in found if found[name] != close[name]} == {}
    assert found.keys() == expected.keys()


@pytest.mark.slow
@pytest.mark.skipif(not_portable() is not None, reason="portable arithmetic is not possible on this processor")
def test_portable_is_the_same_to_the_last_bit(tmp_path: Path) -> None:
    """Whatever the environment asks for: the kept sums were made on another machine."""
    kept = json.loads(Path(STEPS).with_name("steps.json").read_text(encoding="utf-8"))
    for asked in ("SSE41", "AVX2", ""):
        assert steps("tiny", tmp_path, "portable", 1, ONEDNN_MAX_CPU_ISA=asked, OMP_NUM_THREADS="2") == kept
