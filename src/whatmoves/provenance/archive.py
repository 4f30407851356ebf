"""One file that holds a study's results, and the way back: laid only where they belong to the tree.

An archive is a `.tar.gz` with equal bytes for equal results: values, figures, tables, receipts, timings, the resolved
settings, a manifest with checksums, the workflow's files, and their description as a Provenance Run Crate for public
archives (`whatmoves.provenance.crate`). Clips and checkpoints are left out unless asked for; their checksums stay in
the receipts.
"""

import contextlib
import gzip
import io
import json
import os
import shutil
import tarfile
import tempfile
import time
import zlib
from collections.abc import Iterator, Mapping
from pathlib import Path, PurePosixPath
from typing import Any

from whatmoves.errors import DataError, ProofError
from whatmoves.files import atomic, read_json, sha256, write_json
from whatmoves.provenance.closure import source_folder
from whatmoves.provenance.receipts import checksum, is_receipt, read_receipt
from whatmoves.provenance.report import FRESH, UNUSED, Report
from whatmoves.provenance.verify import CONFIG, PROVEN_FOLDERS, RESTORED, verify
from whatmoves.study import Study
from whatmoves.yaml_files import yaml_text

FORMAT = 1
MANIFEST, CRATE = "manifest.json", "ro-crate-metadata.json"
WORKFLOW, RULES = "Snakefile", "workflow/rules"  # packed to be read, never laid back: the tree has its own
PACKED_FOLDERS = ("figures/", "animations/")  # packed whole, with the data they draw
PACKED_SUFFIXES = frozenset({".json", ".csv", ".yaml"})  # packed elsewhere
MAX_FILES = 100_000
MAX_BYTES = 64 * 2**30


def archive(study: Study, root: Path, out: Path, *, checkpoints: bool = False, source: Path | None = None) -> None:
    """Pack the results under `root` = results/<study> into `out`; raises `ProofError` if one of them is not fresh."""
    from whatmoves.provenance.crate import describe  # its library takes a while to import

    report = verify(study, root, source=source, paper=False)
    _refuse(report, f"{root}: not packed")
    packed, left_out = _contents(root, report, checkpoints)
    files = {key: root / key for key in packed}
    manifest = {
        "format": FORMAT,
        "study": study.study,
        "files": {key: {"sha256": sha256(path), "size": path.stat().st_size} for key, path in files.items()},
        "left_out": left_out,
    }
    workflow = _workflow((source or source_folder()).parent)
    described = describe(study, files, workflow, left_out)
    extra = {name: path.read_bytes() for name, path in workflow.items()} | {
        MANIFEST: (json.dumps(manifest, indent=1, sort_keys=True) + "\n").encode(),
        CRATE: (json.dumps(described, indent=1, sort_keys=True) + "\n").encode(),
    }
    if CONFIG not in files:
        extra[CONFIG] = yaml_text(study.model_dump(mode="json")).encode()
    with (
        atomic(out) as temporary,
        temporary.open("wb") as stream,
        gzip.GzipFile(fileobj=stream, mode="wb", filename="", mtime=0) as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as tar,
    ):
        for name in sorted({*files, *extra}):
            member = tarfile.TarInfo(name)
            member.mode = 0o644
            member.size = len(extra[name]) if name in extra else files[name].stat().st_size
            with io.BytesIO(extra[name]) if name in extra else files[name].open("rb") as content:
                tar.addfile(member, content)


def restore(file: Path, root: Path, study: Study, *, source: Path | None = None) -> Report:
    """Lay the results in `file` under `root` = results/<study>, if every one of them belongs to the tree.

    Nothing is laid otherwise, nor beside results that are not the archive's own. Returns the report that let it pass.
    Raises `DataError` for a file that is damaged or no archive, `ProofError` for one that does not fit.
    """
    root.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{root.name}-restore-", dir=root.parent) as name:
        unpacked = Path(name) / root.name
        manifest = _unpack(file, unpacked)
        if manifest.get("study") != study.study:
            raise ProofError(
                f"{file}: holds study {manifest.get('study')!r}, not {study.study!r}; select its study file"
            )
        write_json(unpacked / RESTORED, {"archive": sha256(file), "left_out": manifest["left_out"]})
        report = verify(study, unpacked, source=source, paper=False, home=root)
        _refuse(report, f"{file}: does not belong to this tree{_home_of(unpacked)}")
        _refuse_mixture(unpacked, root, manifest, file)
        _lay(unpacked, root)
    return report


def _home_of(unpacked: Path) -> str:
    """Words for the commit that the newest receipt names, if it does: to its tree all of them belonged when packed."""
    runs = [read_receipt(path)["run"] for path in unpacked.rglob("*.json") if is_receipt(path)]
    newest: dict[str, Any] = max(runs, key=lambda run: str(run["started"]), default={})
    commit = (newest.get("git") or {}).get("commit")
    return f" but to that of `git checkout {commit}`" if commit else ""


def _lay(unpacked: Path, root: Path) -> None:
    """Move the files to their place: in one step where there is nothing yet."""
    now = time.time()
    files = sorted(path for path in unpacked.rglob("*") if path.is_file())
    for path in files:
        os.utime(path, (now, now))  # one time for all: to a build tool no result is older than what it is made from
    if not root.exists():
        unpacked.rename(root)
        return
    for path in files:
        place = root / path.relative_to(unpacked)
        place.parent.mkdir(parents=True, exist_ok=True)
        path.replace(place)


