"""Print what a shell completes `whatmoves` by: commands, options, choices, and names of files.

source <(whatmoves completion bash)                                    # in ~/.bashrc for every shell
whatmoves completion zsh > ~/.zfunc/_whatmoves                         # with ~/.zfunc in fpath, before compinit
whatmoves completion fish > ~/.config/fish/completions/whatmoves.fish
"""

import argparse
from pathlib import Path

HELP = "completion for bash, zsh or fish"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`SHELL`."""
    parser.add_argument("shell", choices=("bash", "zsh", "fish"), metavar="SHELL", help="bash, zsh or fish")


def run(arguments: argparse.Namespace) -> None:
    """Print the script."""
    import shtab

    _complete_files(arguments.parser)
    print(shtab.complete(arguments.parser, arguments.shell))


def _complete_files(parser: argparse.ArgumentParser) -> None:
    """Say of every argument that is a path that file names complete it, in all subcommands."""
    import shtab

    for action in parser._actions:
        if action.type is Path:
            action.complete = shtab.FILE  # type: ignore[attr-defined]
        if isinstance(action, argparse._SubParsersAction):
            for command in action.choices.values():
                _complete_files(command)
