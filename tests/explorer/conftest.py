"""The pages that tests look at."""

import pytest
from small_pages import DIGITS, HOSTILE, JEPA, TABLE, VAE, Toy, toy, value


@pytest.fixture(scope="session")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """Two data sets, of which one has no swaps; a model that swaps, one that predicts, a floor."""
    models = {
        "vae": {"kind": "disentangled_vae", "label": HOSTILE, "options": VAE},
        "see": {"kind": "jepa", "options": JEPA},
        "mean_frame": {"trains_on": ["moving_digits", "push_world"]},
    }
    psnr = {"vae": 20.5, "see": 9.0, "mean_frame": 10.25}
    verdict = {
        "id": "better", "sentence": HOSTILE, "verdict": "supported", "difference": 10.0, "interval": [9.0, 11.0],
        "values": ["moving_digits.vae.psnr_frame"], "basis": "interval",
    }  # fmt: skip
    return toy(
        tmp_path_factory.mktemp("whole"),
        {"moving_digits": {"options": DIGITS, "past_frames": 4}, "push_world": {"options": TABLE}},
        models,
        values={f"moving_digits.{model}.psnr_frame": value(number) for model, number in psnr.items()},
        verdicts=[verdict, {**verdict, "id": "worse", "verdict": "undecided"}],
        stands={"moving_digits.psnr_frame": {"rows": [*psnr], "table": ["=>>", "<=<", "<>="]}},
    )


@pytest.fixture(scope="session")
def floors(tmp_path_factory: pytest.TempPathFactory) -> Toy:
    """A study of one floor, with nothing measured and nothing declared."""
    return toy(tmp_path_factory.mktemp("floors"), {"moving_digits": {"options": DIGITS}}, {"mean_frame": {}}, values={})
