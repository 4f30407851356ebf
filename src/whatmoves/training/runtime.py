"""The machine a training runs on: device, threads, memory allocator, signals, and how long it will take."""

import contextlib
import ctypes
import fcntl
import gc
import logging
import os
import platform
import resource
import shutil
import signal
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import TextIO

import torch

from whatmoves.arithmetic import kernels
from whatmoves.arithmetic.level import set_level
from whatmoves.errors import ConfigError, TrainingError
from whatmoves.settings import Level

log = logging.getLogger(__name__)

SLOW_S = 3600.0
"""A CPU run estimated to take longer than this is worth a warning."""

COLLECTED_AFTER = (700, 10, 10)  # objects of each generation: Python's own numbers
_M_TRIM_THRESHOLD, _M_MMAP_THRESHOLD = -1, -3  # parameter numbers of mallopt(3)


class Interrupted(SystemExit):
    """Ctrl-C or SIGTERM arrived and the run was left resumable; ends the process with 130 or 143 and no traceback."""


class StopSignal:
    """Remembers the first SIGINT or SIGTERM, so that the loop can stop at a step boundary."""

    number = 0

    def raise_if_set(self) -> None:
        """Raise `Interrupted` when a signal has arrived."""
        if self.number:
            raise Interrupted(128 + self.number)


