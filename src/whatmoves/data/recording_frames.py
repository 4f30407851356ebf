"""The pictures of a recording in one array, which of them follow each other, and where clips may be cut from them.

Pictures are resized once, here, by one antialiased filter: input and target of a prediction are the same pixels.
"""

import hashlib
import io
import logging
import struct
import warnings
import zlib
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from PIL import Image, ImageOps, UnidentifiedImageError

from whatmoves.data.recording_log import Session, logs_digest
from whatmoves.data.recording_order import Entry
from whatmoves.data.recording_problems import Problems

FORMATS = ("PNG", "JPEG", "BMP", "WEBP")
MODES = frozenset({"1", "L", "LA", "P", "PA", "RGB", "RGBA", "CMYK", "YCbCr"})  # 8 bits a channel
LARGEST_PICTURE_BYTES = 2**26
SLOW_STEP_S = 20.0  # of a recording of anything that moves: rather another unit of time
GAP_STEPS = 1.5  # a step of this many usual ones lacks a frame

Indices = NDArray[np.int64]

log = logging.getLogger(__name__)


class Recording(NamedTuple):
    """F frames, session after session, each in order of time.

    `frames` uint8 `[F, 3, H, W]` and `controls` `[F, A]` as logged; `[F]` each: `sessions`, an index; `runs`, equal
    where every frame follows the one before it, so that clips lie inside a run; `lines` of the log; `times_s` since
    the session began. `digest` identifies what was read: the logs and pictures, byte for byte.
    """

    frames: NDArray[np.uint8]
    controls: NDArray[np.float64]
    sessions: Indices
    runs: Indices
    lines: Indices
    times_s: NDArray[np.float64]
    digest: str

    def part(self, rows: NDArray[np.bool_]) -> "Recording":
        """Only the frames `rows` `[F]`: whole sessions."""
        return Recording(
            self.frames[rows],
            self.controls[rows],
            self.sessions[rows],
            self.runs[rows],
            self.lines[rows],
            self.times_s[rows],
            self.digest,
        )


class _UnreadableError(Exception):
    """A picture that cannot be used; the text is the reason."""


def read_frames(
    sessions: Sequence[Session], controls: int, image_px: int, gap_s: float | None, problems: Problems
) -> Recording:
    """Read every picture, resized to `image_px` × `image_px`.

    A frame follows the one before it if no bad line lies between them and their step is at most `gap_s` (None:
    `GAP_STEPS` times the session's usual, its median).
    """
    total = sum(len(session.entries) for session in sessions)
    frames = np.empty((total, 3, image_px, image_px), np.uint8)
    values: list[tuple[float, ...]] = []
    rows: list[tuple[int, int, float, bool]] = []  # session, line, time, whether it follows the row before
    digest = hashlib.sha256()
    digest.update(logs_digest(list(dict.fromkeys(session.log for session in sessions))).encode())
    for number, session in enumerate(sessions):
        readable: list[Entry] = []
        for entry in session.entries:
            try:
                content, frames[len(rows) + len(readable)] = _picture(entry.frame, image_px)
            except _UnreadableError as bad:
                problems.add(session.log, entry.line, "picture", f"frame {entry.frame.name}: {bad}")
                continue
            digest.update(content)
            readable.append(entry)
        steps = [session.step_s(a, b) for a, b in pairwise(readable)]
        if steps and float(np.median(steps)) >= SLOW_STEP_S:
            hint = "%s: the usual step of session %s is %g s; if its times are milliseconds, set timestamp_unit: ms"
            log.warning(hint, session.log, session.name, float(np.median(steps)))
        longest = gap_s if gap_s is not None else GAP_STEPS * float(np.median(steps)) if steps else 0.0
        for index, entry in enumerate(readable):
            follows = index > 0 and steps[index - 1] <= longest
            follows = follows and not problems.between(session.log, readable[index - 1].line, entry.line)
            rows.append((number, entry.line, session.step_s(readable[0], entry), follows))
            values.append(entry.controls)
    table = np.array(rows, dtype=np.float64).reshape(len(rows), 4)
    return Recording(
        frames[: len(rows)],
        np.array(values, dtype=np.float64).reshape(len(rows), controls),
        table[:, 0].astype(np.int64),
        np.cumsum(table[:, 3] == 0) - 1,
        table[:, 1].astype(np.int64),
        table[:, 2],
        digest.hexdigest(),
    )


