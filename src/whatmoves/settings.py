"""The base of every config type. Imports no torch: the Snakefile reads it at every parse."""

from typing import Literal

from pydantic import BaseModel, ConfigDict

Level = Literal["portable", "native"]
"""Which instructions numbers are computed with: see whatmoves.arithmetic.level."""


class Settings(BaseModel):
    """Unknown keys are refused, values never change after validation, NaN and infinity are no settings."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
