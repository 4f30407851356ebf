"""What the intervals and verdicts cover, by simulation: the table of docs/measures.md.

OMP_NUM_THREADS=1 python benchmarks/coverage.py
"""

import numpy as np
from numpy.typing import NDArray

from whatmoves.analysis.statistics import Sample, difference, hierarchical_bootstrap, stand

TRIALS, CLIPS = 2000, 200
SEEDS = (2, 3, 5, 8, 10)
# Standard deviations of seeds, of clips (alike for all seeds), and of what is left, for a mean of 0.
NOISE = {"seeds": (1.0, 0.5, 0.5), "clips": (0.02, 1.0, 0.5), "both": (0.1, 1.0, 1.0)}


def tables(rng: np.random.Generator, trials: int, seeds: int, noise: tuple[float, float, float]) -> NDArray[np.float64]:
    """`[trials, S, N]` with a true mean of 0."""
    of_seeds, of_clips, rest = noise
    clips = of_clips * rng.normal(size=(trials, 1, CLIPS))
    left = rest * rng.normal(size=(trials, seeds, CLIPS))
    return of_seeds * rng.normal(size=(trials, seeds, 1)) + clips + left


def sample(table: NDArray[np.float64]) -> Sample:
    """The table `[S, N]` as a measure."""
    return Sample({str(seed): float(mean) for seed, mean in enumerate(table.mean(1))}, table)


def main() -> None:
    """Print a table in Markdown."""
    rng = np.random.default_rng(0)
    print("| seeds | noise of | interval of a mean covers | interval of a difference covers | falsely told apart |")
    print("|---|---|---|---|---|")
    for seeds in SEEDS:
        for name, noise in NOISE.items():
            first, second = (tables(rng, TRIALS, seeds, noise) for _ in range(2))
            means = [hierarchical_bootstrap(list(table[:, :, None]), 100, rng)[0] for table in first]
            apart = [difference(sample(a), sample(b)).interval for a, b in zip(first, second, strict=True)]
            false = [stand(sample(a), sample(b)) != "=" for a, b in zip(first, second, strict=True)]
            covered = [np.mean([ends is not None and ends[0] <= 0 <= ends[1] for ends in of]) for of in (means, apart)]
            print(f"| {seeds} | {name} | {covered[0]:.1%} | {covered[1]:.1%} | {np.mean(false):.1%} |", flush=True)


if __name__ == "__main__":
    main()
