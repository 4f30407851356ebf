"""Where a study's results stand. The rules in workflow/rules/ spell the same paths; a test holds them together."""

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from whatmoves.floors import of_clips

if TYPE_CHECKING:
    from whatmoves.study import Study

NOTHING = "nothing_to_show"  # in the data file of a figure that could not be filled: the reason
SHIFTED_SETS = "sets"  # shifted test clips of a data set, and their floors
JUDGED_FLOORS = "floors"  # one judgement for all floors and ceilings that need no model
PLANNED_FLOORS = "floors"  # and one job for all that are planned with


def figure_parts(figure: str) -> tuple[str, str]:
    """A figure's name as its module and the data set it shows: `predictions-drive`; the main one is not named."""
    module, _, dataset = figure.partition("-")
    return module, dataset


def figure_name(study: "Study", module: str, dataset: str) -> str:
    """The name of a figure of one data set; that of the study's main one is its module's."""
    return module if dataset == study.main_data() else f"{module}-{dataset}"


@dataclass(frozen=True)
class Layout:
    """Paths below `root` = results/<study>."""

    root: Path

    def data(self, dataset: str) -> Path:
        """Stored splits of a data set."""
        return self.root / "data" / dataset

    def run(self, dataset: str, model: str, seed: int) -> Path:
        """Checkpoint, history and timings of one training run."""
        return self.root / "train" / dataset / model / f"seed-{seed}"

    def checkpoint(self, dataset: str, model: str, seed: int) -> Path:
        """The final checkpoint of one training run."""
        return self.run(dataset, model, seed) / "checkpoint.pt"

    def evaluation(self, dataset: str, model: str) -> Path:
        """Measures, codes and pictures of all seeds of a model."""
        return self.root / "evaluate" / dataset / model

    def judges(self, dataset: str) -> Path:
        """The judges of a data set and how well they judge."""
        return self.root / "judges" / dataset

    def judgement(self, dataset: str, row: str) -> Path:
        """What the judges and the probes say of all seeds of a model, or of the `floors`."""
        return self.root / "judge" / dataset / row

    def plans(self, dataset: str, row: str) -> Path:
        """What was planned with all seeds of a model, or with the `floors`, and what came of it."""
        return self.root / "plan" / dataset / row

    def exchange(self, dataset: str, row: str) -> Path:
        """What factors exchanged one by one became in a model's clips, or in those of the `floors`."""
        return self.root / "exchange" / dataset / row

    def shift(self, dataset: str, row: str) -> Path:
        """What a model loses on shifted test sets, or the `sets` themselves."""
        return self.root / "shift" / dataset / row

    def work(self, dataset: str, model: str, seed: int, made_of: str) -> Path:
        """Resumable state of a training, named by what it is made of; gone when it has finished."""
        return self.root / "work" / f"{dataset}.{model}.seed-{seed}.{made_of}"  # no name of a study has a dot

    def work_of_seeds(self, kind: str, dataset: str, model: str, made_of: str) -> Path:
        """What an evaluation (`evaluate`), judgement (`judge`) or planning (`plan`) has done so far; gone when it is
        finished."""
        return self.root / "work" / f"{dataset}.{model}.{kind}.{made_of}"

    @property
    def figures(self) -> Path:
        """Figures and their data files."""
        return self.root / "figures"

    @property
    def animations(self) -> Path:
        """Animations and their data files."""
        return self.root / "animations"

    @property
    def values(self) -> Path:
        """The value index."""
        return self.root / "values.json"

    @property
    def paper(self) -> Path:
        """The paper's source and PDF."""
        return self.root / "paper"


def measured_rows(study: "Study", dataset: str) -> list[str]:
    """Everything measured on a data set: its models, then the floors that are no models."""
    models = [name for name, entry in study.models.items() if dataset in entry.trains_on]
    return [*models, *of_clips()] if models else []


def judged_rows(study: "Study", dataset: str) -> list[str]:
    """Every judgement of a judged data set: its models', then that of all floors."""
    models = [name for name, entry in study.models.items() if entry.judged and dataset in entry.trains_on]
    return [*models, JUDGED_FLOORS]
