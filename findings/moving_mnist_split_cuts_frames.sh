#!/bin/bash
# Guess: MovingMNIST(split="train") are the clips to train on, and split="test" are other clips.
# True: both are all 10,000 clips: "train" their frames 0 to 9, "test" their frames 10 to 19. A model that learns on one
#   and is measured on the other has seen every digit and every path of the test. No split of clips exists.
# Versions: torchvision 0.29.1 with torch 2.14.1 (a large install). Source: documented under `split` and `split_ratio`.
# What we do: validation and test are other clips than training's, in every data set; docs/data.md has the table.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q torch==2.14.1 torchvision==0.29.1 numpy==2.4.6
cd "$work"
venv/bin/python - <<'EOF'
from pathlib import Path
import numpy as np, torchvision
from torchvision.datasets import MovingMNIST

Path("MovingMNIST").mkdir()
clips = np.zeros((20, 6, 64, 64), np.uint8)  # frames first, as published; each frame is filled with its number
clips[:] = np.arange(20)[:, None, None, None]
np.save("MovingMNIST/mnist_test_seq.npy", clips)
seen = {}
for split in (None, "train", "test"):
    data = MovingMNIST(".", split=split, download=False)
    seen[split] = (len(data), *(int(data[0][time].max()) for time in (0, -1)))
    print(f"torchvision {torchvision.__version__}, split={split!r}: {seen[split][0]} of 6 clips, frames {seen[split][1:]}")
assert seen == {None: (6, 0, 19), "train": (6, 0, 9), "test": (6, 10, 19)}
EOF
