"""What a study asks of its data sets that they cannot give: told on shapes, before any job."""

from collections.abc import Mapping

from whatmoves.data.clips import ClipShape
from whatmoves.errors import ConfigError
from whatmoves.study import Study


def check(study: Study, shapes: Mapping[str, ClipShape], where: str) -> None:
    """Raise `ConfigError` for the first data set whose clips are too short for its predictions."""
    for name, entry in study.data.items():
        frames = shapes[name].frames
        if entry.past_frames is not None and entry.past_frames >= frames:
            raise ConfigError(
                f"{where}: data.{name}.past_frames is {entry.past_frames}, but its clips have {frames} frames; must be "
                f"≤ {frames - 1}, for one to be predicted"
            )
