"""The typed study: data sets, models, training, evaluation. The types are the source of the schema and of the docs.

A study file in `config/` holds only what differs from the defaults below. Options of one model or data set are typed
in its own module (`whatmoves.models.<kind>.Config`, `whatmoves.data.<kind>.Config`); this file imports no torch.
"""

import re
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from whatmoves.settings import Level, Settings

Fraction = Annotated[float, Field(ge=0, le=1)]
Name = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]*$", max_length=100)]  # it names files
Kind = Annotated[str, Field(pattern=r"^[A-Za-z_][A-Za-z0-9_.]*$")]
Optimizer = Literal["adam", "adamw"]
Schedule = Literal["constant", "cosine", "exponential"]
Precision = Literal["fp32", "bf16", "fp16"]
Seed = Annotated[int, Field(ge=0, le=2**31 - 1)]

JUDGED_KINDS = ("moving_digits",)  # data kinds whose swaps `whatmoves.judging` can judge
PLANNED_KINDS = ("push_world",)  # data kinds that `whatmoves.planning` has a true simulator of


class DataSet(Settings):
    """One data set. Its name is the key it stands under."""

    kind: Kind = Field(description="Module in whatmoves.data, or a dotted module path elsewhere; default: the name.")
    options: dict[str, Any] = Field({}, description="Settings of that kind (its module's Config).")
    past_frames: int | None = Field(
        None, ge=1, description="Frames that predictions start from; the rest of a clip is predicted. Null: half."
    )


class TrainingOverrides(Settings):
    """What one model changes of the study's training; null keeps the study's value."""

    clips: int | None = Field(None, gt=0, description="Training budget, in clips.")
    batch_size: int | None = Field(None, gt=0, description="Clips per optimiser step.")
    learning_rate: float | None = Field(None, gt=0, description="Peak learning rate.")
    weight_decay: float | None = Field(None, ge=0, description="Weight decay.")
    clip_norm: float | None = Field(None, gt=0, description="Global gradient norm limit.")
    clip_value: float | None = Field(None, gt=0, description="Elementwise gradient limit, applied before clip_norm.")
    optimizer: Optimizer | None = Field(None, description="Optimiser.")
    schedule: Schedule | None = Field(None, description="Learning-rate schedule.")
    final_fraction: Fraction | None = Field(None, description="Learning rate at the end, as a fraction of the peak.")
    warmup_fraction: Fraction | None = Field(None, description="Part of the budget over which the rate rises.")
    precision: Precision | None = Field(None, description="Autocast precision of forward and loss.")
    compile: bool | None = Field(None, description="torch.compile.")
    patience: int | None = Field(None, gt=0, description="Stop after this many validations without a better one.")


class ModelEntry(Settings):
    """One model of the study. Its name is the key it stands under; several entries may share a kind (ablations)."""

    kind: Kind = Field(description="Module in whatmoves.models, or a dotted module path elsewhere; default: the name.")
    label: str | None = Field(None, description="Name in tables and figures; default: made from the entry's name.")
    trains_on: tuple[Name, ...] = Field(
        (), min_length=1, description="Data sets it is trained on; default: the study's first."
    )
    seeds: tuple[Seed, ...] | None = Field(None, min_length=1, description="Seeds; default: the study's.")
    judged: bool = Field(
        True,
        description="Judge its codes and swaps, where the data can be judged; off for a variant with one question.",
    )
    options: dict[str, Any] = Field({}, description="Settings of that kind (its module's Config).")
    training: TrainingOverrides = Field(TrainingOverrides(), description="What this model changes of the training.")


