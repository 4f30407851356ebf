#!/bin/bash
# Guess: NPY_DISABLE_CPU_FEATURES="AVX2 FMA3 AVX512F …", set for equal bits everywhere, holds when NumPy is renewed, or is refused.
# True: NumPy 2.4 disables groups (X86_V3, X86_V4), and takes the names of 2.3, as any misspelt one, without a word: it
#   computes with all that the processor has again, and tanh has other last bits than the day before.
# Versions: NumPy 2.3.5 and 2.4.6, on x86-64 with AVX2. Source: the groups are in NumPy's release notes; the silence: run.
# What we do: the level is set in the names of the pinned NumPy, and a test asks NumPy what it has left.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
cat > "$work/told.py" <<'END'
import hashlib, os
import numpy as np

left = np.show_config(mode="dicts")["SIMD Extensions"].get("found", [])
bits = hashlib.sha256(np.tanh(np.linspace(-3, 3, 20001)).tobytes()).hexdigest()[:8]
asked = os.environ.get("NPY_DISABLE_CPU_FEATURES", "") and "old names"
print(f"NumPy {np.__version__}: asked to leave out: {asked or 'nothing'}; AVX2 is used: {'AVX2' in left or 'X86_V3' in left}; tanh {bits}")
END
old="AVX2 FMA3 AVX512F AVX512CD AVX512_SKX AVX512_CLX AVX512_CNL AVX512_ICL AVX512_SPR"
for version in 2.3.5 2.4.6; do
  python3 -m venv "$work/$version"
  "$work/$version/bin/pip" install -q numpy==$version
  "$work/$version/bin/python" "$work/told.py" | tee -a "$work/plain"
  NPY_DISABLE_CPU_FEATURES="$old" "$work/$version/bin/python" "$work/told.py" 2>&1 | tee -a "$work/asked"
done
last() { sed -n "$2s/.* //p" "$work/$1"; }
[ "$(last plain 1)" = "$(last plain 2)" ]   # the two releases agree
[ "$(last asked 1)" != "$(last plain 1)" ]  # 2.3 did as it was told
[ "$(last asked 2)" = "$(last plain 2)" ]   # 2.4 did not
[ "$(wc -l < "$work/asked")" = 2 ]          # and said nothing
