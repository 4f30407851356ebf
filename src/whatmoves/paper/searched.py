"""What the paper says of the search that chose settings, read off its record: `config/search/<study>.json`."""

from pathlib import Path

from whatmoves.errors import DataError, PaperError
from whatmoves.paper.tex import Tex, code, listing
from whatmoves.paper.writer import Writer
from whatmoves.searching.record import Record, Searched, read_record

DRAWN = {"reconstruction": "reconstructions", "prediction": "closed-loop predictions"}


def search_of(study: str, templates: Path) -> Path:
    """Where the record of a study's search stands, if there was one."""
    return templates.parent / "config" / "search" / f"{study}.json"


class ReportedSearch:
    """What the templates may say; false where there was no search, or of none of the study's models."""

    def __init__(self, writer: Writer, path: Path) -> None:
        """Raises `PaperError` for a damaged record, and for an unfinished one: with other numbers of points."""
        self._writer = writer
        record = _read(path) if path.is_file() else Record(study=writer.study.study)
        self._models = {name: record.models[name] for name in writer.models() if name in record.models}
        counts = {name: len(found.trials) for name, found in self._models.items()}
        if len(set(counts.values())) > 1:
            listed = ", ".join(f"{name} {count}" for name, count in counts.items())
            raise PaperError(f"{path}: models differ in their number of points ({listed}); finish `whatmoves search`")
        self.points = next(iter(counts.values()), 0)

    def __bool__(self) -> bool:
        return bool(self._models)

    @property
    def same_clips(self) -> bool:
        """Whether every model was given the same budget, and the study's."""
        return not self.shortened and len({found.clips for found in self._models.values()}) == 1

    @property
    def shortened(self) -> bool:
        """Whether its runs were shorter than the study's."""
        return self.percent < 100

    @property
    def percent(self) -> int:
        """The smallest share of a model's budget of clips that its runs were given, in hundredths."""
        training_of = self._writer.study.training_of
        return round(100 * min(found.clips / training_of(name).clips for name, found in self._models.items()))

    @property
    def own_seeds(self) -> bool:
        """Whether no seed of the search trains a model of the study."""
        tried = {
            seed for found in self._models.values() for trial in found.trials for seed in trial.validation_mse_pixel
        }
        return not tried & {str(seed) for _, _, seed in self._writer.study.runs()}

    def groups(self) -> list[tuple[Tex, Tex, Tex]]:
        """Models of which the same was searched in the same way: labels, names of the settings, what was scored."""
        groups: dict[tuple[tuple[str, ...], str], list[Tex]] = {}
        for name, found in self._models.items():
            groups.setdefault((_varied(found), found.score), []).append(self._writer.label(name))
        return [
            (listing(labels), listing(code(setting) for setting in settings), Tex(DRAWN[score]))
            for (settings, score), labels in groups.items()
        ]


def _varied(found: Searched) -> tuple[str, ...]:
    """Names of the settings in which a model's points differ, the training's first."""
    keys = {key for trial in found.trials for key in trial.point}
    varied = [key for key in keys if len({str(trial.point.get(key)) for trial in found.trials}) > 1]
    return tuple(key.partition(".")[2] for key in sorted(varied, key=lambda key: (key.startswith("options."), key)))


def _read(path: Path) -> Record:
    try:
        return read_record(path)
    except DataError as error:
        raise PaperError(str(error)) from None
