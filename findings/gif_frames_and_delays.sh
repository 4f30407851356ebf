#!/bin/bash
# Guess: a GIF of 20 frames at 8 a second holds 20 frames of 125 ms, whoever writes it.
# True: Pillow joins equal neighbours into one frame that is shown longer: a clip that pauses comes back with fewer frames,
#   and frame k is no longer time k. Delays are hundredths of a second, so 125 ms are 120. And imageio's `duration` is
#   milliseconds (seconds before 2.28): 0.125, as older code says, writes no delay at all.
# Versions: Pillow 13.0.0, imageio 2.38.1. Source: run.
# What we do: GIFs are for looking; numbers are taken from .npz.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q pillow==13.0.0 imageio==2.38.1 numpy==2.4.6
cd "$work"
venv/bin/python - <<'EOF'
import imageio.v3 as iio, numpy as np
from PIL import Image

clip = np.zeros((20, 32, 32), np.uint8)
for time in range(20):
    place = min(time, 8) + max(time - 13, 0)  # it rests from 8 to 13
    clip[time, 10:16, place : place + 6] = 255
first, *rest = map(Image.fromarray, clip)
first.save("pillow.gif", save_all=True, append_images=rest, duration=125, loop=0)
iio.imwrite("imageio.gif", clip[:8], duration=0.125)

def delays(path):
    with Image.open(path) as gif:
        found = []
        for frame in range(gif.n_frames):
            gif.seek(frame)
            found.append(gif.info.get("duration", 0))
    return found

print("Pillow, 20 frames of 125 ms, five of them like the one before:", delays("pillow.gif"))
print("read back by imageio:", iio.imread("pillow.gif").shape[0], "frames")
print("imageio, 8 frames, duration=0.125:", delays("imageio.gif"))
assert delays("pillow.gif") == [120] * 8 + [750] + [120] * 6 and delays("imageio.gif") == [0] * 8
EOF
