"""What a study asks of its data sets that they cannot give: told before any job."""

from collections.abc import Mapping

from whatmoves import plugins
from whatmoves.data.clips import ClipShape
from whatmoves.errors import ConfigError, DataError
from whatmoves.study import DataSet, Study


def check(study: Study, shapes: Mapping[str, ClipShape], where: str) -> None:
    """Raise `ConfigError` for the first data set without its files, or with clips too short for its predictions."""
    for name, entry in study.data.items():
        _require_files(entry, f"{where}: data.{name}")
        frames = shapes[name].frames
        if entry.past_frames is not None and entry.past_frames >= frames:
            raise ConfigError(
                f"{where}: data.{name}.past_frames is {entry.past_frames}, but its clips have {frames} frames; must be "
                f"≤ {frames - 1}, for one to be predicted"
            )


def _require_files(entry: DataSet, where: str) -> None:
    """Whether the files that a data set is made of are there, by names, headers and sizes: reading is a job's work."""
    module = plugins.data_module(entry.kind, where)
    if hasattr(module, "require_files"):
        try:
            module.require_files(plugins.data_config(entry.kind, entry.options, where))
        except DataError as error:
            raise ConfigError(f"{where}: {error}") from None
