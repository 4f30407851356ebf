"""List the shipped studies, or check one study file to the last option."""

import argparse
import json
import sys
from pathlib import Path

from whatmoves.commands.common import add_study

HELP = "list studies, or check one"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--check`, `--json`."""
    add_study(parser)
    parser.add_argument("--check", action="store_true", help="build every data set's and model's settings and shapes")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument("--folder", type=Path, default=Path("config"), help="where study files are (default: config)")


def run(arguments: argparse.Namespace) -> None:
    """Print the studies; or, of a checked one that is sound, the hours its training would take on this CPU."""
    from whatmoves.loading import load_study

    if arguments.check:
        _check(arguments.configfile)
        return
    rows = []
    for path in sorted(arguments.folder.glob("*.yaml")):
        study = load_study(path)
        rows.append(
            {
                "configfile": str(path),
                "study": study.study,
                "description": study.description,
                "data": list(study.data),
                "models": list(study.models),
                "runs": len(study.runs()),
            }
        )
    if arguments.json:
        json.dump(rows, sys.stdout, indent=1)
        print()
        return
    for row in rows:
        print(f"{row['configfile']:<24} {row['runs']:>4} runs  {row['description']}")


def _check(configfile: Path) -> None:
    """Raise the first error that a job would meet later: options that do not fit together, or not the clips."""
    import torch

    from whatmoves.loading import load_study
    from whatmoves.plugins import build_model, open_source
    from whatmoves.training.estimate import cpu_hours

    study = load_study(configfile)
    for name, dataset in study.data.items():
        shape = open_source(dataset.kind, dataset.options, Path("unused"), where=f"{configfile}: data.{name}").shape
        for model, entry in study.models.items():
            if name in entry.trains_on:
                with torch.device("meta"):  # shapes without memory
                    build_model(entry.kind, entry.options, shape, where=f"{configfile}: models.{model}")
    print(json.dumps({"study": study.study, "cpu_hours": round(cpu_hours(study), 3)}))
