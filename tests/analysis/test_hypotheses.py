"""Verdicts on declared hypotheses: by test where seeds allow one, by interval and labelled so where they do not."""

from pathlib import Path
from typing import Any

import pytest
from tools import ROOT

from whatmoves.analysis.hypotheses import Hypothesis, load_hypotheses, verdicts
from whatmoves.analysis.needs import undecidable
from whatmoves.analysis.statistics import Sample
from whatmoves.errors import ConfigError
from whatmoves.study import Study

STUDY = Study.model_validate(
    {
        "study": "toy",
        "data": {"moving_digits": None},
        "models": {"lstm_vae": None, "baseline_vae": None, "mean_frame": None},
    }
)


def value(*seeds: float, constant: bool = False) -> Sample:
    return Sample({str(seed): number for seed, number in enumerate(seeds)}, None, constant)


def verdict(first: Sample, second: Sample, metric: str = "psnr_frame", **claim: Any) -> dict[str, Any]:
    declared = Hypothesis(id="h", sentence="s", metric=metric, first="lstm_vae", second="baseline_vae", **claim)
    samples = {f"moving_digits.lstm_vae.{metric}": first, f"moving_digits.baseline_vae.{metric}": second}
    return verdicts(STUDY, [declared], samples)[0]


FEW, MANY = (1.0, 1.1, 1.2), (1.0, 1.1, 1.2, 1.0, 1.1, 1.2, 1.1, 1.05)


def test_three_seeds_are_judged_by_interval_and_labelled_descriptive() -> None:
    found = verdict(value(*(x + 3 for x in FEW)), value(*FEW), direction="greater", margin=1.0)
    assert found["verdict"] == "supported"
    assert found["p"] is None
    assert "descriptive" in found["basis"]
    assert verdict(value(*FEW), value(*(x + 3 for x in FEW)), direction="greater")["verdict"] == "not supported"
    assert verdict(value(1.0, 2.0, 3.0), value(2.0, 2.0, 2.0), direction="greater")["verdict"] == "undecided"


def test_eight_seeds_are_tested_exactly() -> None:
    found = verdict(value(*(x + 3 for x in MANY)), value(*MANY), direction="greater")
    assert found["verdict"] == "supported"
    assert found["p"] == pytest.approx(2 / 2**8)
    assert found["difference"] == pytest.approx(3)
    missed = verdict(value(*(x + 3 for x in MANY)), value(*MANY), direction="greater", margin=4.0)
    assert missed["verdict"] == "not supported"


def test_lower_is_better_only_where_the_measure_says_so() -> None:
    better = verdict(value(0.1, 0.1, 0.1), value(0.4, 0.4, 0.4), metric="mse_pixel", direction="no_worse", margin=0.05)
    worse = verdict(value(0.4, 0.4, 0.4), value(0.1, 0.1, 0.1), metric="mse_pixel", direction="no_worse", margin=0.05)
    assert (better["verdict"], worse["verdict"]) == ("supported", "not supported")
    assert verdict(value(0.1, 0.1), value(0.4, 0.4), metric="mse_pixel", direction="less")["verdict"] == "supported"


def test_unequal_seeds_and_single_runs() -> None:
    eight, three = value(*(x + 5 for x in MANY)), value(*FEW)
    found = verdict(eight, three, direction="greater")
    assert (found["verdict"], found["p"]) == ("supported", None)
    for pair in ((value(*FEW), value(0.0)), (value(3.0), value(*FEW))):
        found = verdict(*pair, direction="greater")
        assert (found["verdict"], found["basis"]) == ("undecided", "one seed")
    assert verdict(value(*FEW), value(0.0, constant=True), direction="greater")["verdict"] == "supported"


def test_equal_needs_the_whole_interval_inside_the_margin() -> None:
    assert verdict(value(*FEW), value(*FEW), direction="equal", margin=0.5)["verdict"] == "supported"
    assert verdict(value(1.0, 2.0, 3.0), value(2.0, 2.0, 2.0), direction="equal", margin=0.5)["verdict"] == "undecided"
    assert verdict(value(3.0, 3.1), value(1.0, 1.0), direction="equal", margin=0.5)["verdict"] == "not supported"
    for by in (10, -10):
        apart = verdict(value(*(x + by for x in MANY)), value(*MANY), direction="equal", margin=0.5)
        assert apart["verdict"] == "not supported"


