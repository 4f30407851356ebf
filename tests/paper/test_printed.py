"""The finished PDF prints no number that its page does not account for, whichever way it came in."""

from pathlib import Path

import pytest

from whatmoves.errors import PaperError
from whatmoves.paper.build import build_pdf
from whatmoves.paper.index import Entry
from whatmoves.paper.printed import MayPrint, numerals

DOCUMENT = r"""\documentclass{article}
\usepackage[T1]{fontenc}
\usepackage{graphicx}
\usepackage[hidelinks,bookmarksnumbered]{hyperref}
\newcommand{\result}[2]{\hyperlink{value:#1}{#2}}
\newcommand{\anchor}[1]{\raisebox{2ex}[0pt][0pt]{\hypertarget{#1}{}}}
\begin{document}
%s
\clearpage\appendix
\section{Index}\label{app:values}
\anchor{value:a.b.psnr}psnr 22.67\,dB [22.10, 23.20] 102 7: 22.70\par
\anchor{value:a.b.share}share 63.5\,\% 102\par
\end{document}
"""
PSNR = Entry(value=22.674, unit="dB", format=".2f", interval=(22.1, 23.2))
SHARE = Entry(value=0.635, format=".1%")
MAY = MayPrint(
    anywhere=frozenset({"2", "60"}),
    linked={
        "value:a.b.psnr": numerals(PSNR.tex(interval=True)),
        "value:a.b.share": numerals(SHARE.tex()),
        "setting:training.clips": numerals(r"16\,000"),
    },
    placed={
        "value:a.b.psnr": numerals(PSNR.tex(interval=True)) | {"102", "7", "22.70"},
        "value:a.b.share": numerals(SHARE.tex()) | {"102"},
    },
)
LINK = r"It reaches \result{a.b.psnr}{22.67\,dB [22.10, 23.20]}. "


def built(body: str, folder: Path) -> None:
    (folder / "main.tex").write_text(DOCUMENT.replace("%s", body), encoding="utf-8")
    build_pdf(folder, folder / "main.pdf", MAY)


def test_values_that_are_linked_structure_and_constants_pass(tmp_path: Path) -> None:
    built(
        r"\section{One}\subsection{Two}\label{sec:two} See section~\ref{sec:two} and appendix~\ref{app:values}. "
        r"\setcounter{subsection}{11}\subsection{Twelfth}\label{sec:last} And section~\ref{sec:last}. "
        + LINK
        + r"It was given \hyperlink{setting:training.clips}{16\,000} clips\hypertarget{setting:training.clips}{}, "
        r"60\,\% of them square ($x^2$). The file mnist\_28 of licence CC-BY-4.0 has the hash 8ab12cd34e. "
        r"\begin{enumerate}\item first \item second \item third\end{enumerate}"
        r"\clearpage On another page it removes \result{a.b.share}{63.5\,\%}.",
        tmp_path,
    )
    assert (tmp_path / "main.pdf").exists()


@pytest.mark.parametrize(
    ("planted", "number"),
    [
        ("It is better by 3.41 dB.", "3.41"),
        (LINK + r"\clearpage It reaches 22.67 dB.", "22.67"),  # a value of the index, yet not linked to on its page
        (LINK + "Its seed reaches 22.70 dB.", "22.70"),  # what the appendix prints is not for the text
        (r"\result{a.b.psnr}{23.67\,dB}.", "23.67"),  # a link that prints another number
        (r"It has 4\,791\,681 weights.", "4 791 681"),
        (r"\texttt{812} of them", "812"),
        (r"\newcommand{\best}{0.91}It scores \best.", "0.91"),  # neither is prose to the check of the templates
        (r"$1200$ s", "1200"),
        (r"It costs 3e-4.", "3e-4"),
        (r"It reaches 24.5dB.", "24.5"),
        (r"On the table 0.375 is left.", "0.375"),
    ],
)
def test_a_number_behind_the_back_of_the_templates_fails_the_build(planted: str, number: str, tmp_path: Path) -> None:
    with pytest.raises(PaperError) as error:
        built(planted, tmp_path)
    assert f"of the PDF prints {number!r}" in str(error.value)
    assert "\n" not in str(error.value)
    assert not (tmp_path / "main.pdf").exists()


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (r"16\,000 clips", {"16000"}),
        (r"\textminus{}0.38\,dB", {"0.38"}),
        (r"3\,$\times$\,$10^{-4}$", {"3", "10", "4"}),
        ("2.13.0+cu128", {"2.13.0"}),
        (r"\texttt{ssim\_\allowbreak{}gauss11} 8ab12 2018a UTF-8", set()),
        (r"13\penalty0 (4):\penalty0 600--612, 2004.", {"13", "4", "600", "612", "2004"}),
    ],
)
def test_numerals_of_a_text(text: str, found: set[str]) -> None:
    assert numerals(text) == found
