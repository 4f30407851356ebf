#!/bin/bash
# Guess: structural_similarity of two clips [T, H, W] is the mean over their frames.
# True: it takes time for a third direction of space: windows of 7 frames x 7 x 7 pixels, no word. The number is another
#   one, and frames are compared with their neighbours in time. `channel_axis=0` gives the mean over frames; clips of fewer
#   than 7 frames are an error, so it is met only with longer ones.
# Versions: scikit-image 0.26.0. Source: documented for n-dimensional pictures; the numbers: run.
# What we do: SSIM is of single frames, and the measure's name says window and range (docs/measures.md).
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q scikit-image==0.26.0 numpy==2.4.6
cd "$work"
venv/bin/python - <<'EOF'
import numpy as np, skimage
from skimage.metrics import structural_similarity

truth, late = np.zeros((2, 20, 64, 64))
for time in range(20):
    truth[time, 10 + time : 22 + time, 20:32] = 1
    late[time, 11 + time : 23 + time, 20:32] = 1
frames = [structural_similarity(one, other, data_range=1) for one, other in zip(truth, late)]
whole = structural_similarity(truth, late, data_range=1)
axis = structural_similarity(truth, late, data_range=1, channel_axis=0)
print(f"scikit-image {skimage.__version__}, a square and the same square one frame ahead")
print(f"mean over 20 frames {np.mean(frames):.4f}, channel_axis=0 {axis:.4f}, both clips at once {whole:.4f}")
assert abs(np.mean(frames) - axis) < 1e-6 and np.mean(frames) - whole > 0.01
EOF
