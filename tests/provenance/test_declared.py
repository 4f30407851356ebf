"""Small histories, and what they say of verdicts: before or after the run, amended, on test clips already shown."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest
import yaml

from whatmoves.errors import ConfigError
from whatmoves.provenance.declared import Declared, declarations, declared, seed_of
from whatmoves.study import Study

ID = "toy.alpha.psnr_frame"
BEATS = {"id": "beats", "sentence": "Alpha is good.", "metric": "psnr_frame", "first": "alpha", "threshold": 20}


class Repository:
    """A project with hypotheses, a study file, reference runs and results, in commits."""

    def __init__(self, folder: Path) -> None:
        self.folder, self.root = folder, folder / "results/small"
        self.seed = 0
        folder.mkdir()
        self.git("init", "-q")

    def git(self, *words: str) -> str:
        who = ["-c", "user.name=a", "-c", "user.email=a@b", "-c", "commit.gpgsign=false"]
        return subprocess.run(
            ["git", *who, *words], cwd=self.folder, check=True, capture_output=True, text=True
        ).stdout.strip()

    def commit(self, **files: object) -> str:
        """Commit hypotheses, the study, a reference run or nothing; returns the hash."""
        places = {"hypotheses": "paper/hypotheses.yaml", "study": "config/small.yaml"}
        for name, held in files.items():
            path = self.folder / places.get(name, "paper/reference/small.json")
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(held) if name == "reference" else yaml.safe_dump(held))
            self.git("add", str(path))
        self.git("commit", "-q", "--allow-empty", "-m", "step")
        return self.git("rev-parse", "HEAD")

    def declare(self, *hypotheses: dict[str, object]) -> str:
        return self.commit(hypotheses={"hypotheses": list(hypotheses)})

    def study_file(self, seed: int) -> str:
        self.seed = seed
        return self.commit(study={"study": "small", "data": {"toy": {"options": {"seed": seed}}}})

    def show(self, value: float) -> str:
        """Commit a reference run with that number."""
        return self.commit(reference={"study": "small", "values": {ID: {"value": value}}})

    def run(self, value: float = 23.4, commit: str | None = "HEAD") -> None:
        """Results of the study as they come out at a commit."""
        state = {"commit": self.git("rev-parse", commit), "dirty": False} if commit else None
        core = {name: {} for name in ("wildcards", "code", "settings", "environment", "inputs")}
        core |= {"format": 1, "outputs": {"evaluate/toy/alpha/quality.json": {}}}
        receipt = self.root / "evaluate/toy/alpha/receipt.json"
        receipt.parent.mkdir(parents=True, exist_ok=True)
        receipt.write_text(json.dumps({"core": core, "run": {"git": state}}))
        values = {ID: {"value": value, "files": ["evaluate/toy/alpha/quality.json"]}}
        verdicts = [{"id": "beats", "values": [ID]}]
        (self.root / "values.json").write_text(json.dumps({"values": values, "verdicts": verdicts}))

    def said(self, folder: Path | None = None) -> Declared:
        data = {"toy": {"options": {"seed": self.seed}}}
        study = Study.model_validate({"study": "small", "data": data, "models": {"alpha": None}})
        return declared(study, self.root, folder or self.folder)

    def label(self, folder: Path | None = None) -> tuple[str, str]:
        return self.said(folder).labels["beats"]


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "project")


def test_a_hypothesis_that_was_committed_before_the_run_is_confirmatory(repository: Repository) -> None:
    repository.declare(BEATS)
    repository.commit()
    repository.run()
    assert repository.label() == ("confirmatory", "declared before the run")


def test_one_that_was_committed_after_the_run_was_not_declared_before(repository: Repository) -> None:
    run = repository.commit()
    first = repository.declare(BEATS)
    repository.run(commit=run)
    label, why = repository.label()
    assert label == "not declared before the run"
    assert why.startswith(f"declared at {first[:10]} (")
    assert why.endswith(f", and the results are of {run[:10]}")


def test_one_that_no_commit_holds_was_not_declared_before(repository: Repository) -> None:
    repository.declare({**BEATS, "id": "other"})
    repository.run()
    path = repository.folder / "paper/hypotheses.yaml"
    path.write_text(yaml.safe_dump({"hypotheses": [BEATS]}))
    assert repository.label() == ("not declared before the run", "the hypothesis stands in no commit")


def test_a_change_of_what_decides_is_an_amendment_and_new_words_are_none(repository: Repository) -> None:
    repository.declare(BEATS)
    repository.declare({**BEATS, "sentence": "Alpha is better than good.", "primary": True})
    amended = repository.declare({**BEATS, "threshold": 22})
    repository.run()
    assert repository.label()[0] == "confirmatory"
    [amendment] = repository.said().amendments["beats"]
    assert amendment.commit.hash == amended
    assert amendment.changed == ("threshold from 20 to 22",)
    day = repository.git("log", "-1", "--format=%cs")
    assert f"amended   beats at {amended[:10]} ({day}): threshold from 20 to 22" in repository.said().text()


def test_an_amendment_after_the_run_undoes_the_declaration(repository: Repository) -> None:
    run = repository.declare(BEATS)
    repository.declare({**BEATS, "threshold": 22})
    repository.run(commit=run)
    assert repository.label()[0] == "not declared before the run"
    path = repository.folder / "paper/hypotheses.yaml"
    path.write_text(yaml.safe_dump({"hypotheses": [{**BEATS, "threshold": 23}]}))
    assert repository.label() == ("not declared before the run", "it was changed and not committed")


def test_test_clips_that_an_earlier_reference_run_had_shown_make_a_verdict_exploratory(repository: Repository) -> None:
    repository.study_file(seed=0)
    repository.declare(BEATS)
    shown = repository.show(21.0)
    repository.commit()
    repository.run(23.4)
    label, why = repository.label()
    assert label == "exploratory"
    assert why.startswith(f"the reference run of {shown[:10]} (")
    assert why.endswith(") had shown the test clips of toy")


def test_clips_of_another_seed_were_not_shown(repository: Repository) -> None:
    repository.study_file(seed=0)
    repository.show(21.0)
    repository.declare(BEATS)
    seed = seed_of(repository.folder, repository.folder / "paper/hypotheses.yaml")
    assert seed == int(repository.git("rev-parse", "HEAD")[:8], 16) % 2**31
    repository.study_file(seed=seed)
    repository.run(23.4)
    assert repository.label() == ("confirmatory", "declared before the run, test clips drawn by the commit")


def test_the_reference_run_made_again_is_what_it_was(repository: Repository) -> None:
    repository.study_file(seed=5)
    repository.declare(BEATS)
    repository.run(23.4)
    assert repository.label()[0] == "confirmatory"
    repository.show(23.4)
    repository.run(23.4)  # by a reader, at a later commit
    assert repository.label()[0] == "confirmatory"
    repository.run(24.0)  # after something was changed
    assert repository.label()[0] == "exploratory"


def test_a_hypothesis_made_after_its_number_is_not_saved_by_running_again(repository: Repository) -> None:
    repository.study_file(seed=5)
    repository.show(23.4)
    repository.declare(BEATS)
    repository.run(23.4)
    assert repository.label()[0] == "exploratory"


@pytest.mark.parametrize("broken", [b"hypotheses: [", b"hypotheses: 3", b"- \xff\r\n", b"a: 1\r\n\r\nb: \xc3\xa4\r\n"])
def test_a_version_that_declares_nothing_is_passed_over(repository: Repository, broken: bytes) -> None:
    first = repository.declare(BEATS)
    path = repository.folder / "paper/hypotheses.yaml"
    path.write_bytes(broken)
    repository.git("commit", "-qam", "broken")
    repository.declare(BEATS)
    assert declarations(repository.folder)["beats"].first.hash == first
    assert declarations(repository.folder)["beats"].amendments == []


def test_without_history_nothing_is_claimed(repository: Repository, tmp_path: Path) -> None:
    repository.declare(BEATS)
    repository.commit()
    repository.run()
    clone, tarball = tmp_path / "clone", tmp_path / "tarball"
    repository.git("clone", "-q", "--depth", "1", f"file://{repository.folder}", str(clone))
    shutil.copytree(repository.folder, tarball, ignore=shutil.ignore_patterns(".git"))
    assert repository.label(clone) == ("not provable here", "the history is cut off (git fetch --unshallow)")
    assert repository.label(tarball) == ("not provable here", "no repository")
    for folder in (clone, tarball):
        with pytest.raises(ConfigError, match="git cannot tell the commit that declared it: "):
            seed_of(folder, folder / "paper/hypotheses.yaml")


def test_results_of_a_commit_that_is_not_here_prove_nothing(repository: Repository, tmp_path: Path) -> None:
    repository.declare(BEATS)
    repository.run(commit=None)
    assert repository.label() == ("not provable here", "receipts of its values name no commit")
    elsewhere = Repository(tmp_path / "elsewhere")
    elsewhere.declare(BEATS)
    elsewhere.commit()
    elsewhere.run()
    shutil.copytree(elsewhere.root, repository.root, dirs_exist_ok=True)
    commit = elsewhere.git("rev-parse", "HEAD")[:10]
    assert repository.label() == ("not provable here", f"commit {commit} of the results is not in this repository")


def test_a_seed_is_given_for_what_is_committed_only(repository: Repository) -> None:
    repository.declare(BEATS)
    path = repository.folder / "paper/hypotheses.yaml"
    seed = seed_of(repository.folder, path)
    repository.declare({**BEATS, "sentence": "In other words."})
    assert seed_of(repository.folder, path) == seed  # declared is what decides
    path.write_text(yaml.safe_dump({"hypotheses": [{**BEATS, "threshold": 1}]}))
    with pytest.raises(
        ConfigError, match=r"hypotheses\.yaml: beats not committed as declared; commit it, and ask again"
    ):
        seed_of(repository.folder, path)
    with pytest.raises(ConfigError, match="name that file"):
        seed_of(repository.folder, repository.folder / "other.yaml")


def test_a_broken_reference_run_or_study_of_old_is_passed_over(repository: Repository) -> None:
    repository.commit(study={"study": "small", "data": ["toy"]})
    repository.commit(reference=["nothing"])
    repository.declare(BEATS)
    repository.run()
    assert repository.label()[0] == "confirmatory"


@pytest.mark.parametrize("held", ["[]", "{", "{}", '{"values": 3}', '{"values": {}, "verdicts": [1]}'])
def test_what_is_no_value_index_has_no_labels(repository: Repository, held: str) -> None:
    repository.declare(BEATS)
    repository.run()
    (repository.root / "values.json").write_text(held)
    assert repository.said() == Declared({}, {})
