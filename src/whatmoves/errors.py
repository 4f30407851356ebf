"""The few kinds of error a user can meet. Raised where the fact is known, printed once, by the command line.

A message is one line: where, what, value, expected, fix.
"""


class WhatMovesError(Exception):
    """Base of every error that is the user's to mend; the command line prints it in one line and exits with 2."""


class ConfigError(WhatMovesError):
    """A study's settings are unknown, of the wrong type or impossible."""


class DataError(WhatMovesError):
    """A data file is missing, truncated, foreign or unreadable."""


class NothingToShowError(DataError):
    """A figure has nothing to draw, because no model or clip of the study has what it shows: the paper says why."""


class CheckpointError(WhatMovesError):
    """A checkpoint is corrupt, of another model or of other settings."""


class ModelError(WhatMovesError):
    """A method of a model, or a measure, fails or gives back what nobody can use: named with its file."""


class TrainingError(WhatMovesError):
    """Training cannot go on: a loss is not finite, or another process holds the run."""


class PaperError(WhatMovesError):
    """The paper cannot be built: LaTeX missing, a reference undefined, a number typed by hand."""


class ProofError(WhatMovesError):
    """A result does not belong to the code, settings or data in the tree."""
