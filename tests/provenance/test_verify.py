import json
import os
import shutil
from collections.abc import Callable
from importlib.metadata import version
from pathlib import Path

import pytest
import yaml
from toy_project import Project

from whatmoves.provenance import environment
from whatmoves.provenance.receipts import recording
from whatmoves.provenance.report import Finding, Report
from whatmoves.provenance.verify import verify


def check(project: Project, paper: bool = True) -> Report:
    return verify(project.study, project.root, source=project.source, paper=paper)


def bad(report: Report) -> dict[str, Finding]:
    return {finding.name: finding for finding in report.findings if finding.status != "fresh"}


def test_what_was_just_made_is_fresh(built: Project):
    report = check(built)
    assert report.counts() == {"fresh": 1 + 6 + 3 + 1 + 2 + 1}
    assert report.exit_code == 0
    assert report.text() == "study small: 14 fresh"


def test_touching_everything_is_no_change(built: Project):
    before = check(built).as_json()
    for path in [*built.root.rglob("*"), *built.source.rglob("*.py"), built.prose]:
        os.utime(path)
    assert check(built).as_json() == before


def test_a_comment_is_no_change(built: Project):
    built.edit("models/alpha", "# note\nfrom whatmoves.models.losses.kl import kl")
    assert check(built).exit_code == 0


def test_an_edited_module_names_itself_and_what_follows(built: Project):
    built.edit("models/losses/kl", "def kl(a, b):\n    return 0")
    found = bad(check(built))
    assert found["train/toy/alpha/seed-0"].status == "stale"
    assert str(found["train/toy/alpha/seed-0"].reasons[0]) == "module whatmoves.models.losses.kl changed"
    assert set(found) == {
        *(f"train/toy/{model}/seed-{seed}" for model in ("alpha", "beta") for seed in (0, 1)),
        "evaluate/toy/alpha", "evaluate/toy/beta", "values", "figures/rollout", "figures/swaps", "paper",
    }  # fmt: skip
    assert "comes from evaluate/toy/alpha, which is stale" in str(found["values"].reasons[0])


def test_a_blessed_stale_result_stays_stale(built: Project):
    built.edit("figures/rollout", "WIDTH = 9")
    for path in built.root.rglob("*"):
        os.utime(path)  # what `snakemake --touch` does
    assert set(bad(check(built))) == {"figures/rollout", "paper"}


def test_an_edited_setting_names_key_and_values(built: Project):
    built.study = built.with_settings(training={"clips": 7})
    found = bad(check(built))
    assert str(found["train/toy/beta/seed-1"].reasons[0]) == "settings key training.clips changed from 200000 to 7"
    assert "figures/swaps" in found


def test_a_swapped_checkpoint_is_not_ours(built: Project):
    first, second = (built.root / f"train/toy/alpha/seed-{seed}" for seed in (0, 1))
    shutil.copy(second / "checkpoint.pt", first / "checkpoint.pt")
    report = check(built)
    assert bad(report)["train/toy/alpha/seed-0"].status == "not ours"
    assert "checkpoint.pt is not what the job wrote" in str(bad(report)["train/toy/alpha/seed-0"].reasons[0])
    assert "train/toy/alpha/seed-1" not in bad(report)
    assert report.exit_code == 1


def test_a_checkpoint_swapped_with_its_receipt_is_not_ours(built: Project):
    first, second = (built.root / f"train/toy/alpha/seed-{seed}" for seed in (0, 1))
    for name in ("checkpoint.pt", "receipt.json"):
        shutil.copy(second / name, first / name)
    found = bad(check(built))
    assert found["train/toy/alpha/seed-0"].status == "not ours"
    assert "evaluate/toy/alpha" in found


def test_an_edited_result_is_not_ours(built: Project):
    values = built.root / "values.json"
    values.write_text(values.read_text().replace("23.4142", "24.4142"))
    found = bad(check(built))
    assert found["values"].status == "not ours"
    assert "input values.json changed" in map(str, found["paper"].reasons)