@contextlib.contextmanager
def stop_signals() -> Iterator[StopSignal]:
    """Catch Ctrl-C and SIGTERM while the block runs. A second Ctrl-C has its ordinary effect.

    Further SIGTERMs have none: a cluster's scheduler sends several at once, and SIGKILL when its patience is at an end.
    """
    stop = StopSignal()
    if threading.current_thread() is not threading.main_thread():
        yield stop  # Python delivers signals to the main thread only
        return

    def remember(number: int, frame: FrameType | None) -> None:
        stop.number = number
        if number == signal.SIGINT:
            signal.signal(number, before[number])

    before = {int(number): signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    for number in before:
        signal.signal(number, remember)
    try:
        yield stop
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def choose_device(name: str) -> torch.device:
    """The device for `auto`, `cpu`, `cuda` or `mps`; raises `ConfigError` for one that is unknown or not here.

    `auto` is a GPU that knows float64, which measures are computed in: never `mps`. Every stage that may run on a GPU
    asks here, so here float32 becomes whole on it (`use_whole_float32`).
    """
    available = {"cuda": torch.cuda.is_available(), "mps": torch.backends.mps.is_available(), "cpu": True}
    if name == "auto":
        name = "cuda" if available["cuda"] else "cpu"
    if name not in available:
        raise ConfigError(f"--device is {name!r}; must be auto, cpu, cuda or mps")
    if not available[name]:
        raise ConfigError(f"--device is {name!r}, but PyTorch sees no such device here; use --device auto or cpu")
    if name == "cuda":
        use_whole_float32()
    return torch.device(name)


def use_whole_float32() -> None:
    """No TF32: products and convolutions of float32 on an NVIDIA GPU keep all 24 bits of a number, not 11.

    PyTorch's own default is TF32 in convolutions and LSTMs, and none in products. Here fp32 means fp32, and what is
    kept in it under autocast, such as the places of objects, is exact. Who wants speed asks for `precision: bf16`.
    """
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False


def prepare(device: torch.device, threads: int, arithmetic: Level) -> None:
    """Set allocator, threads and determinism; call before the first tensor is made.

    Raises `ConfigError` where numerical libraries were imported at another level than `arithmetic`.

    The number of threads changes the order of sums and so the last bits: it is fixed, and part of a run's identity.
    """
    set_level(arithmetic)
    kernels.install()  # for a PyTorch that was told not to load what extends it
    tune_malloc()
    torch.set_num_threads(threads)
    # Determinism on a GPU is slow and not complete. `use_deterministic_algorithms` takes a second to import a compiler.
    torch.set_deterministic_debug_mode("warn" if device.type == "cpu" else "default")
    # Filling new memory only serves to make bugs visible, and is not free.
    torch.utils.deterministic.fill_uninitialized_memory = False  # type: ignore[attr-defined]


def autocast(device: torch.device, precision: str) -> torch.autocast:
    """The context in which forward and loss run at `fp32`, `bf16` or `fp16`."""
    dtype = torch.float16 if precision == "fp16" else torch.bfloat16
    return torch.autocast(device.type, dtype=dtype, enabled=precision != "fp32")


def tune_malloc() -> bool:
    """Let glibc keep freed memory instead of returning it to the kernel and faulting it in again at every step.

    Python's own collector, which the command line holds back while modules load, works from here on, and passes over
    what they are. True when both thresholds were accepted; False on systems without glibc, where they are not changed.
    """
    gc.freeze()
    gc.set_threshold(*COLLECTED_AFTER)
    if not sys.platform.startswith("linux") or platform.libc_ver()[0] != "glibc":
        return False
    mallopt = ctypes.CDLL(None).mallopt
    # Some versions refuse a mmap threshold above half their largest heap (32 MiB).
    mmap = mallopt(_M_MMAP_THRESHOLD, 1 << 30) or mallopt(_M_MMAP_THRESHOLD, 1 << 25)
    return bool(mmap and mallopt(_M_TRIM_THRESHOLD, (1 << 31) - 1))


def describe_device(device: torch.device) -> str:
    """The device in words, as it stands in logs and `timings.json`."""
    if device.type == "cuda":
        properties = torch.cuda.get_device_properties(device)
        return f"cuda: {properties.name}, {properties.total_memory / 2**30:.0f} GiB"
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return f"{device.type}: {line.partition(':')[2].strip()}"
    return f"{device.type}: {platform.processor() or platform.machine()}"


def peak_memory_mib(device: torch.device) -> float:
    """The largest memory use of this process so far: on the GPU if it runs on one, else resident in main memory."""
    if device.type == "cuda":
        return torch.cuda.max_memory_allocated(device) / 2**20
    unit = 1 if sys.platform == "darwin" else 1024  # macOS counts bytes, Linux KiB
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * unit / 2**20


def warn_if_slow(device: torch.device, remaining_s: float) -> None:
    """Say it when a run on a CPU is going to take hours."""
    if device.type == "cpu" and remaining_s > SLOW_S:
        hours = f"about {remaining_s / 3600:,.1f} hours"
        log.warning("this run will take %s on this CPU; a GPU (--device cuda) or a smaller study is faster", hours)


def require_writable(folder: Path) -> None:
    """Make `folder`; raises `TrainingError` before any work is done when nothing can be written there."""
    probe = folder / f".writable-{os.getpid()}"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise TrainingError(f"{folder}: cannot write there ({error.strerror}); choose another results folder") from None


@contextlib.contextmanager
def locked(folder: Path) -> Iterator[None]:
    """Hold `folder` for this process while the block runs, and remove the folder when the block succeeds.

    The kernel drops the lock with the process, however that ends. Raises `TrainingError` when another process, such as
    a training that outlived its killed conductor, holds it.
    """
    with _held(folder) as stream:
        stream.truncate(0)
        stream.write(str(os.getpid()))
        stream.flush()
        yield
        shutil.rmtree(folder)


@contextlib.contextmanager
def _held(folder: Path) -> Iterator[TextIO]:
    """The locked lock file that stands in `folder` now: whoever held it before may have removed it with the folder
    after it was opened here, and a lock on a file that is gone keeps nobody out."""
    while True:
        require_writable(folder)
        with (folder / "lock").open("a+", encoding="utf-8") as stream:
            try:
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                stream.seek(0)
                holder = stream.read().strip() or "unknown"
                raise TrainingError(
                    f"{folder}: process {holder} is training this run already; wait for it or end it (kill {holder})"
                ) from None
            except OSError as error:  # some network file systems have no locks
                log.warning("%s: cannot be locked (%s); see to it that no run is started twice", folder, error.strerror)
            here = False
            with contextlib.suppress(FileNotFoundError):
                here = os.path.samestat(os.fstat(stream.fileno()), (folder / "lock").stat())
            if here:
                yield stream
                return
