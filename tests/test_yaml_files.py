"""What stands in a YAML file is what a person reads there, or one line that names the place and the fix."""

from pathlib import Path
from typing import Any

import pytest
import yaml
from tools import ROOT

from whatmoves.errors import ConfigError
from whatmoves.loading import load_study
from whatmoves.yaml_files import read_yaml, yaml_text

STUDY = """study: odd
seeds: [0]
data:
  moving_digits:
    options: {image_px: 16, digit_px: 8, frames: 6, speed_px: [1.0, 2.0]}
models:
  mean_frame:
training: {clips: 64}
"""


def read(folder: Path, text: str) -> dict[str, Any]:
    path = folder / "file.yaml"
    path.write_bytes(text.encode())
    return read_yaml(path, "no such file", "settings such as `study: my_study`")


def line_of(folder: Path, text: str | bytes) -> str:
    """The line that refuses a study file, without the path before it."""
    path = folder / "mine.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    with pytest.raises(ConfigError) as error:
        load_study(path, folder)
    line = str(error.value)
    assert "\n" not in line
    return line.removeprefix(f"{path}: ")


def instead(old: str, new: str) -> str:
    assert old in STUDY
    return STUDY.replace(old, new, 1)


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("1e-3", 0.001),
        ("1E3", 1000.0),
        ("1.5e3", 1500.0),
        (".5", 0.5),
        ("5.", 5.0),
        ("1_000", 1000),
        ("-7", -7),
        ("0", 0),
        ("0x10", 16),
        ("0o10", 8),
        ("0b11", 3),
        ("true", True),
        ("~", None),
        ("", None),
        ("yes", "yes"),
        ("Off", "Off"),
        ("1:30", "1:30"),
        ("2024-01-01", "2024-01-01"),
        ("=", "="),
        ("1.2.3", "1.2.3"),
        ('"010"', "010"),
        ('"1e-3"', "1e-3"),
        ("!!str 12", "12"),
    ],
)
def test_plain_words(tmp_path: Path, written: str, meant: object) -> None:
    value = read(tmp_path, f"key: {written}\n")["key"]
    assert value == meant
    assert type(value) is type(meant)


@pytest.mark.parametrize("key", ["1", "1.5", "010", "on", "no", "true", "null", "~", "2024-01-01", ".inf", "1:30"])
def test_keys_are_text(tmp_path: Path, key: str) -> None:
    assert read(tmp_path, f"{key}: {{{key}: 1}}\n") == {key: {key: 1}}


def test_aliases_and_merges(tmp_path: Path) -> None:
    text = """
a: &a {one: 1, two: &list [1, 2]}
b: &b {two: 2, three: 3}
c: {<<: [*a, *b], three: &three 4}
d:
  <<: *a
  one: *three
  more: *list
"""
    expected = yaml.safe_load(text)
    found = read(tmp_path, text)
    assert found == expected
    assert [list(found[key]) for key in "abcd"] == [list(expected[key]) for key in "abcd"]


WORDS = [
    "yes",
    "no",
    "1e-3",
    "010",
    "08",
    "1_0",
    "12",
    ".inf",
    "2024-01-01",
    "=",
    "~",
    "",
    "a: b",
    "#1",
    "1:30",
    "é",
    "<<",
]


def test_what_is_written_reads_back(tmp_path: Path) -> None:
    settings = {"words": WORDS, "numbers": [1e-5, 1e22, 0.1, 7, True, None], **{word: 1 for word in WORDS if word}}
    text = yaml_text(settings)
    assert read(tmp_path, text) == yaml.safe_load(text) == settings


def test_settings_are_written_as_before() -> None:
    settings = load_study(ROOT / "config/tiny.yaml").model_dump(mode="json")
    assert yaml_text(settings) == yaml.safe_dump(settings, sort_keys=False, allow_unicode=True)


@pytest.mark.parametrize("path", sorted(ROOT.glob("**/*.yaml")), ids=lambda path: path.name)
def test_our_own_files_mean_to_us_what_they_mean_to_others(path: Path) -> None:
    if path.is_relative_to(ROOT / "config") or path.is_relative_to(ROOT / "paper"):
        assert read_yaml(path, "", "") == yaml.safe_load(path.read_text(encoding="utf-8"))


