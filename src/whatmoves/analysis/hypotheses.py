"""Hypotheses declared before the numbers, tested, and worded by their verdict alone.

A comparison holds *supported*, *not supported* or *undecided*. With enough seeds the exact paired sign-flip test
decides (Holm over the primary set); with too few for any p value below 0.05 the interval of the paired differences
against the margin decides, and the verdict says that it is descriptive.
"""

from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError, model_validator

from whatmoves import plugins
from whatmoves.analysis.metrics import METRICS
from whatmoves.analysis.statistics import bootstrap_interval, effect, holm, paired_sign_flip
from whatmoves.errors import ConfigError
from whatmoves.settings import Settings
from whatmoves.study import Study
from whatmoves.yaml_files import read_yaml

LEVEL = 0.05
FEWEST_SEEDS = 6  # below this the exact two-sided sign-flip test cannot reach 0.05: 2 / 2^5 = 0.0625
INTERVAL_SEED = 30_000


class Grade(Settings):
    """A word for a range of a score: from `at_least` up to the next grade."""

    word: str
    at_least: float


class Hypothesis(Settings):
    """One declared expectation: `first` against `second` (a model) or against `threshold` (a number), or a grade."""

    id: str = Field(pattern=r"^[a-z][a-z0-9_]*$")
    sentence: str
    dataset: str | None = None  # none: the first that the study judges, whatever its name
    metric: str
    first: str
    second: str | None = None
    threshold: float | None = None
    direction: Literal["greater", "less", "equal", "no_worse", "grade"]
    margin: float = Field(0.0, ge=0)
    grades: tuple[Grade, ...] = ()
    expected: str | None = None
    primary: bool = False

    @model_validator(mode="after")
    def _complete(self) -> "Hypothesis":
        if self.metric not in METRICS:
            raise ValueError(f"metric is {self.metric!r}, which is no measure; known: {', '.join(METRICS)}")
        if self.direction == "grade":
            if not self.grades or self.expected not in {grade.word for grade in self.grades}:
                raise ValueError("a graded hypothesis needs `grades` and an `expected` word among them")
        elif (self.second is None) == (self.threshold is None):
            raise ValueError("needs exactly one of `second` (a model) and `threshold` (a number)")
        if self.direction in ("equal", "no_worse") and self.margin == 0:
            raise ValueError(f"direction {self.direction} needs a `margin` greater than 0")
        return self


def load_hypotheses(path: Path) -> list[Hypothesis]:
    """The declared hypotheses; raises `ConfigError` naming file, hypothesis and what is wrong."""
    example = "a list under `hypotheses`"
    held = read_yaml(path, "no such file; hypotheses are declared there", example)
    raw = held.get("hypotheses")
    if not isinstance(raw, list) or len(held) > 1:
        raise ConfigError(f"{path}: expected {example} and nothing else; it holds {', '.join(held)}")
    declared = []
    for number, entry in enumerate(raw):
        try:
            declared.append(Hypothesis.model_validate(entry))
        except ValidationError as error:
            name = entry.get("id", f"number {number}") if isinstance(entry, dict) else f"number {number}"
            raise ConfigError(plugins.one_line(error, f"{path}: hypothesis {name}:", Hypothesis)) from None
    names = [hypothesis.id for hypothesis in declared]
    if twice := {name for name in names if names.count(name) > 1}:
        raise ConfigError(f"{path}: hypothesis {sorted(twice)[0]} is declared twice; give each its own id")
    return declared


def verdicts(study: Study, declared: list[Hypothesis], values: dict[str, dict[str, Any]]) -> list[dict[str, Any]]:
    """A verdict for every declared hypothesis whose models this study has."""
    judged = next(iter(study.judged_data()), None)
    placed = [h if h.dataset else h.model_copy(update={"dataset": judged}) for h in declared]
    present = [h for h in placed if _models(h) <= set(study.models) and h.dataset in study.data]
    raw = [_test(hypothesis, values, study.evaluation.bootstrap) for hypothesis in present]
    _holm_over_primary(raw)
    return [_decided(result) for result in raw]


def _models(hypothesis: Hypothesis) -> set[str]:
    return {hypothesis.first} | ({hypothesis.second} if hypothesis.second else set())


def _test(h: Hypothesis, values: dict[str, dict[str, Any]], draws: int) -> dict[str, Any]:
    """Differences over seeds (signed so that positive means as declared), their interval and exact p value."""
    ids = [f"{h.dataset}.{model}.{h.metric}" for model in (h.first, h.second) if model]
    result: dict[str, Any] = {
        "id": h.id,
        "sentence": h.sentence,
        "primary": h.primary,
        "direction": h.direction,
        "margin": h.margin,
        "values": ids,
        "hypothesis": h,
    }
    absent = [value_id for value_id in ids if value_id not in values]
    if absent:
        return {**result, "missing": absent}
    if h.direction == "grade":
        return {**result, "score": values[ids[0]]["value"], "interval": values[ids[0]]["interval"]}
    differences, paired = _differences(h, values, ids)
    rng = np.random.default_rng(INTERVAL_SEED)
    interval = bootstrap_interval(differences, draws, rng) if paired and len(differences) > 1 else None
    shift = -h.margin if h.direction in ("greater", "less") else h.margin
    p = None
    if paired and len(differences) >= FEWEST_SEEDS:
        one_sided = paired_sign_flip(differences + shift, "greater")
        if h.direction == "equal":
            one_sided = max(one_sided, paired_sign_flip(h.margin - differences, "greater"))
        p = one_sided if h.direction in ("equal", "no_worse") else min(1.0, 2 * one_sided)
    return {
        **result,
        "difference": float(differences.mean()),
        "seeds": len(differences),
        "p": p,
        "interval": None if interval is None else [interval.low, interval.high],
        "probability_of_improvement": _improvement(h, values, ids),
    }


