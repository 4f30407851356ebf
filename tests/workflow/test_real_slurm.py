"""The SLURM profile on a real SLURM, jobs ended midway in four ways: `make test-slurm` (`ACCOUNTING=1`: with slurmdbd).

Nothing stands in for anything but the GPUs. The profile is the shipped one, asked for the state of jobs more often.
"""

import os
import re
import subprocess
import time
from pathlib import Path

import psutil
import pytest
import yaml
from real_slurm import GPUS, HOW_TO_INSTALL, missing, real_slurm
from tools import ROOT, run, snakemake

from whatmoves.floors import of_clips
from whatmoves.loading import load_study
from whatmoves.provenance.jobs import expected_jobs

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif("WHATMOVES_SLURM" not in os.environ, reason="not run: `make test-slurm` runs it"),
]

VAE = {"options": {"channels": [4, 8], "features": 16, "latent_dim": 4}}
STUDY = {
    "study": "s",
    "seeds": [0, 1],
    "training": {
        "clips": 8000, "batch_size": 8, "learning_rate": 0.001, "validate_every": 4000, "validation_clips": 8,
        "checkpoint_every": 8000, "log_every": 80,
    },
    "evaluation": {"probe_clips": 60, "swap_pairs": 8, "judge_frames": 256, "permutations": 19, "bootstrap": 100},
    "data": {
        "digits": {
            "kind": "moving_digits",
            "options": {"image_px": 16, "digit_px": 8, "frames": 6, "validation_clips": 16, "test_clips": 40},
            "past_frames": 4,
        }
    },
    "models": {
        "vae": {"kind": "baseline_vae", **VAE, "judged": False},
        "limited": {"kind": "baseline_vae", **VAE, "seeds": [0], "judged": False},
        "pca": {"seeds": [0], "options": {"content_dim": 2, "motion_dim": 2, "clips": 64}, "judged": False},
    },
}  # fmt: skip
ACCOUNTING = os.environ.get("WHATMOVES_SLURM") == "accounting"
PATIENCE_S = 2400  # several times what it takes: only a run that hangs meets it
TARGETS = ("results/s/values.json", "results/s/paper/main.pdf")
ON_SLURM = {"data", "train", "evaluate"}  # kinds of jobs beside floors; the others are local
GPU_JOBS = {"vae", "limited"}  # their trainings and evaluations


class Cluster:
    """What SLURM says, and what a person may do to jobs."""

    def __init__(self, environment: dict[str, str]) -> None:
        self.environment = environment
        self.accounts: list[str] = []  # with accounting, what sacct says of each job at the end
        self.seen: list[dict[str, str]] = []  # GPU indices by job, each time that was looked
        self.running: set[str] = set()  # jobs, when last looked
        self.records: dict[tuple[str, str], str] = {}  # (job, number of restarts) → its job record when last looked

    def command(self, *words: str) -> str:
        return subprocess.run(words, env=self.environment, capture_output=True, text=True, check=True).stdout

    def look(self) -> None:
        """Note all jobs, and which of them have which GPU now."""
        holders = {}
        self.running = set()
        for line in self.command("scontrol", "--oneliner", "--details", "show", "job").splitlines():
            if "JobId=" in line:
                self.records[field(line, "JobId"), field(line, "Restarts")] = line
                if field(line, "JobState") == "RUNNING":
                    self.running.add(field(line, "JobId"))
                indices = re.search(r" GRES=\S*\(IDX:([\d,-]+)\)", line)
                if indices and field(line, "JobState") == "RUNNING":
                    holders[field(line, "JobId")] = indices.group(1)
        self.seen.append(holders)

    def job_of(self, comment: str) -> str:
        """The job that runs under this comment, which Snakemake makes of rule and wildcards."""
        [job] = [field(line, "JobId") for line in self.records.values() if _runs(line, comment)]
        return job


def field(record: str, name: str) -> str:
    """One field of a job record."""
    found = re.search(rf"(?:^| ){name}=(\S*)", record)
    return found.group(1) if found else ""


def _runs(record: str, comment: str) -> bool:
    return field(record, "Comment") == comment and field(record, "JobState") == "RUNNING"


