#!/bin/bash
# Guess: the code of a clip is the same bits, encoded alone or among others: its row meets the same weights.
# True: a product of matrices picks its routine by the number of rows. A row alone is computed in another order than in a
#   batch, and even 128 rows have other last bits than the same rows among 256. In PyTorch 2.14.1 a convolution with a
#   linear layer showed it for up to 8 of 64 clips, an LSTM did not.
# Versions: NumPy 2.4.6 (OpenBLAS, kernel named so that each maker's processor computes alike). Source: run.
# What we do: an evaluation encodes a data set in batches of one size; compare codes to a tolerance, or in one batch.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6
cd "$work"
OPENBLAS_CORETYPE=Haswell OPENBLAS_NUM_THREADS=1 venv/bin/python - <<'EOF'
import numpy as np

rng = np.random.default_rng(0)
frames = rng.normal(size=(256, 64)).astype(np.float32)
for stored, weights in {"[in, out]": rng.normal(size=(64, 32)), "[out, in]": rng.normal(size=(32, 64)).T}.items():
    weights = weights.astype(np.float32) if stored == "[in, out]" else weights.T.astype(np.float32).T
    whole = frames @ weights
    sizes = [n for n in (1, 2, 4, 8, 16, 32, 64, 128) if not np.array_equal(frames[:n] @ weights, whole[:n])]
    most = max(np.abs(frames[:n] @ weights - whole[:n]).max() for n in (1, 8, 32))
    print(f"NumPy {np.__version__}, weights {stored}: other bits than in a batch of 256 for batches of {sizes}, by {most:.1e}")
    assert 1 in sizes
EOF
