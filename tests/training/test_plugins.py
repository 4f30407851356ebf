"""Kinds found by name, and every complaint about a config as one literal line."""

import subprocess
import sys
from typing import Any

import pytest
from pydantic import Field, ValidationError, model_validator

from whatmoves import plugins
from whatmoves.errors import ConfigError
from whatmoves.settings import Settings
from whatmoves.study import Study


class Inner(Settings):
    width: int = Field(4, gt=0)
    mode: str = "a"


class Outer(Settings):
    parts: dict[str, Inner] = Field({})
    perhaps: Inner | None = None
    sizes: tuple[int, ...] = Field((1,), min_length=1)
    name: str = Field("x", pattern="^[a-z]$")
    budget: int

    @model_validator(mode="after")
    def _even(self) -> "Outer":
        if self.budget % 2:
            raise ValueError(f"budget is {self.budget}; must be even")
        return self


@pytest.mark.parametrize(
    ("values", "where", "expected"),
    [
        ({"budget": -3.5}, "a.options", "a.options.budget is -3.5; must be a valid integer"),
        ({"budget": "much"}, "f.yaml:", "f.yaml: budget is 'much'; must be a valid integer"),
        ({}, "", "budget is missing; add it"),
        ({"budget": 3}, "a", "a: budget is 3; must be even"),
        ({"budget": 3}, "f.yaml:", "f.yaml: budget is 3; must be even"),
        ({"budget": 2, "parts": {"p": {"width": 0}}}, "a", "a.parts.p.width is 0; must be greater than 0"),
        ({"budget": 2, "name": "AB"}, "", "name is 'AB'; must match pattern '^[a-z]$'"),
        ({"budget": 2, "sizes": ()}, "", "sizes is (); must have at least 1 item after validation, not 0"),
        (
            {"budget": 2, "parts": {"p": {"widht": 1}}},
            "a",
            "a.parts.p.widht is no option of a.parts.p; did you mean width? known: width, mode",
        ),
        (
            {"budget": 2, "perhaps": {"q": 1}, "z": 1},
            "f.yaml:",
            "f.yaml: perhaps.q is no option of perhaps; known: width, mode (and 1 more)",
        ),
        (
            {"budget": 2, "bugdet": 3},
            "",
            "bugdet is no option; did you mean budget? known: parts, perhaps, sizes, name, budget",
        ),
    ],
)
def test_one_line(values: dict[str, Any], where: str, expected: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Outer(**values)
    assert plugins.one_line(caught.value, where, Outer) == expected


def test_one_line_about_a_whole_study() -> None:
    study = {"study": "s", "data": {"d": {}}, "models": {"M": {"trains_on": ["d"]}}}
    with pytest.raises(ValidationError) as caught:
        Study(**study)  # type: ignore[arg-type]
    line = plugins.one_line(caught.value, "s.yaml:", Study)
    assert line == "s.yaml: models.M: the name 'M' must match pattern '^[a-z][a-z0-9_]*$'"
    with pytest.raises(ValidationError) as caught:
        Study(**{**study, "models": {"m": {"trains_on": ["d"], "training": {"clip": 3}}}})  # type: ignore[arg-type]
    line = plugins.one_line(caught.value, "s.yaml:", Study)
    assert line.startswith(
        "s.yaml: models.m.training.clip is no option of models.m.training; did you mean clips? known: clips, "
    )


def test_kinds_are_module_paths() -> None:
    assert plugins.module_path("models", "lstm_vae") == "whatmoves.models.lstm_vae"
    assert plugins.module_path("data", "moving_digits") == "whatmoves.data.moving_digits"
    assert plugins.module_path("models", "elsewhere.mine") == "elsewhere.mine"
    assert {"mean_frame", "disentangled_vae"} <= set(plugins.model_kinds())
    assert not {"interface", "blocks", "__init__"} & set(plugins.model_kinds())


@pytest.mark.parametrize(
    ("kind", "expected"),
    [
        ("lstm_vea", r"^models\.m\.kind is 'lstm_vea', which is unknown; did you mean lstm_vae\? known: .*mean_frame"),
        ("interface", r"^models\.m\.kind is 'interface', but \S*interface\.py has no Config; write `class Config"),
        ("no.such", r"^models\.m\.kind is 'no\.such', but there is no module 'no'; put its folder here or on PY"),
        ("training_fakes.gone", r"but there is no module 'training_fakes\.gone'; put its folder"),
        ("training_fakes.blinks", r"but \S*training_fakes/blinks\.py has no Model; write `class Model"),
    ],
)
def test_an_unknown_kind(kind: str, expected: str) -> None:
    with pytest.raises(ConfigError, match=expected):
        plugins.model_module(kind, "models.m")


def test_options_are_checked_under_the_name_of_the_entry() -> None:
    with pytest.raises(ConfigError) as told:
        plugins.model_config("training_fakes.noisy", {"width": "wide"}, "models.mine")
    assert str(told.value) == "models.mine.options.width is 'wide'; must be a valid integer"


def test_looking_kinds_up_imports_no_torch() -> None:
    code = "import sys; from whatmoves import plugins; plugins.model_kinds(); assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
