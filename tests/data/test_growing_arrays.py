"""Growing arrays: whatever a kill leaves behind, the end is the same bytes, and nothing torn or foreign is kept."""

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from whatmoves.data.growing_arrays import Column, GrowingArrays

COLUMNS = {"video": Column(np.uint8, (2, 3)), "numbers": Column(np.float32, (4,))}
BLOCKS = 5


def block(number: int) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(number)
    rows = number + 1  # blocks are not of one length
    return {"video": rng.integers(0, 256, (rows, 2, 3), dtype=np.uint8), "numbers": rng.random((rows, 4), np.float32)}


def grow(folder: Path, until: int = BLOCKS, stamp: str = "s", torn: bool = False) -> int:
    """Blocks up to `until`, as far as they are not there yet; returns how many were. Finished at the end."""
    with GrowingArrays(folder, "all", COLUMNS, stamp) as growing:
        kept = growing.keep([{"source": number} for number in range(BLOCKS)])
        for number in range(kept, until):
            growing.append(**block(number))
            growing.commit({"source": number})
        if torn:  # rows that nobody committed, as where a process ends midway
            growing.append(**block(until))
        if until == BLOCKS:
            np.save(folder / "numbers.npy", growing.mapped("numbers"))
            growing.finish("video", folder / "video.npy")
    return kept


@pytest.fixture
def whole(tmp_path: Path) -> dict[str, bytes]:
    """What an unbroken conversion leaves."""
    grow(tmp_path / "whole")
    return {path.name: path.read_bytes() for path in (tmp_path / "whole").iterdir()}


def test_the_end_is_a_npy_of_all_rows_and_nothing_else(whole: dict[str, bytes], tmp_path: Path) -> None:
    assert set(whole) == {"video.npy", "numbers.npy"}
    for column in COLUMNS:
        expected = np.concatenate([block(number)[column] for number in range(BLOCKS)])
        np.testing.assert_array_equal(np.load(tmp_path / "whole" / f"{column}.npy"), expected)
        np.save(tmp_path / "saved.npy", expected)
        assert whole[f"{column}.npy"] == (tmp_path / "saved.npy").read_bytes()


@pytest.mark.parametrize("torn", [False, True])
@pytest.mark.parametrize("until", range(BLOCKS))
def test_what_was_killed_goes_on_and_ends_at_the_same_bytes(
    whole: dict[str, bytes], tmp_path: Path, until: int, torn: bool
) -> None:
    grow(tmp_path / "f", until, torn=torn)
    assert grow(tmp_path / "f") == until
    assert {path.name: path.read_bytes() for path in (tmp_path / "f").iterdir()} == whole


def flip(path: Path, place: int) -> None:
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)


HEAD = 128
DAMAGE: dict[str, tuple[Callable[[Path], object], int]] = {
    "a byte of the third block": (lambda f: flip(f / ".all-video.npy", HEAD + 6 * 3 + 1), 2),
    "a byte of the other array": (lambda f: flip(f / ".all-numbers.npy", HEAD + 16 * 1), 1),
    "a torn array": (lambda f: (f / ".all-video.npy").write_bytes((f / ".all-video.npy").read_bytes()[:-31]), 3),
    "no array": (lambda f: (f / ".all-numbers.npy").unlink(), 0),
    "another head": (lambda f: flip(f / ".all-video.npy", 60), 0),
    "a torn journal": (lambda f: (f / ".all.journal").write_bytes((f / ".all.journal").read_bytes()[:-1]), 3),
    "no journal": (lambda f: (f / ".all.journal").unlink(), 0),
    "an empty journal": (lambda f: (f / ".all.journal").write_bytes(b""), 0),
    "a journal that is no text": (lambda f: (f / ".all.journal").write_bytes(b"\xff\n"), 0),
}


@pytest.mark.parametrize("case", DAMAGE)
def test_what_is_damaged_is_cut_off_and_made_again(whole: dict[str, bytes], tmp_path: Path, case: str) -> None:
    damage, kept = DAMAGE[case]
    grow(tmp_path / "f", 4, torn=True)
    damage(tmp_path / "f")
    assert grow(tmp_path / "f") == kept
    assert {path.name: path.read_bytes() for path in (tmp_path / "f").iterdir()} == whole


def test_other_settings_and_other_sources_begin_anew(whole: dict[str, bytes], tmp_path: Path) -> None:
    grow(tmp_path / "f", 4, stamp="others")
    assert grow(tmp_path / "f") == 0
    assert {path.name: path.read_bytes() for path in (tmp_path / "f").iterdir()} == whole
    grow(tmp_path / "g", 4)
    with GrowingArrays(tmp_path / "g", "all", COLUMNS, "s") as growing:
        assert growing.keep([{"source": 0}, {"source": 1}, {"source": "another"}]) == 2
        assert growing.kept() == [
            ({"source": 0}, {"video": 1, "numbers": 1}),
            ({"source": 1}, {"video": 2, "numbers": 2}),
        ]
    lines = (tmp_path / "g/.all.journal").read_text().splitlines()
    assert [json.loads(line)["rows"]["video"] for line in lines[1:]] == [1, 2]
