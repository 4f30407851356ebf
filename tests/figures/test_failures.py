"""The figure of failures shows what–where VAEs of the table, and no other model."""

from pathlib import Path

import numpy as np
import pytest

from whatmoves.errors import DataError
from whatmoves.figures import failures
from whatmoves.figures.inputs import FigureInputs
from whatmoves.files import write_arrays
from whatmoves.study import Study

STUDY = Study.model_validate(
    {
        "study": "toy",
        "data": {"moving_digits": None, "push_world": None},
        "models": {
            "what_where_vae": {"label": "On black"},
            "what_where_push": {"kind": "what_where_vae", "label": "On a table", "trains_on": ["push_world"]},
            "lstm_vae": {"trains_on": ["moving_digits", "push_world"]},
        },
    }
)


def test_it_is_of_the_what_where_vaes_trained_on_the_table(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"evaluate/push_world: no <model>/pictures\.npz"):
        failures.collect(FigureInputs(tmp_path, STUDY, "push_world"))
    truth = np.random.default_rng(0).integers(0, 256, (3, 12, 3, 8, 8)).astype(np.uint8)
    for dataset, model in (
        ("moving_digits", "what_where_vae"),
        ("push_world", "what_where_push"),
        ("push_world", "lstm_vae"),
    ):
        path = tmp_path / f"evaluate/{dataset}/{model}/pictures.npz"
        write_arrays(path, {"truth": truth, "reconstruction": 255 - truth})
    data = failures.collect(FigureInputs(tmp_path, STUDY, "push_world"))
    assert data["labels"].tolist() == ["On a table"]
    assert data["frames"].tolist() == [0, 2, 4, 6, 8, 10]
    assert np.array_equal(data["reconstructions"], 255 - truth[None, :2, ::2])
    assert len(failures.draw(data).axes) == 4
