"""The mnist study as it is shipped: pages say what its archive holds, and its paper is built without training."""

import tarfile
from pathlib import Path

import pytest
from tools import ROOT, run

from whatmoves.layout import Layout
from whatmoves.loading import load_study
from whatmoves.paper.summary import Summary, summary

ARCHIVE = ROOT / "paper/reference/mnist.tar.gz"
STUDY = ROOT / "config/mnist.yaml"


@pytest.fixture
def found(tmp_path: Path) -> Summary:
    with tarfile.open(ARCHIVE) as tar:
        values = tar.extractfile("values.json")
        assert values is not None
        (tmp_path / "values.json").write_bytes(values.read())
    return summary(load_study(STUDY), Layout(tmp_path))


def test_pages_say_what_the_archive_holds(found: Summary) -> None:
    for page in ("README.md", "docs/mnist.md"):
        assert found.markdown() in (ROOT / page).read_text(encoding="utf-8"), page
    assert found.verdicts_markdown() in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")


def test_the_archive_is_small_and_holds_neither_weights_nor_clips_nor_places_of_a_machine() -> None:
    assert ARCHIVE.stat().st_size < 10e6
    with tarfile.open(ARCHIVE) as tar:
        for member in tar:
            drawn = member.name.startswith(("figures/", "animations/"))
            assert not member.name.endswith(".pt")
            assert drawn or not member.name.endswith(".npz"), "only what figures draw"
            content = tar.extractfile(member)
            assert content is not None
            if member.name.endswith(".json"):
                assert not any(place in content.read() for place in (b'"/home', b'"/root', b'"/tmp'))


@pytest.mark.slow
def test_the_paper_is_built_from_the_archive_without_training_at_the_commit_that_shipped_it(tmp_path: Path) -> None:
    commit = ARCHIVE.with_name("mnist.commit").read_text(encoding="utf-8").strip()
    if run("git", "cat-file", "-e", commit, folder=ROOT, expect=None).returncode:
        pytest.skip("this clone lacks the history in which the answer was shipped")
    clone = tmp_path / "answer"
    script = ROOT / "workflow/install/answer.sh"
    answer = run("bash", str(script), str(ARCHIVE.relative_to(ROOT)), "config/mnist.yaml", str(clone), folder=ROOT)
    assert "] train " not in answer.stdout + answer.stderr
    assert "left out  48 checkpoints" in answer.stdout
    assert (clone / "paper/main.pdf").stat().st_size > 1e6
