"""The whole evaluation of a fake model on a miniature data set, and the pairs and pictures it chooses."""

import json
import sys
from pathlib import Path
from types import ModuleType

import numpy as np
import pandas as pd
import pytest
import torch
from torch import Tensor, nn

from whatmoves.data.clips import ClipShape, Split
from whatmoves.data.moving_digits import Config as DataConfig
from whatmoves.data.moving_digits import make
from whatmoves.errors import CheckpointError, DataError
from whatmoves.evaluation.evaluate import evaluate
from whatmoves.evaluation.floors import evaluate_floor
from whatmoves.evaluation.pictures import median_seed, shown_rows
from whatmoves.evaluation.swaps import swap_pairs
from whatmoves.files import read_arrays, read_json
from whatmoves.floors import of_clips
from whatmoves.settings import Settings
from whatmoves.study import Study
from whatmoves.training.checkpoint import save_checkpoint

FRAMES, SIDE = 3, 16
DATA = {"image_px": SIDE, "digit_px": 8, "frames": FRAMES, "validation_clips": 10, "test_clips": 60}


class FakeConfig(Settings):
    """Nothing to set."""


class FakeModel(nn.Module):
    """Content is the brightness of each row of frame 0, motion that of each frame; both are added, and `error`."""

    def __init__(self, config: FakeConfig, shape: ClipShape) -> None:
        super().__init__()
        self.shape = shape
        self.error = nn.Parameter(torch.zeros(1))

    def encode(self, video: Tensor) -> dict[str, Tensor]:
        return {"content": video[:, 0, 0].mean(-1), "motion": video.mean((2, 3, 4))}

    def decode(self, code: dict[str, Tensor]) -> Tensor:
        rows, frames = code["content"][:, None, None, :, None], code["motion"][:, :, None, None, None]
        return (rows + frames + self.error).expand(-1, -1, 1, SIDE, SIDE).clamp(0, 1)

    def reconstruct(self, video: Tensor) -> Tensor:
        return self.decode(self.encode(video))


class Whole(FakeModel):
    """The same with one code in a block of its own, and nothing to draw from it."""

    decode = None  # type: ignore[assignment]

    def encode(self, video: Tensor) -> dict[str, Tensor]:
        return {"clip": video.mean((3, 4)).flatten(1)}

    def reconstruct(self, video: Tensor) -> Tensor:
        return torch.zeros_like(video)


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> Study:
    for name, model in (("fake_blocks", FakeModel), ("fake_whole", Whole)):
        module = ModuleType(f"fakes_{name}.model")
        module.Config, module.Model = FakeConfig, model  # type: ignore[attr-defined]
        monkeypatch.setitem(sys.modules, module.__name__, module)
        monkeypatch.setitem(sys.modules, f"fakes_{name}", ModuleType(f"fakes_{name}"))
    return Study.model_validate(
        {
            "study": "miniature",
            "data": {"moving_digits": {"options": DATA}},
            "models": {name: {"kind": f"fakes_{name}.model"} for name in ("fake_blocks", "fake_whole")},
            "evaluation": {"batch_size": 7, "probe_clips": 50, "swap_pairs": 8, "shown_clips": 3},
        }
    )


def centre_px(video: np.ndarray) -> np.ndarray:
    """Centre of brightness along x of each frame, `[N, T]`."""
    return (video.sum((2, 3)) * np.arange(video.shape[-1])).sum(-1) / video.sum((2, 3, 4))


def trained(study: Study, name: str, folder: Path, errors: list[float]) -> dict[int, Path]:
    """Checkpoints of one seed per entry of `errors`, the constant that the model adds to its pictures."""
    paths = {}
    for seed, error in enumerate(errors):
        kind = study.models[name].kind
        model = sys.modules[kind].Model(FakeConfig(), ClipShape(FRAMES, 1, SIDE, SIDE))
        with torch.no_grad():
            model.error.fill_(error)
        meta = {
            "kind": kind, "options": {}, "shape": ClipShape(FRAMES, 1, SIDE, SIDE)._asdict(), "model": name,
            "dataset": "moving_digits", "seed": seed, "clips_seen": 1, "best_clips": 1, "best_validation": error,
            "validation": {}, "collapsed": ["kl_nats"] if error > 0.3 else [],
        }  # fmt: skip
        paths[seed] = folder / f"{name}-{seed}.pt"
        save_checkpoint(paths[seed], model, meta)
    return paths


