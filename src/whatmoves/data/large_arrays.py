"""Arrays too large for memory inside the `.npz` of `whatmoves.files`: written block by block, read by mapping."""

import hashlib
import math
import struct
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from whatmoves.data.factor_tables import FIX
from whatmoves.errors import DataError
from whatmoves.files import array_member, atomic

MARKED_ROWS = 64  # that `marks` reads
LOCAL_HEADER_BYTES = 30  # of a member of a ZIP file, before its name; the lengths of name and extra field end it


class Blocks(NamedTuple):
    """An array of which only a block is ever in memory; the blocks follow each other along the first axis."""

    shape: tuple[int, ...]
    dtype: type[np.generic]
    blocks: Iterable[NDArray[Any]]


def write_large_arrays(path: Path, arrays: Mapping[str, NDArray[Any] | Blocks]) -> None:
    """Write named arrays as `whatmoves.files.write_arrays` does, byte for byte."""
    with atomic(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name in sorted(arrays):
            array = arrays[name]
            size = math.prod(array.shape) * np.dtype(array.dtype).itemsize
            with array_member(archive, name, size) as member:
                if not isinstance(array, Blocks):
                    np.lib.format.write_array(member, array, allow_pickle=False)
                    continue
                descr = np.lib.format.dtype_to_descr(np.dtype(array.dtype))
                described = {"descr": descr, "fortran_order": False, "shape": array.shape}
                np.lib.format.write_array_header_1_0(member, described)
                written = sum(member.write(np.ascontiguousarray(block, array.dtype).data) for block in array.blocks)
                assert written == size, f"{name}: {written} bytes in blocks, {size} promised"


def read_some_arrays(path: Path, names: Iterable[str]) -> dict[str, NDArray[Any]]:
    """Those of the `names` that an `.npz` holds, read whole; raises `DataError` naming the file."""
    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in names if name in archive.files}
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; run the step that makes it") from None
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: not readable as NumPy arrays ({error}); {FIX}") from None


def map_array(path: Path, name: str) -> NDArray[Any]:
    """One array of an uncompressed `.npz`, read-only, from the file as it is used; raises `DataError` naming the file.

    What is mapped is not held against the checksum inside the file: `whatmoves verify` does that.
    """
    try:
        with zipfile.ZipFile(path) as archive, path.open("rb") as stream:
            member = archive.getinfo(f"{name}.npy")
            stream.seek(member.header_offset)
            lengths = struct.unpack("<HH", stream.read(LOCAL_HEADER_BYTES)[-4:])
            stream.seek(sum(lengths), 1)
            if member.compress_type != zipfile.ZIP_STORED or np.lib.format.read_magic(stream) != (1, 0):
                raise ValueError("compressed, or of another version")
            shape, fortran_order, dtype = np.lib.format.read_array_header_1_0(stream)
            return np.memmap(path, dtype, "r", stream.tell(), shape, "F" if fortran_order else "C")
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; run the step that makes it") from None
    except KeyError:
        raise DataError(f"{path}: no array {name!r} in it; {FIX}") from None
    except (ValueError, OSError, EOFError, struct.error, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: not readable as NumPy arrays ({error}); {FIX}") from None


def map_npy(path: Path) -> NDArray[np.uint8]:
    """The array of a `.npy` that `validation.npz` beside it speaks of, read from the file as it is used.

    Raises `DataError` naming the file.
    """
    try:
        array: NDArray[np.uint8] = np.load(path, mmap_mode="r", allow_pickle=False)
    except FileNotFoundError:
        raise DataError(f"{path}: no such file, and validation.npz beside it speaks of it; {FIX}") from None
    except (ValueError, OSError, EOFError) as error:
        raise DataError(f"{path}: not readable as an array ({' '.join(str(error).split())}); {FIX}") from None
    return array


def marks(array: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """A checksum of some rows, evenly spread: soon made, and unlike that of another set."""
    rows = np.unique(np.linspace(0, len(array) - 1, MARKED_ROWS).round().astype(np.int64))
    digest = hashlib.sha256()
    for row in rows:
        digest.update(np.ascontiguousarray(array[row]).data)
    return np.frombuffer(digest.digest(), np.uint8)
