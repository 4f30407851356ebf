"""Templates to TeX: strict names, escaped text, values that link and are recorded."""

from pathlib import Path

import pytest

from whatmoves.errors import PaperError
from whatmoves.paper.appendix import Appendix
from whatmoves.paper.efficiency import ReferenceTimes
from whatmoves.paper.index import Entry, ValueIndex
from whatmoves.paper.render import render
from whatmoves.paper.search import ReportedSearch
from whatmoves.paper.tex import code, count, escape, listing, number
from whatmoves.paper.writer import Writer
from whatmoves.study import Study

STUDY = Study.model_validate(
    {"study": "toy", "data": {"moving_digits": None}, "models": {"lstm_vae": {"label": "A & B"}, "mean_frame": None}}
)
ENTRIES = {
    "moving_digits.lstm_vae.psnr_frame": Entry(value=22.674, unit="dB", interval=(22.1, 23.2), n=40, format=".2f"),
    "moving_digits.mean_frame.psnr_frame": Entry(value=18.2, unit="dB", interval=(18.0, 18.4), format=".2f"),
    "moving_digits.lstm_vae.mse_removed": Entry(value=0.635, format=".1%"),
    "moving_digits.lstm_vae.parameters": Entry(value=1193729, format=",d"),
}


def rendered(text: str, folder: Path) -> str:
    (folder / "main.tex.j2").write_text(text, encoding="utf-8")
    writer = Writer(STUDY, ValueIndex("toy", ENTRIES), folder)
    searched, times = ReportedSearch(writer, folder / "search.json"), ReferenceTimes(writer, folder / "times.json")
    return render(folder, writer, Appendix(writer, folder), searched, times)


def test_a_value_is_formatted_and_linked_and_its_first_use_is_the_way_back(tmp_path: Path) -> None:
    found = rendered(
        '<< value("moving_digits.lstm_vae.psnr_frame") >>, << value("moving_digits.lstm_vae.psnr_frame") >>', tmp_path
    )
    link = r"\result{moving_digits.lstm_vae.psnr_frame}{\num{22.67}\,dB}"
    assert found == rf"\anchor{{use:moving_digits.lstm_vae.psnr_frame}}{link}, {link}"


@pytest.mark.parametrize(
    ("expression", "tex"),
    [
        ('value("moving_digits.lstm_vae.mse_removed")', r"{\num{63.5}\,\%}"),
        ('value("moving_digits.lstm_vae.parameters")', r"{\num{1193729}}"),
        ('value("moving_digits.lstm_vae.psnr_frame", interval=True)', r"[\num{22.10}, \num{23.20}]"),
        ('label("lstm_vae")', r"A \& B"),
        ('"50% of $x_1"', r"50\% of \$x\_1"),
        ('setting("training.batch_size")', r"\settinglink{training.batch_size}{\num{32}}"),
        ('compared("moving_digits.lstm_vae.psnr_frame", "moving_digits.mean_frame.psnr_frame")', "above"),
        ('standing("moving_digits", "lstm_vae", "psnr_frame")', r"better than \emph{mean frame}"),
    ],
)  # fmt: skip
def test_expressions(expression: str, tex: str, tmp_path: Path) -> None:
    assert tex in rendered(f"<< {expression} >>", tmp_path)


@pytest.mark.parametrize(
    ("template", "message"),
    [
        (
            '\n<< value("moving_digits.lstm_vae.psnr_fram") >>',
            "main.tex.j2:2: no value 'moving_digits.lstm_vae.psnr_fram'",
        ),
        ("<< nonsense >>", "'nonsense' is undefined"),
        ("<< 3 >>", "gives int 3; print results with value(id)"),
        ('<< setting("training.clip") >>', "no setting 'training.clip' in study 'toy'; nearest: training.clips"),
        ("<% if %>", "main.tex.j2:1:"),
    ],
)
def test_what_a_template_may_not_do(template: str, message: str, tmp_path: Path) -> None:
    with pytest.raises(PaperError) as error:
        rendered(template, tmp_path)
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_text_from_outside_cannot_become_tex() -> None:
    assert escape(r"\input{/etc/passwd}") == r"\textbackslash{}input\{/etc/passwd\}"
    assert escape("a_b & 5% #1 ~ ^") == r"a\_b \& 5\% \#1 \textasciitilde{} \textasciicircum{}"
    assert code("a_b/c") == r"\texttt{a\_\allowbreak{}b/\allowbreak{}c}"


def test_numbers_and_lists_in_words() -> None:
    assert number("1,234") == r"\num{1234}"
    assert [count(n) for n in (0, 2, 12, 13)] == ["no", "two", "twelve", r"\num{13}"]
    assert listing(["a", "b", "c"]) == "a, b and c"
    assert listing(["a"]) == "a"
