"""The command line as its users meet it: every bad input is one clear line, exit code 2, and nothing lost."""

import gzip
import json
import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tools import ROOT, run

from whatmoves.cli import build_parser

TINY = str(ROOT / "config/tiny.yaml")
RUN = "train/moving_digits/disentangled_vae/seed-0"


def whatmoves(*arguments: str, folder: Path, expect: int = 0) -> str:
    answer = run("whatmoves", *arguments, folder=folder, expect=expect)
    if expect:
        assert "Traceback" not in answer.stderr
        return answer.stderr.strip().splitlines()[-1]
    return answer.stdout


def test_models_are_listed_with_their_published_sizes(tmp_path: Path) -> None:
    listed = {
        row["name"]: row for row in json.loads(whatmoves("models", "--json", "--configfile", TINY, folder=tmp_path))
    }
    full = {name: listed[name]["full_parameters"] for name in ("baseline_vae", "lstm_vae", "disentangled_vae")}
    assert full == {"baseline_vae": 4_791_681, "lstm_vae": 10_441_857, "disentangled_vae": 12_934_625}
    assert listed["disentangled_vae"]["abilities"] == ["encode", "decode", "reconstruct", "sample"]
    assert listed["mean_frame"]["full_parameters"] == 0
    assert set(listed["lstm_vae"]) == {"name", "source", "abilities", "full_parameters", "quick_parameters"}


def test_a_model_of_your_own_needs_no_registry(tmp_path: Path) -> None:
    text = (ROOT / "src/whatmoves/models/copy_last.py").read_text(encoding="utf-8")
    (tmp_path / "my_model.py").write_text(text, encoding="utf-8")
    study = tmp_path / "mine.yaml"
    head = "study: mine\ndata: {moving_digits: }\n"
    study.write_text(head + "models: {own: {kind: my_model.Nothing}}\n", encoding="utf-8")
    assert "my_model" in whatmoves("studies", "--check", "--configfile", str(study), folder=tmp_path, expect=2)
    study.write_text(head + "models: {own: {kind: whatmoves.models.copy_last}}\n", encoding="utf-8")
    whatmoves("studies", "--check", "--configfile", str(study), folder=tmp_path)


def test_encode_sample_and_swap_from_a_checkpoint(tiny: Path, tmp_path: Path) -> None:
    checkpoint, clips = (
        str(tiny / "results/tiny" / RUN / "checkpoint.pt"),
        tiny / "results/tiny/data/moving_digits/test.npz",
    )
    whatmoves("encode", checkpoint, str(clips), "--out", "codes.npz", folder=tmp_path)
    with np.load(tmp_path / "codes.npz") as codes:
        assert {name: codes[name].shape for name in codes.files} == {"content": (40, 4), "motion": (40, 4)}
    table = "content:class_1,motion:speed_1"
    known = pd.read_csv(clips.with_suffix(".csv"))[["class_1", "speed_1"]]
    known.to_csv(tmp_path / "known.csv", index=False, header=table.split(","))
    whatmoves("encode", checkpoint, str(clips), "--factors", "known.csv", "--out", "scored.npz", folder=tmp_path)
    with np.load(tmp_path / "scored.npz") as scored:
        assert scored["factor_names"].tolist() == ["class_1", "speed_1"]
        assert scored["factor_kinds"].tolist() == ["discrete", "continuous"]
        assert (scored["content_dims"].tolist(), scored["motion_factors"].tolist()) == ([0, 1, 2, 3], [1])
    whatmoves("sample", checkpoint, "--out", "new.gif", "--count", "2", folder=tmp_path)
    assert (tmp_path / "new.gif").read_bytes().startswith(b"GIF89a")
    whatmoves("swap", checkpoint, str(clips), "0", "1", "--out", "swap.npz", folder=tmp_path)
    with np.load(tmp_path / "swap.npz") as swap, np.load(clips) as stored:
        assert swap["swap"].shape == (1, 6, 1, 16, 16)
        assert np.array_equal(swap["motion_source"][0], stored["video"][1])
    message = whatmoves("swap", checkpoint, str(clips), "0", "99", "--out", "x.npz", folder=tmp_path, expect=2)
    assert "motion is row 99" in message
    assert "rows 0 … 39" in message


def test_an_unknown_key_names_the_key_and_the_nearest(tmp_path: Path) -> None:
    study = tmp_path / "mine.yaml"
    study.write_text("study: mine\ndata: {moving_digits: }\nmodels: {pca: }\ntrainin: {}\n", encoding="utf-8")
    message = whatmoves("train", "--configfile", str(study), "--model", "pca", folder=tmp_path, expect=2)
    assert "mine.yaml: trainin is no setting; did you mean 'training'?" in message


def test_a_truncated_mnist_file_is_named(tmp_path: Path) -> None:
    header = (0x00000803).to_bytes(4, "big") + (60000).to_bytes(4, "big") + (28).to_bytes(4, "big") * 2
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (tmp_path / f"{name}-ubyte.gz").write_bytes(gzip.compress(header + b"\0" * 1000))
    study = tmp_path / "mine.yaml"
    options = f"{{digit_bank: mnist, mnist_folder: {tmp_path}}}"
    study.write_text(
        f"study: mine\ndata: {{moving_digits: {{options: {options}}}}}\nmodels: {{pca: }}\n", encoding="utf-8"
    )
    message = whatmoves("data", "--configfile", str(study), "--dataset", "moving_digits", folder=tmp_path, expect=2)
    assert "train-images-idx3-ubyte.gz" in message
    assert "truncated" in message or "bytes" in message


