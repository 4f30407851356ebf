"""How fast BAIR is read and converted, in each of its forms, on synthetic trajectories; one core.

Beside each reader stands what bounds it in the same run: reading the same bytes from the same disk and doing nothing
with them, or Pillow decoding the same pictures. Conversion is the whole of `make`: reading, checking, splitting,
writing. The contestants take turns, and the best turn counts. Exit code 1 where TFRecords convert below 200 MB/s, below
half the speed of the disk if that is less, or where memory passes 1 GB.

    python benchmarks/bair.py [FOLDER]      # where to write 0.6 GB; default: a temporary folder
"""

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")  # before NumPy is imported: one core against one core

import io
import logging
import resource
import shutil
import struct
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
from PIL import Image

from whatmoves.data import bair
from whatmoves.data.bair_files import Form, find_set, read_trajectories, sources_of
from whatmoves.data.tfrecords import masked_crc, read_records

CLIPS, TEST_CLIPS, FRAMES, TURNS = 256, 16, 30, 2
REQUIRED_MB_S, MOST_MEMORY_MB = 200, 1000


def trajectory(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Pictures `[camera, T, 64, 64, 3]` that a PNG makes half as large, as photographs, and numbers `[T, 7]`."""
    coarse = rng.integers(0, 200, (2, FRAMES, 16, 16, 3), dtype=np.uint8).repeat(4, axis=2).repeat(4, axis=3)
    noise = rng.integers(0, 16, coarse.shape, dtype=np.uint8)
    return coarse + noise, rng.normal(size=(FRAMES, 7)).astype("<f4")


def field(number: int, content: bytes) -> bytes:
    """A field of bytes of a protocol buffer."""
    length, size = b"", len(content)
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content


def record(features: dict[str, tuple[int, bytes]]) -> bytes:
    """A record of a TFRecord file: a `tf.train.Example` of features of kind 1 (bytes) or 2 (floats)."""
    entries = (field(1, name.encode()) + field(2, field(kind, values)) for name, (kind, values) in features.items())
    payload = field(1, b"".join(field(1, entry) for entry in entries))
    length = struct.pack("<Q", len(payload))
    return length + struct.pack("<I", masked_crc(length)) + payload + struct.pack("<I", masked_crc(payload))


def png(picture: np.ndarray) -> bytes:
    """The picture `[64, 64, 3]` as a PNG."""
    content = io.BytesIO()
    Image.fromarray(picture).save(content, format="PNG", compress_level=1)
    return content.getvalue()


def write_set(folder: Path, part: str, clips: int) -> None:
    """One part of all three forms."""
    rng = np.random.default_rng(clips)
    prepared = folder / "prepared" / f"bair_robot_pushing_small-{part}.tfrecord-00000-of-00001"
    raw = folder / "records" / part / f"traj_0_to_{clips - 1}.tfrecords"
    for path in (prepared, raw):
        path.parent.mkdir(parents=True, exist_ok=True)
    with prepared.open("wb") as of_prepared, raw.open("wb") as of_raw:
        for number in range(clips):
            pictures, numbers = trajectory(rng)
            features: dict[str, tuple[int, bytes]] = {}
            for t in range(FRAMES):
                for camera, name in enumerate(("image_aux1", "image_main")):
                    features[f"{t}/{name}/encoded"] = (1, field(1, pictures[camera, t].tobytes()))
                features[f"{t}/action"] = (2, field(1, numbers[t, :4].tobytes()))
                features[f"{t}/endeffector_pos"] = (2, field(1, numbers[t, 4:].tobytes()))
            of_raw.write(record(features))
            encoded = [[png(picture) for picture in camera] for camera in pictures]
            of_prepared.write(
                record(
                    {
                        "image_aux1": (1, b"".join(field(1, one) for one in encoded[0])),
                        "image_main": (1, b"".join(field(1, one) for one in encoded[1])),
                        "action": (2, field(1, numbers[:, :4].tobytes())),
                        "endeffector_pos": (2, field(1, numbers[:, 4:].tobytes())),
                    }
                )
            )
            place = folder / "pictures" / part / f"traj_0_to_{clips - 1}" / str(number)
            place.mkdir(parents=True)
            for t, content in enumerate(encoded[0]):
                (place / f"{t}.png").write_bytes(content)
            np.savetxt(place / "actions.csv", numbers[:, :4], delimiter=",")
            np.savetxt(place / "endeffector_positions.csv", numbers[:, 4:], delimiter=",")


def read_bytes(paths: list[Path]) -> int:
    """Read files and do nothing with them."""
    buffer = bytearray(2**20)
    total = 0
    for path in paths:
        with path.open("rb", buffering=0) as stream:
            while count := stream.readinto(buffer):
                total += count
    return total


def copy(source: list[Path], target: Path, most: int) -> None:
    """What a conversion cannot do without: read all the bytes, write those of one camera."""
    read_bytes(source)
    block = bytes(2**20)
    with target.open("wb") as stream:
        for _ in range(most // 2**20):
            stream.write(block)


def decode(paths: list[Path]) -> None:
    """Pillow, and nothing else."""
    for path in paths:
        with Image.open(path) as image:
            np.asarray(image)


def main(folder: Path) -> int:
    """Print the table; 1 where a bound is missed."""
    for part, clips in (("train", CLIPS), ("test", TEST_CLIPS)):
        write_set(folder, part, clips)
    logging.disable()
    forms: tuple[Form, ...] = ("records", "prepared", "pictures")
    train = {form: find_set(folder / form).train for form in forms}
    pictures = sorted(train["pictures"][0].rglob("*.png"))
    out = folder / "out"
    out.mkdir()

    def read(form: Form) -> None:
        for _ in read_trajectories(form, sources_of(form, train[form]), "aux1", FRAMES):
            pass

    def convert(form: Form) -> None:
        options = {"folder": folder / form, "validation_clips": 16, "test_clips": TEST_CLIPS}
        bair.make(bair.Config(**options), out)

    def check(paths: list[Path]) -> None:
        for path in paths:
            for _ in read_records(path):
                pass

    kept = CLIPS * FRAMES * 64 * 64 * 3
    contestants: dict[str, tuple[Callable[[], object], int]] = {
        "records: bytes alone": (lambda: read_bytes(train["records"]), CLIPS),
        "records: read, one camera written": (lambda: copy(train["records"], out / "copy", kept), CLIPS),
        "records: framing and CRC": (lambda: check(train["records"]), CLIPS),
        "records: read": (lambda: read("records"), CLIPS),
        "records: converted": (lambda: convert("records"), CLIPS + TEST_CLIPS),
        "prepared: read": (lambda: read("prepared"), CLIPS),
        "prepared: converted": (lambda: convert("prepared"), CLIPS + TEST_CLIPS),
        "pictures: Pillow alone": (lambda: decode(pictures), CLIPS),
        "pictures: read": (lambda: read("pictures"), CLIPS),
        "pictures: converted": (lambda: convert("pictures"), CLIPS + TEST_CLIPS),
    }
    best_s = dict.fromkeys(contestants, np.inf)
    for _ in range(TURNS):
        for name, (turn, _) in contestants.items():
            start = time.process_time()
            turn()
            best_s[name] = min(best_s[name], time.process_time() - start)
    sizes = {form: sum(path.stat().st_size for path in train[form] if path.is_file()) / CLIPS for form in forms}
    sizes["pictures"] = sum(path.stat().st_size for path in pictures) / CLIPS
    print(f"{CLIPS} trajectories of {FRAMES} frames, 64×64, two cameras (pictures: one); one core")
    print(f"{'':<36}{'clips/s':>9}{'MB/s of the form':>18}")
    speed = {}
    for name, (_, clips) in contestants.items():
        form = name.partition(":")[0]
        speed[name] = clips / best_s[name] * sizes[form] / 1e6
        print(f"{name:<36}{clips / best_s[name]:>9,.0f}{speed[name]:>18,.0f}")
    memory_mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"peak memory of this process: {memory_mb:,.0f} MB, PyTorch and the synthetic sets included")
    if speed["records: converted"] < REQUIRED_MB_S or memory_mb > MOST_MEMORY_MB:
        print(f"required: {REQUIRED_MB_S} MB/s converted, at most {MOST_MEMORY_MB} MB", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    place = Path(tempfile.mkdtemp(prefix="bair-", dir=sys.argv[1] if len(sys.argv) > 1 else None))
    try:
        sys.exit(main(place))
    finally:
        shutil.rmtree(place)
