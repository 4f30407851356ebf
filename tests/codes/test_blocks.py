import numpy as np
import pytest
from synthetic_codes import KINDS, clip_factors, content_block, motion_block, parted, rotation

from whatmoves.codes.blocks import block_scores, gap
from whatmoves.codes.probes import permuted, usable_information, whitened
from whatmoves.codes.rows import Blocks, Roles, Rows

BORDERS = (800, 1000)
FACTORS = clip_factors(1800)
CONTENT, MOTION = content_block(FACTORS), motion_block(FACTORS)
BLOCKS = Blocks(np.arange(12), np.arange(12, 24))
ROLES = Roles([0], [1, 2, 3, 4])


def score(content, motion, blocks=BLOCKS):
    rows = parted(np.concatenate([content, motion], axis=1), FACTORS, *BORDERS)
    return block_scores(*rows, KINDS, blocks, ROLES, np.random.default_rng(0))


def usable(codes, factors=FACTORS, kinds=KINDS, families=("linear", "mlp", "trees")):
    return usable_information(*parted(codes, factors, *BORDERS), kinds, np.random.default_rng(0), families)


@pytest.fixture(scope="module")
def oracle():
    return score(CONTENT, MOTION)


def test_oracle_codes(oracle):
    assert oracle.block_gap.score >= 0.95
    assert oracle.block_sap.score >= 0.95
    assert oracle.block_mig.score >= 0.95
    assert max(oracle.content_in_motion, oracle.motion_in_content) <= 0.02
    assert oracle.block_dci == pytest.approx((1, 1, 1), abs=0.05)
    assert oracle.control.max() <= 0.02


def test_swapped_roles_turn_the_sign(oracle):
    swapped = score(MOTION, CONTENT)
    assert swapped.block_gap.score <= -0.95
    for name in ("block_gap", "block_sap", "block_mig"):
        assert getattr(swapped, name) == pytest.approx([-value for value in getattr(oracle, name)], abs=0.01)
    assert swapped.content_in_motion == pytest.approx(1, abs=0.02)
    # Unsigned, as per-dimension DCI is: it cannot tell which block is which.
    assert swapped.block_dci.disentanglement == pytest.approx(oracle.block_dci.disentanglement, abs=0.02)


def test_turning_a_block_and_scaling_it_changes_nothing():
    # Half-noisy codes, so that no score sits at its limit.
    noise = np.random.default_rng(3).normal(size=(len(FACTORS), 24))
    content, motion = CONTENT + 0.4 * noise[:, :12], MOTION + 0.4 * noise[:, 12:]
    for block, seed in ((content, 5), (motion, 6)):
        plain, turned = usable(block), usable(100 * block @ rotation(12, seed) + 3)
        assert 0.2 < plain.best.max() < 0.95
        for name in ("best", "linear", "linear_accuracy", "nats"):
            assert getattr(turned, name) == pytest.approx(getattr(plain, name), abs=0.01)


def test_noise_scores_zero():
    noise = np.random.default_rng(3).normal(size=(len(FACTORS), 24))
    found = score(noise[:, :12], noise[:, 12:])
    assert abs(found.block_gap.score) <= 0.02
    assert abs(found.block_sap.score) <= 0.03
    assert found.block_dci.disentanglement == 0
    assert found.both.max() <= 0.02


def test_everything_in_both_blocks_has_no_gap():
    both = np.concatenate([CONTENT, MOTION], axis=1)
    found = score(both, both, Blocks(np.arange(24), np.arange(24, 48)))
    assert abs(found.block_gap.score) <= 0.02
    assert found.content_in_motion == pytest.approx(1, abs=0.02)
    assert found.motion_in_content == pytest.approx(1, abs=0.02)
    assert found.block_dci.disentanglement == pytest.approx(0, abs=0.01)


def test_a_dead_block_scores_as_dead():
    found = score(np.full_like(CONTENT, 0.7), MOTION)
    assert found.usable[0].tolist() == [0] * 5
    assert found.families[0] == ("blind",) * 5
    assert found.block_gap.content == 0
    assert found.block_gap.motion == pytest.approx(1, abs=0.02)
    # All information in one block is half a score at most, never the 0.7 of an unsigned gap.
    assert found.block_gap.score <= 0.5


