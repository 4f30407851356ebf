"""From a study's results to main.tex, and from main.tex to a PDF that is the same bytes wherever it is built."""

import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import NamedTuple

from whatmoves.errors import PaperError
from whatmoves.figures.catalogue import figures_of
from whatmoves.files import write_bytes, write_text
from whatmoves.layout import figure_parts
from whatmoves.paper.accounts import may_print
from whatmoves.paper.appendix import Appendix
from whatmoves.paper.efficiency import ReferenceTimes, efficiency_of
from whatmoves.paper.index import read_index
from whatmoves.paper.letters import FILES as LETTER_FILES
from whatmoves.paper.letters import used_letters, write_letters
from whatmoves.paper.literals import check_templates
from whatmoves.paper.printed import MayPrint, check_printed
from whatmoves.paper.render import render
from whatmoves.paper.searched import ReportedSearch, search_of
from whatmoves.paper.writer import Writer
from whatmoves.study import Study

APT_PACKAGES = "latexmk texlive-latex-base texlive-latex-recommended texlive-latex-extra texlive-fonts-recommended"
SOURCE = "main.tex"
LOOSE, LOOSELY = "loose.tex", "\\tolerance=9999 \\emergencystretch=6em\n"
BIBLIOGRAPHY = "main.bbl"
EPOCH_S = 1_735_689_600  # the date inside every PDF: fixed, so that equal sources give equal bytes
TIME_LIMIT_S = 300
WIDEST_OVERFULL_PT = 10.0

_FAULTS = (
    re.compile(r"Warning: (?:Reference|Citation|Hyper reference) .* undefined"),
    re.compile(r"Warning: Label .* multiply defined"),
    re.compile(r"has been referenced but does not exist"),
    re.compile(r"destination with the same identifier"),
    re.compile(r"^Missing character:"),
    re.compile(r"^LaTeX Warning: File .* not found"),
)
_OVERFULL = re.compile(r"^Overfull \\hbox \((\d+(?:\.\d+)?)pt too wide\)")


def paper_inputs(study: Study, root: Path, templates: Path) -> list[Path]:
    """Every file that `write_paper` reads, for the paper's receipt."""
    sources = [path for suffix in ("j2", "bib", "tex", "yaml") for path in sorted(templates.rglob(f"*.{suffix}"))]
    results = [root / "values.json", root / "verify.json", *sorted((root / "figures").glob("*.pdf"))]
    receipts = sorted(path for path in root.rglob("*receipt.json") if "paper" not in path.relative_to(root).parts)
    reference = templates / "reference" / f"{study.study}.json"
    kept = [reference, efficiency_of(study.study, templates), search_of(study.study, templates)]
    return [path for path in [*sources, *results, *receipts, *kept] if path.is_file()]


class Written(NamedTuple):
    """The value ids that a paper uses, in order of first use, and the numbers that its PDF may print."""

    used: tuple[str, ...]
    may_print: MayPrint


def write_paper(study: Study, root: Path, templates: Path, out_tex_folder: Path) -> Written:
    """Write main.tex, the bibliography, the preamble and the figures it shows into `out_tex_folder`.

    `root` is results/<study>. The folder then compiles by itself.
    Raises `PaperError` for a typed result, an unknown value, setting or figure, and a name the templates do not have.
    """
    index = read_index(root / "values.json")
    check_templates(templates, index)
    writer = Writer(study, index, root / "figures")
    reference = templates / "reference" / f"{study.study}.json"
    appendix = Appendix(writer, root, reference)
    times = ReferenceTimes(writer, efficiency_of(study.study, templates))
    source = render(templates, writer, appendix, ReportedSearch(writer, search_of(study.study, templates)), times)
    _all_shown(study, writer)
    shutil.rmtree(out_tex_folder / "figures", ignore_errors=True)
    for name in writer.figures_used:
        write_bytes(out_tex_folder / "figures" / f"{name}.pdf", (root / "figures" / f"{name}.pdf").read_bytes())
    for plain in sorted(templates.glob("*.tex")) + sorted(templates.glob("*.bib")):
        write_bytes(out_tex_folder / plain.name, plain.read_bytes())
    (out_tex_folder / LOOSE).unlink(missing_ok=True)
    write_letters(used_letters(source), out_tex_folder)
    write_text(out_tex_folder / SOURCE, source)
    return Written(tuple(writer.used), may_print(writer, appendix, times, templates))


def _all_shown(study: Study, writer: Writer) -> None:
    for name in figures_of(study):
        if writer.has_figure(name) and name not in writer.figures_used:
            module = figure_parts(name)[0]
            raise PaperError(
                f"figure {name} is drawn, but no section shows it; call figure({module!r}) in a file of paper/sections "
                f"or take it out of whatmoves/figures/catalogue.py"
            )


