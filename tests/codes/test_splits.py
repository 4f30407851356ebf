import numpy as np
import pytest
from synthetic_codes import KINDS, clip_factors, content_block, motion_block, parted, rotation

from whatmoves.codes.probes import usable_information
from whatmoves.codes.random_splits import random_blocks, random_splits
from whatmoves.codes.rows import Roles
from whatmoves.codes.splits import learned_split, reduced

FACTORS = clip_factors(1600)
ROLES = Roles([0], [1, 2, 3, 4])
MIXED = np.concatenate([content_block(FACTORS), motion_block(FACTORS)], axis=1) @ rotation(24, 9)
PARTS = parted(MIXED, FACTORS, 900, 1100)


def linear(parts, dims):
    halves = [part.block(dims) for part in parts]
    return usable_information(*halves, KINDS, np.random.default_rng(0), ("linear",)).linear


def test_the_learned_split_unmixes_a_rotation():
    split = learned_split(PARTS[0], KINDS, ROLES)
    turned = [split.projection(part) for part in PARTS]
    content, motion = (linear(turned, dims) for dims in split.blocks)
    assert content[0] > 0.9
    assert content[1:].max() < 0.1
    assert motion[0] < 0.1
    assert motion[1:].min() > 0.9


def test_the_learned_split_takes_the_asked_width():
    split = learned_split(PARTS[0], KINDS, ROLES, content_width=9)
    assert [len(dims) for dims in split.blocks] == [9, 15]


def test_the_learned_split_is_fitted_on_training_rows_alone():
    # Of 40 training rows and noise it finds nothing that holds on test rows.
    noise = np.random.default_rng(0).normal(size=(1600, 24))
    parts = parted(noise, FACTORS, 900, 1100)
    split = learned_split(parts[0], KINDS, ROLES)
    turned = [split.projection(part) for part in parts]
    assert max(linear(turned, dims).max() for dims in split.blocks) < 0.03


def test_a_dead_code_splits_into_dead_blocks():
    parts = parted(np.zeros((1600, 6)), FACTORS, 900, 1100)
    split = learned_split(parts[0], KINDS, ROLES)
    assert [len(dims) for dims in split.blocks] == [3, 3]
    assert np.ptp(split.projection(parts[2]).codes) == 0


def test_random_splits_are_halves_and_have_no_gap():
    for blocks in random_blocks(7, 5, np.random.default_rng(0)):
        assert sorted([*blocks.content, *blocks.motion]) == list(range(7))
        assert len(blocks.content) == 3
    found = random_splits(*PARTS, KINDS, ROLES, np.random.default_rng(0), count=8)
    assert abs(found.block_gap) < 0.1
    assert found.block_gap_deviation > 0
    assert min(found.content_in_motion, found.motion_in_content) > 0.2


def test_wide_codes_are_reduced_by_components_of_the_training_rows():
    rng = np.random.default_rng(0)
    codes = rng.normal(size=(500, 3)) @ rng.normal(size=(3, 40)) + 5
    assert reduced(codes, width=40) is None
    projection = reduced(codes[:300], width=3)
    (rows,) = parted(codes, codes)
    narrow = projection(rows).codes
    assert narrow.shape == (500, 3)
    # Three components hold all of it, also of rows they were not fitted on.
    assert narrow @ projection.matrix.T + projection.mean == pytest.approx(codes, abs=1e-9)


def test_a_code_wider_than_its_rows_is_reduced_to_the_same_subspace() -> None:
    train = np.random.default_rng(3).standard_normal((30, 50)) * np.linspace(1, 4, 50)
    narrow = reduced(train, 6)
    assert narrow is not None
    axes = np.linalg.svd(train - train.mean(0), full_matrices=False)[2][:6]
    np.testing.assert_allclose(narrow.matrix @ narrow.matrix.T, axes.T @ axes, atol=1e-9)
    dead = reduced(np.ones((30, 50)), 6)
    assert dead is not None
    assert dead.matrix.shape == (50, 6)
