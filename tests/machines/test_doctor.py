"""`whatmoves doctor`: each planted fault is found, named with its fix, and makes the exit code 1."""

import json
import os
import shutil
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest
from tools import ROOT, run

from whatmoves.cli import main
from whatmoves.machines import doctor
from whatmoves.machines.doctor import Finding, examine


@pytest.fixture(autouse=True)
def unmeasured(monkeypatch: pytest.MonkeyPatch) -> None:
    """Without the seconds that measuring takes."""
    monkeypatch.setattr(doctor, "speed", lambda: Finding("speed", "ok", "not measured in this test"))


def ended(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str]:
    with pytest.raises(SystemExit) as exit_:
        main(["doctor", *words])
    return int(exit_.value.code or 0), capsys.readouterr().out


def test_path_without_latexmk(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}")
    code, said = ended(capsys, "--json")
    found = {finding["name"]: finding for finding in json.loads(said)["findings"]}
    assert code == 1
    assert json.loads(said)["able"] is False
    assert found["latex"]["status"] == "fault"
    assert "latexmk" in found["latex"]["found"]
    assert found["latex"]["fix"].startswith("make latex")
    assert {name for name, finding in found.items() if finding["status"] == "fault"} == {"latex"}
    assert (found["slurm"]["status"], found["git"]["status"]) == ("note", "note")
    code, said = ended(capsys)
    assert code == 1
    assert "fault latex" in said
    assert "→ make latex" in said


def test_nothing_is_missing_where_all_is_there(capsys: pytest.CaptureFixture[str], monkeypatch, tmp_path: Path) -> None:
    for name in (*doctor.LATEX_COMMANDS, "snakemake", "whatmoves"):
        (tmp_path / name).write_text('#!/bin/sh\nfor f; do echo "/tex/$f"; done\n')
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    code, said = ended(capsys)
    assert code == 0, said
    assert said.endswith("nothing needed is missing\n")


def test_latex_that_lacks_a_file(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in doctor.LATEX_COMMANDS:
        (tmp_path / name).write_text("#!/bin/sh\necho /tex/booktabs.sty\n")
        (tmp_path / name).chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    finding = doctor.latex()
    assert finding.status == "fault"
    assert finding.found.startswith("LaTeX lacks cleveref.sty, ")


def test_the_files_of_latex_are_those_that_its_installation_asks_for() -> None:
    script = (ROOT / "workflow/install/latex.sh").read_text(encoding="utf-8")
    assert " ".join(doctor.LATEX_FILES) in script
    assert all(f"command -v {name} " in script for name in doctor.LATEX_COMMANDS)


def test_a_wrong_version_and_a_missing_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert doctor.packages().status == "ok"
    planted = tmp_path / "safetensors-0.1.0.dist-info"
    planted.mkdir()
    (planted / "METADATA").write_text("Metadata-Version: 2.1\nName: safetensors\nVersion: 0.1.0\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    finding = doctor.packages()
    assert finding.status == "fault"
    assert finding.found.startswith("safetensors is 0.1.0, pinned ")
    assert finding.fix == "pip install -r requirements.txt"
    monkeypatch.setattr("whatmoves.provenance.jobs.pinned", lambda _: {f"no-such-package-{n}": "1" for n in range(7)})
    assert doctor.packages().found.endswith("no-such-package-4 is not installed and 2 more")


def test_a_disk_that_takes_no_more(tmp_path: Path) -> None:
    """A limit on the size of files is what a full disk looks like to a writer."""
    command = "from pathlib import Path; from whatmoves.machines.doctor import writing; print(writing(Path()))"
    answer = run("bash", "-c", f"ulimit -f 0; {sys.executable} -c '{command}'", folder=tmp_path)
    assert "status='fault'" in answer.stdout
    assert "File too large" in answer.stdout


def test_little_space_and_little_memory(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(shutil, "disk_usage", lambda _: SimpleNamespace(free=0.5 * doctor.GIB))
    assert doctor.disk(tmp_path).status == "fault"
    assert doctor.disk(tmp_path).found.startswith("0.5 GiB free at ")
    monkeypatch.setattr(doctor, "_cores", lambda: 16)
    for available, status, fix in (
        (0.5, "fault", "close something"),
        (3.7, "note", "snakemake --cores 3"),
        (99, "ok", ""),
    ):
        monkeypatch.setattr(doctor, "_available_gib", lambda available=available: available)
        finding = doctor.memory()
        assert (finding.status, finding.fix.endswith(fix)) == (status, True)


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_a_folder_without_permission(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir(mode=0o500)
    assert doctor.writing(tmp_path).found.endswith("results: Permission denied")


def test_a_file_in_the_place_of_a_folder_and_nothing_left_behind(tmp_path: Path) -> None:
    assert doctor.writing(tmp_path).status == "ok"
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "results").write_text("")
    assert doctor.writing(tmp_path).found.endswith("results is no folder")


def test_a_folder_for_temporary_files_that_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path / "gone"))
    assert doctor.writing(tmp_path).found.endswith("gone is not there")
    assert doctor.disk(tmp_path).status == "ok"


def test_a_broken_installation_is_told_and_not_a_traceback(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "torch", None)
    monkeypatch.delitem(sys.modules, "whatmoves.provenance.jobs", raising=False)
    monkeypatch.setitem(sys.modules, "pydantic", None)
    monkeypatch.delitem(sys.modules, "whatmoves.study", raising=False)
    found = {finding.name: finding for finding in examine(tmp_path)}
    assert found["packages"].status == "fault"
    assert found["gpu"].found == "not known: torch is not installed"


def test_every_finding_that_is_a_fault_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", "")
    faults = [finding for finding in examine(tmp_path) if finding.status == "fault"]
    assert {finding.name for finding in faults} == {"commands", "latex"}
    assert all(finding.fix for finding in faults)
