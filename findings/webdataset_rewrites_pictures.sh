#!/bin/bash
# Guess: a frame written as `.png` comes back as the same array, and a seeded shuffle is another one in each epoch.
# True: a grey frame [H, W] is stored in three colours; floats of 0 to 1 are cut down, not rounded (.5 is 127, .999 is 254);
#   of a PNG of 16 bits all above 255 comes back white, as bytes and as floats, without a word. `.npy` keeps everything.
#   `shuffle(n, seed=s)` draws one order and repeats it in every epoch; without a seed no run is like another.
# Versions: webdataset 1.0.2, pillow 12.3.0. Source: run.
# What we do: docs/recordings.md says `.npy` or 8-bit colour; our reader refuses pictures of more than 8 bits.
set -eu
work=$(mktemp -d); trap 'rm -rf "$work"' EXIT
python3 -m venv "$work/venv"
"$work/venv/bin/pip" install -q webdataset==1.0.2 pillow==12.3.0 numpy==2.4.6
cd "$work"
venv/bin/python -W ignore - <<'EOF'
import io
import numpy as np, webdataset
from PIL import Image

def back(how, **sample):
    with webdataset.TarWriter("frames.tar") as tar:
        tar.write({"__key__": "000", **sample})
    read = next(iter(webdataset.WebDataset("frames.tar", shardshuffle=False, empty_check=False).decode(how)))
    return np.asarray(read[next(iter(sample))])

grey = np.arange(64, dtype=np.uint8).reshape(8, 8)
floats = np.repeat(np.array([0, 0.5, 0.999, 1])[None, :, None], 3, axis=2)
deep, packed = (np.arange(16, dtype=np.uint16) * 4096).reshape(4, 4), io.BytesIO()
Image.fromarray(deep).save(packed, "PNG")
cut = back("rgb8", png=floats)[0, :, 0]
white = back("rgb8", png=packed.getvalue())[..., 0], back("l", png=packed.getvalue())
print("webdataset 1.0.2, grey", grey.shape, "as .png comes back", back("pil", png=grey).shape, "as .npy", back("pil", npy=grey).shape)
print("floats 0, .5, .999, 1 as .png:", cut)
print("16 bits, 0 to 61440 in steps of 4096, bytes:", np.unique(white[0]), "floats:", np.unique(white[1]))
with webdataset.TarWriter("many.tar") as tar:
    for number in range(20):
        tar.write({"__key__": f"{number:03d}", "cls": number})
seeded = webdataset.WebDataset("many.tar", shardshuffle=False, empty_check=False).shuffle(10, seed=3).decode()
epochs = [[sample["cls"] for sample in seeded] for _ in range(3)]
print("shuffle(10, seed=3), two epochs:", *(epoch[:6] for epoch in epochs[:2]))
assert back("pil", png=grey).shape == (8, 8, 3) and np.array_equal(back("pil", npy=grey), grey)
assert cut.tolist() == [0, 127, 254, 255]
assert all(np.unique(values).size == 2 for values in white) and epochs[0] == epochs[1] == epochs[2]
EOF
