"""Try all models on a GPU for some minutes: speed, memory, waiting, agreement with the CPU, resume, judged trainings.

Writes one JSON file, and says on stderr what it does. Without a GPU, `--device cpu --quick` runs the same code on the
tiny study. `whatmoves.machines.gpu_check` says what the parts are and which packages they need.
"""

import argparse
import logging
import re
from pathlib import Path

HELP = "what a GPU does with every model, in minutes"

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--device --quick --seconds --out`."""
    parser.add_argument(
        "--device", choices=("cuda", "cpu"), default="cuda", help="what to check (default: %(default)s)"
    )
    parser.add_argument("--quick", action="store_true", help="the tiny study, a few steps each")
    parser.add_argument("--seconds", type=float, help="time for all parts (default: 540; quick: 60)")
    parser.add_argument("--out", type=Path, help="JSON file (default: benchmarks/results/gpu-<card>.json)")


def run(arguments: argparse.Namespace) -> int:
    """Write the report; 1 if anything failed. What did not fit into the time is told and is no failure."""
    from whatmoves.errors import ConfigError
    from whatmoves.files import write_json
    from whatmoves.machines.checked_study import FULL, QUICK
    from whatmoves.machines.gpu_check import gpu_check, require_gpu
    from whatmoves.provenance.closure import source_folder

    device = require_gpu(arguments.device, arguments.quick)
    seconds = arguments.seconds if arguments.seconds is not None else 60.0 if arguments.quick else 540.0
    if not seconds > 0:
        raise ConfigError(f"--seconds is {seconds:g}; must be greater than 0")
    log.info("%s", arguments.command_line)
    root = source_folder().parent
    report = gpu_check(device, QUICK if arguments.quick else FULL, root, seconds)
    card = re.sub(r"[^a-z0-9]+", "-", report["device"].partition(":")[2].partition(",")[0].lower()).strip("-")
    out = arguments.out or root / "benchmarks" / "results" / f"gpu-{card}.json"
    write_json(out, report)
    for heading in ("not_run", "failed"):
        for line in report[heading]:
            print(f"{heading.replace('_', ' ')}: {line}")
    full = report["parts"]["full"]
    left_out = f", without {len(full['not_measured'])} trainings that were not measured" if full["not_measured"] else ""
    print(f"trainings of {report['configfile']}: {full['sum']:.3g} hours at these speeds{left_out}")
    print(f"wrote {out}")
    return 1 if report["failed"] else 0
