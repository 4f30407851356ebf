"""What a study's jobs cost, told from a measured run: which jobs there are, and times by hand."""

import argparse
import json
import subprocess
import sys
from pathlib import Path

import pytest
from tools import ROOT, snakemake

from whatmoves.commands import studies
from whatmoves.errors import DataError
from whatmoves.loading import load_study
from whatmoves.machines import cost
from whatmoves.machines.cost import LOCAL, MEASURED, jobs_of, measured_on_gpu, timed, work_of
from whatmoves.machines.job_times import condensed, key_of, read_job_times, rule_of
from whatmoves.machines.snakemake_said import after, jobs

PLAN = """
[Fri Nov 27 19:10:20 2026]
localrule train:
    input: a/validation.npz, a/validation.csv
    output: a/seed-0.pt, a/history.csv
    log: logs/train.log
    jobid: 45
    reason: Missing output files: a/seed-0.pt
    wildcards: dataset=a, model=m, seed=0
    priority: 20
    resources: tmpdir=/tmp, gpu=1, runtime=720
[Fri Nov 27 19:10:20 2026]
rule data_test_novel:
    output: a/validation.npz, a/validation.csv
    jobid: 3
    wildcards: dataset=a
    resources: tmpdir=/tmp
Select jobs to execute...
"""
END = "[Fri Nov 27 19:11:{:02d} 2026]\nFinished jobid: {} (Rule: x)\n"
TIMES = read_job_times(ROOT / MEASURED)


def test_a_plan_is_read_with_its_edges() -> None:
    train, data = jobs(PLAN)
    assert (train.jobid, train.rule, train.gpus, train.priority) == (45, "train", 1, 20)
    assert train.wildcards == {"dataset": "a", "model": "m", "seed": "0"}
    assert (data.rule, rule_of(data.rule), data.gpus, data.seconds) == ("data_test_novel", "data", 0, None)
    assert after([train, data]) == {45: [3], 3: []}
    assert key_of(train.wildcards) == "a/m/0"


def test_of_several_logs_the_shortest_time_of_a_job_counts() -> None:
    fast, slow, broken = PLAN + END.format(2, 45), PLAN + END.format(50, 45), PLAN
    assert condensed([slow, fast, broken]) == {"train": {"a/m/0": 42.0}}
    again = PLAN + PLAN.replace("19:10:20", "19:11:00") + END.format(2, 45)  # a retry began at :00
    assert condensed([again]) == {"train": {"a/m/0": 2.0}}


def test_jobs_and_their_gpus_are_those_that_snakemake_plans(tmp_path: Path) -> None:
    """For every rule, name by name; and what runs beside Snakemake is what the Snakefile says."""
    options = ["all", "--dry-run", "--workflow-profile", "none", "--cores", "1"]
    options += ["--default-resources", "slurm_partition=cpu", "gpu_partition=gpu"]
    planned = [job for job in jobs(snakemake(*options, folder=tmp_path)) if job.rule != "all"]
    said = {(f"{rule_of(job.rule)} {key_of(job.wildcards)}".strip(), bool(job.gpus)) for job in planned}
    assert said == {(job.name, job.gpu) for job in jobs_of(load_study(ROOT / "config/tiny.yaml"))}
    local = (ROOT / "Snakefile").read_text(encoding="utf-8").partition("localrules:\n")[2].partition("\n\n")[0]
    assert {line.strip(" ,") for line in local.splitlines()} & {job.rule for job in planned} == set(LOCAL)


def test_the_measured_study_costs_what_it_took() -> None:
    """Within a quarter: seeds that other work slowed down count as the fastest of their kind."""
    study = load_study(ROOT / TIMES.configfile)
    found = timed(study, TIMES)
    took_s = {f"{rule} {key}".strip(): s for rule, of_rule in TIMES.seconds.items() for key, s in of_rule.items()}
    both = [job for job in found if job.name in took_s]
    assert len(both) > 100
    assert sum(job.cpu_s for job in both) == pytest.approx(sum(took_s[job.name] for job in both), rel=0.3)


