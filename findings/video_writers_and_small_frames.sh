#!/bin/bash
# Guess: a writer of films keeps the size of the frames, and says so when it cannot take one.
# True: imageio's default writer stretches frames to a multiple of 16, so a 28-px clip comes back with 32 px, every pixel
#   interpolated (a warning on stderr). OpenCV's writer drops frames that are grey or of another size than it was told:
#   it returns False, and a film without any frame is left.
# Versions: imageio 2.38.1 with imageio-ffmpeg 0.8.1, OpenCV 5.0.0.93. Source: run.
# What we do: frames are enlarged by a whole number before they are written, with macro_block_size=2.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q imageio==2.38.1 imageio-ffmpeg==0.8.1 opencv-python-headless==5.0.0.93 numpy==2.4.6
cd "$work"
venv/bin/python - <<'EOF' 2> /dev/null
import cv2, imageio.v3 as iio, numpy as np

clip = np.random.default_rng(0).integers(0, 256, size=(20, 28, 28, 3), dtype=np.uint8)
iio.imwrite("film.mp4", clip, fps=8)
size = iio.imread("film.mp4").shape
print("imageio, 20 frames of 28 x 28:", size)
counts = {}
for kind, frames in {"colour": clip, "grey": clip[..., 0], "24 px wide": clip[:, :, :24]}.items():
    writer = cv2.VideoWriter("opencv.mp4", cv2.VideoWriter_fourcc(*"mp4v"), 8, (28, 28))
    answers = {writer.write(np.ascontiguousarray(frame)) for frame in frames}
    writer.release()
    reader, counts[kind] = cv2.VideoCapture("opencv.mp4"), 0
    while reader.read()[0]:
        counts[kind] += 1
    print(f"OpenCV, told 28 x 28, given 20 {kind} frames: write says {answers}, {counts[kind]} frames read back")
assert size == (20, 32, 32, 3) and counts == {"colour": 20, "grey": 0, "24 px wide": 0}
EOF
