"""Do the results belong to the code, settings and data in the tree? Answered from receipts, in seconds.

Nothing is trained, drawn or imported: each receipt is compared with a fingerprint read now, each file with its
checksum, each input with what the receipt of its maker says. Times of files play no part, so a touched file is no
change and a blessed stale result is no proof.
"""

import os
from collections import Counter
from collections.abc import Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path, PurePosixPath
from typing import Any

from whatmoves.arithmetic.report import counted
from whatmoves.errors import ConfigError, DataError, ProofError
from whatmoves.files import read_json
from whatmoves.provenance.closure import Tree
from whatmoves.provenance.environment import FIX, alike, installed, meets
from whatmoves.provenance.jobs import canonical, expected_jobs, read_fingerprint, receipt_of
from whatmoves.provenance.kinds import KINDS, PLACES
from whatmoves.provenance.receipts import RUN_TO_RUN, checksum, is_receipt, key_of, read_receipt
from whatmoves.provenance.report import FOREIGN, FRESH, MISSING, STALE, UNKNOWN, UNUSED, Finding, Reason, Report
from whatmoves.study import Study
from whatmoves.yaml_files import read_yaml

REPORT = "verify.json"  # the report itself, beside the results
RESTORED = "restored.json"  # says which files an archive left out
CONFIG = "config.yaml"  # the resolved study: compared with the study itself
UNPROVEN = frozenset({REPORT, RESTORED, CONFIG})  # files that need no receipt
CROISSANT = "croissant.json"  # a card of a data set, made from its receipt
SHOWN_INPUTS = 3  # that are told one by one
PROVEN_FOLDERS = ("data", "train", "evaluate", "figures", "animations")  # where every file must be covered by a receipt


def verify(
    study: Study, root: Path, *, source: Path | None = None, paper: bool = True, home: Path | None = None
) -> Report:
    """Compare every result under `root` = results/<study> with the tree.

    `source` holds the package (default: the running one). `paper=False` leaves the paper out: its report is an input
    of the paper. `home` is where the results will stand when `root` is only their unpacked copy.
    """
    return _Check(study, root, source, paper, home or root).report()


