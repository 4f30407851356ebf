"""What the jobs of a study cost: how many there are, who needs a GPU, and seconds, told from a measured run.

The time of a job has two parts. What its networks do is counted, in floating-point operations, and done at the speed
that the measured run's trainings of the same kind had (the fastest of them, which other work disturbed least); for a
kind that it did not train, at the median kind's. The rest (drawing clips, measures of pictures, probes, starting
Python) is the measured time less that, and grows with clips, seeds and pixels. On a GPU the first part is
another, and the rest is taken to be what it is on a CPU core, which is too much where a GPU draws and measures too.

An order of magnitude, then: full-size networks reach another speed than small ones, on any machine.
"""

import functools
import json
import math
import statistics
from pathlib import Path
from typing import Any, NamedTuple

from whatmoves import plugins
from whatmoves.data.clips import ClipShape
from whatmoves.figures.catalogue import animations_of, figures_of
from whatmoves.files import read_json
from whatmoves.floors import of_clips
from whatmoves.loading import abilities_of, load_study
from whatmoves.machines.job_times import JobTimes, key_of
from whatmoves.models.interface import abilities
from whatmoves.provenance.closure import source_folder
from whatmoves.provenance.jobs import expected_jobs
from whatmoves.study import DataSet, ModelEntry, Study
from whatmoves.training.estimate import operations_per_clip
from whatmoves.training.train import FIT_CLIPS

MEASURED = Path("benchmarks/results/jobs-quick.json")  # below the folder that holds `src`
LOCAL = ("analyse", "efficiency", "verify", "paper", "copy_paper", "figure", "animation")  # Snakefile: localrules
PASSES = 3  # of a training step, of which drawing is one


class Job(NamedTuple):
    """One job of a study: `operations` of its networks, the seconds they take on a CPU core, and those of the rest."""

    rule: str
    wildcards: dict[str, str]
    gpu: bool
    operations: float = 0.0
    network_s: float = 0.0
    rest_s: float = 0.0

    @property
    def name(self) -> str:
        """`train moving_digits/lstm_vae/0`."""
        return f"{self.rule} {key_of(self.wildcards)}".strip()

    @property
    def cpu_s(self) -> float:
        """Seconds on one core."""
        return self.network_s + self.rest_s

    def gpu_s(self, operations_per_s: float) -> float:
        """Seconds with a GPU that does so many operations a second."""
        return self.operations / operations_per_s + self.rest_s


class Work(NamedTuple):
    """How much a job does: operations of networks, and any measure of the rest that two studies share."""

    operations: float
    rest: float


def jobs_of(study: Study) -> list[Job]:
    """Every job from the data to the paper and the animations, without times."""
    floors = [(d, f) for d in study.data if any(d in e.trains_on for e in study.models.values()) for f in of_clips()]
    named = [*expected_jobs(study), *(("floor", {"dataset": d, "model": floor}) for d, floor in floors)]
    named += [("figure", {"figure": name}) for name in figures_of(study)]
    named += [("animation", {"animation": name}) for name in animations_of(study)]
    named += [(rule, {}) for rule in ("efficiency", "verify", "copy_paper")]
    return [Job(rule, wildcards, _wants_gpu(study, rule, wildcards)) for rule, wildcards in named]


def timed(study: Study, measured: JobTimes) -> list[Job]:
    """The jobs of a study with their times."""
    speeds = Speeds(measured)
    return [speeds.timed(study, job) for job in jobs_of(study)]


def measured_on_gpu(folder: Path) -> tuple[str, float] | None:
    """A GPU's name and the operations a second that its trainings of the `full` study did in the mean, of the first
    report of `whatmoves gpu-check` in `folder`; None where there is none of a GPU."""
    for path in sorted(folder.glob("gpu-*.json")):
        report = read_json(path)
        hours = report["parts"]["full"]["hours"]
        if report["device"].startswith("cuda") and hours:
            study, operations = load_study(source_folder().parent / report["configfile"]), 0.0
            for pair in hours:
                dataset, model = pair.split(".")
                operations += _training_operations(study, dataset, model) * len(study.seeds_of(model))
            return report["device"].removeprefix("cuda: "), operations / (3600 * sum(hours.values()))
    return None


