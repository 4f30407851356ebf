"""What a study asks of its data sets that they cannot give: told before any job."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from whatmoves.data import moving_mnist
from whatmoves.data.bair_files import find_set
from whatmoves.data.clips import ClipShape
from whatmoves.data.moving_mnist_file import open_clips
from whatmoves.data.recording_log import find_logs
from whatmoves.errors import ConfigError, DataError
from whatmoves.study import Study


def check(study: Study, shapes: Mapping[str, ClipShape], where: str) -> None:
    """Raise `ConfigError` for the first data set without its files, or with clips too short for its predictions."""
    for name, entry in study.data.items():
        if entry.kind == "recordings" and (folder := entry.options.get("folder")) is not None:
            _logs_there(Path(folder), f"{where}: data.{name}.options.folder")
        if entry.kind == "moving_mnist":
            _enough_clips(moving_mnist.Config(**entry.options), f"{where}: data.{name}.options.file")
        if entry.kind == "bair":
            _set_there(entry.options, f"{where}: data.{name}.options.folder")
        frames = shapes[name].frames
        if entry.past_frames is not None and entry.past_frames >= frames:
            raise ConfigError(
                f"{where}: data.{name}.past_frames is {entry.past_frames}, but its clips have {frames} frames; must be "
                f"≤ {frames - 1}, for one to be predicted"
            )


def _logs_there(folder: Path, where: str) -> None:
    """Whether there are logs; reading them is a job's work."""
    try:
        find_logs(folder.expanduser())
    except DataError as error:
        raise ConfigError(f"{where}: {error}") from None


def _enough_clips(config: moving_mnist.Config, where: str) -> None:
    """Whether the file is there, of its form and as long as its splits need; its header and size tell."""
    try:
        moving_mnist.split_rows(config, open_clips(config.file.expanduser()).clips)
    except DataError as error:
        raise ConfigError(f"{where}: {error}") from None


def _set_there(options: Mapping[str, Any], where: str) -> None:
    """Whether BAIR's files are there, by their names."""
    try:
        find_set(Path(options["folder"]), options.get("form"), options.get("camera", "aux1"))
    except DataError as error:
        raise ConfigError(f"{where}: {error}") from None
