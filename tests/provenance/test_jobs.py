import ast
import inspect
import re
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from toy_project import Project

from whatmoves.errors import ConfigError
from whatmoves.layout import JUDGED_FLOORS, judged_rows
from whatmoves.plugins import figure_kinds, model_kinds, module_path
from whatmoves.provenance.closure import closure, source_folder
from whatmoves.provenance.jobs import SPELLED_OUT, expected_jobs, read_fingerprint
from whatmoves.provenance.kinds import KINDS
from whatmoves.study import DataSet, Evaluation, ModelEntry, Study, Training, TrainingOverrides

Jobs = dict[str, str]


def digests(study: Study, source: Path, jobs: list[tuple[str, dict[str, str]]]) -> Jobs:
    return {
        " ".join([kind, *wildcards.values()]): read_fingerprint(study, kind, wildcards, source).digest
        for kind, wildcards in jobs
    }


def changed(before: Jobs, after: Jobs) -> set[str]:
    return {name for name in before if before[name] != after[name]}


ALL = {
    "data toy", "analyse", "figure rollout", "figure swaps", "paper",
    *(f"train toy {m} {s}" for m in ("alpha", "beta", "gamma") for s in (0, 1)),
    *(f"evaluate toy {m}" for m in ("alpha", "beta", "gamma")),
}  # fmt: skip
TRAIN = {name for name in ALL if name.startswith("train")}
EVALUATE = {name for name in ALL if name.startswith("evaluate")}
SHOWN = {"analyse", "figure rollout", "figure swaps", "paper"}


def of(*models: str) -> set[str]:
    return {name for name in TRAIN | EVALUATE if name.split()[2] in models}


@pytest.mark.parametrize(
    ("module", "text", "users"),
    [
        ("models/alpha", "from whatmoves.models.losses.kl import kl\nX = 1", of("alpha")),
        ("models/losses/kl", "def kl(a, b):\n    return b - a", of("alpha", "beta")),
        ("models/losses/mse", "def mse(a, b):\n    return abs(a - b)", of("beta", "gamma")),
        ("models/losses/mse", 'def mse(a, b):\n    """Squared."""\n    return (a - b) ** 2  # error', set()),
        ("data/toy", "import numpy as np\n\nSIZE = 4", {"data toy"} | TRAIN | EVALUATE),
        ("training/train", "import torch\nfrom whatmoves.plugins import load", TRAIN),
        ("study", "from whatmoves.settings import Settings\nX = 1", set()),
        ("evaluation/evaluate", "X = 1", EVALUATE),
        ("analysis/values", "STEPS = 3", {"analyse"}),
        ("figures/rollout", "WIDTH = 3", {"figure rollout"}),
        ("figures/style", "import matplotlib\nX = 1", {"figure rollout", "figure swaps"}),
        ("models/delta", "X = 1", set()),
    ],
)
def test_an_edit_reruns_exactly_its_users(project: Project, module: str, text: str, users: set[str]):
    before = digests(project.study, project.source, project.jobs())
    assert set(before) == ALL
    project.edit(module, text)
    assert changed(before, digests(project.study, project.source, project.jobs())) == users


MODELS = {name: {"trains_on": ["toy"]} for name in ("alpha", "beta", "gamma")}


@pytest.mark.parametrize(
    ("settings", "users"),
    [
        ({"training": {"clips": 7}}, TRAIN | {"paper"}),
        (
            {"models": {**MODELS, "alpha": {"trains_on": ["toy"], "training": {"clips": 7}}}},
            {"paper"} | of("alpha") & TRAIN,
        ),
        ({"models": {**MODELS, "beta": {"trains_on": ["toy"], "options": {"width": 7}}}}, {"paper"} | of("beta")),
        ({"models": {**MODELS, "beta": {"trains_on": ["toy"], "label": "B"}}}, SHOWN),
        ({"models": {**MODELS, "new": {"kind": "alpha", "trains_on": ["toy"]}}}, SHOWN),
        ({"evaluation": {"bootstrap": 100}}, {"analyse", "paper"}),
        ({"evaluation": {"swap_pairs": 4}}, EVALUATE | {"paper"}),
        ({"seeds": [0, 1, 2]}, EVALUATE | SHOWN),
        ({"data": {"toy": {"options": {"size": 4}}}}, {"data toy", "paper"} | TRAIN | EVALUATE),
        ({"paper": {"title": "Other"}}, {"paper"}),
        ({"description": "Other."}, {"paper"}),
        ({}, set()),
    ],
)
def test_a_setting_reruns_exactly_its_users(project: Project, settings: dict[str, object], users: set[str]):
    before = digests(project.study, project.source, project.jobs())
    after = digests(project.with_settings(**settings), project.source, project.jobs())
    assert changed(before, after) == users


