"""The sample drive: a recording like any other, the same every time, in which the sticks decide."""

import json
from pathlib import Path

import numpy as np
import pytest

from whatmoves.data import sample_drive
from whatmoves.data.recording_frames import clip_starts, read_frames
from whatmoves.data.recording_log import read_sessions
from whatmoves.data.recording_problems import Problems
from whatmoves.data.sample_drive import (
    DROPPED_FRAMES,
    LAND_M,
    LOG_NAME,
    build_land,
    draw,
    move,
    wander,
    write_recording,
)


@pytest.fixture(scope="module")
def land() -> np.ndarray:
    return build_land(np.random.Generator(np.random.Philox(key=0)))


def test_it_reads_without_a_problem_and_as_it_was_driven(tmp_path: Path) -> None:
    write_recording(tmp_path, sessions=3, frames=30, seed=5)
    problems = Problems("stop")
    sessions = read_sessions(tmp_path, 4, "s", 5.0, problems)
    recording = read_frames(sessions, 4, sample_drive.PICTURE_PX, None, problems)
    assert [len(session.entries) for session in sessions] == [30 - DROPPED_FRAMES] * 3
    assert np.bincount(recording.runs).tolist() == [15, 10] * 3, "the dropped frames part a session in two runs"

    rng = np.random.Generator(np.random.Philox(key=5))
    map_of_it = build_land(rng)
    drive = wander(30, rng)
    shown = np.r_[0:15, 20:30]
    np.testing.assert_array_equal(recording.frames[:25], draw(map_of_it, drive.poses)[shown].transpose(0, 3, 1, 2))
    np.testing.assert_array_equal(recording.controls[:25], drive.sticks[shown])


def test_it_is_the_same_every_time_and_another_with_another_seed(tmp_path: Path) -> None:
    for name, seed in (("a", 0), ("b", 0), ("c", 1)):
        write_recording(tmp_path / name, sessions=1, frames=12, seed=seed)
    files = {name: sorted(p for p in (tmp_path / name).rglob("*") if p.is_file()) for name in "abc"}
    assert [p.relative_to(tmp_path / "a") for p in files["a"]] == [p.relative_to(tmp_path / "b") for p in files["b"]]
    assert all(a.read_bytes() == b.read_bytes() for a, b in zip(files["a"], files["b"], strict=True))
    assert (tmp_path / "a" / LOG_NAME).read_bytes() != (tmp_path / "c" / LOG_NAME).read_bytes()
    fields = json.loads((tmp_path / "a" / LOG_NAME).read_text().splitlines()[0])
    assert set(fields) == {"frame_filename", "controls", "server_timestamp_ns"}
    assert set(fields["controls"]) == {"leftStick", "rightStick"}


def test_the_sticks_lead_from_each_pose_to_the_next() -> None:
    drive = wander(200, np.random.Generator(np.random.Philox(key=1)))
    for before, sticks, after in zip(drive.poses, drive.sticks, drive.poses[1:], strict=False):
        np.testing.assert_array_equal(move(before, sticks), after)
    assert np.abs(drive.sticks).max() <= sample_drive.STICK_RANGE
    assert not drive.sticks[:, 1].any(), "the unused axis"


def test_sticks_do_what_they_are_for() -> None:
    still = np.array([100.0, 100.0, 0.0, 0.0, 0.0])
    x, y, heading, _, look = move(still, np.array([50.0, 0, 0, 0]))
    assert (x, y, heading, look) == (100, 100, 0, 0), "steering alone moves nothing"
    rolling = move(still, np.array([0.0, 0, 0, 50]))
    assert rolling[0] == 100
    assert rolling[1] < 100, "gas leads up the map"
    assert move(rolling, np.array([50.0, 0, 0, 50]))[2] > 0, "clockwise"
    assert move(still, np.array([0.0, 0, 50, 0]))[4] > 0
    assert move(still, np.array([0.0, 0, 0, -50]))[1] > 100, "backwards"


def test_what_is_ahead_comes_nearer_and_the_edges_of_the_land_meet(land: np.ndarray) -> None:
    metre = sample_drive.PICTURE_PX / sample_drive.VIEW_M
    step = 3 / metre  # three pixels
    poses = np.array([[80.0, 80, 0, 0, 0], [80, 80 - step, 0, 0, 0], [80 + LAND_M, 80 - LAND_M, 0, 0, 0]])
    first, later, around = draw(land, poses).astype(int)
    moved = np.abs(later[3:] - first[:-3]).mean()
    assert moved < 0.25 * np.abs(later - first).mean(), "the picture slides down by the way driven"
    np.testing.assert_array_equal(first, around)
    seam = np.abs(land[0].astype(int) - land[-1]).mean()
    assert seam < 2 * np.abs(np.diff(land.astype(int), axis=0)).mean()


def test_copying_loses_and_sticks_matter(land: np.ndarray) -> None:
    rng = np.random.Generator(np.random.Philox(key=2))
    drives = [wander(60, rng) for _ in range(6)]
    video = np.stack([draw(land, drive.poses) for drive in drives]) / 255
    mean_frame = ((video - video.mean((0, 1))) ** 2).mean()
    copies = [((video[:, k:] - video[:, :-k]) ** 2).mean() for k in (1, 3, 6)]
    assert 0.3 * mean_frame < copies[0] < copies[1] < copies[2]
    assert copies[2] > mean_frame
    # The same beginnings under another session's sticks end elsewhere.
    same, other = [], []
    for drive, foreign in zip(drives, [*drives[1:], drives[0]], strict=True):
        pose = drive.poses[20]
        for sticks in foreign.sticks[20:23]:
            pose = move(pose, sticks)
        same.append(draw(land, drive.poses[23:24]))
        other.append(draw(land, pose[None]))
    assert ((np.array(same) / 255 - np.array(other) / 255) ** 2).mean() > 0.3 * mean_frame


def test_clips_of_eight_frames_are_many(tmp_path: Path) -> None:
    write_recording(tmp_path, sessions=2, frames=40, seed=0)
    problems = Problems("stop")
    recording = read_frames(read_sessions(tmp_path, 4, "s", 5.0, problems), 4, 8, None, problems)
    assert len(clip_starts(recording.runs, 8)) == 2 * (13 + 8)
