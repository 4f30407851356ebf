"""The push world: commands decide what happens, clips are pure functions of their index, damage is named."""

from pathlib import Path

import numpy as np
import pytest
import torch

from whatmoves.data.push_world import Config, make, open_source, replay_factors
from whatmoves.errors import DataError

CONFIG = Config(image_px=16, frames=6, validation_clips=10, test_clips=12, novel_clips=9)
CPU = torch.device("cpu")


def test_any_clip_is_drawn_alone_as_within_a_range(tmp_path: Path) -> None:
    source = open_source(CONFIG, tmp_path)
    several = source.train_batch(3, 4, 5, CPU)
    assert several.video.shape == (5, 6, 3, 16, 16)
    # From what was drawn ahead, from another start, from a longer range, going back, and after another seed.
    other = open_source(CONFIG, tmp_path)
    for asked, first, count in ((source, 6, 1), (other, 6, 1), (other, 0, 80), (other, 5, 2), (source, 60, 9)):
        other.train_batch(4, first, 1, CPU)
        batch = asked.train_batch(3, first, count, CPU)
        fresh = open_source(CONFIG, tmp_path).train_batch(3, min(first, 4), 80, CPU)
        for whole, part in zip(fresh[:3], batch[:3], strict=True):
            assert whole is not None
            assert part is not None
            assert torch.equal(whole[first - min(first, 4) :][:count], part)
    assert not torch.equal(several.video, source.train_batch(4, 4, 5, CPU).video)


def test_the_effector_goes_where_it_is_told(tmp_path: Path) -> None:
    batch = open_source(CONFIG, tmp_path).train_batch(0, 0, 200, CPU)
    assert batch.actions is not None
    assert batch.states is not None
    moved = (batch.states[:, 1:, :2] - batch.states[:, :-1, :2]).flatten()
    told = batch.actions[:, :-1, :2].flatten()
    assert torch.corrcoef(torch.stack((moved, told)))[0, 1] > 0.9  # walls hold it up at times
    assert (batch.states >= 0).all()
    assert (batch.states <= 1).all()


def test_commands_decide_and_without_them_the_clip_cannot_be_known(tmp_path: Path) -> None:
    split = open_source(CONFIG, tmp_path).train_split(40)
    assert split.actions is not None
    assert np.abs(replay_factors(CONFIG, split.factors, split.actions).astype(int) - split.video).max() <= 1
    shuffled = replay_factors(CONFIG, split.factors, split.actions[::-1].copy())
    assert np.array_equal(shuffled[:, 0], split.video[:, 0])  # the same beginning
    assert (np.abs(shuffled[:, -1].astype(int) - split.video[:, -1]).max((1, 2, 3)) > 30).mean() > 0.9


def test_pushed_objects_move_and_others_stay(tmp_path: Path) -> None:
    factors = open_source(CONFIG, tmp_path).train_split(200).factors
    ways = factors[["way_1", "way_2", "way_3"]].to_numpy()
    assert (ways[factors["pushing_frames"] == 0] < 1e-6).all()
    assert (ways.max(1)[factors["pushing_frames"] > 0] > 0).all()
    assert 0.2 < (factors["pushing_frames"] > 0).mean() < 0.99


def test_novel_objects_are_in_no_other_split(tmp_path: Path) -> None:
    make(CONFIG, tmp_path)
    source = open_source(CONFIG, tmp_path)
    novel, seen = source.split("test_novel").factors, source.split("test").factors
    for part in ("shape", "colour"):
        columns = [f"{part}_{number}" for number in (1, 2, 3)]
        assert not set(novel[columns].to_numpy().ravel()) & set(seen[columns].to_numpy().ravel())


def test_two_makes_give_equal_bytes_and_damage_is_named(tmp_path: Path) -> None:
    make(CONFIG, tmp_path / "a")
    make(CONFIG, tmp_path / "b")
    for path in sorted((tmp_path / "a").iterdir()):
        assert path.read_bytes() == (tmp_path / "b" / path.name).read_bytes()
    (tmp_path / "a/test.csv").write_bytes((tmp_path / "a/validation.csv").read_bytes())
    with pytest.raises(DataError, match=r"test\.csv: 10 rows for the 12 clips of test\.npz"):
        open_source(CONFIG, tmp_path / "a").split("test")
    with pytest.raises(DataError, match=r"video is .*, these settings make"):
        open_source(CONFIG.model_copy(update={"frames": 5}), tmp_path / "b").split("test")