def training(folder: Path, model: str, seed: int) -> psutil.Process | None:
    """The process that trains this model in this folder, if it runs."""
    for process in psutil.process_iter():
        try:
            words = process.cmdline()[-6:-2]
            if words == ["--model", model, "--seed", str(seed)] and process.cwd() == str(folder):
                return process
        except psutil.Error:
            pass
    return None


def log_of(folder: Path, model: str, seed: int) -> str:
    log = folder / f"logs/s/train/digits/{model}/seed-{seed}.log"
    return log.read_text(encoding="utf-8") if log.is_file() else ""


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> tuple[Cluster, Path, str]:
    """The study run through SLURM, its trainings struck midway: what SLURM said, the folder, and what was printed."""
    if lacks := missing(ACCOUNTING):
        pytest.skip(f"not run: {', '.join(lacks)} not found: {HOW_TO_INSTALL} (as root), or `make test-slurm`")
    folder = tmp_path_factory.mktemp("cluster")
    (folder / "study.yaml").write_text(yaml.safe_dump(STUDY, sort_keys=False), encoding="utf-8")
    command = [
        "snakemake", *TARGETS, "--snakefile", str(ROOT / "Snakefile"), "--configfile", "study.yaml",
        "--workflow-profile", str(ROOT / "profiles/slurm"), "--slurm-init-seconds-before-status-checks", "2",
        "--latency-wait", "10", "--set-resources",
        "train:runtime=1 if attempt == 1 and wildcards.model == 'limited' else 30",
    ]  # fmt: skip
    # A training is held (SIGSTOP) as soon as it has made its first steps, and then struck: it is midway on any machine.
    # Once that is over, the node is lost, with the second try of the one that met its time limit.
    faults = {("vae", 0): "scancel", ("vae", 1): "requeue", ("limited", 0): "time limit"}
    last, lost = None, False
    with real_slurm(ACCOUNTING) as slurm:
        cluster = Cluster(slurm.environment)
        with (folder / "printed").open("w") as printed:
            process = subprocess.Popen(
                command, cwd=folder, env={**cluster.environment, "OMP_NUM_THREADS": "1"},
                stdout=printed, stderr=printed, start_new_session=True,
            )  # fmt: skip
        deadline = time.monotonic() + PATIENCE_S
        try:
            while process.poll() is None:
                assert time.monotonic() < deadline, (folder / "printed").read_text(encoding="utf-8")[-5000:]
                cluster.look()
                for (model, seed), fault in list(faults.items()):
                    held = training(folder, model, seed) if "clips: " in log_of(folder, model, seed) else None
                    if held is None:
                        continue
                    held.suspend()
                    del faults[model, seed]
                    if fault != "time limit":  # else it is held until then
                        job = cluster.job_of(f"rule_train_wildcards_digits_{model}_{seed}")
                        cluster.command(*{"scancel": ["scancel"], "requeue": ["scontrol", "requeue"]}[fault], job)
                states = [field(line, "JobState") for line in cluster.records.values()]
                if "TIMEOUT" in states and not last and "resuming" in log_of(folder, "limited", 0):
                    last = training(folder, "limited", 0)
                    if last is not None:
                        last.suspend()  # until nothing else runs, so that nothing else is lost
                if last is not None and not lost and len(cluster.running) == 1:
                    lost = True
                    slurm.lose_node()
                time.sleep(0.2)
            cluster.look()
            if ACCOUNTING:
                cluster.accounts = cluster.command("sacct", "--noheader", "--parsable2", "--allocations",
                                                   "--format=JobID,State,Comment").splitlines()  # fmt: skip
        finally:
            process.kill()  # if it still runs, it waits for jobs, which end with SLURM
            process.wait()
    text = (folder / "printed").read_text(encoding="utf-8")
    assert process.returncode == 0, text
    assert lost, f"ended before it was struck: {faults}"
    assert not faults, f"ended before it was struck: {faults}"
    return cluster, folder, text


