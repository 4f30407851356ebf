"""Our readers beside the libraries that define the formats: equal to the last bit, and the product needs none of them.

torchvision is in every environment of ours. tensorflow-datasets and TensorFlow have one of their own: `make test-tfds`.
There its own builders prepare sets from fixtures in the public form, and what it reads is held against what we read.
"""

import json
import os
import shutil
import struct
import subprocess
import sys
import time
from pathlib import Path
from typing import NamedTuple

import bair_sets
import numpy as np
import pytest
from tools import ROOT

from whatmoves.data import mnist
from whatmoves.data.bair_files import find_set, read_trajectories
from whatmoves.data.moving_mnist_file import open_clips
from whatmoves.data.prepared import places_in, source_order
from whatmoves.errors import DataError

PYTHON = ROOT / ".venv-tfds/bin/python"
FRAMES = 30  # that its builder of BAIR asks for
TRAJECTORIES, NOISE = {"train": 10, "test": 3}, 24
CLIPS, TRAIN_DIGITS, TEST_DIGITS = 12, 300, 50
with_tfds = [
    pytest.mark.slow,
    pytest.mark.skipif("WHATMOVES_TFDS" not in os.environ, reason="not run: `make test-tfds` runs it"),
]


def idx(array: np.ndarray) -> bytes:
    return bytes((0, 0, 8, array.ndim)) + struct.pack(f">{array.ndim}I", *array.shape) + array.tobytes()


def write_digits(folder: Path) -> Path:
    """MNIST's four files with random pictures."""
    folder.mkdir(parents=True)
    rng = np.random.default_rng(0)
    for name in mnist.FILES:
        count = TRAIN_DIGITS if name.startswith("train") else TEST_DIGITS
        shape, top = ((count, 28, 28), 256) if "images" in name else ((count,), 10)
        (folder / name).write_bytes(idx(rng.integers(0, top, shape, np.uint8)))
    return folder


def write_moving(path: Path) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    np.save(path, np.random.default_rng(1).integers(0, 256, (20, CLIPS, 64, 64), np.uint8))
    return path


