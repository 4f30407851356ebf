"""LaTeX: one clear line for whatever is wrong, equal bytes from two builds, every number a link."""

from pathlib import Path

import pytest
from tools import ROOT, assert_same_pdf

from whatmoves.errors import PaperError
from whatmoves.files import read_json
from whatmoves.loading import load_study
from whatmoves.paper.build import build_pdf, find_fault, write_paper
from whatmoves.paper.links import missing_links, read_links

DOCUMENT = "\\documentclass{article}\\begin{document}%s\\end{document}\n"


def pdf_of(body: str, folder: Path) -> bytes:
    (folder / "main.tex").write_text(DOCUMENT % body, encoding="utf-8")
    build_pdf(folder, folder / "main.pdf")
    return (folder / "main.pdf").read_bytes()


@pytest.mark.parametrize(
    ("body", "message"),
    [
        (r"See \ref{nowhere}.", "Reference `nowhere' on page 1 undefined"),
        (r"See \cite{nobody}.", "Citation `nobody' on page 1 undefined"),
        (r"\nosuchcommand", "Undefined control sequence"),
        (r"\noindent\rule{900pt}{1pt}", "too wide"),
    ],
)
def test_a_faulty_paper_is_refused_in_one_line(body: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(PaperError) as error:
        pdf_of(body, tmp_path)
    assert message in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "main.pdf").exists()


def test_a_missing_latex_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PaperError, match=r"^LaTeX is not installed; run: apt-get install .*latexmk"):
        pdf_of("text", tmp_path)


def test_a_log_without_faults_has_none() -> None:
    assert find_fault("This is pdfTeX\nOverfull \\hbox (3.2pt too wide) in paragraph\nOutput written") is None


def test_the_tiny_paper_again_gives_the_same_bytes_and_links_every_value(tiny: Path, tmp_path: Path) -> None:
    study = load_study(ROOT / "config/tiny.yaml")
    results = tiny / "results/tiny"
    used, may_print = write_paper(study, results, ROOT / "paper", tmp_path)
    build_pdf(tmp_path, tmp_path / "main.pdf", may_print)
    built = tmp_path / "main.pdf"
    assert_same_pdf(built, results / "paper/main.pdf")
    assert len(used) > 30
    known = read_json(results / "values.json")["values"]
    assert all(value_id in known or value_id.startswith("hypotheses.") for value_id in used)
    assert missing_links(built, used) == []
    links = read_links(built)
    for name in ("quality", "reconstructions", "swaps"):
        assert f"figure:{name}" in links.linked
        assert f"usefigure:{name}" in links.linked


def test_a_number_put_into_the_source_of_the_tiny_paper_fails_its_build(tiny: Path, tmp_path: Path) -> None:
    study = load_study(ROOT / "config/tiny.yaml")
    written = write_paper(study, tiny / "results/tiny", ROOT / "paper", tmp_path)
    source = tmp_path / "main.tex"
    text = source.read_text(encoding="utf-8")
    planted = text.replace(r"\section{The question}", r"Swaps succeed in 98.7\,\%. \section{The question}")
    assert planted != text
    source.write_text(planted, encoding="utf-8")
    with pytest.raises(PaperError, match=r"^page 1 of the PDF prints '98\.7' \(after '.*Swaps succeed in'\)"):
        build_pdf(tmp_path, tmp_path / "main.pdf", written.may_print)
