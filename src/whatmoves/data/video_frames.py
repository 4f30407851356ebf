"""The frames of many videos in one growing array, and what is odd about them, told in the log once."""

import hashlib
import json
import logging
import sys
from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray
from tqdm import tqdm

from whatmoves.data.growing_arrays import Column, GrowingArrays
from whatmoves.data.video_actions import read_actions
from whatmoves.data.video_files import Video
from whatmoves.data.video_reader import Facts, Reader, digest_of, reader_version
from whatmoves.errors import DataError

log = logging.getLogger(__name__)

BLOCK_FRAMES = 64  # in memory at once
MUCH_CUT = 0.1  # of a picture, worth a word
SAME_RATE = 0.01  # a part of it
SHOWN_NAMES = 3


class Reading(NamedTuple):
    """What decides about the frames beside the videos; the options of `whatmoves.data.video_folder`."""

    image_px: int
    channels: int
    frames_per_s: float | None
    actions: int

    @property
    def columns(self) -> dict[str, Column]:
        """What a frame is: its pixels, and the numbers of its action as the table has them."""
        picture = (self.channels, self.image_px, self.image_px)
        return {"video": Column(np.uint8, picture), "actions": Column(np.float64, (self.actions,))}

    @property
    def stamp(self) -> str:
        """A checksum, of the readers' versions too."""
        return hashlib.sha256(json.dumps([self, reader_version()]).encode()).hexdigest()


class Read(NamedTuple):
    """One video as it was read: where its rows begin in `frames.npy`, how many they are, and its facts."""

    video: Video
    first: int
    rows: int
    sha256: str
    facts: Facts


def read_videos(how: Reading, videos: Sequence[Video], growing: GrowingArrays) -> list[Read]:
    """Read the videos that are not there yet, each committed when it is whole."""
    sums = [digest_of(video.files) for video in videos]
    known = growing.recorded()
    wanted: list[Any] = []
    for video, sha256, note in zip(videos, sums, known, strict=False):
        if {key: note.get(key) for key in ("name", "sha256", "actions")} != _inputs(how, video, sha256):
            break
        wanted.append(note)
    kept = growing.keep(wanted)
    if kept:
        log.info("%d of %d videos were read before; going on with the others", kept, len(videos))
    with tqdm(total=len(videos), initial=kept, unit="video", disable=not sys.stderr.isatty()) as bar:
        for video, sha256 in zip(videos[kept:], sums[kept:], strict=True):
            before = growing.rows["video"]
            actions = read_actions(video.actions, how.actions) if how.actions else None
            reader = Reader(video, how.image_px, how.channels, how.frames_per_s)
            block: list[NDArray[np.uint8]] = []
            count = 0
            for frame in reader.frames():
                block.append(frame)
                if len(block) == BLOCK_FRAMES:
                    _append(growing, block, actions, count)
                    count, block = count + len(block), []
            if block:
                _append(growing, block, actions, count)
                count += len(block)
            if actions is not None and len(actions) != count:
                raise DataError(f"{video.actions}: {len(actions)} rows for the {count} frames of {video.path.name}; "
                                "must be one a frame")  # fmt: skip
            assert reader.facts is not None
            growing.commit({**_inputs(how, video, sha256), "facts": reader.facts})
            assert growing.rows["video"] == before + count
            bar.update()
    read, first = [], 0
    for video, (note, rows) in zip(videos, growing.kept(), strict=True):
        width, height, times_s = note["facts"]
        read.append(Read(video, first, rows["video"], note["sha256"], Facts(width, height, tuple(times_s))))
        first += rows["video"]
    return read


def tell_rates(read: Sequence[Read]) -> None:
    """Where a step from frame to frame is not one time: the models are not told."""
    varying = [one for one in read if one.facts.varies]
    rates = {one.video.name: rate for one in read if (rate := one.facts.frames_per_s) is not None}
    if varying:
        told = more_of(", ".join(one.video.name for one in varying[:SHOWN_NAMES]), varying)
        what = "frames of %d videos are not evenly spaced in time: %s; set frames_per_s to make them so"
        log.warning(what, len(varying), told)
    ordered = sorted(rates, key=lambda name: rates[name])
    if ordered and rates[ordered[-1]] > rates[ordered[0]] * (1 + SAME_RATE):
        log.warning(
            "videos have from %.4g frames a second (%s) to %.4g (%s); set frames_per_s to make them alike",
            rates[ordered[0]],
            ordered[0],
            rates[ordered[-1]],
            ordered[-1],
        )


def tell_cuts(read: Sequence[Read]) -> None:
    """Where much of the pictures lies outside the square."""
    cut = [one for one in read if one.facts.cut_away > MUCH_CUT]
    if cut:
        most = max(cut, key=lambda one: one.facts.cut_away)
        log.info(
            "the middle square is kept: %d videos lose more than %.0f %% of the picture, the most %s (%d×%d): %.0f %%",
            len(cut), 100 * MUCH_CUT, most.video.name, most.facts.width, most.facts.height, 100 * most.facts.cut_away,
        )  # fmt: skip


def more_of(told: str, all_of_them: Sequence[Any]) -> str:
    return told + (", …" if len(all_of_them) > SHOWN_NAMES else "")


def _append(
    growing: GrowingArrays, block: list[NDArray[np.uint8]], actions: NDArray[np.float64] | None, first: int
) -> None:
    values = np.zeros((len(block), 0)) if actions is None else actions[first : first + len(block)]
    if len(values) < len(block):  # told when the video has been counted
        values = np.zeros((len(block), values.shape[1]))
    growing.append(video=np.stack(block), actions=values)


def _inputs(how: Reading, video: Video, sha256: str) -> dict[str, str]:
    """What a video was read from; the checksum of its actions is empty where none are read."""
    actions = digest_of([video.actions]) if how.actions else ""
    return {"name": video.name, "sha256": sha256, "actions": actions}
