"""The digit bank: pictures of handwritten digits and the pools of them that training, validation and test draw from.

Two banks. `uci`: scikit-learn's 1,797 digits of 8×8 pixels (UCI, CC BY 4.0), enlarged to look like MNIST; needs no
file. `mnist`: the 70,000 MNIST digits, from IDX files. Pools are contiguous runs of a bank, never shuffled, because
neighbours share their writer: a shuffled pool would test on hands that were trained on. MNIST's own test file holds
other writers than its training file; its validation pool is the last twelfth of the training file.
Numbers of the two banks are not comparable with each other.
"""

import functools
from importlib.metadata import distribution
from pathlib import Path
from typing import Literal, NamedTuple

import numpy as np
from numpy.typing import NDArray

from whatmoves.data import mnist

NATIVE_PX = 28
UCI_POOLS = {"train": range(1257), "validation": range(1257, 1527), "test": range(1527, 1797)}
CONTRAST_THRESHOLD, CONTRAST_GAIN = 0.60, 10.0  # the enlarged digits get MNIST's mean grey, 0.133 against 0.131


class DigitBank(NamedTuple):
    """`images` uint8 `[n, d, d]` on black, `labels` `[n]` in 0 … 9, and the index pool of each split."""

    images: NDArray[np.uint8]
    labels: NDArray[np.int64]
    pools: dict[str, range]


@functools.lru_cache(maxsize=4)
def load_bank(
    name: Literal["uci", "mnist"], digit_px: int, mnist_folder: Path | None = None, download: bool = False
) -> DigitBank:
    """The bank `name`, drawn `digit_px` pixels wide; loaded once a process. Its arrays are read-only.

    Raises `DataError` when MNIST files are missing or damaged.
    """
    if name == "uci":
        images, labels, pools = *_uci_digits(), UCI_POOLS
    else:
        parts = mnist.load(mnist_folder, download)
        images = np.concatenate([parts.train_images, parts.test_images])
        labels = np.concatenate([parts.train_labels, parts.test_labels]).astype(np.int64)
        n_train_file = len(parts.train_images)
        n_train = n_train_file * 11 // 12
        pools = {
            "train": range(n_train),
            "validation": range(n_train, n_train_file),
            "test": range(n_train_file, len(images)),
        }
    if digit_px != NATIVE_PX:
        images = np.concatenate([_resized(images[k : k + 4096], digit_px) for k in range(0, len(images), 4096)])
    images.flags.writeable = labels.flags.writeable = False
    return DigitBank(images, labels, dict(pools))


def resize_weights(source_px: int, target_px: float | NDArray[np.float64], pixels: int = 0) -> NDArray[np.float64]:
    """Matrix `[target, source]` of cubic resampling (Keys 1981, a = −1/2), widened when shrinking so nothing aliases.

    Rows sum to 1; at the borders the weights that fall outside are shared among those inside. For real targets `[M]`:
    matrices `[M, pixels, source]`, whose rows are 0 where the middle of a pixel lies past its target.
    """
    scale = np.asarray(source_px / target_px)[..., None]
    centre = (np.arange(pixels or int(np.max(target_px))) + 0.5) * scale - 0.5
    x = np.abs(np.arange(source_px) - centre[..., None]) / np.maximum(scale, 1.0)[..., None]
    weights = np.where(x < 1, 1.5 * x**3 - 2.5 * x**2 + 1, np.where(x < 2, -0.5 * x**3 + 2.5 * x**2 - 4 * x + 2, 0))
    inside = centre[..., None] <= source_px - 0.5
    total = weights.sum(-1, keepdims=True)
    return np.asarray(np.divide(weights, total, out=np.zeros_like(weights), where=inside), dtype=np.float64)


def resized(images: NDArray[np.uint8], sides_px: NDArray[np.float64], pixels: int) -> NDArray[np.uint8]:
    """Pictures `[M, s, s]` drawn `sides_px` `[M]` wide, in the top left of `[M, pixels, pixels]`, else black."""
    weights = resize_weights(images.shape[-1], sides_px, pixels)
    return _uint8(weights @ images @ weights.mT)


def read_uci() -> tuple[NDArray[np.float64], NDArray[np.int64]]:
    """Pictures `[1797, 8, 8]` of 0 … 16 and labels: what `sklearn.datasets.load_digits` gives, from the same file.

    Importing that would take each training of a study a second.
    """
    path = distribution("scikit-learn").locate_file("sklearn/datasets/data/digits.csv.gz")
    table = np.loadtxt(str(path), delimiter=",")
    return table[:, :-1].reshape(-1, 8, 8), table[:, -1].astype(np.int64)


def _uci_digits() -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    """Images `[1797, 28, 28]` and labels: 8 → 20 px, 4 px of margin, then a logistic contrast rescaled to 0 … 1."""
    pictures, labels = read_uci()
    weights = resize_weights(8, 20)
    grey = np.pad(np.clip(weights @ (pictures / 16) @ weights.T, 0, 1), ((0, 0), (4, 4), (4, 4)))

    def logistic(value: NDArray[np.float64] | float) -> NDArray[np.float64]:
        return np.asarray(1 / (1 + np.exp(-CONTRAST_GAIN * (np.asarray(value) - CONTRAST_THRESHOLD))))

    crisp = (logistic(grey) - logistic(0.0)) / (logistic(1.0) - logistic(0.0))
    return _uint8(crisp * 255), labels


def _resized(images: NDArray[np.uint8], digit_px: int) -> NDArray[np.uint8]:
    weights = resize_weights(images.shape[-1], digit_px)
    return _uint8(weights @ images @ weights.T)


def _uint8(grey: NDArray[np.float64]) -> NDArray[np.uint8]:
    """Round to 8 bit; ties go up by a hair's margin, so that the last bits of a machine's arithmetic do not show."""
    return np.clip(np.floor(grey + (0.5 + 1e-6)), 0, 255).astype(np.uint8)
