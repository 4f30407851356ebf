"""The part of a code that linear probes attribute to one factor, and a code with that part taken from another clip.

A ridge probe is fitted from training codes to all factors at once and its penalty chosen on validation clips. The part
of factor f is then the least change of a code, in the metric of the codes' own covariance, that moves what the probe
reads of f all the way from one clip to the other and leaves what it reads of every other factor: with probe W `[D, K]`
and covariance S `[D, D]`, the map of a difference of codes d `[D]`

    d → S W (Wᵀ S W)⁺ E_f Wᵀ d,    E_f keeps the columns of f.

Where a probe that never saw the validation clips explains next to nothing of f there, the code has no such part.
"""

from collections.abc import Mapping
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import Ridge

from whatmoves.evaluation.swaps import Codes

LEAST_EXPLAINED = 0.1  # share of a factor's variance on validation clips under which a code has no part for it
PENALTIES = 10.0 ** np.arange(-2, 5)  # of ridge probes from standardised codes


class Parts(NamedTuple):
    """`maps`: factor → `[D, D]`, to be applied to rows of differences from the right; `explained`: factor → share of
    its variance that the probe explains on validation clips; D counts all blocks, joined by name."""

    maps: dict[str, NDArray[np.float64]]
    explained: dict[str, float]

    def exchanged(self, factor: str, giver: Codes, receiver: Codes) -> Codes:
        """Codes `[N, D]` of the `receiver` with the part of `factor` of the `giver`."""
        names = sorted(receiver)
        mine, theirs = (joined(codes) for codes in (receiver, giver))
        mixed = (mine + (theirs - mine) @ self.maps[factor]).astype(np.float32)
        borders = np.cumsum([receiver[name].shape[1] for name in names])[:-1]
        return dict(zip(names, np.split(mixed, borders, axis=1), strict=True))


def joined(codes: Codes) -> NDArray[np.float64]:
    """All blocks of a code beside each other, `[N, D]`."""
    return np.concatenate([codes[name] for name in sorted(codes)], axis=1).astype(np.float64)


def fitted_parts(
    train: Codes,
    validation: Codes,
    train_targets: Mapping[str, NDArray[np.float64]],
    validation_targets: Mapping[str, NDArray[np.float64]],
) -> Parts:
    """The parts of all factors; targets are columns `[N, k]` by factor (a label as indicators of its classes)."""
    codes, held_out = joined(train), joined(validation)
    mean, scale = codes.mean(0), codes.std(0)
    scale = np.where(scale > 0, scale, 1.0)
    codes, held_out = (codes - mean) / scale, (held_out - mean) / scale
    wanted = np.concatenate([*train_targets.values()], axis=1)
    centre, spread = wanted.mean(0), wanted.std(0)
    spread = np.where(spread > 0, spread, 1.0)
    truth = (np.concatenate([*validation_targets.values()], axis=1) - centre) / spread
    probes = [Ridge(alpha=penalty).fit(codes, (wanted - centre) / spread) for penalty in PENALTIES]
    errors = [np.square(probe.predict(held_out) - truth) for probe in probes]
    best = int(np.argmin([error.mean() for error in errors]))
    weights = np.asarray(probes[best].coef_, np.float64).reshape(wanted.shape[1], -1).T  # [D, K]
    covariance = np.cov(codes, rowvar=False, ddof=0).reshape(len(mean), len(mean))
    back = np.linalg.pinv(weights.T @ covariance @ weights, rcond=1e-8, hermitian=True) @ weights.T @ covariance
    maps, explained, first = {}, {}, 0
    for factor, columns in train_targets.items():
        own = slice(first, first := first + columns.shape[1])
        maps[factor] = (weights[:, own] @ back[own]) * scale[None] / scale[:, None]
        variance = np.square(truth[:, own] - truth[:, own].mean(0)).sum()
        explained[factor] = float(1 - errors[best][:, own].sum() / variance) if variance > 0 else 0.0
    return Parts(maps, explained)
