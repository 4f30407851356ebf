"""Make the stored validation and test clips of a data set, with their factor tables."""

import argparse

from whatmoves.commands.common import add_job, job, known, open_study

HELP = "make the stored splits of a data set"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--dataset`."""
    add_job(parser)
    parser.add_argument("--dataset", required=True, help="name of the data set in the study")


def run(arguments: argparse.Namespace) -> None:
    """Write results/<study>/data/<dataset>/."""
    study, layout = open_study(arguments)
    dataset = known(arguments.dataset, study.data, "data set")
    entry, folder = study.data[dataset], layout.data(dataset)
    outputs = [folder / f"{split}.{suffix}" for split in ("validation", "test") for suffix in ("npz", "csv")]
    with job(arguments, study, "data", {"dataset": dataset}, [], outputs, folder / "receipt.json"):
        from whatmoves.plugins import data_config, data_module

        data_module(entry.kind).make(data_config(entry.kind, entry.options, f"data.{dataset}"), folder)