@pytest.mark.parametrize(
    ("old", "new", "users"),
    [
        ("torch==2.13.0", "torch==2.14.0", TRAIN),
        ("matplotlib==3.11.2", "matplotlib==3.12", {"figure rollout", "figure swaps"}),
        ("# a comment", "# another", set()),
        ("numpy", "unrelated==1\nnumpy", set()),
    ],
)
def test_a_pin_reruns_what_imports_the_package(project: Project, old: str, new: str, users: set[str]):
    before = digests(project.study, project.source, project.jobs())
    lock = project.folder / "requirements.txt"
    lock.write_text(lock.read_text().replace(old, new))
    assert changed(before, digests(project.study, project.source, project.jobs())) == users


def test_two_entries_with_equal_settings_are_two_jobs(project: Project):
    study = project.with_settings(models={name: {"kind": "alpha", "trains_on": ["toy"]} for name in ("one", "two")})
    jobs = [("train", {"dataset": "toy", "model": name, "seed": "0"}) for name in ("one", "two")]
    assert len(set(digests(study, project.source, jobs).values())) == 2
    study = project.with_settings(data={name: {"kind": "toy"} for name in ("toy", "same")})
    jobs = [("data", {"dataset": name}) for name in ("toy", "same")]
    assert len(set(digests(study, project.source, jobs).values())) == 2


def test_an_unknown_model_is_a_config_error(project: Project):
    with pytest.raises(ConfigError, match=r"'delta' is no model of this study; known: alpha, beta, gamma"):
        read_fingerprint(project.study, "evaluate", {"dataset": "toy", "model": "delta"}, project.source)


def test_floor_rows_have_fingerprints_although_they_are_no_models(project: Project):
    found = read_fingerprint(project.study, "floor", {"dataset": "toy", "model": "blank"}, project.source)
    assert "whatmoves.evaluation.floors" in found.code
    assert found.settings["floor"] == "blank"


def real_study() -> Study:
    models = {kind: {"trains_on": ["moving_digits"]} for kind in model_kinds()}
    return Study.model_validate({"study": "all", "seeds": [0], "data": {"moving_digits": {}}, "models": models})


def test_an_entry_that_is_not_judged_is_trained_and_evaluated_all_the_same():
    study = real_study()
    left_out = study.models["pca"].model_copy(update={"judged": False})
    unjudged = study.model_copy(update={"models": {**study.models, "pca": left_out}})
    asked = [(kind, {"dataset": "moving_digits", "model": "pca"}) for kind in ("judge", "exchange")]
    assert [job for job in expected_jobs(study) if job not in asked] == expected_jobs(unjudged)
    assert judged_rows(study, "moving_digits") == [*study.models, JUDGED_FLOORS]
    assert judged_rows(unjudged, "moving_digits") == [*(name for name in study.models if name != "pca"), JUDGED_FLOORS]
    train = {"dataset": "moving_digits", "model": "pca", "seed": "0"}
    assert read_fingerprint(study, "train", train) == read_fingerprint(unjudged, "train", train)


@pytest.fixture
def real_source(tmp_path: Path) -> Path:
    shutil.copytree(source_folder() / "whatmoves", tmp_path / "src" / "whatmoves")
    return tmp_path / "src"


def real_jobs(study: Study) -> list[tuple[str, dict[str, str]]]:
    return [*expected_jobs(study), *(("figure", {"figure": name}) for name in figure_kinds())]


def edited(source: Path, module: str, edit: Callable[[str], str]) -> None:
    path = source.joinpath(*module.split(".")).with_suffix(".py")
    path.write_text(edit(path.read_text()))


@pytest.mark.parametrize("model", model_kinds())
def test_in_the_real_tree_editing_a_model_retrains_it_alone(real_source: Path, model: str):
    study = real_study()
    before = digests(study, real_source, real_jobs(study))
    edited(real_source, module_path("models", model), lambda text: text + "\nEDITED = 1\n")
    after = changed(before, digests(study, real_source, real_jobs(study)))
    assert {name for name in after if name.startswith("train")} == {f"train moving_digits {model} 0"}
    assert {name for name in after if name.startswith("evaluate")} == {f"evaluate moving_digits {model}"}


