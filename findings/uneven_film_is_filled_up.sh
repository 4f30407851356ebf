#!/bin/bash
# Guess: reading a film gives its pictures, each once, also where they are not evenly spaced in time.
# True: imageio's default reader asks ffmpeg for a steady rate. A film of 20 pictures, ten close together and ten far apart, as
#   telephones and screen recorders make them, comes back as 270 frames: copies fill the gaps, so a thing at rest is what
#   the film shows most. ffmpeg itself with -fps_mode passthrough, PyAV and OpenCV give the 20.
# Versions: imageio 2.38.1, imageio-ffmpeg 0.8.1, PyAV 18.1.0, OpenCV 5.0.0.93. Source: run.
# What we do: video_folder calls ffmpeg directly, with passthrough, and says which films are uneven.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q imageio==2.38.1 av==18.1.0 imageio-ffmpeg==0.8.1 opencv-python-headless==5.0.0.93 numpy==2.4.6
cd "$work"
venv/bin/python - <<'EOF'
import subprocess
import av, cv2, imageio.v3 as iio, imageio_ffmpeg, numpy as np

program = [imageio_ffmpeg.get_ffmpeg_exe(), "-loglevel", "error"]
film = np.stack([np.full((64, 64, 3), 20 + 10 * frame, np.uint8) for frame in range(20)])
times = "settb=1/1000,setpts='if(lt(N,10),N*0.04,0.4+(N-10)*0.5)/TB'"
make = [*program, "-f", "rawvideo", "-pix_fmt", "rgb24", "-s", "64x64", "-r", "10", "-i", "-", "-vf", times]
make += ["-fps_mode", "passthrough", "-enc_time_base", "1:1000", "-c:v", "libx264", "-pix_fmt", "yuv420p", "uneven.mp4"]
subprocess.run(make, input=film.tobytes(), check=True)

through = [*program, "-i", "uneven.mp4", "-fps_mode", "passthrough", "-f", "rawvideo", "-pix_fmt", "rgb24", "-"]
direct = np.frombuffer(subprocess.run(through, capture_output=True, check=True).stdout, np.uint8).reshape(-1, 64, 64, 3)
with av.open("uneven.mp4") as opened:
    of_av = np.stack([frame.to_ndarray(format="rgb24") for frame in opened.decode(video=0)])
opened, of_cv = cv2.VideoCapture("uneven.mp4"), []
while (read := opened.read())[0]:
    of_cv.append(read[1])
found = {
    "imageio's default": iio.imread("uneven.mp4"), "ffmpeg, passthrough": direct,
    "PyAV": of_av, "OpenCV": np.stack(of_cv),
}
for reader, frames in found.items():
    print(f"{reader}: {len(frames)} frames")
counts = [len(frames) for frames in found.values()]
assert counts == [270, 20, 20, 20]
EOF
