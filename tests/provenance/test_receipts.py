import json
import subprocess
from hashlib import sha256
from pathlib import Path

import pytest
from toy_project import Project

from whatmoves.errors import DataError, ProofError
from whatmoves.provenance.jobs import read_fingerprint
from whatmoves.provenance.receipts import checksum, git_state, read_receipt, receipt_core, recording

DATA = {"dataset": "toy"}
TRAIN = {"dataset": "toy", "model": "alpha", "seed": "0"}


def run_with(project: Project, kind: str, wildcards: dict[str, str], meanwhile: object = None) -> Path:
    """Run a job and do something in its middle; gives the receipt's path."""
    inputs, outputs = project.files(kind, wildcards)
    receipt = outputs[0].with_name("receipt.json")
    with recording(
        kind, project.study, wildcards, inputs=inputs, outputs=outputs, receipt=receipt, root=project.root,
        source=project.source,
    ):  # fmt: skip
        for path in outputs:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text("made")
        if callable(meanwhile):
            meanwhile()
    return receipt


def test_a_receipt_says_what_the_result_is_made_of(project: Project):
    project.run("data", DATA)
    core = read_receipt(run_with(project, "train", TRAIN))["core"]
    assert {"whatmoves.models.alpha", "whatmoves.models.losses.kl", "whatmoves.training.train"} <= set(core["code"])
    assert "whatmoves.models.beta" not in core["code"]
    assert core["settings"]["seed"] == 0
    assert core["environment"] == {"numpy": "2.4.6", "torch": "2.13.0"}
    assert set(core["inputs"]) == {"data/toy/test.npz"}
    made = core["outputs"]["train/toy/alpha/seed-0/checkpoint.pt"]
    assert made == {"sha256": sha256(b"made").hexdigest(), "size": 4}


def test_two_runs_have_equal_cores_and_say_when_they_ran(project: Project):
    project.run("data", DATA)
    receipt = run_with(project, "train", TRAIN)
    first, first_run = receipt_core(receipt), read_receipt(receipt)["run"]
    run_with(project, "train", TRAIN)
    assert receipt_core(receipt) == first
    assert first_run["peak_memory_bytes"] > 2**20
    assert first_run["versions"]["python"].startswith("3.")
    assert first_run["started"] <= first_run["ended"]
    assert not {"started", "host", "git", "versions", "device", "command"} & set(json.loads(first))


def test_code_changed_while_waiting_stops_the_job_before_it_starts(project: Project):
    planned = read_fingerprint(project.study, "data", DATA, project.source).digest
    project.edit("data/toy", "import numpy as np\n\nSIZE = 4")
    with pytest.raises(
        ProofError, match=r"data/toy: code \(last edited: whatmoves\.data\.toy\) changed while the job waited; run"
    ):
        project.run("data", DATA, expect=planned)
    assert not (project.root / "data/toy/test.npz").exists()


def test_settings_changed_while_waiting_are_named(project: Project):
    planned = read_fingerprint(project.study, "data", DATA, project.source).digest
    project.study = project.with_settings(data={"toy": {"options": {"size": 4}}})
    with pytest.raises(ProofError, match="data/toy: settings changed while the job waited"):
        project.run("data", DATA, expect=planned)


def test_an_unchanged_tree_meets_what_was_planned(project: Project):
    project.run("data", DATA, expect=read_fingerprint(project.study, "data", DATA, project.source).digest)
    assert (project.root / "data/toy/receipt.json").exists()


def test_code_changed_while_running_removes_the_result_and_names_the_module(project: Project):
    project.run("data", DATA)
    with pytest.raises(ProofError, match=r"seed-0: whatmoves\.models\.losses\.kl changed while the job ran"):
        run_with(project, "train", TRAIN, lambda: project.edit("models/losses/kl", "def kl(a, b):\n    return 0"))
    assert list((project.root / "train/toy/alpha/seed-0").iterdir()) == []


def test_a_comment_written_while_running_is_no_change(project: Project):
    project.run("data", DATA)
    assert run_with(project, "train", TRAIN, lambda: project.edit("models/losses/mse", "# later")).exists()
    text = "# note\nfrom whatmoves.models.losses.kl import kl"
    assert run_with(project, "train", TRAIN, lambda: project.edit("models/alpha", text)).exists()


def test_an_input_changed_while_running_removes_the_result(project: Project):
    project.run("data", DATA)
    data = project.root / "data/toy/test.npz"
    with pytest.raises(ProofError, match=r"test\.npz changed while the job ran"):
        run_with(project, "train", TRAIN, lambda: data.write_text("other"))


