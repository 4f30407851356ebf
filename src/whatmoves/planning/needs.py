"""What a study asks of its planning that cannot be done: told before any job."""

from collections.abc import Mapping

from whatmoves.asked import planned_rows
from whatmoves.data.clips import ClipShape
from whatmoves.errors import ConfigError
from whatmoves.planning.tasks import tasks_of_study
from whatmoves.study import Study


def check(study: Study, shapes: Mapping[str, ClipShape], where: str) -> None:
    """Raise `ConfigError` for tasks that a data set of the study does not give."""
    for dataset in dict.fromkeys(dataset for dataset, _ in planned_rows(study)):
        try:
            tasks_of_study(study, dataset)
        except ConfigError as error:
            raise ConfigError(f"{where}: {error}") from None
