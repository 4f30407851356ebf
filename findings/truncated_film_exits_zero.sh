#!/bin/bash
# Guess: a film that was cut off on its way here cannot be read, or ffmpeg's exit code says so.
# True: of a WebM that lacks its end ffmpeg gives the pictures that are left, says one line and exits with 0, even with
#   -xerror ("exit on error"). PyAV and OpenCV give them too, without a word: a shorter clip.
# Versions: ffmpeg n9.0.2 of imageio-ffmpeg 0.8.1, PyAV 18.1.0, OpenCV 5.0.0.93. Source: run.
# What we do: video_folder takes any line that ffmpeg says at -loglevel error as damage, and names the film.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q av==18.1.0 imageio-ffmpeg==0.8.1 opencv-python-headless==5.0.0.93 numpy==2.4.6
cd "$work"
venv/bin/python - <<'EOF'
import pathlib, subprocess
import av, cv2, imageio_ffmpeg, numpy as np

program = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error", "-xerror"]
film = np.random.default_rng(0).integers(0, 256, (30, 64, 64, 3), np.uint8)
make = [*program, "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "64x64", "-r", "10", "-i", "-", "-c:v", "libvpx-vp9", "whole.webm"]
subprocess.run(make, input=film.tobytes(), check=True)
whole = pathlib.Path("whole.webm").read_bytes()
pathlib.Path("short.webm").write_bytes(whole[: len(whole) * 2 // 3])

read = [*program, "-i", "short.webm", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
answer = subprocess.run(read, capture_output=True)
frames = len(answer.stdout) // film[0].nbytes
with av.open("short.webm") as opened:
    of_av = sum(1 for _ in opened.decode(video=0))
opened, of_cv = cv2.VideoCapture("short.webm"), 0
while opened.read()[0]:
    of_cv += 1
print(f"of 30 frames: ffmpeg {frames}, PyAV {of_av}, OpenCV {of_cv}")
print(f"ffmpeg's exit code: {answer.returncode}; it said: {answer.stderr.decode().strip()}")
assert 0 < frames < 30 and 0 < of_av < 30 and 0 < of_cv < 30
assert answer.returncode == 0 and b"ended prematurely" in answer.stderr
EOF
