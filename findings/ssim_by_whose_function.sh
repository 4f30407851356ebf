#!/bin/bash
# Guess: SSIM with a Gaussian window of 11 is one number, whichever library computes it.
# True: it differs in the second digit by what is averaged (torchmetrics and kornia reflect the picture over its border and
#   average all of it; scikit-image and pytorch-msssim leave the border out), and in the first by what is assumed:
#   without data_range torchmetrics takes the pictures' own range, so half the contrast changes nothing, and pytorch-msssim
#   takes 255, so pictures of [0, 1] are all alike. Below 11 px pytorch-msssim skips the window, with a warning.
# Versions: torchmetrics 1.9.0, kornia 0.9.0, pytorch-msssim 1.0.0, scikit-image 0.26.0. Source: documented defaults; the
#   numbers: run.
# What we do: window, border and range stand in the measure's name, and docs/measures.md has the table.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q torch==2.13.0 torchmetrics==1.9.0 kornia==0.9.0 pytorch-msssim==1.0.0 \
  scikit-image==0.26.0 numpy==2.4.6
cd "$work"
OMP_NUM_THREADS=1 venv/bin/python -W ignore - <<'EOF'
import kornia, numpy as np, pytorch_msssim, torch
from skimage.metrics import structural_similarity
from torchmetrics.functional.image import structural_similarity_index_measure as torchmetrics_ssim

def disc(size, column):
    row, col = np.mgrid[:size, :size]
    return ((row - size / 2) ** 2 + (col - column) ** 2 < (size / 6) ** 2).astype(np.float32)

def uniform(x, y):
    return structural_similarity(x.numpy()[0, 0], y.numpy()[0, 0], data_range=1)

gauss = {"gaussian_weights": True, "sigma": 1.5, "use_sample_covariance": False}
functions = {
    "scikit-image, Gaussian": lambda x, y: structural_similarity(x.numpy()[0, 0], y.numpy()[0, 0], data_range=1, **gauss),
    "pytorch-msssim": lambda x, y: pytorch_msssim.ssim(x, y, data_range=1),
    "torchmetrics": lambda x, y: torchmetrics_ssim(x, y, data_range=1.0),
    "kornia": lambda x, y: kornia.metrics.ssim(x, y, 11).mean(),
    "scikit-image, defaults": uniform,
    "torchmetrics, no data_range": lambda x, y: torchmetrics_ssim(x, y),
    "pytorch-msssim, no data_range": lambda x, y: pytorch_msssim.ssim(x, y),
}
truth, late, blank = (torch.tensor(picture)[None, None] for picture in (disc(64, 29), disc(64, 35), np.zeros((64, 64), "f4")))
pairs = {"6 px late": (late, truth), "blank": (blank, truth), "half contrast, both": (late / 2, truth / 2)}
seen = {}
for name, function in functions.items():
    seen[name] = [round(float(function(*pair)), 3) for pair in pairs.values()]
    print(f"{name}: " + ", ".join(f"{pair} {value:.3f}" for pair, value in zip(pairs, seen[name])))
small = float(pytorch_msssim.ssim(torch.tensor(disc(8, 4))[None, None], torch.zeros(1, 1, 8, 8), data_range=1))
print(f"pytorch-msssim, 8 px, blank against a disc: {small:.3f}")
gaussian, border = seen["pytorch-msssim"], seen["torchmetrics"]
assert seen["scikit-image, Gaussian"] == gaussian and seen["kornia"] == border and border[0] - gaussian[0] > 0.05
assert seen["torchmetrics, no data_range"][0] == seen["torchmetrics, no data_range"][2] < border[2] and small > 0.8
assert min(seen["pytorch-msssim, no data_range"]) > 0.98
EOF
