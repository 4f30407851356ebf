"""Run by the Python that has tensorflow-datasets: its own builders prepare small sets, its own reader gives them back.

    python tensorflow_side.py FIXTURES DATA_DIR OUT

FIXTURES has `mnist/` (four IDX files), `mnist_test_seq.npy` and `bair/softmotion30_44k`, as the public files are, only
shorter. Nothing is fetched: what a builder asks its download manager for is the fixture of that name. Writes, in
OUT/NAME.npz, what tensorflow-datasets gives, in its order, and in OUT/speed.json how many trajectories of BAIR it gives
in a second of processor time, on one thread.
"""

import json
import sys
import time
from pathlib import Path
from typing import Any
from unittest import mock

import numpy as np
import tensorflow_datasets as tfds
from tensorflow_datasets.image_classification import mnist

REPEATS, TURNS = 10, 3


def prepared(name: str, data_dir: Path, given: Any) -> Any:
    """The builder of a set that it has prepared from `given`."""
    builder = tfds.builder(name, data_dir=data_dir)
    with mock.patch.multiple(
        tfds.download.DownloadManager,
        download=lambda self, url: given,
        download_and_extract=lambda self, url: given,
    ):
        builder.download_and_prepare(file_format="tfrecord")
    return builder


def read(builder: Any, part: str) -> list[Any]:
    """All of a part, in the order of its records."""
    return list(tfds.as_numpy(builder.as_dataset(split=part, shuffle_files=False)))


def main(fixtures: Path, data_dir: Path, out: Path) -> None:
    """Prepare, read, and write what was read."""
    names = [f"{part}-{kind}-ubyte" for part in ("train", "t10k") for kind in ("images-idx3", "labels-idx1")]
    files = [fixtures / "mnist" / name for name in names]
    given = dict(zip(("train_data", "train_labels", "test_data", "test_labels"), map(str, files), strict=True))
    train, test = (files[place].stat().st_size - 8 for place in (1, 3))  # a byte a label, after a header of 8
    with mock.patch.multiple(mnist, _TRAIN_EXAMPLES=train, _TEST_EXAMPLES=test):
        builder = prepared("mnist", data_dir, given)
    parts = {part: read(builder, part) for part in ("train", "test")}
    np.savez(
        out / "mnist.npz",
        **{f"{part}_images": np.stack([one["image"] for one in rows])[..., 0] for part, rows in parts.items()},
        **{f"{part}_labels": np.array([one["label"] for one in rows]) for part, rows in parts.items()},
    )
    builder = prepared("moving_mnist", data_dir, str(fixtures / "mnist_test_seq.npy"))
    np.savez(out / "moving_mnist.npz", test=np.stack([one["image_sequence"] for one in read(builder, "test")])[..., 0])
    builder = prepared("bair_robot_pushing_small", data_dir, str(fixtures / "bair"))
    for part in ("train", "test"):
        rows = read(builder, part)
        np.savez(out / f"bair-{part}.npz", **{key: np.stack([one[key] for one in rows]) for key in rows[0]})
    plain = tfds.ReadConfig(try_autocache=False)  # a small set would come from memory, decoded, all times but the first
    plain.options.threading.private_threadpool_size = 1
    plain.options.threading.max_intra_op_parallelism = 1
    repeated = builder.as_dataset(split="train", shuffle_files=False, read_config=plain).repeat(REPEATS)
    speeds = []
    for _ in range(TURNS):
        start = time.process_time()  # of all its threads; other work on the machine does not count
        count = sum(1 for _ in tfds.as_numpy(repeated))
        speeds.append(count / (time.process_time() - start))
    (out / "speed.json").write_text(json.dumps({"trajectories_per_cpu_s": max(speeds)}))


if __name__ == "__main__":
    main(*(Path(argument) for argument in sys.argv[1:]))
