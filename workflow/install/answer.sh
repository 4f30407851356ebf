#!/usr/bin/env bash
# answer.sh ARCHIVE STUDY FOLDER: build the paper of a shipped study in FOLDER, a clone of this repository at the commit
# that stands beside the archive (ARCHIVE without .tar.gz, .commit). Results belong to the code that made them, so that
# this tree, once its code has moved on, cannot lay them back; that commit's can. Trains nothing.
set -euo pipefail
archive=$1 study=$2 folder=$3
say() { printf '%s\n' "$*" >&2; exit 2; }
here=$(pwd)
commit=$(cat "${archive%.tar.gz}.commit")

[ -d "$folder" ] || git clone --quiet --no-checkout "$here" "$folder" ||
    say "$here is no git repository; the answer is built at commit $commit: clone the project, then run make answer there"
folder=$(cd "$folder" && pwd)
git -C "$folder" cat-file -e "$commit^{commit}" 2>/dev/null || git -C "$folder" fetch --quiet origin || true
git -C "$folder" checkout --quiet --detach "$commit" ||
    say "commit $commit cannot be checked out in $folder: fetch the whole history (git fetch --unshallow), remove $folder, then run make answer again"

# The same pins: this tree's environment serves, with that commit's sources. Others: an environment of its own.
if cmp -s requirements.txt "$folder/requirements.txt" && [ -e .venv/.ready ]; then
    export PYTHONPATH="$folder/src" PATH="$here/.venv/bin:$PATH"
else
    make -C "$folder" setup
    export PATH="$folder/.venv/bin:$PATH"
fi
cd "$folder"
whatmoves restore "$archive" --configfile "$study"
snakemake paper/main.pdf --configfile "$study"
whatmoves verify --configfile "$study" | tail -n 20
printf '%s\n' "the paper of $study: $folder/paper/main.pdf"
