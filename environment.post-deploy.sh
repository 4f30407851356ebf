#!/usr/bin/env bash
# `snakemake --sdm conda` runs a copy of this in the environment that it has made of environment.yml: the package of this
# tree, whose place the Snakefile tells, as Snakemake runs a copy that lies elsewhere. By hand: pip install --no-deps --editable .
set -euo pipefail
pip install --quiet --no-deps --no-build-isolation --editable "${WHATMOVES_TREE:-.}"
