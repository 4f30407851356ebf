#!/bin/bash
# Guess: compressed clips in HDF5 or Zarr are stored clip by clip, so that drawing one at random reads that one.
# True: both choose chunks by a rule that halves all axes in turn. A chunk has pieces of pictures of many clips, and one
#   clip is unpacked from dozens of them: up to hundreds of clips' worth for one. Saying `chunks=(1, ...)` mends it.
#   And h5py takes a batch of indices in rising order only, without repeats: a shuffled batch is a TypeError.
# Versions: h5py 3.16.0, zarr 3.1.6. Source: run.
# What we do: our clips are .npz, read once. If you pack video for others, name the chunks.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q h5py==3.16.0 zarr==3.1.6 numpy==2.4.6
cd "$work"
venv/bin/python - <<'EOF'
import math
import h5py, numpy as np, zarr

def cost(chunks, shape):
    pieces = math.prod(math.ceil(size / chunk) for size, chunk in zip(shape[1:], chunks[1:]))
    return pieces, pieces * math.prod(chunks) / math.prod(shape[1:])

seen = {}
with h5py.File("clips.h5", "w") as file:
    for clips in (200, 10_000):
        shape = (clips, 20, 64, 64, 1)
        by_h5py = file.create_dataset(f"c{clips}", shape=shape, dtype="u1", compression="gzip").chunks
        by_zarr = zarr.create_array(f"c{clips}.zarr", shape=shape, dtype="uint8").chunks
        for library, chunks in (("h5py", by_h5py), ("zarr", by_zarr)):
            seen[library, clips] = pieces, worth = cost(chunks, shape)
            print(f"{library}, {shape}: chunks {chunks}; one clip is {pieces} chunks, {worth:.0f} clips are unpacked")
    video = file.create_dataset("video", data=np.arange(10, dtype="u1"))
    try:
        video[[7, 2, 5]]
        order = "taken"
    except TypeError as error:
        order = f"TypeError: {error}"
print("h5py, clips [7, 2, 5]:", order)
assert all(pieces > 1 and worth > 20 for pieces, worth in seen.values()) and order.startswith("TypeError")
EOF
