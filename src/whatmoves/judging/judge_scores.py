"""What a judge's class probabilities say about generated clips: accuracy against the intent, diversity, certainty.

The set of the sequential-VAE line (Bai et al. 2021, C-DSVAE, section 5): Acc, IS, H(y|x), H(y), KL. All but the
accuracy ignore which class was meant: confidently wrong clips score as right ones do, so accuracy comes first.
"""

from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

TINY = 1e-16  # inside the logarithms, as in the reference


class JudgeScores(NamedTuple):
    """`accuracy` 0…1; `inception_score` 1…K; entropies and divergence in nats. For K balanced classes the best values
    are 1, K, 0, ln K, 0."""

    accuracy: float
    inception_score: float
    entropy_given_clip_nats: float
    entropy_marginal_nats: float
    kl_to_intended_nats: float


def judge_scores(probabilities: NDArray[Any], labels: NDArray[Any]) -> JudgeScores:
    """Scores of class `probabilities` `[N, K]` (rows sum to 1) of clips meant to show the classes `labels` `[N]`.

    IS and the entropies are means in which every intended class has equal weight, the exact expectation of the
    reference's random class-balanced subset. The divergence is from the judged to the intended class shares.
    """
    p = np.asarray(probabilities, dtype=np.float64)
    counts = np.bincount(labels, minlength=p.shape[1])
    weights = 1 / counts[labels] / np.count_nonzero(counts)  # [N], sums to 1
    marginal = weights @ p
    given = float(weights @ _entropy(p))
    divergence = (p * (np.log(p + TINY) - np.log(marginal + TINY))).sum(1)
    judged, intended = p.mean(0), counts / counts.sum()
    return JudgeScores(
        float((p.argmax(1) == labels).mean()),
        float(np.exp(weights @ divergence)),
        given,
        float(_entropy(marginal[None])[0]),
        float((judged * (np.log(judged + TINY) - np.log(intended + TINY))).sum()),
    )


def intervention_score(on_target: NDArray[Any], off_target: NDArray[Any], classes: NDArray[Any]) -> float:
    """1 - ½ [mean |1 - on| + mean |off - 1/classes|] of judge accuracies `[F]` after replacing one part of a code.

    `on_target`: accuracy about what should have stayed or come along; `off_target`: accuracy about what should have
    become chance, of factors with so many `classes` `[F]`. Barami et al. 2025 (MSD benchmark). Its floor is not 0:
    see `intervention_score_rescaled`.
    """
    missed = np.abs(1 - np.asarray(on_target)).mean()
    kept = np.abs(np.asarray(off_target) - 1 / np.asarray(classes)).mean()
    return float(1 - (missed + kept) / 2)


def intervention_score_rescaled(on_target: NDArray[Any], off_target: NDArray[Any], classes: NDArray[Any]) -> float:
    """`intervention_score` on the scale where judges at chance everywhere give 0 and perfect interventions 1."""
    floor = intervention_score(1 / np.asarray(classes), 1 / np.asarray(classes), classes)
    return (intervention_score(on_target, off_target, classes) - floor) / (1 - floor)


def _entropy(p: NDArray[np.float64]) -> NDArray[np.float64]:
    """Entropy of each row of `p`, nats, `[N]`."""
    h: NDArray[np.float64] = -(p * np.log(p + TINY)).sum(1)
    return h
