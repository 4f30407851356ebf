"""Probes: how much of a factor can be read from a block of code?

Usable information (Xu et al. 2020, A Theory of Usable Information, definition 2) of a family of predictors: the share
of the blind loss that the best member removes. Families are tuned and compared on validation rows; the test rows are
looked at once, by the chosen one.
"""

import itertools
import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import log_softmax, ndtr, softmax

from whatmoves.codes.discretise import inner_quantiles, labels
from whatmoves.codes.rows import Rows

BLIND = "blind"
LOGISTIC_STRENGTHS = (0.01, 0.1, 1.0, 10.0)
RIDGE_STRENGTHS = (0.1, 10.0, 100.0, 1000.0)  # in rows: whitened codes make the penalty comparable across blocks
TREE_LEAVES = 8
TREE_STEPS = 30
TREE_BINS = 32  # of a dimension; as good as 255 with some thousand rows, at half the cost for wide codes
TREE_PATIENCE = 6  # steps without a lower validation loss
HIDDEN_UNITS = 64
EPOCHS = 12
BATCH_ROWS = 256
LEARNING_RATE = 0.03
WEIGHT_DECAY = 0.1
MOMENTA = (0.9, 0.999)
MLP_PATIENCE = 32  # steps without a lower validation loss, which is asked for after each epoch
SMALLEST_SHARE = 1e-4  # of every predicted probability given to all classes alike: one sure mistake costs 9 nats, not ∞
NATS_BINS = 10


class Target(NamedTuple):
    """One factor over the three parts: class numbers, or numbers in deviations of the training part."""

    discrete: bool
    train: NDArray[Any]
    validation: NDArray[Any]
    test: NDArray[Any]
    classes: int


class Prediction(NamedTuple):
    """Of validation and test rows: class probabilities `[N, classes]`, or predicted values `[N]`."""

    validation: NDArray[np.float64]
    test: NDArray[np.float64]


class Parts(NamedTuple):
    """Codes of the three parts `[N, D]`, whitened by the training part."""

    train: NDArray[np.float64]
    validation: NDArray[np.float64]
    test: NDArray[np.float64]


class Usable(NamedTuple):
    """Per factor, `[K]` each. `best` and `linear` are 0…1 (chance 0): the share of log-loss removed for labels, R² for
    continuous factors, on test rows. `family` is what validation chose ("blind" where nothing beat the blind guess).

    `nats` is a lower bound on the mutual information (of a continuous factor: cut in 10 equal-frequency classes) and
    `entropy_nats` what it is a part of. `linear_accuracy` is chance-corrected accuracy (R² for continuous factors).
    """

    best: NDArray[np.float64]
    linear: NDArray[np.float64]
    family: tuple[str, ...]
    nats: NDArray[np.float64]
    entropy_nats: NDArray[np.float64]
    linear_accuracy: NDArray[np.float64]


def usable_information(
    train: Rows,
    validation: Rows,
    test: Rows,
    kinds: Sequence[str],
    rng: np.random.Generator,
    families: Sequence[str] = ("linear", "mlp", "trees"),
) -> Usable:
    """What `families` of probes can read of each factor from the codes; "linear" must be among them.

    Codes are turned to their own principal axes and whitened before any probe sees them. A block is a subspace: the
    scores cannot depend on how its axes are turned or scaled, not even for trees. A dead block scores exactly 0.
    """
    targets = [_target(train, validation, test, k, kind) for k, kind in enumerate(kinds)]
    parts = whitened(train.codes, validation.codes, test.codes)
    if parts.train.shape[1] == 0:
        predictions = {name: [_blind(target) for target in targets] for name in families}
    else:
        predictions = {name: FAMILIES[name](parts, targets, rng) for name in families}
    rows = [_judge(target, {name: found[k] for name, found in predictions.items()}) for k, target in enumerate(targets)]
    best, linear, family, nats, entropy, accuracy = zip(*rows, strict=True)
    return Usable(np.array(best), np.array(linear), family, np.array(nats), np.array(entropy), np.array(accuracy))


