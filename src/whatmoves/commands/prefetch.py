"""Fetch what the jobs of a study would take from the internet, where there is some: MNIST at most.

`snakemake prefetch` is the same, and on a cluster puts it where the jobs look; run it on the login node.
"""

import argparse
import logging
from pathlib import Path
from typing import TYPE_CHECKING

from whatmoves.commands.common import add_study, open_study

if TYPE_CHECKING:
    from whatmoves.study import Study

HELP = "fetch what a study takes from the internet"

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The study's arguments."""
    add_study(parser)


def run(arguments: argparse.Namespace) -> None:
    """Fetch; raises `DataError` for what cannot be had."""
    study, _ = open_study(arguments)
    prefetch(study)


def prefetch(study: "Study") -> None:
    """Fetch every file that data sets of the study are told to `download` and do not find."""
    downloads = {name: entry.options for name, entry in study.data.items() if entry.options.get("download")}
    if not downloads:
        log.info("study %s takes nothing from the internet", study.study)
    for name, options in downloads.items():
        from whatmoves.data.mnist import find_files

        folder = options.get("mnist_folder")
        found = find_files(Path(folder) if folder else None, download=True)
        log.info("data.%s: %s", name, ", ".join(map(str, found)))
