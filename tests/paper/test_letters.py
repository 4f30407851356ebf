"""Letters beyond Latin: printed from fonts that are made for them, copied and searched as they were written."""

from pathlib import Path

import pytest
from pypdf import PdfReader
from tools import ROOT

from whatmoves.errors import ConfigError, PaperError
from whatmoves.figures.fonts import dejavu, east_asian, in_dejavu
from whatmoves.paper import letters
from whatmoves.paper.build import build_pdf
from whatmoves.paper.letters import used_letters, write_letters
from whatmoves.paper.needs import check
from whatmoves.paper.tex import LETTER, code, columns, escape, metadata, needs_letters
from whatmoves.study import Study

WORDS = [
    "Nguyễn Thị Hồng gì",
    "Κόσμος",
    "мир",
    "Кар\u0301енина",
    "x\u0302\u0323",
    "Հայ",
    "β-VAE",
    "Émile Őz",
    "$5 & #1_a^b {c} \\d ~",
]
EASTERN = ["什么在动", "カタカナ", "한국어"] if east_asian() else []


def paper(folder: Path, *texts: str) -> Path:
    """A page of these texts in the paper's own preamble, in the three kinds of type it uses."""
    folder.mkdir()
    (folder / "preamble.tex").write_bytes((ROOT / "paper/preamble.tex").read_bytes())
    lines = [rf"{type_} {escape(text)}\par" for type_ in (r"\rmfamily", r"\sffamily\bfseries") for text in texts]
    lines += [rf"{code(text)}\par" for text in texts]
    source = "\\input{preamble}\n\\hypersetup{pdftitle={%s}}\n\\begin{document}\n\\raggedright\n%s\n\\end{document}\n"
    written = source % (metadata(texts[0]), "\n".join(lines))
    (folder / "main.tex").write_text(written, encoding="utf-8")
    write_letters(used_letters(written), folder)
    build_pdf(folder, folder / "main.pdf")
    return folder / "main.pdf"


def test_letters_are_printed_and_can_be_copied_and_two_builds_give_equal_bytes(tmp_path: Path) -> None:
    texts = [*WORDS, *EASTERN]
    first, second = paper(tmp_path / "a", *texts), paper(tmp_path / "b", *texts)
    assert first.read_bytes() == second.read_bytes()
    reader = PdfReader(first)
    assert reader.metadata is not None
    assert reader.metadata.title == WORDS[0]
    printed = reader.pages[0].extract_text()
    for text in ("Nguyễn Thị Hồng gì", "Κόσμος", "мир", "Հայ", *EASTERN):
        assert printed.count(text) == 3, text
    assert "x\u0323\u0302" in printed  # as Unicode orders the two
    assert printed.count("$5 & #1_a^b {c} \\d") == 3


