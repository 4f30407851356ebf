"""Make the stored validation and test clips of a data set, with their factor tables."""

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from whatmoves.commands.common import add_job, job, known, open_study

if TYPE_CHECKING:
    from whatmoves.study import DataSet

HELP = "make the stored splits of a data set"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--dataset`."""
    add_job(parser)
    parser.add_argument("--dataset", required=True, help="name of the data set in the study")


def raw_files(entry: "DataSet") -> list[Path]:
    """Files outside the results that a data set is made of; the rule asks too, so nothing heavy is imported."""
    folder = entry.options.get("folder")
    if entry.kind != "recordings" or folder is None:
        return []
    from whatmoves.data.recording_log import find_logs

    return find_logs(Path(folder).expanduser())


def run(arguments: argparse.Namespace) -> None:
    """Write results/<study>/data/<dataset>/."""
    study, layout = open_study(arguments)
    dataset = known(arguments.dataset, study.data, "data set")
    entry, folder, where = study.data[dataset], layout.data(dataset), f"data.{dataset}"
    from whatmoves.plugins import data_config, data_module

    module, config = data_module(entry.kind, where), data_config(entry.kind, entry.options, where)
    outputs = [folder / f"{split}.{suffix}" for split in ("validation", "test") for suffix in ("npz", "csv")]
    if hasattr(module, "more_files"):
        outputs += [folder / name for name in module.more_files(config)]
    receipt = folder / "receipt.json"
    with job(arguments, study, "data", {"dataset": dataset}, raw_files(entry), outputs, receipt):
        module.make(config, folder)
