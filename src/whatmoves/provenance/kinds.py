"""The kinds of jobs: for each where its receipt stands, which modules it runs and which part of the study it reads."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from whatmoves.asked import exchanged_rows, planned_rows, shifted_rows
from whatmoves.errors import ConfigError
from whatmoves.layout import figure_parts
from whatmoves.plugins import module_path
from whatmoves.study import Study

# Options of data kinds that only say where a file lies, or a folder of some: what is in it counts
# (`commands.data.contents_digest`).
PLACES = {"moving_mnist": "file"}

# Settings of the evaluation that the analysis reads, and those of them that only it reads.
ANALYSIS_SETTINGS = frozenset({"bootstrap", "permutations", "measures"})
ONLY_ANALYSIS_SETTINGS = frozenset({"bootstrap"})
SHOW_OPTIONS = frozenset({"schedules"})  # figures of settings instead of results
ONLY_JUDGES_SETTINGS = frozenset({"judge_frames"})  # what trains judges; others read it off the judges' file


@dataclass(frozen=True)
class Kind:
    """One kind of job: where its receipt stands below results/<study>, and what it depends on."""

    receipt: str
    modules: Callable[[Study, Mapping[str, str]], list[str]]
    settings: Callable[[Study, Mapping[str, str]], dict[str, Any]]


def _data_module(study: Study, wildcards: Mapping[str, str]) -> str:
    return module_path("data", _entry(study.data, wildcards["dataset"], "data set").kind)


def _model_module(study: Study, wildcards: Mapping[str, str]) -> str:
    return module_path("models", _entry(study.models, wildcards["model"], "model").kind)


def _data(study: Study, wildcards: Mapping[str, str]) -> dict[str, Any]:
    """A data set with its name: two entries with equal settings stay two jobs."""
    name = wildcards["dataset"]
    made_by = _entry(study.data, name, "data set").model_dump(mode="json", exclude={"past_frames"})
    made_by["options"].pop(PLACES.get(made_by["kind"]), None)
    return {"name": name, **made_by}


def _measured_data(study: Study, wildcards: Mapping[str, str]) -> dict[str, Any]:
    """The same with what only measuring reads."""
    return {**_data(study, wildcards), "past_frames": study.data[wildcards["dataset"]].past_frames}


def _model(study: Study, wildcards: Mapping[str, str]) -> dict[str, Any]:
    """A model as training and evaluation see it."""
    entry = _entry(study.models, wildcards["model"], "model")
    return {"name": wildcards["model"], "kind": entry.kind, "options": entry.model_dump(mode="json")["options"]}


def _training(study: Study, wildcards: Mapping[str, str]) -> dict[str, Any]:
    return {
        "data": _data(study, wildcards),
        "model": _model(study, wildcards),
        "training": study.training_of(wildcards["model"]).model_dump(mode="json"),
        "seed": int(wildcards["seed"]),
    }


def _own(study: Study) -> tuple[str, ...]:
    """The modules of the study's own measures."""
    return study.evaluation.measures


def _measuring(study: Study) -> dict[str, Any]:
    return study.evaluation.model_dump(mode="json", exclude=set(ONLY_ANALYSIS_SETTINGS | ONLY_JUDGES_SETTINGS))


def _evaluation(study: Study, wildcards: Mapping[str, str]) -> dict[str, Any]:
    return {
        "data": _measured_data(study, wildcards),
        "model": _model(study, wildcards),
        "evaluation": _measuring(study),
        "seeds": list(study.seeds_of(wildcards["model"])),
        "judged": study.models[wildcards["model"]].judged,
    }


def _evaluation_modules(study: Study, wildcards: Mapping[str, str]) -> list[str]:
    """A model that is judged is asked for what the judges look at when it is evaluated."""
    asked = study.is_judged(wildcards["dataset"], wildcards["model"])
    return ["whatmoves.evaluation.evaluate", *(["whatmoves.judging.asking"] if asked else [])]


def _judgement(study: Study, wildcards: Mapping[str, str]) -> dict[str, Any]:
    """Of the model only its name: what it is shows in the numbers that are judged."""
    return {**_evaluation(study, wildcards), "model": wildcards["model"]}


def _floor(study: Study, wildcards: Mapping[str, str]) -> dict[str, Any]:
    return {"data": _measured_data(study, wildcards), "floor": wildcards["model"], "evaluation": _measuring(study)}


def _planning(study: Study, wildcards: Mapping[str, str]) -> dict[str, Any]:
    """What is planned with a model, or without one."""
    asked = {"data": _measured_data(study, wildcards), "planning": study.planning.model_dump(mode="json")}
    if "model" not in wildcards:
        return asked
    return {**asked, "model": _model(study, wildcards), "seeds": list(study.seeds_of(wildcards["model"]))}


def _judges(study: Study, wildcards: Mapping[str, str]) -> dict[str, Any]:
    read = study.evaluation.model_dump(mode="json", include=set(ONLY_JUDGES_SETTINGS))
    return {"data": _data(study, wildcards), "evaluation": read}


def _judge_floors(study: Study, wildcards: Mapping[str, str]) -> dict[str, Any]:
    return {"data": _data(study, wildcards), "evaluation": _measuring(study)}


def _shifted(study: Study, wildcards: Mapping[str, str]) -> dict[str, Any]:
    return {"data": _measured_data(study, wildcards), "evaluation": _measuring(study)}


def _shown(study: Study, _: Mapping[str, str]) -> dict[str, Any]:
    """The study as tables and figures see it: names, labels, what ran on what, in the study's order."""
    return {
        "study": study.study,
        "data": {name: entry.kind for name, entry in study.data.items()},
        "models": {
            name: {
                "kind": entry.kind,
                "label": study.label_of(name),
                "trains_on": list(entry.trains_on),
                "seeds": list(study.seeds_of(name)),
                "judged": entry.judged,
            }
            for name, entry in study.models.items()
        },
        "order": [*study.data, *study.models],
    }


