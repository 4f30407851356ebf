"""Trained models side by side: tables of reconstruction, disentanglement and efficiency, in LaTeX and CSV.

Checkpoints and folders of `whatmoves export` are measured on the same clips, outside any study. Factors are read from
the .csv beside the clips; a model that lacks an ability has a dash, with its reason in comparison_results.json. The
columns have the names of the content/motion VAE's own tables; docs/measures.md says which of them mislead.
"""

import argparse
import json
import logging
from pathlib import Path

from whatmoves.commands.common import add_device
from whatmoves.gpus import take_gpu

HELP = "tables of trained models, LaTeX and CSV"

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`CHECKPOINT… --clips --out --json`."""
    add_device(parser)
    parser.add_argument("models", type=Path, nargs="+", metavar="CHECKPOINT", help="checkpoint.pt or exported folder")
    parser.add_argument(
        "--clips", type=Path, help=".npz with a uint8 array `video` (default: their study's test split)"
    )
    parser.add_argument("--out", type=Path, required=True, metavar="FOLDER", help="folder to write to")
    parser.add_argument("--json", action="store_true", help="print the measures as JSON")


def run(arguments: argparse.Namespace) -> None:
    """Write the tables and comparison_results.json."""
    take_gpu(arguments.device)
    from whatmoves.using.tables import write_tables

    results = write_tables(arguments.models, arguments.clips, arguments.out, arguments.device)
    for name, row in results["models"].items():
        for what, why in row["cannot"].items():
            log.info("%s: left out: %s: %s", name, what, why)
    if arguments.json:
        print(json.dumps(results, indent=1))
    else:
        print("\n".join(str(path) for path in sorted(arguments.out.glob("table_*.*"))))
