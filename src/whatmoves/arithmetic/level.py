"""At which level of instructions the numerical libraries compute: set before they are imported, and told afterwards.

Every library picks its code by the processor it finds, and rounds differently on each. `portable` pins all of them to
what every x86-64 processor with AVX2 has, of whatever maker; `native` leaves the choice to them. Which switch governs
which functions, and how that was seen: docs/reproducibility.md. Imports no numerical library itself.
"""

import logging
import os
import platform
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from whatmoves.errors import ConfigError

if TYPE_CHECKING:
    from whatmoves.settings import Level

log = logging.getLogger(__name__)

PORTABLE = {
    "ONEDNN_MAX_CPU_ISA": "AVX2",  # convolutions, LSTM, GELU
    "ATEN_CPU_CAPABILITY": "avx2",  # softmax, sums, norms, Adam
    "MKL_CBWR": "COMPATIBLE",  # exp, log, Fourier, eigenvalues: the one branch that is the same on Intel and AMD
    "OPENBLAS_CORETYPE": "Haswell",  # products and decompositions of NumPy and SciPy, and through kernels.py of torch
    "NPY_DISABLE_CPU_FEATURES": "X86_V4 AVX512_ICL AVX512_SPR",  # exp, log, power, the order of ties in argsort
    # Two threads add in another order than one. Trainings have a number of threads of their own (training.threads).
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
}
LIBRARIES = ("numpy", "torch")  # everything else that computes imports one of them first
# Features that the portable level asks for: x86-64-v3, in the kernel's names. Without any one of them NumPy leaves its
# whole group X86_V3 for another rounding, while the other libraries go on; a virtual machine may hide single ones.
NEEDED = frozenset({"avx", "avx2", "bmi1", "bmi2", "f16c", "fma", "movbe", "abm"})


def set_level(level: "Level") -> None:
    """Set the level of every library in this process and its children.

    Raises `ConfigError` when a library was imported before, at another level. Where the processor cannot compute at
    the portable level nothing is set, and a line says so.
    """
    if level == "portable" and (reason := not_portable()):
        log.warning(
            "portable arithmetic is not possible here (%s): last digits will differ from other machines", reason
        )
        return
    if in_force() == level:
        return
    if early := [name for name in LIBRARIES if name in sys.modules]:
        raise ConfigError(
            f"{early[0]} was imported at {in_force()} level, but {level} arithmetic is asked for; put `from "
            f"whatmoves.arithmetic.level import set_level; set_level({level!r})` above all other imports"
        )
    if level == "portable":
        os.environ.update(PORTABLE)
    else:
        for name in PORTABLE:
            os.environ.pop(name)


def in_force() -> "Level":
    """The level that this process's environment asks for."""
    return "portable" if all(os.environ.get(name) == value for name, value in PORTABLE.items()) else "native"


def not_portable() -> str | None:
    """Why this machine cannot compute at the portable level; None where it can."""
    if platform.machine() not in ("x86_64", "AMD64"):
        return f"the processor is {platform.machine()}, not x86-64"
    missing = NEEDED - set(processor("flags").split())
    return f"the processor shows no {', '.join(sorted(missing)).upper()}" if missing else None


def processor(key: str) -> str:
    """A line of the first processor's description; empty where there is none."""
    try:
        lines = Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines()
    except OSError:
        return ""
    return next((line.partition(":")[2].strip() for line in lines if line.split(":")[0].strip() == key), "")
