"""BAIR robot pushing as people have it: where a set's files lie in each of three forms, and its trajectories in order.

- `records`, the public archive: `train/` and `test/` with `traj_*.tfrecords`; a record is a trajectory, and has for
  frame t `t/image_aux1/encoded` and `t/image_main/encoded` (64×64×3 bytes as they are), `t/action` and
  `t/endeffector_pos`.
- `prepared` by tensorflow-datasets: `bair_robot_pushing_small-train.tfrecord-00000-of-…` and those of `test`; a record
  has `image_aux1` and `image_main` (a PNG a frame), `action` and `endeffector_pos` (numbers of all frames in a row).
- `pictures`, the folders of the lightweight CVAE and, without the numbers, of SVG: `train/<file>/<trajectory>/` with
  `0.png` … `29.png`, `actions.csv` and `endeffector_positions.csv`, the same in `test/` and maybe `validate/`; one
  camera, which the public script makes of `aux1`.

Nothing here is trusted: what is damaged, short or of other sizes is a `DataError` of one line.
"""

import hashlib
import io
import json
import os
import re
import struct
import zlib
from collections.abc import Iterator, Sequence
from itertools import chain
from pathlib import Path
from typing import Any, Literal, NamedTuple, get_args

import numpy as np
from numpy.typing import NDArray

from whatmoves.data.prepared import places_in
from whatmoves.data.tfrecords import AGAIN, Values, count_records, read_features, read_records
from whatmoves.errors import DataError

Form = Literal["records", "prepared", "pictures"]
Camera = Literal["aux1", "main"]

SIDE_PX, ACTIONS, STATES = 64, 4, 3
FRAME_BYTES = SIDE_PX * SIDE_PX * 3
PREPARED = "bair_robot_pushing_small"
ACTION_TABLE, STATE_TABLE = "actions.csv", "endeffector_positions.csv"
LARGEST_PICTURE_BYTES = 2**20

Floats = NDArray[np.float32]


class Found(NamedTuple):
    """A set on the disk: its form, and by part the files of records, or the one folder of pictures.

    `validate` is empty where the form has no such part.
    """

    form: Form
    train: list[Path]
    validate: list[Path]
    test: list[Path]


class Trajectory(NamedTuple):
    """The first T frames of one trajectory: video uint8 `[T, 3, 64, 64]`, `actions` `[T, 4]`, `states` `[T, 3]`."""

    video: NDArray[np.uint8]
    actions: Floats
    states: Floats


def find_set(folder: Path, form: Form | None = None, camera: Camera = "aux1") -> Found:
    """The set in `folder`, of the form named or the one that is there; only names are looked at.

    Raises `DataError` where there is none, more than one, or one that cannot have this camera.
    """
    folder = folder.expanduser()
    if not folder.is_dir():
        place = folder if folder.is_absolute() else f"{folder} (in {Path.cwd()})"
        raise DataError(f"{place}: no such folder; set folder to that of BAIR's files")
    looks = {"records": _records, "prepared": _prepared, "pictures": _pictures}
    found = [one for name, look in looks.items() if form in (None, name) for one in look(folder)]
    if not found:
        wanted = {
            "records": "train/*.tfrecords",
            "prepared": f"{PREPARED}-train.tfrecord-*",
            "pictures": "train/<file>/<trajectory>/0.png",
        }
        looked_for = " nor ".join(files for name, files in wanted.items() if form in (None, name))
        raise DataError(f"{folder}: no BAIR set here, neither {looked_for}; set folder to the one that holds train")
    if len(found) > 1:
        places = ", ".join(f"{one.form} in {one.train[0].parent}" for one in found)
        raise DataError(f"{folder}: holds more than one set ({places}); set form, or folder to one of them")
    for name, paths in (("train", found[0].train), ("test", found[0].test)):
        if not paths:
            raise DataError(f"{folder}: has no {name} files beside its others; fetch the whole set")
    if found[0].form == "pictures" and camera != "aux1":
        raise DataError(
            f"{folder}: camera is {camera}, but folders of pictures hold one camera, which the public script makes of "
            "aux1; leave camera out"
        )
    for path in chain(found[0].train, found[0].validate, found[0].test):
        _require_inside(path, folder)
    return found[0]


