"""What is told of a training before it runs: whether its sizes fit, its operations, its hours."""

import subprocess
from pathlib import Path

import pytest
import torch
from tools import ROOT
from torch import Tensor
from training_fakes import blinks, noisy

from whatmoves.data.clips import Batch, ClipShape
from whatmoves.errors import ConfigError
from whatmoves.loading import check_deeply, load_study
from whatmoves.models.interface import Step
from whatmoves.study import ModelEntry
from whatmoves.training import estimate
from whatmoves.training.estimate import (
    cpu_hours,
    operations_per_clip,
    operations_per_cpu_s,
    training_operations,
    try_on_shapes,
)

SMALL = ClipShape(frames=6, channels=1, height=16, width=16)
NOISY = ModelEntry(kind="training_fakes.noisy")


def test_operations_of_two_convolutions_are_counted_by_hand() -> None:
    # Each convolution, at 3 frames of 5×4 pixels: 2 operations for each of 3×3 weights from 2 to 4 channels, or 4 to 2.
    forward = 2 * (3 * 5 * 4) * 2 * (3 * 3 * 2 * 4)
    assert operations_per_clip(NOISY, blinks.Blinks.shape, "models.m") == 3 * forward


def test_a_loss_that_asks_for_values_is_counted_with_values(monkeypatch: pytest.MonkeyPatch) -> None:
    expected = operations_per_clip(NOISY, blinks.Blinks.shape, "models.m")
    loss = noisy.Model.loss

    def asks(self: noisy.Model, batch: Batch, step: Step) -> dict[str, Tensor]:
        assert batch.video.mean().item() > 0
        return loss(self, batch, step)

    monkeypatch.setattr(noisy.Model, "loss", asks)
    assert operations_per_clip(NOISY, blinks.Blinks.shape, "models.m") == expected
    try_on_shapes(NOISY, blinks.Blinks.shape, 2, "models.m")  # nor is it refused


def test_the_recurrent_layers_of_an_lstm_are_counted() -> None:
    sizes = {"channels": [4, 8], "features": 16, "latent_dim": 4, "hidden": 8}
    one, two = (
        operations_per_clip(ModelEntry(kind="lstm_vae", options={**sizes, "layers": layers}), SMALL, "models.m")
        for layers in (1, 2)
    )
    assert two > one


@pytest.mark.parametrize("name", ["tiny", "full"])
def test_every_model_that_learns_by_gradients_costs_something(name: str) -> None:
    study = load_study(ROOT / f"config/{name}.yaml")
    free = {"pca", "mean_frame", "copy_last", "linear_extrapolation"}
    for model in study.models:
        alone = study.model_copy(update={"models": {model: study.models[model]}})
        assert (training_operations(alone) > 0) == (model not in free), model


def test_hours_grow_with_clips_and_seeds_and_shrink_with_processors(monkeypatch: pytest.MonkeyPatch) -> None:
    study = load_study(ROOT / "config/tiny.yaml")
    models = {"m": study.models["baseline_vae"].model_copy(update={"seeds": (0,)})}
    study = study.model_copy(update={"models": models})
    monkeypatch.setattr(estimate, "operations_per_cpu_s", lambda: 1e9)
    monkeypatch.setattr("os.cpu_count", lambda: 2)
    hours = cpu_hours(study)
    assert hours == pytest.approx(64 * operations_per_clip(models["m"], SMALL, "models.m") / 1e9 / 2 / 3600)
    longer = study.model_copy(update={"training": study.training.model_copy(update={"clips": 3 * 64})})
    assert cpu_hours(longer) == pytest.approx(3 * hours)
    again = study.model_copy(update={"models": {"m": models["m"].model_copy(update={"seeds": (0, 1)})}})
    assert cpu_hours(again) == pytest.approx(2 * hours)
    monkeypatch.setattr("os.cpu_count", lambda: 8)
    assert cpu_hours(study) == pytest.approx(hours / 4)


def test_the_speed_of_this_machine_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimate, "MEASURED_S", 0.01)
    assert operations_per_cpu_s() > 1e6


def test_shapes_cost_no_memory_and_leave_autocast_as_it_was() -> None:
    autocast = torch.autocast
    with estimate.shapes_only():
        assert torch.rand(10**6, 10**6).is_meta
    assert torch.autocast is autocast
    assert not torch.rand(1).is_meta


def test_a_refusal_in_the_loss_names_the_entry() -> None:
    entry = ModelEntry(kind="cvae", options={"channels": [4, 4], "depths": [1, 1], "past_frames": 4})
    with pytest.raises(ConfigError, match=r"^s\.yaml: models\.mine: cvae: a batch has 1 clip; batch norm needs ≥ 2\."):
        try_on_shapes(entry, SMALL, 1, "s.yaml: models.mine")


def test_a_check_that_dies_says_where_and_of_what(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PYTHONPATH", str(Path(__file__).parent))
    config, cache = tmp_path / "mine.yaml", tmp_path / "cache"
    head = "study: mine\ndata: {moving_digits: }\nmodels: {pca: , own: {kind: training_fakes."
    config.write_text(f"{head}dies}}}}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as told:
        check_deeply(config, load_study(config, cache), cache)
    repeat = f"`whatmoves studies --check --configfile {config}`"
    assert str(told.value) == (
        f"{config}: the check died of SIGSEGV at models.own on moving_digits; "
        f"see if {repeat} dies there again, and report it"
    )
    # Mended, it passes; what passed is not checked again.
    config.write_text(f"{head}noisy}}}}\n", encoding="utf-8")
    check_deeply(config, load_study(config, cache), cache)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("checked twice"))
    check_deeply(config, load_study(config, cache), cache)


CONTENT = {"channels": [4, 4, 4, 4], "motion_channels": [4], "features": 8, "content_dim": 2, "motion_dim": 2}
TOKENS = {
    "past_frames": 2, "dim": 8, "heads": 2, "depth": 1, "patch_px": 16, "tokenizer_channels": [4, 4, 4],
    "decoder_channels": [4, 4, 4, 4],
}  # fmt: skip


@pytest.mark.parametrize(
    ("kind", "options", "norm"),
    [("disentangled_vae", CONTENT, "BatchNorm2d"), ("tinydreams", TOKENS, "InstanceNorm")],  # their maps end at 1×1
)
def test_a_batch_of_one_clip_is_refused_where_a_norm_gets_one_value(
    kind: str, options: dict[str, object], norm: str
) -> None:
    entry = ModelEntry(kind=kind, options=options)
    with pytest.raises(ConfigError) as error:
        try_on_shapes(entry, SMALL, 1, "s.yaml: models.m")
    assert str(error.value) == (
        f"s.yaml: models.m: a batch has 1 clip, of which a {norm} gets 1 value for a mean and a spread; it needs ≥ 2. "
        "Set training.batch_size to 2 or more."
    )
    try_on_shapes(entry, SMALL, 2, "s.yaml: models.m")
    try_on_shapes(ModelEntry(kind="baseline_vae"), ClipShape(6, 1, 32, 32), 1, "s.yaml: models.m")  # enough pixels
