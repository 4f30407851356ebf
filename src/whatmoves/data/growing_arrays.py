"""Arrays that a long conversion grows on the disk block by block, and goes on with where it was killed.

    with GrowingArrays(folder, "train", {"video": Column(np.uint8, (30, 3, 64, 64))}, stamp) as growing:
        for source in sources[growing.keep(notes_of(sources)):]:   # what is whole already is kept
            growing.append(video=...)                              # rows, as often as one likes
            growing.commit(note_of(source))                        # from here on they are kept
        growing.finish("video", folder / "train.npy")

Beside the results stand, hidden, a `.npy` for each column and a journal: one line for all settings, then one a commit
with its note, its rows and their SHA-256. Whoever opens them again reads all rows anew and holds them against the
journal; from the first line that does not fit, or a note that the caller no longer wants, everything is cut off. So
what was half written, or by other settings, is never taken for whole. The result is the same bytes, however often it
was interrupted.
"""

import hashlib
import io
import json
import math
import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, NamedTuple

import numpy as np
from numpy.typing import NDArray

BLOCK_BYTES = 2**24  # read at once where rows are looked at again


class Column(NamedTuple):
    """What a row of an array is."""

    dtype: type[np.generic]
    shape: tuple[int, ...]

    @property
    def row_bytes(self) -> int:
        """Bytes of one row."""
        return math.prod(self.shape) * np.dtype(self.dtype).itemsize


