"""Measures of a study's own: asked beside ours of all that is measured, and told what they do wrong."""

from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any, cast

import pytest
import torch
from torch import Tensor

from whatmoves import plugins
from whatmoves.analysis.metrics import METRICS, described, indexed, own_metrics
from whatmoves.errors import ConfigError, ModelError
from whatmoves.evaluation.prediction import answers
from whatmoves.evaluation.quality import asked, quality, swap_quality

TRUTH = torch.rand(3, 4, 1, 11, 11)
BATCHES = [(TRUTH[:2] * 0.5, TRUTH[:2]), (TRUTH[2:] * 0.5, TRUTH[2:])]


def module(measure: Any, **said: str) -> ModuleType:
    return cast(ModuleType, SimpleNamespace(measure=measure, LABEL="brightness", **said))


def brightness(answer: Tensor, truth: Tensor) -> Tensor:
    return answer.mean((1, 2, 3, 4))


def test_it_is_asked_of_everything_that_is_measured() -> None:
    own = {"brightness": module(brightness)}
    expected = (TRUTH * 0.5).mean((1, 2, 3, 4)).tolist()
    clips, curves = quality(BATCHES, own)
    assert clips["brightness"] == pytest.approx(expected)
    assert curves["brightness"] == pytest.approx([sum(expected) / 3])
    assert answers(iter(BATCHES), (), own).clips["predict_brightness"] == pytest.approx(expected)
    assert swap_quality(BATCHES, own)["swap_brightness"] == pytest.approx(expected)


def test_its_words_are_those_of_its_module() -> None:
    table = METRICS | own_metrics({"brightness": module(brightness, BETTER="lower", UNIT="cd")})
    assert indexed({"swap_brightness", "brightness", "mig"}, "f", table) == ["mig", "brightness", "swap_brightness"]
    words = described("predict_brightness", table)
    assert words is not None
    assert (words.label, words.unit, words.better) == ("brightness, of predictions", "cd", "lower")
    assert described("brightness") is None


@pytest.mark.parametrize(
    ("measure", "said"),
    [
        (lambda answer, truth: answer.mean(), "returns a tensor []; must be a tensor [3], one number a clip"),
        (lambda answer, truth: 0.5, "returns a float; must be a tensor [3]"),
        (lambda answer, truth: answer.flatten(1).sum(1) / 0, "returns values that are not finite; mend"),
        (lambda answer, truth: answer.no, ": AttributeError: 'Tensor' object has no attribute 'no'; mend it there"),
    ],
)
def test_what_it_does_wrong_is_one_line(measure: Any, said: str) -> None:
    with pytest.raises(ModelError) as told:
        asked(module(measure), TRUTH, TRUTH)
    assert "test_own_measures.py: <lambda> of two videos [3, 4, 1, 11, 11]" in str(told.value)
    assert said in str(told.value)


def test_a_module_that_is_none_or_lacks_something(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "half").mkdir()
    (tmp_path / "half/done.py").write_text("LABEL = 'x'\n", encoding="utf-8")
    monkeypatch.syspath_prepend(str(tmp_path))
    with pytest.raises(
        ConfigError, match=r"^evaluation\.measures is 'half\.done', but \S*half/done\.py has no measure; "
    ):
        plugins.measures(["half.done"])
    with pytest.raises(ConfigError, match=r"^evaluation\.measures is 'no\.such', but there is no module 'no'"):
        plugins.measures(["no.such"])
