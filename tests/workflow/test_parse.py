"""What the Snakefile promises before anything runs: nothing heavy imported, errors in one line, resources as asked."""

import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tools import ROOT, run, snakemake

from whatmoves.machine import has_usable_gpu
from whatmoves.provenance.jobs import pinned


def test_parsing_and_help_import_nothing_heavy() -> None:
    program = (
        "import sys; from pathlib import Path; import whatmoves.cli; from whatmoves.loading import load_study;"
        "from whatmoves.provenance.jobs import fingerprint; s = load_study(Path('config/config.yaml'));"
        "fingerprint(s, 'train', dataset='moving_digits', model='lstm_vae', seed=0);"
        "whatmoves.cli.build_parser().format_help();"
        "print(sorted({'torch', 'pandas', 'matplotlib', 'scipy', 'sklearn'} & set(sys.modules)))"
    )
    assert run(sys.executable, "-c", program, folder=ROOT).stdout.strip() == "[]"


@pytest.fixture
def started(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> Callable[[], str]:
    """The command lines of all Python processes that were started since, one a line."""
    folder = tmp_path_factory.mktemp("spy")
    spy = f"import sys\nwith open({str(folder / 'log')!r}, 'a') as log: print(*sys.orig_argv, file=log)\n"
    (folder / "sitecustomize.py").write_text(spy, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(folder))
    return lambda: (folder / "log").read_text(encoding="utf-8")


@pytest.mark.parametrize("study", ["ablations", "config", "full", "tiny"])
def test_every_study_has_a_plan_at_once(study: str, tmp_path: Path, started: Callable[[], str]) -> None:
    output = snakemake("all", "--dry-run", folder=tmp_path, study=study)
    assert len(started().splitlines()) == 1  # snakemake itself: nothing is checked, nothing estimated
    assert "rule train:" in output
    assert "threads: " not in output.split("rule train:")[1].split("rule ")[0]  # one thread each


def test_settings_come_from_one_file_only(tmp_path: Path) -> None:
    output = snakemake("all", "--dry-run", "--config", "seeds=3", folder=tmp_path, expect=1)
    assert "--config is not used here" in output


@pytest.mark.parametrize(
    ("setting", "message"),
    [
        ("trainin: {}", "trainin is no setting; did you mean 'training'?"),
        (
            "models: {disentangled_vae: {options: {content_dim: -3}}}",
            "models.disentangled_vae.options.content_dim is -3; must be greater than 0",
        ),
        ("seeds: []", "seeds is []; needs at least 1"),
    ],
)
def test_a_wrong_study_is_refused_before_any_job(setting: str, message: str, tmp_path: Path) -> None:
    config = tmp_path / "wrong.yaml"
    lines = ["study: wrong", "data: {moving_digits: }", "models: {mean_frame: }", setting]
    if setting.startswith("models"):
        del lines[2]
    config.write_text("\n".join(lines), encoding="utf-8")
    output = snakemake("all", folder=tmp_path, study=str(config), expect=1)
    assert f"wrong.yaml: {message}" in output
    assert "Traceback" not in output
    assert not (tmp_path / "results").exists()


def test_options_that_do_not_fit_the_clips_are_refused_before_any_job(tmp_path: Path) -> None:
    config = tmp_path / "wrong.yaml"
    config.write_text(
        "study: wrong\ndata: {moving_digits: {options: {image_px: 30}}}\nmodels: {baseline_vae: }\n", encoding="utf-8"
    )
    output = snakemake("all", folder=tmp_path, study=str(config), expect=1)
    assert "must be divisible by 16" in output
    assert "Traceback" not in output
    assert not (tmp_path / "results").exists()


@pytest.mark.parametrize(("clips", "estimated"), [(2_000_000, False), (2_000_001, True)])
def test_a_long_training_is_estimated_beside_the_first_job(
    clips: int, estimated: bool, tmp_path: Path, started: Callable[[], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    config = tmp_path / "long.yaml"
    options = "{image_px: 16, digit_px: 8, frames: 4, validation_clips: 2, test_clips: 8}"
    data = f"data: {{moving_digits: {{options: {options}}}}}\n"
    models = f"seeds: [0]\nmodels: {{baseline_vae: {{options: {{channels: [4]}}, training: {{clips: {clips}}}}}}}\n"
    config.write_text(f"study: long\n{data}{models}evaluation: {{swap_pairs: 4}}\n", encoding="utf-8")
    snakemake("results/long/data/moving_digits/test.npz", "--cores", "1", folder=tmp_path, study=str(config))
    processes = started().splitlines()
    assert sum("studies --check" in line for line in processes) == 1
    assert sum("studies --hours" in line for line in processes) == estimated


def test_a_hidden_gpu_is_no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "")
    assert not has_usable_gpu()


def test_a_version_that_is_not_pinned_is_told_before_any_job_and_not_accepted_after(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "site/numpy-1.0.dist-info"
    other.mkdir(parents=True)
    (other / "METADATA").write_text("Metadata-Version: 2.1\nName: numpy\nVersion: 1.0\n", encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(other.parent))
    pin = pinned(ROOT)["numpy"]
    output = snakemake("results/tiny/data/moving_digits/test.npz", folder=tmp_path)
    assert f"WARNING: numpy 1.0 is installed, but requirements.txt pins {pin}: `whatmoves verify` will" in output
    monkeypatch.delenv("PYTHONPATH")
    configfile = str(ROOT / "config/tiny.yaml")
    said = run("whatmoves", "verify", "--configfile", configfile, folder=tmp_path, expect=1).stdout
    assert f"stale     data/moving_digits: numpy 1.0 ran where {pin} was pinned: pip install -r" in said
    assert f"note      numpy {pin} is installed here, but 1 results were made with 1.0; before more are" in said


def test_what_failed_is_told_last_with_its_own_last_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    site = tmp_path / "site"
    site.mkdir()
    program = (
        "import os, sys\nif 'data' in sys.orig_argv: print('out of luck', file=sys.stderr, flush=True); os._exit(1)\n"
    )
    (site / "sitecustomize.py").write_text(program, encoding="utf-8")
    monkeypatch.setenv("PYTHONPATH", str(site))
    output = snakemake("results/tiny/data/moving_digits/test.npz", folder=tmp_path, expect=1)
    assert "failed: data moving_digits: out of luck\n  logs/tiny/data/moving_digits.log\n" in output
