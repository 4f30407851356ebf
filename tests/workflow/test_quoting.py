"""A study file may stand at any path: rules quote what they fill in, and what is printed can be pasted."""

import re
import shlex
import shutil
from pathlib import Path

import pytest
import yaml
from tools import ROOT, snakemake

from whatmoves.loading import _why_unsound

STUDY = {
    "study": "paths",
    "seeds": [0],
    "training": {
        "clips": 16, "batch_size": 8, "learning_rate": 0.001, "validate_every": 16, "validation_clips": 8,
        "checkpoint_every": 16, "log_every": 16,
    },
    "evaluation": {"probe_clips": 60, "swap_pairs": 8, "judge_frames": 256, "permutations": 19, "bootstrap": 100},
    "data": {
        "moving_digits": {
            "options": {"image_px": 16, "digit_px": 8, "frames": 6, "validation_clips": 16, "test_clips": 40},
            "past_frames": 4,
        }
    },
    "models": {"baseline_vae": {"options": {"channels": [4, 8], "features": 16, "latent_dim": 4}}},
}  # fmt: skip
RULES = sorted((ROOT / "workflow/rules").glob("*.smk"))


@pytest.mark.parametrize("path", [ROOT / "Snakefile", *RULES], ids=lambda path: path.name)
def test_no_shell_line_fills_in_what_is_not_quoted(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    commands = [command for _, command in re.findall(r"^( +)shell:\n((?:\1    .*\n)+)", text, re.MULTILINE)]
    assert len(commands) == len(re.findall(r"^\s+shell:", text, re.MULTILINE))
    for command in commands:
        for field in re.findall(r"\{([^{}]+)\}", command):
            assert field.endswith(":q"), f"{path.name}: {{{field}}} is not quoted in {command.strip()}"


def test_a_study_file_with_a_space_and_an_apostrophe_runs(tmp_path: Path) -> None:
    folder, place = tmp_path / "run", tmp_path / "my study's"
    folder.mkdir()
    place.mkdir()
    config = place / "it's mine.yaml"
    config.write_text(yaml.safe_dump(STUDY), encoding="utf-8")
    snakemake("results/paths/values.json", folder=folder, study=str(config))  # data, train, evaluate, judge, analyse
    logs = list((folder / "logs/paths").rglob("*.log"))
    assert {"data", "train", "evaluate", "judge"} <= {path.relative_to(folder / "logs/paths").parts[0] for path in logs}
    for path in logs:
        words = shlex.split(path.read_text(encoding="utf-8").splitlines()[0])
        assert Path(folder, words[words.index("--configfile") + 1]).resolve() == config.resolve()
    shutil.rmtree(folder / ".snakemake")  # as when results are copied to another place
    assert "Nothing to be done" in snakemake("results/paths/values.json", "--dry-run", folder=folder, study=str(config))


def test_the_hint_to_repeat_a_check_can_be_pasted() -> None:
    config = Path("my study's/it's mine.yaml")
    for code in (1, -11):
        hint = re.search(r"`(.*)`", _why_unsound(config, code, ["checking data.moving_digits"]))
        assert hint is not None
        assert shlex.split(hint.group(1))[-1] == str(config)