def _figure_modules(study: Study, wildcards: Mapping[str, str]) -> list[str]:
    """A figure's own module; one that shows settings asks the models for their defaults."""
    module = figure_parts(wildcards["figure"])[0]
    models = [module_path("models", entry.kind) for entry in study.models.values()]
    return ["whatmoves.figures.make", f"whatmoves.figures.{module}", *(models if module in SHOW_OPTIONS else ())]


def _explorer_modules(study: Study, _: Mapping[str, str]) -> list[str]:
    """The explorer asks the models and the data kinds for clips."""
    kinds = [module_path("models", entry.kind) for entry in study.models.values()]
    kinds += [module_path("data", entry.kind) for entry in study.data.values()]
    return ["whatmoves.explorer.page", *dict.fromkeys(kinds)]


def _drawn(study: Study, wildcards: Mapping[str, str]) -> dict[str, Any]:
    """The study as a figure sees it: names, and the models' options where it shows them."""
    if figure_parts(wildcards["figure"])[0] not in SHOW_OPTIONS:
        return _shown(study, wildcards)
    return {**_shown(study, wildcards), "options": {name: entry.options for name, entry in study.models.items()}}


def _analysis(study: Study, wildcards: Mapping[str, str]) -> dict[str, Any]:
    read = study.evaluation.model_dump(mode="json", include=set(ANALYSIS_SETTINGS))
    asked = {
        "planned": planned_rows(study),
        "exchanged": {dataset: exchanged_rows(study, dataset) for dataset in study.data},
        "shifted": {dataset: shifted_rows(study, dataset) for dataset in study.data},
    }
    return {**_shown(study, wildcards), "evaluation": read, **asked}


def _whole(study: Study, _: Mapping[str, str]) -> dict[str, Any]:
    """The paper prints its study's settings, and the explorer its words."""
    return {**study.model_dump(mode="json"), "order": [*study.data, *study.models]}


def _entry(entries: Mapping[str, Any], name: str, what: str) -> Any:
    if name not in entries:
        raise ConfigError(f"{name!r} is no {what} of this study; known: {', '.join(entries)}")
    return entries[name]


KINDS = {
    "data": Kind(
        "data/{dataset}/receipt.json",
        lambda study, w: [_data_module(study, w)],
        lambda study, w: {"data": _data(study, w)},
    ),
    "train": Kind(
        "train/{dataset}/{model}/seed-{seed}/receipt.json",
        lambda study, w: ["whatmoves.training.train", _model_module(study, w), _data_module(study, w)],
        _training,
    ),
    "evaluate": Kind(
        "evaluate/{dataset}/{model}/receipt.json",
        lambda study, w: [
            _model_module(study, w),
            _data_module(study, w),
            *_evaluation_modules(study, w),
            *_own(study),
        ],
        _evaluation,
    ),
    "floor": Kind(
        "evaluate/{dataset}/{model}/receipt.json",
        lambda study, w: ["whatmoves.evaluation.floors", _data_module(study, w), *_own(study)],
        _floor,
    ),
    "judges": Kind(
        "judges/{dataset}/receipt.json",
        lambda study, w: ["whatmoves.judging.train_judges", _data_module(study, w)],
        _judges,
    ),
    "judge": Kind(
        "judge/{dataset}/{model}/receipt.json",
        lambda study, w: ["whatmoves.judging.judge", _data_module(study, w)],
        _judgement,
    ),
    "judge_floors": Kind(
        "judge/{dataset}/floors/receipt.json",
        lambda study, w: ["whatmoves.judging.floors", _data_module(study, w)],
        _judge_floors,
    ),
    "plan": Kind(
        "plan/{dataset}/{model}/receipt.json",
        lambda study, w: ["whatmoves.planning.plan", _model_module(study, w), _data_module(study, w)],
        _planning,
    ),
    "plan_floors": Kind(
        "plan/{dataset}/floors/receipt.json",
        lambda study, w: ["whatmoves.planning.plan", _data_module(study, w)],
        _planning,
    ),
    "exchange": Kind(
        "exchange/{dataset}/{model}/receipt.json",
        lambda study, w: ["whatmoves.exchange.exchange", _model_module(study, w), _data_module(study, w)],
        _evaluation,
    ),
    "exchange_floors": Kind(
        "exchange/{dataset}/floors/receipt.json",
        lambda study, w: ["whatmoves.exchange.floors", _data_module(study, w)],
        _judge_floors,
    ),
    "shift": Kind(
        "shift/{dataset}/{model}/receipt.json",
        lambda study, w: ["whatmoves.shifts.shift", _model_module(study, w), _data_module(study, w)],
        _evaluation,
    ),
    "shift_sets": Kind(
        "shift/{dataset}/sets/receipt.json",
        lambda study, w: ["whatmoves.shifts.sets", _data_module(study, w)],
        _shifted,
    ),
    "analyse": Kind("values.receipt.json", lambda study, w: ["whatmoves.analysis.values", *_own(study)], _analysis),
    "figure": Kind("figures/{figure}.receipt.json", _figure_modules, _drawn),
    "animation": Kind("animations/{animation}.receipt.json", lambda study, w: ["whatmoves.figures.animations"], _shown),
    "explorer": Kind("explorer.receipt.json", _explorer_modules, _whole),
    "paper": Kind("paper/receipt.json", lambda study, w: ["whatmoves.paper.build"], _whole),
}
