"""TFRecord files and the `tf.train.Example` messages in them, read without TensorFlow; every checksum is looked at.

A record is a length (u64), its checksum, the payload and its checksum (u32 each, all little-endian). The checksum is
CRC-32C (Castagnoli; RFC 3720, appendix B.4), turned right by 15 bits plus a constant: TFRecord's "masked" CRC. A
payload is a protocol buffer: an `Example` has in field 1 its `Features`, a map from names to lists of bytes, floats or
whole numbers. A `SequenceExample` without sequences is the same bytes.
"""

import io
import os
import struct
from collections.abc import Callable, Collection, Iterator
from pathlib import Path
from typing import TypeVar

import google_crc32c
import numpy as np
from numpy.typing import NDArray

from whatmoves.errors import DataError

HEADER_BYTES, FOOTER_BYTES = 12, 4
LARGEST_RECORD_BYTES = 2**28
AGAIN = "fetch the file again"

Values = list[memoryview] | NDArray[np.float32]
T = TypeVar("T")


class _MalformedError(Exception):
    """Bytes that are no message; the text is the reason."""


def count_records(path: Path) -> int:
    """Records in a file, going from length to length; no payload is read. Raises `DataError` for a torn file."""
    return len(record_places(path))


def record_places(path: Path) -> list[int]:
    """The bytes at which a file's records begin; raises `DataError` as `count_records` does."""
    places, place = [], 0
    with _opened(path) as stream:
        size = os.fstat(stream.fileno()).st_size
        while place < size:
            stream.seek(place)
            places.append(place)
            place += HEADER_BYTES + _length(path, len(places) - 1, stream.read(HEADER_BYTES)) + FOOTER_BYTES
    if place > size:
        raise DataError(f"{path}: record {len(places) - 1} is truncated, the file lacks {place - size} bytes; {AGAIN}")
    return places


def read_records(path: Path, number: int = 0, place: int = 0) -> Iterator[memoryview]:
    """The payloads of a file in order, each valid until the next is asked for; from record `number` on, which begins at
    the byte `place`.

    Raises `DataError` for a record that is truncated or has a wrong checksum.
    """
    buffer = bytearray()
    with _opened(path) as stream:
        stream.seek(place)
        try:
            while header := stream.read(HEADER_BYTES):
                length = _length(path, number, header)
                whole = length + FOOTER_BYTES
                if len(buffer) < whole:
                    buffer = bytearray(whole)
                record = memoryview(buffer)[:whole]
                found = stream.readinto(record)
                if found < whole:
                    raise DataError(
                        f"{path}: record {number} is truncated, {found} of {whole} bytes are there; {AGAIN}"
                    )
                payload, (expected,) = record[:length], struct.unpack("<I", record[length:])
                if masked_crc(payload) != expected:
                    raise DataError(f"{path}: record {number} has a wrong checksum, its bytes are damaged; {AGAIN}")
                yield payload
                number += 1
        except OSError as error:
            raise DataError(f"{path}: not readable ({error.strerror}); check its permissions and its disk") from None


def read_features(payload: memoryview, wanted: Collection[str]) -> dict[str, Values]:
    """The `wanted` features of an `Example` that are there: bytes as a list of views, floats as an array `[n]`.

    Raises `ValueError` with the reason for bytes that are no such message.
    """
    return _read(payload, wanted, _values)


def read_whole_numbers(payload: memoryview, wanted: Collection[str]) -> dict[str, list[int]]:
    """The `wanted` features of an `Example` that are there, as whole numbers: none of one that is of another kind.

    Raises `ValueError` as `read_features` does.
    """
    return _read(payload, wanted, _whole_numbers)


