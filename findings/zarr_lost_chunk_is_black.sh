#!/bin/bash
# Guess: a Zarr folder of clips that lost a file on the way here cannot be read.
# True: by the format a chunk that is not there is full of the fill value, 0: black frames, no word. A chunk that is all 0
#   is not even written, so a black clip and a lost one look the same on the disk.
# Versions: zarr 3.1.6 (Python 3.11), without a setting against it. Source: zarr-developers/zarr-python#486; #3748 adds an
#   option to later releases that raises, and keeps the black as default.
# What we do: clips are one .npz a split, with checksums by ZIP and a receipt. From Zarr: count the chunk files first.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q zarr==3.1.6 numpy==2.4.6
cd "$work"
venv/bin/python - <<'EOF'
from pathlib import Path
import numpy as np, zarr
video = np.random.default_rng(0).integers(1, 256, size=(8, 20, 64, 64, 1), dtype=np.uint8)
video[3] = 0
store = zarr.create_array("clips.zarr", shape=video.shape, chunks=(1, 20, 64, 64, 1), dtype="uint8")
store[:] = video
files = sorted(path for path in Path("clips.zarr/c").rglob("*") if path.is_file())
print(f"zarr {zarr.__version__}: 8 clips, one of them black, one chunk a clip: {len(files)} chunk files")
files[0].unlink()
read = zarr.open_array("clips.zarr", mode="r")[:]
black = [clip for clip in range(8) if not read[clip].any()]
print(f"after one file is lost, read without an error; black clips: {black}")
assert len(files) == 7 and black == [0, 3]
EOF
