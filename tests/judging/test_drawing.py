"""What judges learn from: digits where they are said to be, only training digits, the same for the same seed."""

import contextlib

import numpy as np
import pytest
import torch

from whatmoves.data.digits import UCI_POOLS, load_bank
from whatmoves.data.moving_digits import Config
from whatmoves.judging import drawing
from whatmoves.judging.drawing import Geometry, Pencil

CPU = torch.device("cpu")


def test_pixels_of_judged_frames_and_back() -> None:
    geometry = Geometry(64, 28, 2)
    assert geometry.shrink == 2
    centres = torch.tensor([[0.5, 2.5], [31.0, 40.25]])  # the border between pixels 0 and 1 is the middle of cell 0
    assert geometry.judged(centres)[0].tolist() == [0.0, 1.0]
    torch.testing.assert_close(geometry.framed(geometry.judged(centres)), centres)
    assert Geometry(16, 8, 1).shrink == 1


@pytest.mark.parametrize("options", [{}, {"image_px": 64, "digit_px": 28}])
def test_the_ink_is_where_the_centres_say(options: dict[str, int]) -> None:
    drawn = Pencil(Config(**options), CPU, 3).draw(64)
    light = (drawn.frames[:, 0] - 0.2).clamp_min(0)
    rows = torch.arange(light.shape[1], dtype=torch.float32)
    y = (light.sum(2) @ rows) / light.sum((1, 2))
    x = (light.sum(1) @ rows) / light.sum((1, 2))
    error = torch.stack([y, x], dim=1) - drawn.centres[:, 0]
    assert error.abs().max() < 2.5  # ink is not centred in its square, and a digit is turned and slanted
    assert error.mean(0).abs().max() < 0.5


def test_sizes_are_those_of_the_ink() -> None:
    config = Config(image_px=64, digit_px=28, size=(0.7, 1.4))
    drawn = Pencil(config, CPU, 3).draw(400)
    assert 0.6 < drawn.sizes.min() < 0.8
    assert 1.3 < drawn.sizes.max() < 1.6
    light = (drawn.frames[:, 0] - 0.2).clamp_min(0)
    rows = torch.arange(light.shape[1], dtype=torch.float32)
    mass, down, across = light.sum((1, 2)), light.sum(2), light.sum(1)
    y, x = (down @ rows) / mass, (across @ rows) / mass
    error = torch.stack([y, x], dim=1) - drawn.centres[:, 0]
    assert error.mean(0).abs().max() < 0.5
    assert error.abs().max() < 4
    wide = (down * (rows - y[:, None]) ** 2).sum(1) + (across * (rows - x[:, None]) ** 2).sum(1)
    moment = (wide / mass).sqrt() / drawn.sizes[:, 0]  # of each class much the same, whatever the size
    small, large = drawn.sizes[:, 0] < 0.9, drawn.sizes[:, 0] > 1.2
    assert float(moment[large].mean()) == pytest.approx(float(moment[small].mean()), rel=0.12)  # blur widens small ones


def test_the_same_seed_draws_the_same_frames_and_another_does_not() -> None:
    first, again, other = (Pencil(Config(), CPU, seed).draw(8) for seed in (1, 1, 2))
    assert torch.equal(first.frames, again.frames)
    assert not torch.equal(first.frames, other.frames)


def test_nothing_on_the_device_is_read_by_the_host(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch, "autocast", lambda *_, **__: contextlib.nullcontext())  # which knows no such device
    drawn = Pencil(Config(), torch.device("meta"), 0).draw(8)  # tensors without values
    assert {part.device.type for part in drawn} == {"meta"}
    assert [part.shape for part in drawn] == [part.shape for part in Pencil(Config(), CPU, 0).draw(8)]


def test_only_training_digits_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    bank = load_bank("uci", 14)
    marked = bank.images.copy()
    marked[UCI_POOLS["train"].stop :] = 255  # a validation or test digit would be a white square
    monkeypatch.setattr(drawing, "load_bank", lambda *_: bank._replace(images=marked))
    for limit in ("TILT", "STRETCH", "NOISE", "BLUR_PX"):
        monkeypatch.setattr(drawing, limit, 0.0)
    drawn = Pencil(Config(), CPU, 0).draw(400)
    ink = drawn.frames.sum((1, 2, 3))
    assert ink.max() < 14 * 14 * 0.9
    assert np.unique(drawn.classes).tolist() == list(range(10))


def test_frames_are_spoilt_but_stay_in_range() -> None:
    clean, frames = Pencil(Config(), CPU, 0), Pencil(Config(), CPU, 0).draw(32).frames
    assert frames.min() >= 0
    assert frames.max() <= 1
    assert clean.draw(32).frames.amax((1, 2, 3)).std() > 0.05  # each fainter by its own amount