def sources_of(form: Form, paths: Sequence[Path]) -> list[Path]:
    """The files of records themselves, or the folders of a part's folder that each hold some trajectories."""
    return [source for path in paths for source in _folders(path, path)] if form == "pictures" else [*paths]


def count_trajectories(form: Form, source: Path) -> int:
    """How many there are in a source; raises `DataError` for a torn file, and for a prepared one that lacks records."""
    if form == "pictures":
        return len(_folders(source, source.parent))
    return count_records(source) if form == "records" else len(places_in(source))


def state_of(form: Form, source: Path) -> list[Any]:
    """What changes where a source is written to: its name, size and time; of folders the names and times in it."""
    paths = _folders(source, source.parent) if form == "pictures" else [source]
    states = [(path.name, path.stat()) for path in paths]
    told = [[name, 0 if form == "pictures" else state.st_size, state.st_mtime_ns] for name, state in states]
    return [source.name, hashlib.sha256(json.dumps(told).encode()).hexdigest()]


def read_trajectories(form: Form, sources: Sequence[Path], camera: Camera, frames: int) -> Iterator[Trajectory]:
    """The first `frames` frames of every trajectory, in order of sources, then of records.

    Raises `DataError` for what is damaged, shorter, or without this camera.
    """
    for path in sources:
        if form == "pictures":
            yield from (_read_folder(folder, frames) for folder in _folders(path, path.parent))
            continue
        read = _read_raw if form == "records" else _read_prepared
        for number, payload in enumerate(read_records(path)):
            yield read(f"{path}: record {number}", payload, camera, frames)


def _records(folder: Path) -> list[Found]:
    places = [place for place in (folder, folder / "softmotion30_44k") if any(place.glob("train/*.tfrecords"))]
    return [
        Found(
            "records", *(sorted(place.glob(f"{part}/*.tfrecords"), key=_by_numbers) for part in ("train", "-", "test"))
        )
        for place in places
    ]


def _prepared(folder: Path) -> list[Found]:
    first = f"{PREPARED}-train.tfrecord-*"
    patterns = (first, f"*/{first}", f"{PREPARED}/*/{first}")
    places = sorted({path.parent for pattern in patterns for path in folder.glob(pattern)})
    return [Found("prepared", _shards(place, "train"), [], _shards(place, "test")) for place in places]


def _shards(place: Path, part: str) -> list[Path]:
    """The files of a part, all that their names say there are."""
    paths = sorted(place.glob(f"{PREPARED}-{part}.tfrecord-*-of-*"))
    for number, path in enumerate(paths):
        _, _, told = path.name.rpartition("-of-")
        expected = [
            f"{PREPARED}-{part}.tfrecord-{index:05d}-of-{told}" for index in range(int(told) if told.isdigit() else 0)
        ]
        if len(expected) != len(paths) or path.name != expected[number]:
            lacking = sorted({*expected} - {path.name for path in paths})
            raise DataError(
                f"{path}: {len(paths)} files of {part} for the {told} that this name tells"
                f"{f', without {lacking[0]}' if lacking else ''}; fetch them all, and no others"
            )
    return paths


def _pictures(folder: Path) -> list[Found]:
    parts = [
        [folder / part] if next(_trajectory_folders(folder / part), None) else []
        for part in ("train", "validate", "test")
    ]
    return [Found("pictures", *parts)] if parts[0] else []


def _trajectory_folders(part: Path) -> Iterator[Path]:
    """The folders of trajectories of a part, in order; its other files are passed over."""
    if not part.is_dir():
        return
    for file in _folders(part, part):
        yield from _folders(file, part)


def _folders(folder: Path, root: Path) -> list[Path]:
    """Its folders, in order."""
    try:
        found = sorted((path for path in folder.iterdir() if path.is_dir()), key=_by_numbers)
    except OSError as error:
        raise DataError(f"{folder}: not readable ({error.strerror}); check its permissions") from None
    for path in found:
        _require_inside(path, root)
    return found


