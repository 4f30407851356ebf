#!/bin/bash
# Guess: when a function gives a rule its inputs in another order, the rule runs again, as its output has that order.
# True: inputs are compared as a set: one more or one less reruns, another order does not. A film of frames, a table of
#   seeds or a figure of panels keeps the old order and counts as up to date.
# Versions: Snakemake 9.27.1. Source: run; the reason it prints speaks of the set of input files.
# What we do: what has an order is in `params` as text as well, so a change of order reruns.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q snakemake==9.27.1
export PATH="$work/venv/bin:$PATH"
cd "$work"
cat > Snakefile <<'EOF'
rule join:
    input: lambda wildcards: Path("list").read_text().split()
    output: "joined.txt"
    shell: "cat {input} > {output}"
EOF
again() { snakemake --dry-run 2>&1 | sed -n 's/^rule \(.*\):$/\1/p'; }
echo first > a.txt; echo second > b.txt; echo third > c.txt
echo a.txt b.txt > list
snakemake --cores 1 > log 2>&1
echo b.txt a.txt > list; order=$(again)
echo a.txt b.txt c.txt > list; more=$(again)
echo "another order: runs again: ${order:-nothing}, the file has: $(tr '\n' ' ' < joined.txt)"
echo "one more: runs again: ${more:-nothing}"
test -z "$order" && test "$more" = join
