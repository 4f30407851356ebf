"""Facts about this machine that the Snakefile needs at parse time, without torch."""

import os
from importlib import metadata
from pathlib import Path


def has_usable_gpu() -> bool:
    """Whether a training job would run on a CUDA GPU: a device, not hidden, and a torch built for it."""
    if os.environ.get("CUDA_VISIBLE_DEVICES", "all") in ("", "-1"):
        return False
    return any(Path("/dev").glob("nvidia[0-9]*")) and "+cpu" not in metadata.version("torch")


def visible_gpus() -> list[str]:
    """The GPUs that a process started here would see, as `CUDA_VISIBLE_DEVICES` names them: indices or UUIDs.

    CUDA sees none from the first name that is no GPU's, such as -1, on.
    """
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is None:
        return [str(index) for index, _ in enumerate(Path("/dev").glob("nvidia[0-9]*"))]
    names = [name.strip() for name in named.split(",")]
    end = next((place for place, name in enumerate(names) if name in ("", "-1")), len(names))
    return list(dict.fromkeys(names[:end]))
