"""The actions of a video: a table of numbers, a row a frame, with or without a line of names above it."""

import csv
import math
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whatmoves.errors import DataError

LARGEST_ACTION = 1e9


def read_actions(path: Path, columns: int) -> NDArray[np.float64]:
    """The table at `path` as `[rows, columns]`; a first line in which nothing is a number is names.

    Raises `DataError` with file, line and fix for one that is missing, not text, of another width or not finite.
    """
    try:
        lines = list(csv.reader(path.read_text(encoding="utf-8-sig").splitlines()))
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; every video needs its actions, or set actions to 0") from None
    except OSError as error:
        raise DataError(f"{path}: not readable ({error.strerror}); check its permissions") from None
    except (UnicodeDecodeError, csv.Error):
        raise DataError(f"{path}: is no text in UTF-8 with commas; save it as CSV") from None
    rows: list[list[float]] = []
    for number, cells in enumerate(lines, start=1):
        if not any(cell.strip() for cell in cells) and number == len(lines):
            continue
        if number == 1 and cells and not any(map(_is_number, cells)):
            continue
        shown = ",".join(cells)
        shown = repr(shown if len(shown) <= 40 else f"{shown[:37]}...")
        if len(cells) != columns:
            raise DataError(
                f"{path}: line {number} is {shown}, {len(cells)} columns; must be {columns}, as actions says: mend the "
                "table or the setting"
            )
        if not all(_is_number(cell) and abs(float(cell)) <= LARGEST_ACTION for cell in cells):
            raise DataError(f"{path}: line {number} is {shown}; must be finite numbers within ±{LARGEST_ACTION:g}")
        rows.append([float(cell) for cell in cells])
    return np.array(rows, np.float64).reshape(len(rows), columns)


def _is_number(text: str) -> bool:
    try:
        return math.isfinite(float(text))
    except ValueError:
        return False
