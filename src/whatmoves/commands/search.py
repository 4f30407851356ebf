"""Search the settings of models fairly: declared grids of one size, the same clips, chosen on validation clips.

--space declares the search before it is run: the models, a grid for each (or one for all), the seeds. Every point of a
grid is trained with the first seed, the best of each model with the others too. The score is the squared error on
validation clips: of reconstructions, or of closed-loop predictions where a model only predicts. Each run is added to
--out as it ends; after Ctrl-C the same command goes on. Runs found there already are not run again.

  whatmoves search --out config/search/quick.json
  whatmoves search --out config/search/quick.json --model jepa
"""

import argparse
import functools
import logging
from pathlib import Path

from whatmoves.commands.common import add_device, add_study, known, open_study
from whatmoves.gpus import take_gpu

HELP = "search settings, the same way for every model"

log = logging.getLogger(__name__)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--space --dataset --model --out`."""
    add_study(parser)
    add_device(parser)
    parser.add_argument(
        "--space",
        type=Path,
        default=Path("config/search/space.yaml"),
        help="the declared search (default: %(default)s)",
    )
    parser.add_argument("--dataset", help="data set to search on (default: the study's main one)")
    parser.add_argument("--model", help="search this one only (default: every model that the search names)")
    parser.add_argument("--out", type=Path, required=True, help="JSON record to write, or to add to")


def run(arguments: argparse.Namespace) -> None:
    """Run what is missing of the search and print the best point of each model."""
    study, layout = open_study(arguments)
    take_gpu(arguments.device)
    from whatmoves.errors import ConfigError
    from whatmoves.searching.record import Trial, keep, read_record
    from whatmoves.searching.search import is_complete, search
    from whatmoves.searching.space import changed, load_space, score_of
    from whatmoves.training.runtime import Interrupted

    space, out = load_space(arguments.space), arguments.out
    dataset = known(arguments.dataset or study.main_data(), study.data, "data set")
    models = [known(arguments.model, space.models, "model")] if arguments.model else list(space.models)
    scores = {model: score_of(study, space, model) for model in models}  # all of them, before any work
    for model, score in scores.items():
        found = read_record(out).models.get(model) if out.exists() else None
        done: tuple[Trial, ...] = found.trials if found else ()
        if not is_complete(space, model, done):
            clips = space.clips_of(study, model)
            if found and (found.clips, found.score) != (clips, score):
                raise ConfigError(
                    f"{out}: {model} was searched with {found.clips} clips by {found.score}, and would go on with "
                    f"{clips} by {score}; take {model} out of the record to search it anew"
                )
            keep_all = functools.partial(keep, out, study.study, model, clips, score)
            folder, shortened = layout.data(dataset), changed(study, model, {"training.clips": clips})
            try:
                done = search(shortened, space, model, score, dataset, folder, arguments.device, done, keep_all)
            except (Interrupted, KeyboardInterrupt):
                log.info("stopped; what is done stands in %s, and the same command goes on from there", out)
                raise
        print(f"{model}: squared error of its {score} {done[0].mean_error:.5f} with {done[0].point}")
