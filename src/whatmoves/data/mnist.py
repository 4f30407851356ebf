"""MNIST as people have it: four IDX files, plain or gzipped, or what tensorflow-datasets prepared of them.

- IDX: two zero bytes, a type byte (8: unsigned byte), the number of axes, each axis length as big-endian u32, the data.
- prepared, read without TensorFlow: `mnist-train.tfrecord-00000-of-…` and those of `test`; a record has `image`, a PNG,
  and `label`, a whole number. They are put back into the order of the IDX files (`whatmoves.data.prepared`): both roads
  give the same arrays, and neighbours keep their writer.

It is fetched only when asked, through torchvision.
"""

import contextlib
import errno
import gzip
import http.client
import io
import logging
import math
import os
import socket
import struct
import sys
import tempfile
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from whatmoves.data.prepared import AGAIN, find_shards, places_in, read_grey_png, source_order
from whatmoves.data.tfrecords import read_features, read_records, read_whole_numbers
from whatmoves.errors import DataError

log = logging.getLogger(__name__)

FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
PREPARED, PARTS = "mnist", ("train", "test")
SIDE_PX, LARGEST_LABEL = 28, 9
PATIENCE_S = 60.0  # without a byte; torchvision would wait for ever
LOCAL = {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EPERM, errno.EROFS, errno.ENOTDIR, errno.EEXIST}
FIX = "set mnist_folder to the folder of the four MNIST files, or set download: true"


class Mnist(NamedTuple):
    """Images uint8 `[n, 28, 28]` and labels uint8 `[n]` of the training file and of the test file."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]


def load(folder: Path | None, download: bool) -> Mnist:
    """Read MNIST from `folder`, its `raw/` or its `MNIST/raw/`, or as it was prepared there.

    `download` fetches the files when they are not there.

    Without a folder a download lands in the user's cache. Raises `DataError` when a file is missing, damaged or
    foreign, or when the download fails.
    """
    paths = find_files(folder, download)
    if _is_idx(paths):
        train_images, train_labels, test_images, test_labels = (
            read_idx(path, axes=3 if "images" in name else 1) for path, name in zip(paths, FILES, strict=True)
        )
        for path, images in ((paths[0], train_images), (paths[2], test_images)):
            if images.shape[1:] != (SIDE_PX, SIDE_PX):
                raise DataError(
                    f"{path}: images of {images.shape[1]}×{images.shape[2]} pixels, expected 28×28; get MNIST's own"
                )
    else:
        (train_images, train_labels), (test_images, test_labels) = (
            _read_prepared(paths[0].parent, part) for part in PARTS
        )
    data = Mnist(train_images, train_labels, test_images, test_labels)
    named = (paths[1], paths[3]) if _is_idx(paths) else (paths[0].parent,) * 2
    for path, labels in zip(named, (data.train_labels, data.test_labels), strict=True):
        if labels.max() > LARGEST_LABEL:
            row = int(labels.argmax())
            raise DataError(
                f"{path}: label {row} is {labels[row]}, expected 0…{LARGEST_LABEL}; "
                "these are not MNIST's digits (EMNIST's letters?): get MNIST's own"
            )
    for images, labels, part in (
        (data.train_images, data.train_labels, "train"),
        (data.test_images, data.test_labels, "t10k"),
    ):
        if len(images) != len(labels):
            raise DataError(
                f"{folder}: {part} files hold {len(images)} images but {len(labels)} labels; fetch both again"
            )
    return data


def find_files(folder: Path | None, download: bool) -> list[Path]:
    """The four IDX files, in the order of `FILES`, fetched if they are to be, or all files of a prepared set.

    Raises `DataError` as `load` does.
    """
    if folder is None and not download:
        raise DataError("mnist_folder: not set; set it to the folder of the four MNIST files, or set download: true")
    folder = (folder or _cache_folder()).expanduser()
    found = [_find(folder, name) for name in FILES]
    if not all(found) and (prepared := _find_prepared(folder)):
        return prepared
    if download and not all(found):
        _download(folder)
        found = [_find(folder, name) for name in FILES]
    for path, name in zip(found, FILES, strict=True):
        if path is None:
            raise DataError(f"{folder}: no {name}[.gz] here, in raw/ or in MNIST/raw/; {FIX}")
    return [path for path in found if path is not None]


def read_idx(path: Path, axes: int) -> NDArray[np.uint8]:
    """Read one IDX file of unsigned bytes with `axes` axes (1: labels, 3: pictures).

    Raises `DataError` naming the file and the fix; an empty file is damaged too.
    """
    try:
        content = gzip.decompress(path.read_bytes()) if path.suffix == ".gz" else path.read_bytes()
    except (EOFError, zlib.error, gzip.BadGzipFile):
        raise DataError(f"{path}: truncated or damaged gzip file; fetch it again") from None
    except OSError as error:
        raise DataError(f"{path}: not readable ({error.strerror}); check its permissions") from None
    header_bytes = 4 + 4 * axes
    magic = content[:4].hex() or "nothing"
    if len(content) >= 4 and content[:4] != bytes((0, 0, 8, axes)):
        raise DataError(f"{path}: starts with {magic}, expected 000008{axes:02x}; not this MNIST file, fetch it again")
    if len(content) < header_bytes:
        raise DataError(f"{path}: truncated, {len(content)} bytes of a header of {header_bytes}; fetch it again")
    shape = struct.unpack(f">{axes}I", content[4:header_bytes])
    if 0 in shape:
        raise DataError(f"{path}: holds no {'pictures' if axes == 3 else 'labels'}; get MNIST's own")
    expected_bytes = header_bytes + math.prod(shape)
    if len(content) != expected_bytes:
        fault = "truncated" if len(content) < expected_bytes else "too long"
        raise DataError(f"{path}: {fault}, {len(content)} bytes, expected {expected_bytes}; fetch it again")
    return np.frombuffer(content, np.uint8, offset=header_bytes).reshape(shape)


def _find(folder: Path, name: str) -> Path | None:
    """The first of the places where the file may lie, plain before gzipped; some mirrors write a dot before `idx`."""
    places = (folder, folder / "raw", folder / "MNIST" / "raw")
    spellings = [spelling + end for spelling in (name, name.replace("-idx", ".idx")) for end in ("", ".gz")]
    return next((place / spelling for place in places for spelling in spellings if (place / spelling).is_file()), None)


def _is_idx(paths: list[Path]) -> bool:
    return ".tfrecord-" not in paths[0].name


def _find_prepared(folder: Path) -> list[Path]:
    """The files of the set that was prepared in the folder, or in one below if it is a `data_dir`; none if none was."""
    first = f"{PREPARED}-{PARTS[0]}.tfrecord-*-of-*"
    patterns = (first, f"*/{first}", f"{PREPARED}/*/{first}")
    places = sorted({path.parent for pattern in patterns for path in folder.glob(pattern)})
    if len(places) > 1:
        raise DataError(f"{folder}: holds {places[0]} and {places[1]}; set mnist_folder to one of them")
    shards: list[Path] = []
    for place in places:
        for part in PARTS:
            found = find_shards(place, PREPARED, part)
            if not found:
                raise DataError(f"{place}: has no {PREPARED}-{part}.tfrecord-*-of-* beside its others; {AGAIN}")
            shards += found
    return shards


def _read_prepared(folder: Path, part: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images `[n, 28, 28]` and labels `[n]` of a part, in the order of the IDX file."""
    shards = find_shards(folder, PREPARED, part)
    records = sum(len(places_in(shard)) for shard in shards)
    if not records:
        raise DataError(f"{shards[0]}: holds no pictures; get MNIST's own")
    images = np.empty((records, SIDE_PX, SIDE_PX), np.uint8)
    labels = np.empty(records, np.uint8)
    rows = iter(source_order(part, records))
    for shard in shards:
        for number, payload in enumerate(read_records(shard)):
            row = next(rows)
            where = f"{shard}: record {number}"
            try:
                pictures = read_features(payload, ("image",)).get("image", [])
                label = read_whole_numbers(payload, ("label",)).get("label", [])
            except ValueError as error:
                raise DataError(f"{where} is no message ({error}); {AGAIN}") from None
            if not isinstance(pictures, list) or len(pictures) != 1 or len(label) != 1 or label[0] > 255:
                raise DataError(f"{where} has no picture with its label; this is not MNIST as prepared")
            images[row], labels[row] = read_grey_png(where, pictures[0], SIDE_PX), label[0]
    return images, labels


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "whatmoves"