def test_every_job_went_through_slurm(finished: tuple[Cluster, Path, str]) -> None:
    cluster, folder, printed = finished
    done = [line for line in cluster.records.values() if field(line, "JobState") == "COMPLETED"]
    expected = [f"rule_floor_wildcards_digits_{floor}" for floor in of_clips()]
    expected += [
        "_".join(["rule", kind, "wildcards", *map(str, wildcards.values())])
        for kind, wildcards in expected_jobs(load_study(folder / "study.yaml"))
        if kind in ON_SLURM
    ]
    assert sorted(field(line, "Comment") for line in done) == sorted(expected)
    assert "Trying to restart job" in printed


def test_jobs_got_the_gpus_and_partitions_that_they_need(finished: tuple[Cluster, Path, str]) -> None:
    cluster, _, _ = finished
    for line in cluster.records.values():
        comment = field(line, "Comment")
        wants = comment.startswith(("rule_train", "rule_evaluate")) and bool(GPU_JOBS & set(comment.split("_")))
        assert field(line, "TresPerJob") == ("gres:gpu:1" if wants else ""), line
        assert field(line, "Partition") == ("gpu" if wants else "cpu"), line
    assert max(map(len, cluster.seen)) == len(GPUS), "no two GPU jobs ran at once: nothing was proved"
    for holders in cluster.seen:
        assert len(set(holders.values())) == len(holders), f"two jobs had one GPU: {holders}"


def test_a_training_that_was_struck_went_on_from_its_state(finished: tuple[Cluster, Path, str]) -> None:
    cluster, folder, printed = finished
    ends = {}
    for model, seed in (("vae", 0), ("vae", 1), ("limited", 0)):
        mine = [
            line for line in cluster.records.values()
            if field(line, "Comment") == f"rule_train_wildcards_digits_{model}_{seed}"
        ]  # fmt: skip
        ends[model, seed] = [field(line, "JobState") for line in mine if field(line, "JobState") != "COMPLETED"]
        [resumed] = re.findall(r"resuming after ([\d,]+) clips", log_of(folder, model, seed))
        if seed == 0:  # its first try failed in the eyes of Snakemake, which then prints the log
            assert f"stopped after {resumed} clips; the same command resumes" in printed
    assert ends["vae", 0] == ["CANCELLED"]
    assert ends["limited", 0][0] == "TIMEOUT"
    assert len(ends["limited", 0]) == 2  # and once more, with the node
    assert len(ends["vae", 1]) == 1  # one job, begun twice
    memory = [
        field(line, "TRES").split(",")[1] for line in cluster.records.values()
        if field(line, "Comment") == "rule_train_wildcards_digits_vae_0"
    ]  # fmt: skip
    assert memory == ["mem=16000M", "mem=32000M"]


@pytest.mark.skipif(not ACCOUNTING, reason="not run: `make test-slurm ACCOUNTING=1` runs it")
def test_the_profile_is_not_misled_by_what_accounting_says_of_a_cancelled_job(
    finished: tuple[Cluster, Path, str],
) -> None:
    cluster, _, printed = finished
    said = [line.split("|") for line in cluster.accounts]
    ends = [state for _, state, comment in said if comment == "rule_train_wildcards_digits_vae_0"]
    assert sorted(ends) == [f"CANCELLED by {os.getuid()}", "COMPLETED"]  # the words that Snakemake does not know
    assert {job for job, state, _ in said if state == "COMPLETED"} == {
        field(line, "JobId") for line in cluster.records.values() if field(line, "JobState") == "COMPLETED"
    }
    assert "Trying to restart job" in printed


def test_the_results_are_those_of_one_machine(finished: tuple[Cluster, Path, str], tmp_path: Path) -> None:
    _, folder, _ = finished
    (tmp_path / "study.yaml").write_text((folder / "study.yaml").read_text(encoding="utf-8"), encoding="utf-8")
    snakemake(*TARGETS, "--cores", "2", folder=tmp_path, study=str(tmp_path / "study.yaml"))
    for target in TARGETS:
        assert (tmp_path / target).read_bytes() == (folder / target).read_bytes(), target
    run("whatmoves", "verify", "--configfile", "study.yaml", folder=folder)
