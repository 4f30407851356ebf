"""Keys and scripts as actions: which number, which sign, how large; and one line for a script that is none."""

from pathlib import Path

import numpy as np
import pytest

from whatmoves.errors import DataError
from whatmoves.using.controls import Controls, full_actions, read_script

FULL = np.array([[-1.0, -0.5, -2.0], [1.0, 0.5, 2.0]], np.float32)


def test_a_full_action_is_the_largest_stored_one() -> None:
    stored = np.array([[[0.5, -2.0], [-1.0, 1.0]], [[0.0, 0.0], [0.25, 0.5]]], np.float32)
    assert full_actions(stored).tolist() == [[-1.0, -2.0], [1.0, 2.0]]


@pytest.mark.parametrize(
    ("keys", "action"),
    [
        (["right"], [1, 0, 0]),
        (["a"], [-1, 0, 0]),
        (["down"], [0, 0.5, 0]),
        (["w"], [0, -0.5, 0]),
        (["r"], [0, 0, 2]),
        (["f"], [0, 0, -2]),
        (["right", "up"], [1, -0.5, 0]),
        (["right", "left"], [-1, 0, 0]),
        (["right", "up", " "], [0, 0, 0]),
        (["t", "x", "5"], [0, 0, 0]),  # the fourth number of an action of three, and no keys at all
    ],
)
def test_keys_set_what_they_name_until_another_does(keys: list[str], action: list[float]) -> None:
    controls = Controls(FULL, smoothing=0.0)
    for key in keys:
        controls.press(key)
    assert controls.advance().tolist() == action
    assert controls.advance().tolist() == action


def test_smoothing_keeps_part_of_the_last_action() -> None:
    controls = Controls(FULL, smoothing=0.75)
    controls.press("right")
    assert [float(controls.advance()[0]) for _ in range(3)] == [0.25, 0.4375, 0.578125]  # 1 − 0.75ⁿ
    controls.press(" ")
    assert float(controls.advance()[0]) == 0.43359375
    with pytest.raises(DataError, match=r"^--smoothing is 1; must be at least 0 and less than 1$"):
        Controls(FULL, smoothing=1.0)


def test_the_help_names_the_keys_of_this_width() -> None:
    assert Controls(FULL, 0.0).help() == "←→ or ad, ↑↓ or ws, rf, space rests, q quits"
    assert Controls(FULL[:, :0], 0.0).help() == "space rests, q quits"


def test_a_script_in_words() -> None:
    found = read_script("right 2, up , rest 1,3- 2", FULL)
    assert found.tolist() == [[1, 0, 0], [1, 0, 0], [0, -0.5, 0], [0, 0, 0], [0, 0, -2], [0, 0, -2]]


def test_the_same_script_as_json_and_csv(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text("[[1, 0, -2.5], [0, 1e-1, 0]]", encoding="utf-8")
    (tmp_path / "a.csv").write_text("1, 0, -2.5\n\n0, 1e-1, 0\n", encoding="utf-8")
    for name in ("a.json", "a.csv"):
        np.testing.assert_array_equal(
            read_script(str(tmp_path / name), FULL), np.array([[1, 0, -2.5], [0, 0.1, 0]], np.float32)
        )


@pytest.mark.parametrize(
    ("script", "message"),
    [
        (
            "rihgt 5",
            "--actions: 'rihgt 5': 'rihgt' is no action of 3 numbers; known: right, left, down, up, 1+ … 3-, rest",
        ),
        ("4+ 2", "--actions: '4+ 2': '4+' is no action of 3 numbers; known: right, left, down, up, 1+ … 3-, rest"),
        ("0+", "--actions: '0+': '0+' is no action of 3 numbers; known: right, left, down, up, 1+ … 3-, rest"),
        ("up x", "--actions: 'up x': 'x' is no number of frames; write 1 … 100000, as in 'right 5'"),
        ("up 0", "--actions: 'up 0': '0' is no number of frames; write 1 … 100000, as in 'right 5'"),
        ("", "--actions: '': '' is no action of 3 numbers; known: right, left, down, up, 1+ … 3-, rest"),
    ],
)
def test_words_that_say_nothing(script: str, message: str) -> None:
    with pytest.raises(DataError) as error:
        read_script(script, FULL)
    assert str(error.value) == message


@pytest.mark.parametrize(
    ("name", "text", "message"),
    [
        ("a.json", "[[1, 2]]", "action 1 is [1, 2]; must be 3 numbers, as the clips' actions are"),
        ("a.json", "[[1, 2, 3], 4]", "action 2 is 4; must be 3 numbers, as the clips' actions are"),
        ("a.json", '[[1, 2, "3"]]', 'action 1 is [1, 2, "3"]; must be 3 numbers, as the clips\' actions are'),
        ("a.json", "[[1, 2, true]]", "action 1 is [1, 2, true]; must be 3 numbers, as the clips' actions are"),
        ("a.json", "[[1, 2, NaN]]", "action 1 is [1, 2, NaN]; must be finite numbers"),
        ("a.json", "[[1, 2, 1e39]]", "action 1 is [1, 2, 1e+39]; must be finite numbers"),
        ("a.json", "{}", "holds no list; write a list of vectors: [[1, 0], [0, 1]]"),
        ("a.json", "[]", "no action in it; write at least one"),
        ("a.json", "[", "not readable as JSON (Expecting value: line 1 column 2 (char 1)); "
         "write a list of vectors: [[1, 0], [0, 1]]"),
        ("a.csv", "1,2,3\n1,2,inf\n", "action 2 is [1.0, 2.0, Infinity]; must be finite numbers"),
        ("a.csv", "right,down,up\n", "line 1 is 'right,down,up'; must be numbers between commas"),
        ("a.csv", None, "no such file; --actions takes a .json, a .csv or words: 'right 5, up 3'"),
    ],
)  # fmt: skip
def test_a_file_that_is_no_script_is_named(name: str, text: str | None, message: str, tmp_path: Path) -> None:
    if text is not None:
        (tmp_path / name).write_text(text, encoding="utf-8")
    with pytest.raises(DataError) as error:
        read_script(str(tmp_path / name), FULL)
    assert str(error.value) == f"{tmp_path / name}: {message}"
