"""The level of instructions is set before libraries are imported, or refused; and libraries say that they keep it."""

import json
import logging
import os
import platform
import sys
from pathlib import Path

import pytest
from tools import run

from whatmoves.arithmetic import level
from whatmoves.arithmetic.level import PORTABLE, in_force, not_portable, set_level
from whatmoves.arithmetic.report import counted

NATIVE = dict.fromkeys(PORTABLE, "")
V3 = "sse2 abm avx avx2 bmi1 bmi2 f16c fma movbe "
REPORT = (
    "import json, sys; from whatmoves.arithmetic.level import set_level; set_level(sys.argv[1]); "
    "import numpy, torch; from whatmoves.arithmetic.report import report; print(json.dumps(report()))"
)


@pytest.mark.skipif(not_portable() is not None, reason="portable arithmetic is not possible on this processor")
def test_every_library_reports_the_portable_level(tmp_path: Path) -> None:
    """Whatever the user's environment asks for."""
    other = {"ONEDNN_MAX_CPU_ISA": "SSE41", "OMP_NUM_THREADS": "2", "ATEN_CPU_CAPABILITY": "default"}
    answer = run(sys.executable, "-c", REPORT, "portable", folder=tmp_path, **other)
    found = json.loads(answer.stdout)
    assert found.pop("maker")
    assert found == {
        "asked": "portable", "aten": "AVX2", "mkl": "compatible", "numpy": "X86_V3", "onednn": "AVX2",
        "openblas_numpy": "Haswell, 1 threads", "products": "openblas",
    }  # fmt: skip
    assert answer.stderr == ""


def test_native_leaves_the_libraries_alone(tmp_path: Path) -> None:
    """Also below a process that computes portably, whose environment it inherits."""
    found = json.loads(run(sys.executable, "-c", REPORT, "native", folder=tmp_path, **PORTABLE).stdout)
    assert (found["asked"], found["products"], found["mkl"]) == ("native", "mkl", "off")


@pytest.mark.skipif(not_portable() is not None, reason="portable arithmetic is not possible on this processor")
@pytest.mark.parametrize("library", ["numpy", "torch"])
def test_a_library_that_was_first_is_refused_in_one_line(library: str, tmp_path: Path) -> None:
    code = f"import {library}; from whatmoves.arithmetic.level import set_level; set_level('portable')"
    answer = run(sys.executable, "-c", code, folder=tmp_path, expect=1, **NATIVE)
    assert answer.stderr.splitlines()[-1] == (
        "whatmoves.errors.ConfigError: numpy was imported at native level, but portable arithmetic is asked for; "
        "put `from whatmoves.arithmetic.level import set_level; set_level('portable')` above all other imports"
    )


@pytest.mark.parametrize(
    ("machine", "flags", "reason"),
    [
        ("aarch64", "", "the processor is aarch64, not x86-64"),
        ("x86_64", V3.replace("avx2 ", ""), "the processor shows no AVX2)"),
        ("x86_64", V3.replace("avx2 bmi1 bmi2 ", ""), "the processor shows no AVX2, BMI1, BMI2)"),
        # A virtual machine that hides one of them: NumPy alone would compute differently.
        ("x86_64", V3.replace("f16c ", ""), "the processor shows no F16C)"),
        ("x86_64", V3.replace("movbe ", ""), "the processor shows no MOVBE)"),
        ("x86_64", V3.replace("abm ", ""), "the processor shows no ABM)"),
    ],
)
def test_other_processors_are_told_and_nothing_is_set(
    machine: str, flags: str, reason: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Some libraries do as they are told, and die of instructions that the processor lacks."""
    monkeypatch.setattr(platform, "machine", lambda: machine)
    monkeypatch.setattr(level, "processor", lambda key: flags)
    for name in PORTABLE:
        monkeypatch.delenv(name, raising=False)
    with caplog.at_level(logging.WARNING):
        set_level("portable")
    assert reason in caplog.text
    assert in_force() == "native"
    assert not PORTABLE.keys() & os.environ.keys()


def test_reports_are_counted_by_library() -> None:
    reports = [{"asked": "native", "aten": "AVX2", "maker": "a"}, {"asked": "native", "aten": "AVX512"}, {}]
    assert counted(reports) == {"asked": {"native": 2}, "aten": {"AVX2": 1, "AVX512": 1}}