def test_time_grows_with_clips_seeds_and_draws() -> None:
    study = load_study(ROOT / "config/tiny.yaml")
    before = {job.name: job for job in timed(study, TIMES)}
    longer = study.model_copy(
        update={
            "training": study.training.model_copy(update={"clips": 10 * study.training.clips}),
            "evaluation": study.evaluation.model_copy(update={"best_of": 100}),
        }
    )
    after_it = {job.name: job for job in timed(longer, TIMES)}
    train, evaluate = "train moving_digits/cvae/0", "evaluate moving_digits/cvae"
    assert after_it[train].network_s == pytest.approx(10 * before[train].network_s)
    assert after_it[train].rest_s == before[train].rest_s
    probes = 60 + (60 + 40)  # 60 clips that probes learn from, and with the 40 test clips once more before any training
    passes = {best_of: 40 * (2 + best_of) + probes for best_of in (10, 100)}
    assert after_it[evaluate].operations / before[evaluate].operations == pytest.approx(passes[100] / passes[10])
    two, one = work_of(study, "evaluate", {"dataset": "moving_digits", "model": "lstm_vae"}), before[evaluate]
    assert two.rest == 2 * 40 * 6 * 16 * 16  # two seeds, 40 clips, 6 frames of 16 × 16
    assert one.gpu_s(1e12) == pytest.approx(one.operations / 1e12 + one.rest_s)


def test_a_gpus_speed_is_told_from_its_report(tmp_path: Path) -> None:
    assert measured_on_gpu(tmp_path) is None
    study = load_study(ROOT / "config/tiny.yaml")
    operations = 64 * cost._per_clip(study, "moving_digits", "baseline_vae")
    report = {"configfile": "config/tiny.yaml", "parts": {"full": {"hours": {"moving_digits.baseline_vae": 2.0}}}}
    for name, device in (("gpu-a.json", "cpu: some"), ("gpu-b.json", "cuda: Card, 80 GiB")):
        (tmp_path / name).write_text(json.dumps({**report, "device": device}), encoding="utf-8")
    assert measured_on_gpu(tmp_path) == ("Card, 80 GiB", pytest.approx(operations / 7200))


def test_a_broken_file_of_times_is_named(tmp_path: Path) -> None:
    path = tmp_path / "jobs.json"
    path.write_text(
        '{"machine": "m", "configfile": "c", "operations_per_cpu_s": 1, "seconds": {"train": {"a": "b"}}}',
        encoding="utf-8",
    )
    with pytest.raises(DataError, match=r"jobs.json: seconds.train.a: .*; make it again, from a run's log"):
        read_job_times(path)


def test_studies_are_listed_with_jobs_and_hours(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "tiny.yaml").write_bytes((ROOT / "config/tiny.yaml").read_bytes())
    said = {}
    for as_json in (True, False):
        parser = argparse.ArgumentParser()
        studies.add_arguments(parser)
        studies.run(parser.parse_args(["--folder", str(tmp_path), *(["--json"] if as_json else [])]))
        said[as_json] = capsys.readouterr().out
    [row] = json.loads(said[True])
    expected = jobs_of(load_study(ROOT / "config/tiny.yaml"))
    assert (row["jobs"], row["gpu_jobs"]) == (len(expected), sum(job.gpu for job in expected))
    assert 0 < row["cpu_hours"] < 1
    assert f"{row['jobs']} jobs, {row['gpu_jobs']} of them for a GPU" in said[False]
    assert TIMES.machine in said[False]
    if not measured_on_gpu(ROOT / MEASURED.parent):
        assert row["gpu_hours"] is None
        assert "GPU-hours unmeasured" in said[False]


@pytest.mark.slow
def test_the_calculation_of_the_cluster_page_is_what_its_script_prints() -> None:
    """docs/cluster.md has the table of benchmarks/scheduling.py, number by number."""
    command = [sys.executable, str(ROOT / "benchmarks/scheduling.py")]
    table = subprocess.run(command, capture_output=True, text=True, check=True).stdout.splitlines()
    page = (ROOT / "docs/cluster.md").read_text(encoding="utf-8")
    assert [line for line in table if line.startswith("| ") and line not in page] == []
