"""Codes taken apart by name or by a learnt split, and the right answers where digits are exchangeable."""

from pathlib import Path

import numpy as np
import pytest
import torch

from whatmoves.data import moving_digits
from whatmoves.data.moving_digits import Config, make, open_source
from whatmoves.evaluation.factors import Targets
from whatmoves.evaluation.swaps import Mixer, fitted_mixer, true_swaps

RNG = np.random.default_rng(0)
CLASSES, COUNT = 4, 500


def factors(count: int) -> Targets:
    values = np.column_stack([RNG.integers(0, CLASSES, count), RNG.uniform(0, 9, (count, 3))])
    kinds = ("discrete", "continuous", "continuous", "continuous")
    return Targets(values, ("class_1", "start_y_1", "start_x_1", "velocity_y_1"), kinds, (True, False, False, False))


def parts(targets: Targets) -> tuple[np.ndarray, np.ndarray]:
    content = np.eye(CLASSES)[targets.values[:, 0].astype(int), 1:]  # [N, 3]
    return content, (targets.values[:, 1:] - 4.5) / 2.6  # [N, 3]


def test_a_learned_split_swaps_what_a_rotation_had_mixed() -> None:
    train, test = factors(COUNT), factors(60)
    turn = np.linalg.qr(RNG.standard_normal((6, 6)))[0]
    codes = [{"clip": (np.hstack(parts(t)) @ turn).astype(np.float32)} for t in (train, test)]
    mixer = fitted_mixer(codes[0], train)
    assert mixer is not None
    assert mixer.split == "learned"
    a, b = ({"clip": codes[1]["clip"][rows]} for rows in (slice(0, 30), slice(30, 60)))
    mixed = mixer.mix(a, b)["clip"] @ turn.T
    content, motion = parts(test)
    assert mixed[:, :3] == pytest.approx(content[:30], abs=0.1)
    assert mixed[:, 3:] == pytest.approx(motion[30:], abs=0.25)
    np.testing.assert_allclose(mixer.mix(a, a)["clip"], a["clip"], atol=1e-5)  # nothing to swap


def test_named_blocks_are_exchanged_as_they_are() -> None:
    codes = [{name: RNG.standard_normal((5, 2)).astype(np.float32) for name in ("content", "motion")} for _ in "ab"]
    mixer = fitted_mixer(codes[0], None)
    assert mixer == Mixer("blocks", None)
    mixed = mixer.mix(*codes)
    assert np.array_equal(mixed["content"], codes[0]["content"])
    assert np.array_equal(mixed["motion"], codes[1]["motion"])


def test_several_blocks_without_those_names_are_split_as_one_code_and_keep_their_shapes() -> None:
    train = factors(COUNT)
    codes = {"early": RNG.standard_normal((COUNT, 3)).astype(np.float32), "late": np.hstack(parts(train)).astype("f4")}
    mixer = fitted_mixer(codes, train)
    assert mixer is not None
    mixed = mixer.mix(codes, {name: block[::-1] for name, block in codes.items()})
    assert {name: block.shape for name, block in mixed.items()} == {"early": (COUNT, 3), "late": (COUNT, 6)}


def test_a_code_without_blocks_or_factors_cannot_be_mixed() -> None:
    assert fitted_mixer({"clip": np.ones((5, 2), np.float32)}, None) is None


def test_a_dead_code_mixes_into_a_dead_code() -> None:
    dead = {"clip": np.ones((COUNT, 4), np.float32)}
    mixer = fitted_mixer(dead, factors(COUNT))
    assert mixer is not None
    np.testing.assert_allclose(mixer.mix(dead, dead)["clip"], 1.0)


def test_with_two_digits_either_order_on_the_paths_is_right(tmp_path: Path) -> None:
    config = Config(digits=2, image_px=24, digit_px=8, frames=3, validation_clips=1, test_clips=30)
    make(config, tmp_path)
    swaps = true_swaps(moving_digits, config, open_source(config, tmp_path).split("test"), 5)
    assert swaps is not None
    assert swaps.others.shape == (1, *swaps.truth.shape)
    assert not np.array_equal(swaps.others[0], swaps.truth)
    for answer in (swaps.truth, swaps.others[0]):
        video = torch.from_numpy(answer[1:4]).float() / 255
        torch.testing.assert_close(swaps.nearest(slice(1, 4), video), video)


def test_with_one_digit_there_is_one_right_answer(tmp_path: Path) -> None:
    config = Config(image_px=16, digit_px=8, frames=3, validation_clips=1, test_clips=30)
    make(config, tmp_path)
    swaps = true_swaps(moving_digits, config, open_source(config, tmp_path).split("test"), 5)
    assert swaps is not None
    assert len(swaps.others) == 0
    assert torch.equal(
        swaps.nearest(slice(0, 5), torch.zeros(swaps.truth.shape)) * 255, torch.tensor(swaps.truth) * 1.0
    )