def test_an_edited_pdf_is_not_ours_and_is_seen_only_with_the_paper(built: Project):
    (built.root / "paper/main.pdf").write_text("other")
    assert bad(check(built))["paper"].status == "not ours"
    assert check(built, paper=False).exit_code == 0


def test_edited_prose_makes_the_paper_stale(built: Project):
    built.prose.write_text("Another paper.")
    assert [str(reason) for reason in bad(check(built))["paper"].reasons] == ["input ../../paper/main.tex.j2 changed"]


def test_edited_timings_make_what_prints_them_stale(built: Project):
    (built.root / "train/toy/alpha/seed-0/timings.json").write_text("{}")
    assert set(bad(check(built))) == {"paper"}


def test_a_table_of_times_proves_nothing_and_needs_no_proof(built: Project):
    for name in ("efficiency.json", "efficiency.csv", "efficiency.md"):
        (built.root / name).write_text("measured by another clock")
    assert check(built).exit_code == 0


def test_a_result_remade_with_other_bytes_makes_its_users_stale(built: Project):
    data = built.root / "data/toy/test.npz"
    w = {"dataset": "toy"}
    with recording(
        "data", built.study, w, inputs=[], outputs=[data], receipt=data.with_name("receipt.json"), root=built.root,
        source=built.source,
    ):  # fmt: skip
        data.write_text("from another machine")
    found = bad(check(built))
    assert "data/toy" not in found
    assert "input data/toy/test.npz changed" in map(str, found["train/toy/gamma/seed-1"].reasons)
    assert len(found) == 13


def test_an_upgraded_package_is_named(built: Project):
    lock = built.folder / "requirements.txt"
    lock.write_text(lock.read_text().replace("torch==2.13.0", "torch==2.14.0"))
    reason = bad(check(built))["train/toy/alpha/seed-0"].reasons[0]
    assert str(reason) == 'environment: torch changed from "2.13.0" to "2.14.0"'


def ran_with(project: Project, **versions: str) -> None:
    """Let the receipt of one training say that other versions ran."""
    path = project.root / "train/toy/alpha/seed-0/receipt.json"
    receipt = json.loads(path.read_text())
    receipt["run"]["versions"] |= versions
    path.write_text(json.dumps(receipt))


def test_what_another_version_than_the_pinned_one_made_is_stale(built: Project):
    ran_with(built, torch="2.12.1", numpy="2.4.6rc1")
    found = bad(check(built))
    assert [str(reason) for reason in found["train/toy/alpha/seed-0"].reasons] == [
        "numpy 2.4.6rc1 ran where 2.4.6 was pinned: pip install -r requirements.txt, and make it again",
        "torch 2.12.1 ran where 2.13.0 was pinned: pip install -r requirements.txt, and make it again",
    ]
    assert set(found) == {
        "train/toy/alpha/seed-0", "evaluate/toy/alpha", "values", "figures/rollout", "figures/swaps", "paper"
    }  # fmt: skip
    assert check(built).exit_code == 1


def test_a_build_of_the_pinned_version_is_that_version(built: Project):
    ran_with(built, torch="2.13.0+cu128")
    assert check(built).text() == "study small: 14 fresh"


def test_other_versions_installed_since_are_told_and_make_nothing_stale(
    built: Project, monkeypatch: pytest.MonkeyPatch
):
    before = check(built).as_json()
    here = {"torch": "2.14.0", "numpy": "2.4.6"}
    monkeypatch.setattr("whatmoves.provenance.verify.installed", lambda names: here)
    report = check(built)
    assert report.exit_code == 0
    assert report.as_json() == before
    assert report.text().splitlines() == [
        f"note      torch 2.14.0 is installed here, but 6 results were made with {version('torch')}; before more are "
        "made: pip install -r requirements.txt",
        "study small: 14 fresh",
    ]


@pytest.mark.parametrize(
    ("found", "pin", "same"),
    [
        ("2.13.0", "2.13.0", True),
        ("2.13.0+cu128", "2.13.0", True),
        ("2.13.0+cu128", "2.13.0+cpu", False),
        ("2.13", "2.13.0", True),
        ("2.13.1", "2.13.0", False),
        ("2.13.1", "2.13.*", True),
        ("2.13.0rc1", "2.13.0", False),
        ("2.13.0.dev20260101", "2.13.*", True),
        ("of our own", "of our own", True),
        ("of our own", "2.13.0", False),
    ],
)
def test_which_versions_a_pin_means(found: str, pin: str, same: bool):
    assert environment.meets(found, pin) == same


