#!/bin/bash
# Guess: with one seed the first numbers of torch.randn are the same, however many are asked for at once.
# True: below 16 they are drawn one by one, from 16 on in blocks of 16 by another rule, and a rest is drawn anew over the end
#   of the last block. So a latent of 8 drawn for one clip is not that clip's row of a batch of 64, and 20 numbers do not begin
#   a draw of 40. Multiples of 16 continue one another. torch.rand and NumPy's generators keep their order at any count.
# Versions: torch 2.13.0 on a CPU. Source: run.
# What we do: a model's draws are made for a whole batch of the size that the settings name, from one seed.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q torch==2.13.0 numpy==2.4.6
cd "$work"
OMP_NUM_THREADS=1 venv/bin/python - <<'EOF'
import numpy as np, torch

def drawn(function, *batches):
    torch.manual_seed(0)
    return torch.cat([function(*batch) for batch in batches])

whole = drawn(torch.randn, (64, 8))
same = {}
for rows in (1, 2, 3, 4, 32):
    parts = drawn(torch.randn, *[(rows, 8)] * (64 // rows))
    same[rows] = torch.equal(parts, whole[: len(parts)])
    print(f"torch {torch.__version__}, latents of 8 for 64 clips at once and {rows} at a time: equal: {same[rows]}")
uniform = torch.equal(drawn(torch.rand, *[(1, 8)] * 64), drawn(torch.rand, (64, 8)))
one, all_ = np.random.default_rng(0), np.random.default_rng(0)
numpy = np.array_equal(np.stack([one.normal(size=8) for _ in range(64)]), all_.normal(size=(64, 8)))
print("torch.rand one at a time: equal:", uniform, " NumPy's normal one at a time: equal:", numpy)
assert same == {1: False, 2: True, 3: False, 4: True, 32: True} and uniform and numpy
EOF
