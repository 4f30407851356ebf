"""The public Moving MNIST clips as people have them, one after another in the public file's order.

- the file itself, `mnist_test_seq.npy`: uint8 `[20, N, 64, 64]`, frames before clips; N is 10,000. It is mapped and
  never loaded whole: clips are read in blocks, and each block's mapping is given back.
- the folder that tensorflow-datasets prepared of it, with `moving_mnist-test.tfrecord-00000-of-…`: a record has
  `image_sequence`, 20 PNG. The clips are read in the file's order (`whatmoves.data.prepared`).

Imports no torch: a study's check looks at headers and lengths.
"""

from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from whatmoves.data.prepared import find_shards, places_in, read_grey_png, source_order
from whatmoves.data.tfrecords import AGAIN, read_features, read_records
from whatmoves.errors import DataError

FRAMES, SIDE_PX = 20, 64
FIX = "set file to the public mnist_test_seq.npy (docs/data.md)"
MAGIC = b"\x93NUMPY"
NAME, PART = "moving_mnist", "test"

Rows = NDArray[np.int64]


class PublicFile(NamedTuple):
    """The public file: where its pixels begin and how they lie."""

    path: Path
    clips: int
    fortran_order: bool
    offset: int

    def read(self, rows: Rows) -> NDArray[np.uint8]:
        """The clips `rows` as `[n, 20, 64, 64]`."""
        shape = (FRAMES, self.clips, SIDE_PX, SIDE_PX)
        file = np.memmap(self.path, np.uint8, "r", self.offset, shape, "F" if self.fortran_order else "C")
        clips = np.empty((len(rows), FRAMES, SIDE_PX, SIDE_PX), np.uint8)
        for frame in range(FRAMES):
            clips[:, frame] = file[frame, rows]
        return clips


class Record(NamedTuple):
    """Where one record of a prepared set is: its file, its number there and the byte it begins at."""

    path: Path
    number: int
    place: int


class Prepared(NamedTuple):
    """A set that tensorflow-datasets prepared: its records in the public file's order."""

    records: list[Record]

    @property
    def clips(self) -> int:
        """How many there are."""
        return len(self.records)

    def read(self, rows: Rows) -> NDArray[np.uint8]:
        """The clips `rows` as `[n, 20, 64, 64]`; raises `DataError` for a damaged record."""
        clips = np.empty((len(rows), FRAMES, SIDE_PX, SIDE_PX), np.uint8)
        for clip, row in zip(clips, rows.tolist(), strict=True):
            _decode(self.records[row], clip)
        return clips


def find_files(path: Path) -> list[Path]:
    """The public file, or the files of the set that was prepared in the folder `path`; raises `DataError` if it has
    none or lacks some."""
    if not path.is_dir():
        return [path]
    shards = find_shards(path, NAME, PART)
    if not shards:
        raise DataError(f"{path}: is a folder without {NAME}-{PART}.tfrecord-*-of-*; {FIX}")
    return shards


def open_clips(path: Path) -> PublicFile | Prepared:
    """What is at `path`, by its headers, lengths and sizes.

    Raises `DataError` for what is missing, may not be read, is truncated or too long, or is neither a `.npy` of uint8
    `[20, N, 64, 64]` nor a prepared set.
    """
    files = find_files(path)
    if files == [path]:
        return _public_file(path)
    records = [Record(file, *at) for file in files for at in enumerate(places_in(file))]
    if not records:
        raise DataError(f"{path}: holds no clips; {FIX}")
    of_clip = dict(zip(source_order(PART, len(records)), records, strict=True))
    return Prepared([of_clip[clip] for clip in range(len(records))])


def _decode(record: Record, clip: NDArray[np.uint8]) -> None:
    """Fill `clip` `[20, 64, 64]` with a record's pictures."""
    where = f"{record.path}: record {record.number}"
    payload = next(read_records(record.path, record.number, record.place))
    try:
        pictures = read_features(payload, ("image_sequence",)).get("image_sequence", [])
    except ValueError as error:
        raise DataError(f"{where} is no message ({error}); {AGAIN}") from None
    if len(pictures) != FRAMES or isinstance(pictures, np.ndarray):
        raise DataError(
            f"{where} has {len(pictures)} pictures, expected {FRAMES}; this is not moving_mnist as prepared"
        )
    for frame, content in zip(clip, pictures, strict=True):
        frame[:] = read_grey_png(where, content, SIDE_PX)


def _public_file(path: Path) -> PublicFile:
    try:
        with path.open("rb") as stream:
            magic = stream.read(len(MAGIC))
            if magic != MAGIC:
                found = magic.hex() or "nothing"
                raise DataError(f"{path}: starts with {found}, expected {MAGIC.hex()} of a .npy file; {FIX}")
            stream.seek(0)
            shape, fortran_order, dtype = _described(path, stream)
            offset, size = stream.tell(), path.stat().st_size
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; {FIX}") from None
    except OSError as error:
        raise DataError(f"{path}: not readable ({error.strerror}); mend the path or its permissions") from None
    expected = f"expected [{FRAMES}, clips, {SIDE_PX}, {SIDE_PX}]"
    if dtype != np.uint8:
        raise DataError(f"{path}: values are {dtype}, expected uint8 from 0 to 255; {FIX}")
    if len(shape) == 4 and shape[1:] == (FRAMES, SIDE_PX, SIDE_PX) and shape[0] != FRAMES:
        raise DataError(f"{path}: is {list(shape)}, clips first; {expected}: save np.swapaxes(array, 0, 1)")
    if len(shape) != 4 or (shape[0], *shape[2:]) != (FRAMES, SIDE_PX, SIDE_PX):
        raise DataError(f"{path}: is {list(shape)}; {expected}; {FIX}")
    if shape[1] < 1:
        raise DataError(f"{path}: holds no clips; {FIX}")
    promised = offset + shape[1] * FRAMES * SIDE_PX**2
    if size != promised:
        fault = "truncated" if size < promised else "too long"
        raise DataError(f"{path}: {fault}, {size} bytes, expected {promised}; fetch it again")
    return PublicFile(path, shape[1], fortran_order, offset)


def _described(path: Path, stream: BinaryIO) -> tuple[tuple[int, ...], bool, np.dtype[Any]]:
    """Shape, order and type of the array whose header `stream` is at."""
    readers = {(1, 0): np.lib.format.read_array_header_1_0, (2, 0): np.lib.format.read_array_header_2_0}
    try:
        version = np.lib.format.read_magic(stream)
        if version in readers:
            shape, fortran_order, dtype = readers[version](stream)
            return shape, fortran_order, dtype
        reason = f"version {version[0]}.{version[1]} of the format"
    except OSError:
        raise
    except Exception as error:  # a damaged header is text that NumPy parses: it fails in many ways
        reason = " ".join(str(error).split())[:100]
    raise DataError(f"{path}: header not readable ({reason}); fetch it again")
