"""TFRecords: the checksum is CRC-32C of all bytes, a torn or damaged record is named, an Example is read as it is."""

import struct
from pathlib import Path

import numpy as np
import pytest
from bair_sets import example, field, frame

from whatmoves.data.tfrecords import count_records, masked_crc, read_features, read_records, read_whole_numbers
from whatmoves.errors import DataError


def test_masked_crc_by_hand() -> None:
    # 0xe3069283: its upper 17 bits 0x1c60d below its lower 15 bits 0x1283, that is 0x2507c60d; plus 0xa282ead8.
    assert masked_crc(b"123456789") == masked_crc(memoryview(b"0123456789")[1:]) == 0xC78AB0E5


def test_records_are_those_of_tensorboard(tmp_path: Path) -> None:
    """Another writer's file, with another implementation of the checksum."""
    writer = pytest.importorskip("tensorboard.summary.writer.record_writer")
    records = [b"", b"x", np.random.default_rng(0).bytes(20_000)]
    with (tmp_path / "a.tfrecords").open("wb") as stream:
        written = writer.RecordWriter(stream)
        for record in records:
            written.write(record)
    assert [bytes(record) for record in read_records(tmp_path / "a.tfrecords")] == records
    assert count_records(tmp_path / "a.tfrecords") == 3
    assert (tmp_path / "a.tfrecords").read_bytes() == b"".join(map(frame, records))


PAYLOADS = [b"first", bytes(5000), b"third"]
FILE = b"".join(map(frame, PAYLOADS))


def changed(place: int) -> bytes:
    return FILE[:place] + bytes([FILE[place] ^ 1]) + FILE[place + 1 :]


SECOND = len(frame(PAYLOADS[0]))
HUGE = struct.pack("<Q", 2**40)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (FILE[:-1], "record 2 is truncated, 8 of 9 bytes are there; fetch the file again"),
        (FILE[: SECOND + 12], "record 1 is truncated, 0 of 5004 bytes are there"),
        (FILE[: SECOND + 5], "record 1 is truncated, 5 bytes of its header are there"),
        (changed(SECOND + 12 + 4000), "record 1 has a wrong checksum, its bytes are damaged"),
        (changed(len(FILE) - 1), "record 2 has a wrong checksum"),
        (changed(SECOND), "the length of record 1 has a wrong checksum, its bytes are damaged"),
        (b"\x1f\x8b" + bytes(30), "the length of record 0 has a wrong checksum, this is no TFRecord file (packed?)"),
        (HUGE + struct.pack("<I", masked_crc(HUGE)), f"record 0 has {2**40} bytes, more than"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, content: bytes, message: str) -> None:
    path = tmp_path / "a.tfrecords"
    path.write_bytes(content)
    with pytest.raises(DataError) as told:
        list(read_records(path))
    assert str(path) in str(told.value)
    assert message in str(told.value)
    assert "\n" not in str(told.value)


def test_counting_sees_a_torn_file_without_reading_payloads(tmp_path: Path) -> None:
    path = tmp_path / "a.tfrecords"
    path.write_bytes(changed(SECOND + 12 + 4000))
    assert count_records(path) == 3
    path.write_bytes(b"")
    assert count_records(path) == 0
    for content, message in ((FILE[:-1], "record 2 is truncated, the file lacks 1 bytes"), (FILE[:-15], "header")):
        path.write_bytes(content)
        with pytest.raises(DataError, match=message):
            count_records(path)


@pytest.mark.parametrize("packed", [True, False])
def test_an_example_is_read_as_it_is(packed: bool) -> None:
    floats = np.array([0.1, -2.5, 3e38], np.float32)
    payload = example({"other": [b"?"], "a": [b"", bytes(300)], "f": floats, "g": floats[:0]}, packed)
    unknown = b"\x10\x96\x01" + b"\x1d" + bytes(4) + b"\x21" + bytes(8) + field(5, b"later")  # of later versions
    found = read_features(memoryview(unknown + payload), ["a", "f", "g", "absent"])
    assert [bytes(value) for value in found["a"]] == [b"", bytes(300)]
    np.testing.assert_array_equal(found["f"], floats)
    assert sorted(found) == ["a", "f", "g"]
    assert len(found["g"]) == 0


def test_whole_numbers_are_read_as_they_are() -> None:
    many = b"\x05\xac\x02\xff" + b"\xff" * 8 + b"\x01"  # 5, 300 and -1
    payload = field(1, field(1, field(1, b"n") + field(2, field(3, field(1, many)))))
    found = read_whole_numbers(memoryview(payload + example({"f": np.ones(2), "b": [b"x"]})), ["n", "f", "b", "no"])
    assert found == {"n": [5, 300, 2**64 - 1], "f": [], "b": []}


@pytest.mark.parametrize(
    "payload",
    [
        b"\x0a\x05ab",  # longer than the message
        b"\x0a",  # ends within a field
        b"\x0a" + b"\xff" * 11,  # a length of 11 bytes
        b"\x0b",  # a group
        field(1, field(1, field(1, b"f") + field(2, field(2, b"\x0a\x03abc")))),  # three bytes are no floats
        field(1, field(1, field(1, b"f") + field(2, field(2, b"\x0dabc")))),
    ],
)
def test_bytes_that_are_no_example_are_told(payload: bytes) -> None:
    with pytest.raises(ValueError, match=r"\w"):
        read_features(memoryview(payload), ["f"])
