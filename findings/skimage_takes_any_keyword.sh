#!/bin/bash
# Guess: structural_similarity refuses a keyword that it does not have.
# True: it takes any. `multichannel=True` of older evaluation code (dropped for `channel_axis`), `gaussian_weight` without
#   its s and `window_size` change nothing and tell nothing: the number is that of the defaults. Older code fails only
#   where the picture then has a side below 7, as colours have: that is how OpenSTL's SSIM ends, at commit c74deb5.
# Versions: scikit-image 0.26.0. Source: the signature is documented with **kwargs; what passes: run.
# What we do: our SSIM is our own, held against scikit-image's by tests; keywords there are spelt from its signature.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q scikit-image==0.26.0 numpy==2.4.6
cd "$work"
venv/bin/python - <<'EOF'
import numpy as np, skimage
from skimage.metrics import structural_similarity

rng = np.random.default_rng(0)
truth = rng.integers(0, 256, size=(64, 64), dtype=np.uint8)
noisy = np.clip(truth + rng.integers(-20, 20, size=truth.shape), 0, 255).astype(np.uint8)
seen = {}
for options in ({}, {"multichannel": True}, {"gaussian_weight": True}, {"window_size": 11}, {"gaussian_weights": True}):
    name = next(iter(options), "defaults")
    seen[name] = structural_similarity(truth, noisy, **options)
    print(f"scikit-image {skimage.__version__}, {name}: {seen[name]:.6f}")
colours = [np.stack([picture] * 3, axis=-1) for picture in (truth, noisy)]
try:
    structural_similarity(*colours, multichannel=True)
    answer = "taken"
except ValueError as error:
    answer = str(error).split(".")[0]
print("multichannel=True, three colours:", answer)
assert seen["multichannel"] == seen["gaussian_weight"] == seen["window_size"] == seen["defaults"]
assert seen["gaussian_weights"] != seen["defaults"] and answer.startswith("win_size")
EOF
