# What Moves: from digits to the paper. `snakemake` runs the study in config/config.yaml; `--configfile config/NAME.yaml`
# selects another, and nothing else does. Rules stand in workflow/rules/, one file per floor of the house.
import gc
import os
import shlex
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.20")

# What Snakemake has loaded by now stays: looking through it again and again for what to free takes a tenth of a dry run.
gc.freeze()

# `snakemake` of an environment that is not activated still finds that environment's `whatmoves`. In an environment that
# Snakemake deploys (`--sdm`), that one's must be found, which runs the code of this tree.
if workflow.deployment_settings.deployment_method:
    os.environ.update(WHATMOVES_TREE=workflow.basedir)
    shell.prefix(f"export PYTHONPATH={shlex.quote(str(Path(workflow.basedir, 'src')))}; ")
else:
    shell.prefix(f"export PATH={shlex.quote(str(Path(sys.executable).parent))}:$PATH; ")


# Built from apptainer.def; asked for by `--sdm apptainer` alone.
container: "whatmoves.sif"


include: "workflow/rules/study.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/judge.smk"
include: "workflow/rules/plan.smk"
include: "workflow/rules/exchange.smk"
include: "workflow/rules/shift.smk"
include: "workflow/rules/analyse.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/paper.smk"
include: "workflow/rules/archive.smk"
include: "workflow/rules/report.smk"
include: "workflow/rules/explorer.smk"
include: "workflow/rules/notebooks.smk"


# Seconds of work each, less than a cluster needs to start a job: there they run beside Snakemake itself.
localrules:
    analyse,
    animation,
    copy_paper,
    efficiency,
    figure,
    pack,
    pack_source,
    paper,
    prefetch,
    verify,


rule all:
    default_target: True
    input:
        "paper/main.pdf",
        checkpoints,
        animations,
        f"{R}/efficiency.md",
