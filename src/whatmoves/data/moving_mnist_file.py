"""The public Moving MNIST file, `mnist_test_seq.npy`: uint8 `[20, N, 64, 64]`, frames before clips; N is 10,000.

It is mapped and never loaded whole: clips are read in blocks, and each block's mapping is given back. Imports no torch,
so that a study's check can read the header.
"""

from pathlib import Path
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

from whatmoves.errors import DataError

FRAMES, SIDE_PX = 20, 64
FIX = "set file to the public mnist_test_seq.npy (docs/data.md)"
MAGIC = b"\x93NUMPY"


class Header(NamedTuple):
    """What is needed to map the pixels."""

    clips: int
    fortran_order: bool
    offset: int


def count_clips(path: Path) -> int:
    """Number of clips in the file, from its header and size.

    Raises `DataError` for a file that is missing, may not be read, is no `.npy`, is truncated or too long, or holds
    other than uint8 `[20, N, 64, 64]`.
    """
    return _header(path).clips


def read_clips(path: Path, rows: NDArray[np.int64]) -> NDArray[np.uint8]:
    """The clips `rows` of the file as `[n, 20, 64, 64]`; raises `DataError` as `count_clips` does."""
    header = _header(path)
    shape = (FRAMES, header.clips, SIDE_PX, SIDE_PX)
    file = np.memmap(path, np.uint8, "r", header.offset, shape, "F" if header.fortran_order else "C")
    clips = np.empty((len(rows), FRAMES, SIDE_PX, SIDE_PX), np.uint8)
    for frame in range(FRAMES):
        clips[:, frame] = file[frame, rows]
    return clips


def _header(path: Path) -> Header:
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
    return Header(shape[1], fortran_order, offset)


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
