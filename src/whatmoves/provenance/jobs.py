"""What each kind of job depends on: the one table that rules, commands and `verify` share.

A job's fingerprint has three parts, kept apart so that the reason of a rerun names its cause:

    code         hashes of the modules it runs: its entry module, and of models and data sets only those it uses
    settings     the part of the study it reads, resolved to plain JSON
    environment  the pinned versions (requirements.txt) of the packages that this code imports

A package that only other packages import is not seen. A receipt records what was installed beside what was pinned, and
`verify` compares the two.
"""

import functools
import hashlib
import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from whatmoves.asked import exchanged_rows, planned_rows, shifted_rows
from whatmoves.errors import ConfigError
from whatmoves.layout import PLANNED_FLOORS, figure_parts
from whatmoves.plugins import module_path
from whatmoves.provenance.closure import Tree, source_folder
from whatmoves.study import Study

# Everything a job takes from the study stands in its settings, so the text of the types need not count as its code.
SPELLED_OUT = ("whatmoves.study",)

SYNTAX = Path(".cache/syntax")
"""Where a run keeps what source files mean, so that no job of it reads their syntax again."""

# What every job computes with, at the study's level of instructions.
ARITHMETIC, KERNELS = "whatmoves.arithmetic.level", "whatmoves.arithmetic.kernels"

# Import names that differ from the name of the distribution.
DISTRIBUTIONS = {"PIL": "pillow", "yaml": "pyyaml", "sklearn": "scikit-learn", "skimage": "scikit-image"}

# Options of data kinds that only say where a file lies, or a folder of some: what is in it counts
# (`commands.data.contents_digest`).
PLACES = {"moving_mnist": "file"}

# Settings of the evaluation that the analysis reads, and those of them that only it reads.
ANALYSIS_SETTINGS = frozenset({"bootstrap", "permutations", "measures"})
ONLY_ANALYSIS_SETTINGS = frozenset({"bootstrap"})
SHOW_OPTIONS = frozenset({"schedules"})  # figures of settings instead of results
ONLY_JUDGES_SETTINGS = frozenset({"judge_frames"})  # what trains judges; others read it off the judges' file


@dataclass(frozen=True)
class Fingerprint:
    """What one job depends on."""

    kind: str
    wildcards: dict[str, str]
    code: dict[str, str]  # module → hash
    settings: dict[str, Any]  # plain JSON
    environment: dict[str, str]  # distribution → pinned version

    @property
    def code_digest(self) -> str:
        """The code as one short hash."""
        return short(self.code)

    @property
    def settings_text(self) -> str:
        """The settings as canonical JSON."""
        return canonical(self.settings)

    @property
    def environment_text(self) -> str:
        """The environment as canonical JSON."""
        return canonical(self.environment)

    @property
    def digest(self) -> str:
        """Code, settings and environment as `<hex>-<hex>-<hex>`: what a job expects; names work folders."""
        return f"{short(self.code)}-{short(self.settings)}-{short(self.environment)}"


@dataclass(frozen=True)
class Kind:
    """One kind of job: where its receipt stands below results/<study>, and what it depends on."""

    receipt: str
    modules: Callable[[Study, Mapping[str, str]], list[str]]
    settings: Callable[[Study, Mapping[str, str]], dict[str, Any]]


def fingerprint(study: Study, kind: str, /, **wildcards: str | int) -> Fingerprint:
    """What one job depends on, in the tree that is running; see `read_fingerprint`."""
    return read_fingerprint(study, kind, wildcards)


def read_fingerprint(
    study: Study, kind: str, wildcards: Mapping[str, str | int], source: Path | None = None, tree: Tree | None = None
) -> Fingerprint:
    """What one job depends on, read from the tree as it is now.

    `source` holds the package (default: the running one); requirements.txt lies above it. Who asks for many jobs at
    once gives the `tree` of that folder, in which files are read once. Raises `ProofError` for code
    that cannot be followed and `ConfigError` for a data set or model that the study lacks.
    """
    source = source or source_folder()
    tree = tree or Tree(source)
    described = KINDS[kind]
    texts = {name: str(value) for name, value in wildcards.items()}
    modules = [*described.modules(study, texts), ARITHMETIC]
    traced = tree.trace(modules, without=SPELLED_OUT)
    if "torch" in traced.foreign:  # PyTorch itself imports the kernels: no import of ours shows it
        traced = tree.trace([*modules, KERNELS], without=SPELLED_OUT)
    pins = pinned(source.parent)
    names = {_distribution(name) for name in traced.foreign}
    return Fingerprint(
        kind=kind,
        wildcards=texts,
        code=traced.modules,
        settings={"arithmetic": study.arithmetic, **described.settings(study, texts)},
        environment={name: pins[name] for name in sorted(names) if name in pins},
    )


def receipt_of(kind: str, **wildcards: str | int) -> str:
    """Where a job's receipt stands, relative to results/<study>."""
    return KINDS[kind].receipt.format(**wildcards)


def expected_jobs(study: Study) -> list[tuple[str, dict[str, str]]]:
    """Every job that the study itself names, as (kind, wildcards); figures are named by the paper's receipt."""
    pairs = list(dict.fromkeys((dataset, model) for dataset, model, _ in study.runs()))
    jobs: list[tuple[str, dict[str, str]]] = [("data", {"dataset": dataset}) for dataset in study.data]
    jobs += [("train", {"dataset": d, "model": m, "seed": str(s)}) for d, m, s in study.runs()]
    jobs += [("evaluate", {"dataset": dataset, "model": model}) for dataset, model in pairs]
    judged = study.judged_data()
    jobs += [(kind, {"dataset": dataset}) for dataset in judged for kind in ("judges", "judge_floors")]
    jobs += [
        ("judge", {"dataset": dataset, "model": model})
        for dataset, model in pairs
        if dataset in judged and study.models[model].judged
    ]
    jobs += [
        ("plan_floors", {"dataset": dataset}) if row == PLANNED_FLOORS else ("plan", {"dataset": dataset, "model": row})
        for dataset, row in planned_rows(study)
    ]
    for dataset in judged:
        rows = exchanged_rows(study, dataset)
        jobs += [("exchange", {"dataset": dataset, "model": row}) for row in rows[:-1]]
        jobs += [("exchange_floors", {"dataset": dataset}) for _ in rows[-1:]]
    for dataset in study.data:
        rows = shifted_rows(study, dataset)
        jobs += [("shift", {"dataset": dataset, "model": row}) for row in rows[:-1]]
        jobs += [("shift_sets", {"dataset": dataset}) for _ in rows[-1:]]
    return [*jobs, ("analyse", {}), ("paper", {})]


def pinned(project: Path) -> dict[str, str]:
    """Distribution → version as requirements.txt in `project` pins them; empty where there is none."""
    path = project / "requirements.txt"
    return _pins(path.read_text(encoding="utf-8")) if path.is_file() else {}


@functools.lru_cache
def _pins(text: str) -> dict[str, str]:
    lines = re.findall(r"^([A-Za-z0-9._-]+)\s*==\s*([^\s;#\\]+)", text, re.MULTILINE)
    return {_distribution(name): version for name, version in lines}


def canonical(value: Any) -> str:
    """JSON on one line with sorted keys: equal values give equal texts."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False)


def short(value: Any) -> str:
    """A plain value as twelve hex digits."""
    return hashlib.blake2b(canonical(value).encode(), digest_size=6).hexdigest()


def _distribution(name: str) -> str:
    return re.sub(r"[-_.]+", "-", DISTRIBUTIONS.get(name, name)).lower()


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
