"""What a player wants, as actions: keys for a terminal, scripts where there is no keyboard.

Action vectors are the data set's own. The first two numbers are right (+) and left, down (+) and up, as in
`whatmoves.data.push_world`; the others are known by their place. A key or a word asks for a full action: the largest
of that number in the clips that the play starts from.
"""

import json
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whatmoves.errors import DataError

# Key → (number of the action, from 0; sign). Beyond the first two: a key of the upper row and the one beneath it.
KEYS: dict[str, tuple[int, int]] = {"right": (0, 1), "left": (0, -1), "down": (1, 1), "up": (1, -1)}
KEYS |= {"d": (0, 1), "a": (0, -1), "s": (1, 1), "w": (1, -1)}
KEYS |= {key: (2 + place, sign) for sign, row in ((1, "rtyuio"), (-1, "fghjkl")) for place, key in enumerate(row)}
REST_KEY, QUIT_KEY, REST_WORD = " ", "q", "rest"
WORDS = ("right", "left", "down", "up")
MOST_FRAMES = 100_000  # of a script: a slip of the finger must not fill the memory


class Controls:
    """Held actions `[A]`: a key sets one number until another key of it, or space, which sets all to 0.

    `smoothing` is the part of the last action that the next one keeps: 0 obeys at once, towards 1 it glides.
    """

    def __init__(self, full: NDArray[np.float32], smoothing: float) -> None:
        if not 0 <= smoothing < 1:
            raise DataError(f"--smoothing is {smoothing:g}; must be at least 0 and less than 1")
        self.full, self.smoothing = full, smoothing
        self.wanted = np.zeros_like(full)
        self.action = np.zeros_like(full)

    def press(self, key: str) -> None:
        """Take one key; those that mean nothing to actions of this width are ignored."""
        if key == REST_KEY:
            self.wanted[:] = 0
        place, sign = KEYS.get(key, (len(self.full), 0))
        if place < len(self.full):
            self.wanted[place] = sign * self.full[place]

    def advance(self) -> NDArray[np.float32]:
        """The action of the next frame: a step from the last one towards the wanted one."""
        self.action = self.smoothing * self.action + (1 - self.smoothing) * self.wanted
        return self.action.copy()

    def help(self) -> str:
        """The keys that this width of actions has a use for, in a line."""
        pairs = ("←→ or ad", "↑↓ or ws", *(f"{up}{down}" for up, down in zip("rtyuio", "fghjkl", strict=True)))
        used = [pair for pair, _ in zip(pairs, self.full, strict=False)]
        return ", ".join([*used, "space rests", "q quits"])


def full_actions(actions: NDArray[np.float32]) -> NDArray[np.float32]:
    """The largest of each number in stored actions `[N, T, A]`, by magnitude: `[A]`."""
    largest: NDArray[np.float32] = np.abs(actions).max((0, 1))
    return largest


def read_script(script: str, full: NDArray[np.float32]) -> NDArray[np.float32]:
    """Actions `[N, A]` of a script: a `.json` list of vectors, a `.csv` of one vector a line, or words.

    In words: `right 5, up 3, rest, 4+ 2` is five frames to the right, three up, one of rest, two of a full fourth
    number. Raises `DataError` naming the file, the line and what it must be.
    """
    path = Path(script)
    readers = {".json": _json_vectors, ".csv": _csv_vectors}
    if path.suffix in readers:
        try:
            rows = readers[path.suffix](path, path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise DataError(
                f"{path}: no such file; --actions takes a .json, a .csv or words: 'right 5, up 3'"
            ) from None
        except UnicodeDecodeError:
            raise DataError(f"{path}: not readable as text; write one vector of numbers a line") from None
        return _checked(rows, len(full), str(path))
    return _spoken(script, full)


def _json_vectors(path: Path, text: str) -> list[Any]:
    try:
        rows = json.loads(text)
    except json.JSONDecodeError as error:
        raise DataError(f"{path}: not readable as JSON ({error}); write a list of vectors: [[1, 0], [0, 1]]") from None
    if not isinstance(rows, list):
        raise DataError(f"{path}: holds no list; write a list of vectors: [[1, 0], [0, 1]]")
    return rows


def _csv_vectors(path: Path, text: str) -> list[Any]:
    rows: list[Any] = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            rows += [[float(cell) for cell in line.split(",")]] if line.strip() else []
        except ValueError:
            raise DataError(f"{path}: line {number} is {line!r}; must be numbers between commas") from None
    return rows


def _checked(rows: list[Any], width: int, where: str) -> NDArray[np.float32]:
    """Rows as an array, or a `DataError` for the first that is no action."""
    if not rows:
        raise DataError(f"{where}: no action in it; write at least one")
    for number, row in enumerate(rows, start=1):
        what = f"{where}: action {number} is {json.dumps(row)}"
        numbers = isinstance(row, list) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in row)
        if not numbers or len(row) != width:
            raise DataError(f"{what}; must be {width} numbers, as the clips' actions are")
        if not all(abs(value) <= float(np.finfo(np.float32).max) for value in row):
            raise DataError(f"{what}; must be finite numbers")
    return np.array(rows, np.float32)


def _spoken(script: str, full: NDArray[np.float32]) -> NDArray[np.float32]:
    """A script in words."""
    rows: list[NDArray[np.float32]] = []
    for part in script.split(","):
        word, _, told = " ".join(part.split()).partition(" ")
        where, count = f"--actions: {part.strip()!r}", told or "1"
        if not (count.isascii() and count.isdecimal()) or not 0 < int(count) <= MOST_FRAMES:
            raise DataError(f"{where}: {count!r} is no number of frames; write 1 … {MOST_FRAMES}, as in 'right 5'")
        rows += [_meant(word, full, where)] * int(count)
    return np.stack(rows)


def _meant(word: str, full: NDArray[np.float32], where: str) -> NDArray[np.float32]:
    """The action `[A]` of a word: a direction, `rest`, or a number's place from 1 with its sign, as in `3+`."""
    action = np.zeros_like(full)
    if word == REST_WORD:
        return action
    place, sign = KEYS[word] if word in WORDS else (-1, 0)
    if word[:-1].isascii() and word[:-1].isdecimal() and word[-1] in "+-":
        place, sign = int(word[:-1]) - 1, 1 if word[-1] == "+" else -1
    if not 0 <= place < len(full):
        known = [*WORDS[: 2 * len(full)], f"1+ … {len(full)}-", REST_WORD]
        raise DataError(f"{where}: {word!r} is no action of {len(full)} numbers; known: {', '.join(known)}")
    action[place] = sign * full[place]
    return action
