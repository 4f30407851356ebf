# The study: which settings, which runs, and what every job depends on (nothing heavy is imported at parse).
import atexit
import functools
import subprocess

from whatmoves.commands.data import raw_files
from whatmoves.errors import WhatMovesError
from whatmoves.failed_jobs import why
from whatmoves.floors import of_clips
from whatmoves.gpus import JOBS_AT_ONCE
from whatmoves.asked import exchanged_rows, planned_rows, shifted_rows
from whatmoves.layout import judged_rows
from whatmoves.loading import abilities_of, check_deeply, files_of, load_study, require_files, stored_splits
from whatmoves.machine import has_usable_gpu
from whatmoves.provenance.closure import Tree, combined
from whatmoves.provenance.jobs import SYNTAX, expected_jobs, read_fingerprint, receipt_of

ROOT = Path(workflow.basedir)

if workflow.config_settings.config:
    raise WorkflowError(
        "--config is not used here: copy a file of config/, edit it, and name it with --configfile"
    )
if len(workflow.overwrite_configfiles or []) > 1:
    raise WorkflowError("name one study: --configfile takes one file here (overlays would mix two studies)")

CONFIGFILE = os.path.relpath((workflow.overwrite_configfiles or [ROOT / "config/config.yaml"])[0])

try:
    STUDY = load_study(Path(CONFIGFILE))
    R = f"results/{STUDY.study}"
    require_files(STUDY, Path(R), CONFIGFILE)
    RAW = raw_files(STUDY, CONFIGFILE)
except WhatMovesError as error:
    raise WorkflowError(str(error)) from None

LOGS = f"logs/{STUDY.study}"
BENCHMARKS = f"{R}/benchmarks"
RUNS = STUDY.runs()
PAIRS = list(dict.fromkeys((dataset, model) for dataset, model, _ in RUNS))
ROWS = [
    *PAIRS,
    *((dataset, floor) for dataset in dict.fromkeys(dataset for dataset, _ in PAIRS) for floor in of_clips()),
]
TEMPLATES = os.path.relpath(ROOT / "paper")
PAPER_SOURCES = sorted(
    os.path.relpath(path)
    for suffix in ("j2", "bib", "tex", "yaml", "json")
    for path in (ROOT / "paper").rglob(f"*.{suffix}")
    if path.name != "main.tex.j2"
)
SEARCH = [os.path.relpath(path) for path in [ROOT / f"config/search/{STUDY.study}.json"] if path.is_file()]


wildcard_constraints:
    dataset="|".join(STUDY.data),
    model="|".join([*STUDY.models, *of_clips()]),
    seed=r"\d+",


SOURCES = Tree(cache=SYNTAX)  # one state of the code for all jobs of a run


@functools.cache
def _fingerprint(kind, wildcards):
    """What a job depends on; asked for once per job and parameter, computed once per job."""
    return read_fingerprint(STUDY, kind, dict(wildcards), tree=SOURCES)


def depends(kind, part):
    """Rerun triggers of a job as parameters. Parts: `code_digest` (one hash of its import closure), `settings_text`
    (what it uses of the study, as text, so that the reason of a rerun shows it), `environment_text` (the pinned
    versions of the packages it imports), and `digest` (all three: what the job must still find when it runs).
    """
    return lambda wildcards: getattr(_fingerprint(kind, tuple(sorted(wildcards.items()))), part)


def proof(kind):
    """The parameters that every job proven by a receipt has: what it depends on, part by part."""
    parts = {
        "code": "code_digest",
        "settings": "settings_text",
        "environment": "environment_text",
        "expect": "digest",
    }
    return {name: depends(kind, part) for name, part in parts.items()}


def place_of_config(wildcards, input):
    """The study file as a parameter; one that asks for `input` is no rerun trigger, so the same study read from
    another place reruns nothing (what a job uses of it stands in its settings)."""
    return CONFIGFILE


def named_files(wildcards):
    """Files outside the data that a model's options name: read by whatever builds its loss."""
    return [str(path) for path in files_of(STUDY.models[wildcards.model])]


def of_judged(dataset, *files):
    """Files that only data sets have whose codes and swaps are judged, of one digit a clip."""
    return [f"{R}/{file}" for file in files] if exchanged_rows(STUDY, dataset) else []


# How many jobs may use GPUs at once (`--resources gpu=N`): each takes one of its own when it starts, or with more jobs
# than GPUs a place on one (whatmoves.gpus); with none at all, everything is computed on CPUs.
GPU_JOBS = getattr(workflow.global_resources.get("gpu"), "value", None)
if GPU_JOBS:
    os.environ[JOBS_AT_ONCE] = str(GPU_JOBS)
elif GPU_JOBS == 0:
    os.environ.update(CUDA_VISIBLE_DEVICES="")
GPU_HERE = has_usable_gpu()


# What a profile says of its cluster (`default-resources`); it travels with every job to the node that runs it.
SITE = {
    name: value.strip("'\"")
    for name, value in (
        word.split("=", 1) for word in getattr(workflow.resource_settings.default_resources, "args", ())
    )
}

