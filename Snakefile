# What Moves: from digits to the paper. `snakemake` runs the study in config/config.yaml; `--configfile config/NAME.yaml`
# selects another, and nothing else does. Rules stand in workflow/rules/, one file per floor of the house.
import os
import sys
from pathlib import Path

from snakemake.exceptions import WorkflowError
from snakemake.utils import min_version

min_version("9.20")

# `snakemake` of an environment that is not activated still finds that environment's `whatmoves`.
os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ["PATH"]])


include: "workflow/rules/study.smk"
include: "workflow/rules/data.smk"
include: "workflow/rules/train.smk"
include: "workflow/rules/evaluate.smk"
include: "workflow/rules/analyse.smk"
include: "workflow/rules/figures.smk"
include: "workflow/rules/paper.smk"


rule all:
    input:
        "paper/main.pdf",
        checkpoints,
        animations,
    default_target: True
