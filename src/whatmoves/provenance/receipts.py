"""Receipts: each job writes down what it was made of, and refuses to finish if that moved while it ran.

`receipt.json` stands beside the outputs it covers and has two parts. `core` says what the result is: code, settings,
environment, inputs and outputs; it is equal for equal results, and is what other receipts and byte comparisons refer
to. `run` says how it came about: when, where, on what, from which commit; it differs from run to run.

Paths are relative to results/<study>, or absolute for files outside the project.
"""

import contextlib
import logging
import os
import platform
import resource
import shlex
import shutil
import sys
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime
from hashlib import sha256 as sha256_of
from pathlib import Path
from typing import Any

from whatmoves.arithmetic.report import report as arithmetic
from whatmoves.errors import DataError, ProofError
from whatmoves.files import read_json, sha256, write_json
from whatmoves.provenance.closure import Tree, source_folder
from whatmoves.provenance.environment import installed, unlike_pinned
from whatmoves.provenance.git import git
from whatmoves.provenance.jobs import SYNTAX, Fingerprint, canonical, read_fingerprint
from whatmoves.study import Study

log = logging.getLogger(__name__)

FORMAT = 1
RUN_TO_RUN = frozenset({"timings.json"})  # files whose bytes differ from run to run: never part of a core


@contextlib.contextmanager
def recording(
    kind: str,
    study: Study,
    wildcards: Mapping[str, str | int],
    *,
    inputs: Sequence[Path],
    outputs: Sequence[Path],
    receipt: Path,
    root: Path,
    expect: str | None = None,
    command: str | None = None,
    source: Path | None = None,
) -> Iterator[dict[str, Any]]:
    """Keep the receipt of what the block makes; the block is given the checksums of the inputs, by path.

    `root` is results/<study>; `expect` is the fingerprint under which the job was planned; `source` holds the package
    (default: the running one). Raises `ProofError` before the block if the fingerprint is not the expected one, and
    after it if code, settings or inputs moved meanwhile: the outputs are then removed. Raises `DataError` for an input
    that is missing. A block that fails leaves no receipt.
    """
    source = source or source_folder()
    started = datetime.now(UTC)
    kept = SYNTAX if expect is not None else None  # a job of a run
    before = read_fingerprint(study, kind, wildcards, source, Tree(source, kept))
    if expect is not None and before.digest != expect:
        changed = _moved_parts(expect, before, source)
        raise ProofError(f"{receipt.parent}: {changed} changed while the job waited; run snakemake again")
    for line in unlike_pinned(before.environment):
        log.warning("%s", line)
    receipt.unlink(missing_ok=True)  # an old receipt must never cover a new file
    taken = {path: (_stamp(path), checksum(path)) for path in inputs}
    yield {key_of(path, root): found for path, (_, found) in taken.items()}
    after = read_fingerprint(study, kind, wildcards, source, Tree(source, kept))
    moved = [*_moved(before, after), *_moved_inputs(taken)]
    if moved:
        for path in outputs:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        raise ProofError(
            f"{receipt.parent}: {', '.join(moved)} changed while the job ran, so its result is removed; "
            f"run the same command again"
        )
    missing = [str(path) for path in outputs if not path.exists()]
    assert not missing, f"{kind} promised {missing} and did not write them"
    made = {path: checksum(path) for path in outputs}
    write_json(
        receipt,
        {
            "core": {
                "format": FORMAT,
                "kind": kind,
                "wildcards": before.wildcards,
                "code": before.code,
                "settings": before.settings,
                "environment": before.environment,
                "inputs": {key_of(p, root): c for p, (_, c) in taken.items() if p.name not in RUN_TO_RUN},
                "outputs": {key_of(p, root): c for p, c in made.items() if p.name not in RUN_TO_RUN},
            },
            "run": {
                "inputs": {key_of(p, root): c for p, (_, c) in taken.items() if p.name in RUN_TO_RUN},
                "outputs": {key_of(p, root): c for p, c in made.items() if p.name in RUN_TO_RUN},
                "command": command or shlex.join([Path(sys.argv[0]).name, *sys.argv[1:]]),
                "git": git_state(source.parent),
                "versions": {"python": platform.python_version(), **installed(before.environment)},
                "device": _device(),
                "arithmetic": arithmetic(),
                "host": platform.node(),
                "started": started.isoformat(timespec="seconds"),
                "ended": datetime.now(UTC).isoformat(timespec="seconds"),
                "peak_memory_bytes": _peak_memory_bytes(),
            },
        },
    )


