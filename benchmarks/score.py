"""`whatmoves score` of 4,000 codes of 32 dimensions, in seconds of the processor, and its boosted trees beside theirs.

disentanglement_lib's DCI is scikit-learn's gradient boosting by factor, which takes 98 % of its time; it is timed for
one factor of ten classes, on the same rows.

    OMP_NUM_THREADS=1 python benchmarks/score.py
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import sys
import tempfile
from pathlib import Path

import numpy as np
from latency import seconds
from rows import Row, keep, seconds_of_both
from sklearn.ensemble import GradientBoostingClassifier

from whatmoves.codes.boosting import boosted
from whatmoves.training.runtime import tune_malloc

COUNT, WIDTH, TURNS = 4000, 32, 3
TRAINED = COUNT * 2 // 3


def made() -> dict[str, np.ndarray]:
    """Codes that hold a class of ten and four numbers, spread over all dimensions, with no blocks named."""
    rng = np.random.default_rng(0)
    factors = np.column_stack([rng.integers(0, 10, COUNT), rng.uniform(-1, 1, size=(COUNT, 4))])
    told = np.concatenate([np.eye(10)[factors[:, 0].astype(int)], factors[:, 1:]], axis=1)
    codes = told @ rng.normal(size=(told.shape[1], WIDTH)) + 0.5 * rng.normal(size=(COUNT, WIDTH))
    kinds = np.array(["discrete"] + ["continuous"] * 4)
    return {"codes": codes.astype(np.float32), "factors": factors, "factor_kinds": kinds}


def main() -> None:
    """Print and keep the rows."""
    arrays = made()
    roles = {"content_factors": np.array([0]), "motion_factors": np.array([1, 2, 3, 4])}
    blocks = {"content_dims": np.arange(WIDTH // 2), "motion_dims": np.arange(WIDTH // 2, WIDTH)}
    of = f"{COUNT:,} × {WIDTH} codes"
    rows = []
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        torch = seconds(sys.executable, "-c", "import torch, sklearn.ensemble", folder=folder, turns=TURNS)
        for name, more in (("factors alone", {}), ("roles", roles), ("roles and blocks", roles | blocks)):
            np.savez(folder / "codes.npz", **arrays, **more)  # type: ignore[arg-type]
            took = seconds("whatmoves", "score", "codes.npz", folder=folder, turns=TURNS)
            peer = "import of PyTorch and scikit-learn"
            rows.append(Row(f"`whatmoves score`, {of}, {name}", took, "s", torch, peer, at_most=5))
    tune_malloc()  # as `whatmoves score` does
    train, test = arrays["codes"][:TRAINED], arrays["codes"][TRAINED:]
    label = arrays["factors"][:TRAINED, 0]
    ours, theirs = seconds_of_both(
        lambda: boosted(train, label, test, np.random.default_rng(0)),
        lambda: GradientBoostingClassifier().fit(train, label).predict(test),
        TURNS,
    )
    rows.append(Row("`--reference`: its trees of a factor", ours, "s", theirs, "scikit-learn", at_least=2))
    keep("score", rows, f"The least of {TURNS} turns; of trees the median turn.")


if __name__ == "__main__":
    main()