def _download(folder: Path) -> None:
    """Fetch the files with torchvision, which checks their MD5; a broken download leaves nothing behind."""
    try:
        MNIST = _torchvision_mnist()
    except ImportError:
        raise DataError("download: needs torchvision; pip install torchvision, or set mnist_folder") from None
    target = folder / "MNIST" / "raw"
    log.info("fetching MNIST, 12 MB, into %s", target)
    try:
        target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".mnist-") as temporary, _limits():
            MNIST(temporary, download=True)
            for name in FILES:
                (Path(temporary) / "MNIST" / "raw" / f"{name}.gz").replace(target / f"{name}.gz")
    except OSError as error:
        if error.errno in LOCAL:
            fix = "make room there, or set mnist_folder to a folder that may be written to"
            raise DataError(f"{folder}: MNIST could not be put here ({error.strerror}); {fix}") from None
        raise _no_download(folder, error) from None
    except (RuntimeError, EOFError, http.client.HTTPException) as error:
        raise _no_download(folder, error) from None


def _no_download(folder: Path, error: Exception) -> DataError:
    reason = " ".join(str(error).split()) or type(error).__name__
    return DataError(
        f"{folder}: MNIST could not be downloaded ({reason}); run again, or set mnist_folder to where its files are"
    )


@contextlib.contextmanager
def _limits() -> Iterator[None]:
    """While torchvision fetches: a mirror that falls silent is given up, and bars are for terminals, not for logs."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(PATIENCE_S)
    silent = contextlib.nullcontext() if sys.stderr.isatty() else contextlib.redirect_stderr(io.StringIO())
    try:
        with silent:
            yield
    finally:
        socket.setdefaulttimeout(before)


def _torchvision_mnist() -> Any:
    """torchvision's MNIST class.

    Beside a CPU-only torch, torchvision's compiled operators do not load, and its import then fails for want of two
    operator names that data sets never call. Only after that failure are they declared: where the operators do load,
    a second declaration would be the error.
    """
    try:
        from torchvision.datasets import MNIST
    except RuntimeError:
        import torch

        for operator in ("nms", "qnms"):
            torch.library.define(
                f"torchvision::{operator}", "(Tensor dets, Tensor scores, float iou_threshold) -> Tensor"
            )
        from torchvision.datasets import MNIST
    return MNIST
