"""What a player wants, as actions: keys for a terminal, scripts where there is no keyboard.

Action vectors are in the data set's own units; those of a recording are its log's, and rest is the log's 0, a released
stick. The first two numbers are right (+) and left, down (+) and up, as in `whatmoves.data.push_world`; the others are
known by their place. A key or a word asks for a full action: as far as training went on that side of 0, or where that
is not stored, the largest of that number in the clips that the play starts from.
"""

import json
import logging
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whatmoves.data.recording_controls import Scale
from whatmoves.errors import DataError

log = logging.getLogger(__name__)

# Key → (number of the action, from 0; sign). Beyond the first two: a key of the upper row and the one beneath it.
KEYS: dict[str, tuple[int, int]] = {"right": (0, 1), "left": (0, -1), "down": (1, 1), "up": (1, -1)}
KEYS |= {"d": (0, 1), "a": (0, -1), "s": (1, 1), "w": (1, -1)}
KEYS |= {key: (2 + place, sign) for sign, row in ((1, "rtyuio"), (-1, "fghjkl")) for place, key in enumerate(row)}
REST_KEY, QUIT_KEY, REST_WORD = " ", "q", "rest"
WORDS = ("right", "left", "down", "up")
MOST_FRAMES = 100_000  # of a script: a slip of the finger must not fill the memory


class Controls:
    """Held actions `[A]`: a key sets one number until another key of it, or space, which sets all to 0.

    `full` `[2, A]`: a full action to the negative side of each number, and to the positive one.
    `smoothing` is the part of the last action that the next one keeps: 0 obeys at once, towards 1 it glides.
    """

    def __init__(self, full: NDArray[np.float32], smoothing: float) -> None:
        if not 0 <= smoothing < 1:
            raise DataError(f"--smoothing is {smoothing:g}; must be at least 0 and less than 1")
        self.full, self.smoothing = full, smoothing
        self.wanted: NDArray[np.float32] = np.zeros_like(full[0])
        self.action: NDArray[np.float32] = np.zeros_like(full[0])

    def press(self, key: str) -> None:
        """Take one key; those that mean nothing to actions of this width are ignored."""
        if key == REST_KEY:
            self.wanted[:] = 0
        place, sign = KEYS.get(key, (len(self.wanted), 0))
        if place < len(self.wanted):
            self.wanted[place] = self.full[int(sign > 0), place]

    def advance(self) -> NDArray[np.float32]:
        """The action of the next frame: a step from the last one towards the wanted one."""
        self.action = self.smoothing * self.action + (1 - self.smoothing) * self.wanted
        return self.action.copy()

    def help(self) -> str:
        """The keys that this width of actions has a use for, in a line."""
        pairs = ("←→ or ad", "↑↓ or ws", *(f"{up}{down}" for up, down in zip("rtyuio", "fghjkl", strict=True)))
        used = [pair for pair, _ in zip(pairs, self.wanted, strict=False)]
        return ", ".join([*used, "space rests", "q quits"])


def own_scale(actions: NDArray[np.float32]) -> Scale:
    """The scale of actions `[N, T, A]` that are stored in their own units: nothing is converted."""
    width, own = actions.shape[-1], actions.astype(np.float64)
    return Scale(np.zeros(width), np.ones(width), own.min((0, 1)), own.max((0, 1)))


def full_actions(actions: NDArray[np.float32]) -> NDArray[np.float32]:
    """Minus and plus the largest of each number in stored actions `[N, T, A]`, by magnitude: `[2, A]`."""
    largest = np.abs(actions).max((0, 1))
    return np.stack((-largest, largest))


def full_controls(scale: Scale) -> NDArray[np.float32]:
    """How far training went to either side of 0: `[2, A]`, in the log's units. A pedal has one side only."""
    return np.stack((np.minimum(scale.low, 0), np.maximum(scale.high, 0))).astype(np.float32)


def tell_unseen(scale: Scale, actions: NDArray[np.float32], where: str) -> None:
    """Log, a line each, the numbers of `actions` `[N, A]` that are far outside the stored range, or without effect."""
    beyond = scale.beyond(actions)
    for place, (low, high) in enumerate(zip(scale.low, scale.high, strict=True)):
        values = actions[:, place]
        if scale.deviation[place] == 0:
            moved = values[(values != 0) & (beyond[:, place] > 0)]
            if moved.size:
                told = "%s: control %d is %g, but in training it is always %g; it has no effect"
                log.warning(told, where, place + 1, moved[0], low)
        elif beyond[:, place].any():
            furthest = values[int(beyond[:, place].argmax())]
            told = "%s: control %d is %g, far outside the stored range %g … %g; what follows means little"
            log.warning(told, where, place + 1, furthest, low, high)


def read_script(script: str, full: NDArray[np.float32]) -> NDArray[np.float32]:
    """Actions `[N, A]` of a script: a `.json` list of vectors, a `.csv` of one vector a line, or words.

    In words: `right 5, up 3, rest, 4+ 2` is five frames to the right, three up, one of rest, two of a full fourth
    number. `full` `[2, A]` as in `Controls`. Raises `DataError` naming the file, the line and what it must be.
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
        return _checked(rows, full.shape[1], str(path))
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
    action: NDArray[np.float32] = np.zeros_like(full[0])
    if word == REST_WORD:
        return action
    place, sign = KEYS[word] if word in WORDS else (-1, 0)
    if word[:-1].isascii() and word[:-1].isdecimal() and word[-1] in "+-":
        place, sign = int(word[:-1]) - 1, 1 if word[-1] == "+" else -1
    width = len(action)
    if not 0 <= place < width:
        known = [*WORDS[: 2 * width], f"1+ … {width}-", REST_WORD]
        raise DataError(f"{where}: {word!r} is no action of {width} numbers; known: {', '.join(known)}")
    action[place] = full[int(sign > 0), place]
    if not action[place]:
        log.warning("%s: number %d is never on that side of 0 in what is stored; it rests", where, place + 1)
    return action
