#!/bin/bash
# Guess: `benchmark:` tells the memory and processor time that a job took.
# True: it looks at the job's processes now and then, first at once. Of a job below half a second it has seen the shell
#   alone: 200 MB held for a tenth of a second are 0 to some MB, with processor time 0. Nothing marks such rows.
# Versions: Snakemake 9.27.1; snakemake/snakemake#851 (open since 5.30) tells of peaks that are missed in longer jobs.
# What we do: costs in the paper are measured by our own commands inside the process; the benchmark files are for people.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q snakemake==9.27.1
export PATH="$work/venv/bin:$PATH"
cd "$work"
cat > hold.py <<'EOF'
import sys, time
held = bytearray(b"x") * 200_000_000
time.sleep(float(sys.argv[1]))
EOF
cat > Snakefile <<'EOF'
rule all:
    input: [f"0.1_{number}.txt" for number in range(6)], "3_0.txt"
rule hold:
    output: "{seconds}_{number}.txt"
    benchmark: "{seconds}_{number}.tsv"
    shell: "python hold.py {wildcards.seconds}; touch {output}"
EOF
snakemake --cores 1 > log 2>&1
python - <<'EOF'
import csv
seen = {}
for name in [f"0.1_{number}" for number in range(6)] + ["3_0"]:
    with open(f"{name}.tsv") as file:
        row = next(csv.DictReader(file, delimiter="\t"))
    seen[name] = float(row["max_rss"])
    print(f"200 MB held for {name[:-2]} s: max_rss {row['max_rss']} MB, cpu_time {row['cpu_time']} s, of {row['s']} s")
    if name != "3_0" and float(row["s"]) > 0.45:
        del seen[name]  # on a busy machine a short job is not short
*short, long = seen.values()
if not short:
    raise SystemExit("the machine is too busy for a short job: try again")
assert max(short) < 100 and long > 190
EOF
