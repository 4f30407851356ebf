#!/bin/bash
# Guess: a small world stored as LeRobot video is the same pictures to the eye, and `-crf 0` keeps them exactly.
# True: by default it is AV1 of quality 30 with a colour for every 2 x 2 pixels. At 64 px a digit in white keeps 50 dB, but a
#   blue agent of 2 px on a table with a grain is gone: 40 60 220 became 129 109 79, and the clip itself ends at 34 dB.
#   H.264 with crf 0 still halves the colours; libx264rgb keeps all. Times are float32 (good to 0.1 ms up to half an
#   hour), so a clock must begin at 0.
# Versions: the defaults of lerobot 0.4.4 (the last for Python 3.11), as read from its source, with the encoders of PyAV
#   15.1.0, which it asks for.
# What we do: recordings are PNG or what you have; docs/recordings.md says to look at one small thing before a long run.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q av==15.1.0 numpy==2.4.6
"$work/venv/bin/pip" install -q --no-deps --target "$work/source" lerobot==0.4.4
cd "$work"
SVT_LOG=0 venv/bin/python - <<'EOF'
import ast
from pathlib import Path
import av, numpy as np

source = next(Path("source").rglob("video_utils.py")).read_text()
function = next(n for n in ast.walk(ast.parse(source)) if isinstance(n, ast.FunctionDef) and n.name == "encode_video_frames")
names = [argument.arg for argument in function.args.args][-len(function.args.defaults) :]
default = {name: node.value for name, node in zip(names, function.args.defaults) if isinstance(node, ast.Constant)}
print("lerobot 0.4.4:", {name: default[name] for name in ("vcodec", "pix_fmt", "g", "crf")})

def stored(clip, codec, pixels, **options):
    with av.open("clip.mp4", "w") as film:
        stream = film.add_stream(codec, rate=10, options={key: str(value) for key, value in options.items()})
        stream.height, stream.width, stream.pix_fmt = *clip.shape[1:3], pixels
        for frame in clip:
            film.mux(stream.encode(av.VideoFrame.from_ndarray(frame, format="rgb24")))
        film.mux(stream.encode())
    with av.open("clip.mp4") as film:
        return np.stack([frame.to_ndarray(format="rgb24") for frame in film.decode(video=0)])

clip = np.clip(np.array([150, 120, 90]) + np.random.default_rng(0).integers(-6, 7, size=(1, 64, 64, 1)), 0, 255)
clip = np.repeat(clip, 20, axis=0).astype(np.uint8)  # a table with a grain
for time in range(20):
    clip[time, 10 + time : 14 + time, 8 + 2 * time : 12 + 2 * time] = 220, 40, 40
    clip[time, 40:42, 60 - 2 * time : 62 - 2 * time] = 40, 60, 220
seen = {}
for name, (codec, pixels, options) in {
    "lerobot's defaults": (default["vcodec"], default["pix_fmt"], {"g": default["g"], "crf": default["crf"]}),
    "libx264, crf 0": ("libx264", "yuv420p", {"crf": 0}),
    "libx264rgb, crf 0": ("libx264rgb", "rgb24", {"crf": 0}),
}.items():
    read = stored(clip, codec, pixels, **options)
    error = float(np.square(read.astype(float) - clip).mean())
    seen[name] = np.inf if error == 0 else 10 * np.log10(255**2 / error)
    print(f"{name}: {seen[name]:.1f} dB; the blue agent {clip[5, 40, 50]} became {read[5, 40, 50]}")
assert seen["lerobot's defaults"] < 36 and seen["libx264, crf 0"] < 45 and np.isinf(seen["libx264rgb, crf 0"])
EOF
