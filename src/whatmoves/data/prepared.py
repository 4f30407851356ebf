"""Sets that tensorflow-datasets prepared as TFRecord: the files of a part, and the order that its records once had.

A part's files are `NAME-PART.tfrecord-00000-of-00002` and so on, beside `dataset_info.json`, which tells how many
records each has. It shuffles while it prepares: record i of the source goes in the place that the MD5 of the part's
name and i has among all such. So the order of the source is known, and is given back here.
"""

import hashlib
import io
import json
import re
import struct
import zlib
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whatmoves.data import tfrecords
from whatmoves.errors import DataError

AGAIN = "prepare the set again"
DAMAGED = (OSError, SyntaxError, ValueError, EOFError, IndexError, struct.error, zlib.error)  # what Pillow may raise


def find_shards(folder: Path, name: str, part: str) -> list[Path]:
    """The files of a part, all that their names tell of; none where none is there.

    Raises `DataError` where some are missing or of another set.
    """
    pattern = f"{name}-{part}.tfrecord-*-of-*"
    shards = sorted(folder.glob(pattern))
    told = shards[0].name.rpartition("-of-")[2] if shards else "0"
    whole = int(told) if told.isdigit() else 0
    if len(shards) != whole:
        raise DataError(f"{folder}: {len(shards)} of {whole} files {pattern} are there; {AGAIN}")
    for number, shard in enumerate(shards):
        if shard.name != f"{name}-{part}.tfrecord-{number:05d}-of-{told}":
            raise DataError(f"{shard}: is of another set than {shards[0].name}; {AGAIN}")
    return shards


def places_in(shard: Path) -> list[int]:
    """The bytes at which a file's records begin, as many as `dataset_info.json` tells where it stands beside it.

    Raises `DataError` for a torn file, and for one that was cut between two records.
    """
    places, told = tfrecords.record_places(shard), _told(shard)
    if told not in (None, len(places)):
        raise DataError(f"{shard}: holds {len(places)} records, and dataset_info.json tells {told}; {AGAIN}")
    return places


def source_order(part: str, records: int) -> list[int]:
    """The number in the source of each of a part's records, file after file."""
    return sorted(range(records), key=lambda n: hashlib.md5(f"{part}{n}".encode(), usedforsecurity=False).digest())


def read_grey_png(where: str, content: memoryview, side_px: int) -> NDArray[np.uint8]:
    """Pixels `[side, side]` of a PNG; raises `DataError` for what is no such picture."""
    from PIL import Image  # the rules look for files with this module, and for no more

    try:
        with Image.open(io.BytesIO(content), formats=("PNG",)) as image:
            if (image.mode, image.size) != ("L", (side_px, side_px)):
                width, height = image.size
                raise DataError(
                    f"{where}: a picture is {image.mode} of {width}×{height} pixels; must be L of {side_px}×{side_px}"
                )
            return np.asarray(image)
    except (*DAMAGED, Image.DecompressionBombError) as error:
        reason = " ".join(str(error).split())
        raise DataError(f"{where}: a picture is damaged ({reason}); {tfrecords.AGAIN}") from None


def _told(shard: Path) -> int | None:
    """How many records a file has by what stands beside it."""
    named = re.fullmatch(r".*-([a-z]+)\.tfrecord-([0-9]+)-of-[0-9]+", shard.name)
    try:
        part, number = named.groups() if named else ("", "")
        info = json.loads((shard.parent / "dataset_info.json").read_text(encoding="utf-8"))
        lengths = {split["name"]: split["shardLengths"] for split in info["splits"]}
        return int(lengths[part][int(number)])
    except (OSError, ValueError, KeyError, IndexError, TypeError):
        return None  # the records are looked at all the same
