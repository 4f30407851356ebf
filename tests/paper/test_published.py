"""Published numbers stand beside ours where data, split and measure are the same, and nowhere else."""

from pathlib import Path
from typing import Any

import pytest
from test_templates import section

from whatmoves.data import bair
from whatmoves.paper.index import Entry
from whatmoves.study import Study

MEASURES = ("psnr_channel", "ssim_gauss11")


def study(kind: str = "bair", past: int = 2, draws: int = 100, **options: Any) -> Study:
    return Study.model_validate(
        {
            "study": "toy",
            "data": {"arm": {"kind": kind, "past_frames": past, "options": {"folder": "set", **options}}},
            "models": {"cvae": {"trains_on": ["arm"]}, "mean_frame": {"trains_on": ["arm"]}},
            "evaluation": {"best_of": draws},
        }
    )


def entries(clips: int = 256) -> dict[str, Entry]:
    found = {
        f"arm.{model}.predict_{metric}": Entry(value=value, n=clips, interval=(value, value))
        for model, value in {"cvae": 19.5, "mean_frame": 12.5}.items()
        for metric in ("psnr_frame", "gain_db", *MEASURES)
    }
    found["arm.cvae.predict_gain_db"] = Entry(value=7.0, n=clips, interval=(6.0, 8.0), floor="mean_frame")
    return found | {f"arm.cvae.predict_best_{metric}": Entry(value=20.125, n=clips) for metric in MEASURES}


def test_the_same_protocol_stands_beside_the_published_numbers() -> None:
    text = section("results_prediction", study(), entries())
    assert r"SVG & 18.95 $\pm$ 0.26 & 0.8058 $\pm$ 0.0088 \\" in text
    assert r"\citet{franceschi2020stochastic}" in text
    assert r"\result{arm.cvae.predict_best_psnr_channel}{20.125}" in text
    assert "told no actions" in text
    assert "only where clips, frames, draws and measures are the same" in section("limits", study(), entries())


@pytest.mark.parametrize(
    ("other", "clips"),
    [
        (study(camera="main"), 256),
        (study(frames=12), 256),
        (study(past=3), 256),
        (study(draws=10), 256),
        (study(kind="push_world"), 256),
        (study(), 200),
    ],
)
def test_another_protocol_does_not(other: Study, clips: int) -> None:
    assert "SVG" not in section("results_prediction", other, entries(clips))
    assert "held against a published number" in section("limits", other, entries(clips))


def test_what_a_study_leaves_unsaid_is_as_published() -> None:
    defaults = bair.Config(folder=Path("set"))
    assert (defaults.camera, defaults.frames, defaults.test_clips) == ("aux1", 30, 256)
