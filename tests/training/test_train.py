"""Whole runs of small models: what they write, and that killing them changes nothing."""

import json
import logging
import os
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import torch
from training_fakes import blinks, noisy

from whatmoves.blame import place_of
from whatmoves.data.clips import Batch
from whatmoves.errors import CheckpointError, ConfigError, TrainingError
from whatmoves.models.interface import Step
from whatmoves.study import Study
from whatmoves.training import runtime
from whatmoves.training.checkpoint import load_checkpoint
from whatmoves.training.failure import largest_input
from whatmoves.training.runtime import Interrupted
from whatmoves.training.train import train
from whatmoves.training.validation import validate

SIZE = 4  # clips a batch; 10 steps


def study(kind: str = "noisy", options: dict[str, Any] | None = None, **training: Any) -> Study:
    settings = {
        "clips": 10 * SIZE,
        "batch_size": SIZE,
        "learning_rate": 0.01,
        "validate_every": 12,
        "log_every": 9,  # neither a multiple of a batch nor of a checkpoint
        "checkpoint_every": 2 * SIZE,
        "clip_norm": 50.0,
        **training,
    }
    model = {"kind": f"training_fakes.{kind}", "options": options or {}}
    data = {"blinks": {"kind": "training_fakes.blinks"}}
    return Study(study="trial", data=data, models={"m": {**model, "trains_on": ["blinks"]}}, training=settings)  # type: ignore[arg-type]


def run(of: Study, folder: Path, seed: int = 3, inputs: dict[str, Any] | None = None) -> Path:
    train(of, "blinks", "m", seed, folder / "data", folder / "out", folder / "work", "cpu", inputs)
    return folder / "out"


def outputs(folder: Path) -> dict[str, bytes]:
    return {name: (folder / "out" / name).read_bytes() for name in ("checkpoint.pt", "history.csv")}


def strike(monkeypatch: pytest.MonkeyPatch, at_step: int, action: Any) -> None:
    def hook(first: int) -> None:
        if first == (at_step - 1) * SIZE:
            action()

    monkeypatch.setattr(blinks, "before_batch", hook)


def fail() -> None:
    raise OSError("the machine went down")


def test_a_run_that_died_in_step_5_ends_at_the_same_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(study(), tmp_path / "whole")
    strike(monkeypatch, 5, fail)
    with pytest.raises(OSError, match="went down"):
        run(study(), tmp_path / "broken")
    assert not list((tmp_path / "broken/out").iterdir())
    assert (tmp_path / "broken/work/state.pt").exists()

    steps: list[int] = []
    monkeypatch.setattr(blinks, "before_batch", steps.append)
    torch.randn(5)  # resuming must not lean on the random numbers this process happens to be at
    run(study(), tmp_path / "broken")
    assert steps == [SIZE * step for step in range(4, 10)]
    assert outputs(tmp_path / "broken") == outputs(tmp_path / "whole")
    assert not (tmp_path / "broken/work").exists()


@pytest.mark.parametrize(("number", "code"), [(signal.SIGTERM, 143), (signal.SIGINT, 130)])
def test_a_signal_saves_at_the_end_of_the_step(
    number: int, code: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    of = study(checkpoint_every=1000)  # nothing but the signal makes it save
    run(of, tmp_path / "whole")
    before = signal.getsignal(number)
    strike(monkeypatch, 4, lambda: os.kill(os.getpid(), number))
    with pytest.raises(Interrupted) as stopped:
        run(of, tmp_path / "broken")
    assert stopped.value.code == code
    assert signal.getsignal(number) is before

    steps: list[int] = []
    monkeypatch.setattr(blinks, "before_batch", steps.append)
    run(of, tmp_path / "broken")
    assert steps[0] == 4 * SIZE
    assert outputs(tmp_path / "broken") == outputs(tmp_path / "whole")


def test_a_process_killed_with_sigkill_leaves_a_state_that_resumes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    run(study(), tmp_path / "whole")
    script = (
        "import os, signal, pathlib, test_train\n"
        "from training_fakes import blinks\n"
        f"blinks.before_batch = lambda first: os.kill(os.getpid(), signal.SIGKILL) if first == {4 * SIZE} else None\n"
        f"test_train.run(test_train.study(), pathlib.Path({str(tmp_path / 'broken')!r}))\n"
    )
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parent)}
    killed = subprocess.run([sys.executable, "-c", script], env=environment, check=False)
    assert killed.returncode == -signal.SIGKILL

    steps: list[int] = []
    monkeypatch.setattr(blinks, "before_batch", steps.append)
    run(study(), tmp_path / "broken")
    assert steps == [SIZE * step for step in range(4, 10)]
    assert outputs(tmp_path / "broken") == outputs(tmp_path / "whole")


