"""Look at a data set of a study: `whatmoves data info NAME`, `data preview NAME` and `data card NAME`."""

import argparse
import json
import shlex
import sys
from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING

from whatmoves.commands.common import DEFAULT_CONFIGFILE, add_study, known, open_study

if TYPE_CHECKING:
    from whatmoves.layout import Layout
    from whatmoves.study import Study


def add_actions(parser: argparse.ArgumentParser) -> None:
    """`info`, `preview` and `card`, each with the name of a data set."""
    actions = parser.add_subparsers(dest="action", metavar="ACTION", title="or look at a data set")
    for name, run, words in (
        ("info", info, "card, sizes, splits, ranges, factors, checksums, and what is odd about it"),
        ("preview", preview, "contact sheet (PNG), the clips in motion (GIF), and what is odd about them"),
        ("card", card, "Croissant card (JSON-LD) of what was made"),
    ):
        action = actions.add_parser(name, help=words, description=run.__doc__)
        action.add_argument("name", metavar="NAME", help="name of the data set in the study")
        add_study(action, within=True)
        action.set_defaults(run=run)
        if name == "info":
            action.add_argument("--json", action="store_true", help="print JSON")
        if name == "preview":
            action.add_argument("--out", type=Path, metavar="FOLDER", help="default: results/<study>/preview/NAME")
        if name == "card":
            action.add_argument("--out", type=Path, metavar="FILE", help="default: croissant.json beside the clips")


def info(arguments: argparse.Namespace) -> None:
    """Print what is known and found of a data set; where it is not made yet, of training clips that can be drawn."""
    study, layout, name = _opened(arguments)
    from whatmoves.using.data_set import look_at
    from whatmoves.using.data_words import in_words

    facts, _ = look_at(study, name, layout.root, _make(arguments))
    if arguments.json:
        json.dump(facts, sys.stdout, indent=1)
        print()
    else:
        print(in_words(facts), end="")


def preview(arguments: argparse.Namespace) -> None:
    """Write a contact sheet, the same clips in motion, and what `info` says as text; print what is odd."""
    study, layout, name = _opened(arguments)
    from whatmoves.files import write_text
    from whatmoves.using.data_preview import ABOUT, MOVING, SHEET, write_preview
    from whatmoves.using.data_set import look_at
    from whatmoves.using.data_words import heading, in_words, odd_lines

    facts, parts = look_at(study, name, layout.root, _make(arguments))
    folder = arguments.out or layout.root / "preview" / name
    write_preview(parts, heading(facts), facts["rates_hz"], folder)
    write_text(folder / ABOUT, in_words(facts))
    print(f"{folder / SHEET}\n{folder / MOVING}\n{folder / ABOUT}")
    print("\n".join(odd_lines(facts["odd"])))


def card(arguments: argparse.Namespace) -> None:
    """Write the Croissant card of a made data set; its files are named as seen from the card."""
    study, layout, name = _opened(arguments)
    from whatmoves.files import write_json
    from whatmoves.provenance.verify import CROISSANT
    from whatmoves.using.data_set import croissant_of

    out = arguments.out or layout.data(name) / CROISSANT
    write_json(out, croissant_of(study, name, layout.root, out.parent, version("whatmoves"), _make(arguments)))
    print(out)


def _opened(arguments: argparse.Namespace) -> "tuple[Study, Layout, str]":
    study, layout = open_study(arguments)
    return study, layout, known(arguments.name, study.data, "data set")


def _make(arguments: argparse.Namespace) -> str:
    """The command that makes the data set, with what differs from the defaults."""
    words = ["whatmoves", "data"]
    if arguments.configfile != DEFAULT_CONFIGFILE:
        words += ["--configfile", str(arguments.configfile)]
    if arguments.results != Path("results"):
        words += ["--results", str(arguments.results)]
    return shlex.join([*words, "--dataset", arguments.name])
