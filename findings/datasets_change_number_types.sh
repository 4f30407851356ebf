#!/bin/bash
# Guess: of a column that holds uint8, the format "numpy" (or "torch") of Hugging Face's datasets gives uint8 arrays.
# True: it gives int64, with declared features and without: eight times the memory, and a measure that takes its range from the
#   type is off by hundreds of dB. Lists of float64 become float32; an integer column that lacks one value becomes float32 with nan, so
#   that nanoseconds since 1970 are good to 69 s. `dtype=` is one type for all columns; the file has the right ones.
# Versions: datasets 5.2.0, scikit-image 0.26.0. Source: run.
# What we do: docs/recordings.md says to cast frames back and to take the file's own column where digits matter.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q datasets==5.2.0 scikit-image==0.26.0 numpy==2.4.6
cd "$work"
HF_HUB_OFFLINE=1 HF_HOME="$work" venv/bin/python -W ignore - <<'EOF'
import datasets, numpy as np
from skimage.metrics import peak_signal_noise_ratio

rng = np.random.default_rng(0)
clips = rng.integers(0, 256, size=(2, 5, 8, 8, 3), dtype=np.uint8)
times = [1_700_000_000_096_612_220, None]
table = {"frames": list(clips), "action": [[0.1, 0.2], [0.3, 0.4]], "time_ns": times}
declared = datasets.Features(
    frames=datasets.Array4D((5, 8, 8, 3), "uint8"), action=datasets.List(datasets.Value("float64")), time_ns=datasets.Value("int64")
)
seen = []
for features in (None, declared):
    stored = datasets.Dataset.from_dict(table, features=features)
    first = stored.with_format("numpy")[0]
    both = stored.with_format("numpy")[:]["time_ns"]
    seen.append((first["frames"].dtype, first["action"].dtype, both.dtype))
    inside = stored.data.column("action").type, stored.data.column("time_ns").type
    print(f"datasets {datasets.__version__}, features {'declared' if features else 'found'}; stored {inside}; given", *seen[-1])
off_s = (float(both[0]) - times[0]) / 1e9
frames, noisy = first["frames"][0], np.clip(first["frames"][0] + rng.integers(-5, 6, size=(8, 8, 3)), 0, 255)
wrong = peak_signal_noise_ratio(frames, noisy)
right = peak_signal_noise_ratio(frames.astype(np.uint8), noisy.astype(np.uint8))
print(f"the time is off by {off_s:.1f} s; PSNR as given {wrong:.1f} dB, as uint8 {right:.1f} dB")
assert seen == [(np.int64, np.float32, np.float32)] * 2 and abs(off_s) > 1 and wrong > 300 > right
EOF
