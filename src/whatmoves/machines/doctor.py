"""Can this machine do the work, and if not, what to do: what `whatmoves doctor` prints.

Each check is a function that looks at one thing and answers with a `Finding`. It raises nothing, and imports what it
needs itself, so that a broken installation is told like any other fault. Together they take some seconds, two of which
measure the processor.
"""

import contextlib
import os
import platform
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Literal, NamedTuple

Status = Literal["ok", "note", "fault"]

GIB = 2**30
PYTHON = (3, 11)
DISK_GIB = 2.0  # LaTeX 0.3, results of the default study 0.3, and room for temporary files
JOB_GIB = 1.2  # what the largest job of the default study takes: the evaluation of TinyDreams
LATEX_COMMANDS = ("latexmk", "pdflatex", "kpsewhich")
LATEX_FILES = (
    "booktabs.sty",
    "cleveref.sty",
    "microtype.sty",
    "natbib.sty",
    "adjustbox.sty",
    "enumitem.sty",
    "pplr8t.tfm",
)
SLURM_COMMANDS = ("sbatch", "squeue", "scancel")
WRITTEN = ("results", "paper", "logs", ".snakemake", ".cache")  # folders of a run, in the current one
PROBE = b"x" * 4096
NAMED = 5  # packages told by name


class Finding(NamedTuple):
    """What a check found. `fault`: needed and not there. `note`: missed by some, or with a consequence. `fix` says what
    to do; empty where there is nothing to do."""

    name: str
    status: Status
    found: str
    fix: str = ""

    def text(self) -> str:
        """In a line or two."""
        fix = f"\n{'':18}→ {self.fix}" if self.fix else ""
        return f"{self.status:<6}{self.name:<12}{self.found}{fix}"


def examine(folder: Path) -> list[Finding]:
    """All findings, of a machine on which a study would run in `folder`."""
    here: list[Callable[[], Finding]] = [
        python,
        packages,
        commands,
        latex,
        lambda: writing(folder),
        lambda: disk(folder),
        memory,
        gpu,
        slurm,
        git,
        arithmetic,
        speed,
    ]
    return [check() for check in here]


def python() -> Finding:
    """The version of Python."""
    found = f"Python {platform.python_version()}, {sys.executable}"
    if sys.version_info < PYTHON:
        return Finding("python", "fault", found, "install Python 3.11 or newer, then: make setup PYTHON=python3.11")
    return Finding("python", "ok", found)


def packages() -> Finding:
    """What is installed, beside the pins of requirements.txt."""
    fix = "pip install -r requirements.txt"
    try:
        from whatmoves.provenance.closure import source_folder
        from whatmoves.provenance.environment import installed, meets
        from whatmoves.provenance.jobs import pinned
    except ImportError as error:
        return Finding("packages", "fault", f"{error.name} is not installed", fix)
    pins = pinned(source_folder().parent)
    if not pins:
        return Finding("packages", "note", "no requirements.txt beside the package: versions are compared with nothing")
    found = installed(pins)
    wrong = [f"{name} is not installed" for name in pins if name not in found]
    wrong += [f"{name} is {v}, pinned {pins[name]}" for name, v in found.items() if not meets(v, pins[name])]
    if wrong:
        more = f" and {len(wrong) - NAMED} more" if len(wrong) > NAMED else ""
        return Finding("packages", "fault", ", ".join(wrong[:NAMED]) + more, fix)
    return Finding("packages", "ok", f"all {len(pins)} as pinned")


def commands() -> Finding:
    """What the rules call by name."""
    missing = [name for name in ("whatmoves", "snakemake") if shutil.which(name) is None]
    if missing:
        fix = f"activate the environment: . {Path(sys.executable).parent / 'activate'}"
        return Finding("commands", "fault", f"not on PATH: {', '.join(missing)}", fix)
    return Finding("commands", "ok", f"snakemake is {shutil.which('snakemake')}")


def latex() -> Finding:
    """Commands and files that the paper is set with, and the font that some letters need."""
    fix = "make latex (installs TeX Live's packages from Debian or Ubuntu), or install them: workflow/install/latex.sh"
    missing = [name for name in LATEX_COMMANDS if shutil.which(name) is None]
    if missing:
        return Finding("latex", "fault", f"not on PATH: {', '.join(missing)}; no paper without", fix)
    answer = _said("kpsewhich", *LATEX_FILES)
    present = {Path(line).name for line in answer.splitlines()}
    missing = [name for name in LATEX_FILES if name not in present]
    if missing:
        return Finding("latex", "fault", f"LaTeX lacks {', '.join(missing)}; no paper without", fix)
    return Finding("latex", "ok", f"latexmk is {shutil.which('latexmk')}, and no file is missing")


def writing(folder: Path) -> Finding:
    """Whether files can be written where a run writes them: tried."""
    places = [folder, *(folder / name for name in WRITTEN), _temporary()]
    for place in filter(Path.is_dir, places):
        try:
            with tempfile.NamedTemporaryFile(prefix=".whatmoves-doctor-", dir=place) as probe:
                probe.write(PROBE)
                probe.flush()
        except OSError as error:
            fix = "mend its permissions, free some space, or run in another folder (snakemake --directory FOLDER)"
            return Finding("writing", "fault", f"{place}: {error.strerror}", fix)
    for place in places:
        if place.exists() and not place.is_dir():
            return Finding("writing", "fault", f"{place} is no folder", "move or remove it")
    if not _temporary().exists():
        return Finding("writing", "fault", f"{_temporary()} is not there", "make it, or set TMPDIR to another folder")
    return Finding("writing", "ok", f"{folder.absolute()} and {_temporary()}")


