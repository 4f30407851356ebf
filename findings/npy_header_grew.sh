#!/bin/bash
# Guess: mnist_test_seq.npy, loaded and saved again, is the published file, so that its size and MD5 prove it.
# True: old NumPy padded a header to 16 bytes, today's pads it to 64: 128 bytes, not 96. The pictures are the same, the
#   file is 32 bytes longer than the 819,200,096 that TFDS expects of a download, and no checksum fits.
# Versions: NumPy 2.4.6 (64 since 1.14). Source: documented in numpy.lib.format; the published size: TFDS's checksums.
# What we do: what was loaded is checked by shape, type and content, never by the file's size.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q numpy==2.4.6
cd "$work"
venv/bin/python - <<'EOF'
import io, math
import numpy as np

shape = (20, 10_000, 64, 64)
header = io.BytesIO()
np.lib.format.write_array_header_1_0(header, {"descr": "|u1", "fortran_order": False, "shape": shape})
size = len(header.getvalue()) + math.prod(shape)
print(f"NumPy {np.__version__}: header {len(header.getvalue())} bytes, the file {size:,}, published 819,200,096")
assert size == 819_200_096 + 32
EOF