def _refuse(report: Report, what: str) -> None:
    """Raise `ProofError` with the first reason if a result is not fresh."""
    bad = [finding for finding in report.findings if finding.status not in (FRESH, UNUSED)]
    if bad or report.exit_code:
        reason = f"{bad[0].name} is {bad[0].status}: {bad[0].reasons[0]}" if bad else "no results"
        more = f" (and {len(bad) - 1} more; `whatmoves verify` names all)" if len(bad) > 1 else ""
        raise ProofError(f"{what}: {reason}{more}")


def _contents(root: Path, report: Report, checkpoints: bool) -> tuple[list[str], dict[str, Any]]:
    """Files to pack, sorted, and the checksums of covered files that are left out."""
    packed: set[str] = set()
    left_out: dict[str, Any] = {}
    for finding in report.findings:
        if finding.status != FRESH:
            continue
        packed.add(finding.result)
        for key, recorded in read_receipt(root / finding.result)["core"]["outputs"].items():
            wanted = key.startswith(PACKED_FOLDERS) or PurePosixPath(key).suffix in PACKED_SUFFIXES
            if (wanted or (checkpoints and key.endswith(".pt"))) and (root / key).is_file():
                packed.add(key)
            else:
                left_out[key] = recorded
    packed |= {p.relative_to(root).as_posix() for p in (root / "train").rglob("timings.json")}
    packed |= {p.relative_to(root).as_posix() for p in (root / "evaluate").rglob("timings.json")}
    return sorted(packed), left_out


def _workflow(project: Path) -> dict[str, Path]:
    """The files that say what runs when, by their place in a checkout, the Snakefile first."""
    files = [project / WORKFLOW, *sorted((project / RULES).glob("*.smk"))]
    if not files[0].is_file():
        raise DataError(f"{files[0]}: no such file; an archive says what ran, so pack from a checkout of the project")
    return {path.relative_to(project).as_posix(): path for path in files}


def _unpack(file: Path, folder: Path) -> dict[str, Any]:
    """Unpack into a new folder and return the manifest; every file is plain, inside, listed and whole."""
    with _readable(file), tarfile.open(file, mode="r:gz") as tar:
        total = 0
        for count, member in enumerate(tar, start=1):
            total += member.size
            parts = PurePosixPath(member.name).parts
            if not member.isreg() or not parts or ".." in parts or member.name.startswith("/") or "\\" in member.name:
                raise DataError(f"{file}: member {member.name!r} is no plain file inside the archive; not unpacked")
            if count > MAX_FILES or total > MAX_BYTES:
                raise DataError(f"{file}: more than {MAX_FILES} files or {MAX_BYTES} bytes; not unpacked")
            place = folder.joinpath(*parts)
            place.parent.mkdir(parents=True, exist_ok=True)
            content = tar.extractfile(member)
            assert content is not None
            with place.open("xb") as stream:
                shutil.copyfileobj(content, stream)
    manifest = read_json(folder / MANIFEST) if (folder / MANIFEST).is_file() else None
    if (
        not isinstance(manifest, dict)
        or manifest.get("format") != FORMAT
        or not all(isinstance(manifest.get(part), dict) for part in ("files", "left_out"))
    ):
        raise DataError(f"{file}: not an archive of results of this version (format {FORMAT})")
    for key, recorded in manifest["files"].items():
        path = folder / key
        if not path.is_file() or {"sha256": sha256(path), "size": path.stat().st_size} != recorded:
            raise DataError(f"{file}: {key} is damaged or absent; get the archive again")
    listed = {*manifest["files"], MANIFEST, CRATE, CONFIG}
    for path in folder.rglob("*"):
        key = path.relative_to(folder).as_posix()
        if path.is_file() and (key == WORKFLOW or PurePosixPath(key).match(f"{RULES}/*.smk")):
            path.unlink()
        elif path.is_file() and key not in listed:
            raise DataError(f"{file}: {key} is not in its manifest; not restored")
    shutil.rmtree(folder / PurePosixPath(RULES).parent, ignore_errors=True)
    return manifest


@contextlib.contextmanager
def _readable(file: Path) -> Iterator[None]:
    """Turn what a broken archive raises into one line."""
    try:
        yield
    except FileNotFoundError:
        raise DataError(f"{file}: no such archive") from None
    except (tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError, FileExistsError, NotADirectoryError) as error:
        raise DataError(f"{file}: not readable as an archive ({error}); get it again") from None


def _refuse_mixture(unpacked: Path, root: Path, manifest: Mapping[str, Any], file: Path) -> None:
    """Raise `ProofError` if `root` holds results that are not the archive's own."""
    shared = (*PROVEN_FOLDERS, "values.json", "values.receipt.json")
    present = [root / name for name in shared if (root / name).is_file()]
    present += [p for name in shared for p in sorted((root / name).rglob("*")) if p.is_file()]
    left_out = manifest["left_out"].items()
    whole = {root / key for key, r in left_out if "tree" in r and (root / key).is_dir() and checksum(root / key) == r}
    present = [path for path in present if whole.isdisjoint(path.parents)]
    for path in present:
        key = path.relative_to(root).as_posix()
        recorded = manifest["files"].get(key) or manifest["left_out"].get(key)
        if recorded is None or sha256(path) != recorded.get("sha256"):
            raise ProofError(
                f"{file}: {root} already holds results that are not the archive's ({key}); "
                f"move that folder away and restore again"
            )
