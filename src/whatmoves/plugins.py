"""Models and data sets found by their module's name: the one place of the package that imports by name.

A kind without a dot is a module of the package (`lstm_vae` → `whatmoves.models.lstm_vae`); a kind with dots is a module
path elsewhere: in the current folder, or on Python's path. There is no registry, so adding a model or a data set edits
no other file. Imports no torch itself.
"""

import difflib
import importlib
import os
import re
import sys
import typing
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, cast

from pydantic import BaseModel, ValidationError

from whatmoves.blame import blaming, shown_path
from whatmoves.errors import ConfigError
from whatmoves.settings import Settings

if TYPE_CHECKING:
    from torch import nn

    from whatmoves.data.clips import ClipShape, Source

# What a module of a kind must have, and what to write where it is missing.
CONFIG = "`class Config(Settings):`, with `from whatmoves.settings import Settings` above,"
OF_A_MODEL = {"Config": CONFIG, "Model": "`class Model(nn.Module):`, made from a Config and a ClipShape,"}
OF_A_MEASURE = {"LABEL": '`LABEL = "what it measures"`', "measure": "`def measure(answer, truth)`"}
OF_DATA = {"Config": CONFIG, "make": "`def make(config, folder)`", "open_source": "`def open_source(config, folder)`"}


def module_path(section: str, kind: str) -> str:
    """The module of a kind of data set (`data`) or model (`models`), as text; nothing is imported."""
    return kind if "." in kind else f"whatmoves.{section}.{kind}"


def model_kinds() -> list[str]:
    """The package's model kinds, read off the files: a kind is a module with a `Config`."""
    return _kinds("models")


def data_kinds() -> list[str]:
    """The package's data kinds, read off the files: a kind is a module with a `Config`."""
    return _kinds("data")


def model_module(kind: str, where: str | None = None) -> ModuleType:
    """Import a model kind (a module with `Config` and `Model`).

    `where` names the config key in the message, default `models.<kind>`. Raises `ConfigError`.
    """
    return _module(module_path("models", kind), kind, where or f"models.{kind}", model_kinds(), OF_A_MODEL)


def data_module(kind: str, where: str | None = None) -> ModuleType:
    """Import a data kind: a module with `Config`, `make` and `open_source`.

    It may have `more_files` if `make` writes more than the two splits of every kind, `outside_files` if it reads files
    and `require_files` to miss them before any job, `OTHER_TESTS` if some splits are further tests, and `CONVENTIONS`
    if the literature on it measures predictions otherwise too.

    `where` names the config key in the message, default `data.<kind>`. Raises `ConfigError`.
    """
    return _module(module_path("data", kind), kind, where or f"data.{kind}", data_kinds(), OF_DATA)


def measures(names: Sequence[str]) -> dict[str, ModuleType]:
    """A study's own measures by the last part of their module's name: modules with `LABEL` and `measure`.

    `measure(answer, truth)` gets two videos `[B, T, C, H, W]` in [0, 1] and gives one number a clip, `[B]`. It is asked
    of reconstructions, predictions and swaps. `UNIT`, `FORMAT` (`.4f`) and `BETTER` (`higher`, `lower`) may be said.
    Raises `ConfigError`.
    """
    found: dict[str, ModuleType] = {}
    for path in names:
        name = path.rpartition(".")[2]
        if name in found:
            raise ConfigError(f"evaluation.measures names {name!r} twice; give one of the modules another name")
        found[name] = _found(path, path, "evaluation.measures", OF_A_MEASURE)
    return found


def figure_kinds() -> list[str]:
    """The package's figures, read off the files: a figure is a module with `collect` and `draw`."""
    files = (Path(__file__).parent / "figures").glob("*.py")
    return sorted(f.stem for f in files if re.search(r"^def collect\b", f.read_text("utf-8"), re.MULTILINE))


def figure_module(name: str) -> ModuleType:
    """Import a figure (a module with `collect` and `draw`); raises `ConfigError` for an unknown one."""
    known = figure_kinds()
    if name not in known:
        raise ConfigError(f"{name!r} is no figure;{_did_you_mean(name, known)} known: {', '.join(known)}")
    return importlib.import_module(f"whatmoves.figures.{name}")


def model_config(kind: str, options: Mapping[str, Any], where: str | None = None) -> BaseModel:
    """The validated `Config` of a model kind; raises `ConfigError` in one line."""
    where = where or f"models.{kind}"
    return _config(model_module(kind, where), options, where)


def data_config(kind: str, options: Mapping[str, Any], where: str | None = None) -> BaseModel:
    """The validated `Config` of a data kind; raises `ConfigError` in one line."""
    where = where or f"data.{kind}"
    return _config(data_module(kind, where), options, where)


def build_model(kind: str, options: Mapping[str, Any], shape: "ClipShape", where: str | None = None) -> "nn.Module":
    """A model of a kind with fresh weights; raises `ConfigError` for an unknown kind or impossible options.

    Its convolutions keep channels last in memory: a training step on a CPU is shorter by a tenth for the autoencoders
    and a fifth for the predictors with many convolutions.
    """
    import torch  # not needed to read a study

    config = model_config(kind, options, where)
    own = model_module(kind, where).Model
    with blaming(own.__init__, "a config and a ClipShape"):
        model = own(config, shape)
    return cast("nn.Module", model.to(memory_format=torch.channels_last))