def _by_numbers(path: Path) -> list[Any]:
    """A name as text and numbers in turn: `traj_256_to_511` comes before `traj_1024_to_1279`."""
    return [int(part) if index % 2 else part for index, part in enumerate(re.split(r"([0-9]+)", path.name))]


def _require_inside(path: Path, root: Path) -> None:
    if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
        raise DataError(f"{path}: is a link that leaves the folder; set folder to where the files are, or copy them")


def _read_raw(where: str, payload: memoryview, camera: Camera, frames: int) -> Trajectory:
    names = [(f"{t}/image_{camera}/encoded", f"{t}/action", f"{t}/endeffector_pos") for t in range(frames)]
    found = _features(where, payload, [*chain(*names)])
    video = np.empty((frames, SIDE_PX, SIDE_PX, 3), np.uint8)
    actions, states = np.empty((frames, ACTIONS), np.float32), np.empty((frames, STATES), np.float32)
    for t, (picture, action, state) in enumerate(names):
        for name in (picture, action, state):
            if name not in found:
                raise DataError(f"{where}: {_why_missing(where, payload, camera, t, name, frames)}")
        video[t] = _raw_picture(f"{where}: {picture}", found[picture])
        actions[t] = _numbers(f"{where}: {action}", found[action], ACTIONS)
        states[t] = _numbers(f"{where}: {state}", found[state], STATES)
    return Trajectory(
        _channels_first(video), _finite(f"{where}: an action", actions), _finite(f"{where}: a place", states)
    )


def _why_missing(where: str, payload: memoryview, camera: Camera, t: int, name: str, frames: int) -> str:
    other = _other(camera)
    kinds = (f"image_{camera}/encoded", f"image_{other}/encoded", "action", "endeffector_pos")
    there = _features(where, payload, [f"{t}/{kind}" for kind in kinds])
    if not there and t > 0:
        return _too_short(t, frames)
    if f"{t}/{kinds[0]}" not in there and f"{t}/{kinds[1]}" in there:
        return f"has no pictures of the camera {camera}; set camera to {other}"
    return f"has no {name}; this is not BAIR's raw form, or {AGAIN}"


def _read_prepared(where: str, payload: memoryview, camera: Camera, frames: int) -> Trajectory:
    cameras = [f"image_{name}" for name in get_args(Camera)]
    found = _features(where, payload, [*cameras, "action", "endeffector_pos"])
    name = f"image_{camera}"
    if name not in found:
        there = f"set camera to {_other(camera)}" if set(cameras) & {*found} else "this is not BAIR as prepared"
        raise DataError(f"{where}: has no {name}; {there}")
    pictures = found[name]
    if not isinstance(pictures, list):
        raise DataError(f"{where}: {name} holds numbers; must hold a PNG a frame")
    if len(pictures) < frames:
        raise DataError(f"{where}: {_too_short(len(pictures), frames)}")
    numbers = []
    for key, width in (("action", ACTIONS), ("endeffector_pos", STATES)):
        if key not in found:
            raise DataError(f"{where}: has no {key}; this is not BAIR as prepared")
        values = _numbers(f"{where}: {key}", found[key], len(pictures) * width).reshape(-1, width)[:frames]
        numbers.append(_finite(f"{where}: {key}", values))
    video = [_png(f"{where}: {name} of frame {t}", bytes(picture)) for t, picture in enumerate(pictures[:frames])]
    return Trajectory(_channels_first(np.stack(video)), *numbers)


def _read_folder(folder: Path, frames: int) -> Trajectory:
    names = [name.rpartition(".") for name in os.listdir(folder)]
    pictures = {
        int(stem): f"{stem}.png" for stem, _, end in names if end == "png" and stem.isascii() and stem.isdigit()
    }
    video = np.empty((frames, SIDE_PX, SIDE_PX, 3), np.uint8)
    for t in range(frames):
        if t not in pictures:
            if t and max(pictures) < t:
                raise DataError(f"{folder}: {_too_short(t, frames)}")
            raise DataError(f"{folder}: has no {t}.png; a trajectory begins at 0.png and lacks none: copy it again")
        path = folder / pictures[t]
        _require_inside(path, folder)
        video[t] = _png(str(path), _bytes(path))
    tables = [_table(folder / name, width, frames) for name, width in ((ACTION_TABLE, ACTIONS), (STATE_TABLE, STATES))]
    return Trajectory(_channels_first(video), *tables)


