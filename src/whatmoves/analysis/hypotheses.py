"""Hypotheses declared before the numbers, tested, and worded by their verdict alone.

A comparison holds *supported*, *not supported* or *undecided*. The interval of the difference against the margin
decides, and with enough seeds the exact paired sign-flip test as well (Holm over the primary set); with too few for any
p value below 0.05 the verdict says that it is descriptive. `whatmoves.analysis.statistics` says how two models stand.
"""

from collections.abc import Mapping
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray
from pydantic import Field, ValidationError, model_validator

from whatmoves import plugins
from whatmoves.analysis.metrics import METRICS, described
from whatmoves.analysis.statistics import LEVEL, Sample, difference, holm, paired, paired_sign_flip
from whatmoves.errors import ConfigError
from whatmoves.settings import Settings
from whatmoves.study import Study
from whatmoves.yaml_files import read_yaml


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
        if described(self.metric) is None:
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


def verdicts(study: Study, declared: list[Hypothesis], samples: Mapping[str, Sample]) -> list[dict[str, Any]]:
    """A verdict for every declared hypothesis whose models this study has; `samples` by value id."""
    judged = next(iter(study.judged_data()), None)
    placed = [h if h.dataset else h.model_copy(update={"dataset": judged}) for h in declared]
    present = [h for h in placed if _models(h) <= set(study.models) and h.dataset in study.data]
    raw = [_test(hypothesis, samples) for hypothesis in present]
    _holm_over_primary(raw)
    return [_decided(result) for result in raw]


def _models(hypothesis: Hypothesis) -> set[str]:
    return {hypothesis.first} | ({hypothesis.second} if hypothesis.second else set())


def _test(h: Hypothesis, samples: Mapping[str, Sample]) -> dict[str, Any]:
    """The difference (turned so that positive means as declared), its interval and exact p value."""
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
    absent = [value_id for value_id in ids if value_id not in samples]
    if absent:
        return {**result, "missing": absent}
    first = samples[ids[0]]
    second = samples[ids[1]] if h.second else Sample({"": h.threshold or 0.0}, constant=True)
    if h.direction == "grade":
        ends = difference(first, Sample({"": 0.0}, constant=True)).interval
        return {**result, "score": first.value, "interval": None if ends is None else list(ends)}
    words = described(h.metric)
    lower_is_better = words is not None and words.better == "lower"
    if h.direction == "less" or (h.direction == "no_worse" and lower_is_better):
        first, second = second, first
    found, seeds = difference(first, second), paired(first, second)
    return {
        **result,
        "difference": found.value,
        "seeds": min(len(sample.seeds) for sample in (first, second) if not sample.constant or sample is first),
        "p": None if seeds is None or found.interval is None else _p(h, seeds),
        "interval": None if found.interval is None else list(found.interval),
    }


def _p(h: Hypothesis, differences: NDArray[np.float64]) -> float:
    """The exact p value of "no better than the bound": of a superiority two-sided, of a margin one-sided."""
    if h.direction == "equal":
        return max(paired_sign_flip(h.margin + d, "greater") for d in (differences, -differences))
    one_sided = paired_sign_flip(differences - _bound(h), "greater")
    return one_sided if h.direction == "no_worse" else min(1.0, 2 * one_sided)


def _holm_over_primary(results: list[dict[str, Any]]) -> None:
    """Correct the primary p values together; secondary ones stay as they are and are labelled so."""
    primary = [result for result in results if result["primary"] and result.get("p") is not None]
    if primary:
        for result, adjusted in zip(primary, holm(np.array([r["p"] for r in primary])), strict=True):
            result["p"] = float(adjusted)
            result["holm"] = len(primary)


def _decided(result: dict[str, Any]) -> dict[str, Any]:
    """The verdict and its wording; `basis` says what decided.

    Supported is what the interval, and with enough seeds the test as well, puts where it was declared; not supported
    what the interval puts wholly elsewhere.
    """
    h: Hypothesis = result.pop("hypothesis")
    if "missing" in result:
        return {**result, "verdict": "undecided", "basis": "not measured", "detail": "a model cannot be measured so"}
    if result["interval"] is None:
        return {**result, "verdict": "undecided", "basis": "one seed", "detail": "one seed decides nothing"}
    low, high = result["interval"]
    if h.direction == "grade":
        return {**result, **_graded(h, result["score"], low, high)}
    bound = _bound(h)
    inside, outside = (-h.margin < low and high < h.margin, low > h.margin or high < -h.margin)
    as_declared, elsewhere = (inside, outside) if h.direction == "equal" else (low > bound, high < bound)
    if result["p"] is None:
        basis = "interval against the margin (descriptive: too few seeds for a test)"
    else:
        basis = "exact sign-flip test" + (", Holm-corrected" if "holm" in result else "") + ", and interval"
        as_declared = as_declared and result["p"] <= 1 - LEVEL
    verdict = "supported" if as_declared else "not supported" if elsewhere else "undecided"
    return {**result, "verdict": verdict, "basis": basis}


def _bound(h: Hypothesis) -> float:
    """What the difference must exceed: the margin for a superiority, minus the margin for a non-inferiority."""
    return h.margin if h.direction in ("greater", "less") else -h.margin


def _graded(h: Hypothesis, score: float, low: float, high: float) -> dict[str, Any]:
    """Supported if the expected grade holds the whole interval, not supported if no part of it."""
    ordered = sorted(h.grades, key=lambda grade: grade.at_least)
    begins = [-np.inf, *(grade.at_least for grade in ordered[1:])]
    ends = [*begins[1:], np.inf]
    words = [grade.word for grade in ordered]
    spanned = {word for word, begin, end in zip(words, begins, ends, strict=True) if low < end and high >= begin}
    found = next(word for word, end in zip(words, ends, strict=True) if score < end)
    verdict = "not supported" if h.expected not in spanned else "supported" if len(spanned) == 1 else "undecided"
    return {"verdict": verdict, "basis": "declared thresholds", "grade": found, "detail": f"graded {found}"}