def data_of(dataset: str, kind: str, options: Mapping[str, Any]) -> tuple[ModuleType, Any]:
    """The module of a study's data set and its validated options; raises `ConfigError` naming `data.<dataset>`."""
    where = f"data.{dataset}"
    return data_module(kind, where), data_config(kind, options, where)


def open_source(kind: str, options: Mapping[str, Any], folder: Path, where: str | None = None) -> "Source":
    """The data set whose stored splits stand in `folder`; raises `ConfigError` or the kind's own `DataError`."""
    config = data_config(kind, options, where)
    return cast("Source", data_module(kind, where).open_source(config, folder))


def one_line(error: ValidationError, where: str, settings: type[BaseModel] | None = None) -> str:
    """A pydantic error as one line: key, value, what it must be.

    `where` goes before the key: a dotted prefix (`models.cvae.options`), a file (`config/quick.yaml:`, told by its
    colon) or nothing. `settings` is the type that was validated; with it an unknown key is
    answered with the known ones.
    """
    errors = error.errors(include_url=False)
    first = errors[0]
    loc = [str(part) for part in first["loc"]]
    prefix = f"{where} " if where.endswith(":") else ""
    key = ".".join(([] if prefix or not where else [where]) + [part for part in loc if part != "[key]"])
    must = re.sub(r"^[A-Z]\w* should ", "must ", first["msg"])
    must = re.sub(r"^must be a valid (\w+),.*", r"must be a valid \1", must)
    if first["type"] == "extra_forbidden":
        parent, known = key.rpartition(".")[0], _fields_at(settings, loc[:-1])
        hint = f"{_did_you_mean(loc[-1], known)} known: {', '.join(known)}" if known else " remove it"
        text = f"{key} is no option{' of ' + parent if parent else ''};{hint}"
    elif first["type"] == "missing":
        text = f"{key} is missing; add it"
    elif first["type"] == "value_error":
        said = first["msg"].removeprefix("Value error, ")
        text = f"{key}: {said}" if key else said
    elif loc and loc[-1] == "[key]":
        text = f"{key}: the name {first['input']!r} {must}"
    else:
        shown = repr(first["input"])
        text = f"{key} is {shown if len(shown) <= 60 else shown[:57] + '...'}; {must}"
    more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
    return " ".join(f"{prefix}{text}{more}".split())


def _kinds(package: str) -> list[str]:
    files = (Path(__file__).parent / package).glob("*.py")
    return sorted(f.stem for f in files if re.search(r"^class Config\b", f.read_text("utf-8"), re.MULTILINE))


def _module(path: str, kind: str, where: str, known: list[str], needed: Mapping[str, str]) -> ModuleType:
    """Import `path`, with all names that are `needed`, each with what to write where it is missing."""
    if "." not in kind and kind not in known and not _file(path).is_file():
        hint = _did_you_mean(kind, known)
        all_known = f"{', '.join(known)}; one of your own has a dot in its name (my_folder.{kind})"
        raise ConfigError(f"{where}.kind is {kind!r}, which is unknown;{hint} known: {all_known}")
    module = _found(path, kind, f"{where}.kind", needed)
    if not (isinstance(module.Config, type) and issubclass(module.Config, Settings)):
        file = shown_path(getattr(module, "__file__", None) or path)
        raise ConfigError(f"{where}.kind is {kind!r}, but Config in {file} is no Settings; write {CONFIG} there")
    return module


def _found(path: str, said: str, key: str, needed: Mapping[str, str]) -> ModuleType:
    """Import the module `path`, which the study's `key` calls `said`, with all that is `needed` in it."""
    if (here := os.getcwd()) not in sys.path:  # where a command does not look by itself
        sys.path.append(here)
    try:
        module = importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name is not None and (path == error.name or path.startswith(f"{error.name}.")):
            fix = "put its folder here or on PYTHONPATH, or install it"
            raise ConfigError(f"{key} is {said!r}, but there is no module {error.name!r}; {fix}") from None
        raise ConfigError(f"{key} is {said!r}, which needs the missing package {error.name!r}") from None
    file = shown_path(getattr(module, "__file__", None) or path)
    for name, fix in needed.items():
        if not hasattr(module, name):
            raise ConfigError(f"{key} is {said!r}, but {file} has no {name}; write {fix} there")
    return module


def _file(path: str) -> Path:
    """Where a module of the package would stand."""
    return Path(__file__).parents[1].joinpath(*path.split(".")).with_suffix(".py")


def _config(module: ModuleType, options: Mapping[str, Any], where: str) -> BaseModel:
    settings: type[BaseModel] = module.Config
    try:
        return settings(**options)
    except ValidationError as error:
        raise ConfigError(one_line(error, f"{where}.options", settings)) from None


def _did_you_mean(word: str, known: list[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1)
    return f" did you mean {close[0]}?" if close else ""


def _fields_at(settings: type[BaseModel] | None, loc: list[str]) -> list[str]:
    """The fields of the settings type that stands at `loc` inside `settings`; none where there is no such type."""
    for part in loc:  # a part that is no field is a key or index into a container of these settings
        if settings is not None and part in settings.model_fields:
            settings = _settings_in(settings.model_fields[part].annotation)
    return [] if settings is None else list(settings.model_fields)


def _settings_in(annotation: Any) -> type[BaseModel] | None:
    """The settings type inside `Settings`, `Settings | None`, `dict[str, Settings]`, …"""
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_settings_in, typing.get_args(annotation))), None)
