"""Which values are above which, and which share the first place, in words: `whatmoves.analysis.statistics` decided."""

from collections.abc import Collection
from typing import Literal

from whatmoves.analysis.statistics import FEWEST_SEEDS, LEVEL
from whatmoves.paper.index import Entry, ValueIndex

Relation = Literal["above", "below", "not distinguishable from", "not compared with"]
WORDS: dict[str, Relation] = {
    ">": "above",
    "<": "below",
    "=": "not distinguishable from",
    "?": "not compared with",  # one trained run decides nothing
}


def relation(index: ValueIndex, first: str, second: str) -> Relation:
    """Where the value `first` stands against `second`, numerically; both are of one measure on one data set."""
    return WORDS[index.stand(first, second)]


def beside_zero(entry: Entry) -> Relation:
    """Where a difference stands against zero, by its interval; without one it decides nothing."""
    low, high = entry.interval or (-1.0, 1.0)
    return "above" if low > 0 else "below" if high < 0 else "not distinguishable from"


def best(index: ValueIndex, ids: Collection[str], better: str) -> set[str]:
    """The ids that share the first place: the best value, and all that cannot be told from it.

    `better` is `higher` or `lower`. Only `comparable` ids compete.
    """
    if not ids:
        return set()
    sign = 1 if better == "higher" else -1
    leader = max(ids, key=lambda value_id: sign * index[value_id].value)
    return {value_id for value_id in ids if value_id == leader or index.stand(leader, value_id) == "="}


def comparable(index: ValueIndex, ids: Collection[str]) -> list[str]:
    """The values that can stand for their model: one trained run has no place among means over seeds."""
    return [value_id for value_id in ids if index.stand(value_id, value_id) == "="]


def rule_in_words(index: ValueIndex, ids: Collection[str]) -> str:
    """The end of a caption's sentence that says how bold type was decided, as TeX."""
    interval = rf"the {100 * LEVEL:g}\,\% interval of their difference"
    fewest = min((len(index[value_id].seeds) for value_id in ids), default=0)
    if fewest >= FEWEST_SEEDS:
        return f"{interval} and an exact paired sign-flip test over seeds"
    return f"{interval}: with fewer than six seeds in common no exact paired test can say more"
