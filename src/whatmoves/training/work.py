"""What interrupted trainings left behind: the work folders of one run, each named by what the run was made of.

A name is `<run>.<code>-<settings>-<environment>-<inputs>`, four short hashes: state is never resumed on other code, or
on other data. What a run that has ended makes useless is removed here, where no process holds it.
"""

import logging
from pathlib import Path

from whatmoves.errors import TrainingError
from whatmoves.training.runtime import locked

log = logging.getLogger(__name__)

PARTS = ("code", "settings", "environment", "inputs")


def tell_of_others(folder: Path) -> None:
    """Log why a training starts anew in `folder` although an interrupted one of the same run left its state."""
    if (folder / "state.pt").exists():
        return
    states = [other / "state.pt" for other in _others(folder)]
    found = max((path for path in states if path.exists()), key=lambda path: path.stat().st_mtime_ns, default=None)
    if found is not None:
        run, _, made_of = folder.name.rpartition(".")
        parts = zip(PARTS, made_of.split("-"), found.parent.name.rpartition(".")[2].split("-"), strict=False)
        changed = " and ".join(part for part, now, was in parts if now != was)
        log.warning("%s: starts anew, for its %s changed since a training of it was interrupted", run, changed)


def sweep_others(folder: Path) -> None:
    """Remove the other work folders of the run whose own was `folder`; one that a process holds is left alone."""
    for other in _others(folder):
        try:
            with locked(other):  # which removes it in the end
                pass
        except TrainingError as held:
            log.info("left alone: %s", held)


def _others(folder: Path) -> list[Path]:
    run = folder.name.rpartition(".")[0]
    return sorted(path for path in folder.parent.glob(f"{run}.*") if path != folder and path.is_dir())
