"""Floors and ceilings of codes through the same code as models: oracle, roles swapped, noise, and a learnt split."""

import numpy as np
import pytest

from whatmoves.data.moving_digits import FACTOR_ROLES, Config, MovingDigits
from whatmoves.evaluation.factors import Targets, of_parts
from whatmoves.judging.floors import oracle_codes
from whatmoves.judging.information import Codes, block_measures, coded, gap_and_leaks, information
from whatmoves.study import Evaluation

COUNTS = {"train": 500, "validation": 200, "test": 300}
NAMES = ("class_1", "start_y_1", "velocity_x_1")
KINDS = ("discrete", "continuous", "continuous")


@pytest.fixture(scope="module")
def targets() -> dict[str, Targets]:
    rng = np.random.default_rng(0)
    values = {
        part: np.column_stack([rng.integers(0, 3, n), rng.uniform(0, 18, n), rng.uniform(-3, 3, n)])
        for part, n in COUNTS.items()
    }
    return {part: Targets(table, NAMES, KINDS, (True, False, False)) for part, table in values.items()}


@pytest.fixture(scope="module")
def two_digits(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Targets]:
    """Targets of clips with two UCI digits, 1200, 400 and 800 of them."""
    source = MovingDigits(Config(digits=2, image_px=16, digit_px=8, frames=2), tmp_path_factory.mktemp("none"))
    table = source.train_split(2400).factors
    parts = {"train": table[:1200], "validation": table[1200:1600], "test": table[1600:]}
    targets = of_parts(parts, FACTOR_ROLES)
    assert targets is not None
    return targets


def measured(codes: dict[str, Codes], targets: dict[str, Targets]) -> dict[str, float]:
    return block_measures(coded(codes, targets), targets["train"])


def oracle(targets: dict[str, Targets], *blocks: str) -> dict[str, Codes]:
    return oracle_codes(targets, blocks, np.random.default_rng(1))  # type: ignore[arg-type]


def test_the_oracle_has_every_factor_in_its_block_and_nowhere_else(targets: dict[str, Targets]) -> None:
    found = measured(oracle(targets, "content", "motion"), targets)
    assert found["block_gap"] >= 0.95
    assert found["leak_content"] <= 0.02
    assert found["leak_motion"] <= 0.02
    assert found["usable_content_class"] > 0.95
    assert found["usable_motion_start_y"] > 0.95
    assert found["permuted_control"] <= 0.02


def test_the_short_form_gives_the_same_gap_and_leaks(targets: dict[str, Targets]) -> None:
    whole = coded(oracle(targets, "motion", "content"), targets)
    full, short = block_measures(whole, targets["train"]), gap_and_leaks(whole, targets["train"])
    assert short == pytest.approx({name: full[name] for name in short}, abs=1e-3)


def test_roles_swapped_turn_the_sign(targets: dict[str, Targets]) -> None:
    found = measured(oracle(targets, "motion", "content"), targets)
    assert found["block_gap"] <= -0.95
    assert found["leak_content"] >= 0.95


def test_noise_knows_nothing(targets: dict[str, Targets]) -> None:
    rng = np.random.default_rng(2)
    codes = {p: {b: rng.standard_normal((n, 8)).astype("f4") for b in ("content", "motion")} for p, n in COUNTS.items()}
    found = measured(codes, targets)
    assert abs(found["block_gap"]) <= 0.02
    assert found["own_best"] <= 0.04


def test_a_code_without_blocks_is_split_by_what_it_knows_and_judged_whole(targets: dict[str, Targets]) -> None:
    blocks = oracle(targets, "content", "motion")
    rng = np.random.default_rng(3)
    turn = np.linalg.qr(rng.standard_normal((5, 5)))[0]
    whole = {part: {"clip": np.hstack([codes["content"], codes["motion"]]) @ turn} for part, codes in blocks.items()}
    for codes in whole.values():  # without noise, probes would read a millionth of a leak
        codes["clip"] = (codes["clip"] + 0.1 * rng.standard_normal(codes["clip"].shape)).astype("f4")
    found = information(whole, targets, Evaluation(permutations=19))
    assert found["block_gap"] > 0.85  # three class indicators span two axes, as the two numbers do
    assert found["random_split_gap"] == pytest.approx(0.0, abs=0.15)
    named = information(blocks, targets, Evaluation(permutations=19))
    assert named["block_gap"] > 0.95
    assert named["dependence_cca_p"] > 0.05
    assert named["dci_informativeness"] > 0.5
    assert {*named} == {*found}
    assert all(np.isfinite(list(named.values())))


def test_wide_blocks_are_narrowed(targets: dict[str, Targets]) -> None:
    rng = np.random.default_rng(4)
    codes = {p: {"content": rng.standard_normal((n, 300)), "motion": np.ones((n, 2))} for p, n in COUNTS.items()}
    whole = coded(codes, targets)  # type: ignore[arg-type]
    assert whole.test.codes.shape == (300, 258)
    assert whole.blocks.motion.tolist() == [256, 257]


def test_two_digits_have_an_oracle_its_opposite_and_noise(two_digits: dict[str, Targets]) -> None:
    right = measured(oracle(two_digits, "content", "motion"), two_digits)
    assert right["block_gap"] >= 0.95
    assert max(right["leak_content"], right["leak_motion"]) <= 0.02
    assert right["usable_content_shows_1"] > 0.95
    assert right["usable_motion_covariance_start_y_start_x"] > 0.95
    turned = gap_and_leaks(coded(oracle(two_digits, "motion", "content"), two_digits), two_digits["train"])
    assert turned["block_gap"] <= -0.95
    rng = np.random.default_rng(5)
    noise = {
        part: {block: rng.standard_normal((len(t.values), 16)).astype("f4") for block in ("content", "motion")}
        for part, t in two_digits.items()
    }
    assert abs(gap_and_leaks(coded(noise, two_digits), two_digits["train"])["block_gap"]) <= 0.02