def photographed(part: str, number: int) -> bair_sets.Truth:
    """A trajectory whose PNG have the size of BAIR's: 8.5 kB, as the 20.8 GiB of the set prepared are 2.6 million."""
    one, rng = bair_sets.truth(part, number, FRAMES), np.random.default_rng(number)
    noise = {camera: rng.integers(0, NOISE, video.shape, np.uint8) for camera, video in one.pictures.items()}
    return one._replace(pictures={camera: video // 2 + noise[camera] for camera, video in one.pictures.items()})


def write_robot(folder: Path) -> Path:
    """BAIR's archive with few trajectories."""
    for part, count in TRAJECTORIES.items():
        path = folder / f"softmotion30_44k/{part}/traj_0_to_{count - 1}.tfrecords"
        bair_sets.write(path, [bair_sets.raw(photographed(part, number)) for number in range(count)])
    return folder


def test_torchvision_reads_mnist_as_we_do(tmp_path: Path) -> None:
    ours = mnist.load(write_digits(tmp_path / "MNIST/raw"), download=False)
    theirs = mnist._torchvision_mnist()
    for train, images, labels in (
        (True, ours.train_images, ours.train_labels),
        (False, ours.test_images, ours.test_labels),
    ):
        read = theirs(tmp_path, train=train)
        np.testing.assert_array_equal(images, read.data.numpy())
        np.testing.assert_array_equal(labels, read.targets.numpy())


def test_torchvision_reads_moving_mnist_as_we_do(tmp_path: Path) -> None:
    clips = open_clips(write_moving(tmp_path / "MovingMNIST/mnist_test_seq.npy"))
    mnist._torchvision_mnist()  # after which torchvision can be imported
    from torchvision.datasets import MovingMNIST

    theirs = MovingMNIST(tmp_path, split=None, download=False).data
    np.testing.assert_array_equal(clips.read(np.arange(CLIPS)), theirs[:, :, 0].numpy())


class Tfds(NamedTuple):
    """Fixtures, what tensorflow-datasets prepared of them, and what it reads."""

    fixtures: Path
    prepared: Path
    read: Path


@pytest.fixture(scope="module")
def tfds(tmp_path_factory: pytest.TempPathFactory) -> Tfds:
    found = Tfds(*(tmp_path_factory.mktemp(name) for name in Tfds._fields))
    write_digits(found.fixtures / "mnist")
    write_moving(found.fixtures / "mnist_test_seq.npy")
    write_robot(found.fixtures / "bair")
    command = [PYTHON, Path(__file__).with_name("tensorflow_side.py"), *found]
    environment = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3", "CUDA_VISIBLE_DEVICES": ""}
    answer = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=900, check=False)
    assert answer.returncode == 0, answer.stderr[-3000:]
    assert "tensorflow" not in sys.modules
    return found


class TestTfds:
    pytestmark = with_tfds

    def test_mnist(self, tfds: Tfds) -> None:
        """From its `data_dir`: its pictures and labels, and the very arrays of the IDX files, in their order."""
        ours = mnist.load(tfds.prepared, download=False)
        for read, source in zip(ours, mnist.load(tfds.fixtures / "mnist", download=False), strict=True):
            np.testing.assert_array_equal(read, source)
        theirs = np.load(tfds.read / "mnist.npz")
        for part, images, labels in (
            ("train", ours.train_images, ours.train_labels),
            ("test", ours.test_images, ours.test_labels),
        ):
            order = source_order(part, len(images))
            np.testing.assert_array_equal(images[order], theirs[f"{part}_images"])
            np.testing.assert_array_equal(labels[order], theirs[f"{part}_labels"])

    @pytest.mark.parametrize("part", ["mnist-train", "moving_mnist-test", "bair_robot_pushing_small-train"])
    def test_a_prepared_file_that_lacks_its_last_record(self, tfds: Tfds, tmp_path: Path, part: str) -> None:
        """Cut between two records, only the count beside it can tell: the real one is understood."""
        [path] = tfds.prepared.rglob(f"{part}.tfrecord-00000-of-00001")
        records = len(places_in(path))
        shutil.copy(path.with_name("dataset_info.json"), tmp_path)
        copied = Path(shutil.copy(path, tmp_path))
        with copied.open("r+b") as stream:
            stream.truncate(places_in(path)[-1])
        with pytest.raises(
            DataError, match=rf"holds {records - 1} records, and dataset_info\.json tells {records}; prep"
        ):
            places_in(copied)

    def test_moving_mnist(self, tfds: Tfds) -> None:
        """The clips of the file, in the file's order."""
        clips = open_clips(tfds.prepared / "moving_mnist/1.0.0").read(np.arange(CLIPS))
        source = np.load(tfds.fixtures / "mnist_test_seq.npy").swapaxes(0, 1)
        np.testing.assert_array_equal(clips, source)
        theirs = np.load(tfds.read / "moving_mnist.npz")["test"]
        np.testing.assert_array_equal(clips[source_order("test", CLIPS)], theirs)

    @pytest.mark.parametrize("camera", bair_sets.CAMERAS)
    def test_bair(self, tfds: Tfds, camera: str) -> None:
        """Pixels, actions and places of what was prepared, and of the archive it was prepared from."""
        for part in ("train", "test"):
            theirs = np.load(tfds.read / f"bair-{part}.npz")
            rows = [*zip(theirs[f"image_{camera}"], theirs["action"], theirs["endeffector_pos"], strict=True)]
            as_bytes = [tuple(value.tobytes() for value in row) for row in rows]
            for form, folder in (("prepared", tfds.prepared), ("records", tfds.fixtures / "bair")):
                files = getattr(find_set(folder, form, camera), part)  # type: ignore[arg-type]
                ours = [
                    tuple(value.tobytes() for value in (one.video.transpose(0, 2, 3, 1), one.actions, one.states))
                    for one in read_trajectories(form, files, camera, FRAMES)  # type: ignore[arg-type]
                ]
                assert len(ours) == len(rows) == TRAJECTORIES[part]
                assert (ours if form == "prepared" else sorted(ours)) == (
                    as_bytes if form == "prepared" else sorted(as_bytes)
                )

    def test_speed(self, tfds: Tfds, capsys: pytest.CaptureFixture[str]) -> None:
        """Told, and decides nothing: other work would. In seconds of the processor; the best turn counts."""
        theirs = json.loads((tfds.read / "speed.json").read_text(encoding="utf-8"))["trajectories_per_cpu_s"]
        lines = [f"BAIR, 30 frames: tensorflow-datasets iterates over {theirs:.0f} trajectories/s (both cameras)"]
        for form, folder in (("records", tfds.fixtures / "bair"), ("prepared", tfds.prepared)):
            files, speeds = find_set(folder, form).train, []  # type: ignore[arg-type]
            for _ in range(3):
                start = time.process_time()
                count = sum(1 for _ in range(10) for _ in read_trajectories(form, files, "aux1", FRAMES))  # type: ignore[arg-type]
                speeds.append(count / (time.process_time() - start))
            ours = max(speeds)
            lines.append(f"  ours, one camera, {form}: {ours:.0f} trajectories/s, {ours / theirs:.1f} times as many")
        with capsys.disabled():
            print("\n" + "\n".join(lines))