class _Check:
    def __init__(self, study: Study, root: Path, source: Path | None, paper: bool, home: Path) -> None:
        self.study, self.root, self.source, self.paper, self.home = study, root, source, paper, home
        self.tree = Tree(source)
        self.expected = {receipt_of(kind, **wildcards): (kind, wildcards) for kind, wildcards in expected_jobs(study)}
        self.receipts: dict[str, dict[str, Any]] = {}
        self.findings: dict[str, Finding] = {}
        self.maker: dict[str, str] = {}  # output → the receipt that covers it
        self.sums: dict[str, dict[str, Any] | None] = {}
        self.left_out = _left_out(root)
        self.now_at: dict[str, str] = {}  # outside file as a receipt names it → where the study says it lies now

    def report(self) -> Report:
        self.read_receipts()
        self.measure()
        for name, receipt in self.receipts.items():
            self.compare_outputs(self.findings[name], receipt)
            self.compare_fingerprint(self.findings[name], receipt["core"])
            self.compare_versions(self.findings[name], receipt)
            self.compare_inputs(self.findings[name], receipt)
        self.pass_on()
        self.find_uncovered()
        self.compare_config()
        order = {kind: place for place, kind in enumerate(KINDS)}
        findings = sorted(self.findings.values(), key=lambda f: (order.get(f.kind, len(order)), f.result))
        made_at = [receipt["run"].get("arithmetic", {}) for receipt in self.receipts.values()]
        return Report(self.study.study, tuple(findings), counted(made_at), self.installed_since())

    def read_receipts(self) -> None:
        found = {str(p.relative_to(self.root).as_posix()) for p in self.root.rglob("*receipt.json") if is_receipt(p)}
        for name in sorted({*self.expected, *found}):
            kind, wildcards = self.expected.get(name, ("", {}))
            if name.split("/")[0] in ("work", "benchmarks") or (name == KINDS["paper"].receipt and not self.paper):
                continue
            finding = self.findings[name] = Finding(name, kind, wildcards)
            if name not in found:
                finding.blame(MISSING, Reason("receipt", "no receipt; run the step that makes it"))
                continue
            try:
                receipt = read_receipt(self.root / name)
                core = receipt["core"]
                finding.kind, finding.wildcards = str(core["kind"]), dict(core["wildcards"])
                if (kind and (kind, wildcards) != (finding.kind, finding.wildcards)) or name != receipt_of(
                    finding.kind, **finding.wildcards
                ):
                    raise ProofError(f"receipt of {finding.kind} {finding.wildcards}, not of what stands here")
                if not core["outputs"]:
                    raise ProofError("receipt without outputs")
            except (ProofError, KeyError, TypeError, ValueError) as error:
                finding.blame(FOREIGN, Reason("receipt", f"its receipt proves nothing: {error}"))
                continue
            self.receipts[name] = receipt
            self.find_places(core)
            self.maker |= dict.fromkeys((*core["outputs"], *receipt["run"].get("outputs", {})), name)

    def find_places(self, core: Mapping[str, Any]) -> None:
        """The outside files of a data set may be elsewhere by now; the study says where."""
        entry = self.study.data.get(core["wildcards"].get("dataset", "")) if core["kind"] == "data" else None
        option = PLACES.get(entry.kind, "") if entry is not None else ""
        if entry is not None and option in entry.options:
            place = Path(entry.options[option]).expanduser()
            for key in core["inputs"]:
                self.now_at[key] = key_of(place / Path(key).name if place.is_dir() else place, self.home)

    def measure(self) -> None:
        """Checksum every file that a receipt names, once."""
        keys: set[str] = set()
        for receipt in self.receipts.values():
            for part in ("inputs", "outputs"):
                keys.update(receipt["core"][part], receipt["run"].get(part, {}))
        ordered = sorted(keys)
        with ThreadPoolExecutor() as pool:
            self.sums = dict(zip(ordered, pool.map(self.checksum, ordered), strict=True))

    def checksum(self, key: str) -> dict[str, Any] | None:
        key = self.now_at.get(key, key)
        base = self.home if key.startswith("../") else self.root
        path = Path(os.path.normpath(base / key))
        try:
            return checksum(path)
        except (DataError, ProofError, OSError):
            return None

    def compare_outputs(self, finding: Finding, receipt: Mapping[str, Any]) -> None:
        for key, recorded in _both(receipt, "outputs"):
            found = self.sums[key]
            if found is None and self.left_out.get(key) == recorded:
                finding.left_out += 1
            elif found is None:
                finding.blame(MISSING, Reason("output", f"file {key} is missing"))
            elif found != recorded:
                finding.blame(FOREIGN, Reason("output", f"file {key} is not what the job wrote (checksum)"))

    def compare_fingerprint(self, finding: Finding, core: Mapping[str, Any]) -> None:
        try:
            now = read_fingerprint(self.study, finding.kind, finding.wildcards, self.source, self.tree)
        except ConfigError:
            finding.status = UNUSED
            return
        except ProofError as error:
            finding.blame(UNKNOWN, Reason("receipt", str(error)))
            return
        if finding.result not in self.expected and finding.kind in {kind for kind, _ in self.expected.values()}:
            finding.status = UNUSED
            return
        modules = sorted({*core["code"], *now.code})
        reasons = [Reason("code", name) for name in modules if core["code"].get(name) != now.code.get(name)]
        reasons += _differences("settings", core["settings"], now.settings)
        reasons += _differences("environment", core["environment"], now.environment)
        if reasons:
            finding.blame(STALE, *reasons)

    def compare_versions(self, finding: Finding, receipt: Mapping[str, Any]) -> None:
        """What ran must be what was pinned then; if the pins have moved since, the fingerprint says so."""
        pins, ran = receipt["core"]["environment"], receipt["run"].get("versions", {})
        unlike = [name for name in sorted(pins) if name in ran and not meets(ran[name], pins[name])]
        if unlike:
            finding.blame(STALE, *(Reason("versions", name, ran[name], pins[name]) for name in unlike))

    def compare_inputs(self, finding: Finding, receipt: Mapping[str, Any]) -> None:
        gone, moved = [], []
        for key, recorded in _both(receipt, "inputs"):
            found = self.sums[key]
            outside = key.startswith("../") or os.path.isabs(key)
            if found is None and self.left_out.get(key) == recorded:
                continue
            place = self.now_at.get(key, key)
            elsewhere = os.path.isabs(place) or (outside and bool(self.left_out))  # left out: restored from an archive
            if found is None and elsewhere and not (self.home / place).parent.is_dir():
                continue  # raw data of another machine: its checksum stays in the receipt
            if found is None:
                gone.append(place)
            elif found != recorded:
                moved.append(place)
            elif not outside and key not in self.maker and not is_receipt(Path(key)) and not _is_unproven(key):
                finding.blame(STALE, Reason("input", f"{key} has no receipt"))

        for keys, what in ((gone, "is missing"), (moved, "changed")):
            if keys:
                finding.blame(STALE, *_told(keys, what))

    def pass_on(self) -> None:
        """What is made from a result that is not fresh is not fresh either."""
        moved = True
        while moved:
            moved = False
            for name, receipt in self.receipts.items():
                finding = self.findings[name]
                if finding.status != FRESH:
                    continue
                for key, _ in _both(receipt, "inputs"):
                    maker = self.findings.get(key if is_receipt(Path(key)) else self.maker.get(key, ""))
                    if maker is not None and maker.status != FRESH:
                        finding.blame(STALE, Reason("input", f"{key} comes from {maker.name}, which is {maker.status}"))
                        moved = True
                        break

    def installed_since(self) -> tuple[str, ...]:
        """A line for each package that is installed here in another version than some results were made with."""
        ran: dict[str, Counter[str]] = {}
        for receipt in self.receipts.values():
            for name in receipt["core"]["environment"]:
                if version := receipt["run"].get("versions", {}).get(name):
                    ran.setdefault(name, Counter())[version] += 1
        return tuple(
            f"{name} {now} is installed here, but {count} results were made with {version}; before more are made: {FIX}"
            for name, now in installed(sorted(ran)).items()
            for version, count in sorted(ran[name].items())
            if not alike(now, version)
        )

    def find_uncovered(self) -> None:
        for folder in PROVEN_FOLDERS:
            for path in sorted((self.root / folder).rglob("*")):
                key = path.relative_to(self.root).as_posix()
                covered = not self.maker.keys().isdisjoint((key, *map(str, PurePosixPath(key).parents)))
                if path.is_file() and not covered and not is_receipt(path) and not _is_unproven(key):
                    finding = self.findings[key] = Finding(key, "file", {})
                    finding.blame(FOREIGN, Reason("receipt", "no receipt covers this file"))

    def compare_config(self) -> None:
        """The resolved study beside the results must be the study, whoever wrote it."""
        path = self.root / CONFIG
        if not path.is_file() or not self.paper:  # it is written with the paper
            return
        finding = Finding(CONFIG, "file", {})
        try:
            stored = read_yaml(path, "no such file", "settings")
        except ConfigError:
            finding.blame(FOREIGN, Reason("output", f"file {CONFIG} is not readable as settings"))
        else:
            if reasons := _differences("settings", stored, self.study.model_dump(mode="json")):
                finding.blame(STALE, *reasons)
        if finding.status != FRESH:
            self.findings[CONFIG] = finding


