"""Make the stored validation and test clips of a data set, with their factor tables; or look at a data set.

`whatmoves data --dataset NAME` makes; `whatmoves data info NAME`, `preview NAME` and `card NAME` look.
"""

import argparse
import contextlib
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from whatmoves.commands import data_sets
from whatmoves.commands.common import add_job, job, known, open_study
from whatmoves.errors import ConfigError, DataError, ProofError
from whatmoves.files import sha256

if TYPE_CHECKING:
    from whatmoves.study import DataSet, Study

HELP = "make the stored splits of a data set, or look at one"


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """`--dataset`; or what looks at a data set instead of making it."""
    add_job(parser)
    parser.add_argument("--dataset", help="name of the data set in the study, to make it")
    data_sets.add_actions(parser)


def raw_files(study: "Study", where: str) -> dict[str, list[str]]:
    """Data set → the few files outside the results that it is made of, as far as they are there before it is made.

    Raises `DataError`, in one line that begins with `where`, for a folder that is not as it must be.
    """
    found = {}
    for name, entry in study.data.items():
        try:
            found[name] = [str(path) for path in _raw_files(entry)]
        except DataError as error:
            raise DataError(f"{where}: data.{name}: {error}") from None
    return found


def _raw_files(entry: "DataSet") -> list[Path]:
    """Logs, films, BAIR's files, or MNIST's four. The rules ask, so nothing heavy is imported."""
    options = entry.options
    if entry.kind == "bair":
        from whatmoves.data.bair_files import find_set

        found = find_set(Path(options["folder"]), options.get("form"), options.get("camera", "aux1"))
        return [*found.train, *found.validate, *found.test]
    if entry.kind == "video_folder":
        from whatmoves.data.video_files import input_files

        return input_files(options)
    if entry.kind == "recordings" and options.get("folder") is not None:
        from whatmoves.data.recording_log import find_logs

        return find_logs(Path(options["folder"]).expanduser())
    folder = options.get("mnist_folder") if options.get("digit_bank") == "mnist" else None
    if entry.kind == "moving_digits" and folder is not None and not options.get("download"):
        from whatmoves.data.mnist import find_files

        return find_files(Path(folder), download=False)
    if entry.kind == "moving_mnist":
        from whatmoves.data.moving_mnist_file import open_clips

        open_clips(Path(options["file"]).expanduser())  # it is looked at, and its contents are a parameter
    return []


def contents_digest(study: "Study", dataset: str, root: Path) -> str:
    """What stands in the outside files that are no inputs of the rule, as one short digest; nothing where there are
    none. Of a recording's pictures the names count too.

    The rule asks for it. Thousands of pictures are no inputs: to list them takes Snakemake longer than to look at them
    takes this; and an input in another place is another input, even if it is the same file. A file is read only if it
    was written to since the data set under `root` = results/<study> was made; else what the receipt says of it holds.
    """
    entry = study.data[dataset]
    if entry.kind == "recordings" and entry.options.get("folder") is not None:
        from whatmoves.data.recording_log import named_pictures

        paths = named_pictures(Path(entry.options["folder"]).expanduser())
    elif entry.kind == "video_folder":
        from whatmoves.data.video_files import content_files

        paths = content_files(entry.options)
    elif entry.kind == "moving_mnist":
        from whatmoves.data.moving_mnist_file import find_files

        paths = find_files(Path(entry.options["file"]).expanduser())
    else:
        return ""
    from whatmoves.provenance.jobs import receipt_of, short
    from whatmoves.provenance.kinds import PLACES
    from whatmoves.provenance.receipts import key_of, read_receipt

    known: dict[str, dict[str, Any]] = {}
    made_s = 0.0
    with contextlib.suppress(ProofError, KeyError, ValueError):
        receipt = read_receipt(root / receipt_of("data", dataset=dataset))
        made_s = datetime.fromisoformat(receipt["run"]["started"]).timestamp()
        known = receipt["core"]["inputs"]
    sums = {}
    for path in paths:
        key, state = key_of(path, root), path.stat()
        recorded = known.get(key, {})
        # A file put in another's place keeps its time of writing; that of its last change of any kind it does not keep.
        same = recorded.get("size") == state.st_size and max(state.st_mtime, state.st_ctime) < made_s
        sums[key] = recorded["sha256"] if same else sha256(path)
    return short(sums if entry.kind not in PLACES else list(sums.values()))


def run(arguments: argparse.Namespace) -> None:
    """Write results/<study>/data/<dataset>/."""
    study, layout = open_study(arguments)
    if arguments.dataset is None:
        raise ConfigError(f"--dataset names the data set to make, and is missing; known: {', '.join(study.data)}")
    dataset = known(arguments.dataset, study.data, "data set")
    entry, folder, where = study.data[dataset], layout.data(dataset), f"data.{dataset}"
    from whatmoves.plugins import data_config, data_module

    module, config = data_module(entry.kind, where), data_config(entry.kind, entry.options, where)
    outputs = [folder / f"{split}.{suffix}" for split in ("validation", "test") for suffix in ("npz", "csv")]
    if hasattr(module, "more_files"):
        outputs += [folder / name for name in module.more_files(config)]
    inputs = module.outside_files(config) if hasattr(module, "outside_files") else []
    receipt = folder / "receipt.json"
    with job(arguments, study, "data", {"dataset": dataset}, inputs, outputs, receipt):
        module.make(config, folder)
