"""MNIST's files: read, or refused in one line that names the file and the fix."""

import gzip
import os
import struct
from pathlib import Path

import numpy as np
import pytest

from whatmoves.data import mnist
from whatmoves.errors import DataError

IMAGES, LABELS = mnist.FILES[0], mnist.FILES[1]


def idx(array: np.ndarray) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name in mnist.FILES:
        count = 24 if name.startswith("train") else 6
        shape = (count, 28, 28) if "images" in name else (count,)
        (tmp_path / name).write_bytes(idx(rng.integers(0, 10, shape, dtype=np.uint8)))
    return tmp_path


def test_plain_gzipped_and_nested_files_read_alike(folder: Path, tmp_path: Path) -> None:
    plain = mnist.load(folder, download=False)
    assert plain.train_images.shape == (24, 28, 28)
    assert plain.test_labels.shape == (6,)
    nested = tmp_path / "other" / "MNIST" / "raw"
    nested.mkdir(parents=True)
    for name in mnist.FILES:
        (nested / f"{name}.gz").write_bytes(gzip.compress((folder / name).read_bytes()))
    for root in (tmp_path / "other", tmp_path / "other" / "MNIST", nested):
        for ours, theirs in zip(plain, mnist.load(root, download=False), strict=True):
            np.testing.assert_array_equal(ours, theirs)


@pytest.mark.parametrize("end", ["", ".gz"])
def test_names_with_a_dot_are_read_too(end: str, folder: Path) -> None:
    plain = mnist.load(folder, download=False)
    for name in mnist.FILES:
        content = (folder / name).read_bytes()
        (folder / name).unlink()
        dotted = name.replace("-idx", ".idx") + end  # train-images.idx3-ubyte
        (folder / dotted).write_bytes(gzip.compress(content) if end else content)
    for ours, theirs in zip(plain, mnist.load(folder, download=False), strict=True):
        np.testing.assert_array_equal(ours, theirs)


BAD = {
    "truncated": (IMAGES, lambda b: b[:1000], "truncated, 1000 bytes, expected 18832; fetch it again"),
    "too long": (LABELS, lambda b: b + b"x", "too long, 33 bytes, expected 32; fetch it again"),
    "header": (LABELS, lambda b: b[:6], "truncated, 6 bytes of a header of 8; fetch it again"),
    "empty": (LABELS, lambda b: b"", "truncated, 0 bytes of a header of 8; fetch it again"),
    "magic": (
        IMAGES,
        lambda b: b"\x00\x00\x08\x01" + b[4:],
        "starts with 00000801, expected 00000803; not this MNIST file, fetch it again",
    ),
    "size": (
        IMAGES,
        lambda b: idx(np.zeros((24, 8, 8), np.uint8)),
        "images of 8×8 pixels, expected 28×28; get MNIST's own",
    ),
    "no pictures": (IMAGES, lambda b: idx(np.zeros((0, 28, 28), np.uint8)), "holds no pictures; get MNIST's own"),
    "nothing of a size beyond memory": (
        IMAGES,
        lambda b: b[:4] + struct.pack(">3I", 0, 2**32 - 1, 2**32 - 1),
        "holds no pictures; get MNIST's own",
    ),
    "no labels": (LABELS, lambda b: idx(np.zeros(0, np.uint8)), "holds no labels; get MNIST's own"),
    "letters": (
        LABELS,
        lambda b: b[:13] + b"\x1a" + b[14:],
        "label 5 is 26, expected 0…9; these are not MNIST's digits (EMNIST's letters?): get MNIST's own",
    ),
    "sizes whose product leaves 64 bits": (
        IMAGES,
        lambda b: b[:4] + struct.pack(">3I", 2**31, 2**31, 4) + b[16:],
        f"truncated, 18832 bytes, expected {2**64 + 16}; fetch it again",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_bad_file_is_named_with_its_fault(case: str, folder: Path) -> None:
    name, damage, message = BAD[case]
    path = folder / name
    sound = path.read_bytes()
    path.write_bytes(damage(sound))
    with pytest.raises(DataError) as caught:
        mnist.load(folder, download=False)
    assert str(caught.value) == f"{path}: {message}"
    path.write_bytes(sound)
    mnist.load(folder, download=False)


def test_truncated_gzip_missing_file_and_unequal_counts(folder: Path) -> None:
    path = folder / LABELS
    whole = path.read_bytes()
    path.unlink()
    packed = folder / f"{LABELS}.gz"
    packed.write_bytes(gzip.compress(whole)[:-9])
    with pytest.raises(DataError) as caught:
        mnist.load(folder, download=False)
    assert str(caught.value) == f"{packed}: truncated or damaged gzip file; fetch it again"
    packed.unlink()
    with pytest.raises(DataError) as caught:
        mnist.load(folder, download=False)
    assert str(caught.value) == (
        f"{folder}: no {LABELS}[.gz] here, in raw/ or in MNIST/raw/; "
        "set mnist_folder to the folder of the four MNIST files, or set download: true"
    )
    path.write_bytes(idx(np.zeros(23, np.uint8)))
    with pytest.raises(DataError) as caught:
        mnist.load(folder, download=False)
    assert str(caught.value) == f"{folder}: train files hold 24 images but 23 labels; fetch both again"


def test_no_folder_and_no_download_is_one_line() -> None:
    with pytest.raises(DataError) as caught:
        mnist.load(None, download=False)
    assert str(caught.value) == (
        "mnist_folder: not set; set it to the folder of the four MNIST files, or set download: true"
    )


def test_download_is_whole_or_absent(folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    target = tmp_path / "cache"

    def broken(root: str, download: bool) -> None:
        raw = Path(root) / "MNIST" / "raw"
        raw.mkdir(parents=True)
        (raw / f"{IMAGES}.gz").write_bytes(b"half")
        raise RuntimeError("Error downloading\n train-images")

    monkeypatch.setattr(mnist, "_torchvision_mnist", lambda: broken)
    with pytest.raises(DataError) as caught:
        mnist.load(target, download=True)
    assert str(caught.value) == (
        f"{target}: MNIST could not be downloaded (Error downloading train-images); set mnist_folder instead"
    )
    assert not [path for path in target.rglob("*") if path.is_file()]

    def sound(root: str, download: bool) -> None:
        raw = Path(root) / "MNIST" / "raw"
        raw.mkdir(parents=True)
        for name in mnist.FILES:
            (raw / f"{name}.gz").write_bytes(gzip.compress((folder / name).read_bytes()))

    monkeypatch.setattr(mnist, "_torchvision_mnist", lambda: sound)
    assert len(mnist.load(target, download=True).train_images) == 24
    monkeypatch.setattr(mnist, "_torchvision_mnist", lambda: broken)
    assert len(mnist.load(target, download=True).train_images) == 24, "files that are there are not fetched again"


@pytest.mark.skipif("WHATMOVES_MNIST" not in os.environ, reason="no MNIST")
def test_the_real_files() -> None:
    data = mnist.load(Path(os.environ["WHATMOVES_MNIST"]), download=False)
    assert data.train_images.shape == (60000, 28, 28)
    assert data.train_images.mean() / 255 == pytest.approx(0.1307, abs=1e-4)
    assert data.test_labels[:5].tolist() == [7, 2, 1, 0, 4]
