"""A folder of videos: which there are, by their names alone, and what lies beside them.

A video is a film (`.mp4`, `.webm`, `.mov`, `.mkv`, `.avi`), a `.gif`, or a folder of numbered pictures. They may stand
in `folder` and, at any depth, in its subfolders. Where there are `train/` and `test/` these are the parts, and
`validation/` (or `validate/`, `val/`) if it is there. Beside a video `NAME.mp4` may stand `NAME.actions.csv`.

Imports nothing that takes time: the rules look for files with it.
"""

import os
import re
from collections import Counter
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any, NamedTuple

from whatmoves.errors import DataError

FILMS = (".mp4", ".webm", ".mov", ".mkv", ".avi")
GIF = ".gif"
PICTURES = (".png", ".jpg", ".jpeg", ".bmp", ".webp")
ACTIONS = ".actions.csv"
FACTORS = "factors.csv"
PARTS = {"train": "train", "test": "test", "validation": "validation", "validate": "validation", "val": "validation"}
KNOWN = f"{', '.join((*FILMS, GIF))} or a folder of numbered pictures"


class Video(NamedTuple):
    """One video: its name in the folder, its file, or its pictures in order; the part it must be for, if any."""

    name: str
    path: Path
    pictures: tuple[Path, ...]
    part: str | None

    @property
    def actions(self) -> Path:
        """Where its actions stand, if it has any."""
        return self.path.with_name((self.path.name if self.pictures else self.path.stem) + ACTIONS)

    @property
    def files(self) -> list[Path]:
        """What it is read from, but for actions."""
        return [*self.pictures] if self.pictures else [self.path]


def find_videos(folder: Path) -> list[Video]:
    """The videos of a folder, in order of their names, numbers by value.

    Raises `DataError` for a folder that is missing, may not be read or holds no video, a link that leaves it, two
    videos of one name, a picture that is missing between two, and parts of which one is lacking.
    """
    folder = folder.expanduser()
    if not folder.is_dir():
        place = folder if folder.is_absolute() else f"{folder} (in {Path.cwd()})"
        raise DataError(f"{place}: no such folder; set folder to that of the videos")
    found = list(_walk(folder, folder))
    if not found:
        raise DataError(f"{folder}: no video here or in its subfolders{_seen(folder)}; must be {KNOWN}")
    parts = {Path(video.name).parts[0] for video in found if len(Path(video.name).parts) > 1} & PARTS.keys()
    if {"train", "test"} & parts:
        found = [_of_part(folder, video, parts) for video in found]
    by_stem: dict[Path, Video] = {}
    for video in found:
        twin = by_stem.setdefault(video.actions, video)
        if twin is not video:
            raise DataError(f"{video.path}: {twin.path.name} beside it has the same name; rename one or take it away")
    return found


def usable_videos(folder: Path, actions: int) -> list[Video]:
    """The videos of a folder, with which three parts can be filled.

    Raises `DataError` as `find_videos` does, for too few, and for one without its actions where there are to be some.
    """
    videos = find_videos(folder)
    counts = Counter(video.part for video in videos)
    if counts[None] and len(videos) < 3:
        raise DataError(
            f"{folder}: {len(videos)} videos; must be 3 or more, since training, validation and test share none: cut a "
            "long one"
        )
    if counts["train"] == 1 and not counts["validation"]:
        raise DataError(f"{folder}: one video in train/ and none for validation; add one, or validation/")
    lacking = [video for video in videos if actions and not video.actions.is_file()]
    if lacking:
        more = f", nor those of {len(lacking) - 1} others" if len(lacking) > 1 else ""
        raise DataError(f"{lacking[0].actions}: no such file{more}; every video needs its actions, or set actions to 0")
    return videos


def input_files(options: dict[str, Any]) -> list[Path]:
    """The films and tables of the folder that a study's `options` name. Pictures, which may be many thousands, are
    `content_files`."""
    videos = usable_videos(Path(options["folder"]), options.get("actions", 0))
    films = [video.path for video in videos if not video.pictures]
    return [*films, *(video.actions for video in videos if options.get("actions"))]


def content_files(options: dict[str, Any]) -> list[Path]:
    """The pictures of the folder that a study's `options` name."""
    return [picture for video in find_videos(Path(options["folder"])) for picture in video.pictures]


def _walk(folder: Path, root: Path) -> Iterator[Video]:
    """The videos in a folder below `root`."""
    try:
        with os.scandir(folder) as entries:
            paths = sorted((Path(entry.path) for entry in entries if not entry.name.startswith(".")), key=_by_numbers)
    except OSError as error:
        raise DataError(f"{folder}: not readable ({error.strerror}); check its permissions") from None
    for path in paths:
        if path.is_symlink() and not path.resolve().is_relative_to(root.resolve()):
            raise DataError(f"{path}: is a link that leaves the folder; set folder to where the videos are, or copy it")
        name = path.relative_to(root).as_posix()
        if path.suffix.lower() in (*FILMS, GIF) and path.is_file():
            yield Video(name, path, (), None)
        elif path.is_dir() and not path.is_symlink():
            pictures = _numbered(path)
            if pictures:
                yield Video(name, path, pictures, None)
            else:
                yield from _walk(path, root)


def _numbered(folder: Path) -> tuple[Path, ...]:
    """The pictures of a folder by the last number in their names; none if there are fewer than two."""
    try:
        paths = [path for path in folder.iterdir() if path.suffix.lower() in PICTURES and path.name[0] != "."]
    except OSError as error:
        raise DataError(f"{folder}: not readable ({error.strerror}); check its permissions") from None
    if len(paths) < 2:
        return ()
    numbers: dict[int, Path] = {}
    for path in sorted(paths):
        digits = re.findall(r"[0-9]+", path.stem)
        if not digits:
            raise DataError(f"{path}: has no number in its name, and {len(paths) - 1} pictures beside it; number them")
        twin = numbers.setdefault(int(digits[-1]), path)
        if twin is not path:
            raise DataError(f"{path}: has the number of {twin.name}; number the pictures of a video one after another")
        if path.is_symlink() and not path.resolve().is_relative_to(folder.resolve()):
            raise DataError(f"{path}: is a link that leaves its folder; copy the picture into it")
    ordered = sorted(numbers)
    step = ordered[1] - ordered[0]
    for before, after in pairwise(ordered):
        if after - before != step:
            raise DataError(
                f"{folder}: no picture between {numbers[before].name} and {numbers[after].name}; number them without "
                "gaps, or make two folders"
            )
    return tuple(numbers[number] for number in ordered)


def _of_part(folder: Path, video: Video, parts: set[str]) -> Video:
    lacking = {"train", "test"} - parts
    if lacking:
        raise DataError(
            f"{folder}: has no videos in {lacking.pop()}/ beside the other part; add it, or take both apart"
        )
    part = PARTS.get(Path(video.name).parts[0])
    if part is None or len(Path(video.name).parts) < 2:
        raise DataError(f"{video.path}: stands beside train/ and test/; move it into one of them, or out of the folder")
    return video._replace(part=part)


def _seen(folder: Path) -> str:
    """What there is instead, for a message."""
    endings = sorted({path.suffix.lower() or path.name for path in folder.iterdir() if not path.name.startswith(".")})
    return f" (but {', '.join(endings[:4])})" if endings else ""


def _by_numbers(path: Path) -> list[Any]:
    """A name as text and numbers in turn: `clip2` comes before `clip10`."""
    return [int(part) if index % 2 else part for index, part in enumerate(re.split(r"([0-9]+)", path.name))]
