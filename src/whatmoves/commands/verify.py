"""Do the results belong to the code, settings and data in this tree? Answered from receipts; `--rerun` trains again.

Exit code 0: all fresh; 1: something is stale or not ours; 2: could not tell.
"""

import argparse
import json
import shlex
import sys
from pathlib import Path
from typing import TYPE_CHECKING

from whatmoves.commands.common import (
    DEFAULT_CONFIGFILE,
    RESULTS,
    add_device,
    add_study,
    configfile_of,
    naming,
    open_study,
)

if TYPE_CHECKING:
    from whatmoves.layout import Layout
    from whatmoves.provenance.report import Report
    from whatmoves.study import Study

HELP = "prove that results belong to this tree"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--json`, `--before-paper`, `--out`, `--rerun`."""
    add_study(parser)
    parser.add_argument("--study", metavar="NAME", help="name of a shipped study, in place of --configfile")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--before-paper", action="store_true", help="leave the paper itself out: its proof is part of it"
    )
    parser.add_argument("--out", type=Path, help="write the JSON report here, and exit with 0 whatever it says")
    parser.add_argument(
        "--rerun", type=int, default=0, metavar="N", help="also train N runs again, chosen at random, and compare bytes"
    )
    add_device(parser)


def run(arguments: argparse.Namespace) -> int:
    """Print or write the report; returns the exit code."""
    if arguments.study:
        arguments.configfile = configfile_of(arguments.study)
    study, layout = open_study(arguments)
    from whatmoves.files import write_json
    from whatmoves.provenance.again import made_again
    from whatmoves.provenance.closure import source_folder
    from whatmoves.provenance.declared import declared
    from whatmoves.provenance.verify import verify

    report = verify(study, layout.root, paper=not arguments.before_paper)
    if arguments.out:
        write_json(arguments.out, report.as_json())
        return 0
    of_verdicts = declared(study, layout.root, source_folder().parent) if layout.values.is_file() else None
    if arguments.json:
        verdicts = of_verdicts.as_json() if of_verdicts else {}
        print(json.dumps({**report.as_json(), "notes": report.notes, "verdicts": verdicts}, indent=1))
    else:
        print(_nothing_here(report, layout, naming(arguments)) or report.text())
        if of_verdicts and of_verdicts.labels:
            print(of_verdicts.text())
        if again := made_again(report, layout.root):
            print(_how_to_spare(again, report.exit_code == 1, arguments.configfile))
    return max(report.exit_code, _rerun(arguments, study, layout) if arguments.rerun > 0 else 0)


def _rerun(arguments: argparse.Namespace, study: "Study", layout: "Layout") -> int:
    """Train runs again; 1 where one that must be equal is not."""
    from whatmoves.gpus import take_gpu
    from whatmoves.using.spot_check import trained_again

    take_gpu(arguments.device)
    differs = False
    for again in trained_again(study, layout, arguments.rerun, arguments.device):
        print(again.text(), file=sys.stderr if arguments.json else sys.stdout, flush=True)
        differs |= again.comparable and not again.equal
    return int(differs)


def _nothing_here(report: "Report", layout: "Layout", named: str) -> str:
    """One line where nothing is made yet, in place of one for each result."""
    from whatmoves.provenance.report import MISSING

    if set(counts := report.counts()) != {MISSING}:
        return ""
    makes = f"; snakemake paper/main.pdf{named} makes them" if layout.root.parent == RESULTS else ""
    return f"study {report.study}: none of its {counts[MISSING]} results has a receipt in {layout.root}{makes}"


def _how_to_spare(again: list[str], some_are_stale: bool, configfile: Path) -> str:
    """What to do about fresh results that Snakemake would make again."""
    names = ", ".join(again[:3]) + (f" and {len(again) - 3} more" if len(again) > 3 else "")
    touch = "" if configfile == DEFAULT_CONFIGFILE else f" --configfile {shlex.quote(str(configfile))}"
    first = "remove what is stale or not ours (touch would keep it), then " if some_are_stale else ""
    return (
        f"fresh, yet snakemake would make again (copied here without its records in .snakemake):"
        f" {names}\n"
        f"to spare them: {first}`snakemake all --touch --forceall{touch}`"
    )
