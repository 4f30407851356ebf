"""`whatmoves evaluate --checkpoint`, `table` and `export`: as in a shell, outside any study."""

import csv
import json
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image
from small_checkpoints import SHAPE, write_checkpoint, write_clips, write_receipt

from whatmoves.cli import main
from whatmoves.errors import DataError
from whatmoves.evaluation.legacy import swap_measures
from whatmoves.files import read_arrays
from whatmoves.training.checkpoint import load_checkpoint
from whatmoves.using.tables import write_tables


def refused(*arguments: object, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    assert ended.value.code == 2
    return capsys.readouterr().err.strip().splitlines()[-1]


def done(*arguments: object, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    said = capsys.readouterr()
    assert ended.value.code == 0, said.err
    return said.out


def test_one_checkpoint_is_measured_and_shown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint, clips = write_checkpoint(tmp_path / "c.pt"), write_clips(tmp_path / "clips.npz")
    out = tmp_path / "out"
    command = ("evaluate", "--checkpoint", checkpoint, "--clips", clips, "--num-samples", 3, "--save-dir", out)
    said = done(*command, capsys=capsys)
    names = ["metrics.json", "reconstructions.png", "samples.png", "interpolation.png"]
    assert said.split() == [str(out / f"disentangled_vae_{name}") for name in names]
    assert sorted(path.name for path in out.iterdir()) == sorted(f"disentangled_vae_{name}" for name in names)
    metrics = json.loads((out / "disentangled_vae_metrics.json").read_text())
    assert (metrics["clips"], metrics["dataset"], metrics["cannot"]) == (60, "digits", {})
    video = torch.from_numpy(read_arrays(clips)["video"]).float() / 255
    with torch.inference_mode():
        error = load_checkpoint(checkpoint).model.reconstruct(video) - video
    assert metrics["mse_pixel"] == pytest.approx(error.square().mean().item(), rel=1e-5)
    heights = [Image.open(out / f"disentangled_vae_{name}").height for name in names[1:3]]
    assert heights == [2 * (6 * 16 + 5 * 2), 2 * (3 * 16 + 2 * 2)]  # three pairs, three samples

    done("export", checkpoint, "--out", tmp_path / "model", capsys=capsys)
    command = ("evaluate", "--checkpoint", tmp_path / "model", "--clips", clips, "--save-dir", tmp_path / "b", "--json")
    again = json.loads(done(*command, capsys=capsys))
    assert again["psnr_frame"] == metrics["psnr_frame"]


def test_what_a_model_cannot_do_is_left_out_and_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint, clips = write_checkpoint(tmp_path / "c.pt", "linear_extrapolation"), write_clips(tmp_path / "clips.npz")
    out = tmp_path / "out"
    said = done("evaluate", "--checkpoint", checkpoint, "--clips", clips, "--save-dir", out, capsys=capsys)
    assert said.split() == [str(out / "linear_extrapolation_metrics.json")]
    cannot = json.loads((out / "linear_extrapolation_metrics.json").read_text())["cannot"]
    assert set(cannot) == {"reconstruct", "sample", "interpolation"}


def test_the_clips_of_its_study_are_found_from_any_folder(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    checkpoint = write_checkpoint(tmp_path / "results/s/train/digits/m/seed-0/checkpoint.pt")
    command = ("evaluate", "--checkpoint", checkpoint, "--save-dir", tmp_path / "out")
    assert "no study's test clips beside it; name a file of clips: --clips" in refused(*command, capsys=capsys)
    write_clips(tmp_path / "results/s/data/digits/test.npz")
    done(*command, capsys=capsys)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ("--model m --clips c.npz", "--clips goes with --checkpoint, not with --model; leave it out"),
        ("--model m --json", "--json goes with --checkpoint, not with --model; leave it out"),
        ("--checkpoint c --save-dir o --dataset d", "--dataset goes with --model, not with --checkpoint; leave it out"),
        ("--checkpoint c --save-dir o --configfile x", "--configfile goes with --model, not with --checkpoint"),
        ("--checkpoint c", "--save-dir names the folder to write to, and is missing; add it"),
        ("--checkpoint c --save-dir o --num-samples 0", "--num-samples is 0; must be at least 1"),
        ("--checkpoint c --model m", "argument --model: not allowed with argument --checkpoint"),
        ("--save-dir o", "one of the arguments --model --checkpoint is required"),
        ("--checkpoint nothing.pt --save-dir o", "nothing.pt: cannot read it"),
    ],
)
def test_options_that_do_not_go_together(words: str, message: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert message in refused("evaluate", *words.split(), capsys=capsys)


def test_tables_have_the_columns_of_the_original_and_a_dash_for_what_cannot_be(tmp_path: Path) -> None:
    clips = write_clips(tmp_path / "clips.npz")
    kinds = ("disentangled_vae", "lstm_vae", "linear_extrapolation")
    models = [write_checkpoint(tmp_path / f"{kind}.pt", kind) for kind in kinds]
    write_receipt(tmp_path / "receipt.json", "train", [], models[:1])
    results = write_tables(models, clips, tmp_path / "out", "cpu")["models"]
    assert list(results) == list(kinds)
    tables = {}
    for which in ("reconstruction", "disentanglement", "efficiency"):
        with (tmp_path / f"out/table_{which}.csv").open(newline="") as stream:
            tables[which] = {row["Model"]: row for row in csv.DictReader(stream)}
        assert (tmp_path / f"out/table_{which}.tex").read_text().count(r"\begin{tabular}") == 1
    assert list(tables["reconstruction"]["lstm_vae"]) == [
        "Model", "MSE", "PSNR (dB)", "SSIM", "Temporal error", "Temporal consistency", "Parameters",
    ]  # fmt: skip
    assert tables["reconstruction"]["linear_extrapolation"]["MSE"] == ""
    assert float(tables["reconstruction"]["lstm_vae"]["MSE"]) == results["lstm_vae"]["mse_pixel"]
    assert tables["disentanglement"]["lstm_vae"]["SAP disentanglement"] == ""
    assert tables["disentanglement"]["lstm_vae"]["MIG"] != ""
    assert results["linear_extrapolation"]["cannot"]["disentanglement"] == "it has no code"
    assert float(tables["efficiency"]["linear_extrapolation"]["Parameters"]) == 0
    assert r"Swap quality & " in (tmp_path / "out/table_disentanglement.tex").read_text()

    # Where the kind of data is known, what is derived from other factors is no factor.
    assert results["disentangled_vae"]["factors"] == ["class_1", "velocity_x_1", "velocity_y_1", "start_x_1"]
    assert "speed_1" in results["lstm_vae"]["factors"]

    video = torch.from_numpy(read_arrays(clips)["video"]).float() / 255
    model = load_checkpoint(models[0]).model
    with torch.inference_mode():
        codes = [model.encode(video[[i]]) for i in range(len(video))]
        mixed = [{"content": a["content"], "motion": b["motion"]} for a, b in pairwise(codes)]
        swapped = np.concatenate([model.decode(code) for code in mixed])
    expected = swap_measures(video[:-1].numpy(), video[1:].numpy(), swapped)
    assert results["disentangled_vae"]["legacy_swap_quality"] == pytest.approx(
        expected["legacy_swap_quality"], rel=1e-4
    )


def test_models_with_one_name_are_told_apart(tmp_path: Path) -> None:
    clips = write_clips(tmp_path / "clips.npz")
    clips.with_suffix(".csv").unlink()
    models = [write_checkpoint(tmp_path / f"{seed}.pt", "lstm_vae", seed) for seed in (0, 1)]
    results = write_tables(models, clips, tmp_path / "out", "cpu")
    assert list(results["models"]) == ["lstm_vae, seed 0", "lstm_vae, seed 1"]
    cannot = results["models"]["lstm_vae, seed 0"]["cannot"]
    assert cannot == {"disentanglement": "no table of factors (.csv) beside the clips"}


def test_clips_that_do_not_fit_are_named_before_any_work(tmp_path: Path) -> None:
    paths = [tmp_path / f"results/{study}/train/digits/m/seed-0/checkpoint.pt" for study in "ab"]
    models = [write_checkpoint(path) for path in paths]
    for study in "ab":
        write_clips(tmp_path / f"results/{study}/data/digits/test.npz")
    with pytest.raises(DataError, match=r"the models have different test clips, .*; name the clips for all: --clips"):
        write_tables(models, None, tmp_path / "out", "cpu")
    wide = write_clips(tmp_path / "wide.npz", shape=SHAPE._replace(width=20))
    with pytest.raises(DataError, match=r"clips are \(6, 1, 16, 20\), the model was trained on \(6, 1, 16, 16\)"):
        write_tables(models, wide, tmp_path / "out", "cpu")
    short = write_clips(tmp_path / "short.npz")
    short.with_suffix(".csv").write_text("class_1\n1\n")
    with pytest.raises(DataError, match=r"short.csv: 1 rows for 60 clips"):
        write_tables(models, short, tmp_path / "out", "cpu")
    assert not (tmp_path / "out").exists()