class Training(Settings):
    """How every model is trained. Budgets are counted in clips, never in seconds."""

    clips: int = Field(200_000, gt=0, description="Training budget of one run, in clips.")
    batch_size: int = Field(32, gt=0, description="Clips per optimiser step.")
    optimizer: Optimizer = Field("adam", description="Optimiser.")
    learning_rate: float = Field(3e-4, gt=0, description="Peak learning rate.")
    schedule: Schedule = Field("cosine", description="Learning-rate schedule.")
    final_fraction: Fraction = Field(0.02, description="Learning rate at the end, as a fraction of the peak.")
    warmup_fraction: Fraction = Field(0.02, description="Part of the budget over which the rate rises linearly.")
    weight_decay: float = Field(1e-5, ge=0, description="Weight decay.")
    clip_norm: float | None = Field(None, gt=0, description="Global gradient norm limit; null: none.")
    clip_value: float | None = Field(None, gt=0, description="Elementwise gradient limit, applied first; null: none.")
    precision: Precision = Field("fp32", description="Autocast precision of forward and loss.")
    compile: bool = Field(False, description="torch.compile (pays on a GPU, costs on a CPU).")
    channels_last: bool = Field(True, description="Channels-last memory format for convolutions.")
    threads: int = Field(1, ge=1, le=64, description="CPU threads of one training; part of a run's identity.")
    validate_every: int = Field(10_000, gt=0, description="Clips between validations.")
    validation_clips: int = Field(256, gt=0, description="Validation clips used for the choice of the best weights.")
    checkpoint_every: int = Field(10_000, gt=0, description="Clips between resumable checkpoints.")
    log_every: int = Field(1_000, gt=0, description="Clips between lines of the history.")
    patience: int | None = Field(None, gt=0, description="Stop after this many validations without a better one.")
    tensorboard: bool = Field(False, description="Also write TensorBoard event files beside the history.")


class Evaluation(Settings):
    """What is measured and shown, on which clips."""

    batch_size: int = Field(100, gt=0, description="Clips per evaluation batch.")
    probe_clips: int = Field(2_000, ge=50, description="Training clips that probes of codes are fitted on.")
    swap_pairs: int = Field(200, ge=4, description="Pairs of test clips that are swapped.")
    best_of: int = Field(10, ge=1, description="Draws of a stochastic prediction, of which the best counts too.")
    code_bins: int = Field(20, ge=2, description="Equal-width bins of a code dimension (MIG).")
    factor_bins: int = Field(10, ge=2, description="Bins of a continuous factor (MIG).")
    permutations: int = Field(999, ge=19, description="Permutations behind each p value.")
    bootstrap: int = Field(
        10_000, ge=100, description="Draws of the bootstrap over clips, for one trained run or a floor."
    )
    measures: tuple[Annotated[str, Field(pattern=r"^[A-Za-z_]\w*(\.[a-z][a-z0-9_]*)+$")], ...] = Field(
        (), description="Measures of your own: modules (my_folder.flicker) with `LABEL` and `measure`."
    )
    shown_clips: int = Field(4, ge=1, le=8, description="Test clips shown in pictures.")
    judge_frames: int = Field(60_000, ge=256, description="Drawn frames that each judge is trained on.")


class Planning(Settings):
    """What is planned with models that read actions, and how it is searched for: on `push_world`."""

    tasks: int = Field(100, ge=0, le=10_000, description="Tasks: a beginning and a goal picture each; 0: no plans.")
    commands: int = Field(4, ge=1, description="Commands of a plan, so many frames lie before the goal.")
    samples: int = Field(64, ge=2, description="Plans tried at once for a task, in every round.")
    rounds: int = Field(5, ge=1, description="Rounds of the cross-entropy method.")
    elites: int = Field(6, ge=2, description="Best plans of a round that the next one is drawn about.")
    moved: float = Field(0.15, gt=0, le=1, description="Way that a task's object has to go at least, sides.")
    tolerance: float = Field(0.05, gt=0, le=1, description="A task is solved if its object ends so near, sides.")

    @model_validator(mode="after")
    def _counts_agree(self) -> "Planning":
        if self.tasks == 1:
            raise ValueError("tasks is 1; must be ≥ 2, for an interval, or 0, for no plans")
        if self.elites > self.samples:
            raise ValueError(f"elites is {self.elites}; must be ≤ samples, {self.samples}")
        if self.tolerance >= self.moved:
            raise ValueError(
                f"tolerance is {self.tolerance:g}; must be < moved, {self.moved:g}, or doing nothing solves a task"
            )
        return self


class Paper(Settings):
    """The paper's own settings."""

    title: str = Field("What Moves", min_length=1, description="Title.")
    authors: tuple[str, ...] = Field(("The What Moves authors",), min_length=1, description="Authors.")
    repository: str | None = Field(
        None, pattern=r"^https://", description="Repository address that code links point to."
    )