class Speeds:
    """What the measured run says of the speed of each kind of job."""

    def __init__(self, measured: JobTimes) -> None:
        self.seconds = measured.seconds
        self.study = load_study(source_folder().parent / measured.configfile)
        self.start_s = min(seconds for of_rule in ("train", "evaluate") for seconds in self.seconds[of_rule].values())
        self.rates: dict[str, float] = {}  # kind of model → operations a second
        for key, seconds in self.seconds["train"].items():
            dataset, model, _ = key.split("/")
            if model in self.study.models and dataset in self.study.models[model].trains_on:
                rate = _training_operations(self.study, dataset, model) / max(1.0, seconds - self.start_s)
                kind = self.study.models[model].kind
                self.rates[kind] = max(rate, self.rates.get(kind, 0.0))
        self.rates = {kind: rate for kind, rate in self.rates.items() if rate}
        self.usual_rate = statistics.median(self.rates.values())

    def timed(self, study: Study, job: Job) -> Job:
        """A job of a study with its operations and seconds."""
        rate, work = self._rate(study, job), work_of(study, job.rule, job.wildcards)
        operations = work.operations
        if (
            job.rule == "judges"
        ):  # networks of its own, that nothing counts: as many operations as its time was good for
            operations = rate * self._per_unit(job.rule, None) * work.rest
        only_networks = job.rule == "judges" or (job.rule == "train" and operations > 0)
        rest_s = 0.0 if only_networks else self._per_unit(job.rule, self._kind(study, job)) * work.rest
        return job._replace(operations=operations, network_s=operations / rate, rest_s=self.start_s + rest_s)

    def _rate(self, study: Study, job: Job) -> float:
        return self.rates.get(self._kind(study, job) or "", self.usual_rate)

    @staticmethod
    def _kind(study: Study, job: Job) -> str | None:
        entry = study.models.get(job.wildcards.get("model", ""))
        return entry.kind if entry else None

    def _per_unit(self, rule: str, kind: str | None) -> float:
        """Measured seconds of a unit of a rule's rest: of the jobs of a kind of model, or of all; at least those of the
        jobs that have no networks, since what is left of the others is the difference of two large numbers."""
        rows = self._rests.get(rule, [])
        of_kind = [seconds for other, seconds, _ in rows if other == kind] or [seconds for _, seconds, _ in rows]
        pure = [seconds for _, seconds, counted in rows if not counted]
        return max((statistics.median(found) for found in (of_kind, pure) if found), default=0.0)

    @functools.cached_property
    def _rests(self) -> dict[str, list[tuple[str | None, float, bool]]]:
        """Rule → of each measured job the kind of its model, seconds of a unit of its rest, and whether it had more."""
        found: dict[str, list[tuple[str | None, float, bool]]] = {}
        for job in jobs_of(self.study):
            seconds = self.seconds.get(job.rule, {}).get(key_of(job.wildcards))
            if seconds is not None:
                work = work_of(self.study, job.rule, job.wildcards)
                rest_s = max(0.0, seconds - self.start_s - work.operations / self._rate(self.study, job))
                row = (self._kind(self.study, job), rest_s / work.rest, work.operations > 0)
                found.setdefault(job.rule, []).append(row)
        return found


def work_of(study: Study, rule: str, wildcards: dict[str, str]) -> Work:
    """How much a job does, in units that are the same for every study."""
    dataset, model = wildcards.get("dataset", ""), wildcards.get("model", "")
    if not dataset:
        return Work(0.0, 1.0)
    shape, options = _shape(study, dataset), _options(study, dataset)
    values = math.prod(shape[:4])
    test = options.test_clips + getattr(options, "novel_clips", 0)
    asked, seeds = study.evaluation, len(study.seeds_of(model)) if model in study.models else 1
    if rule == "data":
        return Work(0.0, (test + options.validation_clips) * values)
    if rule == "train":
        fits = hasattr(plugins.model_module(study.models[model].kind).Model, "fit")
        clips = min(study.training_of(model).clips, FIT_CLIPS)
        return Work(_training_operations(study, dataset, model), clips * values if fits else 1.0)
    if rule == "evaluate":
        fresh = (asked.probe_clips + test) * study.is_judged(dataset, model)  # encoded once more, before any training
        passes = test * (2 + asked.best_of * _draws(study, model)) + (asked.probe_clips + fresh) * _encodes(
            study, model
        )
        return Work(seeds * passes * _drawing_operations(study, dataset, model), seeds * test * values)
    if rule == "floor":
        return Work(0.0, test * values)
    if rule in ("plan", "plan_floors"):
        asked_of = study.planning
        frames = asked_of.tasks * asked_of.samples * asked_of.rounds * asked_of.commands
        per_frame = _drawing_operations(study, dataset, model) / shape.frames if model else 0.0
        return Work(seeds * frames * (1 + _encodes(study, model)) * per_frame if model else 0.0, frames * values)
    if rule == "judges":
        return Work(0.0, asked.judge_frames * shape.height * shape.width)
    if rule in ("judge_floors", "exchange_floors", "shift_sets"):
        return Work(0.0, asked.swap_pairs * values)
    return Work(0.0, seeds * asked.probe_clips)


def _wants_gpu(study: Study, rule: str, wildcards: dict[str, str]) -> bool:
    """As `gpus` in workflow/rules/study.smk decides on a cluster."""
    if rule == "judges":
        return True
    learns = "model" in wildcards and wildcards["model"] in study.models
    asks = ("train", "evaluate", "plan", "exchange", "shift")
    return rule in asks and learns and _learns(study, wildcards["model"])


def _learns(study: Study, model: str) -> bool:
    return "loss" in abilities_of("models", study.models[model].kind)


def _shape(study: Study, dataset: str) -> ClipShape:
    return _opened(study.data[dataset].model_dump_json())[0]


def _options(study: Study, dataset: str) -> Any:
    return _opened(study.data[dataset].model_dump_json())[1]


@functools.cache
def _opened(data: str) -> tuple[ClipShape, Any]:
    entry = DataSet.model_validate_json(data)
    source = plugins.open_source(entry.kind, entry.options, Path("unread"))
    return source.shape, plugins.data_config(entry.kind, entry.options)


@functools.cache
def _counted(kind: str, options: str, shape: ClipShape) -> float:
    return operations_per_clip(ModelEntry(kind=kind, options=json.loads(options)), shape, f"models.{kind}")


def _per_clip(study: Study, dataset: str, model: str) -> float:
    entry = study.models[model]
    return _counted(entry.kind, json.dumps(entry.options, sort_keys=True), _shape(study, dataset))


def _training_operations(study: Study, dataset: str, model: str) -> float:
    return study.training_of(model).clips * _per_clip(study, dataset, model)


def _drawing_operations(study: Study, dataset: str, model: str) -> float:
    return _per_clip(study, dataset, model) / PASSES


def _encodes(study: Study, model: str) -> bool:
    return "encode" in abilities(plugins.model_module(study.models[model].kind).Model)


def _draws(study: Study, model: str) -> bool:
    """Whether it predicts at random, and so is asked for `best_of` draws."""
    network = plugins.model_module(study.models[model].kind).Model
    return "predict" in abilities(network) and bool(getattr(network, "stochastic", False))
