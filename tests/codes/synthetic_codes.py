"""Codes whose right answers are known, for the tests of the metrics."""

import numpy as np

from whatmoves.codes.rows import Rows

KINDS = ("discrete", "continuous", "continuous", "continuous", "continuous")


def uniform_factors(rows: int, count: int, seed: int = 0) -> np.ndarray:
    """Independent continuous factors [N, K] in 0…1."""
    return np.random.default_rng(seed).uniform(size=(rows, count))


def clip_factors(rows: int, seed: int = 0) -> np.ndarray:
    """A class of 10, then start and velocity [N, 5], all independent."""
    rng = np.random.default_rng(seed)
    return np.column_stack([rng.integers(0, 10, rows), rng.uniform(-1, 1, size=(rows, 4))])


def rotation(width: int, seed: int) -> np.ndarray:
    """A random orthogonal matrix."""
    return np.linalg.qr(np.random.default_rng(seed).normal(size=(width, width)))[0]


def content_block(factors: np.ndarray, width: int = 12, seed: int = 1) -> np.ndarray:
    """Class indicators with small noise, and noise dimensions, turned: [N, width]."""
    rng = np.random.default_rng(seed)
    indicators = np.eye(10)[factors[:, 0].astype(int)] + 0.02 * rng.normal(size=(len(factors), 10))
    noise = 0.3 * rng.normal(size=(len(factors), width - 10))
    return np.concatenate([indicators, noise], axis=1) @ rotation(width, seed)


def motion_block(factors: np.ndarray, width: int = 12, seed: int = 2) -> np.ndarray:
    """Start and velocity, and noise dimensions, turned: [N, width]."""
    rng = np.random.default_rng(seed)
    noise = 0.3 * rng.normal(size=(len(factors), width - 4))
    return np.concatenate([factors[:, 1:], noise], axis=1) @ rotation(width, seed)


def parted(codes: np.ndarray, factors: np.ndarray, *borders: int) -> list[Rows]:
    """The rows cut at `borders`."""
    return [Rows(*pair) for pair in zip(np.split(codes, borders), np.split(factors, borders), strict=True)]
