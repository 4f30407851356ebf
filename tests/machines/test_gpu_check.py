"""What `whatmoves gpu-check` measures and says, on a CPU; the whole of it once, in its small form (slow)."""

import json
from pathlib import Path
from typing import Any

import pytest
import torch
from tools import ROOT, run
from torch import nn

from whatmoves.data.clips import ClipShape
from whatmoves.loading import load_study
from whatmoves.machines import checked_study
from whatmoves.machines.agreement import HostNoise, compare, without_dropout
from whatmoves.machines.budget import PartFailedError
from whatmoves.machines.gpu_check import _beside_fp32, _require_no_waiting, finite, gpu_check, gpu_hours
from whatmoves.machines.steps import measure, wanted
from whatmoves.plugins import open_source

CPU = torch.device("cpu")
TINY = load_study(ROOT / "config/tiny.yaml")


@pytest.mark.skipif(torch.cuda.is_available(), reason="there is a GPU here")
def test_without_a_gpu_it_says_so_in_one_line(tmp_path: Path) -> None:
    said = run("whatmoves", "gpu-check", folder=tmp_path, expect=2).stderr.strip()
    assert said.startswith("whatmoves: gpu-check needs an NVIDIA GPU")
    assert said.endswith("--device cpu --quick")
    assert "\n" not in said
    assert "add --quick" in run("whatmoves", "gpu-check", "--device", "cpu", folder=tmp_path, expect=2).stderr


@pytest.mark.parametrize("size", [checked_study.FULL, checked_study.QUICK])
def test_what_is_checked_has_the_shapes_of_the_study_and_needs_no_download(size: checked_study.Size) -> None:
    study, asked = checked_study.checked(size, ROOT), load_study(ROOT / size.configfile)
    for name, entry in study.data.items():
        assert not entry.options.get("download")
        assert entry.options.get("digit_bank") != "mnist"
        shapes = {open_source(data.kind, data.options, Path("unread")).shape for data in (entry, asked.data[name])}
        assert len(shapes) == 1
    assert study.models == asked.models
    assert study.training == asked.training
    assert list(checked_study.judged(size, study).models) == list(checked_study.JUDGED)
    assert checked_study.FULL.judged_clips == 60_000
    assert sum(checked_study.FULL.seconds.values()) <= 540


