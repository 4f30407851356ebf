"""Whatever a job reads from outside is an input: planned, in the receipt, and verified. Each test plants one fault."""

import json
import math
import os
import shutil
import struct
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest
import yaml
from PIL import Image
from tools import ROOT, run, snakemake

from whatmoves.cli import main
from whatmoves.commands import data as data_command
from whatmoves.data import mnist
from whatmoves.data.sample_drive import write_recording
from whatmoves.loading import load_study
from whatmoves.provenance.receipts import read_receipt
from whatmoves.provenance.verify import verify

TINY: dict[str, Any] = yaml.safe_load((ROOT / "config/tiny.yaml").read_text(encoding="utf-8"))
RESULTS = Path("results/s")
DRIVE: dict[str, Any] = {"kind": "recordings", "options": {"folder": "recording", "image_px": 16, "frames": 4}}
FLOOR = {"mean_frame": {"trains_on": ["drive"]}}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The current folder, empty."""
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write_study(data: dict[str, Any], models: dict[str, Any]) -> None:
    study = {
        "study": "s", "seeds": [0], "data": data, "models": models,
        "training": TINY["training"] | {"clips": 16, "validate_every": 16}, "evaluation": TINY["evaluation"],
    }  # fmt: skip
    Path("study.yaml").write_text(yaml.safe_dump(study), encoding="utf-8")


def whatmoves(*arguments: str) -> None:
    with pytest.raises(SystemExit) as ended:
        main([*arguments, "--configfile", "study.yaml"])
    assert ended.value.code == 0


def inputs(receipt: str) -> set[str]:
    return set(read_receipt(RESULTS / receipt / "receipt.json")["core"]["inputs"])


def reasons(result: str) -> list[str]:
    """What `verify` says of one result."""
    report = verify(load_study(Path("study.yaml")), RESULTS)
    [finding] = [finding for finding in report.findings if finding.name == result]
    return [finding.status, *map(str, finding.reasons)]


def planned(*targets: str) -> list[str]:
    """Rules that Snakemake would run, sorted."""
    output = snakemake(*targets, "--dry-run", "--quiet", "progress", folder=Path.cwd(), study="study.yaml")
    return sorted(
        line.split()[1].rstrip(":") for line in output.splitlines() if line.startswith(("rule ", "localrule "))
    )


def recolour(pictures: Iterable[Path]) -> None:
    for path in pictures:
        Image.new("RGB", (64, 64), "red").save(path)


@pytest.fixture
def recorded(folder: Path) -> Path:
    """The pictures of a recording, of which a data set was made."""
    write_recording(folder / "recording", sessions=4, frames=24, seed=0)
    write_study({"drive": DRIVE}, FLOOR)
    whatmoves("data", "--dataset", "drive")
    return folder / "recording/frames"


def test_a_changed_picture_is_seen_by_verify(recorded: Path) -> None:
    assert len(inputs("data/drive")) == len(list(recorded.iterdir())) + 1
    assert reasons("data/drive") == ["fresh"]
    first, second, *others = sorted(recorded.iterdir())
    recolour([first])
    second.unlink()
    assert reasons("data/drive") == [
        "stale",
        "input ../../recording/frames/000001.png is missing",
        "input ../../recording/frames/000000.png changed",
    ]
    recolour(others)
    assert f"input ../../recording/frames/000000.png changed (and {len(others)} more)" in reasons("data/drive")


def test_a_recording_of_another_machine_is_not_missed_but_a_picture_of_it_here_is(
    folder: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    write_recording(folder / "recording", sessions=4, frames=24, seed=0)
    place = tmp_path_factory.mktemp("elsewhere") / "recording"  # outside of the project
    shutil.move(folder / "recording", place)
    write_study({"drive": {**DRIVE, "options": {**DRIVE["options"], "folder": str(place)}}}, FLOOR)
    whatmoves("data", "--dataset", "drive")
    (place / "frames/000007.png").unlink()
    assert reasons("data/drive") == ["stale", f"input {place}/frames/000007.png is missing"]
    shutil.rmtree(place.parent)
    assert reasons("data/drive") == ["fresh"]


def test_planning_asks_for_contents_and_reads_only_what_was_written(
    recorded: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []
    whole = data_command.sha256
    monkeypatch.setattr(data_command, "sha256", lambda path: (read.append(path), whole(path))[1])
    study = load_study(Path("study.yaml"))

    def digest() -> str:
        read.clear()
        return data_command.contents_digest(study, "drive", RESULTS)

    made = RESULTS / "data/drive/receipt.json"
    receipt = json.loads(made.read_text())
    receipt["run"]["started"] = "2999-01-01T00:00:00+00:00"  # long after all pictures were written
    made.write_text(json.dumps(receipt))
    before = digest()
    assert read == []
    receipt["run"]["started"] = "1999-01-01T00:00:00+00:00"
    made.write_text(json.dumps(receipt))
    assert digest() == before
    assert len(read) == len(list(recorded.iterdir()))
    made.unlink()
    assert digest() == before
    picture = recorded / "000003.png"
    state = picture.stat()
    content = bytearray(picture.read_bytes())
    content[-20] ^= 1
    picture.write_bytes(content)
    os.utime(picture, ns=(state.st_atime_ns, state.st_mtime_ns))  # as old and as large as it was
    changed = digest()
    assert changed != before
    picture.unlink()
    assert len({before, changed, digest()}) == 3


def test_editing_a_picture_makes_the_data_anew_and_touching_it_does_not(folder: Path) -> None:
    write_recording(folder / "recording", sessions=4, frames=24, seed=0)
    write_study({"drive": DRIVE, "digits": {"kind": "moving_digits", **TINY["data"]["moving_digits"]}}, FLOOR)
    targets = [f"results/s/data/{name}/test.npz" for name in ("drive", "digits")]
    snakemake(*targets, folder=folder, study="study.yaml")
    assert planned(*targets) == []
    pictures = sorted((folder / "recording/frames").iterdir())
    for path in pictures:
        path.touch()
    (folder / "recording/frames/unnamed.png").write_bytes(b"no log speaks of it")
    assert planned(*targets) == []
    recolour(pictures[5:6])
    assert planned(*targets) == ["data"]
    snakemake(*targets, folder=folder, study="study.yaml")
    assert planned(*targets) == []


def test_a_recording_that_is_not_there_is_one_line_when_planning(folder: Path) -> None:
    write_study({"drive": DRIVE}, FLOOR)
    output = snakemake("results/s/data/drive/test.npz", "--dry-run", folder=folder, study="study.yaml", expect=1)
    assert f"study.yaml: data.drive: recording (in {folder}): no such folder; set folder to that of" in output
    assert "Traceback" not in output


def test_a_changed_file_of_mnist_is_seen_by_the_plan_and_by_verify(folder: Path) -> None:
    digits = folder / "mnist"
    digits.mkdir()
    for name in mnist.FILES:
        count = 24 if name.startswith("train") else 6
        shape = (count, 28, 28) if "images" in name else (count,)
        head = bytes((0, 0, 8, len(shape))) + struct.pack(f">{len(shape)}I", *shape)
        (digits / name).write_bytes(head + bytes(i % 10 for i in range(math.prod(shape))))
    options = {**TINY["data"]["moving_digits"]["options"], "digit_bank": "mnist", "mnist_folder": "mnist"}
    write_study({"digits": {"kind": "moving_digits", "options": options}}, {"pca": {}})
    target = "results/s/data/digits/test.npz"
    snakemake(target, folder=folder, study="study.yaml")
    assert inputs("data/digits") == {f"../../mnist/{name}" for name in mnist.FILES}
    assert planned(target) == []
    with (digits / mnist.FILES[0]).open("r+b") as stream:  # only training clips show these pictures
        stream.seek(16)
        stream.write(b"ink")
    assert planned(target) == ["data"]
    assert reasons("data/digits") == ["stale", f"input ../../mnist/{mnist.FILES[0]} changed"]


def test_further_tests_are_outputs_and_inputs_by_name(folder: Path) -> None:
    write_study(
        {"table": {"kind": "push_world", **TINY["data"]["push_world"]}}, {"mean_frame": {"trains_on": ["table"]}}
    )
    snakemake(
        "results/s/data/table/test_novel.npz", "results/s/data/table/test_novel.csv", folder=folder, study="study.yaml"
    )
    shutil.copy(RESULTS / "data/table/test.npz", RESULTS / "data/table/test_left_over.npz")  # of nobody's
    whatmoves("train", "--model", "mean_frame")
    whatmoves("evaluate", "--model", "mean_frame")
    whatmoves("evaluate", "--model", "blank")
    splits = {
        f"data/table/{name}.{suffix}" for name in ("validation", "test", "test_novel") for suffix in ("npz", "csv")
    }
    assert inputs("evaluate/table/mean_frame") == {*splits, "train/table/mean_frame/seed-0/checkpoint.pt"}
    assert inputs("evaluate/table/blank") == {"data/table/test.npz", "data/table/test.csv"}
    (RESULTS / "data/table/test_novel.csv").write_text("other")
    assert "input data/table/test_novel.csv changed" in reasons("evaluate/table/mean_frame")


@pytest.fixture
def judged(folder: Path) -> Path:
    """The judges' file that the loss of a model reads, before it is made."""
    judges = RESULTS / "judges/digits/judges.pt"
    options = {**TINY["models"]["tinydreams"]["options"], "perceptual_weight": 1.0, "perceptual_judge": f"./{judges}"}
    write_study(
        {"digits": {"kind": "moving_digits", **TINY["data"]["moving_digits"]}},
        {"dreams": {"kind": "tinydreams", "options": options}, "pca": {"options": TINY["models"]["pca"]["options"]}},
    )
    return judges


