#!/bin/bash
# Guess: a rule runs again whenever a value under `params:` has changed.
# True: that holds for numbers, text, lists and dicts. A Path, a NumPy array or an object of settings is left out of the
#   record without a word, so a changed path or array reruns nothing, and yet {params.x} prints its new value. A set is
#   recorded in the order of this process' hashes: with an unchanged set of three names most runs make everything again.
# Versions: Snakemake 9.27.1, with its records of format 6. Source: run; a thread about values that cannot be written
#   down is snakemake/snakemake#1425. An order that varies, met in the wild: pypsa-meets-earth/pypsa-earth#1745.
# What we do: params hold text alone (digests and JSON with sorted keys), made by `depends`.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q snakemake==9.27.1 numpy==2.4.6
export PATH="$work/venv/bin:$PATH"
cd "$work"
cat > Snakefile <<'EOF'
from pathlib import Path
import numpy as np
rate = float(Path("rate").read_text())
class Settings:
    def __init__(self): self.rate = rate
kinds = {"number": rate, "text": f"{rate}", "dict": {"rate": rate}, "path": Path(f"{rate}"), "array": np.array([rate]),
         "object": Settings()}
if "names" in config: kinds = {"set": {"vae", "lstm", "jepa"}}
rule all:
    input: [f"{kind}.txt" for kind in kinds]
rule one:
    output: "{kind}.txt"
    params: value=lambda wildcards: kinds[wildcards.kind]
    shell: "touch {output}"
EOF
again() { snakemake --dry-run "$@" 2>&1 | sed -n 's/^    output: \(.*\)\.txt$/\1/p' | sort | tr '\n' ' '; }
export PYTHONHASHSEED=1
echo 0.001 > rate
snakemake --cores 1 --quiet all > log 2>&1
echo "unchanged:                      runs again: $(again)"
echo 0.002 > rate
seen=$(again)
echo "every value from 0.001 to 0.002: runs again: $seen"
test "$seen" = "dict number text "
snakemake --cores 1 --quiet all --config names=1 > log 2>&1
count=0
for seed in 1 2 3 4 5 6 7 8; do
  if [ -n "$(PYTHONHASHSEED=$seed again --config names=1)" ]; then count=$((count + 1)); fi
done
echo "an unchanged set, in eight processes: runs again in $count"
test "$count" -ge 1
