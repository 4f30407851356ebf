"""Seconds of the content–motion metrics on one core, and ratios to what a user would otherwise call, in the same run.

OMP_NUM_THREADS=1 python benchmarks/metrics.py
"""

import time
from collections.abc import Callable

import numpy as np
import torch
from hyppo.independence import Dcorr
from sklearn.ensemble import GradientBoostingRegressor
from sklearn.metrics import mutual_info_score

from whatmoves.analysis.statistics import hierarchical_bootstrap
from whatmoves.codes.blocks import block_scores
from whatmoves.codes.dci import dci
from whatmoves.codes.dependence import dependence
from whatmoves.codes.discretise import equal_width, factor_classes, mutual_information_nats
from whatmoves.codes.explicitness import explicitness
from whatmoves.codes.modularity import modularity
from whatmoves.codes.random_splits import random_splits
from whatmoves.codes.rows import Blocks, Roles, Rows
from whatmoves.codes.sap import sap

KINDS = ("discrete",) + ("continuous",) * 4
ROLES = Roles([0], [1, 2, 3, 4])


def seconds(call: Callable[[], object]) -> float:
    """Wall time of one call."""
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def made(count: int, width: int) -> Rows:
    """Codes `[N, D]` that hold a class of ten and four numbers, spread over all dimensions."""
    rng = np.random.default_rng(0)
    factors = np.column_stack([rng.integers(0, 10, count), rng.uniform(-1, 1, size=(count, 4))])
    told = np.concatenate([np.eye(10)[factors[:, 0].astype(int)], factors[:, 1:]], axis=1)
    mixing = rng.normal(size=(told.shape[1], width))
    return Rows(told @ mixing + 0.5 * rng.normal(size=(count, width)), factors)


def between(rows: Rows, first: int, last: int) -> Rows:
    """Rows `first` … `last - 1`."""
    return Rows(rows.codes[first:last], rows.factors[first:last])


def main() -> None:
    """Print the times and ratios."""
    torch.set_num_threads(1)
    rng = np.random.default_rng(0)
    rows = made(3500, 32)
    train, validation, test = between(rows, 0, 2000), between(rows, 2000, 2500), between(rows, 2500, 3500)
    blocks = Blocks(np.arange(16), np.arange(16, 32))
    content, motion = test.codes[:, :16], test.codes[:, 16:]
    dependence(content[:50], motion[:50], rng, 9)  # warm up torch's first optimiser step
    suite = {
        "blocks": lambda: block_scores(train, validation, test, KINDS, blocks, ROLES, rng),
        "dependence": lambda: dependence(content, motion, rng),
        "random splits": lambda: random_splits(train, validation, test, KINDS, ROLES, rng),
        "dci": lambda: dci(train, test, KINDS, rng),
        "sap": lambda: sap(train, test, KINDS),
        "modularity": lambda: modularity(train.codes, train.factors, KINDS, rng),
        "explicitness": lambda: explicitness(train, test, KINDS),
    }
    total = 0.0
    for name, call in suite.items():
        total += (taken := seconds(call))
        print(f"{name}, 32 dimensions, 2,000 + 500 + 1,000 rows: {taken:.2f} s")
    print(f"whole suite of one checkpoint: {total:.2f} s (goal 10)")

    wide = made(3000, 256)
    wide_train, wide_test = between(wide, 0, 2000), between(wide, 2000, 3000)
    ours = seconds(lambda: dci(wide_train, wide_test, KINDS, rng))
    print(f"dci, 256 dimensions, 5 factors, 3,000 rows: {ours:.1f} s (goal 60)")
    boosting = seconds(lambda: GradientBoostingRegressor().fit(wide_train.codes, wide_train.factors[:, 1]))
    # A ten-class classifier grows ten trees a step.
    print(
        f"scikit-learn's boosting for one number of it: {boosting:.1f} s, for the five factors ≈ {14 * boosting:.0f} s"
    )

    binned, classes = equal_width(wide.codes, 20), factor_classes(wide.factors, KINDS, 10)
    loop = seconds(lambda: [mutual_info_score(z, f) for z in binned.T for f in classes.T])
    ours = seconds(lambda: mutual_information_nats(binned, classes))
    print(f"information of 256 × 5 columns: {ours:.3f} s, {loop / ours:.0f}× as fast as scikit-learn one by one")

    Dcorr(bias=False).test(content[:50], motion[:50], reps=9, auto=False, workers=1)  # compiles for half a minute
    ours = seconds(lambda: dependence(content, motion, rng, 99))
    theirs = seconds(lambda: Dcorr(bias=False).test(content, motion, reps=99, auto=False, workers=1))
    print(f"six dependence measures, 99 permutations: {ours:.2f} s; hyppo's distance correlation alone {theirs:.2f} s")

    values = [rng.normal(size=1000) for _ in range(8)]
    taken = seconds(lambda: hierarchical_bootstrap(values, 10_000, rng))
    print(f"hierarchical bootstrap, 8 seeds × 1,000 clips, 10,000 draws: {taken:.2f} s")


if __name__ == "__main__":
    main()
