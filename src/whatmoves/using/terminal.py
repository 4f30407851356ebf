"""Playing in a terminal: curses reads the keys and keeps the screen, colour codes of our own draw the frames.

curses knows at most 256 colours; written past it, codes of 24 bits reach terminals that have them (`COLORTERM`).
"""

import curses
import os
import sys
import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from whatmoves.errors import DataError
from whatmoves.using.cells import text_lines
from whatmoves.using.controls import QUIT_KEY, Controls

FRAME_S = 0.12  # as long as a frame of a GIF; a slower model sets its own pace
STATUS_LINES = 2
ARROWS = {
    curses.KEY_RIGHT: "right",
    curses.KEY_LEFT: "left",
    curses.KEY_DOWN: "down",
    curses.KEY_UP: "up",
}
Frame = NDArray[np.uint8]


def obstacle() -> str | None:
    """Why nothing can be played here, or None: keys and pictures need a terminal of 256 colours."""
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        return "this is no terminal"
    try:
        curses.setupterm()
    except curses.error:
        return f"the terminal {os.environ.get('TERM', '')!r} is unknown (set TERM=xterm-256color)"
    colours = curses.tigetnum("colors")
    if colours < 256 and not _true_colour():
        return f"the terminal shows {max(0, colours)} colours, not 256 (set TERM=xterm-256color if it can)"
    return None


def play_in_terminal(
    given: Frame, advance: Callable[[NDArray[np.float32]], Frame], controls: Controls, steps: int | None
) -> Frame:
    """Show the `given` frames `[P, C, H, W]`, then one after another that `advance` makes of the held action.

    Ends after `steps` frames, on q, or on Ctrl-C; returns all that was shown.
    """
    shown: list[Frame] = []
    try:
        curses.wrapper(_loop, given, advance, controls, steps, shown)
    except KeyboardInterrupt:
        pass  # as good a way to stop as any; the terminal is as it was
    except curses.error as error:
        raise DataError(f"the terminal cannot be used ({error}); give --actions in place of keys") from None
    return np.stack(shown) if shown else given


def _loop(
    screen: Any,
    given: Frame,
    advance: Callable[[NDArray[np.float32]], Frame],
    controls: Controls,
    steps: int | None,
    shown: list[Frame],
) -> None:
    curses.curs_set(0)
    screen.nodelay(True)
    screen.refresh()  # now, while it is empty: curses must have nothing left to draw over our frames
    last = None if steps is None else len(given) + steps
    while last is None or len(shown) < last:
        due_s = time.monotonic() + FRAME_S
        for key in _pressed(screen):
            if key == QUIT_KEY:
                return
            controls.press(key)
        playing = len(shown) >= len(given)
        shown.append(advance(controls.advance()) if playing else given[len(shown)])
        _draw(screen, shown[-1], _status(len(shown), playing, controls))
        time.sleep(max(0.0, due_s - time.monotonic()))


def _pressed(screen: Any) -> list[str]:
    """All keys since the last frame, by our names; a resized window is wiped."""
    names = []
    while (code := screen.getch()) != -1:
        if code == curses.KEY_RESIZE:
            screen.clear()
            screen.refresh()
        elif code in ARROWS:
            names.append(ARROWS[code])
        elif 0 < code < 128:
            names.append(chr(code).lower())
    return names


def _status(frame: int, playing: bool, controls: Controls) -> tuple[str, str]:
    """The lines under the picture."""
    if not playing:
        return f"frame {frame}, given", controls.help()
    action = " ".join(f"{value:+.2f}" for value in controls.action) or "reads none"
    return f"frame {frame}, action {action}", controls.help()


def _draw(screen: Any, frame: Frame, status: tuple[str, str]) -> None:
    """One frame and its status, from the upper left corner."""
    rows, columns = screen.getmaxyx()
    lines = text_lines(frame, columns, rows - STATUS_LINES, _true_colour())
    lines += [f"{line[:columns]}\x1b[K" for line in status]
    sys.stdout.write("".join(f"\x1b[{row};1H{line}" for row, line in enumerate(lines[:rows], start=1)))
    sys.stdout.flush()


def _true_colour() -> bool:
    return os.environ.get("COLORTERM", "") in ("truecolor", "24bit")
