"""Facts about this machine that the Snakefile needs at parse time, without torch."""

import os
from importlib import metadata
from pathlib import Path


def has_usable_gpu() -> bool:
    """Whether a training job would run on a CUDA GPU: a device, not hidden, and a torch built for it."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "all") in ("", "-1"):
        return False
    if "+cpu" in metadata.version("torch"):
        return False
    return any(Path("/dev").glob("nvidia[0-9]*"))
