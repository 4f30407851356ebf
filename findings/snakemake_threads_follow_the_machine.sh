#!/bin/bash
# Guess: a rule with `threads: 4` computes with 4 threads or does not run, and an exported OMP_NUM_THREADS=1 is obeyed.
# True: threads shrink to `--cores` without a word, and every job gets OMP_, MKL_ and OPENBLAS_NUM_THREADS of that number,
#   over what was exported. A sum's order follows its threads, so one Snakefile gives other bits on another machine.
# Versions: Snakemake 9.27.1 (the shrinking is documented, under `threads`), NumPy 2.4.6. Needs two cores.
# What we do: the number of threads is a setting of the study, is set by our own commands, and is part of what a run is.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q snakemake==9.27.1 numpy==2.4.6
export PATH="$work/venv/bin:$PATH" OMP_NUM_THREADS=1 OPENBLAS_CORETYPE=Haswell
cd "$work"
cat > product.py <<'EOF'
import hashlib, os
import numpy as np
a = np.random.default_rng(0).normal(size=(700, 900))
print("OMP_NUM_THREADS", os.environ["OMP_NUM_THREADS"], "bits", hashlib.sha256((a @ a.T @ a).tobytes()).hexdigest()[:12])
EOF
cat > Snakefile <<'EOF'
rule product:
    output: "product.txt"
    threads: 4
    shell: "python product.py > {output}"
EOF
for cores in 1 2; do
  snakemake --cores $cores --forceall > log 2>&1
  echo "exported 1, threads: 4, --cores $cores: the job sees $(cat product.txt)"
  cut -d ' ' -f 2 product.txt >> threads
  cut -d ' ' -f 4 product.txt >> bits
done
test "$(tr '\n' ' ' < threads)" = "1 2 "
test "$(sort -u bits | wc -l)" = 2
