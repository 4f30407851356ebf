"""The value index: ratios of both parts on the same clips, pooled PSNR, and no measure left out in silence."""

import numpy as np
import pytest

from whatmoves.analysis.metrics import METRICS, described, indexed
from whatmoves.analysis.statistics import Sample, hierarchical_bootstrap
from whatmoves.analysis.values import _pooled, _removed, _stands
from whatmoves.errors import DataError

FLOOR = np.random.default_rng(0).uniform(0.01, 0.05, 40)


def sample(*tables: np.ndarray, constant: bool = False) -> Sample:
    return Sample({str(seed): float(table.mean()) for seed, table in enumerate(tables)}, np.stack(tables), constant)


def ends(found: Sample) -> tuple[float, float]:
    assert found.clips is not None
    (interval,) = hierarchical_bootstrap([seed[:, None] for seed in found.clips], 2000, np.random.default_rng(0))
    return interval


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("share", [0.0, 0.5])
def test_a_share_of_every_clips_error_is_removed_for_sure(seeds: int, share: float) -> None:
    found = _removed(sample(*[(1 - share) * FLOOR] * seeds), FLOOR)
    assert found.value == pytest.approx(share)
    assert ends(found) == pytest.approx((share, share), abs=1e-12)


def test_the_share_removed_moves_as_the_ratio_does() -> None:
    errors = FLOOR * np.random.default_rng(1).uniform(0.2, 0.6, 40)
    found = _removed(sample(errors), FLOOR)
    assert found.value == pytest.approx(1 - errors.mean() / FLOOR.mean())
    drawn = np.random.default_rng(2).integers(40, size=(4000, 40))
    ratios = 1 - errors[drawn].mean(1) / FLOOR[drawn].mean(1)
    assert ends(found) == pytest.approx(np.quantile(ratios, [0.025, 0.975]), abs=0.01)


def test_pooled_psnr_is_of_the_mean_error_of_each_seed() -> None:
    errors = np.stack([FLOOR, FLOOR / 2])
    found = _pooled(["0", "1"], -10 * np.log10(errors), constant=False)
    assert list(found.seeds.values()) == pytest.approx(-10 * np.log10(errors.mean(1)))
    assert found.clips is not None
    assert found.clips.mean(1) == pytest.approx(list(found.seeds.values()))


def test_rows_of_one_measure_stand_to_each_other_both_ways() -> None:
    low, high = np.linspace(0, 1, 40), np.linspace(5, 6, 40)
    samples = {
        "d.a.mig": sample(low, low),
        "d.b.mig": sample(high, high),
        "d.c.mig": sample(low),
        "d.a.sap_r2": sample(low),
    }
    assert _stands(samples)["d.mig"] == {"rows": ["a", "b", "c"], "table": ["=<?", ">=?", "???"]}


def test_a_measure_without_words_is_no_silent_loss() -> None:
    assert indexed(["psnr_frame", "collapsed", "mig_class_1", "mse_pixel"], "f") == ["mse_pixel", "psnr_frame"]
    for name in ("sharpness", "detection_ap_soon", "usable_content"):
        with pytest.raises(DataError, match=rf'^quality.json: measure \'{name}\' has no words; add `"{name}": Metric'):
            indexed([name], "quality.json")


def test_a_family_takes_any_horizon_and_the_factors_of_any_data_set() -> None:
    horizons = [f"detection_ap_{horizon}" for horizon in (2, 10, 100)]
    assert indexed([*reversed(horizons), "detection_ap_late"], "f") == ["detection_ap_late", *horizons]
    assert not METRICS.keys() & {*horizons}
    assert described("detection_ap_<h>") is None


@pytest.mark.parametrize(
    ("name", "label"),
    [
        ("detection_ap_100", "average precision of detections 100 frames ahead"),
        ("predict_far_psnr_frame", "PSNR per predicted frame of the clips far"),
        ("predict_novel_psnr_frame", "PSNR per predicted frame of objects never seen in training"),
        ("usable_content_class", "class known to the content block"),
        ("usable_motion_start_y", "start, down, known to the motion block"),
        ("usable_content_side_px", "side px known to the content block"),
        ("usable_content_shows_3", "whether a 3 is shown, known to the content block"),
        ("usable_motion_spread_turn_x", "deviation over objects of the turn, right, known to the motion block"),
        ("usable_motion_mean_side_px", "mean over objects of the side px, known to the motion block"),
        (
            "usable_motion_covariance_start_x_velocity_y",
            "covariance over objects of the start, right, and the velocity, down, known to the motion block",
        ),
        (
            "usable_motion_covariance_start_y_start_x",
            "covariance over objects of the start, down and right, known to the motion block",
        ),
    ],
)
def test_words_of_a_family_are_made_from_its_part(name: str, label: str) -> None:
    words = described(name)
    assert words is not None
    assert words.label == label
