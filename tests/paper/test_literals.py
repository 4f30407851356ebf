"""Typed results are found; years, references, sizes and lengths are not taken for results."""

from pathlib import Path

import pytest

from whatmoves.errors import PaperError
from whatmoves.paper.index import Entry, ValueIndex
from whatmoves.paper.literals import check_templates, find_literals

PLANTED = [
    "The LSTM-VAE reaches 22.67 dB.",
    "It removes 63 % of the error.",
    r"It removes 63\,\% of the error.",
    "A PSNR of 22 was found.",
    "Swaps succeed in 41 of 200 pairs.",
    r"The score is \num{0.91}.",
    "It is 3 times better.",
    "The accuracy is $0.97$.",
    "Two of three models fail.",
    "It has 4791681 weights.",
    "Of all swaps, 812 follow the path.",
    "Training takes 1200 s.",
    "The error is 3e-4.",
    "It keeps half of the error.",
    "It is twice as good.",
    "Two thirds of the swaps succeed.",
    "The error falls tenfold.",
    "No less than ninety percent are right.",
    "Published in 2018.",
    "See Section 3.",
    "It is << '22.67 dB' >> now.",
    "It is << ('812 pairs' if found else 'none') >> now.",
    "It is << 3.5 | round >> now.",
    "It is << 'better by ' ~ '0.5 dB' >> now.",
    "<% set best = '0.91' %>It is << best >>.",
]
INNOCENT = [
    r"See \cref{tab:quality-2}, \citep{kingma2014auto}.",
    r"\vspace{2.5pt}\includegraphics[width=0.8\textwidth]{figure2.pdf}",
    r"\begin{tabular}{@{}p{0.25\textwidth}rr@{}}",
    r"$\mathrm{KL} = \frac{1}{2} \sum_i \mu_i^2$; a window of $11 \times 11$.",
    "The measure ssim_gauss11.",
    "<< value('a.b.psnr_2') >> of << count(seeds[:3]) >> and << table('detection-2') >>",
    "<% for horizon in range(1, 100) if has('a.ap_' ~ horizon) %><% endfor %>",
    "<# a note with 22.67 dB #>",
    "% a comment with 22.67 dB",
    r"A threshold of 0.5 stands in the definition. <# constant: part of the definition #>",
    "One of them, and both.",
    "<% if found %>two<% endif %> of them <# constant: what a pair is #>",
    "<% if found %>\nno less than two <# constant: what a pair is #><% endif %>",
    "<% if found %>a template that is not closed",
]


@pytest.mark.parametrize("line", PLANTED)
def test_a_typed_number_is_found(line: str) -> None:
    found = find_literals(f"innocent\n{line}\n")
    assert [literal.line for literal in found] == [2]


@pytest.mark.parametrize("line", INNOCENT)
def test_innocent_lines_pass(line: str) -> None:
    assert find_literals(line) == []


def test_the_build_fails_and_names_the_value_to_use(tmp_path: Path) -> None:
    (tmp_path / "main.tex.j2").write_text("Fine.\nIt is at 22.67 dB.\n", encoding="utf-8")
    index = ValueIndex("toy", {"moving_digits.lstm_vae.psnr_frame": Entry(value=22.674, unit="dB", format=".2f")})
    with pytest.raises(PaperError) as error:
        check_templates(tmp_path, index)
    place = tmp_path / "main.tex.j2"
    assert str(error.value) == (
        f"{place}:2: '22.67 dB' is typed by hand; write << value('moving_digits.lstm_vae.psnr_frame') >>, "
        "or mark a constant of the method with <# constant: reason #> on its line"
    )


def test_our_own_templates_hold_no_typed_number() -> None:
    check_templates(Path(__file__).parents[2] / "paper", ValueIndex("toy", {}))