def test_a_file_that_a_model_names_is_an_input_of_its_training(judged: Path) -> None:
    checkpoint = "results/s/train/digits/dreams/seed-0/checkpoint.pt"
    assert planned(checkpoint) == ["data", "judges", "train"]
    whatmoves("data", "--dataset", "digits")
    whatmoves("judge", "--train")
    whatmoves("train", "--model", "dreams")
    whatmoves("evaluate", "--model", "dreams")
    assert "judges/digits/judges.pt" in inputs("train/digits/dreams/seed-0") & inputs("evaluate/digits/dreams")
    assert reasons("train/digits/dreams/seed-0") == ["fresh"]
    with judged.open("ab") as stream:
        stream.write(b"!")
    assert "input judges/digits/judges.pt changed" in reasons("train/digits/dreams/seed-0")


def test_a_file_that_a_model_names_is_asked_for_when_planning(judged: Path) -> None:
    text = Path("study.yaml").read_text(encoding="utf-8")
    Path("study.yaml").write_text(text.replace("./results/s/judges", "elsewhere"), encoding="utf-8")
    output = snakemake("all", "--dry-run", folder=Path.cwd(), study="study.yaml", expect=1)
    where = "study.yaml: models.dreams.options.perceptual_judge is 'elsewhere/digits/judges.pt'"
    assert f"{where}: no such file; mend the path" in output
    said = run("whatmoves", "train", "--model", "pca", "--configfile", "study.yaml", folder=Path.cwd(), expect=2)
    assert "validation.npz: no such file" in said.stderr
