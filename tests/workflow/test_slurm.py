"""The SLURM profile against a stand-in SLURM: what is submitted, and that the jobs then run.

The stand-in is four shell scripts in front of the PATH; the real plugin of Snakemake speaks to them.
"""

import os
import re
import shutil
from pathlib import Path

import pytest
from tools import ROOT, run

SBATCH = """#!/bin/bash
# Notes the submission, runs the wrapped command in the background, and prints a job id.
folder=$(dirname "$0")
id=$(( $(ls "$folder/jobs" | wc -l) + 1 ))
echo RUNNING > "$folder/jobs/$id"
printf '%s\\n' "$*" | tr '\\n' ' ' >> "$folder/submitted"; echo >> "$folder/submitted"
for word in "$@"; do case $word in --wrap=*) command=${word#--wrap=};; esac; done
(
    export SLURM_JOB_ID=$id
    bash -c "$command" > "$folder/output-$id" 2>&1 && state=COMPLETED || state=FAILED
    echo $state > "$folder/jobs/$id"
) > /dev/null 2>&1 &
echo "$id"
"""
SACCT = """#!/bin/bash
# Asked for the jobs of a run by --name, it lists them; asked for accounts, it knows none.
[[ " $* " == *" --name "* ]] || exit 0
cd "$(dirname "$0")/jobs" && for id in *; do echo "$id|$(cat "$id")"; done
"""
SRUN = """#!/bin/bash
# Drops srun's own options and runs the rest.
while [ "${1#-}" != "$1" ]; do shift; done
exec "$@"
"""
NOTHING = "#!/bin/bash\nexit 0\n"


@pytest.fixture
def slurm(tmp_path: Path) -> Path:
    """A folder with the stand-in's commands, and room for what it notes."""
    folder = tmp_path / "slurm"
    (folder / "jobs").mkdir(parents=True)
    scripts = {"sbatch": SBATCH, "sacct": SACCT, "squeue": SACCT, "srun": SRUN}
    scripts |= dict.fromkeys(("scancel", "scontrol", "sinfo", "sacctmgr", "sshare"), NOTHING)
    for name, text in scripts.items():
        (folder / name).write_text(text, encoding="utf-8")
        (folder / name).chmod(0o755)
    return folder


@pytest.mark.slow
def test_the_profile_submits_what_it_promises_and_the_jobs_run(slurm: Path, tmp_path: Path) -> None:
    profile = tmp_path / "profile"
    shutil.copytree(ROOT / "profiles/slurm", profile)
    quick_polling = "slurm-init-seconds-before-status-checks: 2\nlatency-wait: 5\n"
    settings = (profile / "config.yaml").read_text(encoding="utf-8").replace("latency-wait: 60\n", quick_polling)
    (profile / "config.yaml").write_text(settings, encoding="utf-8")
    folder = tmp_path / "run"
    folder.mkdir()
    target = "results/tiny/train/moving_digits/lstm_vae/seed-1/checkpoint.pt"
    answer = run(
        "snakemake", target, "--snakefile", str(ROOT / "Snakefile"), "--directory", str(folder),
        "--configfile", str(ROOT / "config/tiny.yaml"), "--workflow-profile", str(profile),
        folder=folder, PATH=f"{slurm}{os.pathsep}{os.environ['PATH']}",
    )  # fmt: skip
    assert (folder / target).is_file(), answer.stderr
    data, train = sorted(
        (slurm / "submitted").read_text(encoding="utf-8").splitlines(), key=lambda s: "rule_train" in s
    )
    assert _asked(data) == {"mem": "4000", "time": "30", "cpus-per-task": "1"}
    assert _asked(train) == {"mem": "16000", "time": "720", "cpus-per-task": "1", "gpus": "1"}


def _asked(line: str) -> dict[str, str]:
    """The resources on a submit line."""
    before_command = line.split("--wrap")[0]
    pairs = re.findall(r"(?:--(mem|cpus-per-task|gpus)[= ]|-(t) |--(time)[= ])(\S+)", before_command)
    return {long or "time": value for long, _, _, value in pairs}
