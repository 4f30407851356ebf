"""The value index: ratios of both parts on the same clips, pooled PSNR, and no measure left out in silence."""

import numpy as np
import pytest

from whatmoves.analysis.metrics import METRICS, NOT_INDEXED, refuse_unknown
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
    refuse_unknown(["mig", "mig_class_1", *NOT_INDEXED, *METRICS], "f")
    with pytest.raises(DataError, match=r'^quality.json: measure \'sharpness\' has no words; add `"sharpness": Metric'):
        refuse_unknown(["sharpness"], "quality.json")
