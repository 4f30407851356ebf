"""Why a folder is locked, and what to do: another run is at work in it, or one was killed there and left its lock."""

import os
import shlex
from pathlib import Path

import psutil

TELLS = "Directory cannot be locked"  # of Snakemake's own words, whatever else they are


def advice(folder: Path) -> str:
    """One line for whoever cannot start in `folder`."""
    found = runs_in(folder)
    if found:
        process = found[0]
        command = shlex.join(["snakemake", *_arguments(process)])
        return (
            f"another run is at work in this folder: process {process.pid} ({command}); wait for it, or end it "
            f"(kill {process.pid}: it saves what it has), and give the same command again"
        )
    return (
        "a run in this folder was killed and left its lock, if none is at work here from another machine: "
        "snakemake --unlock, and give the same command again; nothing is lost"
    )


def runs_in(folder: Path) -> list[psutil.Process]:
    """Other Snakemakes of this machine whose working directory is `folder`, the one that started first in front."""
    me = psutil.Process()
    own = {me.pid, *(parent.pid for parent in me.parents())}
    found = []
    for process in psutil.process_iter():
        try:
            if process.pid not in own and _is_snakemake(process) and os.path.samefile(process.cwd(), folder):
                found.append(process)
        except (psutil.Error, OSError):  # it has ended, or is another user's
            continue
    return sorted(found, key=lambda process: process.create_time())


def _is_snakemake(process: psutil.Process) -> bool:
    """Whether it runs as `python …/snakemake …` or `python -m snakemake …`, not as a shell that starts one."""
    return any(Path(word).name == "snakemake" for word in process.cmdline()[:3])


def _arguments(process: psutil.Process) -> list[str]:
    words: list[str] = process.cmdline()
    place = next(index for index, word in enumerate(words) if Path(word).name == "snakemake")
    return words[place + 1 :]