def _table(path: Path, width: int, frames: int) -> Floats:
    """The first `frames` rows of a table of numbers without a head, `[frames, width]`."""
    _require_inside(path, path.parent)
    rows = [line for line in _bytes(path).decode("utf-8", "replace").splitlines() if line.strip()][:frames]
    if len(rows) < frames:
        raise DataError(f"{path}: {_too_short(len(rows), frames)}")
    values = np.empty((frames, width), np.float32)
    for t, line in enumerate(rows):
        cells = line.split(",")
        try:
            if len(cells) != width:
                raise ValueError
            values[t] = [float(cell) for cell in cells]
        except ValueError:
            shown = repr(line if len(line) <= 40 else f"{line[:37]}...")
            raise DataError(f"{path}: line {t + 1} is {shown}; must be {width} numbers with commas between") from None
    return _finite(str(path), values)


def _features(where: str, payload: memoryview, wanted: Sequence[str]) -> dict[str, Values]:
    try:
        return read_features(payload, wanted)
    except ValueError as error:
        raise DataError(f"{where}: is no tf.train.Example ({error}); {AGAIN}") from None


def _raw_picture(where: str, value: Values) -> NDArray[np.uint8]:
    sizes = [len(part) for part in value] if isinstance(value, list) else []
    if sizes != [FRAME_BYTES]:
        held = f"{sizes[0]} bytes" if len(sizes) == 1 else f"{len(value)} values"
        raise DataError(f"{where} is {held}; must be {FRAME_BYTES} bytes, 64×64×3")
    return np.frombuffer(value[0], np.uint8).reshape(SIDE_PX, SIDE_PX, 3)


def _numbers(where: str, value: Values, count: int) -> Floats:
    if isinstance(value, list) or len(value) != count:
        held = "no list of floats" if isinstance(value, list) else f"{len(value)} numbers"
        raise DataError(f"{where} is {held}; must be {count} numbers")
    return value


def _finite(where: str, values: Floats) -> Floats:
    if not np.isfinite(values).all():
        raise DataError(f"{where} has a number that is not finite; {AGAIN}")
    return values


def _png(where: str, content: bytes) -> NDArray[np.uint8]:
    """Pixels `[64, 64, 3]` of a PNG of that size."""
    from PIL import Image, UnidentifiedImageError  # the rules look for files with this module, and for no more

    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            if image.mode != "RGB" or image.size != (SIDE_PX, SIDE_PX):
                width, height = image.size
                raise DataError(f"{where} is {image.mode} of {width}×{height} pixels; must be RGB of 64×64")
            return np.asarray(image)
    except UnidentifiedImageError:
        raise DataError(f"{where} is no PNG; {AGAIN}") from None
    except (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, zlib.error) as error:
        raise DataError(f"{where} is damaged ({' '.join(str(error).split())}); {AGAIN}") from None


def _bytes(path: Path) -> bytes:
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST_PICTURE_BYTES + 1)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; every trajectory needs its pictures, actions and positions") from None
    except OSError as error:
        raise DataError(f"{path}: not readable ({error.strerror}); check its permissions") from None
    if len(content) > LARGEST_PICTURE_BYTES:
        raise DataError(f"{path}: larger than {LARGEST_PICTURE_BYTES} bytes; this is no file of BAIR's")
    return content


def _channels_first(video: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.ascontiguousarray(video.transpose(0, 3, 1, 2))


def _too_short(there: int, frames: int) -> str:
    return f"has {there} frames, and frames is {frames}; set frames to at most {there}, or {AGAIN}"


def _other(camera: Camera) -> Camera:
    return "main" if camera == "aux1" else "aux1"
