"""How long a study takes on 1, 4, 16 and 64 GPUs, simulated: the table of docs/cluster.md.

The jobs are those that Snakemake plans (a dry run, as for a cluster); their operations are counted, and what else they
take is told from a measured run (`whatmoves.machines.cost`). How many operations a second a GPU does in our networks is
an assumption, of which the table shows several, until `whatmoves gpu-check` has measured one.

    python benchmarks/scheduling.py [config/full.yaml]
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy is imported

import subprocess
import sys
import tempfile
from pathlib import Path

from whatmoves.loading import load_study
from whatmoves.machines.cost import LOCAL, MEASURED, Job, measured_on_gpu, timed
from whatmoves.machines.job_times import key_of, read_job_times, rule_of
from whatmoves.machines.scheduling import Cluster, Task, limit, longest_chain, schedule
from whatmoves.machines.snakemake_said import Said, after, jobs

ROOT = Path(__file__).parents[1]
GPUS = (1, 4, 16, 64)
ASSUMED_TERAFLOPS = (10.0, 40.0, 160.0)  # counted operations, not what a data sheet promises
START_S, NOTICE_S, LOCAL_CORES = 11.0, 19.0, 2  # seen on a real SLURM; profiles/slurm
TARGET_GPU_HOURS = 8.0


def plan(configfile: Path) -> list[Said]:
    """What Snakemake would do from nothing, on a cluster that has GPUs."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "snakemake", "all", "--dry-run", "--snakefile", str(ROOT / "Snakefile")]
        command += ["--directory", folder, "--configfile", str(configfile), "--workflow-profile", "none"]
        command += ["--cores", "1", "--default-resources", "slurm_partition=cpu", "gpu_partition=gpu"]
        answer = subprocess.run(command, capture_output=True, text=True, check=True)
    return jobs(answer.stdout + answer.stderr)


def tasks(planned: list[Said], costs: list[Job], operations_per_s: float) -> list[Task]:
    """The planned jobs with the time of each, on a GPU where the plan gives it one."""
    by_name, waits, names = {job.name: job for job in costs}, after(planned), {}
    for said in planned:
        names[said.jobid] = f"{rule_of(said.rule)} {key_of(said.wildcards)}".strip()
    found = []
    for said in sorted(planned, key=lambda job: names[job.jobid]):  # Snakemake's own order is another every time
        if said.rule == "all":
            continue
        job, local = by_name[names[said.jobid]], said.rule in LOCAL
        seconds = job.gpu_s(operations_per_s) if said.gpus else job.cpu_s
        earlier = tuple(names[jobid] for jobid in waits[said.jobid])
        found.append(Task(names[said.jobid], seconds, said.gpus, earlier, local, said.priority))
    return found


def main() -> None:
    """Print a table in Markdown, and what it was made from."""
    configfile = Path(sys.argv[1]).resolve() if len(sys.argv) > 1 else ROOT / "config/full.yaml"
    times, planned = read_job_times(ROOT / MEASURED), plan(configfile)
    costs = timed(load_study(configfile), times)
    operations = sum(job.operations for job in costs if job.gpu)
    speeds = {f"{assumed:g}, assumed": 1e12 * assumed for assumed in ASSUMED_TERAFLOPS}
    if measured := measured_on_gpu((ROOT / MEASURED).parent):
        speeds[f"{measured[1] / 1e12:.3g}, {measured[0]}"] = measured[1]
    with_gpu = sum(said.gpus for said in planned)
    print(f"{len(planned) - 1} jobs, {with_gpu} with a GPU, {operations:.3g} operations of networks in them\n")
    print("| 10¹² operations a second | GPUs | wall time, h | GPU-hours held | busy | what limits |")
    print("|---|--:|--:|--:|--:|---|")
    for name, speed in speeds.items():
        of_speed = tasks(planned, costs, speed)
        for gpus in GPUS:
            cluster = Cluster(gpus, START_S, NOTICE_S, LOCAL_CORES)
            found = schedule(of_speed, cluster)
            held_h, wall_h = found.gpu_s(of_speed) / 3600, found.wall_s / 3600
            busy = f"{held_h / (gpus * wall_h):.0%}"
            print(f"| {name} | {gpus} | {wall_h:,.1f} | {held_h:,.1f} | {busy} | {limit(of_speed, cluster, found)} |")
        chain = longest_chain(of_speed, Cluster(1, START_S, NOTICE_S, LOCAL_CORES))
        print(f"\nLongest chain at {name}: {' → '.join(chain)}\n", file=sys.stderr)
    rest_h = sum(job.rest_s for job in costs if job.gpu) / 3600
    held_h = TARGET_GPU_HOURS - rest_h - START_S * sum(job.gpu for job in costs) / 3600
    print(f"\nBeside networks, jobs with a GPU take {rest_h:.2f} h. {TARGET_GPU_HOURS:g} GPU-hours in all would need "
          f"{operations / held_h / 3600 / 1e12:,.0f} · 10¹² operations a second.")  # fmt: skip


if __name__ == "__main__":
    main()