def test_bf16_and_adamw_resume_alike(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    of = study(precision="bf16", optimizer="adamw", weight_decay=0.1)
    run(of, tmp_path / "whole")
    strike(monkeypatch, 8, fail)
    with pytest.raises(OSError, match="went down"):
        run(of, tmp_path / "broken")
    monkeypatch.undo()
    run(of, tmp_path / "broken")
    assert outputs(tmp_path / "broken") == outputs(tmp_path / "whole")


def test_fp16_saves_its_loss_scale(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    strike(monkeypatch, 5, fail)
    with pytest.raises(OSError, match="went down"):
        run(study(precision="fp16"), tmp_path)
    state = torch.load(tmp_path / "work/state.pt", weights_only=True)
    assert state["scaler"]["scale"] > 0
    monkeypatch.undo()
    assert (run(study(precision="fp16"), tmp_path) / "checkpoint.pt").exists()


def test_what_a_run_writes(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.INFO, "whatmoves"):
        out = run(study(), tmp_path)
    assert sorted(p.name for p in out.iterdir()) == ["checkpoint.pt", "history.csv", "timings.json"]
    assert caplog.messages[1:3] == ["parameters: 158", "budget: 40 clips in 10 steps"]
    assert caplog.messages[0].startswith("device: cpu")
    assert "1 of" in caplog.messages[0]

    history = pd.read_csv(out / "history.csv")
    assert list(history.clips) == [12, 20, 24, 28, 36, 40]  # first step at or past multiples of 9 and 12, and the end
    validated = history.dropna(subset="validation_total")
    assert list(validated.clips) == [12, 24, 36, 40]
    assert (validated.validation_beta == 1).all()  # schedules are at their end
    assert history.train_beta[1] == pytest.approx((12 + 16) / 2 / 40)  # mean over the steps since the row before
    assert (history.train_total - history.train_error).tolist() == pytest.approx([1.0] * 6, abs=1e-4)

    model, meta = load_checkpoint(out / "checkpoint.pt")
    assert not model.training
    best = validated.loc[validated.validation_total.idxmin()]
    assert meta["best_clips"] == best.clips
    assert meta["best_validation"] == pytest.approx(best.validation_total, rel=1e-6)
    assert model.calls == best.clips / SIZE  # the weights are those of the best validation
    assert (meta["kind"], meta["seed"], meta["dataset"], meta["clips_seen"]) == (
        "training_fakes.noisy",
        3,
        "blinks",
        40,
    )
    assert meta["options"] == {"width": 4, "kl_nats": 1.0, "breaks_at": None, "spoils_at": None}
    timings = json.loads((out / "timings.json").read_text())
    assert timings["clips_per_s"] == pytest.approx(40 / timings["seconds"])
    assert (timings["threads"], timings["parameters"], timings["interruptions"]) == (1, 158, 0)


def test_the_seed_and_the_learning_rate_matter_and_the_place_does_not(tmp_path: Path) -> None:
    for name, seed, rate in [("a", 0, 0.01), ("same", 0, 0.01), ("seed", 1, 0.01), ("rate", 0, 0.02)]:
        run(study(learning_rate=rate), tmp_path / name, seed)
    assert outputs(tmp_path / "a") == outputs(tmp_path / "same")
    histories = [(tmp_path / name / "out/history.csv").read_text() for name in ("a", "seed", "rate")]
    assert len(set(histories)) == 3


def test_a_budget_is_rounded_up_to_whole_batches(tmp_path: Path) -> None:
    assert load_checkpoint(run(study(clips=9), tmp_path) / "checkpoint.pt").meta["clips_seen"] == 12


def test_validation_is_a_mean_over_clips_and_leaves_no_trace() -> None:
    class Bright(torch.nn.Module):
        def loss(self, batch: Any, step: Step) -> dict[str, torch.Tensor]:
            noise = torch.rand(())
            return {"total": batch.video.mean(), "noise": noise, "trains": torch.tensor(float(self.training))}

    split, model = blinks.Blinks().split("validation"), Bright()
    training = study(validation_clips=11).training  # batches of 4, 4 and 3
    torch.manual_seed(1)
    first = validate(model, split, training, torch.device("cpu"))
    after = torch.rand(())
    torch.manual_seed(1)
    assert after == torch.rand(())
    assert model.training
    assert first == validate(model, split, training, torch.device("cpu"))
    assert first["total"] == pytest.approx(split.video.mean() / 255, rel=1e-6)
    assert first["trains"] == 0


def test_patience_stops_a_run_that_no_longer_gets_better(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    totals = iter([5.0, 4.0, 6.0, 4.5, 1.0])
    monkeypatch.setattr(
        "whatmoves.training.loop.validate", lambda model, split, training, device: {"total": next(totals)}
    )
    model, meta = load_checkpoint(run(study(validate_every=SIZE, patience=2), tmp_path) / "checkpoint.pt")
    assert model.calls == 2  # steps behind the saved weights
    assert (meta["clips_seen"], meta["best_clips"], meta["best_validation"]) == (4 * SIZE, 2 * SIZE, 4.0)


def test_nothing_is_best_before_the_trained_loss_is_the_validated_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    totals = iter([1.0, 2.0, 3.0, 4.0, 9.0, 8.0, 8.5, 8.6])  # rising by design, then falling
    monkeypatch.setattr(
        "whatmoves.training.loop.validate", lambda model, split, training, device: {"total": next(totals)}
    )
    monkeypatch.setattr(noisy.Model, "settled", 0.5, raising=False)
    _, meta = load_checkpoint(run(study(validate_every=SIZE, patience=2), tmp_path) / "checkpoint.pt")
    assert (meta["clips_seen"], meta["best_clips"], meta["best_validation"]) == (8 * SIZE, 6 * SIZE, 8.0)
    assert meta["stopped_early"]
    assert "stopped early, after 32 of 40 clips: 2 validations in a row" in caplog.text
    assert "after 24 clips, whose weights are kept" in caplog.text


@pytest.mark.parametrize("last", [True, False])
def test_channels_last_is_obeyed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, last: bool) -> None:
    seen = []
    loss = noisy.Model.loss

    def watched(self: noisy.Model, batch: Batch, step: Step) -> dict[str, torch.Tensor]:
        weight = next(m.weight for m in self.modules() if isinstance(m, torch.nn.Conv2d) and m.kernel_size[0] > 1)
        seen.append(weight.is_contiguous(memory_format=torch.channels_last) and not weight.is_contiguous())
        return loss(self, batch, step)

    monkeypatch.setattr(noisy.Model, "loss", watched)
    run(study(channels_last=last), tmp_path)
    assert set(seen) == {last}


def test_patience_that_runs_out_with_the_budget_stopped_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    totals = iter([5.0] * 8 + [6.0] * 2)  # the 8 are one best and seven no better
    monkeypatch.setattr(
        "whatmoves.training.loop.validate", lambda model, split, training, device: {"total": next(totals)}
    )
    _, meta = load_checkpoint(run(study(validate_every=SIZE, patience=9), tmp_path) / "checkpoint.pt")
    assert (meta["clips_seen"], meta["best_clips"], meta["stopped_early"]) == (10 * SIZE, SIZE, False)
    assert "stopped early" not in caplog.text


@pytest.mark.parametrize("died_in_step", [3, 7, 8])  # in the warm-up, at the best weights, while patience counts
def test_a_run_that_died_stops_early_where_an_unbroken_one_does(
    died_in_step: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    totals = [1.0, 2.0, 3.0, 4.0, 9.0, 8.0, 8.5, 8.6, 7.0, 7.0]
    monkeypatch.setattr(
        "whatmoves.training.loop.validate",
        lambda model, split, training, device: {"total": totals[int(model.calls) - 1]},
    )
    monkeypatch.setattr(noisy.Model, "settled", 0.5, raising=False)
    of = study(validate_every=SIZE, patience=2)
    run(of, tmp_path / "whole")
    with monkeypatch.context() as struck:
        strike(struck, died_in_step, fail)
        with pytest.raises(OSError, match="went down"):
            run(of, tmp_path / "broken")
    run(of, tmp_path / "broken")
    assert outputs(tmp_path / "broken") == outputs(tmp_path / "whole")
    assert load_checkpoint(tmp_path / "broken/out/checkpoint.pt").meta["stopped_early"]


def test_a_whole_run_did_not_stop_early(tmp_path: Path) -> None:
    assert not load_checkpoint(run(study(patience=100), tmp_path) / "checkpoint.pt").meta["stopped_early"]


def test_a_collapsed_code_is_told_once_and_marked(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    out = run(study(options={"kl_nats": 0.05}, validate_every=SIZE), tmp_path)
    told = [record.getMessage() for record in caplog.records if record.levelno == logging.WARNING]
    assert told == ["blinks/m/seed-3: kl_nats 0.05 per clip: this code has collapsed and carries nothing; lower its β"]
    history = pd.read_csv(out / "history.csv").dropna(subset="validation_total")
    assert list(history.collapsed.isna()) == [True] * 2 + [False] * 8  # not in the first quarter of 40 clips
    assert load_checkpoint(out / "checkpoint.pt").meta["collapsed"] == ["kl_nats"]


def test_a_loss_that_is_not_finite_is_named_and_never_saved(tmp_path: Path) -> None:
    with pytest.raises(TrainingError) as told:
        run(study(options={"breaks_at": 5 * SIZE}, log_every=1000, validate_every=1000), tmp_path)
    assert str(told.value).startswith("blinks/m/seed-3: step 6 gave error nan, kl_nats 1, beta 0.5, total nan, at ")
    assert str(told.value).endswith(
        ", precision fp32, largest input 0.999 (video); lower training.learning_rate, set training.clip_norm: 1.0, or "
        f"mend {place_of(noisy.Model.loss)}"
    )
    assert torch.load(tmp_path / "work/state.pt", weights_only=True)["progress"]["clips_seen"] == 4 * SIZE


def test_weights_that_are_not_finite_are_never_saved(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"^blinks/m/seed-3: step 6 made weights not finite, at learning rate 0\.0"):
        run(study(options={"spoils_at": 5 * SIZE}, log_every=1000, validate_every=1000), tmp_path)
    assert torch.load(tmp_path / "work/state.pt", weights_only=True)["progress"]["clips_seen"] == 4 * SIZE


def test_floors_are_fitted_or_saved_at_once(tmp_path: Path) -> None:
    fitted = load_checkpoint(run(study("mean", clips=10), tmp_path / "mean") / "checkpoint.pt")
    assert fitted.model.clips == fitted.meta["clips_seen"] == 10
    assert fitted.meta["best_validation"] is None
    assert (tmp_path / "mean/out/history.csv").read_text() == "clips\n10\n"
    assert load_checkpoint(run(study("nothing"), tmp_path / "none") / "checkpoint.pt").meta["clips_seen"] == 0


def test_a_second_process_is_kept_out(tmp_path: Path) -> None:
    with runtime.locked(tmp_path / "work"):
        with pytest.raises(TrainingError) as told:
            run(study(), tmp_path)
        me = os.getpid()
        assert str(told.value) == (
            f"{tmp_path}/work: process {me} is training this run already; wait for it or end it (kill {me})"
        )
    run(study(), tmp_path)


@pytest.mark.parametrize(("rate", "inputs"), [(0.5, None), (0.01, {"validation.npz": {"sha256": "other"}})])
def test_state_of_other_settings_or_inputs_is_refused(
    rate: float, inputs: dict[str, Any] | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    strike(monkeypatch, 5, fail)
    with pytest.raises(OSError, match="went down"):
        run(study(), tmp_path)
    with pytest.raises(CheckpointError) as told:
        run(study(learning_rate=rate), tmp_path, inputs=inputs)
    work = tmp_path / "work"
    fix = f"delete {work} to start anew"
    assert str(told.value) == f"{work}/state.pt: state of a run with other settings or inputs; {fix}"


def test_no_write_permission_is_found_before_any_work(tmp_path: Path) -> None:
    (tmp_path / "out").write_text("a file where the folder should be")
    with pytest.raises(TrainingError) as told:
        run(study(), tmp_path)
    assert str(told.value) == f"{tmp_path}/out: cannot write there (File exists); choose another results folder"


def test_names_that_the_study_does_not_have(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^models\.n is not in study trial; known: m$"):
        train(study(), "blinks", "n", 0, tmp_path, tmp_path, tmp_path, "cpu")


def test_hours_on_a_cpu_are_a_warning(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: Any) -> None:
    run(study(clips=22 * SIZE), tmp_path / "short")
    assert "hours" not in caplog.text
    monkeypatch.setattr(runtime, "SLOW_S", 0.0)
    run(study(clips=22 * SIZE), tmp_path / "long")
    assert caplog.text.count("hours on this CPU") == 1


def test_tensorboard_events_stand_beside_the_history(tmp_path: Path) -> None:
    pytest.importorskip("tensorboard")
    assert len(list((run(study(tensorboard=True), tmp_path) / "tensorboard").iterdir())) == 1


def test_tensorboard_that_is_not_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "torch.utils.tensorboard", None)
    with pytest.raises(ConfigError, match="the package tensorboard is missing; pip install tensorboard, or"):
        run(study(tensorboard=True), tmp_path)


def test_inputs_out_of_all_measure_are_named_where_the_loss_is_not_finite(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = blinks.Blinks.train_batch

    def at_step_6(self: blinks.Blinks, seed: int, first: int, count: int, device: torch.device) -> Batch:
        actions = torch.full((count, 3, 2), -1e9 if first == 5 * SIZE else 2.0)
        return plain(self, seed, first, count, device)._replace(actions=actions)

    monkeypatch.setattr(blinks.Blinks, "train_batch", at_step_6)
    options = {"breaks_at": 5 * SIZE}
    with pytest.raises(TrainingError) as told:  # read long after the step
        run(
            study(options=options, log_every=1000, validate_every=1000, checkpoint_every=1000, precision="fp16"),
            tmp_path,
        )
    assert "step 6 gave error nan" in str(told.value)
    assert str(told.value).endswith(
        ", precision fp16, largest input 1e+09 (actions); inputs should be some units large: mend actions in the data "
        "or leave them out"
    )


def test_a_validation_that_is_not_finite_tells_what_is_known(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(
        "whatmoves.training.loop.validate", lambda model, split, training, device: {"total": float("nan")}
    )
    with pytest.raises(TrainingError) as told:
        run(study(precision="fp16"), tmp_path)
    assert str(told.value) == (
        "blinks/m/seed-3: validation after 12 clips gave total nan, precision fp16, largest input 1 (video); "
        "set training.precision: bf16, or lower training.learning_rate, set training.clip_norm: 1.0, or mend "
        f"{place_of(noisy.Model.loss)}"
    )


def test_the_largest_input_is_what_is_no_number() -> None:
    video, actions = torch.full((1, 2, 1, 2, 2), 0.5), torch.tensor([[[-3.0], [torch.nan]]])
    assert largest_input(Batch(video, actions[:, :1])) == ("actions", 3.0)
    name, size = largest_input(Batch(video, actions))
    assert (name, str(size)) == ("actions", "nan")
