"""Trajectories and draws: reflection by hand and by simulation, streams that can be cut anywhere and never meet."""

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from whatmoves.data.streams import uniforms
from whatmoves.data.trajectories import bounces, draw, first_bounce, positions


def one(y: float, x: float) -> np.ndarray:
    return np.array([[[y, x]]], dtype=float)


def test_a_bounce_by_hand() -> None:
    # Box 0 … 10. y falls 8, 11→9, 14→6, 17→3, 20→0, 23→3; x goes 1.5, −0.5→0.5, −2.5→2.5, 4.5, 6.5, 8.5.
    path = positions(one(8, 1.5), one(3, -2), frames=6, range_px=10)
    assert path.shape == (1, 1, 6, 2)
    np.testing.assert_allclose(path[0, 0, :, 0], [8, 9, 6, 3, 0, 3])
    np.testing.assert_allclose(path[0, 0, :, 1], [1.5, 0.5, 2.5, 4.5, 6.5, 8.5])
    assert bounces(one(8, 1.5), one(3, -2), 6, 10).tolist() == [[3]]  # y at 10 and at 20 (→ 0), x at 0
    np.testing.assert_allclose(first_bounce(one(8, 1.5), one(3, -2), 6, 10), [[2 / 3]])


def test_no_bounce_and_no_motion_along_an_axis() -> None:
    assert bounces(one(2, 0), one(1, 0), 5, 10).tolist() == [[0]]
    assert first_bounce(one(2, 0), one(1, 0), 5, 10).tolist() == [[4.0]]


@settings(max_examples=50, deadline=None)
@given(st.integers(1, 60), st.floats(0, 1, exclude_max=True), st.floats(-7, 7), st.integers(2, 25))
def test_reflection_equals_flight_in_small_steps(range_px: int, part: float, velocity: float, frames: int) -> None:
    start = part * range_px
    place, speed, path = start, velocity, [start]
    for _ in range(frames - 1):
        place += speed
        while not 0 <= place <= range_px:
            place, speed = (-place if place < 0 else 2 * range_px - place), -speed
        path.append(place)
    got = positions(one(start, 0), one(velocity, 0), frames, range_px)[0, 0, :, 0]
    np.testing.assert_allclose(got, path, atol=1e-9)


@pytest.mark.parametrize("digits", [1, 2, 3])
def test_a_clip_alone_is_the_clip_in_its_range(digits: int) -> None:
    together = uniforms(3, "train", 5, 40, 20, 8 * digits)
    assert together.shape == (20, 8 * digits)
    for i in (0, 7, 19):
        np.testing.assert_array_equal(uniforms(3, "train", 5, 40 + i, 1, 8 * digits)[0], together[i])
    assert len(np.unique(together)) == together.size


def test_streams_never_meet() -> None:
    keys = [(d, s, t) for d in (0, 1) for s in ("train", "probe", "validation", "test") for t in (0, 1, 2**31 - 1)]
    drawn = np.concatenate([uniforms(*key, 0, 50, 8).ravel() for key in keys])
    assert len(np.unique(drawn)) == drawn.size == len(keys) * 400


def test_draws_are_uniform_over_their_ranges() -> None:
    draws = draw(uniforms(0, "train", 0, 0, 20_000, 16).reshape(-1, 2, 8), range(100, 110), 18, (1.0, 3.0))
    assert np.bincount(draws.instances.ravel())[100:].tolist() == pytest.approx([4000] * 10, rel=0.06)
    np.testing.assert_allclose(draws.start_px.mean((0, 1)), 9, rtol=0.02)
    np.testing.assert_allclose(draws.start_px.max((0, 1)), 18, rtol=0.001)
    speed = np.hypot(*draws.velocity_px.transpose(2, 0, 1))
    assert 1 <= speed.min() < 1.001
    assert 2.999 < speed.max() <= 3
    assert speed.mean() == pytest.approx(2, rel=0.01)
    quadrant = (draws.velocity_px > 0) @ [2, 1]
    assert np.bincount(quadrant.ravel()).tolist() == pytest.approx([10_000] * 4, rel=0.05)
