# The study: which settings, which runs, and what every job depends on (nothing heavy is imported at parse).
from whatmoves.errors import WhatMovesError
from whatmoves.loading import check_deeply, load_study
from whatmoves.machine import has_usable_gpu
from whatmoves.provenance.jobs import fingerprint

ROOT = Path(workflow.basedir)

if workflow.config_settings.config:
    raise WorkflowError(
        "--config is not used here: copy a file of config/, edit it, and name it with --configfile"
    )
if len(workflow.overwrite_configfiles or []) > 1:
    raise WorkflowError("name one study: --configfile takes one file here (overlays would mix two studies)")

# Relative where it can be, because the command line of a rule is one of its rerun triggers.
CONFIGFILE = os.path.relpath((workflow.overwrite_configfiles or [ROOT / "config/config.yaml"])[0])

try:
    STUDY = load_study(Path(CONFIGFILE))
except WhatMovesError as error:
    raise WorkflowError(str(error)) from None

R = f"results/{STUDY.study}"
LOGS = f"logs/{STUDY.study}"
BENCHMARKS = f"{R}/benchmarks"
GPU = 1 if has_usable_gpu() else 0
RUNS = STUDY.runs()
PAIRS = list(dict.fromkeys((dataset, model) for dataset, model, _ in RUNS))
FLOORS = ["blank", "blurred_truth"]  # measured from the test clips alone
ROWS = [
    *PAIRS,
    *((dataset, floor) for dataset in dict.fromkeys(dataset for dataset, _ in PAIRS) for floor in FLOORS),
]
TEMPLATES = os.path.relpath(ROOT / "paper")
PAPER_SOURCES = sorted(
    os.path.relpath(path)
    for suffix in ("j2", "bib", "yaml", "sty")
    for path in (ROOT / "paper").rglob(f"*.{suffix}")
)


wildcard_constraints:
    dataset="|".join(STUDY.data),
    model="|".join([*STUDY.models, *FLOORS]),
    seed=r"\d+",


def code_of(kind):
    """Rerun trigger: the code a job depends on, as one hash of its import closure."""
    return lambda wildcards: fingerprint(STUDY, kind, **wildcards).code_digest


def settings_of(kind):
    """Rerun trigger: the settings a job uses, as text, so that the reason of a rerun shows them."""
    return lambda wildcards: fingerprint(STUDY, kind, **wildcards).settings_text


def environment_of(kind):
    """Rerun trigger: the pinned versions of the packages that code imports."""
    return lambda wildcards: fingerprint(STUDY, kind, **wildcards).environment_text


def proof_of(kind):
    """What the job must still find when it starts and when it ends."""
    return lambda wildcards: fingerprint(STUDY, kind, **wildcards).digest


checkpoints = [f"{R}/train/{dataset}/{model}/seed-{seed}/checkpoint.pt" for dataset, model, seed in RUNS]


onstart:
    try:
        check_deeply(Path(CONFIGFILE), STUDY)
    except WhatMovesError as error:
        raise WorkflowError(str(error)) from None
