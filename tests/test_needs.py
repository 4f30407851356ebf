"""What a study asks of a stage that it cannot do is told before any job, in one line: key, value and fix."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from tools import ROOT

from whatmoves.commands.studies import _check
from whatmoves.errors import ConfigError, DataError

SMALL: dict[str, Any] = {
    "study": "small",
    "seeds": [0],
    "data": {
        "digits": {
            "kind": "moving_digits",
            "options": {"image_px": 16, "digit_px": 8, "frames": 6, "validation_clips": 16, "test_clips": 40},
            "past_frames": 4,
        }
    },
    "models": {"baseline_vae": {"options": {"channels": [4], "features": 16, "latent_dim": 4}}, "mean_frame": {}},
    "evaluation": {"swap_pairs": 8},
}
TINY = yaml.safe_load((ROOT / "config/tiny.yaml").read_text(encoding="utf-8"))
JEPA, CAPSULES = (TINY["models"][name] for name in ("jepa", "capsule_transformer"))
TABLE = {"options": {"image_px": 16, "frames": 6}}


def changed(tree: Any, key: str, value: Any) -> Any:
    """A copy of `tree` with `value` at the dotted `key`."""
    first, _, rest = key.partition(".")
    return {**tree, first: changed(tree.get(first, {}), rest, value) if rest else value}


def check(tmp_path: Path, changes: dict[str, Any]) -> None:
    study = SMALL
    for key, value in changes.items():
        study = changed(study, key, value)
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(study, sort_keys=False), encoding="utf-8")
    _check(path)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"data.digits.past_frames": 9}, "data.digits.past_frames is 9, but its clips have 6 frames; must be ≤ 5"),
        ({"data.digits.options.image_px": 10}, "data.digits: frames are 10×10 px; structural similarity needs ≥ 11"),
        ({"evaluation.swap_pairs": 1500}, "evaluation.swap_pairs is 1500, but the 40 test clips give only 14"),
        ({"seeds": list(range(21))}, "seeds names 21 seeds; the exact paired test takes at most 20"),
        ({"models.baseline_vae.seeds": list(range(21))}, "models.baseline_vae.seeds names 21 seeds"),
        (
            {"data.table": {"kind": "push_world", **TABLE}, "models.jepa": {**JEPA, "trains_on": ["table"]}},
            "models.jepa: jepa.targets is 'positions', but this data set gives no centres",
        ),
        (
            {"data.digits.past_frames": 3, "models.capsule_transformer": CAPSULES},
            "capsule_transformer on data.digits: capsule_transformer.past_frames is 4, but prediction starts from 3",
        ),
        ({"data.digits.options.digit_bank": "mnist"}, "data.digits: mnist_folder: not set"),
        ({"data.digits.options.test_clips": 1}, "data.digits: evaluation.swap_pairs is 8, but the 1 test clips"),
    ],
)
def test_what_cannot_be_done_is_told_before_any_job(changes: dict[str, Any], message: str, tmp_path: Path) -> None:
    with pytest.raises((ConfigError, DataError)) as error:
        check(tmp_path, changes)
    assert str(error.value).startswith(str(tmp_path / "study.yaml"))
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_what_can_be_done_passes(tmp_path: Path) -> None:
    check(tmp_path, {})
    check(tmp_path, {"models.jepa": JEPA})  # its positions are there
    check(tmp_path, {"data.digits.past_frames": 5, "evaluation.swap_pairs": 1400})


def test_the_study_in_the_docs_passes(tmp_path: Path) -> None:
    text = (ROOT / "docs/studies.md").read_text(encoding="utf-8")
    (tmp_path / "mine.yaml").write_text(text.split("```yaml\n")[1].split("```")[0], encoding="utf-8")
    _check(tmp_path / "mine.yaml")
