from pathlib import Path

import pytest

from whatmoves.errors import DataError
from whatmoves.files import write_json
from whatmoves.provenance.difference import Difference, diff

Entry = tuple[float, list[float] | None]


def compare(folder: Path, a: dict[str, Entry], b: dict[str, Entry]) -> Difference:
    for name, values in (("a", a), ("b", b)):
        entries = {k: {"value": v, "interval": i, "format": ".2f"} for k, (v, i) in values.items()}
        write_json(folder / f"{name}.json", {"study": "s", "values": entries})
    return diff(folder / "a.json", folder / "b.json")


@pytest.mark.parametrize(
    ("a", "b", "inside", "relative"),
    [
        ((10, [9, 11]), (10.5, [9.5, 11.5]), True, 0.5),  # |10.5 − 10| / 1
        ((10, [9, 11]), (10.5, [8.5, 12.5]), True, 0.25),  # the wider one counts: 0.5 / 2
        ((10, [9, 11]), (12, [11, 13]), False, 2),
        ((10, [9, 11]), (10.9, [10.8, 11]), False, 0.9),  # 10 is outside b's interval
        ((10, [9, 11]), (10.5, None), True, 0.5),
        ((10, None), (10.001, None), True, None),  # prints the same
        ((10, None), (10.01, None), False, None),
        ((10, [10, 10]), (11, [11, 11]), False, None),  # no width to measure by
    ],
)
def test_a_change_is_measured_by_the_intervals(
    tmp_path: Path, a: Entry, b: Entry, inside: bool, relative: float | None
):
    (change,) = compare(tmp_path, {"x": a}, {"x": b}).changes
    assert change.inside is inside
    assert change.relative == (None if relative is None else pytest.approx(relative))
    (mirrored,) = compare(tmp_path, {"x": b}, {"x": a}).changes
    assert (mirrored.inside, mirrored.relative) == (change.inside, change.relative)


def test_equal_values_are_no_change_and_absent_ones_are(tmp_path: Path):
    found = compare(tmp_path, {"same": (1, [0, 2]), "gone": (2, None)}, {"same": (1, [0, 3]), "new": (3, None)})
    assert [(c.value_id, c.a, c.b, c.inside) for c in found.changes] == [
        ("gone", 2, None, False),
        ("new", None, 3, False),
    ]
    assert found.as_json()["compared"] == 3


def test_the_text_puts_what_matters_first(tmp_path: Path):
    found = compare(
        tmp_path,
        {"a": (1, [0, 2]), "b": (1, [0, 2]), "c": (1, None)},
        {"a": (1.5, [1, 2]), "b": (4, [3, 5]), "c": (1, None)},
    )
    assert found.text().splitlines() == [
        "OUTSIDE  b  1.00 → 4.00  3.00 half widths",
        "inside   a  1.00 → 1.50  0.50 half widths",
        "1 equal, 2 differ, 1 outside their interval",
    ]


@pytest.mark.parametrize("text", ["[]", "{}", '{"values": 3}', "no"])
def test_what_is_no_value_index_is_refused(tmp_path: Path, text: str):
    (tmp_path / "a.json").write_text(text)
    with pytest.raises(DataError, match=r"a\.json: not "):
        diff(tmp_path / "a.json", tmp_path / "a.json")