def _is_unproven(key: str) -> bool:
    """Whether a file is one that no receipt needs to cover: reports, timings, cards, logs, files being written."""
    name = key.rpartition("/")[2]
    return key in UNPROVEN or name in {*RUN_TO_RUN, CROISSANT} or name.startswith((".", "events.out.tfevents"))


def _told(keys: list[str], what: str) -> list[Reason]:
    """A reason for each input; of many, such as a recording's pictures, the first is named and the rest are counted."""
    if len(keys) <= SHOWN_INPUTS:
        return [Reason("input", f"{key} {what}") for key in keys]
    return [Reason("input", f"{keys[0]} {what} (and {len(keys) - 1} more)")]


def _left_out(root: Path) -> dict[str, dict[str, Any]]:
    """Files that a restored archive names but did not pack."""
    path = root / RESTORED
    return dict(read_json(path)["left_out"]) if path.is_file() else {}


def _both(receipt: Mapping[str, Any], part: str) -> Iterable[tuple[str, dict[str, Any]]]:
    return [*receipt["core"][part].items(), *receipt["run"].get(part, {}).items()]


def _differences(cause: str, was: Mapping[str, Any], now: Mapping[str, Any]) -> list[Reason]:
    """Leaves that differ between two trees of plain values, by dotted key."""
    before, after = _leaves(was), _leaves(now)
    return [
        Reason(cause, key, before.get(key, "nothing"), after.get(key, "nothing"))
        for key in sorted({*before, *after})
        if before.get(key) != after.get(key)
    ]


def _leaves(tree: Mapping[str, Any], prefix: str = "") -> dict[str, str]:
    leaves: dict[str, str] = {}
    for key, value in tree.items():
        if isinstance(value, Mapping) and value:
            leaves |= _leaves(value, f"{prefix}{key}.")
        else:
            leaves[f"{prefix}{key}"] = canonical(value)
    return leaves
