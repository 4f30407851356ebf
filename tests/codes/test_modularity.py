import numpy as np
import pytest
from synthetic_codes import uniform_factors

from whatmoves.codes.modularity import modularity, modularity_from_mi

FACTORS = uniform_factors(3000, 4)
KINDS = ("continuous",) * 4


def run(codes):
    return modularity(codes, FACTORS, KINDS, np.random.default_rng(0))


@pytest.mark.parametrize(
    ("information", "expected"),
    [
        (np.eye(10), 1),
        (np.zeros((4, 3)), 0),
        (np.ones((4, 3)), 0),
        (np.diag([1.0, 1.0, 0.0]), 2 / 3),  # one empty dimension of three
        (np.array([[1.0, 1.0] + [0.0] * 8]), 8 / 9),  # one dimension, two of ten factors
        (np.eye(10)[:4], 1),
        (np.array([[0.3], [0.0]]), 1 / 2),  # one factor: nothing to mix, where anything is known
        (np.zeros((1, 1)), 0),
        (np.array([[2.0, 1.0, 0.0]]), 1 - 1 / 8),  # 1 - 1² / (2² · 2)
    ],
)
def test_scores_of_bare_matrices(information, expected):
    assert modularity_from_mi(information) == pytest.approx(expected)


def test_a_code_that_is_the_factors():
    assert run(FACTORS).score == pytest.approx(1, abs=0.001)
    assert run(FACTORS).weighted == pytest.approx(1, abs=0.001)
    assert run(np.tile(FACTORS, 2)).score == run(FACTORS).score


def test_noise_looks_modular_only_to_the_plain_form():
    # Plug-in bias grows with the number of classes: the factor with most seems to be the one that noise tells of.
    rng = np.random.default_rng(1)
    labels = np.stack([rng.integers(0, classes, 3000) for classes in (2, 3, 4, 30)], axis=1)
    found = modularity(rng.normal(size=(3000, 10)), labels, ("discrete",) * 4, rng)
    assert found.score > 0.9
    assert found.weighted == 0
    assert run(np.random.default_rng(1).normal(size=(3000, 10))).weighted == 0
    assert run(np.zeros((3000, 3))).weighted == 0


def test_noise_and_dead_dimensions_have_no_say_in_the_weighted_form():
    noise = np.random.default_rng(1).normal(size=(3000, 10))
    assert run(np.column_stack([FACTORS, noise])).weighted == pytest.approx(1, abs=0.005)
    dead = run(np.column_stack([FACTORS, np.zeros((3000, 2))]))
    assert dead.score == pytest.approx(4 / 6, abs=0.001)
    assert dead.weighted == pytest.approx(1, abs=0.001)


def test_a_rotated_code_is_less_modular():
    evenly = np.array([[1, 1, 1, 1], [1, -1, 1, -1], [1, 1, -1, -1], [1, -1, -1, 1]]) / 2
    found = run(FACTORS @ evenly)
    assert found.score < 0.3
    assert found.weighted < 0.4
