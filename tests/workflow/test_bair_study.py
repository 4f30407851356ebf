"""BAIR in a study: the shipped one fits to its last option, and a small one of fixtures goes from records to values."""

import json
from pathlib import Path
from typing import Any

import bair_sets
import pytest
import yaml
from tools import ROOT, run, snakemake

from whatmoves.commands.studies import _check
from whatmoves.errors import ConfigError

TINY: dict[str, Any] = yaml.safe_load((ROOT / "config/tiny.yaml").read_text(encoding="utf-8"))


def shipped(tmp_path: Path, **options: Any) -> Path:
    """The shipped study, with other options for its data sets."""
    study = yaml.safe_load((ROOT / "config/bair.yaml").read_text(encoding="utf-8"))
    for entry in study["data"].values():
        entry["options"] |= options
    path = tmp_path / "bair.yaml"
    path.write_text(yaml.safe_dump(study, sort_keys=False), encoding="utf-8")
    return path


def test_the_shipped_study_fits_to_its_last_option(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    bair_sets.write_records(tmp_path / "set", frames=2)  # the check looks at names
    _check(shipped(tmp_path, folder=str(tmp_path / "set")))
    assert "every stage can do what this study asks of it" in capsys.readouterr().out


def test_a_set_that_is_not_there_is_told_before_any_job(tmp_path: Path) -> None:
    study = {
        "study": "s", "data": {"bair": {"options": {"folder": str(tmp_path / "nowhere")}, "past_frames": 2}},
        "models": {"mean_frame": {}},
    }  # fmt: skip
    path = tmp_path / "study.yaml"
    for changes, message in (
        ({}, f"data.bair: {tmp_path / 'nowhere'}: no such folder; set folder to that of BAIR's files"),
        ({"camera": "left"}, 'data.bair.options.camera is "left"; must be one of aux1, main'),
    ):
        study["data"]["bair"]["options"] |= changes  # type: ignore[index]
        path.write_text(yaml.safe_dump(study), encoding="utf-8")
        with pytest.raises(ConfigError) as told:
            _check(path)
        assert message in str(told.value)
    answer = snakemake("-n", "results/s/values.json", folder=tmp_path, study=str(path), expect=1)
    assert "data.bair.options.camera" in answer


@pytest.mark.slow
@pytest.mark.parametrize("form", ["records", "pictures"])
def test_a_small_study_runs_from_the_public_form_to_its_values(tmp_path: Path, form: str) -> None:
    write = {"records": bair_sets.write_records, "pictures": bair_sets.write_pictures}
    write[form](tmp_path / "set")
    study = {
        "study": "s",
        "seeds": [0],
        "data": {"bair": {"options": {"folder": "set", "validation_clips": 3}, "past_frames": 2}},
        "models": {
            "cvae": {"options": TINY["models"]["cvae"]["options"]},
            "tinydreams": {"options": TINY["models"]["tinydreams"]["options"] | {"patch_px": 4}},
            "mean_frame": {},
        },
        "training": TINY["training"] | {"clips": 16, "validate_every": 16},
        "evaluation": TINY["evaluation"] | {"best_of": 2, "bootstrap": 100},
    }
    study["data"]["bair"]["options"]["frames"] = bair_sets.FRAMES  # type: ignore[index]
    path = tmp_path / "study.yaml"
    path.write_text(yaml.safe_dump(study), encoding="utf-8")
    snakemake("paper/main.pdf", "--cores", "2", folder=tmp_path, study=str(path))
    values = json.loads((tmp_path / "results/s/values.json").read_text(encoding="utf-8"))["values"]
    for model in ("cvae", "tinydreams", "mean_frame"):
        assert values[f"bair.{model}.predict_psnr_frame"], model
    inputs = json.loads((tmp_path / "results/s/data/bair/receipt.json").read_text(encoding="utf-8"))["core"]["inputs"]
    assert len(inputs) == {"records": 4, "pictures": 2}[form]
    answer = run("whatmoves", "verify", "--configfile", str(path), folder=tmp_path, expect=None)
    assert "stale" not in answer.stdout
    assert "Nothing to be done" in snakemake("-n", "results/s/values.json", folder=tmp_path, study=str(path))
