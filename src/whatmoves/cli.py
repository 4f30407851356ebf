"""The command line: `whatmoves COMMAND …`. Heavy imports happen inside a command, so that --help answers at once."""

import argparse
import gc
import logging
import shlex
import sys
from collections.abc import Sequence
from types import ModuleType

from whatmoves.arithmetic.level import set_level
from whatmoves.commands import (
    analyse,
    archive,
    common,
    completion,
    data,
    diff,
    doctor,
    efficiency,
    encode,
    evaluate,
    exchange,
    explain,
    explorer,
    export,
    figures,
    gpu_check,
    judge,
    models,
    notebook,
    paper,
    plan,
    play,
    prefetch,
    restore,
    sample,
    score,
    search,
    shift,
    studies,
    summary,
    swap,
    table,
    train,
    verify,
)
from whatmoves.errors import WhatMovesError

# In the order of the pipeline, then the single pieces.
COMMANDS: dict[str, ModuleType] = {
    "prefetch": prefetch,
    "data": data,
    "train": train,
    "evaluate": evaluate,
    "judge": judge,
    "plan": plan,
    "exchange": exchange,
    "shift": shift,
    "analyse": analyse,
    "efficiency": efficiency,
    "figures": figures,
    "paper": paper,
    "explorer": explorer,
    "summary": summary,
    "verify": verify,
    "explain": explain,
    "diff": diff,
    "archive": archive,
    "restore": restore,
    "score": score,
    "search": search,
    "encode": encode,
    "sample": sample,
    "swap": swap,
    "play": play,
    "table": table,
    "export": export,
    "notebook": notebook,
    "models": models,
    "studies": studies,
    "doctor": doctor,
    "gpu-check": gpu_check,
    "completion": completion,
}

EXIT_ERROR = 2
EXIT_INTERRUPTED = 130


def build_parser() -> argparse.ArgumentParser:
    """The parser with all commands; each module in whatmoves/commands/ holds one."""
    parser = argparse.ArgumentParser(
        prog="whatmoves",
        description="Train video models, measure whether they keep what is shown apart from how it moves, "
        "and write the paper. The Snakefile runs these same commands; each can be run by hand.",
    )
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    for name, module in COMMANDS.items():
        command = commands.add_parser(name, help=module.HELP, description=module.__doc__)
        command.formatter_class = argparse.RawDescriptionHelpFormatter
        module.add_arguments(command)
        command.set_defaults(run=module.run, parser=parser)
    return parser


def main(argv: Sequence[str] | None = None) -> None:
    """Run one command; a user's error is one line on stderr and exit code 2."""
    gc.set_threshold(100_000, 50, 100)  # nothing that is loaded is garbage: looking for some takes an eighth of a start
    arguments, left = build_parser().parse_known_args(argv)
    if left:
        studies = [word for word in left if word.endswith((".yaml", ".yml"))] if "configfile" in arguments else []
        hint = f"; a study is named by --configfile {shlex.quote(studies[0])}" if studies else ""
        arguments.parser.error(f"unrecognized arguments: {' '.join(left)}{hint}")
    logging.basicConfig(format="%(message)s", level=logging.INFO, stream=sys.stderr)
    arguments.command_line = shlex.join(["whatmoves", *(sys.argv[1:] if argv is None else argv)])
    try:
        if "configfile" not in arguments:  # the others compute at the level of their study
            set_level("portable")
        code = arguments.run(arguments)
    except WhatMovesError as error:
        if arguments.debug:
            raise
        print(f"whatmoves: {error}{common.how_to_make(error, arguments)}", file=sys.stderr)
        sys.exit(EXIT_ERROR)
    except KeyboardInterrupt:
        print("whatmoves: interrupted; run the same command again to go on from the last checkpoint", file=sys.stderr)
        sys.exit(EXIT_INTERRUPTED)
    except BrokenPipeError:  # `whatmoves … | head` is no error
        sys.stderr.close()
        sys.exit(0)
    except OSError as error:
        if arguments.debug or error.filename is None:
            raise
        print(f"whatmoves: {error.filename}: {error.strerror}; mend the path or its permissions", file=sys.stderr)
        sys.exit(EXIT_ERROR)
    sys.exit(code or 0)