def test_every_trained_model_is_wanted_once_a_way_the_first_of_each_kind_first() -> None:
    found = wanted(TINY, ["bf16", "fp32"])
    models = [name for name in TINY.models if name not in ("pca", "mean_frame", "copy_last", "linear_extrapolation")]
    assert sorted(model for _, model, way in found if way == "bf16") == sorted(models)
    kinds = [TINY.models[model].kind for _, model, _ in found[: len(models)]]
    assert len(set(kinds[: len(set(kinds))])) == len(set(kinds))
    assert [way for *_, way in found] == ["bf16"] * len(models) + ["fp32"] * len(models)


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Stored splits of the tiny digits."""
    from whatmoves.plugins import data_config, data_module

    folder, entry = tmp_path_factory.mktemp("data"), TINY.data["moving_digits"]
    data_module(entry.kind).make(data_config(entry.kind, entry.options), folder / "moving_digits")
    return folder


def test_steps_are_those_of_the_training_loop(data: Path, tmp_path: Path) -> None:
    """Of six steps the last three are timed; the same weights and clips every time, so losses can be compared."""
    row = measure(TINY, "moving_digits", "baseline_vae", "fp32", data, tmp_path, CPU, steps=6, warm=3)
    assert row["steps"] == 3
    assert row["clips_per_s"] == pytest.approx(8 / (row["step_ms"] / 1e3))
    assert row["syncs_per_step"] is None
    assert len(row["losses"]) == 7  # with the step at which it stopped
    assert len(set(row["losses"])) == 7
    torch.manual_seed(0)
    again = measure(TINY, "moving_digits", "baseline_vae", "bf16", data, tmp_path, CPU, steps=6, warm=3)
    assert again["losses"][0] == pytest.approx(row["losses"][0], rel=2**-7)
    assert again["losses"] != row["losses"]


def test_a_slow_model_is_measured_on_the_steps_it_took(
    data: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("WARM_S", "SLOWEST_S"):
        monkeypatch.setattr(f"whatmoves.machines.steps.{name}", 0.0)
    row = measure(TINY, "moving_digits", "baseline_vae", "fp32", data, tmp_path, CPU, steps=100, warm=50)
    assert row["steps"] == 1


def test_two_sides_that_compute_alike_agree_and_others_do_not(data: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    row = compare(TINY, "moving_digits", "tinydreams", data, 2, CPU)  # which draws noise and drops
    assert (row["agrees"], row["loss_off"]) == (True, 0)
    calls: list[int] = []

    def spoilt(network: nn.Module) -> None:
        calls.append(1)
        if len(calls) == 2:
            with torch.no_grad():
                for parameter in network.parameters():
                    parameter.mul_(1.1)

    monkeypatch.setattr("whatmoves.machines.agreement.without_dropout", spoilt)
    assert not compare(TINY, "moving_digits", "baseline_vae", data, 2, CPU)["agrees"]


def test_noise_inside_is_the_hosts() -> None:
    with torch.device("meta"):
        like = torch.empty(3, 2)
    torch.manual_seed(5)
    expected = torch.randn(3, 2), torch.rand(4)
    torch.manual_seed(5)
    with HostNoise():
        found = torch.randn_like(torch.empty(3, 2)), torch.rand(4, device="cpu")
        assert torch.randn_like(like).device.type == "meta"  # drawn here, sent there
        assert torch.rand(2, device="meta").device.type == "meta"
    for one, other in zip(found, expected, strict=True):
        assert torch.equal(one, other)


def test_nothing_is_dropped() -> None:
    from whatmoves.plugins import build_model

    network = build_model("tinydreams", TINY.models["tinydreams"].options, ClipShape(6, 1, 16, 16))
    assert any(isinstance(module, nn.Dropout) and module.p > 0 for module in network.modules())
    without_dropout(network)
    assert all(module.p == 0 for module in network.modules() if isinstance(module, nn.Dropout))
    assert all(getattr(module, "dropout", 0.0) == 0 for module in network.modules() if hasattr(module, "heads"))


def row(model: str, way: str, **more: Any) -> dict[str, Any]:
    return {"dataset": "moving_digits", "model": model, "way": way, "syncs_per_step": 0.0, **more}


def test_gpu_hours_by_hand() -> None:
    models = {name: TINY.models[name] for name in ("baseline_vae", "lstm_vae", "copy_last")}
    models["lstm_vae"] = models["lstm_vae"].model_copy(update={"seeds": (0, 1, 2)})
    study = TINY.model_copy(update={"models": models, "training": TINY.training.model_copy(update={"clips": 36_000})})
    rows = [row("lstm_vae", "bf16", clips_per_s=5.0), row("lstm_vae", "bf16 compiled", clips_per_s=10.0)]
    rows += [row("lstm_vae", "fp32", clips_per_s=99.0)]  # not how it is trained
    found = gpu_hours(study, rows)
    assert found == {
        "hours": {"moving_digits.lstm_vae": 3.0},  # 3 seeds of 36,000 clips at 10 a second
        "sum": 3.0,
        "not_measured": ["moving_digits.baseline_vae"],
    }


def test_losses_are_compared_over_the_steps_that_both_took() -> None:
    rows = [
        row("a", "bf16", losses=[1.0, 2.0, 6.0]),
        row("a", "fp32", losses=[1.0, 3.0]),
        row("b", "bf16", losses=[7.0]),
    ]
    _beside_fp32(rows)
    assert [(r["loss"], r["loss_fp32"], r["loss_steps"]) for r in rows] == [(1.5, 2, 2), (2, 2, 2), (7, None, 1)]


def test_what_is_no_number_is_null_in_the_report() -> None:
    assert finite({"a": [1.5, float("nan")], "b": {"c": float("inf")}, "d": "x"}) == {
        "a": [1.5, None],
        "b": {"c": None},
        "d": "x",
    }


def test_a_step_that_waits_fails() -> None:
    _require_no_waiting([row("a", "bf16"), row("b", "bf16") | {"syncs_per_step": None}])
    with pytest.raises(PartFailedError, match=r"waits for the GPU in a step: a \(bf16: 2\.5\)"):
        _require_no_waiting([row("a", "bf16") | {"syncs_per_step": 2.5}])


def test_without_time_for_the_data_all_else_is_told_as_not_run() -> None:
    report = gpu_check("cpu", checked_study.QUICK, ROOT, 0.01)
    assert report["failed"] == []
    assert [line.partition(":")[0] for line in report["not_run"]] == list(checked_study.QUICK.seconds)
    assert report["parts"]["full"]["sum"] == 0
    json.dumps(report, allow_nan=False)


@pytest.mark.slow
def test_the_whole_check_in_its_small_form(tmp_path: Path) -> None:
    """A minute on two cores, the compiler at work on one model. The rest of them is told as not run."""
    out = tmp_path / "check.json"
    command = ("whatmoves", "gpu-check", "--device", "cpu", "--quick", "--out", str(out))
    answer = run(*command, "--seconds", "600", folder=tmp_path)
    report = json.loads(out.read_text(encoding="utf-8"))
    assert report["failed"] == []
    parts = report["parts"]
    trained = len(wanted(TINY, ["bf16"]))
    assert len(parts["steps"]["rows"]) == 2 * trained
    assert all(r["loss_fp32"] == pytest.approx(r["loss"], rel=0.02) for r in parts["steps"]["rows"])
    assert all(r["agrees"] for r in parts["agreement"]["rows"])
    assert parts["interruption"]["bytes_equal_unbroken"] is True
    assert set(parts["judged"]) == {"what_where_vae", "disentangled_vae"}
    assert all("swap_joint" in of["judgement"] for of in parts["judged"].values())
    assert len(parts["compiled"]["rows"]) == 1
    assert len(report["not_run"]) == trained - 1
    assert all(line in answer.stdout for line in report["not_run"])
    assert parts["full"]["not_measured"] == []
    assert report["torch"] == torch.__version__
