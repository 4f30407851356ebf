"""The study that a check of a machine runs: the shapes and models of a shipped one, on data that needs no download.

MNIST's digits are replaced by those that ship with scikit-learn, drawn at the same size: a step costs what it costs
with MNIST. Few clips are stored. Everything else is as the study says it.
"""

from pathlib import Path
from typing import Any, NamedTuple

from whatmoves.files import write_json
from whatmoves.loading import load_study
from whatmoves.study import Study

NAME = "gpu_check"
JUDGED = ("what_where_vae", "disentangled_vae")
INTERRUPTED = "baseline_vae"


class Size(NamedTuple):
    """How much of everything."""

    configfile: str
    steps: int  # of each model and way
    warm_steps: int  # of those, before the clock starts
    compiled_models: int | None  # how many are compiled; None: all
    agreement_clips: int
    interrupted_clips: int
    judged_clips: int
    stored: dict[str, dict[str, int]]  # kind of data set → options
    evaluation: dict[str, int]
    seconds: dict[str, float]  # part → its share


FULL = Size(
    configfile="config/full.yaml",
    steps=200,
    warm_steps=10,
    compiled_models=None,
    agreement_clips=2,  # batch norm needs two
    interrupted_clips=60_000,
    judged_clips=60_000,
    stored={
        "moving_digits": {"validation_clips": 256, "test_clips": 200},
        "push_world": {"validation_clips": 64, "test_clips": 64, "novel_clips": 64},
        "recordings": {"validation_clips": 64, "test_clips": 64, "sample_sessions": 8},
    },
    evaluation={"probe_clips": 2_000, "swap_pairs": 200, "judge_frames": 60_000, "best_of": 1},
    seconds={"data": 20, "steps": 150, "agreement": 40, "interruption": 60, "judged": 120, "compiled": 140},
)
QUICK = FULL._replace(
    configfile="config/tiny.yaml",
    steps=6,
    warm_steps=2,
    compiled_models=1,  # a compiler takes ten seconds for each
    agreement_clips=4,
    interrupted_clips=4_000,
    judged_clips=64,
    stored={
        "moving_digits": {"validation_clips": 16, "test_clips": 40},
        "push_world": {"validation_clips": 8, "test_clips": 8, "novel_clips": 8},
        "recordings": {"validation_clips": 8, "test_clips": 8},
    },
    evaluation={"probe_clips": 60, "swap_pairs": 8, "judge_frames": 512, "best_of": 1},
    seconds={"data": 8, "steps": 9, "agreement": 5, "interruption": 12, "judged": 15, "compiled": 12},
)


def checked(size: Size, root: Path) -> Study:
    """The study with small stored splits and without a download; `root` is where `config/` stands."""
    raw = load_study(root / size.configfile).model_dump(mode="json")
    for entry in raw["data"].values():
        entry["options"] |= size.stored.get(entry["kind"], {})
        if entry["options"].get("digit_bank") == "mnist":
            entry["options"] |= {"digit_bank": "uci", "download": False}
    return Study.model_validate({**raw, "study": NAME})


def judged(size: Size, study: Study) -> Study:
    """Of `checked`, the two models that are trained for a while and judged: one seed, and no time for a compiler."""
    training = {"clips": size.judged_clips, "compile": False, "validate_every": max(1, size.judged_clips // 4)}
    training |= {"checkpoint_every": size.judged_clips, "log_every": max(1, size.judged_clips // 20)}
    return _part_of(study, JUDGED, training, size.evaluation)


def interrupted(size: Size, study: Study) -> Study:
    """Of `checked`, the model whose training is ended twice: ten states on its way."""
    training = {"clips": size.interrupted_clips, "compile": False, "validate_every": size.interrupted_clips // 2}
    training |= {"checkpoint_every": size.interrupted_clips // 10, "log_every": size.interrupted_clips // 10}
    return _part_of(study, (INTERRUPTED,), training, size.evaluation)


def write_study(study: Study, path: Path) -> Path:
    """Write a study file that every command reads: JSON is YAML."""
    write_json(path, study.model_dump(mode="json", exclude_none=True))
    return path


def _part_of(study: Study, models: tuple[str, ...], training: dict[str, Any], evaluation: dict[str, int]) -> Study:
    main = study.main_data()
    kept = {name: study.models[name].model_copy(update={"seeds": (0,)}) for name in models}
    return study.model_copy(
        update={
            "data": {main: study.data[main]},
            "models": kept,
            "training": study.training.model_copy(update=training),
            "evaluation": study.evaluation.model_copy(update=evaluation),
        }
    )
