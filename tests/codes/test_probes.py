"""Probes that stop once they have converged, and whose arithmetic is written out, beside plain ones."""

import numpy as np
import pytest
import torch
from sklearn.ensemble import HistGradientBoostingClassifier

from whatmoves.codes import probes
from whatmoves.codes.probes import Parts, Target, _gradient, _layers, _Truth, mlp_probes, tree_probes

RNG = np.random.default_rng(0)
SIZES = (300, 100, 80)


def told(make):
    """What `make` tells of each part."""
    return [make(part) for part in CODES]


CODES = Parts(*(RNG.standard_normal((size, 4)) for size in SIZES))
CLASS = Target(True, *told(lambda x: (x[:, 0] > 0).astype(int) + (x[:, 1] > 1)), classes=3)
NUMBER = Target(False, *told(lambda x: np.sin(2 * x[:, 2])), classes=1)
MISLED = CLASS._replace(validation=2 - CLASS.validation)  # the more it learns the worse


def test_the_gradient_written_out_is_that_of_autograd():
    shapes = [(4, 5), (1, 5), (5, 3), (1, 3)]
    weights = RNG.standard_normal((2, 43)).astype(np.float32)
    truth, rows = _Truth.of([CLASS, NUMBER], "train", 3), CODES.train.astype(np.float32)
    tracked = torch.from_numpy(weights.copy()).requires_grad_()
    w1, b1, w2, b2 = (
        part.unflatten(1, shape) for part, shape in zip(tracked.split([20, 5, 15, 3], 1), shapes, strict=True)
    )
    raw = torch.relu(torch.from_numpy(rows) @ w1 + b1) @ w2 + b2
    nats = torch.nn.functional.cross_entropy(raw[0], torch.from_numpy(CLASS.train))
    error = (raw[1, :, 0] - torch.from_numpy(NUMBER.train)).square().mean()
    (nats + error).backward()
    assert tracked.grad is not None
    assert _gradient(_layers(weights, shapes), rows, truth) == pytest.approx(tracked.grad.numpy(), abs=2e-6)
    assert truth.losses(raw.detach().numpy()) == pytest.approx([nats.item(), error.item()], rel=1e-5)


def test_networks_that_have_converged_are_left_and_the_others_do_not_notice(monkeypatch):
    trained = []
    gradient = probes._gradient
    monkeypatch.setattr(
        probes, "_gradient", lambda layers, *rest: trained.append(len(layers[0])) or gradient(layers, *rest)
    )

    monkeypatch.setattr(probes, "BATCH_ROWS", 16)

    def found(patience):
        trained.clear()
        monkeypatch.setattr(probes, "MLP_PATIENCE", patience)
        return mlp_probes(CODES, [NUMBER, MISLED], np.random.default_rng(1))

    patient = found(1000)
    assert trained == [2] * len(trained)
    stopped = found(80)
    assert 1 in trained
    assert stopped[0].test == pytest.approx(patient[0].test, abs=1e-12)


def test_trees_on_cells_are_trees_on_codes():
    (found,) = tree_probes(CODES, [CLASS], RNG)
    plain = HistGradientBoostingClassifier(
        max_leaf_nodes=8, max_iter=30, max_bins=32, learning_rate=0.2, early_stopping=False, random_state=0
    ).fit(CODES.train, CLASS.train)
    stages = [probes._smoothed(stage) for stage in plain.staged_predict_proba(CODES.validation)]
    step = int(np.argmin([probes._loss(CLASS, stage, CLASS.validation) for stage in stages]))
    expected = [probes._smoothed(stage) for stage in plain.staged_predict_proba(CODES.test)][step]
    assert found.test == pytest.approx(expected, abs=1e-12)


def test_a_class_that_training_lacks_is_no_error():
    for strange in (np.full(SIZES[1], 3), np.where(np.arange(SIZES[1]) < 50, 3, CLASS.validation)):
        (found,) = tree_probes(CODES, [CLASS._replace(validation=strange, classes=4)], RNG)
        assert found.test.shape == (SIZES[2], 4)
