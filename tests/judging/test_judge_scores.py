import numpy as np
import pytest

from whatmoves.judging.judge_scores import intervention_score, intervention_score_rescaled, judge_scores

LABELS = np.arange(40) % 10
LN_TEN = np.log(10)


def test_right_and_sure():
    assert judge_scores(np.eye(10)[LABELS], LABELS) == pytest.approx((1, 10, 0, LN_TEN, 0), abs=1e-9)


def test_wrong_and_sure_differs_in_accuracy_alone():
    right, wrong = judge_scores(np.eye(10)[LABELS], LABELS), judge_scores(np.eye(10)[(LABELS + 1) % 10], LABELS)
    assert wrong.accuracy == 0
    assert wrong[1:] == pytest.approx(right[1:], abs=1e-9)


def test_undecided():
    found = judge_scores(np.full((40, 10), 0.1), LABELS)
    assert found[1:] == pytest.approx((1, LN_TEN, LN_TEN, 0), abs=1e-9)


def test_collapsed_to_one_class():
    found = judge_scores(np.eye(10)[np.zeros(40, int)], LABELS)
    assert found.accuracy == pytest.approx(0.1)
    assert found.inception_score == pytest.approx(1)
    assert found.entropy_marginal_nats == pytest.approx(found.entropy_given_clip_nats, abs=1e-9)
    assert found.kl_to_intended_nats == pytest.approx(LN_TEN)


def test_intended_classes_weigh_alike():
    # 30 clips of class 0 and 10 of class 1, all judged right: balanced, the marginal is even.
    labels = np.repeat([0, 1], [30, 10])
    found = judge_scores(np.eye(2)[labels], labels)
    assert found.entropy_marginal_nats == pytest.approx(np.log(2))
    assert found.kl_to_intended_nats == pytest.approx(0, abs=1e-9)


def test_intervention():
    classes = np.array([8, 10, 16])
    chance = 1 / classes
    perfect = intervention_score(np.ones(3), chance, classes)
    nothing = intervention_score(np.ones(3), np.ones(3), classes)
    assert perfect == pytest.approx(1)
    # mean 1/classes = 0.0958: 1 - ½ (1 - 0.0958) for a model that changes nothing, and for a judge that sees nothing.
    assert nothing == pytest.approx(0.548, abs=5e-4)
    assert intervention_score(chance, chance, classes) == pytest.approx(nothing)
    assert intervention_score(chance, np.ones(3), classes) == pytest.approx(0.096, abs=5e-4)
    assert intervention_score_rescaled(np.ones(3), np.ones(3), classes) == pytest.approx(0)
    assert intervention_score_rescaled(np.ones(3), chance, classes) == pytest.approx(1)