def _read(payload: memoryview, wanted: Collection[str], values: Callable[[memoryview], T]) -> dict[str, T]:
    names = {name.encode(): name for name in wanted}
    found: dict[str, T] = {}
    try:
        for field, features in _fields(payload):
            if field != 1:
                continue
            for number, entry in _fields(features):
                if number != 1:
                    continue
                name, feature = None, memoryview(b"")
                for part, content in _fields(entry):
                    if part == 1:
                        name = names.get(content.tobytes())
                    elif part == 2:
                        feature = content
                if name is not None:
                    found[name] = values(feature)
    except (_MalformedError, IndexError) as error:
        raise ValueError(str(error) or "it ends within a field") from None
    return found


def masked_crc(data: memoryview | bytes) -> int:
    """TFRecord's checksum of some bytes."""
    crc: int = google_crc32c.value(bytes(data))  # it takes no view
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def _opened(path: Path) -> io.BufferedReader:
    try:
        return path.open("rb")
    except OSError as error:
        raise DataError(f"{path}: not readable ({error.strerror}); check its permissions") from None


def _length(path: Path, number: int, header: bytes) -> int:
    """The length that a record's header tells."""
    if len(header) < HEADER_BYTES:
        raise DataError(f"{path}: record {number} is truncated, {len(header)} bytes of its header are there; {AGAIN}")
    length, expected = struct.unpack("<QI", header)
    if masked_crc(header[:8]) != expected:
        what = "this is no TFRecord file (packed?)" if number == 0 else "its bytes are damaged"
        raise DataError(f"{path}: the length of record {number} has a wrong checksum, {what}; {AGAIN}")
    if length > LARGEST_RECORD_BYTES:
        raise DataError(f"{path}: record {number} has {length} bytes, more than {LARGEST_RECORD_BYTES}; not such a set")
    return int(length)


def _fields(message: memoryview) -> Iterator[tuple[int, memoryview]]:
    """Numbers and bytes of a message's fields; those of another kind than bytes are passed over."""
    place, end = 0, len(message)
    while place < end:
        key, place = _varint(message, place)
        kind = key & 7
        if kind == 2:
            length, place = _varint(message, place)
            if length > end - place:
                raise _MalformedError("a field is longer than the message it stands in")
            yield key >> 3, message[place : place + length]
            place += length
        elif kind == 0:
            _, place = _varint(message, place)
        elif kind in (1, 5):
            place += 8 if kind == 1 else 4
        else:
            raise _MalformedError(f"a field of the kind {kind}, which no message has")


def _varint(message: memoryview, place: int) -> tuple[int, int]:
    """A whole number of up to ten bytes, seven bits each, and the place after it."""
    value = message[place]
    if value < 0x80:
        return value, place + 1
    value &= 0x7F
    for shift in range(7, 70, 7):
        place += 1
        byte = message[place]
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, place + 1
    raise _MalformedError("a number of more than ten bytes")


def _values(feature: memoryview) -> Values:
    """A feature's bytes or floats; whole numbers are none."""
    for kind, values in _fields(feature):
        if kind == 1:
            return [value for number, value in _fields(values) if number == 1]
        if kind == 2:
            return _floats(values)
    return []


def _whole_numbers(feature: memoryview) -> list[int]:
    """A feature's whole numbers, all in one field, as TensorFlow writes them."""
    numbers: list[int] = []
    for kind, values in _fields(feature):
        for field, packed in _fields(values) if kind == 3 else ():
            place = 0
            while field == 1 and place < len(packed):
                number, place = _varint(packed, place)
                numbers.append(number)
    return numbers


def _floats(values: memoryview) -> NDArray[np.float32]:
    """A list of floats: all in one field, as TensorFlow writes it, or a field each."""
    if len(values) and values[0] == 0x0A:
        parts = [part for number, part in _fields(values) if number == 1]
    else:
        if len(values) % 5 or any(values[place] != 0x0D for place in range(0, len(values), 5)):
            raise _MalformedError("a list of floats that holds something else")
        parts = [values[place + 1 : place + 5] for place in range(0, len(values), 5)]
    joined = parts[0] if len(parts) == 1 else b"".join(parts)
    if len(joined) % 4:
        raise _MalformedError(f"a list of floats of {len(joined)} bytes")
    return np.frombuffer(joined, "<f4").astype(np.float32)
