"""The project's own repository, asked by its command line."""

import os
import subprocess
from pathlib import Path

TIMEOUT_S = 20


def git(project: Path, *words: str, given: str | None = None) -> str:
    """What git answers in `project`, whoever owns it; `given` is its standard input.

    Raises `OSError` with git's reason in one line, or where there is no git, or none of the project's own.
    """
    if not (project / ".git").exists():
        raise OSError("no repository")
    # Git reads no repository of another owner unless told so. The code of this one is running, so it is trusted; one
    # in a folder above is not. The command line is heard by git from 2.38 on.
    command = ["git", "-c", f"safe.directory={project.resolve()}", "-C", str(project), *words]
    environment = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "LC_ALL": "C"}  # parallel jobs must not fight for the index
    try:
        answer = subprocess.run(
            command,
            input=None if given is None else given.encode(),
            capture_output=True,
            timeout=TIMEOUT_S,
            env=environment,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise OSError(f"git did not answer within {TIMEOUT_S} s") from None
    if answer.returncode != 0:
        raise OSError((answer.stderr.decode(errors="replace").strip().splitlines() or ["no reason given"])[0])
    return answer.stdout.decode(errors="surrogateescape")  # byte for byte: contents come with their sizes