def build_pdf(tex_folder: Path, out_pdf: Path, may: MayPrint | None = None) -> None:
    """Compile main.tex in a clean folder, check the log and the numbers that it prints, and write the PDF.

    `may` says which numbers those are; without it any. Raises `PaperError` (one line) for others, when LaTeX is missing
    or fails, and for what LaTeX only warns of: undefined references, citations and links, missing characters and
    figures, boxes that stick out by more than 10 pt.
    """
    if not (tex_folder / SOURCE).is_file():
        raise PaperError(f"{tex_folder / SOURCE}: no such file; run the step that writes the paper's source")
    if shutil.which("latexmk") is None or shutil.which("pdflatex") is None:
        raise PaperError(f"LaTeX is not installed; run: apt-get install --no-install-recommends {APT_PACKAGES}")
    with tempfile.TemporaryDirectory(prefix="whatmoves-paper-") as name:
        folder = Path(name)
        fault = _compiled(tex_folder, folder)
        if fault and fault.startswith("Overfull"):  # long words of the study's own: set all lines more loosely
            write_text(tex_folder / LOOSE, LOOSELY)
            fault = _compiled(tex_folder, folder)
        if fault:
            raise PaperError(f"{tex_folder / SOURCE}: {fault}")
        if may is not None:
            check_printed(folder / "main.pdf", folder / BIBLIOGRAPHY, may)
        write_bytes(out_pdf, (folder / "main.pdf").read_bytes())
        if (folder / BIBLIOGRAPHY).is_file():  # archives of papers compile without BibTeX
            write_bytes(out_pdf.with_name(BIBLIOGRAPHY), (folder / BIBLIOGRAPHY).read_bytes())


def find_fault(log: str) -> str | None:
    """The first line of a LaTeX log that must not stand in a finished paper's log."""
    for line in log.splitlines():
        if any(fault.search(line) for fault in _FAULTS):
            return line.strip()
        overfull = _OVERFULL.match(line)
        if overfull and float(overfull.group(1)) > WIDEST_OVERFULL_PT:
            return f"{line.strip()} (at most {WIDEST_OVERFULL_PT:g} pt)"
    return None


def _compiled(tex_folder: Path, folder: Path) -> str | None:
    """Compile the paper in `folder`, made anew; returns what must not stand in its log."""
    shutil.rmtree(folder)
    folder.mkdir()
    _copy_sources(tex_folder, folder)
    _latexmk(folder)
    return find_fault(_read_log(folder))


def _copy_sources(tex_folder: Path, folder: Path) -> None:
    """Only sources: a stale main.bbl or main.aux beside main.tex would be used instead of a fresh one."""
    for path in {*tex_folder.glob("*.tex"), *tex_folder.glob("*.bib"), *tex_folder.glob(LETTER_FILES)}:
        shutil.copyfile(path, folder / path.name)
    if (tex_folder / "figures").is_dir():
        shutil.copytree(tex_folder / "figures", folder / "figures")


def _latexmk(folder: Path) -> None:
    fixed = {"SOURCE_DATE_EPOCH": str(EPOCH_S), "FORCE_SOURCE_DATE": "1", "max_print_line": "100000", "LC_ALL": "C"}
    command = [
        "latexmk",
        "-norc",
        "-pdf",
        "-interaction=nonstopmode",
        "-halt-on-error",
        "-latexoption=-no-shell-escape",
    ]
    try:
        finished = subprocess.run(
            [*command, SOURCE],
            cwd=folder,
            env={**os.environ, **fixed},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            check=False,
            timeout=TIME_LIMIT_S,
        )
    except subprocess.TimeoutExpired:
        raise PaperError(f"{SOURCE}: LaTeX did not end within {TIME_LIMIT_S} s; look for an endless loop") from None
    if finished.returncode != 0:
        raise PaperError(f"{SOURCE}: {_first_error(_read_log(folder) or finished.stdout.decode(errors='replace'))}")


def _read_log(folder: Path) -> str:
    path = folder / "main.log"
    return path.read_text(encoding="utf-8", errors="replace") if path.exists() else ""


def _first_error(log: str) -> str:
    """The first error of a log with the line of main.tex it names."""
    lines = log.splitlines()
    for number, line in enumerate(lines):
        if line.startswith("!"):
            place = next((found for found in lines[number : number + 12] if re.match(r"l\.\d+", found)), "")
            return f"{line.removeprefix('!').strip()} {place}".strip()
    return find_fault(log) or (lines[-1] if lines else "LaTeX failed without a log")
