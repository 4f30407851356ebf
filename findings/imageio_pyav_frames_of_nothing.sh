#!/bin/bash
# Guess: imread of a video gives its pictures, by whichever reader.
# True: with plugin="pyav" it makes room for as many frames as the header counts, and returns that room. A film cut by
#   `ffmpeg -ss ... -c copy` counts 50 and shows 37: the last 13 "frames" are what the memory held before. PyAV itself,
#   `imiter` of the same plugin and imageio's own ffmpeg reader give 37.
# Versions: imageio 2.38.1 with PyAV 18.1.0. Source: run; a header that counts too many: imageio/imageio#1005.
# What we do: count what is decoded, never what a header says.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q imageio==2.38.1 av==18.1.0 imageio-ffmpeg==0.8.1 numpy==2.4.6
cd "$work"
venv/bin/python - <<'EOF'
import subprocess
import av, imageio, imageio.v3 as iio, imageio_ffmpeg, numpy as np

film = np.stack([np.full((64, 64, 3), 5 * frame, np.uint8) for frame in range(50)])
iio.imwrite("film.mp4", film, plugin="FFMPEG", fps=10)
cut = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-ss", "1.3", "-i", "film.mp4", "-c", "copy", "cut.mp4"]
subprocess.run(cut, check=True)
shown = np.stack(list(iio.imiter("cut.mp4", plugin="pyav")))
other = iio.imread("cut.mp4", plugin="FFMPEG")
read = iio.imread("cut.mp4", plugin="pyav")
print(f"imageio {imageio.__version__}, PyAV {av.__version__}, {imageio_ffmpeg.get_ffmpeg_version()}")
print(f"decoded one by one: {len(shown)} frames; imageio's ffmpeg reader: {len(other)}; imread with pyav: {len(read)}")
print("mean brightness of the last of each:", *(round(float(frames[-1].mean()), 1) for frames in (shown, other, read)))
assert len(shown) == len(other) == 37 and len(read) == 50
EOF
