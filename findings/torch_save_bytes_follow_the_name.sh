#!/bin/bash
# Guess: two checkpoints of the same weights are the same bytes, whatever the files are called.
# True: torch.save writes the file's name, without its ending, into the archive as a folder, so `best.pt` and `last.pt` of
#   the same weights have different checksums, and so has a file that is written under a temporary name and then moved.
#   Into an open file or a buffer the folder is always `archive`, and the bytes are equal.
# Versions: torch 2.13.0. Source: run; pytorch/pytorch#184219 tells of bytes that differ between machines' C++ libraries.
# What we do: checkpoints are written into a buffer and then moved; receipts and `verify` compare bytes.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q torch==2.13.0 numpy==2.4.6
cd "$work"
venv/bin/python - <<'EOF'
import hashlib, zipfile
from pathlib import Path
import torch

weights = {"weight": torch.arange(12.0).reshape(3, 4)}
torch.save(weights, "best.pt")
torch.save(weights, "last.pt")
torch.save(weights, "new.tmp")
Path("new.tmp").rename("moved.pt")
for name in ("best_by_file.pt", "last_by_file.pt"):
    with open(name, "wb") as file:
        torch.save(weights, file)
sums = {}
for path in sorted(Path().glob("*.pt")):
    sums[path.stem] = hashlib.sha256(path.read_bytes()).hexdigest()[:12]
    print(f"torch {torch.__version__}, {path}: {sums[path.stem]}, inside: {zipfile.ZipFile(path).namelist()[0]}")
assert len({sums["best"], sums["last"], sums["moved"]}) == 3
assert sums["best_by_file"] == sums["last_by_file"]
EOF
