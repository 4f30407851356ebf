"""A study's clips with their factors, in batches, and its trained models, for scripts and notebooks of one's own.

study = load_study(Path("config/config.yaml"))
loaders = get_data_loaders(study)
for batch, factors in loaders.test: ...        # Batch of [B, T, C, H, W] in [0, 1], and a table of B rows
models = get_models(study, needed=["encode"])  # {"baseline_vae": Model, …}
"""

from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any, NamedTuple

import pandas as pd
import torch
from torch import nn

from whatmoves import plugins
from whatmoves.data.clips import Batch, Split
from whatmoves.layout import Layout
from whatmoves.models.interface import abilities
from whatmoves.study import Study
from whatmoves.training.checkpoint import load_checkpoint


class ClipLoader:
    """Iterates over a split in its stored order, as often as wanted; `roles` says what the factor columns are."""

    def __init__(
        self, split: Split, batch_size: int, device: torch.device | str = "cpu", roles: Mapping[str, Any] | None = None
    ) -> None:
        self.split, self.batch_size, self.device = split, batch_size, torch.device(device)
        self.roles: Mapping[str, Any] = roles or {}

    def __len__(self) -> int:
        """Number of batches."""
        return -(-len(self.split.video) // self.batch_size)

    def __iter__(self) -> Iterator[tuple[Batch, pd.DataFrame]]:
        for first in range(0, len(self.split.video), self.batch_size):
            rows = slice(first, min(first + self.batch_size, len(self.split.video)))
            yield self.split.batch(rows, self.device), self.split.factors.iloc[rows].reset_index(drop=True)


class Loaders(NamedTuple):
    """The three parts of a data set."""

    train: ClipLoader
    validation: ClipLoader
    test: ClipLoader


def get_data_loaders(
    study: Study,
    dataset: str | None = None,
    results: Path = Path("results"),
    train_clips: int = 2_000,
    batch_size: int = 32,
    device: torch.device | str = "cpu",
) -> Loaders:
    """Loaders of a data set of `study`, its main one by default, whose stored splits stand below `results`, made by
    `whatmoves data`.

    `train` is `train_clips` clips of the training digits that no training run of the study sees: made to fit probes
    on. Raises `DataError` when the data set has not been made yet.
    """
    dataset = dataset or study.main_data()
    entry, where = study.data[dataset], f"data.{dataset}"
    folder = Layout(results / study.study).data(dataset)
    source = plugins.open_source(entry.kind, entry.options, folder, where)
    roles = getattr(plugins.data_module(entry.kind, where), "FACTOR_ROLES", {})
    splits = (source.train_split(train_clips), source.split("validation"), source.split("test"))
    return Loaders(*(ClipLoader(split, batch_size, device, roles) for split in splits))


def get_models(
    study: Study,
    dataset: str | None = None,
    results: Path = Path("results"),
    needed: Iterable[str] = (),
    device: torch.device | str = "cpu",
) -> dict[str, nn.Module]:
    """The trained models of `study` on a data set, its main one by default, by their names in the study: those that
    have all abilities of `needed` (`whatmoves.models.interface.ABILITIES`), each of its first seed, ready to use.

    Raises `CheckpointError` for one whose training has not been run, or was of other code.
    """
    dataset = dataset or study.main_data()
    layout = Layout(results / study.study)
    trained = [name for name, entry in study.models.items() if dataset in entry.trains_on]
    loaded = {
        name: load_checkpoint(layout.checkpoint(dataset, name, study.seeds_of(name)[0]), device).model
        for name in trained
    }
    return {name: model for name, model in loaded.items() if set(needed) <= set(abilities(model))}
