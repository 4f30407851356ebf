#!/bin/bash
# Guess: video.mean(axis=(0, 1, 2, 3)) is each colour's mean brightness, good to the digits of float32.
# True: NumPy adds in pairs along the last axis alone. With colours last it adds frame after frame into one float32 per
#   colour, which stops growing at 16,777,216: of 300 white clips of 20 x 64 x 64 pixels the mean is 0.683, of 1,000 it is
#   0.205. The mean over everything, or of each colour by itself, is right. So white backgrounds grow dark with the data.
# Versions: NumPy 2.4.6. Source: documented in the notes of numpy.sum; the numbers: run. PyTorch 2.13.0 gives 1.
# What we do: means over pixels are taken by PyTorch, a batch at a time, and averaged over clips.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6
cd "$work"
venv/bin/python - <<'EOF'
import numpy as np

means = {}
for clips in (100, 300, 1000):
    video = np.ones((clips, 20, 64, 64, 3), np.float32)
    means[clips] = video.mean(axis=(0, 1, 2, 3))
    print(f"NumPy {np.__version__}, {clips} white clips: by colour {means[clips]}, of all {video.mean()}")
    assert video.mean() == 1
    print("  in double precision:", video.mean(axis=(0, 1, 2, 3), dtype=np.float64))
assert (means[100] == 1).all() and (means[300] < 0.7).all() and (means[1000] < 0.21).all()
EOF