def _picture(path: Path, image_px: int) -> tuple[bytes, NDArray[np.uint8]]:
    """Checksum of a picture's file, and its pixels `[3, H, W]`; raises `_UnreadableError` for anything else."""
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST_PICTURE_BYTES + 1)
        if len(content) > LARGEST_PICTURE_BYTES:
            raise _UnreadableError(f"larger than {LARGEST_PICTURE_BYTES} bytes")
        with warnings.catch_warnings():
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            with Image.open(io.BytesIO(content), formats=FORMATS) as image:
                if image.mode not in MODES:
                    raise _UnreadableError(f"its pixels are {image.mode}; must have 8 bits a channel")
                if image.has_transparency_data and np.asarray(image.convert("RGBA"))[..., 3].min() < 255:
                    raise _UnreadableError("parts of it are transparent; save it without")  # what is below, nobody saw
                upright = ImageOps.exif_transpose(image)  # as every viewer turns it
                small = upright.convert("RGB").resize((image_px, image_px), Image.Resampling.BILINEAR)
    except (Image.DecompressionBombWarning, Image.DecompressionBombError):
        raise _UnreadableError("too many pixels") from None
    except UnidentifiedImageError:
        raise _UnreadableError(f"no picture of a kind known here ({', '.join(FORMATS)})") from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, zlib.error) as error:
        raise _UnreadableError(f"not readable ({' '.join(str(error).split())})") from None
    return hashlib.sha256(content).digest(), np.asarray(small).transpose(2, 0, 1)


def clip_starts(runs: Indices, frames: int) -> Indices:
    """Every place where a clip of `frames` frames may begin: its frames lie in one run."""
    last = len(runs) - frames + 1
    return np.asarray(np.flatnonzero(runs[: max(last, 0)] == runs[frames - 1 :]))


def apart_starts(runs: Indices, frames: int, most: int) -> Indices:
    """Beginnings of clips that share no frame, as many as there are but at most `most`, evenly spread."""
    first_of_run = np.flatnonzero(np.diff(runs, prepend=-1))
    starts = clip_starts(runs, frames)
    begins = first_of_run[np.searchsorted(first_of_run, starts, side="right") - 1]
    starts = np.asarray(starts[(starts - begins) % frames == 0])
    if len(starts) > most:
        starts = starts[np.linspace(0, len(starts) - 1, most).round().astype(np.int64)]
    return starts


def split_sessions(clips: Sequence[int], shares: Sequence[float], seed: int) -> list[int]:
    """For each session with its number of `clips` the part it goes to: 1, 2, … for `shares`, 0 for the rest.

    Drawn anew by `seed`. Each part takes sessions until it has its share of the clips, at least one, and leaves one for
    each part after it; sessions without clips go to the rest. There must be more sessions with clips than `shares`.
    """
    order = [int(s) for s in np.random.Generator(np.random.Philox(key=seed)).permutation(len(clips)) if clips[s]]
    assert len(order) > len(shares), "a part would be empty"
    part = [0] * len(clips)
    wanted, total = 0.0, sum(clips)
    taken, given = 0, 0
    for number, share in enumerate(shares, start=1):
        wanted += share * total
        first = taken
        while taken == first or (given < wanted and len(order) - taken > len(shares) - number + 1):
            part[order[taken]] = number
            given += clips[order[taken]]
            taken += 1
    return part