def _differences(h: Hypothesis, values: dict[str, dict[str, Any]], ids: list[str]) -> tuple[NDArray[np.float64], bool]:
    """First minus second (or threshold), turned so that "as declared" is positive; paired over the common seeds."""
    first = values[ids[0]]["seeds"] or {"": values[ids[0]]["value"]}
    if h.second is None:
        numbers = np.array([value - h.threshold for value in first.values()])
        paired = True
    else:
        second = values[ids[1]]["seeds"] or {"": values[ids[1]]["value"]}
        common = sorted(set(first) & set(second))
        paired = len(common) == len(first)
        if paired:
            numbers = np.array([first[seed] - second[seed] for seed in common])
        else:  # a floor has one value, the model several seeds: every seed against the same number
            reference = float(np.mean(list(second.values())))
            numbers = np.array([value - reference for value in first.values()])
            paired = len(second) == 1
    lower_is_better = METRICS[h.metric].better == "lower"
    turn = -1.0 if h.direction == "less" or (h.direction == "no_worse" and lower_is_better) else 1.0
    return turn * numbers, paired


def _improvement(h: Hypothesis, values: dict[str, dict[str, Any]], ids: list[str]) -> float | None:
    if len(ids) < 2 or not values[ids[0]]["seeds"] or not values[ids[1]]["seeds"]:
        return None
    first, second = (np.array(list(values[value_id]["seeds"].values())) for value_id in ids)
    return effect(first, second).probability_of_improvement


def _holm_over_primary(results: list[dict[str, Any]]) -> None:
    """Correct the primary p values together; secondary ones stay as they are and are labelled so."""
    primary = [result for result in results if result["primary"] and result.get("p") is not None]
    if primary:
        for result, adjusted in zip(primary, holm(np.array([r["p"] for r in primary])), strict=True):
            result["p"] = float(adjusted)
            result["holm"] = len(primary)


def _decided(result: dict[str, Any]) -> dict[str, Any]:
    """The verdict and its wording; `basis` says what decided."""
    h: Hypothesis = result.pop("hypothesis")
    if "missing" in result:
        return {**result, "verdict": "undecided", "basis": "not measured", "detail": "a model cannot be measured so"}
    if h.direction == "grade":
        return {**result, **_graded(h, result["score"], result["interval"])}
    if result["p"] is not None:
        basis = "exact sign-flip test" + (", Holm-corrected" if "holm" in result else "")
        opposite = result["interval"] is not None and result["interval"][1] < _bound(h)
        verdict = (
            "supported"
            if result["p"] <= LEVEL and result["difference"] > _bound(h)
            else ("not supported" if opposite else "undecided")
        )
        return {**result, "verdict": verdict, "basis": basis}
    ends = result["interval"]
    basis = "interval against the margin (descriptive: too few seeds for a test)"
    if ends is None:
        return {**result, "verdict": "undecided", "basis": "one seed", "detail": "one seed decides nothing"}
    if h.direction == "equal":
        inside = -h.margin < ends[0] and ends[1] < h.margin
        outside = ends[0] > h.margin or ends[1] < -h.margin
        verdict = "supported" if inside else "not supported" if outside else "undecided"
    else:
        verdict = "supported" if ends[0] > _bound(h) else "not supported" if ends[1] < _bound(h) else "undecided"
    return {**result, "verdict": verdict, "basis": basis}


def _bound(h: Hypothesis) -> float:
    """What the difference must exceed: the margin for a superiority, minus the margin for a non-inferiority."""
    return h.margin if h.direction in ("greater", "less") else -h.margin


def _graded(h: Hypothesis, score: float, ends: list[float] | None) -> dict[str, Any]:
    """The grade whose range holds the score; the expected one must hold the whole interval, or none of it."""
    ordered = sorted(h.grades, key=lambda grade: grade.at_least)

    def word(number: float) -> str:
        return next((grade.word for grade in reversed(ordered) if number >= grade.at_least), ordered[0].word)

    found = word(score)
    spanned = {found, *(word(end) for end in ends or ())}
    verdict = "not supported" if h.expected not in spanned else "supported" if len(spanned) == 1 else "undecided"
    return {"verdict": verdict, "basis": "declared thresholds", "grade": found, "detail": f"graded {found}"}