def test_everything_of_a_model_with_blocks(study: Study, tmp_path: Path) -> None:
    make(DataConfig(**DATA), tmp_path / "data")
    paths = trained(study, "fake_blocks", tmp_path, [0.4, 0.0, 0.2])
    for out in ("a", "b"):
        evaluate(study, "moving_digits", "fake_blocks", paths, tmp_path / "data", tmp_path / out, "cpu")
    quality = read_json(tmp_path / "a" / "quality.json")
    assert quality["abilities"] == ["encode", "decode", "reconstruct"]
    assert quality["parameters"] == 1
    assert set(quality["cannot"]) == {"sample", "predict"}
    assert quality["pictures_seed"] == 2  # validation losses .4, 0, .2
    good, rough = quality["seeds"]["1"], quality["seeds"]["0"]
    assert good["mse_pixel"] < quality["seeds"]["2"]["mse_pixel"] < rough["mse_pixel"]
    assert good["legacy_content_preservation"] > rough["legacy_content_preservation"]
    assert (good["collapsed"], rough["collapsed"]) == (False, True)
    assert rough["validation_total"] == 0.4
    assert {"mig", "mig_class_1", "legacy_sap", "legacy_prediction_overall", "legacy_correlation_max"} <= set(good)

    test = read_arrays(tmp_path / "data" / "test.npz")["video"] / 255
    rows, frames = test[:, :1, :, :, :].mean(-1, keepdims=True), test.mean((2, 3, 4), keepdims=True)
    clips, codes = read_arrays(tmp_path / "a" / "clips.npz"), read_arrays(tmp_path / "a" / "codes.npz")
    np.testing.assert_allclose(
        clips["seed2_mse_pixel"], ((rows + frames + 0.2 - test) ** 2).mean((1, 2, 3, 4)), rtol=1e-4
    )
    assert clips["seed2_mse_pixel"].mean() == pytest.approx(quality["seeds"]["2"]["mse_pixel"])
    assert codes["seed0_train_content"].shape == (50, SIDE)
    assert codes["seed1_validation_motion"].shape == (10, FRAMES)
    np.testing.assert_allclose(codes["seed1_test_motion"], test.mean((2, 3, 4)), atol=1e-6)

    swaps = read_arrays(tmp_path / "a" / "swaps.npz")
    content, motion = swaps["pairs"].T
    expected = np.broadcast_to(rows[content] + frames[motion], swaps["truth"].shape)
    np.testing.assert_allclose(swaps["seed1_swapped"] / 255, expected, atol=0.6 / 255)
    error = ((expected - swaps["truth"] / 255) ** 2).mean((1, 2, 3, 4))
    np.testing.assert_allclose(clips["seed1_swap_mse_pixel"], error, rtol=1e-4)
    truth = swaps["truth"] / 255  # ink comes from the content source, the path from the motion source
    ink, path = test.sum((1, 2, 3, 4)), centre_px(test)
    assert np.corrcoef(truth.sum((1, 2, 3, 4)), ink[content])[0, 1] > 0.9
    assert np.abs(centre_px(truth) - path[motion]).max() < 1.5 < np.abs(centre_px(truth) - path[content]).max()
    shown = read_arrays(tmp_path / "a" / "pictures.npz")
    np.testing.assert_array_equal(shown["swap_truth"], swaps["truth"][:3])
    np.testing.assert_array_equal(shown["swap_motion_source"], np.round(test[motion[:3]] * 255))
    assert shown["interpolation_motion"].shape == (7, FRAMES, 1, SIDE, SIDE)
    np.testing.assert_array_equal(shown["interpolation_both"][0], shown["reconstruction"][0])
    np.testing.assert_array_equal(shown["interpolation_both"][-1], shown["reconstruction"][1])
    steps = shown["interpolation_motion"].astype(float)[..., 0]  # content stays: rows differ as in the first clip
    np.testing.assert_allclose(
        steps - steps[:, :, :, :1], np.broadcast_to(steps[:1] - steps[:1, :, :, :1], steps.shape), atol=1
    )
    assert "samples" not in shown
    for name in ("quality.json", "clips.npz", "codes.npz", "swaps.npz", "pictures.npz"):
        assert (tmp_path / "a" / name).read_bytes() == (tmp_path / "b" / name).read_bytes()


