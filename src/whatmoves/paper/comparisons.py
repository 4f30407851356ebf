"""Which values are above which, and which share the first place: decided by tests and intervals, never by eye."""

from collections.abc import Mapping
from typing import Literal

import numpy as np

from whatmoves.analysis.statistics import paired_sign_flip
from whatmoves.paper.index import Entry

ALPHA = 0.05
FEWEST_SEEDS = 6  # with fewer pairs the exact two-sided sign-flip test cannot fall below ALPHA

Relation = Literal["above", "below", "not distinguishable from"]


def relation(first: Entry, second: Entry) -> Relation:
    """Where `first` stands against `second`, numerically: intervals that overlap decide nothing."""
    low, high = first.span()
    other_low, other_high = second.span()
    if low > other_high:
        return "above"
    if high < other_low:
        return "below"
    return "not distinguishable from"


def best(entries: Mapping[str, Entry], better: str) -> set[str]:
    """The ids that share the first place: the best value, and all that the test cannot tell from it.

    `better` is `higher` or `lower`. Two values with at least six training seeds in common are told apart by the exact
    paired sign-flip test on these seeds, others by their intervals.
    """
    if not entries:
        return set()
    sign = 1 if better == "higher" else -1
    leader = max(entries, key=lambda value_id: sign * entries[value_id].value)
    return {value_id for value_id, entry in entries.items() if value_id == leader or _tied(entries[leader], entry)}


def rule_in_words(entries: Mapping[str, Entry]) -> str:
    """The sentence of a caption that says how bold type was decided."""
    fewest = min((len(entry.seeds) for entry in entries.values()), default=0)
    if fewest >= FEWEST_SEEDS:
        return f"an exact paired sign-flip test over seeds (level {ALPHA:g})"
    return (
        f"overlapping intervals: with fewer than six seeds in common an exact paired test cannot fall below {ALPHA:g}"
    )


def _tied(leader: Entry, other: Entry) -> bool:
    common = sorted(leader.seeds.keys() & other.seeds.keys())
    if len(common) < FEWEST_SEEDS:
        return relation(leader, other) == "not distinguishable from"
    differences = np.array([leader.seeds[seed] - other.seeds[seed] for seed in common])
    return paired_sign_flip(differences) >= ALPHA
