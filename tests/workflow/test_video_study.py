"""Videos of one's own in a study: checked by their names, seen when they change, and carried to the PDF."""

import json
from pathlib import Path
from typing import Any

import pytest
import video_sets
import yaml
from PIL import Image
from tools import ROOT, run, snakemake

from whatmoves.commands.studies import _check
from whatmoves.errors import ConfigError

TINY: dict[str, Any] = yaml.safe_load((ROOT / "config/tiny.yaml").read_text(encoding="utf-8"))


def write_study(path: Path, models: dict[str, Any], **options: Any) -> str:
    study = {
        "study": "s",
        "seeds": [0],
        "data": {
            "mine": {
                "kind": "video_folder",
                "options": {"folder": "clips", "frames": 4, "image_px": 32} | options,
                "past_frames": 2,
            }
        },
        "models": models,
        "training": TINY["training"] | {"clips": 16, "validate_every": 16},
        "evaluation": TINY["evaluation"] | {"best_of": 2, "bootstrap": 100},
    }
    path.write_text(yaml.safe_dump(study), encoding="utf-8")
    return str(path)


def planned(folder: Path, *targets: str) -> list[str]:
    """Rules that Snakemake would run, sorted."""
    output = snakemake(*targets, "--dry-run", "--quiet", "progress", folder=folder, study=str(folder / "study.yaml"))
    return sorted(
        line.split()[1].rstrip(":") for line in output.splitlines() if line.startswith(("rule ", "localrule "))
    )


def test_the_check_looks_at_names(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    folder = tmp_path / "clips"
    for name in ("a.mp4", "b.mp4", "c.mp4"):
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).touch()
    path = Path(write_study(tmp_path / "study.yaml", {"mean_frame": {}}, folder=str(folder)))
    _check(path)
    assert "every stage can do what this study asks of it" in capsys.readouterr().out
    (folder / "b.mp4").unlink()
    with pytest.raises(ConfigError, match=r"data\.mine: .*clips: 2 videos; must be 3 or more"):
        _check(path)
    answer = snakemake("-n", "results/s/values.json", folder=tmp_path, study=str(path), expect=1)
    assert "Traceback" not in answer
    assert "2 videos; must be 3 or more" in answer


def test_a_changed_video_or_picture_makes_the_data_anew(tmp_path: Path) -> None:
    folder = video_sets.write_folder(tmp_path / "clips")
    write_study(tmp_path / "study.yaml", {"mean_frame": {}})
    target = "results/s/data/mine/test.npz"
    snakemake(target, "--cores", "1", folder=tmp_path, study=str(tmp_path / "study.yaml"))
    assert planned(tmp_path, target) == []
    for picture in sorted((folder / "d").iterdir()):
        picture.touch()
    assert planned(tmp_path, target) == []
    Image.new("RGB", (32, 32)).save(folder / "d/frame_003.png")
    assert planned(tmp_path, target) == ["data"]
    snakemake(target, "--cores", "1", folder=tmp_path, study=str(tmp_path / "study.yaml"))
    assert planned(tmp_path, target) == []
    video_sets.film(folder / "b.webm", video_sets.greys(12, 90))
    assert planned(tmp_path, target) == ["data"]
    answer = run("whatmoves", "verify", "--configfile", "study.yaml", folder=tmp_path, expect=None)
    assert "input ../../clips/b.webm changed" in answer.stdout


@pytest.mark.slow
@pytest.mark.parametrize("actions", [0, 2])
def test_a_small_study_runs_from_videos_to_its_pdf(tmp_path: Path, actions: int) -> None:
    folder = video_sets.write_folder(tmp_path / "clips")
    for number, name in enumerate(("a", "b", "c", "d", "e", "more/f") if actions else ()):
        rows = "".join(f"{number},{frame}\n" for frame in range(12))
        (folder / f"{name}.actions.csv").write_text(f"left,right\n{rows}")
    models = {
        "cvae": {"options": TINY["models"]["cvae_push"]["options"] if actions else TINY["models"]["cvae"]["options"]},
        "mean_frame": {},
        "copy_last": {},
    }
    path = write_study(tmp_path / "study.yaml", models, actions=actions)
    snakemake("results/s/paper/main.pdf", "--cores", "2", folder=tmp_path, study=path)
    assert (tmp_path / "results/s/paper/main.pdf").read_bytes().startswith(b"%PDF")
    values = json.loads((tmp_path / "results/s/values.json").read_text(encoding="utf-8"))["values"]
    assert values["mine.cvae.predict_psnr_frame"]
    answer = run("whatmoves", "verify", "--configfile", path, folder=tmp_path, expect=None)
    assert "stale" not in answer.stdout
    assert "Nothing to be done" in snakemake("-n", "results/s/paper/main.pdf", folder=tmp_path, study=path)
