"""The keyboard loop in a pseudo-terminal: real keys in, real colour codes out, the terminal as it was afterwards."""

import fcntl
import json
import os
import select
import signal
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path

import pytest

# Each frame is as grey as the number of frames advanced so far; actions asked for are noted.
PROGRAM = """
import json, sys
import numpy as np
from whatmoves.using import terminal
from whatmoves.using.controls import Controls

terminal.FRAME_S = 0.02
asked = []

def advance(action):
    asked.append(action.tolist())
    return np.full((1, 4, 6), 100 + min(len(asked), 9), np.uint8)

assert terminal.obstacle() is None, terminal.obstacle()
given = np.full((2, 1, 4, 6), 50, np.uint8)
steps = json.loads(sys.argv[2])
shown = terminal.play_in_terminal(given, advance, Controls(np.float32([[-1, -0.5], [1, 0.5]]), 0.0), steps)
json.dump({"asked": asked, "shown": shown[:, 0, 0, 0].tolist()}, open(sys.argv[1], "w"))
"""
SIZE = struct.pack("HHHH", 10, 60, 0, 0)  # rows, columns
PATIENCE_S = 20


def _at_a_terminal() -> None:
    """Its own terminal, so that Ctrl-C reaches it; heeded even where the tests run in a background that ignores it."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def session(folder: Path, steps: str, keys: list[tuple[bytes, bytes]], colours: str = "truecolor") -> tuple[str, dict]:
    """Run the program in a terminal, each (text to wait for, keys to send then); its output and what it noted."""
    ours, theirs = os.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, SIZE)
    sizes = ("LINES", "COLUMNS")  # would be believed before the terminal, and processes of pytest-xdist have them
    environment = {name: value for name, value in os.environ.items() if name not in sizes}
    environment |= {"TERM": "xterm-256color", "COLORTERM": colours}
    program = subprocess.Popen(
        [sys.executable, "-c", PROGRAM, str(folder / "noted.json"), steps],
        stdin=theirs, stdout=theirs, stderr=subprocess.PIPE, env=environment, start_new_session=True,
        preexec_fn=_at_a_terminal,
    )  # fmt: skip
    before = termios.tcgetattr(theirs)
    output, waiting, until = b"", list(keys), time.monotonic() + PATIENCE_S
    while program.poll() is None:
        if time.monotonic() > until:
            program.kill()
            pytest.fail(f"still waiting for {waiting[:1]} after {output[-300:]!r}")
        if select.select([ours], [], [], 0.05)[0]:
            output += os.read(ours, 65536)
        if waiting and waiting[0][0] in output:
            os.write(ours, waiting.pop(0)[1])
    assert program.stderr is not None
    assert program.returncode == 0, program.stderr.read().decode()
    while select.select([ours], [], [], 0)[0]:
        output += os.read(ours, 65536)
    assert termios.tcgetattr(theirs) == before, "the terminal was left in another mode"
    os.close(ours)
    os.close(theirs)
    return output.decode(), json.loads((folder / "noted.json").read_text())


def test_keys_become_actions_and_frames_become_cells(tmp_path: Path) -> None:
    arrow_right, arrow_up = b"\x1bOC", b"\x1bOA"  # as terminals send them in the mode that curses asks for
    keys = [
        (b"frame 3, action +0.00 +0.00", arrow_right),
        (b"action +1.00 +0.00", arrow_up),
        (b"action +1.00 -0.50", b"AS"),
        (b"action -1.00 +0.50", b" s"),
        (b"action +0.00 +0.50", b"Q"),
    ]
    output, noted = session(tmp_path, "null", keys)
    cells = "\x1b[38;2;50;50;50;48;2;50;50;50m" + 24 * "▀" + "\x1b[0m"  # four columns a pixel: 8 rows of cells for 4
    assert output.count(cells) == 2 * 8
    assert "frame 1, given" in output
    assert noted["shown"][:3] == [50, 50, 101]
    changes = [noted["asked"][0]]
    changes += [action for action in noted["asked"] if action != changes[-1] and not changes.append(action)]
    assert changes[:5] == [[0, 0], [1, 0], [1, -0.5], [-1, 0.5], [0, 0.5]]


def test_it_ends_by_itself_after_the_steps_asked_for(tmp_path: Path) -> None:
    output, noted = session(tmp_path, "3", [], colours="")
    assert noted["shown"] == [50, 50, 101, 102, 103]
    assert "\x1b[38;5;241;48;5;241m▀" in output  # of 256 colours


def test_ctrl_c_ends_it_too(tmp_path: Path) -> None:
    _, noted = session(tmp_path, "null", [(b"frame 4", b"\x03")])
    assert noted["shown"][:4] == [50, 50, 101, 102]
