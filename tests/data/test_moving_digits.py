"""The data set: splits that share nothing, clips that are functions of their factors, files that are checked."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from pydantic import ValidationError

from whatmoves.data import moving_digits
from whatmoves.data.digits import load_bank
from whatmoves.data.moving_digits import (
    FACTOR_ROLES,
    SHIFTS,
    Config,
    centres,
    make,
    open_source,
    positions,
    render_factors,
    shifted,
    shifted_truth,
    sides,
    swap_factors,
)
from whatmoves.data.render import render_torch
from whatmoves.errors import DataError

CPU = torch.device("cpu")
SMALL = Config(validation_clips=9, test_clips=20)
TWO = Config(digits=2, image_px=40, digit_px=11, frames=7, speed_px=(2, 5), validation_clips=5, test_clips=12, seed=4)
SIZES = Config(size=(0.6, 1.7), speed_px=(2, 5), validation_clips=9, test_clips=20)
TWO_SIZES = TWO.model_copy(update={"size": (0.5, 1.5)})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    make(SMALL, tmp_path)
    return tmp_path


def test_two_makes_give_equal_bytes(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> None:
    again = tmp_path_factory.mktemp("again")
    make(SMALL, again)
    names = ["test.csv", "test.npz", "validation.csv", "validation.npz"]
    assert sorted(path.name for path in again.iterdir()) == names
    for name in names:
        assert (folder / name).read_bytes() == (again / name).read_bytes()


@pytest.mark.parametrize(
    "config", [SMALL, TWO, TWO.model_copy(update={"drawing": "integer"}), SIZES, TWO_SIZES], ids=str
)
def test_stored_clips_are_their_factors_drawn(config: Config, tmp_path: Path) -> None:
    make(config, tmp_path)
    split = open_source(config, tmp_path).split("test")
    assert split.video.shape == (config.test_clips, config.frames, 1, config.image_px, config.image_px)
    np.testing.assert_array_equal(render_factors(config, split.factors), split.video)
    named = [name for name in FACTOR_ROLES if config.varies_size or not name.startswith("size")]
    assert list(split.factors.columns) == [name for name in named if int(name[-1]) <= config.digits]
    # The brightest digit's ink lies inside the square that its factors name.
    corner, side = positions(config, split.factors), sides(config, split.factors)
    for n in range(config.test_clips):
        inside = np.zeros((config.frames, config.image_px, config.image_px), bool)
        for o in range(config.digits):
            for t in range(config.frames):
                y, x = np.floor(corner[n, o, t]).astype(int)
                bottom, right = np.ceil(corner[n, o, t] + side[n, o]).astype(int) + (side[n, o] % 1 > 0)
                inside[t, y : bottom + 1, x : right + 1] = True
        assert not split.video[n, :, 0][~inside].any()
        assert split.video[n].any()


def test_factors_mean_what_their_descriptions_say() -> None:
    factors = open_source(TWO, Path()).train_split(500).factors
    labels = load_bank("uci", TWO.digit_px).labels
    path = positions(TWO, factors)
    assert path.shape == (500, 2, 7, 2)
    for o in (1, 2):
        f = {name.removesuffix(f"_{o}"): factors[name].to_numpy() for name in factors if name.endswith(f"_{o}")}
        np.testing.assert_array_equal(f["class"], labels[f["instance"]])
        np.testing.assert_allclose(f["start_y"], path[:, o - 1, 0, 0], atol=1e-12)
        np.testing.assert_allclose(f["end_x"], path[:, o - 1, -1, 1], atol=1e-12)
        np.testing.assert_allclose(f["speed"] * f["direction_sin"], f["velocity_y"])
        np.testing.assert_allclose(f["speed"] * f["direction_cos"], f["velocity_x"])
        assert 2 <= f["speed"].min() < f["speed"].max() <= 5
        straight = f["start_y"] + 6 * f["velocity_y"], f["start_x"] + 6 * f["velocity_x"]
        unbounced = (np.abs(straight[0] - f["end_y"]) < 1e-9) & (np.abs(straight[1] - f["end_x"]) < 1e-9)
        np.testing.assert_array_equal(f["bounces"] == 0, unbounced)
        np.testing.assert_array_equal(f["first_bounce"] == 6, unbounced)


def test_splits_share_no_digit_and_no_trajectory(folder: Path) -> None:
    source = open_source(SMALL, folder)
    probe, validation, test = (
        source.train_split(3000).factors,
        *(source.split(n).factors for n in ("validation", "test")),
    )
    assert probe.instance_1.between(0, 1256).all()
    assert probe.instance_1.nunique() > 1000
    assert validation.instance_1.between(1257, 1526).all()
    assert test.instance_1.between(1527, 1796).all()
    starts = np.concatenate([table.start_y_1 for table in (probe, validation, test)])
    assert len(np.unique(starts)) == len(starts)
    fresh = source.train_batch(0, 0, 20, CPU).video
    assert not np.array_equal((fresh * 255).round().numpy(), source.train_split(20).video), (
        "probes need their own clips"
    )


def test_a_training_batch_is_a_pure_function(folder: Path) -> None:
    source = open_source(SMALL, folder)
    whole = source.train_batch(7, 100, 70, CPU).video
    assert whole.shape == (70, 12, 1, 32, 32)
    assert whole.dtype == torch.float32
    assert whole.max() <= 1
    assert 0.01 < whole.mean() < 0.06  # a digit's ink: 0.133 of (14 / 32)² is 0.025
    other = open_source(SMALL, folder)
    assert torch.equal(
        torch.cat([other.train_batch(7, 100, 1, CPU).video, other.train_batch(7, 101, 69, CPU).video]), whole
    )
    assert not torch.equal(source.train_batch(8, 100, 70, CPU).video, whole)
    assert not torch.equal(
        open_source(SMALL.model_copy(update={"seed": 1}), folder).train_batch(7, 100, 70, CPU).video, whole
    )


@pytest.mark.parametrize("config", [TWO, TWO_SIZES], ids=["one size", "sizes"])
@pytest.mark.parametrize("drawing", ["subpixel", "integer"])
@pytest.mark.skipif(not torch.cuda.is_available(), reason="no GPU")
def test_a_gpu_draws_the_same_clips(drawing: str, config: Config) -> None:
    source = open_source(config.model_copy(update={"drawing": drawing}), Path())
    here, there = (source.train_batch(1, 5, 40, torch.device(name)).video.cpu() for name in ("cpu", "cuda"))
    assert (here - there).abs().max() <= 1.01 / 255


@pytest.mark.parametrize("drawing", ["subpixel", "integer"])
def test_torch_draws_sizes_as_numpy_does(drawing: str) -> None:
    config = TWO_SIZES.model_copy(update={"drawing": drawing})
    draws = moving_digits._draws(config, "train", 1, 5, 40)
    corners = moving_digits._corners(config, draws)
    images = open_source(config, Path())._images(draws, CPU).float().div_(255)
    drawn = render_torch(images, corners, config.image_px, config.drawing).mul_(255).round_()
    assert np.abs(drawn.numpy() - moving_digits._video(config, draws, corners)).max() <= 1


def test_a_swap_shows_one_and_moves_as_the_other() -> None:
    factors = open_source(TWO, Path()).train_split(60).factors
    content, motion = factors[:30], factors[30:]
    swapped = swap_factors(content, motion)
    for name, role in FACTOR_ROLES.items():
        if name in swapped:
            giver = content if role.role == "content" else motion
            np.testing.assert_array_equal(swapped[name].to_numpy(), giver[name].to_numpy())
    np.testing.assert_array_equal(positions(TWO, swapped), positions(TWO, motion))
    np.testing.assert_array_equal(render_factors(TWO, swap_factors(swapped, content)), render_factors(TWO, content))
    assert not np.array_equal(render_factors(TWO, swapped), render_factors(TWO, motion))
    with pytest.raises(ValueError, match="content has 30 rows, motion 29; a swap needs as many of each"):
        swap_factors(content, motion[1:])


def test_sizes_change_nothing_else_that_is_drawn() -> None:
    one, many = (open_source(config, Path()).train_split(400).factors for config in (TWO, TWO_SIZES))
    for name in one:
        if FACTOR_ROLES[name].role != "derived":  # a digit of another size bounces elsewhere
            np.testing.assert_array_equal(many[name], one[name])
    sizes = many[["size_1", "size_2"]].to_numpy()
    assert 0.5 <= sizes.min() < 0.51
    assert 1.49 < sizes.max() <= 1.5
    assert abs(np.corrcoef(sizes.T)[0, 1]) < 0.15
    assert abs(np.corrcoef(sizes[:, 0], many.start_y_1)[0, 1]) < 0.15
    for point in (TWO.model_copy(update={"size": (1.0, 1.0)}), TWO_SIZES):  # a size of 1 is what there was
        np.testing.assert_array_equal(
            render_factors(point, one.assign(size_1=1.0, size_2=1.0)), render_factors(TWO, one)
        )


@pytest.mark.parametrize("drawing", ["subpixel", "integer"])
@pytest.mark.parametrize("size", [0.3, 0.8, 1.0, 1.37, 2.2])
def test_a_drawn_digit_is_as_wide_as_its_size_says(size: float, drawing: str, monkeypatch: pytest.MonkeyPatch) -> None:
    config = Config(size=(0.3, 2.2), drawing=drawing)
    white = load_bank("uci", 28)._replace(images=np.full((1797, 28, 28), 255, np.uint8))
    monkeypatch.setattr(moving_digits, "load_bank", lambda *_: white)
    factors = open_source(config, Path()).train_split(40).factors.assign(size_1=size)
    lit = render_factors(config, factors)[:, :, 0] > 127
    for wide in (lit.any(2).sum(-1), lit.any(3).sum(-1)):  # [N, T]
        assert np.abs(wide - size * config.digit_px).max() < 1
    corner = positions(config, factors)[:, 0]
    first = np.stack([lit.any(3).argmax(-1), lit.any(2).argmax(-1)], axis=-1)
    assert np.abs(first - corner).max() <= 1


def test_digits_touch_the_walls_with_their_own_edges() -> None:
    factors = open_source(SIZES, Path()).train_split(3000).factors
    path, side = positions(SIZES, factors)[:, 0], sides(SIZES, factors)
    room = SIZES.image_px - side[..., None]
    assert path.min() >= 0
    assert (path <= room + 1e-9).all()
    for of in (factors.size_1 < 0.8, factors.size_1 > 1.5):
        assert path[of].min() < 0.05
        assert (room - path)[of].min() < 0.05
    # By hand: 28 px of room for a side of 4, 12 px for one of 20; a start of 9 of 18 px is the middle of both.
    two = pd.DataFrame({"class_1": [0, 0], "instance_1": [0, 0], "size_1": [4 / 14, 20 / 14], "start_y_1": [9.0, 9.0],
                        "start_x_1": [9.0, 9.0], "velocity_y_1": [4.0, 4.0], "velocity_x_1": [0.0, 0.0]})  # fmt: skip
    down = positions(SIZES, two)[:, 0, :5, 0]
    np.testing.assert_allclose(down, [[14, 18, 22, 26, 26], [6, 10, 10, 6, 2]])
    np.testing.assert_allclose(centres(SIZES, two)[:, 0, 0], 16)
    np.testing.assert_allclose(centres(SIZES, two)[:, 4, 0, 0], [28, 12])
    # Time to the first wall is way by speed.
    unbounced = factors.bounces_1 == 0
    start = np.array([path[:, 0, 0], path[:, 0, 1]]).T
    velocity = factors[["velocity_y_1", "velocity_x_1"]].to_numpy()
    way = np.where(velocity > 0, room[:, 0] - start, start)
    times = (way / np.abs(velocity)).min(1)
    np.testing.assert_allclose(factors.first_bounce_1[~unbounced], times[~unbounced])
    assert (times[unbounced] >= SIZES.frames - 1).all()


def test_a_digit_brings_its_size_into_a_swap() -> None:
    factors = open_source(SIZES, Path()).train_split(60).factors
    content, motion = factors[:30].reset_index(drop=True), factors[30:].reset_index(drop=True)
    swapped = swap_factors(content, motion)
    np.testing.assert_array_equal(sides(SIZES, swapped), sides(SIZES, content))
    np.testing.assert_array_equal(swapped.velocity_y_1, motion.velocity_y_1)
    np.testing.assert_array_equal(render_factors(SIZES, swap_factors(swapped, content)), render_factors(SIZES, content))


def test_shifted_sizes_are_larger_by_three_tenths_or_as_the_frame_allows() -> None:
    for size, times in (((0.8, 1.2), 1.3), ((0.6, 2.0), 31 / 28)):
        config = SIZES.model_copy(update={"size": size})
        test = {name: shifted(config, name, 20) for name in SHIFTS}
        np.testing.assert_allclose(test["size"].factors.size_1, times * test["speed"].factors.size_1)
        assert (test["size"].factors.start_y_1 == test["speed"].factors.start_y_1).all()
        for name in ("size", "contrast"):
            np.testing.assert_array_equal(shifted_truth(config, name, test[name].factors), test[name].video)


def test_sizes_without_variation_have_no_column() -> None:
    large = SMALL.model_copy(update={"size": (1.25, 1.25)})
    split = open_source(large, Path()).train_split(30)
    assert not any(name.startswith("size") for name in split.factors)
    varied = SIZES.model_copy(update={"speed_px": SMALL.speed_px})
    same = render_factors(varied, split.factors.assign(size_1=1.25))
    np.testing.assert_array_equal(split.video, same)


def test_a_batch_of_sizes_is_a_pure_function() -> None:
    source = open_source(TWO_SIZES, Path())
    whole = source.train_batch(7, 100, 20, CPU)
    parts = [source.train_batch(7, first, count, CPU) for first, count in ((100, 1), (101, 19))]
    assert torch.equal(torch.cat([part.video for part in parts]), whole.video)
    assert whole.centres_px is not None


def _cut(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:5000])


def _drop_row(path: Path) -> None:
    path.write_text("".join(path.read_text().splitlines(keepends=True)[:-1]))


def _shuffle(path: Path) -> None:
    pd.read_csv(path)[::-1].to_csv(path, index=False)


def _rename(path: Path) -> None:
    path.write_text(path.read_text().replace("speed_1", "pace_1"))


FIX = "delete it and make the data set again"
BROKEN = {
    "npz missing": ("test.npz", Path.unlink, "no such file; run the step that makes it"),
    "npz cut": ("test.npz", _cut, None),
    "csv missing": ("test.csv", Path.unlink, "no such file; run the step that makes it"),
    "csv empty": (
        "test.csv",
        lambda p: p.write_text(""),
        f"not readable as a table (No columns to parse from file); {FIX}",
    ),
    "row dropped": ("test.csv", _drop_row, f"19 rows for the 20 clips of test.npz; {FIX}"),
    "column renamed": ("test.csv", _rename, f"columns are not class_1 … end_x_1; {FIX}"),
    "text for a number": ("test.csv", lambda p: p.write_text(p.read_text().replace("\n1", "\none")), None),
    "rows shuffled": ("test.csv", _shuffle, f"these factors do not draw the clips of test.npz; {FIX}"),
}


@pytest.mark.parametrize("case", BROKEN)
def test_a_damaged_split_is_named_with_its_fix(case: str, folder: Path) -> None:
    name, damage, message = BROKEN[case]
    damage(folder / name)
    with pytest.raises(DataError) as caught:
        open_source(SMALL, folder).split("test")
    text = str(caught.value)
    assert text.startswith(f"{folder / name}: ")
    assert "\n" not in text
    if message is not None:
        assert text == f"{folder / name}: {message}"


def test_a_split_of_other_settings_is_refused(folder: Path) -> None:
    with pytest.raises(DataError) as caught:
        open_source(SMALL.model_copy(update={"frames": 10}), folder).split("test")
    assert str(caught.value) == (
        f"{folder / 'test.npz'}: video is (20, 12, 1, 32, 32), these settings make (20, 10, 1, 32, 32); {FIX}"
    )
    with pytest.raises(DataError, match="do not draw the clips"):
        open_source(SMALL.model_copy(update={"drawing": "integer"}), folder).split("test")


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"digit_px": 32}, "digit_px is 32; must be smaller than image_px, 32, for a digit to move"),
        ({"size": (1.2, 0.8)}, "size is [1.2, 0.8]; must be [smallest, largest] with 0 < smallest ≤ largest"),
        (
            {"size": (1, 2.5)},
            "size is [1, 2.5], so digits are up to 35 pixels wide; "
            "must be smaller than image_px, 32, for a digit to move",
        ),
        ({"speed_px": (3, 1)}, "speed_px is [3, 1]; must be [slowest, fastest] with 0 < slowest ≤ fastest"),
        ({"speed_px": (0, 1)}, "speed_px is [0, 1]; must be [slowest, fastest] with 0 < slowest ≤ fastest"),
    ],
)
def test_impossible_settings_say_what_is_possible(settings: dict[str, object], message: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Config.model_validate(settings)
    assert caught.value.errors()[0]["msg"] == f"Value error, {message}"


def test_unreadable_factors_are_named() -> None:
    factors = open_source(SMALL, Path()).train_split(2).factors
    with pytest.raises(DataError, match=r"factors: an instance is outside the uci bank, 0 … 1796"):
        render_factors(SMALL, factors.assign(instance_1=1797))
    with pytest.raises(DataError, match=r"factors: no column 'start_x_1'; a clip of 1 digit\(s\) needs instance_1, "):
        render_factors(SMALL, factors.drop(columns="start_x_1"))
    with pytest.raises(
        DataError, match=r"factors: no column 'size_1'; a clip of 1 digit\(s\) needs instance_1, size_1"
    ):
        render_factors(SIZES, factors)
    for size in (0.0, 2.3, np.nan):
        with pytest.raises(DataError, match=r"factors: a size is not above 0 and below 2.28571, the frame's"):
            render_factors(SIZES, factors.assign(size_1=size))


def test_every_setting_is_described() -> None:
    assert all(field.description for field in Config.model_fields.values())