def permuted(rows: Rows, rng: np.random.Generator) -> Rows:
    """The same codes with factors of other rows: what a probe finds here is its own noise."""
    return Rows(rows.codes, rows.factors[rng.permutation(len(rows.factors))])


def whitened(train: NDArray[Any], validation: NDArray[Any], test: NDArray[Any]) -> Parts:
    """Codes on the principal axes of `train`, each of unit variance; axes without variance are dropped.

    The sign of an axis makes its third moment positive, so that equal blocks turned differently give equal numbers.
    """
    mean = train.mean(0, dtype=np.float64)
    known = train - mean
    values, axes = np.linalg.eigh(known.T @ known / len(known))
    # Float32 codes carry relative noise of 1e-7, squared in a variance.
    alive = values > max(1e-10 * float(values.max(initial=0.0)), 1e-12)  # a block may have no axis at all
    matrix = axes[:, alive] / np.sqrt(values[alive])
    turned = known @ matrix
    signs = np.where(np.einsum("nd,nd,nd->d", turned, turned, turned) < 0, -1.0, 1.0)
    matrix *= signs
    return Parts(turned * signs, (validation - mean) @ matrix, (test - mean) @ matrix)


def linear_probes(parts: Parts, targets: Sequence[Target], rng: np.random.Generator) -> list[Prediction]:
    """Multinomial logistic regression for labels, ridge regression for numbers; penalty chosen on validation."""
    return [_logistic(parts, target) if target.discrete else _ridge(parts, target) for target in targets]


def tree_probes(parts: Parts, targets: Sequence[Target], rng: np.random.Generator) -> list[Prediction]:
    """Boosted trees of 8 leaves; the number of steps chosen on validation, where boosting stops once nothing is gained.

    Codes are cut in bins once for all factors; trees that would cut them themselves get whole numbers.
    """
    from sklearn import config_context
    from sklearn.ensemble import HistGradientBoostingClassifier, HistGradientBoostingRegressor  # takes a second

    settings = {
        "max_leaf_nodes": TREE_LEAVES, "max_iter": TREE_STEPS, "max_bins": TREE_BINS, "learning_rate": 0.2,
        "early_stopping": True, "scoring": "loss", "n_iter_no_change": TREE_PATIENCE, "tol": 0.0, "random_state": 0,
    }  # fmt: skip
    cells = _cells(parts)
    found = []
    for target in targets:
        known = np.unique(target.train) if target.discrete else target.train
        seen = np.isin(target.validation, known) if target.discrete else np.full(len(target.validation), True)
        if len(known) < 2 or not seen.any():
            found.append(_blind(target))
            continue
        model = (HistGradientBoostingClassifier if target.discrete else HistGradientBoostingRegressor)(**settings)
        with config_context(assume_finite=True, skip_parameter_validation=True):
            model.fit(cells.train, target.train, X_val=cells.validation[seen], y_val=target.validation[seen])
            staged = model.staged_predict_proba if target.discrete else model.staged_predict

            def classes(stage: NDArray[Any], model: Any = model, target: Target = target) -> NDArray[np.float64]:
                return _all_classes(stage, model.classes_, target) if target.discrete else stage

            validation = [classes(stage) for stage in staged(cells.validation)]
            step = int(np.argmin([_loss(target, p, target.validation) for p in validation]))
            test = classes(next(itertools.islice(staged(cells.test), step, None)))
        found.append(Prediction(validation[step], test))
    return found


def _cells(parts: Parts) -> Parts:
    """Bin numbers of codes by the quantiles of the training part, the same bins that scikit-learn's trees cut."""
    cells = Parts(*(np.empty(part.shape) for part in parts))
    shares = np.arange(1, TREE_BINS) / TREE_BINS
    for d, column in enumerate(parts.train.T):
        cuts = np.unique(np.quantile(column, shares, method="averaged_inverted_cdf"))
        for cell, part in zip(cells, parts, strict=True):
            cell[:, d] = np.searchsorted(cuts, part[:, d], side="left")
    return cells


