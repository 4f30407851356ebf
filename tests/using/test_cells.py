"""Frames as text: two pixels a cell, the right colours, whole pixels, within the terminal."""

import numpy as np
import pytest

from whatmoves.using.cells import fitted, nearest_of_256, text_lines


def test_two_pixels_stand_in_one_cell_upper_before_lower() -> None:
    frame = np.array([[[10, 30], [20, 40]]], np.uint8)  # [1, 2, 2]
    line = "\x1b[38;2;10;10;10;48;2;20;20;20m▀\x1b[38;2;30;30;30;48;2;40;40;40m▀\x1b[0m"
    assert text_lines(frame, 2, 1, True) == [line]
    colour = np.array([[[1], [4]], [[2], [5]], [[3], [6]]], np.uint8)  # [3, 2, 1]
    assert text_lines(colour, 1, 1, True) == ["\x1b[38;2;1;2;3;48;2;4;5;6m▀\x1b[0m"]


def test_equal_neighbours_share_one_code_and_an_odd_row_ends_on_black() -> None:
    frame = np.full((1, 1, 3), 255, np.uint8)
    assert text_lines(frame, 3, 1, False) == ["\x1b[38;5;231;48;5;16m▀▀▀\x1b[0m"]


def test_colours_of_256_are_the_nearest() -> None:
    colours = np.array([[[0, 0, 0], [255, 255, 255], [255, 0, 0], [95, 135, 175], [8, 8, 8], [120, 119, 121]]])
    assert nearest_of_256(colours.astype(np.uint8)).tolist() == [[16, 231, 196, 67, 232, 243]]
    rng = np.random.default_rng(0)
    some = rng.integers(0, 256, (20, 1, 3)).astype(np.uint8)
    levels = [0, 95, 135, 175, 215, 255]
    table = [(r, g, b) for r in levels for g in levels for b in levels] + [(8 + 10 * i,) * 3 for i in range(24)]
    for colour, found in zip(some[:, 0].astype(int), nearest_of_256(some)[:, 0], strict=True):
        distances = [sum((a - b) ** 2 for a, b in zip(colour, entry, strict=True)) for entry in table]
        assert distances[found - 16] == min(distances)


@pytest.mark.parametrize(
    ("size", "columns", "rows", "shape"),
    [
        ((4, 6), 6, 4, (4, 6)),
        ((4, 6), 17, 13, (8, 12)),  # twice: three times would be 18 columns
        ((4, 6), 100, 4, (4, 6)),
        ((4, 6), 5, 4, (2, 3)),
        ((5, 7), 3, 9, (1, 2)),
        ((4, 6), 0, -1, (1, 1)),
    ],
)
def test_a_frame_is_as_large_as_fits(size: tuple[int, int], columns: int, rows: int, shape: tuple[int, int]) -> None:
    frame = np.zeros((1, *size), np.uint8)
    assert fitted(frame, columns, rows).shape == (*shape, 3)


def test_pixels_are_repeated_or_averaged() -> None:
    frame = np.arange(0, 160, 10, dtype=np.uint8).reshape(1, 4, 4)
    assert fitted(frame, 8, 8)[:, :, 0].tolist() == frame[0].repeat(2, 0).repeat(2, 1).tolist()
    assert fitted(frame, 2, 2)[:, :, 1].tolist() == [[25, 45], [105, 125]]  # the mean of 0, 10, 40, 50 …
