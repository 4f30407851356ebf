"""Plans in the value index: the way closed, floors beside every cost, and reasons, from records made by hand."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from whatmoves.analysis.plans import planned, reasons
from whatmoves.files import write_arrays, write_json

MODELS = ("cvae_push", "tinydreams_push")


def write(folder: Path, record: dict[str, Any], by_task: dict[str, list[float]]) -> None:
    write_json(folder / "plan.json", record)
    write_arrays(folder / "tasks.npz", {name: np.array(values) for name, values in by_task.items()})


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Of four tasks the simulator solves all and random commands one half of one; cvae_push solves two, by pixels."""
    plans = tmp_path / "plan/push_world"
    solved = [1.0, 1.0, 0.0, 0.0]
    write(
        plans / "cvae_push",
        {"seeds": {"0": {"plan_success_pixels": 0.5}}, "cannot": {"code": "no code here"}},
        {"seed0_plan_success_pixels": solved},
    )
    write(plans / "tinydreams_push", {"seeds": {"0": {}}, "cannot": {"plan": "not today"}}, {})
    rows = {
        "random_actions": {"plan_success": 0.125},
        "simulator": {"plan_success_places": 1.0, "plan_success_pixels": 0.75},
    }
    write(
        plans / "floors",
        {"rows": {name: {"seeds": {"0": values}} for name, values in rows.items()}},
        {
            "random_actions_seed0_plan_success": [0.5, 0, 0, 0],
            "simulator_seed0_plan_success_places": [1.0] * 4,
            "simulator_seed0_plan_success_pixels": [1.0, 1, 1, 0],
        },
    )
    return tmp_path


def test_the_way_closed_is_between_random_commands_and_the_true_places(results: Path) -> None:
    rows = {row.name: row for row in planned(results, "push_world", MODELS)}
    # (0.5 − 0.125) / (1 − 0.125); a task's part of it keeps the mean
    assert rows["cvae_push"].seeds["0"]["plan_closed_pixels"] == pytest.approx(3 / 7)
    assert rows["cvae_push"].clips["0"]["plan_closed_pixels"].mean() == pytest.approx(3 / 7)
    assert {"plan/push_world/cvae_push/plan.json", "plan/push_world/floors/tasks.npz"} <= set(rows["cvae_push"].files)


def test_what_depends_on_no_cost_stands_beside_those_that_some_model_has(results: Path) -> None:
    rows = {row.name: row for row in planned(results, "push_world", MODELS)}
    assert set(rows["random_actions"].seeds["0"]) == {"plan_success_pixels", "plan_success_places"}
    assert rows["random_actions"].constant
    assert rows["tinydreams_push"].seeds == {"0": {}}


def test_reasons_stand_where_values_are_missing(results: Path) -> None:
    found = reasons(results, "push_world", MODELS)
    assert found["push_world.cvae_push.plan_success_code"] == "no code here"
    assert found["push_world.tinydreams_push.plan_closed_pixels"] == "not today"
    assert "push_world.cvae_push.plan_success_pixels" not in found