class Study(Settings):
    """One study: what is trained on what, how it is measured, and the paper it becomes."""

    study: Name = Field(description="Name of the study; results stand in results/<study>/.")
    description: str = Field("", description="One sentence for the top of the paper.")
    seeds: tuple[Seed, ...] = Field((0, 1, 2), min_length=1, description="Training seeds of every model.")
    arithmetic: Level = Field(
        "portable",
        description="Portable: equal bytes on every x86-64 processor with AVX2; native: all that the processor has.",
    )
    data: dict[Name, DataSet] = Field(min_length=1, description="Data sets by name.")
    models: dict[Name, ModelEntry] = Field(min_length=1, description="Models by name.")
    training: Training = Field(Training(), description="How every model is trained.")
    evaluation: Evaluation = Field(Evaluation(), description="What is measured and shown.")
    planning: Planning = Field(Planning(), description="What is planned with models, and how it is searched for.")
    paper: Paper = Field(Paper(), description="Title, authors and address of the paper.")

    @model_validator(mode="before")
    @classmethod
    def _fill_in(cls, raw: Any) -> Any:
        """Fill `kind` with the entry's name, `trains_on` with the first data set: `mean_frame:` is a full entry."""
        if not isinstance(raw, dict):
            return raw
        filled = dict(raw)
        for section in ("data", "models"):
            if isinstance(filled.get(section), dict):
                filled[section] = {
                    name: {"kind": name, **(entry or {})} if entry is None or isinstance(entry, dict) else entry
                    for name, entry in filled[section].items()
                }
        first = next(iter(filled["data"]), None) if isinstance(filled.get("data"), dict) else None
        if first is not None and isinstance(filled.get("models"), dict):
            filled["models"] = {
                name: {"trains_on": [first], **entry} if isinstance(entry, dict) else entry
                for name, entry in filled["models"].items()
            }
        return filled

    @model_validator(mode="after")
    def _names_and_seeds_agree(self) -> "Study":
        for name, entry in self.models.items():
            for dataset in entry.trains_on:
                if dataset not in self.data:
                    raise ValueError(
                        f"models.{name}.trains_on names {dataset!r}, which is no data set of this study; "
                        f"known: {', '.join(sorted(self.data))}"
                    )
        for key, seeds in [("seeds", self.seeds), *((f"models.{n}.seeds", e.seeds) for n, e in self.models.items())]:
            if seeds is not None and len(set(seeds)) != len(seeds):
                raise ValueError(f"{key} is {list(seeds)}, with a seed twice; name each seed once")
        return self

    def seeds_of(self, model: str) -> tuple[int, ...]:
        """The training seeds of a model."""
        return self.models[model].seeds or self.seeds

    def training_of(self, model: str) -> Training:
        """The study's training with what this model overrides."""
        changed = self.models[model].training.model_dump(exclude_none=True)
        return self.training.model_copy(update=changed)

    def judged_data(self) -> list[str]:
        """The data sets where a model is to be judged and can be: they draw their factors and name what they show."""
        asked = {dataset for entry in self.models.values() if entry.judged for dataset in entry.trains_on}
        return [name for name, entry in self.data.items() if entry.kind in JUDGED_KINDS and name in asked]

    def planned_data(self) -> list[str]:
        """The data sets on which plans can be obeyed, where the study asks for any."""
        asked = self.planning.tasks > 0
        return [name for name, entry in self.data.items() if asked and entry.kind in PLANNED_KINDS]

    def is_judged(self, dataset: str, model: str) -> bool:
        """Whether judges are asked about a model on a data set."""
        return self.models[model].judged and dataset in self.judged_data()

    def main_data(self) -> str:
        """The data set that figures and commands speak of where none is named: the first judged one, or the first one
        that any model is trained on."""
        trained = [name for name in self.data if any(name in entry.trains_on for entry in self.models.values())]
        return [*self.judged_data(), *trained][0]

    def label_of(self, model: str) -> str:
        """The model's name in tables and figures."""
        return self.models[model].label or re.sub(r"_", " ", model)

    def runs(self) -> list[tuple[str, str, int]]:
        """Every training run as (data set, model, seed), in the study's order."""
        return [
            (dataset, model, seed)
            for model, entry in self.models.items()
            for dataset in entry.trains_on
            for seed in self.seeds_of(model)
        ]
