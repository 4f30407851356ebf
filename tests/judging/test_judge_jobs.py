"""Judges trained, floors and models judged on a miniature data set: what is written, and that it stays the same."""

import sys
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType

import numpy as np
import pytest
import torch
from pandas.testing import assert_frame_equal
from torch import Tensor, nn

from whatmoves.analysis.judgements import judged
from whatmoves.by_seed import sweep
from whatmoves.data.clips import ClipShape
from whatmoves.data.moving_digits import Config as DataConfig
from whatmoves.data.moving_digits import make
from whatmoves.errors import CheckpointError, DataError
from whatmoves.evaluation import evaluate as job_of_measures
from whatmoves.evaluation.evaluate import evaluate
from whatmoves.evaluation.stored import table as stored_table
from whatmoves.evaluation.swaps import Codes
from whatmoves.files import read_arrays, read_json, write_arrays
from whatmoves.judging import floors as job_of_floors
from whatmoves.judging import judge as job_of_models
from whatmoves.judging.asking import asker
from whatmoves.judging.control import smoothness
from whatmoves.judging.floors import judge_floors
from whatmoves.judging.judge import judge
from whatmoves.judging.judged import kappa
from whatmoves.judging.judges import load_judges
from whatmoves.judging.task import open_task
from whatmoves.judging.train_judges import train_judges
from whatmoves.settings import Settings
from whatmoves.study import Study
from whatmoves.training.checkpoint import save_checkpoint

SIDE, FRAMES = 16, 3
DATA = {"image_px": SIDE, "digit_px": 8, "frames": FRAMES, "validation_clips": 30, "test_clips": 60}


class FakeConfig(Settings):
    """Nothing to set."""


class FakeModel(nn.Module):
    """Content is the mean frame's pixels, motion those of the changes; draws the mean frame, so it ignores motion."""

    def __init__(self, config: FakeConfig, shape: ClipShape) -> None:
        super().__init__()
        self.unused = nn.Parameter(torch.zeros(1))

    def encode(self, video: Tensor) -> dict[str, Tensor]:
        still = video.mean(1).flatten(1)
        return {"content": still[:, ::4] + self.unused, "motion": video.diff(dim=1).abs().mean((1, 2, 3))}

    def decode(self, code: dict[str, Tensor]) -> Tensor:
        still = code["content"].repeat_interleave(4, dim=1).reshape(-1, 1, 1, SIDE, SIDE)
        return still.expand(-1, FRAMES, -1, -1, -1).clamp(0, 1)


class Mute(FakeModel):
    """The same without a way to draw."""

    decode = None  # type: ignore[assignment]


@pytest.fixture(scope="module")
def study() -> Study:
    for name, model in (("judged_fake", FakeModel), ("judged_mute", Mute)):
        package, module = ModuleType(f"fakes_{name}"), ModuleType(f"fakes_{name}.model")
        module.Config, module.Model = FakeConfig, model  # type: ignore[attr-defined]
        sys.modules |= {package.__name__: package, module.__name__: module}
    return Study.model_validate(
        {
            "study": "miniature",
            "seeds": [0, 4],
            "data": {"moving_digits": {"options": DATA}},
            "models": {name: {"kind": f"fakes_{name}.model"} for name in ("judged_fake", "judged_mute")},
            "evaluation": {"probe_clips": 60, "swap_pairs": 24, "permutations": 19, "judge_frames": 512},
        }
    )