def disk(folder: Path) -> Finding:
    """Free space where results and temporary files go."""
    free = {place: shutil.disk_usage(place).free / GIB for place in (folder, _temporary()) if place.exists()}
    least = min(free, key=lambda place: free[place])
    found = f"{free[least]:.1f} GiB free at {least.absolute()}"
    if free[least] < DISK_GIB:
        fix = f"the default study wants {DISK_GIB:.0f} GiB: free some, or run elsewhere (snakemake --directory; TMPDIR)"
        return Finding("disk", "fault", found, fix)
    return Finding("disk", "ok", found)


def memory() -> Finding:
    """Available memory, beside what jobs on all cores take."""
    available, cores = _available_gib(), _cores()
    if available is None:
        return Finding("memory", "note", "not known: there is no /proc/meminfo here")
    found = f"{available:.1f} GiB available, for {cores} cores"
    if available < JOB_GIB:
        return Finding("memory", "fault", found, f"a job of the default study takes {JOB_GIB:g} GiB: close something")
    if available < JOB_GIB * cores:
        return Finding("memory", "note", found, f"run fewer jobs at once: snakemake --cores {int(available / JOB_GIB)}")
    return Finding("memory", "ok", found)


def gpu() -> Finding:
    """A GPU that PyTorch can use; one that it cannot is the fault."""
    try:
        import torch
    except ImportError:
        return Finding("gpu", "note", "not known: torch is not installed", "pip install -r requirements.txt")
    if torch.cuda.is_available():
        names = [torch.cuda.get_device_properties(index) for index in range(torch.cuda.device_count())]
        return Finding("gpu", "ok", ", ".join(f"{card.name}, {card.total_memory / GIB:.0f} GiB" for card in names))
    if any(Path("/dev").glob("nvidia[0-9]*")):
        fix = "install PyTorch's build for its driver (https://pytorch.org); CUDA_VISIBLE_DEVICES must not hide it"
        return Finding("gpu", "note", f"there is one, but torch {torch.__version__} sees none", fix)
    return Finding(
        "gpu", "note", "none: fine for the default study; config/full.yaml takes days without (docs/cluster.md)"
    )


def slurm() -> Finding:
    """The commands that send jobs to a cluster."""
    missing = [name for name in SLURM_COMMANDS if shutil.which(name) is None]
    if missing:
        return Finding("slurm", "note", "none: needed only for profiles/slurm (docs/cluster.md)")
    said = _said("sinfo", "--noheader", "--format=%P %a")
    if not said:
        return Finding(
            "slurm", "note", "sbatch is here, but sinfo names no partition", "ask the cluster's administrator"
        )
    return Finding("slurm", "ok", f"partitions: {', '.join(said.split()[::2])}")


def git() -> Finding:
    """Git: receipts name the commit, and `verify` reads when hypotheses were declared."""
    if shutil.which("git") is None:
        return Finding("git", "note", "none: receipts name no commit", "install git")
    return Finding("git", "ok", _said("git", "--version").strip())


def arithmetic() -> Finding:
    """Whether numbers come out the same here as elsewhere."""
    from whatmoves.arithmetic.level import not_portable

    if reason := not_portable():
        return Finding("arithmetic", "note", f"not portable ({reason}): last digits differ from other machines")
    return Finding("arithmetic", "ok", "portable: the same bytes as on every x86-64 processor with AVX2")


def speed() -> Finding:
    """One core, measured, beside the machine of the measured run, and what the default study takes so."""
    try:
        import torch

        from whatmoves.machines.cost import MEASURED
        from whatmoves.machines.job_times import read_job_times
        from whatmoves.provenance.closure import source_folder
        from whatmoves.training.estimate import operations_per_cpu_s
    except ImportError as error:
        return Finding(
            "speed", "note", f"not measured: {error.name} is not installed", "pip install -r requirements.txt"
        )
    path = source_folder().parent / MEASURED
    if not path.is_file():
        return Finding("speed", "note", f"not measured: no {MEASURED} beside the package to compare with")
    torch.set_num_threads(1)
    times, own = read_job_times(path), operations_per_cpu_s()
    pace = own / times.operations_per_cpu_s
    minutes = sum(seconds for of_rule in times.seconds.values() for seconds in of_rule.values()) / 60 / pace
    takes = f"the default study takes about {minutes:.0f} CPU-minutes, and there are {_cores()} cores"
    return Finding(
        "speed",
        "ok",
        f"{own / 1e9:.0f} GFLOP/s on a core, {pace:.1f} times what was measured with ({times.machine}): {takes}",
    )


def as_json(findings: list[Finding]) -> dict[str, Any]:
    """`able`: nothing needed is missing; and the findings."""
    return {"able": not any(f.status == "fault" for f in findings), "findings": [f._asdict() for f in findings]}


def _temporary() -> Path:
    """Where temporary files go; `tempfile` would raise an error where none can be written."""
    return Path(os.environ.get("TMPDIR", "/tmp"))


def _available_gib() -> float | None:
    """Memory that is to be had, in this container if it has a limit of its own; None where the kernel does not say."""
    try:
        lines = Path("/proc/meminfo").read_text(encoding="utf-8").splitlines()
        free = next(int(line.split()[1]) * 1024 for line in lines if line.startswith("MemAvailable"))
    except (OSError, StopIteration):
        return None
    group = Path("/sys/fs/cgroup")
    with contextlib.suppress(OSError, ValueError):  # `max` is no number
        limit, taken = (int((group / f"memory.{name}").read_text(encoding="utf-8")) for name in ("max", "current"))
        free = min(free, limit - taken)
    return free / GIB


def _cores() -> int:
    """Cores that this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def _said(*command: str) -> str:
    """What a command prints; nothing where it fails or takes too long."""
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=2, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""
