"""Were the hypotheses declared before the results they are held against? Git knows: no receipt can tell it.

A hypothesis is declared by the first commit that holds its id in paper/hypotheses.yaml. A later change of what decides
it is an amendment, told with commit and date. Its verdict is, of the run whose commit the receipts name,

    confirmatory            declared, and last amended, before that run, on test clips that no reference run had shown
    exploratory             the same, but a reference run that was committed before had shown these test clips
    not declared before     the run came first, or the hypothesis stands in no commit
    not provable here       a copy without history, or a part of it, cannot tell

Test clips were shown if a study then had a data set of that kind with that seed, whatever else it was made with: the
same draws are behind both. A reference run whose values are all equal is this very run, made again. `seed_of` gives
clips that nobody can have seen: its seed is the declaring commit's.

Nothing of this is in the report that the paper is made from: a paper's bytes must not depend on a clone's history.
"""

import contextlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import Any, NamedTuple

import yaml

from whatmoves.errors import ConfigError, DataError, ProofError
from whatmoves.files import read_json
from whatmoves.provenance.git import git
from whatmoves.provenance.receipts import is_receipt, read_receipt
from whatmoves.study import Study

HYPOTHESES, REFERENCE = PurePosixPath("paper/hypotheses.yaml"), PurePosixPath("paper/reference")
CONFIRMATORY, EXPLORATORY = "confirmatory", "exploratory"
NOT_BEFORE, NOT_PROVABLE = "not declared before the run", "not provable here"
WORDS = frozenset({"id", "sentence", "primary"})  # what may be reworded; all other fields decide
NOT_COMMITTED = "not committed"
SHORT = 10
SEEDS = 2**31  # of a data set


class Commit(NamedTuple):
    """Hash and day; the hash of what stands in the working tree alone is empty."""

    hash: str
    day: str

    def __str__(self) -> str:
        return f"{self.hash[:SHORT]} ({self.day})" if self.hash else NOT_COMMITTED


class Amendment(NamedTuple):
    """A later change of what decides a hypothesis: `changed` holds `field from … to …`."""

    commit: Commit
    changed: tuple[str, ...]


@dataclass
class Declaration:
    """When a hypothesis was declared, and what was changed since."""

    first: Commit
    fields: dict[str, Any]
    amendments: list[Amendment]

    @property
    def last(self) -> Commit:
        """The commit since which it has been what it is."""
        return self.amendments[-1].commit if self.amendments else self.first


@dataclass(frozen=True)
class Declared:
    """What git says of each verdict of a study: its label with the reason, and all amendments by hypothesis."""

    labels: dict[str, tuple[str, str]]
    amendments: dict[str, tuple[Amendment, ...]]

    def as_json(self) -> dict[str, Any]:
        """The same as plain data."""
        return {
            name: {
                "label": label,
                "because": why,
                "amendments": [
                    {"commit": commit.hash, "day": commit.day, "changed": list(changed)}
                    for commit, changed in self.amendments.get(name, ())
                ],
            }
            for name, (label, why) in self.labels.items()
        }

    def text(self) -> str:
        """For a terminal: a line for every label with its reason and every kind of amendment, with whom it concerns."""
        labelled, amended = dict[str, list[str]](), dict[str, list[str]]()
        for name, (label, why) in self.labels.items():
            labelled.setdefault(f"{label}: {why}", []).append(name)
            for commit, changed in self.amendments.get(name, ()):
                amended.setdefault(f"at {commit}: {', '.join(changed)}", []).append(name)
        lines = [f"verdicts  {_counted(names)} {said}" for said, names in labelled.items()]
        return "\n".join([*lines, *(f"amended   {_counted(names)} {said}" for said, names in amended.items())])


def declared(study: Study, root: Path, project: Path) -> Declared:
    """Label every verdict in `root`/values.json by the history of `project`; none of a file that is no value index."""
    try:
        index = read_json(root / "values.json")
        verdicts = {verdict["id"]: verdict["values"] for verdict in index.get("verdicts", ())}
        values = dict(index["values"])
    except (DataError, KeyError, TypeError, ValueError, AttributeError):  # the report has said so
        return Declared({}, {})
    try:
        history = declarations(project)
        judge = _Judge(study, root, project, values, history)
        labels = {name: judge.label(name, values) for name, values in verdicts.items()}
    except OSError as error:
        return Declared({name: (NOT_PROVABLE, str(error)) for name in verdicts}, {})
    return Declared(labels, {name: tuple(history[name].amendments) for name in verdicts if name in history})


def declarations(project: Path) -> dict[str, Declaration]:
    """Every hypothesis that paper/hypotheses.yaml ever held, by id; raises `OSError` where history is not whole."""
    if git(project, "rev-parse", "--is-shallow-repository").strip() == "true":
        raise OSError("the history is cut off (git fetch --unshallow)")
    found: dict[str, Declaration] = {}
    for commit, text in [*_versions(project, HYPOTHESES), (Commit("", ""), _now(project))]:
        for name, fields in _hypotheses(text).items():
            known = found.setdefault(name, Declaration(commit, fields, []))
            if changed := _changed(known.fields, fields):
                known.amendments.append(Amendment(commit, changed))
                known.fields = fields
    return found


