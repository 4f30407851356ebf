"""The history of a run: one row a log or validation, as CSV and, if wished, as TensorBoard events.

No wall times in it: equal runs give equal bytes. Times stand in `timings.json`.
"""

from pathlib import Path
from typing import Any

from whatmoves.errors import ConfigError
from whatmoves.files import write_text

Row = dict[str, int | float | str]


def write_history(path: Path, rows: list[Row]) -> None:
    """Write rows as CSV: `clips, learning_rate, train_<term>…, validation_<term>…, collapsed`.

    A cell is blank where nothing was measured; `collapsed` names the KL terms that sounded the alarm. Nine significant
    digits give a float32 back exactly.
    """
    columns = sorted({name for row in rows for name in row}, key=_column_order)
    lines = [",".join(columns)]
    for row in rows:
        cells = (row.get(name, "") for name in columns)
        lines.append(",".join(f"{cell:.9g}" if isinstance(cell, float) else str(cell) for cell in cells))
    write_text(path, "\n".join(lines) + "\n")


def _column_order(name: str) -> tuple[int, str]:
    groups = ("clips", "learning_rate", "train_total", "train_", "validation_total", "validation_", "collapsed")
    return next(rank for rank, start in enumerate(groups) if name.startswith(start)), name


def open_tensorboard(folder: Path, clips_seen: int) -> Any:
    """A TensorBoard writer; events of an interrupted run from `clips_seen` on are hidden. Raises `ConfigError`."""
    try:
        from torch.utils.tensorboard import SummaryWriter
    except ImportError:
        raise ConfigError(
            "training.tensorboard is true, but the package tensorboard is missing; "
            "pip install tensorboard, or set it to false"
        ) from None
    return SummaryWriter(str(folder), purge_step=clips_seen)


def write_tensorboard(writer: Any, row: Row) -> None:
    """Add the numbers of one row to a TensorBoard writer, over clips."""
    for name, value in row.items():
        if isinstance(value, float):
            writer.add_scalar(name, value, global_step=row["clips"])