class GrowingArrays:
    """Arrays `[rows, …]`, a column each, that grow in `folder`; see the module."""

    def __init__(self, folder: Path, name: str, columns: Mapping[str, Column], stamp: str) -> None:
        """`stamp` says what all rows depend on: with another one, what is there is thrown away."""
        folder.mkdir(parents=True, exist_ok=True)
        self.columns = dict(columns)
        self.journal = folder / f".{name}.journal"
        self.paths = {column: folder / f".{name}-{column}.npy" for column in columns}
        self.rows = dict.fromkeys(columns, 0)  # that are committed
        self._first = json.dumps({"stamp": stamp, "columns": [str(column) for column in columns.items()]}) + "\n"
        self._told = self._lines()
        self._digests = {column: hashlib.sha256() for column in columns}  # of all rows
        self._block = {column: hashlib.sha256() for column in columns}  # of those that are not committed yet
        self._block_rows = dict.fromkeys(columns, 0)
        self._kept = 0
        self._streams: dict[str, BinaryIO] = {}

    def __enter__(self) -> "GrowingArrays":
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for stream in self._streams.values():
            stream.close()

    def recorded(self) -> list[Any]:
        """The notes that the journal holds, before `keep` has looked at the rows."""
        return [line["note"] for line in self._told]

    def kept(self) -> list[tuple[Any, dict[str, int]]]:
        """Note and numbers of rows of all that is there."""
        return [(line["note"], line["rows"]) for line in self._told[: self._kept]]

    def keep(self, wanted: Sequence[Any]) -> int:
        """Keep the blocks whose notes begin as `wanted` does and whose rows are what the journal says of them; cut off
        the rest. Returns how many are kept. Called once, before anything is appended."""
        assert not self._streams, "already growing"
        streams = {column: _opened(path) for column, path in self.paths.items()}
        for column, stream in streams.items():
            stream.seek(0)
            if stream.read(len(self._head(column))) != self._head(column):
                self._told = []
        for line, note in zip(self._told, wanted, strict=False):
            if line["note"] != note or not self._holds(streams, line):
                break
            self._kept += 1
            self._count(line)
        for column, stream in streams.items():
            stream.seek(0)
            stream.write(self._head(column))
            stream.truncate(len(self._head(column)) + self.rows[column] * self.columns[column].row_bytes)
            stream.seek(0, os.SEEK_END)
        lines = [json.dumps(line) + "\n" for line in self._told[: self._kept]]
        rewritten = self.journal.with_name(f"{self.journal.name}.new")
        rewritten.write_text(self._first + "".join(lines), encoding="utf-8")
        rewritten.replace(self.journal)
        self._streams = streams
        return self._kept

    def append(self, **rows: NDArray[Any]) -> None:
        """Rows `[n, …]` of some columns, behind those that are there; kept once they are committed."""
        for column, block in rows.items():
            content = np.ascontiguousarray(block, self.columns[column].dtype)
            assert content.shape[1:] == self.columns[column].shape, f"{column}: rows are {content.shape[1:]}"
            self._streams[column].write(content.data)
            self._block[column].update(content.data)
            self._digests[column].update(content.data)
            self._block_rows[column] += len(content)

    def commit(self, note: Any) -> None:
        """Note down what was appended since the last commit, as done."""
        for stream in self._streams.values():
            stream.flush()
        sums = {column: digest.hexdigest() for column, digest in self._block.items()}
        line = {"note": note, "rows": self._block_rows, "sha256": sums}
        with self.journal.open("a", encoding="utf-8") as journal:
            journal.write(json.dumps(line) + "\n")
        self._count(line)
        self._told = [*self._told[: self._kept], line]
        self._kept += 1
        self._block = {column: hashlib.sha256() for column in self.columns}
        self._block_rows = dict.fromkeys(self.columns, 0)

    def sha256(self, column: str) -> bytes:
        """Checksum of all rows of a column."""
        return self._digests[column].digest()

    def mapped(self, column: str) -> NDArray[Any]:
        """What is committed of a column, read-only, from the file as it is used."""
        self._streams[column].flush()
        dtype, shape = self.columns[column]
        if not self.rows[column] or not self.columns[column].row_bytes:  # nothing cannot be mapped
            return np.empty((self.rows[column], *shape), dtype)
        return np.memmap(self.paths[column], dtype, "r", len(self._head(column)), (self.rows[column], *shape))

    def finish(self, column: str, path: Path) -> None:
        """Make a column a `.npy` at `path`, and throw the journal and the other columns away: the end."""
        assert not any(self._block_rows.values()), "rows that were not committed"
        stream = self._streams[column]
        stream.seek(0)
        stream.write(self._head(column, self.rows[column]))
        for each in self._streams.values():
            each.close()
        umask = os.umask(0)
        os.umask(umask)
        self.paths[column].chmod(0o666 & ~umask)
        self.journal.unlink()
        self.paths[column].replace(path)
        for other in self.paths.values():
            other.unlink(missing_ok=True)

    def _head(self, column: str, rows: int = 0) -> bytes:
        """The head of a `.npy`, which NumPy makes as long for one row as for a billion."""
        dtype, shape = self.columns[column]
        head = io.BytesIO()
        described = {"descr": np.lib.format.dtype_to_descr(np.dtype(dtype)), "fortran_order": False}
        np.lib.format.write_array_header_1_0(head, {**described, "shape": (rows, *shape)})
        return head.getvalue()

    def _lines(self) -> list[dict[str, Any]]:
        """The journal's lines, as far as they can be read; none if it is of another stamp or other columns."""
        try:
            first, *lines = self.journal.read_text(encoding="utf-8").splitlines(keepends=True)
        except (OSError, ValueError):
            return []
        told: list[dict[str, Any]] = []
        for line in lines if first == self._first else []:
            try:
                entry = json.loads(line)
                if not line.endswith("\n") or any(set(entry[key]) != set(self.columns) for key in ("rows", "sha256")):
                    break
                told.append({"note": entry["note"], "rows": dict(entry["rows"]), "sha256": dict(entry["sha256"])})
            except (ValueError, KeyError, TypeError):
                break
        return told

    def _count(self, line: Mapping[str, Any]) -> None:
        """Count a line's rows."""
        for column, rows in line["rows"].items():
            self.rows[column] += rows

    def _holds(self, streams: Mapping[str, BinaryIO], line: Mapping[str, Any]) -> bool:
        """Whether the next rows are what the journal's line says; if so, they count."""
        whole = {column: digest.copy() for column, digest in self._digests.items()}
        for column, stream in streams.items():
            block, left = hashlib.sha256(), line["rows"][column] * self.columns[column].row_bytes
            while left and (content := stream.read(min(left, BLOCK_BYTES))):
                block.update(content)
                whole[column].update(content)
                left -= len(content)
            if left or block.hexdigest() != line["sha256"][column]:
                return False
        self._digests = whole
        return True


def _opened(path: Path) -> BinaryIO:
    """A file to read and write, made if it is not there; what it holds is kept."""
    return os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o644), "r+b")
