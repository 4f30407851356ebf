"""The digit bank: recipe, pools, resampling."""

import os
from pathlib import Path

import numpy as np
import pytest
from sklearn.datasets import load_digits

from whatmoves.data.digits import load_bank, read_uci, resize_weights, resized

MNIST = os.environ.get("WHATMOVES_MNIST")


def test_uci_digits_are_those_of_scikit_learn() -> None:
    pictures, labels = read_uci()
    theirs = load_digits()
    assert np.array_equal(pictures, theirs.images)
    assert np.array_equal(labels, theirs.target)


def test_uci_digits_look_like_mnist() -> None:
    bank = load_bank("uci", 28)
    assert bank.images.shape == (1797, 28, 28)
    grey = bank.images / 255
    assert grey.mean() == pytest.approx(0.133, abs=0.001)  # MNIST: 0.131
    assert (grey > 0.5).mean() == pytest.approx(0.134, abs=0.002)  # MNIST: 0.132
    assert bank.images.max() == 255
    assert not bank.images[:, :4].any(), "margin"
    assert not bank.images[:, :, -4:].any(), "margin"
    assert bank.labels[:10].tolist() == list(range(10))  # the bank's first writer wrote 0 … 9 in order


@pytest.mark.parametrize("name", ["uci", pytest.param("mnist", marks=pytest.mark.skipif(not MNIST, reason="no MNIST"))])
def test_pools_are_contiguous_disjoint_and_cover_the_bank(name: str) -> None:
    bank = load_bank(name, 28, Path(MNIST) if name == "mnist" and MNIST else None)  # type: ignore[arg-type]
    assert [(pool.start, pool.stop) for pool in bank.pools.values()] == (
        [(0, 1257), (1257, 1527), (1527, 1797)] if name == "uci" else [(0, 55000), (55000, 60000), (60000, 70000)]
    )
    assert list(bank.pools) == ["train", "validation", "test"]
    assert len(bank.images) == len(bank.labels) == bank.pools["test"].stop
    for pool in bank.pools.values():
        assert set(bank.labels[pool.start : pool.stop].tolist()) == set(range(10))


def test_a_smaller_digit_keeps_its_ink_and_its_side() -> None:
    large, small = load_bank("uci", 28).images, load_bank("uci", 15).images
    assert small.shape == (1797, 15, 15)
    ink_large, ink_small = large.mean((1, 2)), small.mean((1, 2))
    assert np.abs(ink_small / ink_large - 1).max() < 0.1
    upper_large, upper_small = large[:, :14].sum((1, 2)) > large[:, 14:].sum((1, 2)), small[:, :7].sum((1, 2))
    assert np.corrcoef(upper_large, upper_small / small.sum((1, 2)))[0, 1] > 0.7


def test_resampling_by_hand() -> None:
    # Doubling, second target pixel: centre 0.25, distances 0.25, 0.75, 1.75 (the fourth lies outside).
    # 1.5x³−2.5x²+1 → 0.8671875, 0.2265625; −0.5x³+2.5x²−4x+2 at 1.75 → −0.0234375; their sum is 1.0703125.
    expected = np.array([0.8671875, 0.2265625, -0.0234375, 0]) / 1.0703125
    np.testing.assert_allclose(resize_weights(4, 8)[1], expected, atol=1e-12)
    np.testing.assert_allclose(resize_weights(5, 5), np.eye(5), atol=1e-12)
    np.testing.assert_allclose(resize_weights(28, 9).sum(1), 1)


def test_pictures_of_one_size_each_are_those_of_a_bank_of_that_size() -> None:
    native = load_bank("uci", 28).images[:40]
    sides = np.tile([9.0, 14.0, 21.0, 28.0], 10)
    drawn = resized(native, sides, 30)
    for side in (9, 14, 21, 28):
        np.testing.assert_array_equal(
            drawn[sides == side, :side, :side], load_bank("uci", side).images[:40][sides == side]
        )
        assert not drawn[sides == side, side:].any()
        assert not drawn[sides == side, :, side:].any()


def test_what_shrinks_is_averaged_and_not_sampled() -> None:
    board = (np.indices((28, 28)).sum(0) % 2 * 255).astype(np.uint8)
    grey = resized(board[None], np.array([6.3]), 7)[0, :6, :6]
    assert np.abs(grey.astype(float) - 127.5).max() < 10
