"""The base of every config type. Imports no torch: the Snakefile reads it at every parse."""

from pydantic import BaseModel, ConfigDict


class Settings(BaseModel):
    """Unknown keys are refused, values never change after validation, NaN and infinity are no settings."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