@pytest.mark.slow
def test_noise_dimensions_do_not_help(oracle):
    noise = np.random.default_rng(3).normal(size=(len(FACTORS), 24))
    content, motion = np.hstack([CONTENT, noise[:, :12]]), np.hstack([MOTION, noise[:, 12:]])
    found = score(content, motion, Blocks(np.arange(24), np.arange(24, 48)))
    assert found.block_gap.score <= oracle.block_gap.score + 0.005
    assert found.block_gap.score >= 0.9


def test_a_leak_in_scale_is_seen_by_log_loss_and_not_by_a_line():
    # The class sets how wide the noise of the motion block is: no correlation, little accuracy.
    spread = np.random.default_rng(4).normal(size=(len(FACTORS), 12)) * (0.3 + 0.15 * FACTORS[:, :1])
    found = usable(np.concatenate([FACTORS[:, 1:], spread], axis=1))
    assert found.linear[0] < 0.02
    assert found.linear_accuracy[0] < 0.05
    assert found.best[0] > 0.1
    assert found.family[0] in {"mlp", "trees"}


def test_a_curved_code_is_usable_and_not_explicit():
    angle = 3 * FACTORS[:, 1:2]
    found = usable(np.concatenate([np.cos(angle), np.sin(angle), FACTORS[:, 2:]], axis=1))
    assert found.best[1] > found.linear[1] + 0.1


def test_permuted_factors_are_not_usable():
    parts = [permuted(part, np.random.default_rng(1)) for part in parted(CONTENT, FACTORS, *BORDERS)]
    assert usable_information(*parts, KINDS, np.random.default_rng(0)).best.max() <= 0.02


def test_information_of_a_known_amount():
    # A binary label, told wrongly one time in ten: 1 - h(0.1) = 0.531 of a bit. A number with R² 0.75.
    rng = np.random.default_rng(5)
    labels, number = rng.integers(0, 2, 5000), rng.normal(size=5000)
    told = np.where(rng.uniform(size=5000) < 0.1, 1 - labels, labels)
    codes = np.column_stack([told, number + rng.normal(size=5000) / np.sqrt(3)])
    rows = parted(codes, np.column_stack([labels, number]), 3000, 4000)
    found = usable_information(*rows, ("discrete", "continuous"), rng)
    assert found.best == pytest.approx([0.531, 0.75], abs=0.04)
    assert found.nats[0] == pytest.approx(0.531 * np.log(2), abs=0.03)
    assert found.linear_accuracy[0] == pytest.approx(0.8, abs=0.04)  # (0.9 - 0.5) / (1 - 0.5)
    # ½ ln 4 = 0.693 nats in all, a little less of ten classes; their entropy is ln 10.
    assert found.nats[1] == pytest.approx(0.66, abs=0.05)
    assert found.entropy_nats[1] == pytest.approx(np.log(10), abs=0.02)


def test_a_class_absent_from_training_is_no_failure():
    factors = FACTORS[:, :1].copy()
    factors[:1000][factors[:1000] == 9] = 8
    found = usable(CONTENT, factors, ("discrete",))
    assert 0.3 < found.best[0] < 1


def test_whitening_forgets_turns_signs_and_scales():
    codes = np.random.default_rng(0).exponential(size=(300, 4)) * [1, 5, 0.1, 2]
    plain = whitened(*(part.codes for part in parted(codes, codes, 100, 200)))
    turned = whitened(*(part.codes for part in parted(-7 * codes @ rotation(4, 1) + 2, codes, 100, 200)))
    assert turned.test == pytest.approx(plain.test, abs=1e-8)
    assert np.cov(plain.train, rowvar=False, ddof=0) == pytest.approx(np.eye(4), abs=1e-9)


def test_gap_by_hand():
    table = np.array([[0.9, 0.2, 0.0], [0.1, 0.6, 0.8]])
    assert gap(table, Roles([0], [1, 2])) == pytest.approx(((0.8 + 0.6) / 2, 0.8, 0.6))


def test_equal_seeds_give_equal_scores():
    rows = [Rows(part.codes[:300], part.factors[:300]) for part in parted(CONTENT, FACTORS, *BORDERS)]
    one, two = (usable_information(*rows, KINDS, np.random.default_rng(7)) for _ in range(2))
    assert one.best.tolist() == two.best.tolist()