def test_in_the_real_tree_a_comment_anywhere_reruns_nothing(real_source: Path):
    study = real_study()
    before = digests(study, real_source, real_jobs(study))
    for path in real_source.rglob("*.py"):
        path.write_text("# A note at the top.\n" + path.read_text() + "\n\n# And one at the end.\n")
    assert changed(before, digests(study, real_source, real_jobs(study))) == set()


def test_in_the_real_tree_editing_a_figure_redraws_it_alone(real_source: Path):
    study = real_study()
    for figure in figure_kinds():
        before = digests(study, real_source, real_jobs(study))
        edited(real_source, f"whatmoves.figures.{figure}", lambda text: text + "\nEDITED = 1\n")
        after = changed(before, digests(study, real_source, real_jobs(study)))
        assert {name for name in after if name.startswith("figure")} == {f"figure {figure}"}
        assert not any(name.startswith(("train", "evaluate", "data")) for name in after)


def test_in_the_real_tree_editing_a_loss_retrains_those_that_name_it(real_source: Path):
    study = real_study()
    losses = [p.stem for p in (real_source / "whatmoves/models/losses").glob("*.py") if p.stem != "__init__"]
    for loss in losses:
        before = digests(study, real_source, real_jobs(study))
        edited(real_source, f"whatmoves.models.losses.{loss}", lambda text: text + "\nEDITED = 1\n")
        after = changed(before, digests(study, real_source, real_jobs(study)))
        named = re.compile(rf"losses(\.{loss}\b| import .*\b{loss}\b)")
        files = {kind: real_source / "whatmoves/models" / f"{kind}.py" for kind in study.models}
        users = {f"train moving_digits {kind} 0" for kind, path in files.items() if named.search(path.read_text())}
        assert users <= after, loss
        assert {n for n in after if n.startswith("train")} != {n for n in before if n.startswith("train")}, loss


def test_in_the_real_tree_no_job_depends_on_commands_or_provenance():
    study = real_study()
    for kind, wildcards in real_jobs(study):
        modules = read_fingerprint(study, kind, wildcards).code
        assert not [m for m in modules if m.startswith(("whatmoves.commands", "whatmoves.cli"))], kind
        assert kind == "paper" or not [m for m in modules if m.startswith("whatmoves.provenance")], kind


def test_in_the_real_tree_a_job_reads_only_the_settings_in_its_fingerprint():
    """Names of evaluation settings that a job's code reads must stand in its settings."""
    study, root = real_study(), source_folder()
    own = set(Evaluation.model_fields) - {"batch_size"}  # training has a batch size too
    for kind, wildcards in real_jobs(study):
        fingerprint = read_fingerprint(study, kind, wildcards)
        read: set[str] = set()
        for module in fingerprint.code:
            path = root.joinpath(*module.split(".")).with_suffix(".py")
            if path.is_file() and module.startswith(
                ("whatmoves.evaluation", "whatmoves.analysis", "whatmoves.figures")
            ):
                nodes = ast.walk(ast.parse(path.read_bytes()))
                read |= {n.attr for n in nodes if isinstance(n, ast.Attribute) and n.attr in own}
        assert read <= set(fingerprint.settings.get("evaluation", {})), kind


def test_the_types_of_the_study_stay_small_enough_to_leave_out():
    """What is left out of every closure may hold settings and nothing that computes a result."""
    imported = set(closure(list(SPELLED_OUT)))
    assert imported == {"whatmoves", "whatmoves.study", "whatmoves.settings"}


def test_every_kind_has_a_receipt_of_its_own_place():
    places = {kind.receipt for kind in KINDS.values()}
    assert len(places) == len(KINDS) - 1  # a floor stands where a model would


@pytest.mark.parametrize("settings", [DataSet, ModelEntry, TrainingOverrides, Training, Evaluation])
def test_settings_hold_no_logic_that_no_fingerprint_covers(settings: type) -> None:
    """The text of study.py counts as nobody's code: what is computed there must be seen in a job's settings."""
    own = [thing for thing in vars(settings).values() if inspect.isfunction(thing)]
    assert [function.__name__ for function in own if function.__module__ == Study.__module__] == []
