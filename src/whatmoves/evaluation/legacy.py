"""The measures of the original content/motion VAE as it defined them, under the name `legacy_*`.

They stand beside the fixed measures so that a reader finds the original's numbers again, flaws included. What is known
about them: single dimensions of a distributed code say next to nothing, so SAP gaps are near 0 for any model; SAP
scores the very points it was fitted on; Pearson misses nonlinear dependence; `swap_quality` prefers a video that was
not swapped at all. The original's temporal consistency stands in `whatmoves.evaluation.quality`.

Only the random 80/20 split of the prediction measure is changed: it has a seed here. The original scored 1,000 clips;
larger sets are cut to their first 1,000. Models without content and motion blocks get none of the block measures: the
original cut their code in two halves and called those content and motion, which says nothing about them.
"""

import warnings
from typing import Any

import numpy as np
from numpy.typing import NDArray

CLIPS = 1_000
DIRECTION_BINS = 8
SWAP_PAIRS = 100

Floats = NDArray[np.floating[Any]]
Labels = NDArray[np.int64]


def direction_bins(velocity_x: Floats, velocity_y: Floats) -> Labels:
    """The original's motion label: initial direction of the first digit in 8 equal sectors, 0 … 7, from −π."""
    angle = np.arctan2(np.asarray(velocity_y, float), np.asarray(velocity_x, float))
    bins: Labels = np.floor((angle + np.pi) / (2 * np.pi) * DIRECTION_BINS).astype(np.int64) % DIRECTION_BINS
    return bins


def block_measures(content: Floats, motion: Floats, content_labels: Labels, motion_labels: Labels) -> dict[str, float]:
    """SAP, prediction and correlation measures of two code blocks.

    Args:
        content: content block, `[N, D_c]`.
        motion: motion block, `[N, D_m]`.
        content_labels: class of the first digit, `[N]`.
        motion_labels: `direction_bins` of the first digit, `[N]`.

    Returns:
        `legacy_sap_{cc,cm,mm,mc}` (first letter the block, second the label), `legacy_sap`,
        `legacy_prediction_{cc,cm,mm,mc}`, `legacy_prediction_{content,motion,overall}` and
        `legacy_correlation_{mean,max,frobenius}`.
    """
    content, motion = np.asarray(content, float)[:CLIPS], np.asarray(motion, float)[:CLIPS]
    labels = {"c": np.asarray(content_labels)[:CLIPS], "m": np.asarray(motion_labels)[:CLIPS]}
    values: dict[str, float] = {}
    for block_name, block in (("c", content), ("m", motion)):
        for label_name, label in labels.items():
            values[f"legacy_sap_{block_name}{label_name}"] = sap(block, label)
            values[f"legacy_prediction_{block_name}{label_name}"] = prediction_accuracy(block, label)
    for measure, parts in (("sap", ""), ("prediction", "_overall")):
        cc, cm, mm, mc = (values[f"legacy_{measure}_{pair}"] for pair in ("cc", "cm", "mm", "mc"))
        values[f"legacy_{measure}{parts}"] = ((cc - cm) + (mm - mc)) / 2
        if parts:
            values["legacy_prediction_content"], values["legacy_prediction_motion"] = cc - cm, mm - mc
    return values | correlation(content, motion)


def sap(codes: Floats, labels: Labels) -> float:
    """Gap between the two single dimensions that best classify `labels` `[N]`, by in-sample logistic accuracy.

    0 for a code of fewer than two dimensions, where there is no second best.
    """
    accuracies = sorted(_accuracy(codes[:, [j]], labels, codes[:, [j]], labels) for j in range(codes.shape[1]))
    return float(accuracies[-1] - accuracies[-2]) if len(accuracies) > 1 else 0.0


def prediction_accuracy(codes: Floats, labels: Labels, seed: int = 0) -> float:
    """Accuracy of a logistic regression on standardised codes `[N, D]`: fitted on 80 % of rows, scored on the rest."""
    order = np.random.default_rng(seed).permutation(len(codes))
    test, train = np.split(order, [round(0.2 * len(order))])
    spread = codes[train].std(0)
    standard = (codes - codes[train].mean(0)) / np.where(spread > 0, spread, 1)
    return _accuracy(standard[train], labels[train], standard[test], labels[test])


def correlation(content: Floats, motion: Floats) -> dict[str, float]:
    """|Pearson r| of every content with every motion dimension: mean, max and Frobenius norm / √(D_c·D_m).

    A constant dimension correlates with nothing (r = 0).
    """

    def standardised(codes: Floats) -> Floats:
        centred = codes - codes.mean(0)
        norm = np.sqrt((centred**2).sum(0))
        return np.asarray(centred / np.where(norm > 1e-12 * np.sqrt(len(codes)), norm, np.inf))

    r = np.abs(standardised(content).T @ standardised(motion))
    return {
        "legacy_correlation_mean": float(r.mean()),
        "legacy_correlation_max": float(r.max()),
        "legacy_correlation_frobenius": float(np.sqrt((r**2).mean())),
    }


def swap_measures(content_source: Floats, motion_source: Floats, swapped: Floats) -> dict[str, float]:
    """The original's judgement of swaps, all three videos `[N, T, C, H, W]` in [0, 1]; it took 100 pairs, so do we.

    Returns:
        `legacy_content_preservation` = 1 − mean |difference of the time-averaged frames|,
        `legacy_motion_correlation` = Pearson r of the mean |frame difference| series of motion source and swap, over
        all pairs and steps at once, and `legacy_swap_quality` = (preservation + max(0, correlation)) / 2. The last two
        are absent where a series is constant, as for still videos, because r does not exist there.
    """
    a, b, swap = (np.asarray(video[:SWAP_PAIRS], float) for video in (content_source, motion_source, swapped))
    preservation = float(1 - np.abs(a.mean(1) - swap.mean(1)).mean())
    values = {"legacy_content_preservation": preservation}
    true_motion, own_motion = (np.abs(np.diff(v, axis=1)).mean((2, 3, 4)).ravel() for v in (b, swap))
    if true_motion.size > 1 and min(true_motion.std(), own_motion.std()) > 1e-9:
        r = float(np.corrcoef(true_motion, own_motion)[0, 1])
        values["legacy_motion_correlation"] = r
        values["legacy_swap_quality"] = (preservation + max(0.0, r)) / 2
    return values


def _accuracy(train: Floats, train_labels: Labels, test: Floats, test_labels: Labels) -> float:
    from sklearn.exceptions import ConvergenceWarning
    from sklearn.linear_model import LogisticRegression

    if len(np.unique(train_labels)) < 2:
        return float((test_labels == train_labels[0]).mean())
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", ConvergenceWarning)  # 1,000 iterations are the answer, converged or not
        return float(LogisticRegression(max_iter=1_000).fit(train, train_labels).score(test, test_labels))
