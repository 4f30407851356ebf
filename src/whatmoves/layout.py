"""Where a study's results stand. The rules in workflow/rules/ spell the same paths; tests/workflow holds them together."""

from dataclasses import dataclass
from pathlib import Path


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

    def work(self, fingerprint: str) -> Path:
        """Resumable state of a running job, named by what the job is made of; gone when it has finished."""
        return self.root / "work" / fingerprint

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