@pytest.mark.parametrize(
    ("spoil", "name", "status"),
    [
        (lambda root: (root / "train/toy/alpha/seed-0/receipt.json").unlink(), "train/toy/alpha/seed-0", "missing"),
        (lambda root: (root / "train/toy/alpha/seed-0/checkpoint.pt").unlink(), "train/toy/alpha/seed-0", "missing"),
        (lambda root: (root / "values.receipt.json").write_text("{}"), "values", "not ours"),
        (lambda root: (root / "figures/extra.pdf").write_text("x"), "figures/extra.pdf", "not ours"),
        (lambda root: (root / "figures/rollout.receipt.json").unlink(), "figures/rollout.pdf", "not ours"),
    ],
)
def test_what_is_gone_or_foreign_is_named(built: Project, spoil: Callable[[Path], None], name: str, status: str):
    spoil(built.root)
    report = check(built)
    assert bad(report)[name].status == status
    assert report.exit_code == 1


def test_a_figure_without_receipt_proves_nothing_to_the_paper(built: Project):
    (built.root / "figures/rollout.receipt.json").unlink()
    assert "input figures/rollout.pdf has no receipt" in map(str, bad(check(built))["paper"].reasons)


def test_a_receipt_of_another_figure_proves_nothing(built: Project):
    shutil.copy(built.root / "figures/rollout.receipt.json", built.root / "figures/swaps.receipt.json")
    assert "proves nothing: receipt of figure" in str(bad(check(built))["figures/swaps"].reasons[0])


def test_code_that_cannot_be_followed_cannot_be_told(built: Project):
    built.edit("paper/build", "import importlib")
    report = check(built)
    assert bad(report)["paper"].status == "could not tell"
    assert report.exit_code == 2


def test_no_results_cannot_be_told(project: Project):
    report = check(project)
    assert set(report.counts()) == {"missing"}
    assert report.exit_code == 2


def test_runs_the_study_no_longer_has_are_unused(built: Project):
    built.study = built.with_settings(models={"alpha": {"trains_on": ["toy"]}, "beta": {"trains_on": ["toy"]}})
    found = bad(check(built))
    assert found["train/toy/gamma/seed-0"].status == "unused"
    built.study = built.with_settings(seeds=[0])
    assert bad(check(built))["train/toy/gamma/seed-1"].status == "unused"


def test_the_resolved_settings_beside_the_results_must_be_the_study(built: Project):
    settings = built.study.model_dump(mode="json")
    config = built.root / "config.yaml"
    config.write_text(yaml.safe_dump(settings))
    assert check(built).exit_code == 0
    config.write_text(yaml.safe_dump({**settings, "seeds": [0]}))
    assert [str(r) for r in bad(check(built))["config.yaml"].reasons] == [
        "settings key seeds changed from [0] to [0,1]"
    ]
    config.write_text("a: [")
    assert bad(check(built))["config.yaml"].status == "not ours"


def test_the_report_is_plain_and_the_same_each_time(built: Project):
    built.edit("models/alpha", "X = 1")
    first, second = check(built).as_json(), check(built).as_json()
    assert first == second
    run = next(row for row in first["results"] if row["result"] == "train/toy/alpha/seed-0")
    assert {"cause": "code", "what": "whatmoves.models.alpha"}.items() <= run["reasons"][0].items()


def test_the_text_is_one_line_a_result(built: Project):
    built.edit("figures/rollout", "WIDTH = 9")
    built.study = built.with_settings(paper={"title": "Other"})
    assert check(built).text().splitlines() == [
        "stale     figures/rollout: module whatmoves.figures.rollout changed",
        'stale     paper: settings key paper.title changed from "What Moves" to "Other"',
        "study small: 12 fresh, 2 stale",
    ]
