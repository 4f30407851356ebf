"""What the numerical libraries of a process say of the level they compute at; imports none of them."""

import ctypes
import os
import platform
import sys
from collections import Counter
from collections.abc import Collection, Mapping
from pathlib import Path

from whatmoves.arithmetic.level import in_force, processor

MKL_BRANCHES = {1: "off", 2: "auto", 3: "compatible", 10: "AVX2", 12: "AVX-512"}  # mkl_cbwr_get, of mkl_cbwr.h
KERNELS = "whatmoves.arithmetic.kernels"


def report() -> dict[str, str]:
    """What the libraries that this process has loaded say of themselves, with the processor's maker and BLAS threads.

    A library that is not loaded is left out: a receipt says what a job computed with.
    """
    found = {"asked": in_force(), "maker": processor("vendor_id") or platform.machine()}
    if "numpy" in sys.modules:
        found["numpy"] = _numpy()
        found |= _openblas()
    if "torch" in sys.modules:
        found |= _torch()
    return found


def counted(reports: Collection[Mapping[str, str]]) -> dict[str, dict[str, int]]:
    """Library → level → how many of the reports say so; makers are left out, which decide only natively."""
    names = sorted({name for report in reports for name in report} - {"maker"})
    return {name: dict(sorted(Counter(r[name] for r in reports if name in r).items())) for name in names}


def _numpy() -> str:
    """The widest group of instructions that NumPy dispatches to."""
    import numpy as np

    found: list[str] = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
    return found[-1] if found else "baseline"


def _openblas() -> dict[str, str]:
    """Kernel and threads of every OpenBLAS here: NumPy's and SciPy's are two."""
    from threadpoolctl import threadpool_info

    found = {}
    for library in threadpool_info():
        if library["internal_api"] == "openblas":
            owner = "scipy" if "scipy.libs" in library["filepath"] else "numpy"
            found[f"openblas_{owner}"] = f"{library['architecture']}, {library['num_threads']} threads"
    return found


def _torch() -> dict[str, str]:
    """Level of ATen's own kernels, the branch of MKL, the most oneDNN may use, and who multiplies matrices."""
    import torch

    found = {
        "aten": torch.backends.cpu.get_cpu_capability(),
        "onednn": os.environ.get("ONEDNN_MAX_CPU_ISA", "as the processor has"),
        "products": "openblas" if KERNELS in sys.modules and sys.modules[KERNELS].installed() else "mkl",
    }
    library = Path(torch.__file__).parent / "lib" / "libtorch_cpu.so"
    if library.exists() and hasattr(mkl := ctypes.CDLL(str(library)), "mkl_serv_cbwr_get"):
        branch = mkl.mkl_serv_cbwr_get(-1)
        found["mkl"] = MKL_BRANCHES.get(branch, f"branch {branch}")
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        found["gpu"] = torch.cuda.get_device_name()
    return found