def test_plain_text_needs_no_fonts_and_those_of_an_earlier_paper_go(tmp_path: Path) -> None:
    assert used_letters(escape("What–where VAE, café, β ≥ 1")) == []
    for stale in ("letters.tex", "letters-0.enc", "letters-sans-m-0.ttf"):
        (tmp_path / stale).touch()
    write_letters([], tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_more_letters_than_a_font_has_room_for_take_a_second_one(tmp_path: Path) -> None:
    many = [chr(place) for place in range(0x370, 0x500) if chr(place).isalpha() and in_dejavu(chr(place))]
    many = [letter for letter in many if needs_letters(letter) and letter != "\u0374"]  # which is another's double
    assert len(many) > 256
    printed = PdfReader(paper(tmp_path / "many", *(f"{a}{b}" for a, b in zip(many[::2], many[1::2], strict=False))))
    text = "".join(page.extract_text() for page in printed.pages)
    assert [letter for letter in many[: len(many) // 2 * 2] if letter not in text] == []


def test_a_letter_that_no_font_has_is_named(tmp_path: Path) -> None:
    with pytest.raises(PaperError, match=r"no font of the paper has 'ฏ' \(U\+0E0F\)"):
        write_letters(["ฏ"], tmp_path)


@pytest.mark.parametrize(
    ("text", "tex"),
    [
        ("Văn A", r"\letters{V\letter{ă}n} A" if needs_letters("ă") else "Văn A"),
        ("gì Nguyễn", r"\letters{g\letter{ì}} \letters{Nguy\letter{ễ}n}"),
        ("β-мир²", r"$\beta$-\letters{\letter{м}\letter{и}\letter{р}\letter{²}}"),
        ("动，好", r"\letters{\letter{动}}\letters{\letter{，}}\letterbreak{}\letters{\letter{好}}"),
        ("e\u0301", "é"),
        ("a -- b``c''", "a -{}- b`{}`c'{}'"),
        ("two\n\nlines", "two lines"),
        ("a" * 31, r"\allowbreak{}".join("a" * 31)),
        ("a" * 30, "a" * 30),
    ],
)
def test_how_words_are_split(text: str, tex: str) -> None:
    assert escape(text) == tex


def test_the_room_that_a_text_takes() -> None:
    assert [columns(text) for text in ("abc", "动物", "x\u0302")] == [3, 4, 1]


def test_lines_that_words_of_a_study_do_not_fill_are_set_loosely(tmp_path: Path) -> None:
    text = escape("aa bb " + "Содержание/движение " * 4)
    (tmp_path / "preamble.tex").write_bytes((ROOT / "paper/preamble.tex").read_bytes())
    source = f"\\input{{preamble}}\n\\begin{{document}}\n\\hsize=60mm {text}\n\\end{{document}}\n"
    (tmp_path / "main.tex").write_text(source, encoding="utf-8")
    write_letters(used_letters(source), tmp_path)
    build_pdf(tmp_path, tmp_path / "main.pdf")
    assert (tmp_path / "loose.tex").exists()  # with the source, so that its archive compiles alike


def study(**changes: object) -> Study:
    raw: dict[str, object] = {"study": "toy", "data": {"moving_digits": {}}, "models": {"mean_frame": {}, "pca": {}}}
    return Study.model_validate(raw | changes)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"paper": {"title": "שלום"}}, "s.yaml: paper.title is 'שלום'; 'ש' (U+05E9, HEBREW LETTER SHIN) is of"),
        ({"paper": {"authors": ["A", "ไทย"]}}, "paper.authors.1 is 'ไทย'; 'ไ' (U+0E44, "),
        ({"description": "a\u200bb"}, "'\\u200b' (U+200B, ZERO WIDTH SPACE) is a sign that is not printed"),
        ({"models": {"pca": {"label": "a\x07"}}}, "models.pca.label is 'a\\x07'; '\\x07' (U+0007, "),
        ({"models": {"pca": {"label": " "}}}, "models.pca.label is ' ', which prints nothing; write a name"),
        ({"paper": {"authors": [""]}}, "paper.authors.0 is '', which prints nothing; write a name"),
        ({"paper": {"repository": "https://a.org/#b"}}, "paper.repository is 'https://a.org/#b'; must be an"),
        (
            {"models": {"pca": {"label": "A"}, "mean_frame": {"label": "A "}}},
            "models.pca and models.mean_frame are both called 'A' in tables and figures; give each a label of its own",
        ),
        ({"data": {"x": {"options": {"folder": "/a/हि"}}}}, "data.x.options.folder is '/a/हि'; 'ह' (U+0939, "),
    ],
)  # fmt: skip
def test_what_cannot_be_set_is_told_before_any_job(changes: dict[str, object], message: str) -> None:
    with pytest.raises(ConfigError) as error:
        check(study(**changes), {}, "s.yaml")
    assert message in str(error.value)
    assert "\n" not in str(error.value)


def test_without_an_east_asian_font_the_check_says_which_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for module in ("whatmoves.paper.needs", "whatmoves.figures.fonts"):
        monkeypatch.setattr(f"{module}.east_asian", lambda: None)
    with pytest.raises(
        ConfigError, match=r"paper.title is '动'; .* install one \(apt-get install fonts-droid-fallback\)"
    ):
        check(study(paper={"title": "动"}), {}, "s.yaml")


def test_letters_of_this_world_pass_the_check() -> None:
    words = dict(zip(("pca", "mean_frame"), ({"label": WORDS[0]}, {"label": WORDS[1]}), strict=True))
    check(study(paper={"title": " ".join([*WORDS, *EASTERN]), "authors": WORDS}, models=words), {}, "s.yaml")


def test_whatever_the_paper_sets_as_it_stands_figures_can_draw() -> None:
    plain = [chr(place) for place in range(0x20, 0x3000) if not needs_letters(chr(place))]
    assert len(plain) > 300
    assert [letter for letter in plain if ord(letter) not in letters.held_by(dejavu("DejaVuSans"))] == []
    assert LETTER not in escape("".join(plain))
