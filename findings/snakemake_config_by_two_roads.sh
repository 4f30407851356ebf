#!/bin/bash
# Guess: `--config KEY=TEXT` and `KEY: TEXT` in a configfile give a workflow the same value.
# True: the file is YAML 1.1, the command line has rules of its own. `1e-3` is text in the file and a number on the
#   command line, `010` is 8 there and 10 here, `no` is false there and the true text "no" here.
# Versions: Snakemake 9.27.1. Source: run.
# What we do: a study's settings come from its file alone, by one reader for which `1e-3` is a number and `010` an error.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q snakemake==9.27.1
export PATH="$work/venv/bin:$PATH"
cd "$work"
cat > Snakefile <<'EOF'
if Path("study.yaml").exists():
    configfile: "study.yaml"
rule all:
    shell: "true"
with open("seen", "a") as file:
    print(*(f"{key}: {config[key]!r}" for key in ("rate", "seed", "augment")), sep="   ", file=file)
EOF
snakemake --dry-run --config rate=1e-3 seed=010 augment=no > log 2>&1
printf 'rate: 1e-3\nseed: 010\naugment: no\n' > study.yaml
snakemake --dry-run > log 2>&1
echo "written both times: rate 1e-3, seed 010, augment no"
sort -u seen
test "$(sort -u seen)" = "rate: '1e-3'   seed: 8   augment: False
rate: 0.001   seed: 10   augment: 'no'"
