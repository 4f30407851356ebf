#!/bin/bash
# Guess: where a rule's input is a folder of frames, a change in the folder makes the rule run again.
# True: Snakemake knows a folder by its own time, which changes when a file in it is added or removed, and not when one is
#   rewritten, nor by anything in a subfolder. In a folder that is an output (`directory()`) it sees nothing at all:
#   files may be changed, added and removed, and what is made from them counts as up to date.
# Versions: Snakemake 9.27.1. Source: run.
# What we do: rules declare files, never folders. Of a recording that is the log: pictures changed in place are not seen.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q snakemake==9.27.1
export PATH="$work/venv/bin:$PATH"
cd "$work"
cat > Snakefile <<'EOF'
rule all:
    input: "from_input.txt", "from_output.txt"
rule from_input:
    input: "frames"
    output: "from_input.txt"
    shell: "cat {input}/*.txt {input}/drive/*.txt > {output}"
rule folder:
    output: directory("made")
    shell: "mkdir {output}; echo 1 > {output}/a.txt"
rule from_output:
    input: "made"
    output: "from_output.txt"
    shell: "cat {input}/*.txt > {output}"
EOF
again() { sleep 1.1; snakemake --dry-run 2>&1 | sed -n 's/^rule \(from.*\):$/\1/p' | tr '\n' ' '; }
say() { echo "$1: runs again: ${2:-nothing}"; }
mkdir -p frames/drive; echo 1 > frames/a.txt; echo 1 > frames/drive/b.txt; sleep 1.1
snakemake --cores 1 > log 2>&1
echo 2 > frames/a.txt; rewritten=$(again); say "a frame rewritten" "$rewritten"
echo 2 > frames/drive/c.txt; below=$(again); say "a frame added in a subfolder" "$below"
echo 2 > made/a.txt; echo 3 > made/b.txt; rm made/a.txt; output=$(again); say "an output folder's files replaced" "$output"
echo 2 > frames/d.txt; added=$(again); say "a frame added" "$added"
test -z "$rewritten$below$output"
test "$added" = "from_input "
