"""The notebooks of `notebooks/`: which code they use, and a page of one that was run on a study from top to bottom."""

import json
import os
import re
import tempfile
from pathlib import Path
from typing import Any

from whatmoves.errors import DataError
from whatmoves.files import write_text

STUDY, RESULTS = "WHATMOVES_STUDY", "WHATMOVES_RESULTS"  # what the first cell of a notebook reads
CELL_S = 1800  # a cell that takes longer hangs
# The page of nbconvert without what it would fetch from elsewhere: it must open without a network.
PAGE = """\
{%- extends 'lab/index.html.j2' -%}
{%- block html_head_js -%}{%- endblock -%}
{%- block html_head_js_mathjax -%}{%- endblock -%}
{%- block html_head_js_mermaidjs -%}{%- endblock -%}
"""


def modules_of(notebook: Path) -> list[str]:
    """The modules of ours that a notebook imports. Reads JSON and nothing else: Snakemake asks it when planning."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    code = "\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code")
    return sorted(set(re.findall(r"^from (whatmoves\.[\w.]+) import", code, re.MULTILINE)))


def run_notebook(notebook: Path, configfile: Path, results: Path, out: Path) -> None:
    """Run a notebook on the results of a study and write it with all it shows as one HTML page, which asks for nothing
    from outside. The notebook itself is left as it is.

    Raises `DataError` for a file that is none, and for a cell that fails: with its number and the error.
    """
    import nbformat
    from jupyter_client.manager import KernelManager
    from nbclient import NotebookClient
    from nbclient.exceptions import CellExecutionError, CellTimeoutError
    from nbconvert import HTMLExporter

    try:
        book: Any = nbformat.read(notebook, as_version=4)
    except (OSError, nbformat.reader.NotJSONError, nbformat.ValidationError) as error:
        raise DataError(f"{notebook}: not readable as a notebook ({' '.join(str(error).split())[:80]})") from None
    study = {STUDY: str(configfile.absolute()), RESULTS: str(results.absolute())}
    # No file in the home directory, no start-up file of the user's; /tmp, because the name of a socket must be short.
    with tempfile.TemporaryDirectory(dir="/tmp") as own:
        _look_here_too(Path(own))
        kernel = KernelManager(kernel_name="python3", transport="ipc", connection_file=f"{own}/kernel.json")
        client = NotebookClient(book, km=kernel, timeout=CELL_S, resources={"metadata": {"path": str(notebook.parent)}})
        client.owns_km = True  # so that it ends the kernel
        try:
            client.execute(env={**os.environ, **study, "IPYTHONDIR": own})
        except CellExecutionError as error:
            number = next(n for n, cell in enumerate(book.cells, 1) if _failed(cell))
            raise DataError(f"{notebook}: cell {number} failed: {error.ename}: {error.evalue}") from None
        except CellTimeoutError:
            raise DataError(f"{notebook}: a cell took more than {CELL_S // 60} minutes; let it do less") from None
    page, _ = HTMLExporter(raw_template=PAGE).from_notebook_node(book, {"metadata": {"name": notebook.stem}})
    write_text(out, page)


def _look_here_too(ipython: Path) -> None:
    """A kernel starts in the notebook's folder; a model of the user's own stands where the command was run. That folder
    is looked in last, as by every command: looked in first, its files would hide modules of the same name. What the
    kernel starts, as loading a study does, looks there by PYTHONPATH."""
    here = os.getcwd()
    children = os.pathsep.join(filter(None, (os.environ.get("PYTHONPATH"), here)))
    start = ipython / "profile_default/startup/here.py"
    start.parent.mkdir(parents=True)
    start.write_text(
        f"import os, sys\n\nsys.path.append({here!r})\nos.environ['PYTHONPATH'] = {children!r}\ndel os, sys\n",
        encoding="utf-8",
    )


def _failed(cell: Any) -> bool:
    return any(output["output_type"] == "error" for output in cell.get("outputs", []))
