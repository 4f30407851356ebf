#!/bin/bash
# Guess: `--config KEY=TEXT` and `KEY: TEXT` in a configfile give a workflow the same value.
# True: the file is YAML 1.1, the command line has rules of its own. `1e-3` is text in the file and a number on the
#   command line, `010` is 8 there and 10 here, `no` is false there and the true text "no" here. And what is nested on
#   the command line is merged into the file's, but its numbers arrive as text: seeds=[7] is ['7'].
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
    print(*(f"{key}: {value!r}" for key, value in sorted(config.items())), sep="   ", file=file)
EOF
snakemake --dry-run --config rate=1e-3 seed=010 augment=no 'seeds=[7]' 'training={clips: 5}' > log 2>&1
cat > study.yaml <<'EOF'
rate: 1e-3
seed: 010
augment: no
seeds: [7]
training: {clips: 5}
EOF
snakemake --dry-run > log 2>&1
line="$(sort -u seen)"
echo "written both times: rate 1e-3, seed 010, augment no, seeds [7], training {clips: 5}; seen from the command line and the file:"
echo "$line"
test "$line" = "augment: 'no'   rate: 0.001   seed: 10   seeds: ['7']   training: {'clips': '5'}
augment: False   rate: '1e-3'   seed: 8   seeds: [7]   training: {'clips': 5}"
