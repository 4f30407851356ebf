"""The SLURM profile: what it plans, and what it submits to a stand-in SLURM, whose jobs then run.

The stand-in is a few shell scripts in front of the PATH; the real plugin of Snakemake speaks to them. Its nodes have no
home directory. It ends no job and refuses none: that, and who gets which GPU, is asked of a real SLURM
(test_real_slurm.py), which takes longer.
"""

import os
import re
import subprocess
from pathlib import Path

import pytest
from tools import ROOT, run, snakemake

from whatmoves.loading import abilities_of, load_study

SBATCH = """#!/bin/bash
# Notes the submission, runs the wrapped command in the background with its output where it shall go, prints a job id.
folder=$(dirname "$0")
id=$(( $(ls "$folder/jobs" | wc -l) + 1 ))
echo RUNNING > "$folder/jobs/$id"
printf '%s\\n' "$*" | tr '\\n' ' ' >> "$folder/submitted"; echo >> "$folder/submitted"
while [ $# -gt 0 ]; do case $1 in --wrap=*) command=${1#--wrap=};; --output) output=${2/\\%j/$id};; esac; shift; done
(
    export SLURM_JOB_ID=$id HOME=/dev/null/home
    bash -c "$command" > "$output" 2>&1 && state=COMPLETED || state=FAILED
    echo $state > "$folder/jobs/$id"
) > /dev/null 2>&1 &
echo "$id"
"""
SQUEUE = """#!/bin/bash
# Lists the jobs of a run.
cd "$(dirname "$0")/jobs" && for id in *; do echo "$id|$(cat "$id")"; done
"""
SRUN = """#!/bin/bash
# Drops srun's own options and runs the rest.
while [ "${1#-}" != "$1" ]; do shift; done
exec "$@"
"""
SCONTROL = "#!/bin/bash\necho 'MinJobAge = 300 sec'\n"
NOTHING = "#!/bin/bash\nexit 0\n"
GPU_JOB = {"gpu": "1", "slurm_partition": "gpu"}
CPU_JOB = {"gpu": "0", "slurm_partition": "cpu"}


@pytest.fixture
def slurm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the stand-in's commands, and room for what it notes."""
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)  # else it would be no wonder that nobody wants a home
    folder = tmp_path / "slurm"
    (folder / "jobs").mkdir(parents=True)
    scripts = {"sbatch": SBATCH, "squeue": SQUEUE, "srun": SRUN, "scontrol": SCONTROL}
    scripts |= dict.fromkeys(("sacct", "scancel", "sinfo", "sacctmgr", "sshare"), NOTHING)
    for name, text in scripts.items():
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)
    return folder


def planned(folder: Path, *options: str) -> dict[tuple[str, str], dict[str, str]]:
    """What the tiny study's jobs would ask for through the profile: (rule, model or nothing) → gpu and partition."""
    profile = str(ROOT / "profiles/slurm")
    output = snakemake("all", "--dry-run", "--workflow-profile", profile, *options, folder=folder)
    jobs = {}
    for block in re.split(r"\n(?=(?:local)?rule )", output)[1:]:
        rule, model = block.split(":")[0].split()[-1], re.search(r"wildcards:.*model=(\w+)", block)
        asked = re.search(r"resources: (.*)", block)
        assert asked is not None
        pairs = dict(pair.split("=", 1) for pair in asked.group(1).split(", "))
        jobs[rule, model.group(1) if model else ""] = {name: pairs.get(name, "0") for name in GPU_JOB}
    return jobs


def test_jobs_ask_for_a_gpu_by_what_they_compute_and_not_by_where_they_are_planned(tmp_path: Path) -> None:
    study = load_study(ROOT / "config/tiny.yaml")
    trained = {name for name, entry in study.models.items() if "loss" in abilities_of("models", entry.kind)}
    assert {"pca", "mean_frame"} <= set(study.models) - trained
    for (rule, model), asked in planned(tmp_path).items():
        wants = rule == "judges" or (rule in ("train", "evaluate", "plan", "exchange", "shift") and model in trained)
        assert asked == (GPU_JOB if wants else CPU_JOB), (rule, model)


def test_a_site_without_gpus_says_so_in_one_line(tmp_path: Path) -> None:
    site = ["--default-resources", "slurm_partition=cpu", "gpu_partition=none"]
    assert all(asked == CPU_JOB for asked in planned(tmp_path, *site).values())


@pytest.mark.slow
def test_a_job_that_never_began_is_told_with_what_slurm_said(slurm: Path, tmp_path: Path) -> None:
    (slurm / "srun").write_text("#!/bin/bash\necho 'srun: no such step' >&2; exit 1\n", encoding="utf-8")
    answer = submitted("results/tiny/data/push_world/test.npz", slurm, tmp_path, retries=0, expect=1)
    log = "logs/slurm/rule_data_test_novel/push_world/1.log"
    assert f"failed: data_test_novel push_world: srun: no such step\n  {log}\n" in answer.stderr


@pytest.mark.slow
def test_the_profile_submits_what_it_promises_and_the_jobs_run(slurm: Path, tmp_path: Path) -> None:
    target = "results/tiny/train/moving_digits/lstm_vae/seed-1/checkpoint.pt"
    answer = submitted(target, slurm, tmp_path)
    assert (tmp_path / target).is_file(), answer.stderr
    data, train = sorted(
        (slurm / "submitted").read_text(encoding="utf-8").splitlines(), key=lambda s: "rule_train" in s
    )
    assert _asked(data) == {"mem": "4000", "time": "30", "cpus-per-task": "1", "partition": "cpu"}
    assert _asked(train) == {"mem": "16000", "time": "720", "cpus-per-task": "1", "partition": "gpu", "gpus": "1"}


def submitted(
    target: str, slurm: Path, folder: Path, retries: int = 2, expect: int = 0
) -> subprocess.CompletedProcess[str]:
    """Run the tiny study's jobs for one result through the profile and the stand-in, asked more often how they are."""
    return run(
        "snakemake", target, "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder),
        "--configfile", str(ROOT / "config/tiny.yaml"), "--workflow-profile", str(ROOT / "profiles/slurm"),
        "--slurm-init-seconds-before-status-checks", "2", "--latency-wait", "5", "--retries", str(retries),
        folder=folder, expect=expect, PATH=f"{slurm}{os.pathsep}{os.environ['PATH']}",
    )  # fmt: skip


def _asked(line: str) -> dict[str, str]:
    """The resources on a submit line."""
    before_command = line.split("--wrap")[0]
    pairs = re.findall(r"(--mem|--cpus-per-task|--gpus|-t|-p)[= ](\S+)", before_command)
    return {{"-t": "time", "-p": "partition"}.get(option, option[2:]): value for option, value in pairs}
