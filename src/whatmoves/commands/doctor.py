"""What this machine has and lacks for a study in this folder, and what to do about each: in some seconds.

`ok`; `note`: some miss it, or it has a consequence; `fault`: needed, and missing. Exit code 1 if there is a fault.
"""

import argparse
import json
from pathlib import Path

HELP = "what this machine has and lacks, and what to do"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--json`."""
    parser.add_argument("--json", action="store_true", help="print JSON")


def run(arguments: argparse.Namespace) -> int:
    """Print the findings; 1 if something needed is missing."""
    from whatmoves.machines.doctor import as_json, examine

    findings = examine(Path())
    said = as_json(findings)
    if arguments.json:
        print(json.dumps(said, indent=1))
    else:
        print("\n".join(finding.text() for finding in findings))
        print("\nnothing needed is missing" if said["able"] else "\nmend the faults above first")
    return 0 if said["able"] else 1