def seed_of(project: Path, hypotheses: Path) -> int | None:
    """A data set's seed, for clips that nobody saw when the hypotheses were declared: it is of the declaring commit.

    Raises `ConfigError` for a file that is not committed as it stands, or whose history git cannot tell.
    """
    if hypotheses.resolve() != (project / HYPOTHESES).resolve():
        raise ConfigError(f"{hypotheses}: hypotheses are declared in {HYPOTHESES} of the project; name that file")
    try:
        found = declarations(project)
        now = _hypotheses(_now(project))
        if not now:
            raise ConfigError(f"{hypotheses}: holds no hypothesis; declare one, commit it, and ask again")
        if loose := [name for name in now if not found[name].last.hash]:
            raise ConfigError(f"{hypotheses}: {_counted(loose)} not committed as declared; commit it, and ask again")
        return _seed_after(project, [found[name] for name in now])
    except OSError as error:
        raise ConfigError(f"{hypotheses}: git cannot tell the commit that declared it: {error}") from None


class _Reference(NamedTuple):
    """A reference run as it was committed: its values by id, and kind and seed of the data sets that they are of."""

    commit: Commit
    study: str
    values: dict[str, float]
    drawn: set[tuple[str, int]]


class _Judge:
    """What the receipts of a study, its history and the reference runs in it say of a verdict."""

    def __init__(
        self,
        study: Study,
        root: Path,
        project: Path,
        values: Mapping[str, Mapping[str, Any]],
        history: Mapping[str, Declaration],
    ) -> None:
        self.study, self.project, self.values, self.history = study, project, values, history
        self.commit_of = _commits(root)
        self.before: dict[tuple[str, str], bool] = {}
        self.references: dict[str, list[_Reference]] = {}
        self.seed = _seed_after(project, list(history.values()))

    def label(self, name: str, value_ids: list[str]) -> tuple[str, str]:
        """The label of a verdict, and why; raises `OSError` where git does not answer."""
        if name not in self.history or not self.history[name].first.hash:
            return NOT_BEFORE, "the hypothesis stands in no commit"
        last = self.history[name].last
        if not last.hash:
            return NOT_BEFORE, "it was changed and not committed"
        files = {file for value_id in value_ids for file in self.values.get(value_id, {}).get("files", ())}
        runs = {self.commit_of.get(file, "") for file in files}
        if not runs:
            return NOT_PROVABLE, "nothing was measured for it"
        if "" in runs:
            return NOT_PROVABLE, "receipts of its values name no commit"
        for run in sorted(runs):
            if not self.is_before(last.hash, run):
                return NOT_BEFORE, f"declared at {last}, and the results are of {run[:SHORT]}"
        named = [name for name in map(_dataset, value_ids) if name in self.study.data]
        drawn = {name: _drawn(name, self.study.data[name].model_dump()) for name in named}
        for reference in (reference for run in sorted(runs) for reference in self.shown_by(run)):
            at = reference.commit.hash
            if self.is_this(reference, value_ids) and last.hash != at and self.is_before(last.hash, at):
                break  # what was shown then is what these results are
            for dataset in (name for name, draws in drawn.items() if draws in reference.drawn):
                return EXPLORATORY, f"the reference run of {reference.commit} had shown the test clips of {dataset}"
        by_commit = all(seed == self.seed for _, seed in drawn.values())
        return CONFIRMATORY, "declared before the run" + (", test clips drawn by the commit" if by_commit else "")

    def is_this(self, reference: "_Reference", value_ids: list[str]) -> bool:
        """Whether a reference run is this run: it has these values, and all that both have are equal."""
        both = reference.values.keys() & self.values.keys()
        same = all(reference.values[name] == self.values[name]["value"] for name in both)
        return reference.study == self.study.study and same and both.issuperset(value_ids)

    def is_before(self, first: str, second: str) -> bool:
        """Whether a commit is the other or one of its ancestors; raises `OSError` if the second is not here."""
        if (first, second) not in self.before:
            try:
                common = git(self.project, "merge-base", first, second).strip()
            except OSError:
                raise OSError(f"commit {second[:SHORT]} of the results is not in this repository") from None
            self.before[first, second] = common == first
        return self.before[first, second]

    def shown_by(self, run: str) -> list["_Reference"]:
        """The reference runs up to a commit, the oldest first."""
        if run not in self.references:
            self.references[run] = [
                _Reference(
                    commit,
                    study,
                    values,
                    {
                        _drawn(name, entry)
                        for name, entry in self.data_of(commit, study).items()
                        if any(_dataset(value_id) == name for value_id in values)
                    },
                )
                for commit, study, values in _reference_runs(self.project, run)
            ]
        return self.references[run]

    def data_of(self, commit: Commit, study: str) -> dict[str, Any]:
        """The data sets of a study as its file had them at a commit; those of now where no such file stood there."""
        file = "config/config.yaml" if study == "quick" else f"config/{study}.yaml"
        text = _contents(self.project, [f"{commit.hash}:{file}"])[0]
        if text is not None:
            held = _parsed(text).get("data")
            return {name: entry or {} for name, entry in held.items()} if isinstance(held, dict) else {}
        return {name: e.model_dump() for name, e in self.study.data.items()} if study == self.study.study else {}