def mlp_probes(parts: Parts, targets: Sequence[Target], rng: np.random.Generator) -> list[Prediction]:
    """One network of 64 hidden units per factor, all trained at once; each keeps its best epoch on validation, and is
    trained no longer once it has not become better for some steps. Gradients are written out: the networks are small.
    """
    generator = torch.Generator().manual_seed(int(rng.integers(2**31)))
    x, x_validation, x_test = (part.astype(np.float32) for part in parts)
    width, outputs = x.shape[1], max(target.classes for target in targets)
    shapes = [(width, HIDDEN_UNITS), (1, HIDDEN_UNITS), (HIDDEN_UNITS, outputs), (1, outputs)]
    scales = [(2 / width) ** 0.5, 0.0, HIDDEN_UNITS**-0.5, 0.0]
    fresh = [
        torch.randn(len(targets), *shape, generator=generator) * scale
        for shape, scale in zip(shapes, scales, strict=True)
    ]
    weights = torch.cat([layer.flatten(1) for layer in fresh], dim=1).numpy()  # [F, numbers of one network]
    mean, square = np.zeros_like(weights), np.zeros_like(weights)
    truth, seen = (_Truth.of(targets, part, outputs) for part in ("train", "validation"))
    best, lowest = weights.copy(), np.full(len(targets), np.inf, np.float32)
    active, since = np.arange(len(targets)), np.zeros(len(targets), int)  # factors, and the step at which each was best
    step, steps = 0, EPOCHS * -(-len(x) // BATCH_ROWS)
    for _ in range(EPOCHS):
        order = torch.randperm(len(x), generator=generator).numpy()
        for rows in np.split(order, range(BATCH_ROWS, len(x), BATCH_ROWS)):
            gradient = _gradient(_layers(weights, shapes), x[rows], truth.rows(rows))
            rate = LEARNING_RATE * (1 + math.cos(math.pi * step / steps)) / 2
            step += 1
            weights *= 1 - rate * WEIGHT_DECAY  # AdamW
            mean += (1 - MOMENTA[0]) * (gradient - mean)
            square += (1 - MOMENTA[1]) * (np.square(gradient) - square)
            spread = np.sqrt(square / (1 - MOMENTA[1] ** step)) + 1e-8
            weights -= rate / (1 - MOMENTA[0] ** step) * mean / spread
        loss = seen.losses(_outputs(_layers(weights, shapes), x_validation)[1])
        better = loss < lowest[active]
        lowest[active[better]], best[active[better]] = loss[better], weights[better]
        since = np.where(better, step, since)
        going = step - since < MLP_PATIENCE
        if not going.any():
            break
        if not going.all():
            active, since, weights, mean, square = (part[going] for part in (active, since, weights, mean, square))
            truth, seen = truth.factors(going), seen.factors(going)
    validation, test = (_outputs(_layers(best, shapes), part)[1].astype(np.float64) for part in (x_validation, x_test))
    found = []
    for k, target in enumerate(targets):
        if target.discrete:
            both = [_smoothed(softmax(part[k, :, : target.classes], axis=1)) for part in (validation, test)]
        else:
            both = [part[k, :, 0] for part in (validation, test)]
        found.append(Prediction(*both))
    return found


class _Truth(NamedTuple):
    """What F networks should say of N rows: `goal` `[F, N, outputs]` has a 1 at the class, or the number in front;
    `shut` `[F, 1, outputs]` is 0 for outputs that a factor has, and −10⁹ for others; `discrete` `[F, 1, 1]`."""

    goal: NDArray[np.float32]
    shut: NDArray[np.float32]
    discrete: NDArray[np.bool_]

    @classmethod
    def of(cls, targets: Sequence[Target], part: str, outputs: int) -> "_Truth":
        """The truth about one part."""
        goal = np.zeros((len(targets), len(getattr(targets[0], part)), outputs), np.float32)
        for of_factor, target in zip(goal, targets, strict=True):
            told = getattr(target, part)
            if target.discrete:
                of_factor[np.arange(len(told)), told] = 1.0
            else:
                of_factor[:, 0] = told
        beyond = [[np.arange(outputs) >= target.classes] for target in targets]
        shut = np.where(beyond, np.float32(-1e9), np.float32(0))
        return cls(goal, shut, np.array([[[target.discrete]] for target in targets]))

    def rows(self, rows: NDArray[np.int64]) -> "_Truth":
        """The same about some rows."""
        return self._replace(goal=self.goal[:, rows])

    def factors(self, which: NDArray[np.bool_]) -> "_Truth":
        """The same about some factors."""
        return _Truth(self.goal[which], self.shut[which], self.discrete[which])

    def losses(self, raw: NDArray[np.float32]) -> NDArray[np.float32]:
        """Mean log-loss in nats, or mean squared error, `[F]` of outputs `raw` `[F, N, outputs]`."""
        nats = -(log_softmax(raw + self.shut, axis=2) * self.goal).sum(2)
        losses: NDArray[np.float32] = np.where(self.discrete[..., 0], nats, np.square((raw - self.goal)[..., 0])).mean(
            1
        )
        return losses


def _layers(weights: NDArray[np.float32], shapes: Sequence[tuple[int, int]]) -> list[NDArray[np.float32]]:
    """The layers `[F, *shape]` in the rows of `weights`."""
    parts = np.split(weights, np.cumsum([math.prod(shape) for shape in shapes])[:-1], axis=1)
    return [part.reshape(-1, *shape) for part, shape in zip(parts, shapes, strict=True)]


def _outputs(
    layers: Sequence[NDArray[np.float32]], rows: NDArray[np.float32]
) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Hidden units `[F, N, hidden]` and outputs `[F, N, outputs]` for rows `[N, D]`."""
    hidden: NDArray[np.float32] = rows @ layers[0]
    hidden += layers[1]
    np.maximum(hidden, 0, out=hidden)
    outputs: NDArray[np.float32] = hidden @ layers[2]
    outputs += layers[3]
    return hidden, outputs


def _gradient(layers: Sequence[NDArray[np.float32]], rows: NDArray[np.float32], truth: _Truth) -> NDArray[np.float32]:
    """Gradients of `_Truth.losses` by the weights of F networks, in the order of `layers`: `[F, numbers]`."""
    hidden, raw = _outputs(layers, rows)
    wrong = np.where(truth.discrete, softmax(raw + truth.shut, axis=2) - truth.goal, 2 * (raw - truth.goal))
    wrong *= (truth.shut == 0) / np.float32(len(rows))
    behind = wrong @ layers[2].mT
    behind *= hidden > 0
    parts = (rows.T @ behind, behind.sum(1), hidden.mT @ wrong, wrong.sum(1))
    return np.concatenate([part.reshape(len(wrong), -1) for part in parts], axis=1)


FAMILIES: dict[str, Callable[[Parts, Sequence[Target], np.random.Generator], list[Prediction]]] = {
    "linear": linear_probes,
    "mlp": mlp_probes,
    "trees": tree_probes,
}


def _target(train: Rows, validation: Rows, test: Rows, k: int, kind: str) -> Target:
    parts = [rows.factors[:, k] for rows in (train, validation, test)]
    cuts = np.cumsum([len(part) for part in parts])[:2]
    if kind == "discrete":
        numbered = labels(np.concatenate(parts))
        known, chosen, unseen = np.split(numbered, cuts)
        return Target(True, known, chosen, unseen, int(numbered.max()) + 1)
    mean, deviation = parts[0].mean(dtype=np.float64), parts[0].std(dtype=np.float64)
    known, chosen, unseen = ((part - mean) / deviation for part in parts)
    return Target(False, known, chosen, unseen, 1)


def _logistic(parts: Parts, target: Target) -> Prediction:
    if len(np.unique(target.train)) < 2:
        return _blind(target)
    from sklearn import config_context
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    model = LogisticRegression(max_iter=200, warm_start=True)
    best, lowest = _blind(target), np.inf
    for strength in LOGISTIC_STRENGTHS:  # from stiff to loose, each from where the last one ended
        model.set_params(C=strength)
        with warnings.catch_warnings(), config_context(assume_finite=True, skip_parameter_validation=True):
            warnings.simplefilter("ignore", ConvergenceWarning)  # an unfinished fit is one more candidate
            model.fit(parts.train, target.train)
        seen = _all_classes(model.predict_proba(parts.validation), model.classes_, target)
        loss = _loss(target, seen, target.validation)
        if loss >= lowest:
            break  # a looser fit yet follows the training rows still more
        best, lowest = Prediction(seen, _all_classes(model.predict_proba(parts.test), model.classes_, target)), loss
    return best


def _ridge(parts: Parts, target: Target) -> Prediction:
    """Ridge regression on whitened codes, where every penalty is only another scale of one prediction."""
    moment = parts.train.T @ target.train
    seen, unseen = parts.validation @ moment, parts.test @ moment
    scales = [1 / (len(parts.train) + strength) for strength in RIDGE_STRENGTHS]
    scale = min(scales, key=lambda scale: _loss(target, scale * seen, target.validation))
    return Prediction(scale * seen, scale * unseen)


def _blind(target: Target) -> Prediction:
    """The guess without input: training class shares, or the training mean."""
    if not target.discrete:
        return Prediction(np.zeros(len(target.validation)), np.zeros(len(target.test)))
    shares = _smoothed(np.bincount(target.train, minlength=target.classes)[None] / len(target.train))
    return Prediction(shares.repeat(len(target.validation), 0), shares.repeat(len(target.test), 0))


def _judge(target: Target, found: dict[str, Prediction]) -> tuple[float, float, str, float, float, float]:
    """The fields of `Usable` for one factor."""
    blind = _blind(target)
    candidates = {BLIND: blind, **found}
    family = min(candidates, key=lambda name: _loss(target, candidates[name].validation, target.validation))
    blind_loss = _loss(target, blind.test, target.test)

    def share(prediction: Prediction) -> float:
        return float(np.clip(1 - _loss(target, prediction.test, target.test) / blind_loss, 0, 1))

    entropy, left = _nats(target, blind), _nats(target, candidates[family])
    linear = found["linear"]
    if target.discrete:
        right, chance = (np.mean(p.test.argmax(1) == target.test) for p in (linear, blind))
        accuracy = float(np.clip((right - chance) / (1 - chance), 0, 1))
    else:
        accuracy = share(linear)
    return share(candidates[family]), share(linear), family, max(0.0, entropy - left), entropy, accuracy


def _loss(target: Target, predicted: NDArray[np.float64], truth: NDArray[Any]) -> float:
    """Mean log-loss in nats, or mean squared error."""
    if target.discrete:
        return float(-np.log(predicted[np.arange(len(truth)), truth]).mean())
    return float(np.square(predicted - truth).mean())


def _nats(target: Target, prediction: Prediction) -> float:
    """Test log-loss in nats; of numbers, that of naming one of 10 equal-frequency classes.

    The chance of a class is the mass that a normal density around the predicted value puts there, as wide as the
    errors on validation. Any such guess bounds the information from below.
    """
    if target.discrete:
        return _loss(target, prediction.test, target.test)
    cuts = inner_quantiles(target.train, NATS_BINS)
    truth = np.searchsorted(cuts, target.test, side="right")
    if not np.any(prediction.test != 0):
        shares = np.bincount(np.searchsorted(cuts, target.train, side="right"), minlength=len(cuts) + 1)
        return float(-np.log(_smoothed(shares[None] / shares.sum())[0, truth]).mean())
    width = max(float(np.sqrt(np.square(prediction.validation - target.validation).mean())), 1e-6)
    below = ndtr((cuts - prediction.test[:, None]) / width)  # [N, cuts]
    mass = np.diff(below, axis=1, prepend=0.0, append=1.0)
    return float(-np.log(_smoothed(mass)[np.arange(len(truth)), truth]).mean())


def _all_classes(found: NDArray[Any], present: NDArray[Any], target: Target) -> NDArray[np.float64]:
    """Probabilities over all classes, of a model that met only the classes `present` in training."""
    wide = np.zeros((len(found), target.classes))
    wide[:, present] = found
    return _smoothed(wide)


def _smoothed(probabilities: NDArray[Any]) -> NDArray[np.float64]:
    smoothed: NDArray[np.float64] = (1 - SMALLEST_SHARE) * probabilities + SMALLEST_SHARE / probabilities.shape[1]
    return smoothed