def test_an_input_touched_while_running_is_no_change(project: Project):
    project.run("data", DATA)
    data = project.root / "data/toy/test.npz"
    assert run_with(project, "train", TRAIN, lambda: data.write_bytes(data.read_bytes())).exists()


def test_a_job_that_fails_leaves_no_receipt_and_no_old_one(project: Project):
    project.run("data", DATA)
    receipt = run_with(project, "train", TRAIN)
    with pytest.raises(ZeroDivisionError):
        run_with(project, "train", TRAIN, lambda: 1 / 0)
    assert not receipt.exists()


def test_a_missing_input_is_an_error_that_names_it(project: Project):
    with pytest.raises(DataError, match=r"test\.npz: no such file; run the step that makes it"):
        project.run("train", TRAIN)


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"core": {"format": 2}, "run": {}}', '{"core": {"format": 1}, "run": {}}', "\x00"]
)
def test_what_is_no_receipt_is_refused(tmp_path: Path, text: str):
    (tmp_path / "receipt.json").write_text(text)
    with pytest.raises(ProofError, match=r"receipt\.json: "):
        read_receipt(tmp_path / "receipt.json")


def test_git_state_is_that_of_the_projects_own_repository(tmp_path: Path):
    assert git_state(tmp_path) is None
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "init", "-q"], check=True)
    (tmp_path / "a").write_text("1")
    subprocess.run([*git, "add", "a"], check=True)
    subprocess.run([*git, "commit", "-qm", "one"], check=True)
    state = git_state(tmp_path)
    assert state is not None
    assert len(state["commit"]) == 40
    assert state["dirty"] is False
    (tmp_path / "a").write_text("2")
    assert git_state(tmp_path) == {**state, "dirty": True}
    (tmp_path / "inner").mkdir()
    assert git_state(tmp_path / "inner") is None


def test_a_folder_is_known_by_the_names_and_contents_below_it(tmp_path: Path):
    folder = tmp_path / "sample"
    (folder / "frames").mkdir(parents=True)
    (folder / "frames/1.png").write_bytes(b"one")
    (folder / "log").write_bytes(b"two")
    before = checksum(folder)
    assert before["files"] == 2
    (folder / "log").write_bytes(b"two")
    assert checksum(folder) == before
    (folder / "frames/1.png").rename(folder / "frames/2.png")
    renamed = checksum(folder)
    (folder / "log").write_bytes(b"three")
    assert len({before["tree"], renamed["tree"], checksum(folder)["tree"]}) == 3


def test_a_folder_made_from_code_that_moved_is_removed(project: Project):
    data = project.root / "data/toy"

    def make() -> None:
        outputs = [data / "test.npz", data / "sample"]
        with recording(
            "data", project.study, DATA, inputs=[], outputs=outputs, receipt=data / "receipt.json",
            root=project.root, source=project.source,
        ):  # fmt: skip
            (data / "sample").mkdir(parents=True)
            (data / "sample/1.png").write_bytes(b"one")
            project.edit("data/toy", "import numpy as np\n\nSIZE = 4")

    with pytest.raises(ProofError, match="changed while the job ran, so its result is removed"):
        make()
    assert not (data / "sample").exists()


def test_git_state_is_read_whoever_owns_the_clone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    git = ["git", "-C", str(tmp_path), "-c", "user.name=a", "-c", "user.email=a@b"]
    subprocess.run([*git, "init", "-q"], check=True)
    subprocess.run([*git, "commit", "-qm", "one", "--allow-empty"], check=True)
    monkeypatch.setenv("GIT_TEST_ASSUME_DIFFERENT_OWNER", "1")  # git's own switch: as if another user owned it
    refused = subprocess.run([*git, "rev-parse", "HEAD"], capture_output=True, text=True, check=False)
    assert "dubious ownership" in refused.stderr or "unsafe repository" in refused.stderr
    state = git_state(tmp_path)
    assert state is not None
    assert len(state["commit"]) == 40


def test_a_repository_that_git_does_not_read_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture):
    (tmp_path / ".git").write_text("gitdir: nowhere")
    state = git_state(tmp_path)
    assert state is not None
    assert list(state) == ["unread"]
    assert "not a git repository" in state["unread"]
    assert len(caplog.messages) == 1
    assert "the receipt names no commit" in caplog.messages[0]
