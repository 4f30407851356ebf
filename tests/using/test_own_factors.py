"""A person's own table of factors beside codes: every row where it belongs, or one clear line."""

import json
from pathlib import Path

import numpy as np
import pytest

from whatmoves.codes.codes_file import read_codes
from whatmoves.errors import DataError
from whatmoves.files import write_arrays
from whatmoves.using.own_factors import scoreable

BLOCKS = {"motion": np.arange(8.0).reshape(4, 2), "content": np.arange(12.0).reshape(4, 3)}


@pytest.fixture
def clips(tmp_path: Path) -> Path:
    """Four clips of the second and the third of three videos."""
    (tmp_path / "test.csv").write_text("video,first_frame\n2,0\n1,0\n2,16\n1,16\n", encoding="utf-8")
    names = [{"name": name} for name in ("a.mp4", "b.mp4", "c/d.gif")]
    (tmp_path / "videos.json").write_text(json.dumps({"reader": "r", "videos": names}), encoding="utf-8")
    return tmp_path / "test.npz"


def table(clips: Path, text: str) -> Path:
    path = clips.with_name("known.csv")
    path.write_text(text, encoding="utf-8")
    return path


def test_a_row_a_video_goes_to_all_of_its_clips(clips: Path) -> None:
    text = "video,content:who,motion:speed,takes\nc/d.gif,Zoë,0.5,3\nb.mp4,Ann,1.25,7\na.mp4,Bob,9,1\n"
    found = scoreable(BLOCKS, table(clips, text), clips)
    assert found["factor_names"].tolist() == ["who", "speed", "takes"]
    assert found["factor_kinds"].tolist() == ["discrete", "continuous", "discrete"]
    assert found["factors"].tolist() == [[1, 0.5, 3], [0, 1.25, 7], [1, 0.5, 3], [0, 1.25, 7]]
    assert found["codes"].shape == (4, 5)
    assert (found["motion_dims"].tolist(), found["content_dims"].tolist()) == ([0, 1], [2, 3, 4])
    assert (found["content_factors"].tolist(), found["motion_factors"].tolist()) == ([0], [1])


def test_what_is_written_is_what_score_reads(clips: Path) -> None:
    rng = np.random.default_rng(0)
    blocks = {"content": rng.normal(size=(90, 3)), "motion": rng.normal(size=(90, 2))}
    rows = "".join(f"{'ab'[i % 2]},{i / 7}\n" for i in range(90))
    write_arrays(clips, scoreable(blocks, table(clips, f"content:who,motion:speed\n{rows}"), clips))
    coded = read_codes(clips)
    assert list(coded.names) == ["who", "speed"]
    assert list(coded.kinds) == ["discrete", "continuous"]
    assert coded.blocks is not None
    assert coded.roles is not None


def test_a_row_a_clip(clips: Path) -> None:
    found = scoreable({"all": BLOCKS["motion"]}, table(clips, "size\n0.1\n0.2\n0.3\n0.4\n"), clips)
    assert found["factors"][:, 0].tolist() == [0.1, 0.2, 0.3, 0.4]
    assert not {"content_dims", "content_factors"} & set(found)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("size\n1\n2\n", "2 rows, and .* holds 4 clips"),
        ("video,who\nb.mp4,x\n", "no row for the video 'c/d.gif'; add it"),
        ("video,who\nb.mp4,x\nb.mp4,y\nc/d.gif,z\n", "the video 'b.mp4' has two rows"),
        ("size\n1\nnan\n3\n4\n", "column 'size' has 'nan' for clip 1 among numbers"),
        ("size,x\n1,1\n,2\n3,3\n4,4\n", "column 'size' has an empty cell for clip 1"),
        ("video\nb.mp4\n", "no column of a factor"),
        ("", "not readable as a table"),
    ],
)
def test_a_table_that_does_not_fit_is_one_line(text: str, message: str, clips: Path) -> None:
    with pytest.raises(DataError, match=message) as told:
        scoreable(BLOCKS, table(clips, text), clips)
    assert "\n" not in str(told.value)


def test_videos_are_named_only_where_they_are_known(clips: Path) -> None:
    clips.with_name("videos.json").unlink()
    with pytest.raises(DataError, match=r"names videos, but test.csv and videos.json are not beside"):
        scoreable(BLOCKS, table(clips, "video,who\nb.mp4,x\n"), clips)
