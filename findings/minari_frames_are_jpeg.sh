#!/bin/bash
# Guess: uint8 frames stored as a Minari set come back as they were, and what does not fit the spaces is refused.
# True: pictures of 32 px and more, in a space of 0 to 255, are JPEG of Pillow's usual quality, in HDF5 and in Arrow: some 30 dB
#   on a small world, and its small things fade. 31 px, or channels first, stay exact. `jpeg_encoding=False` keeps all.
#   Nothing is held against the spaces or against each other: numbers outside the box, float64 in a float32 box, T or
#   T - 2 actions beside T frames are stored and come back.
# Versions: minari 0.5.4. Source: the docstring of create_dataset_from_buffers names jpeg_encoding; sizes and checks: run.
# What we do: docs/recordings.md says `jpeg_encoding=False` and counts actions; our own clips are exact.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q "minari[hdf5,create]==0.5.4" gymnasium==1.4.0 numpy==2.4.6 pillow==12.3.0
cd "$work"
MINARI_DATASETS_PATH="$work/sets" venv/bin/python -W ignore - <<'EOF'
import gymnasium, minari, numpy as np
from minari.data_collector import EpisodeBuffer

def back(name, frames, actions, bound=np.inf, **options):
    steps = len(actions)
    ended = {"terminations": np.zeros(steps, bool), "truncations": np.arange(steps) == steps - 1}
    episode = EpisodeBuffer(observations=frames, actions=actions, rewards=np.zeros(steps), **ended)
    spaces = {
        "observation_space": gymnasium.spaces.Box(0, 255, frames.shape[1:], np.uint8),
        "action_space": gymnasium.spaces.Box(-bound, bound, (2,), np.float32),
    }
    return minari.create_dataset_from_buffers(f"clips/{name}-v0", [episode], **spaces, **options)[0]

def decibel(one, other):
    error = np.square(one.astype(float) - other).mean()
    return np.inf if error == 0 else 10 * np.log10(255**2 / error)

world = np.clip(np.array([150, 120, 90]) + np.random.default_rng(0).integers(-6, 7, size=(20, 64, 64, 1)), 0, 255)
world = world.astype(np.uint8)  # a table with a grain
world[:, 40:42, 30:32] = 40, 60, 220
told = np.zeros((19, 2), np.float32)
first = world.transpose(0, 3, 1, 2)
seen = {
    "64 px": decibel(world, back("large", world, told).observations),
    "31 px": decibel(world[:, :31, :31], back("small", world[:, :31, :31], told).observations),
    "64 px, channels first": decibel(first, back("first", first, told).observations),
    "64 px, jpeg_encoding=False": decibel(world, back("exact", world, told, jpeg_encoding=False).observations),
}
for name, quality in seen.items():
    print(f"minari {minari.__version__}, {name}: {quality:.1f} dB")
blue = np.asarray(back("blue", world, told).observations)[5, 40, 30]
odd = back("odd", world, np.full((17, 2), 7.0), bound=1.0).actions
print(f"a pixel of 40 60 220: {blue}; in a box of 1, float32: {odd.shape[0]} actions for 20 frames, {odd.dtype}, {odd.max()}")
assert seen["64 px"] < 40 and [quality for quality in seen.values()][1:] == [np.inf] * 3
assert odd.shape == (17, 2) and odd.dtype == np.float64 and odd.max() == 7
EOF
