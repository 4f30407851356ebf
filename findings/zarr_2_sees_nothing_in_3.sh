#!/bin/bash
# Guess: a folder written by Zarr 3 is read by Zarr 2, or refused.
# True: Zarr 3 writes format 3 unless told `zarr_format=2`. For Zarr 2.18 such a folder is not there: mode "r" says "nothing found",
#   but `load` gives None, and `open`, whose mode is "a", gives an empty group and leaves its own mark in the folder of another. Zarr 3
#   still reads the folder afterwards, and what Zarr 2 wrote too.
#   And the arrays of a group come in the order of the disk's directory: neither as they were made nor by name.
# Versions: zarr 3.1.6 and 2.18.7 with numcodecs 0.15.1. Source: run.
# What we do: docs/recordings.md says `zarr_format=2` for others, and to sort the names of episodes by their number.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/new"
"$work/new/bin/pip" install -q zarr==3.1.6 numpy==2.4.6
python3 -m venv "$work/old"
"$work/old/bin/pip" install -q zarr==2.18.7 numcodecs==0.15.1 numpy==2.4.6
cd "$work"
new/bin/python -W ignore - <<'EOF'
import numpy as np, zarr
group = zarr.create_group("drive.zarr")
for number in range(12):
    group.create_array(f"episode_{number}", data=np.full((5, 8, 8, 3), number, np.uint8))
zarr.create_group("plain.zarr", zarr_format=2).create_array("frames", data=np.ones((5, 8, 8, 3), np.uint8))
print(f"zarr {zarr.__version__} writes format {group.metadata.zarr_format}; the group lists", *list(group.keys())[:5], "...")
EOF
old/bin/python -W ignore - <<'EOF'
import os
import zarr
before = set(os.listdir("drive.zarr"))
try:
    refused = str(zarr.open("drive.zarr", mode="r"))
except Exception as error:
    refused = f"{type(error).__name__}: {error}"
loaded, opened = zarr.load("drive.zarr"), zarr.open("drive.zarr")
left = sorted(set(os.listdir("drive.zarr")) - before)
print(f"zarr {zarr.__version__}, mode r: {refused}; load: {loaded}; open: {opened} of {len(list(opened.keys()))} arrays, leaves {left}")
plain = zarr.open("plain.zarr", mode="r")["frames"][:].sum()
print("written with zarr_format=2:", plain, "of 960")
assert "nothing found" in refused and loaded is None and not list(opened.keys()) and left == [".zgroup"] and plain == 960
EOF
new/bin/python -W ignore - <<'EOF'
import zarr
group = zarr.open_group("drive.zarr", mode="r")
print("zarr 3 afterwards:", len(list(group.keys())), "arrays, the last holds", group["episode_11"][:].max())
assert len(list(group.keys())) == 12 and group.metadata.zarr_format == 3 and group["episode_11"][:].max() == 11
EOF
