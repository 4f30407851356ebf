"""Each oddity is planted alone in an ordinary data set: it is found, named with its clips, and nothing else is."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from whatmoves.data.clips import ClipShape, Split
from whatmoves.data.factor_tables import FactorRole
from whatmoves.using.data_facts import histogram, read_parts
from whatmoves.using.data_oddities import oddities

N, T, C, H, W = 40, 6, 3, 5, 7
ROLES = {
    "class": FactorRole("content", "discrete", "what is shown"),
    "speed": FactorRole("motion", "continuous", "how fast"),
}
Parts = dict[str, Split]


def ordinary() -> Parts:
    """Three parts of noise in which nothing is odd."""
    rng = np.random.default_rng(0)
    parts = {}
    for name in ("train", "validation", "test"):
        video = rng.integers(1, 255, (N, T, C, H, W)).astype(np.uint8)
        factors = pd.DataFrame({"class": np.arange(N) % 4, "speed": rng.random(N), "of no known role": "words"})
        actions, states = (rng.normal(size=(N, T, width)).astype(np.float32) for width in (2, 1))
        parts[name] = Split(video, factors, actions, states)
    return parts


def found(parts: Parts) -> list[str]:
    return oddities(parts, {name: histogram(split.video) for name, split in parts.items()}, ROLES)


def test_nothing_is_odd_about_ordinary_clips() -> None:
    assert found(ordinary()) == []


def constant_pixels(parts: Parts) -> None:
    for split in parts.values():
        split.video[..., 0, :] = 7


def grey_in_colour(parts: Parts) -> None:
    for split in parts.values():
        split.video[:] = split.video[:, :, :1]


def still_clips(parts: Parts) -> None:
    parts["test"].video[[3, 8]] = parts["test"].video[[3, 8], :1]


def a_blank_clip(parts: Parts) -> None:
    parts["test"].video[5] = 130


def repeated_frames(parts: Parts) -> None:
    parts["test"].video[:10, 3] = parts["test"].video[:10, 2]


def clipped_values(parts: Parts) -> None:
    video = parts["test"].video
    video[video > 240] = 255


def a_bright_clip(parts: Parts) -> None:
    parts["test"].video[9] = parts["test"].video[9] % 3 + 219


def a_bright_part(parts: Parts) -> None:
    parts["test"].video[:] = parts["test"].video // 2 + 100


def one_class_too_often(parts: Parts) -> None:
    parts["test"].factors["class"] = [1] * 34 + [0, 2, 3] * 2


def a_factor_that_never_varies(parts: Parts) -> None:
    for split in parts.values():
        split.factors["speed"] = 0.5


def the_same_clip_twice(parts: Parts) -> None:
    parts["test"].video[7] = parts["test"].video[2]


def a_test_clip_in_training(parts: Parts) -> None:
    parts["test"].video[[0, 39]] = parts["train"].video[[4, 2]]


def an_action_that_is_no_number(parts: Parts) -> None:
    parts["test"].actions[6, 2, 1] = np.nan


def a_dead_action(parts: Parts) -> None:
    for split in parts.values():
        split.actions[..., 0] = 2


def an_action_dead_in_test(parts: Parts) -> None:
    parts["test"].actions[..., 1] = 0


def clipped_states(parts: Parts) -> None:
    for split in parts.values():
        split.states[:] = np.linspace(0, 1.5, N * T).reshape(N, T, 1).clip(max=1.2)


@pytest.mark.parametrize(
    ("plant", "says"),
    [
        (constant_pixels, "20% of the pixels hold the same value, 7, in all frames of all clips"),
        (grey_in_colour, "the colour channels are equal in all clips: grey pictures, stored in colour"),
        (still_clips, "2 of 40 clips of test (3, 8) stand still: all frames are the same"),
        (a_blank_clip, "1 of 40 clips of test (5) has one value in every pixel of every frame"),
        (repeated_frames, "5% of the frames of moving clips of test repeat the frame before"),
        (clipped_values, "6% of the values of test are 255, far more than beside it: clipped, or drawn so"),
        (a_bright_clip, "1 of 40 clips of test (9) has a mean intensity far from the others': 220, where 127 is usual"),
        (a_bright_part, "train and test differ in mean intensity, 127 and 164"),
        (one_class_too_often, "class of test is unbalanced: 1 in 34 clips, 0 in 2"),
        (a_factor_that_never_varies, "factor speed never varies: it is always 0.5"),
        (the_same_clip_twice, "1 of 40 clips of test (7) has the frames of an earlier one of test"),
        (a_test_clip_in_training, "2 of 40 clips of test (0, 39) are in train too"),
        (an_action_that_is_no_number, "1 of 40 clips of test (6) has a value of action 1 that is no finite number"),
        (a_dead_action, "action 0 never changes within all clips: it is 2"),
        (an_action_dead_in_test, "action 1 never changes within test: it is 0"),
        (clipped_states, "state 0 piles up at its end, 20% are 1.2: clipped, or meant so"),
    ],
)
def test_what_is_planted_is_found(plant: Callable[[Parts], None], says: str) -> None:
    parts = ordinary()
    plant(parts)
    told = found(parts)
    assert says in told
    beside = [line for line in told if line != says]
    if plant is a_bright_part:  # from the other part too
        assert beside == [says.replace("train", "validation")]
    else:
        assert beside == []


def test_a_sample_drawn_with_replacement_counts_each_clip_once() -> None:
    parts = ordinary()
    drawn = np.array([0, 1, 0, 2, 1])

    class Source:
        shape = ClipShape(T, C, H, W)

        def train_split(self, count: int) -> Split:
            split = parts["train"]
            return Split(split.video[drawn], split.factors.iloc[drawn], split.actions[drawn], split.states[drawn])

    sample = read_parts(Source(), ("test",), Path("nowhere"), "make it")["train"]  # type: ignore[arg-type]
    assert np.array_equal(sample.video, parts["train"].video[:3])
    assert sample.factors["speed"].tolist() == parts["train"].factors["speed"][:3].tolist()
    assert sample.states is not None
    assert np.array_equal(sample.states, parts["train"].states[:3])
