"""Files that are whole or absent: atomic writes, deterministic JSON and arrays, checksums."""

import contextlib
import hashlib
import json
import os
import tempfile
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from whatmoves.errors import DataError

if TYPE_CHECKING:  # NumPy is imported where it is used: the level of arithmetic is set before
    from numpy.typing import NDArray


@contextlib.contextmanager
def atomic(path: Path) -> Iterator[Path]:
    """Give a temporary path beside `path`; on success it is renamed to `path`, on failure removed.

    The temporary name keeps the suffix, because writers such as matplotlib and NumPy choose the format by it.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    handle, name = tempfile.mkstemp(prefix=f".{path.stem}-", suffix=path.suffix, dir=path.parent)
    os.close(handle)
    temporary = Path(name)
    try:
        yield temporary
        umask = os.umask(0)
        os.umask(umask)
        temporary.chmod(0o666 & ~umask)  # mkstemp makes private files; results are as open as any other file
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def write_text(path: Path, text: str) -> None:
    """Write UTF-8 text atomically."""
    with atomic(path) as temporary:
        temporary.write_text(text, encoding="utf-8")


def write_bytes(path: Path, content: bytes) -> None:
    """Write bytes atomically."""
    with atomic(path) as temporary:
        temporary.write_bytes(content)


def write_json(path: Path, value: Any) -> None:
    """Write JSON with sorted keys, so that equal values give equal bytes; NaN and infinity are refused."""
    write_text(path, json.dumps(value, indent=1, sort_keys=True, allow_nan=False) + "\n")


def read_json(path: Path) -> Any:
    """Read JSON; raises `DataError` naming the file when it is missing or broken."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; run the step that makes it") from None
    except (UnicodeDecodeError, json.JSONDecodeError) as error:
        raise DataError(f"{path}: not readable as JSON ({error}); delete it and run again") from None


def write_arrays(path: Path, arrays: "Mapping[str, NDArray[Any]]") -> None:
    """Write named arrays as uncompressed `.npz`; equal arrays give equal bytes."""
    import numpy as np

    with atomic(path) as temporary, zipfile.ZipFile(temporary, "w") as archive:
        for name in sorted(arrays):
            array = np.asanyarray(arrays[name])
            with array_member(archive, name, array.nbytes) as member:
                np.lib.format.write_array(member, array, allow_pickle=False)


def array_member(archive: zipfile.ZipFile, name: str, array_bytes: int) -> IO[bytes]:
    """Open a member of an `.npz` for an array of so many bytes.

    Not as `np.savez` does, which takes 64 bits for every size: Python writes those in another way since 3.11.4, and a
    file would tell which Python made it. Here only an array of some 2 GB and more has them.
    """
    member = zipfile.ZipInfo(f"{name}.npy")
    member.file_size = array_bytes + 2**16  # with NumPy's header, at most; the true size replaces it at the end
    return archive.open(member, "w")


def read_arrays(path: Path) -> "dict[str, NDArray[Any]]":
    """Read all arrays of an `.npz` (never unpickling); raises `DataError` naming the file."""
    import numpy as np

    try:
        with np.load(path, allow_pickle=False) as archive:
            return {name: archive[name] for name in archive.files}
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; run the step that makes it") from None
    except (ValueError, OSError, EOFError, zipfile.BadZipFile) as error:
        raise DataError(f"{path}: not readable as NumPy arrays ({error}); delete it and run again") from None


def sha256(path: Path) -> str:
    """Checksum of a file's bytes, as 64 hex digits."""
    with path.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
