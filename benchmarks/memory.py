"""Resident memory on a CPU, at its highest: trainings of every model of `quick` and of `full`, and evaluations.

Each is a command in a process of its own. A training is `whatmoves train` on the study's data, batch and validation,
with a budget of a few batches; it ends with a validation, a saved state and the checkpoint. For `full`, digits that
ship with scikit-learn stand for MNIST's, fewer clips are stored, and steps are in float32, not compiled. Evaluations
are of `tiny`'s baseline VAE on `quick`'s digits, with as many test clips as `quick` has and with ten times as many.

    python benchmarks/memory.py [quick|full [MODEL ...]]
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import subprocess
import sys
import tempfile
from pathlib import Path

from rows import Row, keep

from whatmoves.loading import load_study
from whatmoves.machines.checked_study import FULL, checked, write_study
from whatmoves.study import Study

ROOT = Path(__file__).parents[1]
ASKED_MB = {"quick": 700.0, "full": 6000.0}
BATCHES = {"quick": 8, "full": 2}
PARTS = {"quick": "memory", "full": "memory_full"}
EVALUATED = ("baseline_vae", "moving_digits")
TEST_CLIPS = (1_000, 10_000)


def run(*command: str) -> float:
    """Run `whatmoves` and return the highest resident memory of its process in MB."""
    process = subprocess.Popen([sys.executable, "-m", "whatmoves", *command], stderr=subprocess.PIPE, text=True)
    assert process.stderr is not None
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"whatmoves {' '.join(command)}: {said}")
    return usage.ru_maxrss * 1024 / 1e6


def short(study: Study, batches: int) -> Study:
    """The study with trainings of a few batches, validated and saved at their end, without a compiler."""
    raw = study.model_dump(mode="json")
    every = batches * study.training.batch_size
    raw["training"] |= {"validate_every": every, "checkpoint_every": every, "precision": "fp32", "compile": False}
    for name, entry in raw["models"].items():
        entry["training"] = {**(entry["training"] or {}), "clips": batches * study.training_of(name).batch_size}
    return Study.model_validate(raw)


def rows_of(name: str, folder: Path, wanted: list[str]) -> list[Row]:
    """The rows of a study's models that learn by gradients, or of those `wanted`."""
    study = load_study(ROOT / "config/config.yaml") if name == "quick" else checked(FULL, ROOT)
    study = short(study, BATCHES[name])
    configfile = str(write_study(study, folder / f"{name}.yaml"))
    common = ("--configfile", configfile, "--results", str(folder))
    for dataset in study.data:
        run("data", *common, "--dataset", dataset)
    rows = []
    for model, entry in study.models.items():
        if wanted and model not in wanted:
            continue
        for dataset in entry.trains_on:
            took = run("train", *common, "--dataset", dataset, "--model", model, "--device", "cpu")
            rows.append(Row(f"`{name}`: {model} on {dataset}", took, "MB", at_most=ASKED_MB[name]))
            print(" | ".join(rows[-1].cells()), flush=True)
    return rows


def evaluation(clips: int, folder: Path) -> Row:
    """The row of an evaluation of so many test clips; the judges that it asks have learnt next to nothing."""
    model, dataset = EVALUATED
    quick, tiny = (load_study(ROOT / f"config/{name}.yaml").model_dump(mode="json") for name in ("config", "tiny"))
    data = quick["data"][dataset]
    data["options"] |= {"validation_clips": 200, "test_clips": clips}
    entry = {**tiny["models"][model], "seeds": [0], "trains_on": [dataset]}
    raw = {
        "study": f"clips_{clips}",
        "seeds": [0],
        "data": {dataset: data},
        "models": {model: entry},
        "training": {"clips": 128, "batch_size": 32, "validate_every": 128, "checkpoint_every": 128},
        "evaluation": {"judge_frames": 512},
    }
    study = Study.model_validate(raw)
    common = ("--configfile", str(write_study(study, folder / f"{study.study}.yaml")), "--results", str(folder))
    run("data", *common, "--dataset", dataset)
    run("train", *common, "--dataset", dataset, "--model", model, "--device", "cpu")
    run("judge", *common, "--dataset", dataset, "--train", "--device", "cpu")
    took = run("evaluate", *common, "--dataset", dataset, "--model", model, "--device", "cpu")
    row = Row(f"evaluation of {clips:,} test clips", took, "MB")
    print(" | ".join(row.cells()), flush=True)
    return row


def main() -> None:
    """Print and keep the rows."""
    with tempfile.TemporaryDirectory() as folder:
        for name in sys.argv[1:2] or list(PARTS):
            rows = rows_of(name, Path(folder), sys.argv[2:])
            if not sys.argv[2:]:
                rows += [evaluation(clips, Path(folder)) for clips in TEST_CLIPS if name == "quick"]
                keep(
                    PARTS[name],
                    rows,
                    "A process at its highest, PyTorch included; of trainings, where no other job is named.",
                )


if __name__ == "__main__":
    main()
