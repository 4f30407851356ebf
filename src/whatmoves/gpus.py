"""One GPU for each job where this machine has several: Snakemake counts them, and hands out none.

A lease is a name that one process at a time may have in the kernel (an abstract Unix socket, unlike a file of no
folder). It goes with the process, however that ends, so nothing is ever left to clear. Users and runs of one machine,
and Docker containers on its network, share the names. No job's code and no numerical library is imported here.
"""

import errno
import logging
import math
import os
import socket
import time
from collections.abc import Sequence

from whatmoves.errors import ConfigError
from whatmoves.machine import has_usable_gpu, visible_gpus

log = logging.getLogger(__name__)

JOBS_AT_ONCE = "WHATMOVES_GPU_JOBS"
"""How many jobs of this run may use GPUs at once, told by the Snakefile (`--resources gpu=N`); by default one a GPU."""

_held: list[socket.socket] = []  # until the process ends, as does the memory that it takes on the GPU


def take_gpu(device: str) -> None:
    """Take a GPU for this process, if `device` (`auto` or `cuda`) may use one, and show it no other from here on.

    Call it before PyTorch looks for GPUs. Waits while all are taken. Nothing is done on a machine that shows one GPU or
    none, such as in a job of SLURM that was given one. Raises `ConfigError` for a malformed `WHATMOVES_GPU_JOBS`.
    """
    if device not in ("auto", "cuda") or _held or not has_usable_gpu():
        return
    gpus = visible_gpus()
    if len(gpus) < 2:
        return
    gpu, lease = leased(gpus, jobs_at_once(len(gpus)))
    _held.append(lease)
    os.environ["CUDA_VISIBLE_DEVICES"] = gpu
    log.info("GPU %s of %s", gpu, ", ".join(gpus))


def jobs_at_once(default: int) -> int:
    """How many jobs may use GPUs at once."""
    text = os.environ.get(JOBS_AT_ONCE, str(default))
    if not text.isdecimal() or int(text) < 1:
        raise ConfigError(f"{JOBS_AT_ONCE} is {text!r}; must be a number from 1 on, or unset it")
    return int(text)


def leased(gpus: Sequence[str], jobs: int, every_s: float = 1.0) -> tuple[str, socket.socket]:
    """One of `gpus` and the lease on it, which ends with the socket; waits, looking `every_s` seconds, for a free one.

    Up to `len(gpus)` `jobs` at once never share a GPU. More of them do, and are spread evenly.
    """
    told = False
    while True:
        for place in range(max(1, math.ceil(jobs / len(gpus)))):  # everybody's first place before anybody's second
            for gpu in gpus:
                # In a job of SLURM, GPU 0 may be the first of those that it was given, and another in another job.
                lease = _claimed(f"whatmoves-gpu-{os.environ.get('SLURM_JOB_ID', '')}-{gpu}-{place}")
                if lease is not None:
                    return gpu, lease
        if not told:
            names = ", ".join(gpus)
            log.info("waiting for a GPU: %s are taken (CUDA_VISIBLE_DEVICES=%s would share one)", names, gpus[0])
            told = True
        time.sleep(every_s)


def _claimed(name: str) -> socket.socket | None:
    """The claim on a name; None while another process has it."""
    claim = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
    try:
        claim.bind(f"\0{name}")
    except OSError as error:
        claim.close()
        if error.errno != errno.EADDRINUSE:
            raise
        return None
    return claim
