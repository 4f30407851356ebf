#!/bin/bash
# Guess: PCA(k).fit(x) is a decomposition: the same data give the same axes.
# True: by default the solver is chosen by shape. Up to 500 x 500 it is exact; with at least ten rows a column and at most
#   1,000 columns it is exact as well; between and beyond (so for pictures) it is random, seeded by no one: two fits of the
#   same 800 frames of 32 x 32 pixels differ, and a row more or less may change the solver.
# Versions: scikit-learn 1.9.1; the rule of ten rows since 1.5. Source: documented under `svd_solver`; the numbers: run.
# What we do: our floor `pca` decomposes exactly, in double precision, whatever the number of clips.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q scikit-learn==1.9.1 numpy==2.4.6
cd "$work"
OMP_NUM_THREADS=1 OPENBLAS_NUM_THREADS=1 venv/bin/python - <<'EOF'
import numpy as np, sklearn
from sklearn.decomposition import PCA

def frames(count, side):  # a bright square that moves on black
    places = np.random.default_rng(0).integers(0, side - 5, size=(count, 2))
    video = np.zeros((count, side, side))
    for frame, (row, column) in zip(video, places):
        frame[row : row + 5, column : column + 5] = 1
    return video.reshape(count, -1)

print("scikit-learn", sklearn.__version__, "eight components, fitted twice to the same frames")
found = {}
for count, side in ((400, 16), (800, 32), (999, 10), (1000, 10)):
    video = frames(count, side)
    first, second = PCA(8).fit(video), PCA(8).fit(video)
    error = [((video - fit.inverse_transform(fit.transform(video))) ** 2).sum(1).mean() for fit in (first, second)]
    found[count, side] = np.array_equal(first.components_, second.components_)
    print(f"{count} frames of {side} x {side}: error {error[0]:.5f} and {error[1]:.5f}; equal axes: {found[count, side]}")
assert found == {(400, 16): True, (800, 32): False, (999, 10): False, (1000, 10): True}
EOF