# Snakemake keeps a cache in the home directory, also in each of its jobs; nodes of a cluster may have no such directory.
# There the cache stands in the folder of the run, and beside it what a study downloads (`snakemake prefetch`).
if "gpu_partition" in SITE:
    os.environ.setdefault("XDG_CACHE_HOME", os.path.abspath(".cache"))


def on_cluster():
    """Whether jobs are sent to other machines, or this is one of them. Asked of a running workflow: who runs the jobs is
    not known at parse."""
    return "gpu_partition" in SITE or workflow.non_local_exec or workflow.remote_exec


def gpus(wildcards):
    """How many GPUs a job asks for that trains networks, or evaluates or judges one, or would if its model were one.

    On a cluster the profile and the study say it, and nothing else: it is asked for on the login node and again on the
    node that runs the job, and the two may differ in what hardware they have. Elsewhere it is 1 where there is a GPU.
    """
    if not on_cluster():
        return int(GPU_HERE)
    model = getattr(wildcards, "model", None)
    learns = model is None or "loss" in abilities_of("models", STUDY.models[model].kind)
    return int(learns and SITE.get("gpu_partition") != "none")


def gpus_of_floors(wildcards):
    """The same for judging floors: on a cluster, so little work is no reason to wait for a GPU."""
    return 0 if on_cluster() else gpus(wildcards)


def partition(wildcards):
    """The SLURM partition of a job that asks for `gpus`: the profile's for GPUs, if it names one and the job gets one."""
    return SITE.get("gpu_partition" if gpus(wildcards) and "gpu_partition" in SITE else "slurm_partition")


def by_attempt(amount):
    """So much memory or time, and as much again at each retry."""
    return lambda wildcards, attempt: amount * attempt


RECEIPTS = [
    f"{R}/{receipt_of(kind, **wildcards)}" for kind, wildcards in expected_jobs(STUDY) if kind != "paper"
]
checkpoints = [f"{R}/train/{dataset}/{model}/seed-{seed}/checkpoint.pt" for dataset, model, seed in RUNS]


MANY_CLIPS = 2_000_000  # from here on, training without a GPU is worth an estimate
LONG_HOURS = 2  # and from here on, a warning


def warn_of_long_training():
    """Warn, some seconds into the run, if training takes long here: an estimate, made beside the first jobs.

    It prints to the terminal by itself, so the run never waits for it; without it, nothing is lost.
    """
    command = f"-m whatmoves studies --hours {LONG_HOURS} --configfile".split()
    estimate = subprocess.Popen(
        [sys.executable, *command, CONFIGFILE], stdin=subprocess.DEVNULL, stdout=2, stderr=subprocess.DEVNULL
    )
    atexit.register(estimate.terminate)  # does nothing once it has ended


def warn_of_other_versions():
    """Warn where packages that jobs of this study import are installed in other versions than are pinned."""
    from whatmoves.provenance.environment import unlike_pinned  # a dry run does without

    jobs = [(kind, tuple(sorted(wildcards.items()))) for kind, wildcards in expected_jobs(STUDY)]
    pins = {name: pin for job in jobs for name, pin in _fingerprint(*job).environment.items()}
    for line in unlike_pinned(pins):
        print(f"WARNING: {line}", file=sys.stderr)


onstart:
    try:
        check_deeply(Path(CONFIGFILE), STUDY)
    except WhatMovesError as error:
        raise WorkflowError(str(error)) from None
    warn_of_other_versions()
    # At most 100 jobs a second, says Snakemake, and for that it looks through all waiting jobs every second, and after each
    # end of a job once more in every second to come: a third of a core by the middle of a study, which here protects nobody.
    if not on_cluster():
        workflow.scheduler.job_rate_limiter = None
    if (
        not (on_cluster() or GPU_HERE)
        and sum(STUDY.training_of(model).clips for _, model, _ in RUNS) > MANY_CLIPS
    ):
        warn_of_long_training()


def of_slurm(job):
    """What SLURM and Snakemake wrote around the tries of a job."""
    folder = Path(getattr(workflow.executor_settings, "logdir", None) or "nowhere")
    return (folder / f"rule_{job.rule.name}" / "_".join(job.wildcards)).glob("*.log")


onerror:
    for job in sorted(workflow.scheduler.failed, key=str):
        reason = why([Path(str(log)) for log in job.log], of_slurm(job))
        # One write, for Snakemake's last words come from a thread of their own.
        sys.stderr.write(f"failed: {' '.join([job.rule.name, *job.wildcards])}: {reason}\n")
        # Snakemake removes what a failed job had made and asks no more for it while a later result stands, so the next run
        # would have nothing to do. Marked as incomplete, results that were to be made from it are made again, and so it is.
        for later in workflow.dag.depending[job]:
            workflow.persistence.started(later)


onsuccess:
    if any(job.rule.name == "paper" for job in workflow.dag.jobs):
        command = ["-m", "whatmoves", "summary", "--configfile", CONFIGFILE]
        subprocess.run([sys.executable, *command], stdin=subprocess.DEVNULL, stdout=2)