def test_grades_and_thresholds() -> None:
    grades = [{"word": "low", "at_least": 0.0}, {"word": "high", "at_least": 0.5}]
    claim: dict[str, Any] = {
        "id": "h",
        "sentence": "s",
        "metric": "block_gap",
        "first": "lstm_vae",
        "direction": "grade",
        "grades": grades,
    }

    def graded(*seeds: float) -> dict[str, Any]:
        declared = Hypothesis.model_validate({"expected": "high", **claim})
        return verdicts(STUDY, [declared], {"moving_digits.lstm_vae.block_gap": value(*seeds)})[0]

    assert (graded(0.6, 0.61, 0.62)["verdict"], graded(0.6, 0.61, 0.62)["grade"]) == ("supported", "high")
    assert graded(0.1, 0.11, 0.12)["verdict"] == "not supported"
    assert graded(0.4, 0.7)["verdict"] == "undecided"
    assert graded(0.6)["basis"] == "one seed"
    grades.insert(1, {"word": "medium", "at_least": 0.2})
    assert graded(0.15, 0.2, 0.25)["verdict"] == "not supported"  # low or medium, but surely not high
    claim["expected"] = "medium"
    assert graded(0.1, 0.6)["verdict"] == "undecided"  # the interval holds the whole grade and more


def test_holm_corrects_the_primary_hypotheses_together() -> None:
    first, second = value(*(x + 3 for x in MANY)), value(*MANY)
    values = {"moving_digits.lstm_vae.psnr_frame": first, "moving_digits.baseline_vae.psnr_frame": second}
    declared = [
        Hypothesis(
            id=f"h{i}", sentence="s", metric="psnr_frame", first="lstm_vae", second="baseline_vae",
            direction="greater", primary=True,
        )
        for i in range(4)
    ]  # fmt: skip
    assert [found["p"] for found in verdicts(STUDY, declared, values)] == pytest.approx([4 * 2 / 2**8] * 4)


def test_absent_models_are_skipped_and_absent_measures_are_undecided() -> None:
    absent = Hypothesis(id="a", sentence="s", metric="mig", first="cvae", threshold=0.5, direction="greater")
    unmeasured = Hypothesis(id="b", sentence="s", metric="mig", first="lstm_vae", threshold=0.5, direction="greater")
    found = verdicts(STUDY, [absent, unmeasured], {})
    assert [(v["id"], v["verdict"], v["basis"]) for v in found] == [("b", "undecided", "not measured")]


@pytest.mark.parametrize(
    ("entry", "message"),
    [
        ("{id: h, sentence: s, metric: psnr, first: a, threshold: 1, direction: greater}", "metric is 'psnr'"),
        ("{id: h, sentence: s, metric: mig, first: a, direction: greater}", "exactly one of `second`"),
        ("{id: h, sentence: s, metric: mig, first: a, second: b, direction: equal}", "needs a `margin`"),
        ("{id: h, sentence: s, metric: mig, first: a, direction: grade}", "needs `grades`"),
        ("{id: h, sentence: s, metric: mig, first: a, second: b, direction: greater, margins: 1}", "margins"),
    ],
)
def test_a_faulty_declaration_is_one_line(entry: str, message: str, tmp_path: Path) -> None:
    path = tmp_path / "hypotheses.yaml"
    path.write_text(f"hypotheses:\n  - {entry}\n", encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load_hypotheses(path)
    assert f"{path}: hypothesis h: " in str(error.value)
    assert message in str(error.value)


def test_the_shipped_hypotheses_load() -> None:
    assert any(hypothesis.primary for hypothesis in load_hypotheses(ROOT / "paper/hypotheses.yaml"))


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("hypotheses:\n", "expected a list under `hypotheses` and nothing else; it holds hypotheses"),
        ("hypotheses: []\nmore: 1\n", "expected a list under `hypotheses` and nothing else; it holds hypotheses, more"),
        ("- id: h\n", "holds a list; expected a list under `hypotheses`"),
        ("hypotheses:\n- id: h\n  id: g\n", "hypotheses.0.id stands twice, in lines 2 and 3; keep one"),
        ("hypotheses: [{id: 5}]\n", "hypothesis 5: id is 5; must be a valid string (and 4 more)"),
    ],
)
def test_a_file_of_another_kind_is_refused_in_one_line(text: str, line: str, tmp_path: Path) -> None:
    path = tmp_path / "hypotheses.yaml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(ConfigError) as error:
        load_hypotheses(path)
    assert str(error.value) == f"{path}: {line}"


def test_more_primary_hypotheses_than_the_seeds_can_decide_are_told_before_any_job() -> None:
    claim = {"sentence": "s", "metric": "psnr_frame", "first": "lstm_vae", "second": "baseline_vae", "primary": True}
    declared = [Hypothesis(id=f"h{number}", direction="greater", **claim) for number in range(7)]
    eight = Study.model_validate({**STUDY.model_dump(mode="json"), "seeds": list(range(8))})
    assert undecidable(eight, declared[:6]) == ""
    said = undecidable(eight, declared)
    assert said.startswith(
        "7 primary hypotheses are corrected together, and with 8 seeds the exact test gives no p below 0.00781"
    )
    assert "Name 9 seeds for their models, or declare at most 6 as primary" in said
    nine = Study.model_validate({**STUDY.model_dump(mode="json"), "seeds": list(range(9))})
    assert undecidable(nine, declared) == ""
    assert undecidable(STUDY, declared) == "", "three seeds or fewer have no test: their verdicts are descriptive"
