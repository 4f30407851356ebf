"""What a job of many seeds has done so far: kept by seed until the job ends, so that one that is killed goes on.

A folder belongs to one job as it is made of the same code, settings, packages and inputs: its name says so, and what
stands in it is never taken for anything else.
"""

import logging
import pickle
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

from whatmoves.files import atomic

log = logging.getLogger(__name__)

T = TypeVar("T")


def kept(folder: Path | None, seed: int, make: Callable[[], T]) -> T:
    """What `make` returned for this seed, now or in an earlier try, bit for bit. Without a folder nothing is kept."""
    if folder is None:
        return make()
    path = folder / f"seed-{seed}.pickle"
    if path.is_file():
        log.info("seed %d: done in an earlier try", seed)
        with path.open("rb") as stream:
            found: T = pickle.load(stream)
        return found
    made = make()
    with atomic(path) as temporary, temporary.open("wb") as stream:
        pickle.dump(made, stream, protocol=pickle.HIGHEST_PROTOCOL)
    return made


def sweep(folder: Path) -> None:
    """Remove what the job of this folder kept, and what other versions of it did."""
    job = folder.name.rpartition(".")[0]
    for other in folder.parent.glob(f"{job}.*"):
        shutil.rmtree(other, ignore_errors=True)
