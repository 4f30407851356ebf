"""Score anybody's codes, from any framework: the paper's measures of content and motion on a file of arrays.

CODES.npz holds codes [N, D], factors [N, K] and factor_kinds (discrete or continuous, K words); optional: n_train (the
first rows are the training part), factor_names, content_dims and motion_dims (indices into the code) with
content_factors and motion_factors (names or indices). Warnings of what makes the scores doubtful go to stderr.
"""

import argparse
import json
import logging
from pathlib import Path

log = logging.getLogger(__name__)

HELP = "the measures of codes, for codes of your own"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`CODES --json --reference`."""
    parser.add_argument("codes", type=Path, metavar="CODES.npz", help="file of arrays, see above")
    parser.add_argument("--json", action="store_true", help="print JSON")
    parser.add_argument(
        "--reference", action="store_true", help="also compute the originals' definitions (slow: boosted trees)"
    )


def run(arguments: argparse.Namespace) -> None:
    """Print the measures; what makes them doubtful goes to stderr first."""
    from whatmoves.codes.score import as_text, score_file
    from whatmoves.training.runtime import tune_malloc

    tune_malloc()
    scores = score_file(arguments.codes, reference=arguments.reference)
    for warning in scores["warnings"]:
        log.warning("warning: %s", warning)
    print(json.dumps(scores, indent=1, allow_nan=False) if arguments.json else as_text(scores))
