"""Factor tables: what a column is, and how a stored table is read."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Literal, NamedTuple

import pandas as pd

from whatmoves.errors import DataError

FIX = "delete it and make the data set again"


class FactorRole(NamedTuple):
    """What a factor column is: of content, of motion, or derived from them; and what values it takes."""

    role: Literal["content", "motion", "derived"]
    kind: Literal["discrete", "continuous"]
    description: str


def read_factors(path: Path, columns: Sequence[str], roles: Mapping[str, FactorRole]) -> pd.DataFrame:
    """Read a table of these columns exactly: through text, since pandas' own parser of numbers may lose the last bit.

    Raises `DataError` for a file that is missing, not readable or of other columns.
    """
    try:
        text = pd.read_csv(path, dtype=str)
        if list(text.columns) != list(columns):
            raise DataError(f"{path}: columns are not {columns[0]} … {columns[-1]}; {FIX}")
        return text.astype({name: "int64" if roles[name].kind == "discrete" else "float64" for name in columns})
    except FileNotFoundError:
        raise DataError(f"{path}: no such file; run the step that makes it") from None
    except (ValueError, TypeError, OSError) as error:
        raise DataError(f"{path}: not readable as a table ({' '.join(str(error).split())}); {FIX}") from None
