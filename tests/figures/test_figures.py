"""Figures draw what there is: a missing model leaves a gap, a single seed is enough, and two draws give equal bytes."""

from pathlib import Path

import numpy as np
import pytest

from whatmoves.errors import DataError
from whatmoves.figures import quality, swaps, trade_off, training_curves
from whatmoves.figures.animations import make_animation
from whatmoves.figures.inputs import FigureInputs
from whatmoves.figures.make import make_figure
from whatmoves.files import write_arrays, write_json
from whatmoves.plugins import figure_kinds
from whatmoves.study import Study

STUDY = Study.model_validate(
    {
        "study": "toy",
        "seeds": [0, 1],
        "data": {"moving_digits": None, "push_world": None},
        "models": {
            "disentangled_vae": {"label": "Content/motion VAE"},
            "what_where_push": {"kind": "what_where_vae", "trains_on": ["push_world"]},
            "lstm_vae": {"label": "LSTM-VAE", "seeds": [3]},
            "baseline_vae": None,
            "mean_frame": {"seeds": [0]},
        },
    }
)
CLIPS, FRAMES = 4, 6


def video(*lead: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (*lead, FRAMES, 1, 8, 8)).astype(np.uint8)


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Results of two models of three: the baseline VAE has none, the LSTM-VAE cannot swap and has one seed."""
    whole = {"truth": video(CLIPS), "reconstruction": video(CLIPS), "samples": video(8)}
    whole["interpolation_both"] = video(7)
    parts = {name: video(7) for name in ("interpolation_content", "interpolation_motion")}
    parts |= {f"swap_{name}": video(CLIPS) for name in ("content_source", "motion_source", "model", "truth")}
    for model, arrays in {"disentangled_vae": whole | parts, "lstm_vae": whole}.items():
        write_arrays(tmp_path / f"evaluate/moving_digits/{model}/pictures.npz", arrays)
    for model, seed, terms in (
        ("disentangled_vae", 0, ["kl_content_nats", "kl_motion_nats"]),
        ("disentangled_vae", 1, ["kl_content_nats", "kl_motion_nats"]),
        ("lstm_vae", 3, ["kl_nats"]),
    ):
        names = [f"validation_{term}" for term in ["reconstruction_nats", *terms]]
        rows = [
            "clips," + ",".join(names),
            "8" + "," * len(names),
            "16" + ",2.0" * len(names),
            "32" + ",1.0" * len(names),
        ]
        path = tmp_path / f"train/moving_digits/{model}/seed-{seed}/history.csv"
        path.parent.mkdir(parents=True)
        path.write_text("\n".join(rows) + "\n", encoding="utf-8")
    table = {name: video(CLIPS).repeat(3, 2) for name in ("truth", "reconstruction")}
    write_arrays(tmp_path / "evaluate/push_world/what_where_push/pictures.npz", table)
    entry = {"interval": [0.2, 0.6], "seeds": {"0": 0.3, "1": 0.5}, "value": 0.4}
    values = {
        f"moving_digits.{model}.{metric}": entry
        for model in ("disentangled_vae", "lstm_vae", "mean_frame", "blank")
        for metric in ("psnr_frame", "ssim_gauss11", "mse_removed")
    }
    values["moving_digits.disentangled_vae.block_gap"] = entry
    write_json(tmp_path / "values.json", {"values": values})
    return tmp_path


@pytest.mark.parametrize("name", figure_kinds())
def test_every_figure_is_drawn_and_drawn_again_to_the_same_bytes(name: str, results: Path) -> None:
    files = []
    for run in ("first", "second"):
        pdf, png, data = (results / run / f"{name}.{suffix}" for suffix in ("pdf", "png", "npz"))
        make_figure(name, STUDY, results, pdf, png, data)
        files.append([path.read_bytes() for path in (pdf, png, data)])
    assert files[0] == files[1]
    assert files[0][0].startswith(b"%PDF")


@pytest.mark.parametrize("name", ["reconstructions", "samples", "swaps"])
def test_every_animation_is_made_and_made_again_to_the_same_bytes(name: str, results: Path) -> None:
    files = []
    for run in ("first", "second"):
        gif, mp4, data = (results / run / f"{name}.{suffix}" for suffix in ("gif", "mp4", "npz"))
        make_animation(name, STUDY, results, gif, mp4, data)
        files.append([path.read_bytes() for path in (gif, mp4, data)])
    assert files[0] == files[1]
    assert files[0][0].startswith(b"GIF89a")


def test_swaps_show_the_models_that_swap(results: Path) -> None:
    data = swaps.collect(FigureInputs(results, STUDY))
    assert data["labels"].tolist() == ["Content/motion VAE"]


def test_curves_hold_one_line_a_seed_and_term_and_sum_the_blocks(results: Path) -> None:
    data = training_curves.collect(FigureInputs(results, STUDY))
    assert data["labels"].tolist() == ["Content/motion VAE", "LSTM-VAE"]
    lines = set(zip(data["model"].tolist(), data["seed"].tolist(), data["term"].tolist(), strict=True))
    assert lines == {(0, 0, 0), (0, 0, 1), (0, 1, 0), (0, 1, 1), (1, 3, 0), (1, 3, 1)}
    two_blocks = data["nats"][(data["model"] == 0) & (data["term"] == 1)][0]
    assert two_blocks.tolist() == [4.0, 2.0]  # content and motion together; the row without a validation is left out


def test_quality_has_a_row_for_models_and_floors_and_a_point_for_each_seed(results: Path) -> None:
    data = quality.collect(FigureInputs(results, STUDY))
    assert data["labels"].tolist() == ["Content/motion VAE", "LSTM-VAE", "mean frame", "blank"]
    assert (data["slots"] < 0).tolist() == [False, False, True, True]
    assert data["seeds"].shape == (4, 3, 2)


def test_the_trade_off_needs_both_measures(results: Path) -> None:
    assert trade_off.collect(FigureInputs(results, STUDY))["labels"].tolist() == ["Content/motion VAE"]
    write_json(results / "values.json", {"values": {}})
    with pytest.raises(DataError, match=r"nothing to draw: needs .*block_gap"):
        trade_off.collect(FigureInputs(results, STUDY))


def test_nothing_to_draw_is_said_in_one_line(tmp_path: Path) -> None:
    with pytest.raises(DataError) as error:
        make_figure("swaps", STUDY, tmp_path, *(tmp_path / f"swaps.{suffix}" for suffix in ("pdf", "png", "npz")))
    assert "nothing to draw: needs a pictures.npz" in str(error.value)
    assert "\n" not in str(error.value)