def read_receipt(path: Path) -> dict[str, Any]:
    """A receipt as written by `recording`; raises `ProofError` when it is missing or is not one."""
    try:
        receipt = read_json(path)
        core, run = receipt["core"], receipt["run"]
        maps = ("wildcards", "code", "settings", "environment", "inputs", "outputs")
        if core["format"] == FORMAT and isinstance(run, dict) and all(isinstance(core[name], dict) for name in maps):
            found: dict[str, Any] = receipt
            return found
    except DataError as error:
        raise ProofError(str(error)) from None
    except (KeyError, TypeError):
        pass
    raise ProofError(f"{path}: not a receipt of this version (format {FORMAT}); delete it and run the job again")


def receipt_core(path: Path) -> str:
    """The part of a receipt that is equal for equal results, as canonical JSON."""
    return canonical(read_receipt(path)["core"])


def checksum(path: Path) -> dict[str, Any]:
    """What identifies a file: checksum and size; of a receipt only its core, of a folder the names and checksums of
    the files below. Raises `DataError` if it is missing."""
    if is_receipt(path):
        return {"core": sha256_of(receipt_core(path).encode()).hexdigest()}
    if path.is_dir():
        below = {p.relative_to(path).as_posix(): sha256(p) for p in path.rglob("*") if p.is_file()}
        return {"tree": sha256_of(canonical(below).encode()).hexdigest(), "files": len(below)}
    try:
        return {"sha256": sha256(path), "size": path.stat().st_size}
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; run the step that makes it") from None


def is_receipt(path: Path) -> bool:
    """Whether a path is named as a receipt: `receipt.json`, or `<result>.receipt.json` where folders are shared."""
    return path.name == "receipt.json" or path.name.endswith(".receipt.json")


def git_state(project: Path) -> dict[str, Any] | None:
    """Commit and dirty flag of the project's own repository, whoever owns it; None where it is none.

    A repository that git does not read gives `{"unread": why}`, and the reason is logged in one line.
    """
    if not (project / ".git").exists():
        return None
    try:
        commit = git(project, "rev-parse", "--verify", "HEAD").strip()
    except OSError as error:
        log.warning("%s: the receipt names no commit, for git does not read this repository: %s", project, error)
        return {"unread": str(error)}
    try:
        return {"commit": commit, "dirty": bool(git(project, "status", "--porcelain"))}
    except OSError:  # it cannot be called clean
        return {"commit": commit, "dirty": True}


def key_of(path: Path, root: Path) -> str:
    """A path as receipts write it."""
    absolute, project = Path(os.path.abspath(path)), Path.cwd()
    if absolute.is_relative_to(os.path.abspath(root)) or absolute.is_relative_to(project):
        return Path(os.path.relpath(absolute, root)).as_posix()
    return absolute.as_posix()


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        state = path.stat()
    except FileNotFoundError:
        return None
    return state.st_ino, state.st_mtime_ns, state.st_size


def _moved_inputs(taken: Mapping[Path, tuple[Any, dict[str, Any]]]) -> list[str]:
    """Inputs that are no longer what the job read; only files that were written to are read again."""
    return [
        str(path)
        for path, (stamp, before) in taken.items()
        if _stamp(path) != stamp and (not path.exists() or checksum(path) != before)
    ]


def _moved(before: Fingerprint, after: Fingerprint) -> list[str]:
    """What differs between two fingerprints of one job, by name."""
    changed = sorted(name for name in {*before.code, *after.code} if before.code.get(name) != after.code.get(name))
    if before.settings != after.settings:
        changed.append("settings")
    if before.environment != after.environment:
        changed.append("environment")
    return changed


def _moved_parts(expect: str, found: Fingerprint, source: Path) -> str:
    """Which parts of a fingerprint differ from the expected digest, and of the code the module edited last."""
    files = {name: source.joinpath(*name.split(".")).with_suffix(".py") for name in found.code}
    latest = max((path.stat().st_mtime, name) for name, path in files.items() if path.is_file())[1]
    names = (f"code (last edited: {latest})", "settings", "environment")
    parts = zip(names, expect.split("-"), found.digest.split("-"), strict=False)
    return ", ".join(name for name, planned, now in parts if planned != now)


def _device() -> str:
    """The GPU if the job used one (torch is asked only if the job itself loaded it), else the processor."""
    torch = sys.modules.get("torch")
    if torch is not None and torch.cuda.is_initialized():
        return str(torch.cuda.get_device_name())
    with contextlib.suppress(OSError):
        for line in Path("/proc/cpuinfo").read_text(encoding="utf-8").splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _peak_memory_bytes() -> int:
    """Peak resident memory of this process or its largest child."""
    peak = max(resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    return peak if sys.platform == "darwin" else peak * 1024
