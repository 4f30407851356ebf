#!/bin/bash
# Guess: a film that a telephone held upright comes out upright.
# True: the turn is a note in the header. ffmpeg, imageio's ffmpeg reader and OpenCV obey it; PyAV, and so imageio's pyav
#   plugin, decode the picture as it lies and leave the note to you (`frame.rotation`).
# Versions: PyAV 18.1.0, imageio 2.38.1, OpenCV 5.0.0.93. Source: run.
# What we do: docs/recordings.md takes a film apart with ffmpeg, which turns it.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q imageio==2.38.1 av==18.1.0 imageio-ffmpeg==0.8.1 opencv-python-headless==5.0.0.93 numpy==2.4.6
cd "$work"
venv/bin/python - <<'EOF' 2> /dev/null
import subprocess
import av, cv2, imageio.v3 as iio, imageio_ffmpeg, numpy as np

iio.imwrite("lying.mp4", np.zeros((5, 64, 128, 3), np.uint8), plugin="FFMPEG", fps=8)
turn = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-display_rotation", "90", "-i", "lying.mp4"]
subprocess.run([*turn, "-c", "copy", "upright.mp4"], check=True)
with av.open("upright.mp4") as film:
    frame = next(film.decode(video=0))
sizes = {
    "imageio, ffmpeg": iio.imread("upright.mp4", plugin="FFMPEG").shape[1:3],
    "OpenCV": cv2.VideoCapture("upright.mp4").read()[1].shape[:2],
    "imageio, pyav": iio.imread("upright.mp4", plugin="pyav").shape[1:3],
    "PyAV": (frame.height, frame.width),
}
for reader, (height, width) in sizes.items():
    print(f"{reader}: {height} high, {width} wide")
print("PyAV's note:", frame.rotation, "degrees")
assert list(sizes.values()) == [(128, 64), (128, 64), (64, 128), (64, 128)] and frame.rotation == 90
EOF
