"""A drawn kind has all that a data set must have: stored clips are drawn again, and swaps follow from the roles."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
from numpy.typing import NDArray

from whatmoves.data.drawn import DrawnConfig, drawn
from whatmoves.data.factor_tables import FactorRole
from whatmoves.errors import DataError

ROLES = {
    "grey": FactorRole("content", "discrete", "value of the row"),
    "row": FactorRole("motion", "discrete", "row that is lit in the first frame"),
}
CONFIG = DrawnConfig(image_px=12, frames=3, validation_clips=2, test_clips=5)


def draw(config: DrawnConfig, uniform: NDArray[np.float64]) -> pd.DataFrame:
    return pd.DataFrame({"grey": (255 * uniform[:, 0]).astype(np.int64), "row": (10 * uniform[:, 1]).astype(np.int64)})


def render(config: DrawnConfig, factors: pd.DataFrame) -> NDArray[np.uint8]:
    """Two colours: the second is dark."""
    video = np.zeros((len(factors), config.frames, 2, config.image_px, config.image_px), np.uint8)
    for clip, (grey, row) in enumerate(factors.to_numpy().tolist()):
        for t in range(config.frames):
            video[clip, t, 0, (row + t) % config.image_px] = grey
    return video


KIND = drawn(ROLES, draw, render, numbers=2)


def test_what_is_stored_is_what_is_drawn(tmp_path: Path) -> None:
    KIND.make(CONFIG, tmp_path)
    source = KIND.open_source(CONFIG, tmp_path)
    assert source.shape == (3, 2, 12, 12, 0, 0)
    test = source.split("test")
    assert test.video.shape == (5, 3, 2, 12, 12)
    pd.testing.assert_frame_equal(test.factors, KIND.test_factors(CONFIG))
    assert (render(CONFIG, test.factors) == test.video).all()
    whole = source.train_batch(7, 0, 4, torch.device("cpu")).video
    assert torch.equal(source.train_batch(7, 2, 2, torch.device("cpu")).video, whole[2:])
    assert not torch.equal(source.train_batch(8, 0, 4, torch.device("cpu")).video, whole)


def test_a_swap_takes_the_content_columns() -> None:
    table = KIND.test_factors(CONFIG)
    first, second = table.iloc[[0]].reset_index(drop=True), table.iloc[[1]].reset_index(drop=True)
    swapped = KIND.swap_factors(first, second)
    assert swapped.to_numpy().tolist() == [[first.grey[0], second.row[0]]]


def test_what_does_not_fit_is_told(tmp_path: Path) -> None:
    with pytest.raises(
        DataError, match=r"^draw_factors gives columns row, grey and 5 rows; must give those of FACTOR_R"
    ):
        drawn(ROLES, lambda c, u: draw(c, u)[["row", "grey"]], render, 2).test_factors(CONFIG)
    with pytest.raises(
        DataError, match=r"^render_factors gives float64 \[2, 3, 2, 12, 12\]; must give uint8 \[2, 3, chan"
    ):
        drawn(ROLES, draw, lambda c, f: render(c, f) / 255, 2).make(CONFIG, tmp_path)
    KIND.make(CONFIG, tmp_path)
    (tmp_path / "test.csv").write_text("grey,row\n1,2\n", encoding="utf-8")
    with pytest.raises(DataError, match=r"test\.npz: video is uint8 \[5, 3, 2, 12, 12\], its factors are of \[1, 3, 2"):
        KIND.open_source(CONFIG, tmp_path).split("test")
