"""MNIST's digits on frames of 64×64 pixels, from a folder of its files to a PDF."""

import json
import os
from pathlib import Path
from typing import Any

import pytest
import yaml
from small_studies import FLOORS, model, study, with_options
from tools import snakemake

from whatmoves.commands.studies import _check

DIGITS = {"digit_bank": "mnist", "image_px": 64, "digit_px": 28, "frames": 10, "speed_px": [2, 5]}
STORED = {"validation_clips": 16, "test_clips": 40}


def mnist_study(folder: Path) -> dict[str, Any]:
    """One seed of two models of the tiny study, on clips as large as the full study's."""
    return study(
        "mnist",
        {"moving_digits": {"options": {**DIGITS, **STORED, "mnist_folder": str(folder)}, "past_frames": 5}},
        {
            "disentangled_vae": model("disentangled_vae"),
            "what_where_vae": with_options(model("what_where_vae"), window_px=28),
            **FLOORS,
        },
        description="MNIST's digits on 64×64 pixels: small models, a few steps.",
    )


@pytest.mark.slow
@pytest.mark.skipif("WHATMOVES_MNIST" not in os.environ, reason="no MNIST: WHATMOVES_MNIST names a folder that has it")
def test_a_small_study_of_mnist_reaches_its_pdf(tmp_path: Path) -> None:
    path = tmp_path / "mnist.yaml"
    path.write_text(yaml.safe_dump(mnist_study(Path(os.environ["WHATMOVES_MNIST"])), sort_keys=False), encoding="utf-8")
    _check(path)
    targets = ("results/mnist/paper/main.pdf", "results/mnist/values.json")
    snakemake(*targets, "--cores", "2", folder=tmp_path, study=str(path))
    assert (tmp_path / targets[0]).read_bytes().startswith(b"%PDF")
    receipt = json.loads((tmp_path / "results/mnist/data/moving_digits/receipt.json").read_text(encoding="utf-8"))
    assert len(receipt["core"]["inputs"]) == 4
    assert "Nothing to be done" in snakemake("-n", *targets, folder=tmp_path, study=str(path))