@pytest.mark.parametrize(
    ("damage", "message"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:1000]), "checkpoint.pt"),
        (lambda path: path.write_bytes(b"no checkpoint"), "checkpoint.pt"),
        (
            lambda path: shutil.copy(path.parents[2] / "baseline_vae/seed-0/checkpoint.pt", path),
            "baseline_vae",
        ),
    ],
    ids=["truncated", "foreign", "another model"],
)
def test_a_damaged_or_foreign_checkpoint_is_named(damage: object, message: str, tiny: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny / "results", tmp_path / "results")
    damage(tmp_path / "results/tiny" / RUN / "checkpoint.pt")  # type: ignore[operator]
    line = whatmoves("evaluate", "--configfile", TINY, "--model", "disentangled_vae", folder=tmp_path, expect=2)
    assert message in line


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write everywhere")
def test_no_permission_to_write_is_said(tmp_path: Path) -> None:
    (tmp_path / "results").mkdir(mode=0o500)
    message = whatmoves("data", "--configfile", TINY, "--dataset", "moving_digits", folder=tmp_path, expect=2)
    assert "permission" in message


def test_a_file_in_the_place_of_a_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "results").write_text("", encoding="utf-8")
    message = whatmoves("data", "--configfile", TINY, "--dataset", "moving_digits", folder=tmp_path, expect=2)
    assert "results" in message


def test_verify_explain_and_diff_speak_of_the_same_results(tiny: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny / "results", tmp_path / "results")
    shutil.copytree(ROOT / "paper", tmp_path / "paper")
    fresh = whatmoves("verify", "--configfile", TINY, folder=tiny)
    assert "study tiny:" in fresh
    chain = whatmoves("explain", "moving_digits.lstm_vae.psnr_frame", "--configfile", TINY, folder=tiny)
    assert "seed" in chain
    assert "evaluate" in chain
    values = tmp_path / "results/tiny/values.json"
    changed = json.loads(values.read_text(encoding="utf-8"))
    changed["values"]["moving_digits.lstm_vae.psnr_frame"]["value"] += 100
    (tmp_path / "other.json").write_text(json.dumps(changed), encoding="utf-8")
    text = whatmoves("diff", str(values), "other.json", folder=tmp_path)
    assert "OUTSIDE  moving_digits.lstm_vae.psnr_frame" in text
    edited = tmp_path / "results/tiny/evaluate/moving_digits/lstm_vae/quality.json"
    edited.write_text(edited.read_text(encoding="utf-8").replace("0.", "0.1", 1), encoding="utf-8")
    answer = run("whatmoves", "verify", "--configfile", TINY, folder=tmp_path, expect=1)
    assert "evaluate/moving_digits/lstm_vae" in answer.stdout


def test_a_result_that_is_not_there_names_the_command_that_makes_it(tmp_path: Path) -> None:
    study = tmp_path / "my own.yaml"
    study.write_text("study: mine\ndata: {moving_digits: }\nmodels: {pca: }\n", encoding="utf-8")
    of = ("--configfile", study.name)
    message = whatmoves("summary", *of, folder=tmp_path, expect=2)
    makes = "snakemake results/mine/values.json --configfile 'my own.yaml'"
    assert message == f"whatmoves: results/mine/values.json: no such file; run the step that makes it: {makes}"
    message = whatmoves("summary", *of, "--results", "elsewhere", folder=tmp_path, expect=2)
    assert message.endswith("run the step that makes it"), "Snakemake makes nothing there"
    said = run("whatmoves", "verify", *of, folder=tmp_path, expect=2).stdout.strip()
    assert said.startswith("study mine: none of its ")
    assert said.endswith(" in results/mine; snakemake paper/main.pdf --configfile 'my own.yaml' makes them")


def test_a_study_without_its_option_is_told_the_option(tmp_path: Path) -> None:
    message = whatmoves("studies", "--check", "own.yaml", folder=tmp_path, expect=2)
    assert message.endswith("unrecognized arguments: own.yaml; a study is named by --configfile own.yaml")
    assert whatmoves("models", "--jsn", folder=tmp_path, expect=2).endswith("unrecognized arguments: --jsn")


def test_an_unjudged_model_is_refused_by_the_judges(tmp_path: Path) -> None:
    quick = str(ROOT / "config/config.yaml")
    answer = whatmoves("judge", "--configfile", quick, "--model", "jepa_8_steps", folder=tmp_path, expect=2)
    assert "models.jepa_8_steps.judged is false" in answer
    assert "set it to true, evaluate it again" in answer


@pytest.mark.parametrize(
    "command",
    [
        "models",
        "studies",
        "summary",
        "verify",
        "diff",
        "score",
        "explain",
        "efficiency",
        "restore",
        "evaluate",
        "table",
        "doctor",
    ],
)
def test_what_one_would_pipe_prints_json(command: str) -> None:
    (commands,) = (action for action in build_parser()._actions if action.dest == "command")
    options = commands.choices[command]._option_string_actions  # type: ignore[index]
    assert "--json" in options


def test_efficiency_prints_the_table_or_its_json(tiny: Path, tmp_path: Path) -> None:
    shutil.copytree(tiny / "results", tmp_path / "results")
    found = json.loads(whatmoves("efficiency", "--configfile", TINY, "--json", folder=tmp_path))
    assert found == json.loads((tmp_path / "results/tiny/efficiency.json").read_text(encoding="utf-8"))
    assert whatmoves("efficiency", "--configfile", TINY, folder=tmp_path).startswith("# Efficiency of the study tiny")
