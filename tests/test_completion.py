"""`whatmoves completion`: what bash completes by, tried in bash; the other shells' scripts name the same."""

import shutil
from pathlib import Path

import pytest
from tools import run

from whatmoves.cli import COMMANDS


def script(shell: str, folder: Path) -> str:
    return run("whatmoves", "completion", shell, folder=folder).stdout


@pytest.mark.skipif(shutil.which("bash") is None, reason="there is no bash")
@pytest.mark.parametrize(
    ("typed", "expected"),
    [
        ("expo", {"export"}),
        ("verify --re", {"--results", "--rerun"}),
        ("data in", {"info"}),
        ("encode ", {"clips.npz"}),
        ("encode clips.npz --device ", {"auto", "cpu", "cuda", "mps"}),
    ],
)
def test_bash_completes(typed: str, expected: set[str], tmp_path: Path) -> None:
    (tmp_path / "script").mkdir()
    (tmp_path / "script/it").write_text(script("bash", tmp_path), encoding="utf-8")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "clips.npz").write_text("")
    words = ["whatmoves", *typed.split(" ")]
    typing = f"COMP_WORDS=({' '.join(words[:-1])} '{words[-1]}'); COMP_CWORD={len(words) - 1}"
    call = f"_shtab_whatmoves whatmoves '{words[-1]}' '{words[-2]}'"
    line = f'source ../script/it; {typing}; {call}; printf "%s\\n" "${{COMPREPLY[@]}}"'
    assert set(run("bash", "-c", line, folder=folder).stdout.split()) == expected


@pytest.mark.parametrize("shell", ["zsh", "fish"])
def test_other_shells_are_told_every_command(shell: str, tmp_path: Path) -> None:
    said = script(shell, tmp_path)
    assert [name for name in COMMANDS if name not in said] == []
    assert "no-such-option" not in said
    assert "num-samples" in said
