"""What several commands share: the study's arguments and the proof around a job."""

import argparse
import contextlib
import difflib
import logging
import shlex
import sys
from collections.abc import Collection, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from whatmoves.arithmetic.level import set_level
from whatmoves.errors import ConfigError, WhatMovesError
from whatmoves.layout import Layout

if TYPE_CHECKING:
    from whatmoves.study import Study

DEFAULT_CONFIGFILE = Path("config/config.yaml")
RESULTS = Path("results")

log = logging.getLogger(__name__)


def add_study(parser: argparse.ArgumentParser, *, within: bool = False) -> None:
    """`--configfile` and `--results`: which study, and where its results stand.

    `within` a command that has them already, they may be said again and have no defaults of their own.
    """
    configfile, results = (argparse.SUPPRESS,) * 2 if within else (DEFAULT_CONFIGFILE, RESULTS)
    parser.add_argument(
        "--configfile", type=Path, default=configfile, help=f"study file (default: {DEFAULT_CONFIGFILE})"
    )
    parser.add_argument(
        "--results", type=Path, default=results, help="folder of all studies' results (default: results)"
    )


def add_job(parser: argparse.ArgumentParser) -> None:
    """The study's arguments and `--expect`, for commands that are rules of the pipeline."""
    add_study(parser)
    parser.add_argument(
        "--expect",
        metavar="FINGERPRINT",
        help="refuse to run if code or settings are no longer what they were when the job was planned",
    )


def add_device(parser: argparse.ArgumentParser) -> None:
    """`--device`."""
    parser.add_argument(
        "--device",
        choices=("auto", "cpu", "cuda", "mps"),
        default="auto",
        help="where to compute (default: a GPU if any)",
    )


def open_study(arguments: argparse.Namespace) -> "tuple[Study, Layout]":
    """The validated study and the layout of its results; from here on this process computes at the study's level."""
    from whatmoves.loading import load_study

    study = load_study(arguments.configfile)
    set_level(study.arithmetic)
    return study, Layout(arguments.results / study.study)


def naming(arguments: argparse.Namespace) -> str:
    """What other commands need to speak of the same study: empty for the default one, else such as
    ` --configfile own.yaml`."""
    named = (
        "" if arguments.configfile == DEFAULT_CONFIGFILE else f" --configfile {shlex.quote(str(arguments.configfile))}"
    )
    return named + ("" if arguments.results == RESULTS else f" --results {shlex.quote(str(arguments.results))}")


def how_to_make(error: WhatMovesError, arguments: argparse.Namespace) -> str:
    """The command for the result of a study that `error` says is not there; empty where it says something else."""
    path, not_there, _ = str(error).partition(": no such file; run the step that makes it")
    if not not_there or getattr(arguments, "results", None) != RESULTS or not Path(path).is_relative_to(RESULTS):
        return ""  # Snakemake makes results in RESULTS and nowhere else
    return f": snakemake {shlex.quote(path)}{naming(arguments)}"


def configfile_of(study: str) -> Path:
    """The shipped file of a study by its name: `quick` is config/config.yaml."""
    return DEFAULT_CONFIGFILE if study == "quick" else DEFAULT_CONFIGFILE.with_name(f"{study}.yaml")


def known(name: str, names: Collection[str], what: str) -> str:
    """`name`, if it is one of `names`; else a `ConfigError` that suggests the nearest."""
    if name not in names:
        close = difflib.get_close_matches(name, names, n=1)
        hint = f" did you mean {close[0]!r}?" if close else ""
        raise ConfigError(f"{name!r} is no {what} of this study;{hint} known: {', '.join(names)}")
    return name


@contextlib.contextmanager
def job(
    arguments: argparse.Namespace,
    study: "Study",
    kind: str,
    wildcards: dict[str, str],
    inputs: Sequence[Path],
    outputs: Sequence[Path],
    receipt: Path,
) -> Iterator[dict[str, Any]]:
    """Log the command as the first line and keep the receipt of what the block makes, which is given the checksums of
    the inputs."""
    from whatmoves.provenance.receipts import recording

    log.info("%s", arguments.command_line)
    with recording(
        kind,
        study,
        wildcards,
        inputs=inputs,
        outputs=outputs,
        receipt=receipt,
        expect=arguments.expect,
        command=arguments.command_line,
        root=arguments.results / study.study,
    ) as sums:
        yield sums
    log.info("done: %s", receipt.parent)
    sys.stderr.flush()