def _reference_runs(project: Path, run: str) -> Iterator[tuple[Commit, str, dict[str, float]]]:
    """Commit, study and values of the reference runs up to a commit, the oldest first."""
    for commit, changed in _log(project, REFERENCE, run):
        names = [PurePosixPath(path) for path in changed if path.endswith(".json") and "efficiency" not in path]
        for path, text in zip(names, _contents(project, [f"{commit.hash}:{path}" for path in names]), strict=True):
            if text is not None:
                with contextlib.suppress(ValueError, KeyError, TypeError):  # a broken one was mended by a later one
                    held = json.loads(text)["values"]
                    yield commit, path.stem, {name: value["value"] for name, value in held.items()}


def _versions(project: Path, file: PurePosixPath) -> list[tuple[Commit, str]]:
    """Every version of a file up to the checked-out commit, the oldest first."""
    commits = [commit for commit, _ in _log(project, file, "HEAD")]
    texts = _contents(project, [f"{commit.hash}:{file}" for commit in commits])
    return [(commit, text) for commit, text in zip(commits, texts, strict=True) if text is not None]


def _log(project: Path, place: PurePosixPath, upto: str) -> Iterator[tuple[Commit, list[str]]]:
    """The commits that changed a file, or those below a folder, the oldest first, each with what it changed there."""
    answer = git(
        project, "log", "--reverse", "--topo-order", "--name-only", "--format=%x00%H %cs", upto, "--", str(place)
    )
    for block in answer.split("\0")[1:]:
        head, *changed = block.split("\n")
        yield Commit(*head.split(" ")), [path for path in changed if path]


def _contents(project: Path, names: list[str]) -> list[str | None]:
    """The texts of `commit:path`, None for those that are not there; one call of git for all."""
    answer = git(project, "cat-file", "--batch", given="".join(f"{name}\n" for name in names)) if names else ""
    raw, texts = answer.encode(errors="surrogateescape"), list[str | None]()
    for _ in names:
        head, _, raw = raw.partition(b"\n")
        if head.endswith(b" missing"):
            texts.append(None)
            continue
        size = int(head.rsplit(b" ", 1)[1])
        texts.append(raw[:size].decode(errors="replace"))
        raw = raw[size + 1 :]
    return texts


def _parsed(text: str) -> dict[str, Any]:
    """A YAML text of any age: the reader of today's files may refuse it, and what was declared then counts."""
    try:
        held = yaml.safe_load(text)
    except yaml.YAMLError:
        return {}
    return held if isinstance(held, dict) else {}


def _hypotheses(text: str) -> dict[str, dict[str, Any]]:
    """What decides each hypothesis of a text, by id; nothing of a text that is no list of them."""
    entries = _parsed(text).get("hypotheses")
    return {
        str(entry["id"]): {key: value for key, value in entry.items() if key not in WORDS}
        for entry in (entries if isinstance(entries, list) else [])
        if isinstance(entry, dict) and "id" in entry
    }


def _changed(was: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, ...]:
    return tuple(
        f"{field} from {was.get(field, 'nothing')} to {now.get(field, 'nothing')}"
        for field in sorted({*was, *now})
        if was.get(field) != now.get(field)
    )


def _now(project: Path) -> str:
    path = project / HYPOTHESES
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _commits(root: Path) -> dict[str, str]:
    """Result file → the commit that its receipt names, empty where it names none."""
    found: dict[str, str] = {}
    for path in sorted(root.rglob("*receipt.json")):
        if is_receipt(path):
            try:
                receipt = read_receipt(path)
            except (ProofError, DataError):  # the report has said so
                continue
            state = receipt["run"].get("git") or {}
            found |= dict.fromkeys(receipt["core"]["outputs"], state.get("commit", ""))
    return found


def _drawn(name: str, entry: Mapping[str, Any]) -> tuple[str, int]:
    """What decides the draws behind a data set: its kind and seed; one that has no seed is the same for ever."""
    seed = (entry.get("options") or {}).get("seed")
    return entry.get("kind") or name, seed if isinstance(seed, int) else 0


def _dataset(value_id: str) -> str:
    return value_id.partition(".")[0]


def _seed_after(project: Path, declared: list[Declaration]) -> int | None:
    """The seed that the newest of the commits gives since which hypotheses are what they are; None without a commit."""
    order = {commit.hash: place for place, (commit, _) in enumerate(_log(project, HYPOTHESES, "HEAD"))}
    newest = max((d.last.hash for d in declared if d.last.hash), key=lambda found: order[found], default="")
    return int(newest[:8], 16) % SEEDS if newest else None


def _counted(names: list[str]) -> str:
    return ", ".join(names) if len(names) < 4 else f"{len(names)} hypotheses"