def test_there_is_one_reader() -> None:
    """And one that reads what git kept: files of any age, which today's reader may refuse."""
    files = sorted((ROOT / "src").rglob("*.py"))
    found = [file.name for file in files if "import yaml\n" in file.read_text(encoding="utf-8")]
    assert found == ["declared.py", "yaml_files.py"]


REFUSED: dict[str, tuple[str | bytes, str]] = {
    "model twice": (
        instead("  mean_frame:", "  vae: {kind: pca}\n  vae: {kind: copy_last}"),
        "models.vae stands twice, in lines 7 and 8; keep one",
    ),
    "section twice": (STUDY + "training: {}\n", "training stands twice, in lines 8 and 9; keep one"),
    "option twice": (
        instead("frames: 6", "frames: 6, frames: 7"),
        "data.moving_digits.options.frames stands twice, in line 5; keep one",
    ),
    "twice, once in quotes": (STUDY + '"study": x\n', "study stands twice, in lines 1 and 9; keep one"),
    "octal": (
        instead("[0]", "[0, 010]"),
        "seeds.1 is 010, which some read as octal; write 10, or put it in quotes if it is text (line 2)",
    ),
    "nearly octal": (
        instead("[0]", "[08]"),
        "seeds.0 is 08, which some read as octal; write 8, or put it in quotes if it is text (line 2)",
    ),
    "infinity": (
        instead("clips: 64", "learning_rate: .inf"),
        "training.learning_rate is .inf; must be a finite number, or in quotes if it is text (line 8)",
    ),
    "infinity in an option": (
        instead("[1.0, 2.0]", "[1.0, .NaN]"),
        "data.moving_digits.options.speed_px.1 is .NaN; must be a finite number, or in quotes if it is text (line 5)",
    ),
    "overflow": (
        instead("clips: 64", "learning_rate: 1e999"),
        "training.learning_rate is 1e999; must be a finite number, or in quotes if it is text (line 8)",
    ),
    "endless digits": (
        instead("64", "9" * 5000),
        f"training.clips is {'9' * 37}...; must be a finite number, or in quotes if it is text (line 8)",
    ),
    "thousands": (
        instead("{clips: 64}", "\n  clips: 1,000"),
        'training.clips is "1,000"; expected a whole number, written as 2000 or 2e3, without quotes',
    ),
    "number in quotes": (
        instead("clips: 64", 'learning_rate: "1e-3"'),
        'training.learning_rate is "1e-3"; expected a number, written as 0.5 or 1e-3, without quotes',
    ),
    "year as a label": (
        instead("mean_frame:", "mean_frame: {label: 1984}"),
        "models.mean_frame.label is 1984; expected text; put it in quotes",
    ),
    "number as a name": (
        instead("mean_frame:", "1: {kind: mean_frame}"),
        "models.1: the name '1' must be small letters, digits and _, a letter first",
    ),
    "date as a name": (
        instead("mean_frame:", "2024-01-01: {kind: mean_frame}"),
        "models.2024-01-01: the name '2024-01-01' must be small letters, digits and _, a letter first",
    ),
    "line break in a name": (
        instead("odd", r'"odd\n"'),
        r"study is 'odd\n'; must be small letters, digits and _, a letter first",
    ),
    "name longer than a file's": (
        instead("odd", "o" * 300),
        f'study is "{"o" * 56}...; takes at most 100 letters',
    ),
    "number as a setting": (
        STUDY + "1: 2\n",
        "1 is no setting; known here: arithmetic, data, description, evaluation, models, paper, planning, seeds, "
        "study, training",
    ),
    "one letter too few": (
        instead("models:", "model:"),
        "model is no setting; did you mean 'models'? "
        "known here: arithmetic, data, description, evaluation, models, paper, planning, seeds, study, training",
    ),
    "a comment for a title": (
        STUDY + "paper:\n  title: #1\n",
        "paper.title is null; expected text; write one (in quotes, if it begins with #), or leave the key out",
    ),
    "braces": (
        STUDY + "paper:\n  title: {{ name }}\n",
        "paper.title has a group or list as a key; a key is text, and a text with braces or brackets "
        "needs quotes (line 10)",
    ),
    "own tag": (
        instead("64", "!count 64"),
        "training.clips has the tag !count; settings have none, take it away or put it in quotes (line 8)",
    ),
    "merged number": (
        instead("mean_frame:", "mean_frame: {<<: 5}"),
        "models.mean_frame.<< merges no group; expected an alias such as *base (line 7)",
    ),
    "circle": (
        instead("mean_frame:", "mean_frame: &a {options: *a}"),
        "models.mean_frame.options holds itself, by an alias; write it out (line 7)",
    ),
    "no-break space": (
        instead("  mean_frame", "\u00a0\u00a0mean_frame"),
        "the file has a key with the letter U+00A0, which only looks like a space or like nothing; "
        "type it anew (line 7)",
    ),
    "tab": (
        instead("  mean_frame", "\tmean_frame"),
        r"not YAML: line 7, column 1: found character '\t' that cannot start any token; indent with spaces, not tabs",
    ),
    "colon": (
        instead("mean_frame:", "mean_frame:\n    label: Mine: new"),
        "not YAML: line 8, column 16: mapping values are not allowed here; "
        "a text that holds `: ` needs quotes; and keys of one group begin in one column",
    ),
    "quote": (
        instead("odd", '"odd'),
        "not YAML: line 1, column 8: found unexpected end of stream; "
        "close the quote; in double quotes a backslash is written twice",
    ),
    "control character": (
        instead("odd", "o\0dd"),
        "not YAML: line 1: holds the control character U+0000; take it out",
    ),
    "two documents": (
        STUDY + "---\n" + STUDY,
        "not YAML: line 9, column 1: found another document; a file holds one document; take out the second `---`",
    ),
    "empty": ("# nothing yet\n", "is empty; expected settings such as `study: my_study`"),
    "list": ("- study: odd\n", "holds a list; expected settings such as `study: my_study`"),
    "text": ("study:odd\n", "holds one value; expected settings such as `study: my_study`"),
    "abyss": (
        STUDY + f"paper: {'[' * 3000}{']' * 3000}\n",
        "is nested too deeply; settings are groups of a few levels",
    ),
    "Latin-1": ("# é\n".encode("latin-1"), "is not UTF-8 (byte 3); save it as UTF-8"),
    "UTF-16": (STUDY.encode("utf-16"), "is not UTF-8 (byte 1); save it as UTF-8"),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused_in_one_line(tmp_path: Path, name: str) -> None:
    text, expected = REFUSED[name]
    assert line_of(tmp_path, text) == expected


def test_a_folder_is_no_study(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be read"):
        load_study(tmp_path, tmp_path)


@pytest.mark.parametrize("text", ["\ufeff" + STUDY, STUDY.replace("\n", "\r\n"), f"---\n{STUDY}...\n"])
def test_marks_of_editors_are_harmless(tmp_path: Path, text: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(text.encode())
    assert load_study(path, tmp_path).study == "odd"


def test_names_may_be_words_for_yes_and_no_and_switches_too(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    text = instead("moving_digits:", "on:\n    kind: moving_digits")
    entries = "no: {kind: mean_frame, trains_on: [on], judged: off, label: Yes}\n  null: {kind: pca, judged: yes}"
    path.write_text(text.replace("mean_frame:", entries), encoding="utf-8")
    study = load_study(path, tmp_path)
    assert list(study.data) == ["on"]
    assert [(name, entry.judged, study.label_of(name)) for name, entry in study.models.items()] == [
        ("no", False, "Yes"),
        ("null", True, "null"),
    ]


def test_a_switch_among_options(tmp_path: Path) -> None:
    path = tmp_path / "mine.yaml"
    path.write_text(instead("mean_frame:", "what_where_vae: {options: {split: no}}"), encoding="utf-8")
    assert load_study(path, tmp_path).models["what_where_vae"].options == {"split": False}


def test_a_misspelt_module_of_ones_own_is_answered_with_its_neighbours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine_here").mkdir()
    (tmp_path / "mine_here/model.py").touch()
    monkeypatch.chdir(tmp_path)
    line = line_of(tmp_path, instead("mean_frame:", "m: {kind: mine_here.modle}"))
    assert line.startswith("models.m.kind is 'mine_here.modle', and there is no module mine_here.modle (")
    assert line.endswith("; did you mean 'mine_here.model'? write it as folder.module")