@pytest.fixture(scope="module")
def root(study: Study, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Data, judges and evaluations."""
    root = tmp_path_factory.mktemp("judged")
    make(DataConfig(**DATA), root / "data")
    train_judges(study, "moving_digits", root / "data", root / "judges/moving_digits", "cpu")
    shape = ClipShape(FRAMES, 1, SIDE, SIDE)
    for name in study.models:
        model = sys.modules[study.models[name].kind].Model(FakeConfig(), shape)
        meta = {"kind": study.models[name].kind, "options": {}, "shape": shape._asdict(), "model": name}
        meta |= {"dataset": "moving_digits", "seed": 0, "clips_seen": 1, "best_clips": 1, "best_validation": 1.0}
        save_checkpoint(root / f"{name}.pt", model, {**meta, "validation": {}, "collapsed": []})
        checkpoints = dict.fromkeys(study.seeds, root / f"{name}.pt")
        ask = asker(root / "judges/moving_digits/judges.pt", 100)
        evaluate(study, "moving_digits", name, checkpoints, root / "data", root / f"evaluate/{name}", "cpu", ask=ask)
    return root


@pytest.fixture(autouse=True)
def cheap_probes(monkeypatch: pytest.MonkeyPatch) -> None:
    """Instead of seconds of probes (tested by themselves) the mean of the first content dimension."""

    def measured(codes: Mapping[str, Codes], *_: object) -> dict[str, float]:
        return {"block_gap": float(codes["test"]["content"][:, 0].mean())}

    monkeypatch.setattr(job_of_models, "information", measured)
    monkeypatch.setattr(job_of_models, "gap_and_leaks", lambda *_: {"block_gap": 0.5})
    monkeypatch.setattr(job_of_floors, "information", measured)


def judge_model(study: Study, root: Path, name: str, out: Path) -> dict[str, dict[str, dict[str, float]]]:
    judge(study, "moving_digits", name, root / f"evaluate/{name}", out)
    record: dict[str, dict[str, dict[str, float]]] = read_json(out / "judgement.json")
    return record


def test_a_model_is_judged_the_same_twice_and_its_numbers_are_means_over_pairs(study: Study, root: Path) -> None:
    record = judge_model(study, root, "judged_fake", root / "judge/moving_digits/judged_fake")
    judge_model(study, root, "judged_fake", root / "again")
    for name in ("judgement.json", "clips.npz"):
        assert (root / "again" / name).read_bytes() == (root / "judge/moving_digits/judged_fake" / name).read_bytes()
    assert record["split"] == "blocks"
    assert record["cannot"] == {}
    assert record["seeds"]["0"] == record["seeds"]["4"]  # the same weights
    assert set(record["untrained"]) == {"0", "4"}
    clips, values = read_arrays(root / "again/clips.npz"), record["seeds"]["4"]
    for name in ("swap_joint", "swap_content_a", "swap_path_error_px", "own_joint"):
        assert clips[f"seed4_{name}"].shape == (24,)
        assert clips[f"seed4_{name}"].mean() == pytest.approx(values[name])
    assert values["led_motion_smoothness"] == 0.0  # its motion code moves nothing
    assert values["led_motion_drift"] == 0.0
    assert values["led_content_smoothness"] > 0.7  # and its content code moves everything evenly


def test_a_model_that_cannot_draw_gets_reasons_and_its_codes_are_still_asked(study: Study, root: Path) -> None:
    record = judge_model(study, root, "judged_mute", root / "judge/moving_digits/judged_mute")
    assert record["cannot"] == {"swap": "it cannot be swapped; its evaluation says why"}
    assert "block_gap" in record["seeds"]["0"]
    assert "swap_joint" not in record["seeds"]["0"]


def test_floors_are_rows_and_all_rows_reach_the_analysis(study: Study, root: Path) -> None:
    for name in study.models:
        judge_model(study, root, name, root / f"judge/moving_digits/{name}")
    judges = root / "judges/moving_digits/judges.pt"
    judge_floors(study, "moving_digits", judges, root / "data", root / "judge/moving_digits/floors", "cpu")
    found = {row.name: row for row in judged(study, root, "moving_digits")}
    fresh = ["untrained_judged_fake", "untrained_judged_mute"]
    copies = ["blank", "mean_video", "copy_content", "copy_motion", "blurred_truth", "true_render"]
    codes = ["oracle", "oracle_swapped", "noise", "raw_inputs"]
    assert {*found} == {*study.models, *fresh, *copies, *codes, "judges"}
    assert found["true_render"].seeds["0"]["swap_psnr_frame"] == 100.0
    assert found["copy_motion"].clips["0"]["swap_joint"].shape == (24,)
    assert found["oracle"].seeds["0"]["block_gap"] != found["oracle_swapped"].seeds["0"]["block_gap"]
    assert (found["oracle"].split, found["true_render"].split) == ("blocks", None)
    assert 0 <= found["judges"].seeds["0"]["judges_accuracy_first"] <= 1


@pytest.mark.parametrize("stage", ["evaluate", "judge"])
def test_a_job_that_is_killed_goes_on_with_the_seeds_that_it_lacks(
    stage: str, study: Study, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    module, name = {"evaluate": (job_of_measures, "measure"), "judge": (job_of_models, "judged_seed")}[stage]
    checkpoints = dict.fromkeys(study.seeds, root / "judged_fake.pt")
    judges = asker(root / "judges/moving_digits/judges.pt", 100)
    work = tmp_path / f"work/moving_digits.judged_fake.{stage}.0123"
    whole, done = getattr(module, name), []

    def killed_at_the_second(*words: object) -> object:
        if len(done) == 1:
            raise KeyboardInterrupt
        done.append(words)
        return whole(*words)

    def run(out: Path, work: Path | None) -> None:
        if stage == "judge":
            judge(study, "moving_digits", "judged_fake", root / "evaluate/judged_fake", out, work)
        else:
            evaluate(study, "moving_digits", "judged_fake", checkpoints, root / "data", out, "cpu", work, judges)

    run(tmp_path / "unbroken", None)
    monkeypatch.setattr(module, name, killed_at_the_second)
    with pytest.raises(KeyboardInterrupt):
        run(tmp_path / "out", work)
    assert [path.name for path in work.iterdir()] == ["seed-0.pickle"]
    assert not (tmp_path / "out").exists()
    monkeypatch.setattr(module, name, lambda *words: done.append(words) or whole(*words))
    run(tmp_path / "out", work)
    assert len(done) == 2  # one seed in each try
    made = [path for path in (tmp_path / "out").iterdir() if path.name != "timings.json"]
    assert len(made) == {"evaluate": 6, "judge": 2}[stage]
    for path in made:
        assert path.read_bytes() == (tmp_path / "unbroken" / path.name).read_bytes(), path.name
    other = tmp_path / "work/moving_digits.judged_fake.train.0123"
    other.mkdir()
    (work.parent / f"moving_digits.judged_fake.{stage}.4567").mkdir()  # of code that has changed since
    sweep(work)
    assert list(work.parent.iterdir()) == [other]


def test_swaps_of_other_pairs_are_refused(study: Study, root: Path, tmp_path: Path) -> None:
    arrays = read_arrays(root / "evaluate/judged_fake/answers.npz")
    arrays["pairs"] = arrays["pairs"][::-1]
    (tmp_path / "codes.npz").write_bytes((root / "evaluate/judged_fake/codes.npz").read_bytes())
    write_arrays(tmp_path / "answers.npz", arrays)
    with pytest.raises(DataError, match=r"answers\.npz: other pairs than this study's; run the evaluation again"):
        judge(study, "moving_digits", "judged_fake", tmp_path, tmp_path / "out")


def test_factors_come_back_in_their_order(study: Study, root: Path) -> None:
    answers = read_arrays(root / "evaluate/judged_fake/answers.npz")
    task = open_task(study, "moving_digits", root / "data")
    for part, table in task.clips.tables.items():
        assert_frame_equal(stored_table(answers, part), table)


def test_codes_before_training_are_those_of_the_network_with_the_seeds_own_weights(study: Study, root: Path) -> None:
    codes = read_arrays(root / "evaluate/judged_fake/codes.npz")
    for part, clips in (("train", 60), ("validation", 30), ("test", 60)):
        assert codes[f"fresh4_{part}_content"].shape == (clips, 64)
        assert np.array_equal(codes[f"fresh4_{part}_content"], codes[f"seed4_{part}_content"])  # it has no weight


def test_damaged_judges_are_named(root: Path, tmp_path: Path) -> None:
    damaged = tmp_path / "judges.pt"
    damaged.write_bytes((root / "judges/moving_digits/judges.pt").read_bytes()[:1000])
    with pytest.raises(CheckpointError, match=r"judges\.pt: not readable as judges"):
        load_judges(damaged, torch.device("cpu"))
    with pytest.raises(CheckpointError, match="cannot read it"):
        load_judges(tmp_path / "none.pt", torch.device("cpu"))


def test_judges_are_trained_the_same_twice(study: Study, root: Path, tmp_path: Path) -> None:
    train_judges(study, "moving_digits", root / "data", tmp_path, "cpu")
    assert (tmp_path / "judges.pt").read_bytes() == (root / "judges/moving_digits/judges.pt").read_bytes()


def test_agreement_of_two_judges() -> None:
    one = np.eye(10, dtype=bool)[[0, 0, 1, 1]]
    assert kappa(one, one) == 1.0
    assert kappa(one, one[[0, 2, 1, 3]]) == pytest.approx(0.0)  # half right by chance
    assert kappa(one[:2], one[:2]) == 1.0


def test_even_steps_are_smooth_and_one_jump_is_not() -> None:
    assert smoothness(np.full((1, 6), 40.0)) == pytest.approx(1.0)
    assert smoothness(np.array([[0.0, 0.0, 60.0, 0.0, 0.0, 0.0]])) == pytest.approx(0.0)
    assert smoothness(np.zeros((2, 6))) == 0.0
