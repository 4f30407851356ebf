"""Nothing that a study file says is found wrong only while it runs.

Every function of the floors below the check that refuses a study (`raise ConfigError`) stands in one of two tables:
CAUGHT, with changes to a small study for which `whatmoves studies --check` ends in that very line, or ONLY_RUNNING,
with the reason why no study file can lead there. What reads files (`DataError`, …) is not of the study.
"""

import ast
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from test_needs import CAPSULES, JEPA, TABLE, TINY, changed, check

from whatmoves.errors import ConfigError
from whatmoves.provenance.closure import source_folder

FLOORS = ("data", "models", "training", "evaluation", "planning", "judging", "analysis", "figures", "paper")
STAGES = {"models.baseline_vae.options.channels": [4, 4, 4, 4, 4]}
TINYDREAMS, CVAE, WHERE = (TINY["models"][name] for name in ("tinydreams", "cvae", "what_where_vae"))
SHORT = {"data.digits.past_frames": 1}
PUSHED = {"data.push_world": TINY["data"]["push_world"], "models.cvae_push": TINY["models"]["cvae_push"]}

CAUGHT: dict[str, dict[str, Any]] = {
    "data/needs.py:check": {"data.digits.past_frames": 6},
    "data/needs.py:_require_files": {"data.drive": {"kind": "recordings", "options": {"folder": "nowhere"}}},
    "evaluation/needs.py:check": {"evaluation.measures": ["no.such"]},
    "evaluation/needs.py:_large_enough": {"data.digits.options.image_px": 10},
    "evaluation/needs.py:_enough_pairs": {"evaluation.swap_pairs": 1500},
    "evaluation/needs.py:_can_answer": {"models.tinydreams": TINYDREAMS, **SHORT},
    "analysis/needs.py:check": {"seeds": list(range(21))},
    "planning/needs.py:check": {**PUSHED, "planning.moved": 0.9, "planning.tasks": 2},
    "planning/tasks.py:tasks_of": {**PUSHED, "planning.commands": 5},
    "paper/needs.py:check": {"paper.title": "\u0e01"},  # Thai: its letters change shape, or no font has them
    "paper/needs.py:_check_labels": {"models.mean_frame.label": "baseline vae"},
    "models/blocks.py:check_stages": STAGES,
    "models/capsule_transformer.py:_check": {"models.capsules": {"kind": "capsule_transformer"}},
    "models/capsule_transformer.py:Model.predict": {"models.capsule_transformer": CAPSULES, **SHORT},
    "models/cvae.py:Model.loss": {"models.cvae": CVAE | {"training": {"batch_size": 1}}},
    "models/cvae.py:_check": {"models.cvae": changed(CVAE, "options.past_frames", 6)},
    "models/jepa.py:Model.detection_targets": {
        "data.table": {"kind": "push_world", **TABLE},
        "models.jepa": JEPA | {"trains_on": ["table"]},
    },
    "models/jepa.py:Model.predict": {"models.jepa": JEPA, **SHORT},
    "models/jepa.py:_check": {"models.jepa": changed(JEPA, "options.steps", 5)},
    "models/tinydreams.py:Model.predict": {"models.tinydreams": TINYDREAMS, **SHORT},
    "models/tinydreams.py:_check": {"models.tinydreams": changed(TINYDREAMS, "options.past_frames", 6)},
    "models/what_where_vae.py:Model.__init__": {"models.what_where_vae": changed(WHERE, "options.window_px", 7)},
    "training/estimate.py:_needs_two_values": {
        "models.m": {
            "kind": "disentangled_vae",
            "options": {"channels": [4, 4, 4, 4], "motion_channels": [4], "features": 8, "hidden": 4},
            "training": {"batch_size": 1},
        },
    },
    "training/estimate.py:try_on_shapes": STAGES,
    "training/needs.py:check": {"training.clips": 1},
    "training/optimiser.py:learning_rate": {"training": {"schedule": "exponential", "final_fraction": 0}},
}

ONLY_RUNNING = {
    "analysis/hypotheses.py:load_hypotheses": "the hypotheses are a file of their own; the check reads it",
    "evaluation/prediction.py:predicted": "for callers from Python; the check refuses such a past (data/needs.py)",
    "figures/animations.py:make_animation": "--animation is of the command line",
    "models/cvae.py:Model._conditions": "batches without the actions that their shape promises: a data kind's fault",
    "models/disentangled_vae.py:Model.__init__": "clips of 1 frame: no data kind here has them",
    "models/pca.py:Model.__init__": "clips of 1 frame: no data kind here has them",
    "models/tinydreams.py:Model._actions": "batches without the actions that their shape promises: a data kind's fault",
    "models/tinydreams.py:Model._windows": "a clip of another length than the data set's: for callers from Python",
    "training/history.py:open_tensorboard": "a package is missing; the check looks for it first (training/needs.py)",
    "training/runtime.py:choose_device": "--device is of the command line, and what there is of the machine",
    "training/train.py:train": "names on the command line",
}


def refusing() -> Iterator[str]:
    """`floor/file.py:function` of every function that raises `ConfigError`."""

    def inside(node: ast.AST, name: str, place: str) -> Iterator[str]:
        for child in ast.iter_child_nodes(node):
            named = isinstance(child, ast.FunctionDef | ast.ClassDef)
            inner = f"{name}.{child.name}".lstrip(".") if named else name
            if isinstance(child, ast.Raise) and re.search(r"ConfigError|^raise type\(error\)", ast.unparse(child)):
                yield f"{place}:{inner}"
            yield from inside(child, inner, place)

    package = source_folder() / "whatmoves"
    for floor in FLOORS:
        for path in sorted((package / floor).rglob("*.py")):
            yield from inside(ast.parse(path.read_text(encoding="utf-8")), "", str(path.relative_to(package)))


def places(error: BaseException | None) -> Iterator[str]:
    """Where an error and those that it stands for were raised, as `floor/file.py:function`."""
    while error is not None:
        trace = error.__traceback__
        while trace is not None:
            code = trace.tb_frame.f_code
            path = Path(code.co_filename)
            yield f"{path.parent.name}/{path.name}:{code.co_qualname}"
            trace = trace.tb_next
        error = error.__context__


def test_every_refusal_is_in_one_of_the_tables() -> None:
    assert set(refusing()) == CAUGHT.keys() | ONLY_RUNNING.keys()
    assert not CAUGHT.keys() & ONLY_RUNNING.keys()


@pytest.mark.parametrize("place", CAUGHT)
def test_the_check_gets_there_before_any_job(place: str, tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as error:
        check(tmp_path, CAUGHT[place])
    assert place in places(error.value), str(error.value)
    assert str(error.value).startswith(str(tmp_path))
