"""Whose code it was: an error in a model, data set or measure of a user's own, as one line with its file and method."""

import contextlib
import inspect
import os
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from whatmoves.errors import ModelError, WhatMovesError


def place_of(method: Callable[..., Any]) -> str:
    """`own/still.py: loss`: the file, relative to the current folder where it lies below, and the method's name."""
    return f"{shown_path(_file_of(method))}: {inspect.unwrap(method).__name__}"


def shown_path(file: str | Path) -> str:
    """A path as short as it can be said: relative where it lies below the current folder."""
    here = os.path.relpath(file)
    return str(file) if here.startswith("..") else here


@contextlib.contextmanager
def blaming(method: Callable[..., Any], given: str = "") -> Iterator[None]:
    """Turn whatever `method` raises into a `ModelError` with file, name and line; `given` is what it was asked of.

    Errors of ours pass, and so does what ends a process.
    """
    try:
        yield
    except WhatMovesError:
        raise
    except Exception as error:
        own = os.path.realpath(_file_of(method))
        lines = [
            step.lineno for step in traceback.extract_tb(error.__traceback__) if os.path.realpath(step.filename) == own
        ]
        said = " ".join(f"{type(error).__name__}: {error}".split()).rstrip(":")
        of = f" of {given}" if given else ""
        raise ModelError(f"{place_of(method)}{of} fails{_at(lines)}: {said}; mend it there") from error


def _at(lines: list[int | None]) -> str:
    return f" at line {lines[-1]}" if lines and lines[-1] is not None else ""


def _file_of(method: Callable[..., Any]) -> str:
    return inspect.getsourcefile(inspect.unwrap(method)) or "a file that is gone"
