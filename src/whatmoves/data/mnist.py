"""MNIST from its four IDX files, plain or gzipped; downloaded through torchvision only when asked.

IDX: two zero bytes, a type byte (8: unsigned byte), the number of axes, each axis length as big-endian u32, the data.
"""

import gzip
import math
import os
import struct
import tempfile
import zlib
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

from whatmoves.errors import DataError

FILES = ("train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte", "t10k-labels-idx1-ubyte")
LARGEST_LABEL = 9


class Mnist(NamedTuple):
    """Images uint8 `[n, 28, 28]` and labels uint8 `[n]` of the training file and of the test file."""

    train_images: NDArray[np.uint8]
    train_labels: NDArray[np.uint8]
    test_images: NDArray[np.uint8]
    test_labels: NDArray[np.uint8]


def load(folder: Path | None, download: bool) -> Mnist:
    """Read MNIST from `folder`, its `raw/` or its `MNIST/raw/`; `download` fetches the files when they are not there.

    Without a folder a download lands in the user's cache. Raises `DataError` when a file is missing, damaged or
    foreign, or when the download fails.
    """
    paths = find_files(folder, download)
    arrays = []
    for path, name in zip(paths, FILES, strict=True):
        arrays.append(read_idx(path, axes=3 if "images" in name else 1))
        if arrays[-1].ndim == 3 and arrays[-1].shape[1:] != (28, 28):
            raise DataError(
                f"{path}: images of {arrays[-1].shape[1]}×{arrays[-1].shape[2]} pixels, expected 28×28; get MNIST's own"
            )
        if arrays[-1].ndim == 1 and arrays[-1].max() > LARGEST_LABEL:
            row = int(arrays[-1].argmax())
            raise DataError(
                f"{path}: label {row} is {arrays[-1][row]}, expected 0…{LARGEST_LABEL}; "
                "these are not MNIST's digits (EMNIST's letters?): get MNIST's own"
            )
    data = Mnist(*arrays)
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
    """The four files, in the order of `FILES`, fetched if they are to be; raises `DataError` as `load` does."""
    if folder is None and not download:
        raise DataError("mnist_folder: not set; set it to the folder of the four MNIST files, or set download: true")
    folder = (folder or _cache_folder()).expanduser()
    if download and not all(_find(folder, name) for name in FILES):
        _download(folder)
    paths = []
    for name in FILES:
        path = _find(folder, name)
        if path is None:
            raise DataError(
                f"{folder}: no {name}[.gz] here, in raw/ or in MNIST/raw/; "
                "set mnist_folder to the folder of the four MNIST files, or set download: true"
            )
        paths.append(path)
    return paths


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


def _cache_folder() -> Path:
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "whatmoves"


def _download(folder: Path) -> None:
    """Fetch the files with torchvision, which checks their MD5; a broken download leaves nothing behind."""
    try:
        MNIST = _torchvision_mnist()
    except ImportError:
        raise DataError("download: needs torchvision; pip install torchvision, or set mnist_folder") from None
    target = folder / "MNIST" / "raw"
    try:
        target.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=folder, prefix=".mnist-") as temporary:
            MNIST(temporary, download=True)
            for name in FILES:
                (Path(temporary) / "MNIST" / "raw" / f"{name}.gz").replace(target / f"{name}.gz")
    except (OSError, RuntimeError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{folder}: MNIST could not be downloaded ({reason}); set mnist_folder instead") from None


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
