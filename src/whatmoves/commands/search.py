"""Search the settings of models fairly: one declared grid, the same clips, chosen on validation; the record is kept."""

import argparse
from pathlib import Path
from typing import Any

from whatmoves.commands.common import add_device, add_study, known, open_study

HELP = "search settings, the same way for every model"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--space --model --out`."""
    add_study(parser)
    add_device(parser)
    parser.add_argument("--space", type=Path, default=Path("config/search/space.yaml"), help="the declared search")
    parser.add_argument("--dataset", default="moving_digits", help="data set to search on (default: %(default)s)")
    parser.add_argument("--model", help="search this one only (default: every model that the search names)")
    parser.add_argument("--out", type=Path, required=True, help="JSON record to write, or to add to")


def run(arguments: argparse.Namespace) -> None:
    """Run the trials and write the record; models that are in the record already are not searched again."""
    study, layout = open_study(arguments)
    from whatmoves.files import read_json, write_json
    from whatmoves.searching.search import load_space, mean_error, search

    space = load_space(arguments.space)
    dataset = known(arguments.dataset, study.data, "data set")
    models = [known(arguments.model, space.models, "model")] if arguments.model else list(space.models)
    folder = layout.data(dataset)
    for model in models:
        record: dict[str, Any] = {"study": study.study, "models": {}}
        if arguments.out.exists():
            record = read_json(arguments.out)
        if model not in record["models"]:
            trials = search(study, space, model, dataset, folder, arguments.device)
            record = read_json(arguments.out) if arguments.out.exists() else record  # another process may search too
            record["models"][model] = {"clips": study.training_of(model).clips, "trials": trials}
            write_json(arguments.out, record)
        best = record["models"][model]["trials"][0]
        print(f"{model}: {mean_error(best):.5f} with {best['point']}")