def test_a_model_without_blocks_gets_reasons_instead_of_numbers(study: Study, tmp_path: Path) -> None:
    make(DataConfig(**DATA), tmp_path / "data")
    paths = trained(study, "fake_whole", tmp_path, [0.0])
    evaluate(study, "moving_digits", "fake_whole", paths, tmp_path / "data", tmp_path / "out", "cpu")
    quality = read_json(tmp_path / "out" / "quality.json")
    assert quality["cannot"]["swap"] == "it cannot draw a clip from a code"
    assert set(quality["cannot"]) == {"sample", "predict", "swap", "legacy_blocks"}
    assert not any(key.startswith(("swap_", "legacy_sap")) for key in quality["seeds"]["0"])
    assert read_arrays(tmp_path / "out" / "swaps.npz") == {}
    evaluate_floor(study, "moving_digits", "blank", tmp_path / "data", tmp_path / "blank")
    blank = read_json(tmp_path / "blank" / "quality.json")["seeds"]["0"]
    for name in ("mse_frame", "psnr_frame", "ssim_gauss11", "temporal_error"):
        assert blank[name] == pytest.approx(quality["seeds"]["0"][name], rel=1e-6)


def test_a_model_that_is_not_judged_is_asked_for_no_code(study: Study, tmp_path: Path) -> None:
    make(DataConfig(**DATA), tmp_path / "data")
    paths = trained(study, "fake_blocks", tmp_path, [0.0])
    left_out = study.models["fake_blocks"].model_copy(update={"judged": False})
    unjudged = study.model_copy(update={"models": {**study.models, "fake_blocks": left_out}})
    found = {}
    for name, asked in (("all", study), ("less", unjudged)):
        evaluate(asked, "moving_digits", "fake_blocks", paths, tmp_path / "data", tmp_path / name, "cpu")
        found[name] = read_json(tmp_path / name / "quality.json")
    assert read_arrays(tmp_path / "less" / "codes.npz") == read_arrays(tmp_path / "less" / "swaps.npz") == {}
    reason = "the study leaves its codes unjudged"
    assert {found["less"]["cannot"][name] for name in ("swap", "mig", "legacy_blocks")} == {reason}
    everything, less = (found[name]["seeds"]["0"] for name in ("all", "less"))
    assert less == {name: everything[name] for name in less}
    assert {name.split("_")[0] for name in everything.keys() - less.keys()} == {"swap", "mig", "legacy"}


def test_floors_are_ordered_and_judged_as_swaps_too(study: Study, tmp_path: Path) -> None:
    make(DataConfig(**DATA), tmp_path / "data")
    found = {}
    for row in of_clips():
        evaluate_floor(study, "moving_digits", row, tmp_path / "data", tmp_path / row)
        found[row] = json.loads((tmp_path / row / "quality.json").read_text())["seeds"]["0"]
    for name in ("psnr_frame", "ssim_gauss11", "swap_psnr_frame", "swap_ssim_gauss11", "predict_psnr_frame"):
        assert found["blurred_truth"][name] > found["blank"][name]


def test_a_checkpoint_of_another_model_is_refused(study: Study, tmp_path: Path) -> None:
    make(DataConfig(**DATA), tmp_path / "data")
    paths = trained(study, "fake_whole", tmp_path, [0.0])
    with pytest.raises(CheckpointError, match="fakes_fake_whole"):
        evaluate(study, "moving_digits", "fake_blocks", paths, tmp_path / "data", tmp_path / "out", "cpu")


def test_swap_pairs_are_fixed_distinct_and_of_different_classes() -> None:
    table = pd.DataFrame({"class_1": [0, 1, 0, 2, 2, 1], "class_2": [1, 0, 3, 2, 4, 1]})
    pairs = swap_pairs(table, 12)
    assert len({tuple(pair) for pair in pairs.tolist()}) == 12
    np.testing.assert_array_equal(pairs[:5], swap_pairs(table, 5))
    unequal = {0: {1}, 1: {0}}  # rows 0 and 1 show the same two digits in another order
    assert all(int(b) not in unequal.get(int(a), set()) and a != b for a, b in pairs)
    with pytest.raises(DataError, match=r"evaluation\.swap_pairs is 3, but the 2 test clips give only 2 pairs"):
        swap_pairs(pd.DataFrame({"class_1": [0, 1]}), 3)


def test_shown_clips_and_seed_are_not_chosen() -> None:
    video = np.zeros((6, 1, 1, 1, 1), np.uint8)
    table = pd.DataFrame({"class_1": [5, 5, 2, 5, 2, 7]})
    assert shown_rows(Split(video, table), 3) == [0, 2, 5]
    assert shown_rows(Split(video, table), 5) == [0, 1, 2, 3, 5]
    assert median_seed({3: 2.0, 4: 9.0, 5: 1.0}) == 3
    assert median_seed({3: 2.0, 4: 1.0}) == 4
    assert median_seed({3: None, 4: 1.0}) == 3
