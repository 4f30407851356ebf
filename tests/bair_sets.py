"""Small sets in BAIR's three public forms, written here from the formats' descriptions and by no code of ours."""

import io
import struct
from pathlib import Path
from typing import NamedTuple

import numpy as np
from PIL import Image

FRAMES = 5
CAMERAS = ("aux1", "main")
TRAIN_FILES = ("traj_0_to_3", "traj_4_to_7", "traj_10_to_12")  # in this order: by number, not by letter
RECORDS = {"traj_0_to_3": 4, "traj_4_to_7": 4, "traj_10_to_12": 3}


class Truth(NamedTuple):
    """A trajectory: pictures by camera `[T, 64, 64, 3]`, actions `[T, 4]`, places `[T, 3]`."""

    pictures: dict[str, np.ndarray]
    actions: np.ndarray
    states: np.ndarray


def truth(part: str, number: int, frames: int = FRAMES) -> Truth:
    """Trajectory `number` of a part; no two are alike, and smooth enough for a small PNG."""
    rng = np.random.default_rng([len(part), number])
    coarse = rng.integers(0, 256, (len(CAMERAS), frames, 8, 8, 3), dtype=np.uint8)
    pictures = dict(zip(CAMERAS, coarse.repeat(8, axis=2).repeat(8, axis=3), strict=True))
    numbers = rng.normal(size=(frames, 7)).astype(np.float32)
    return Truth(pictures, numbers[:, :4], numbers[:, 4:])


def crc32c(data: bytes) -> int:
    """CRC-32C, bit by bit, a table of bytes for speed."""
    table = []
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)
        table.append(byte)
    crc = 0xFFFFFFFF
    for value in data:
        crc = table[(crc ^ value) & 255] ^ crc >> 8
    return crc ^ 0xFFFFFFFF


def frame(payload: bytes) -> bytes:
    """A record of a TFRecord file."""

    def masked(data: bytes) -> bytes:
        crc = crc32c(data)
        return struct.pack("<I", ((crc >> 15 | crc << 17) + 0xA282EAD8) % 2**32)

    length = struct.pack("<Q", len(payload))
    return length + masked(length) + payload + masked(payload)


def field(number: int, content: bytes) -> bytes:
    """A field of bytes of a protocol buffer."""
    length, size = b"", len(content)
    while size > 127:
        length, size = length + bytes([size & 127 | 128]), size >> 7
    return bytes([number << 3 | 2]) + length + bytes([size]) + content


def example(features: dict[str, list[bytes] | np.ndarray], packed: bool = True) -> bytes:
    """A `tf.train.Example` of lists of bytes, of floats and of whole numbers below 128."""
    entries = b""
    for name, values in features.items():
        if isinstance(values, list):
            feature = field(1, b"".join(field(1, value) for value in values))
        elif values.dtype.kind == "i":
            feature = field(3, field(1, values.astype(np.uint8).tobytes()))
        elif packed:
            feature = field(2, field(1, values.astype("<f4").tobytes()))
        else:
            feature = field(2, b"".join(b"\x0d" + struct.pack("<f", value) for value in values.ravel()))
        entries += field(1, field(1, name.encode()) + field(2, feature))
    return field(1, entries)


def raw(one: Truth) -> dict[str, list[bytes] | np.ndarray]:
    """The features of a record of the public archive."""
    features: dict[str, list[bytes] | np.ndarray] = {}
    for t in range(len(one.actions)):
        for camera in CAMERAS:
            features[f"{t}/image_{camera}/encoded"] = [one.pictures[camera][t].tobytes()]
        features |= {f"{t}/action": one.actions[t], f"{t}/endeffector_pos": one.states[t]}
    return features


def png(picture: np.ndarray) -> bytes:
    content = io.BytesIO()
    Image.fromarray(picture).save(content, format="PNG")
    return content.getvalue()


def prepared(one: Truth) -> dict[str, list[bytes] | np.ndarray]:
    """The features of a record of tensorflow-datasets."""
    pictures = {f"image_{camera}": [png(picture) for picture in one.pictures[camera]] for camera in CAMERAS}
    return {**pictures, "action": one.actions.ravel(), "endeffector_pos": one.states.ravel()}


def write_records(folder: Path, frames: int = FRAMES) -> Path:
    """A set in the form of the public archive: 11 trajectories in three files, and 4 for testing in one."""
    first = 0
    for name in TRAIN_FILES:
        numbers = range(first, first + RECORDS[name])
        first = numbers.stop
        write(folder / f"softmotion30_44k/train/{name}.tfrecords", [raw(truth("train", n, frames)) for n in numbers])
    write(folder / "softmotion30_44k/test/traj_0_to_3.tfrecords", [raw(truth("test", n, frames)) for n in range(4)])
    return folder


def write_prepared(folder: Path) -> Path:
    """The same as tensorflow-datasets prepares it."""
    place = folder / "bair_robot_pushing_small/2.0.0/bair_robot_pushing_small"
    for shard, numbers in enumerate((range(6), range(6, 11))):
        write(Path(f"{place}-train.tfrecord-{shard:05d}-of-00002"), [prepared(truth("train", n)) for n in numbers])
    write(Path(f"{place}-test.tfrecord-00000-of-00001"), [prepared(truth("test", n)) for n in range(4)])
    return folder


def write_pictures(folder: Path, validate: bool = False) -> Path:
    """The same as folders of PNG and CSV, of the camera aux1; with `validate` two trajectories more, its own part."""
    first = 0
    for name in TRAIN_FILES:
        for k in range(RECORDS[name]):
            write_trajectory(folder / "train" / name / str(k), truth("train", first + k))
        first += RECORDS[name]
    for part, count in {"test": 4, "validate": 2 if validate else 0}.items():
        for k in range(count):
            write_trajectory(folder / part / "traj_0_to_3" / str(k), truth(part, k))
    return folder


def write_trajectory(folder: Path, one: Truth) -> None:
    folder.mkdir(parents=True)
    for t, picture in enumerate(one.pictures["aux1"]):
        (folder / f"{t}.png").write_bytes(png(picture))
    for name, values in (("actions", one.actions), ("endeffector_positions", one.states)):
        (folder / f"{name}.csv").write_text("".join(",".join(map(str, row)) + "\n" for row in values.tolist()))


def write(path: Path, records: list[dict[str, list[bytes] | np.ndarray]]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(b"".join(frame(example(record)) for record in records))
