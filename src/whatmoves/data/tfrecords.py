"""TFRecord files and the `tf.train.Example` messages in them, read without TensorFlow; every checksum is looked at.

A record is a length (u64), its checksum, the payload and its checksum (u32 each, all little-endian). The checksum is
CRC-32C (Castagnoli; RFC 3720, appendix B.4), turned right by 15 bits plus a constant: TFRecord's "masked" CRC. A
payload is a protocol buffer: an `Example` has in field 1 its `Features`, a map from names to lists of bytes, floats or
whole numbers. A `SequenceExample` without sequences is the same bytes.

A byte-by-byte CRC in Python reads 15 MB/s. A CRC is linear, so here 2,048 words of the message are taken at once, each
the next of its own column; the columns are joined at the end. That is some 1,200 MB/s on one core.
"""

import functools
import io
import os
import struct
from collections.abc import Collection, Iterator
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from whatmoves.errors import DataError

HEADER_BYTES, FOOTER_BYTES = 12, 4
LARGEST_RECORD_BYTES = 2**28
AGAIN = "fetch the file again"
_COLUMNS = 2048  # a power of two: words of a message that are taken at once; those of its table fit a cache

Words = NDArray[np.uint32]
Values = list[memoryview] | NDArray[np.float32]


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
    names = {name.encode(): name for name in wanted}
    found: dict[str, Values] = {}
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
                    found[name] = _values(feature)
    except (_MalformedError, IndexError) as error:
        raise ValueError(str(error) or "it ends within a field") from None
    return found


def masked_crc(data: memoryview | bytes) -> int:
    """TFRecord's checksum of some bytes."""
    crc = crc32c(data)
    return (((crc >> 15) | (crc << 17)) + 0xA282EAD8) & 0xFFFFFFFF


def crc32c(data: memoryview | bytes) -> int:
    """CRC-32C of some bytes."""
    if len(data) < 1024:  # where columns do not pay
        table, crc = _byte_steps(), 0xFFFFFFFF
        for value in bytes(data):
            crc = table[(crc ^ value) & 0xFF] ^ (crc >> 8)
        return crc ^ 0xFFFFFFFF

    # Rows of `_COLUMNS` words; the first is filled up with zeros in front, which change no CRC that begins at 0. One
    # that begins with all bits set is one that begins at 0 on a message whose first 32 bits are turned over.
    row_bytes = 4 * _COLUMNS
    first = len(data) % row_bytes
    start = first if first >= 4 else first + row_bytes
    padded = np.zeros(start + -start % row_bytes, np.uint8)
    message = padded[len(padded) - start :]
    message[:] = np.frombuffer(data, np.uint8, start)
    message[:4] ^= 0xFF
    beginning = padded.view("<u4").reshape(-1, _COLUMNS)
    rest = np.frombuffer(data, "<u4", offset=start).reshape(-1, _COLUMNS)

    low, high = _row_steps()
    state = beginning[0].astype(np.uint32)
    low_half, high_half = state.view(np.uint16)[0::2], state.view(np.uint16)[1::2]
    low_place, high_place = np.empty(_COLUMNS, np.intp), np.empty(_COLUMNS, np.intp)
    by_low, by_high = np.empty_like(state), np.empty_like(state)
    for rows in (beginning[1:], rest):
        for row in rows:  # every column goes on by a row's length and takes its next word
            low_place[:], high_place[:] = low_half, high_half
            low.take(low_place, out=by_low, mode="wrap")
            high.take(high_place, out=by_high, mode="wrap")
            np.bitwise_xor(by_low, by_high, out=by_low)
            np.bitwise_xor(by_low, row, out=state)
    ends = _column_ends()[np.arange(_COLUMNS)[:, None], np.arange(4), state.view(np.uint8).reshape(_COLUMNS, 4)]
    return int(np.bitwise_xor.reduce(ends, axis=None)) ^ 0xFFFFFFFF


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
    """A feature's bytes or floats; whole numbers, which no set here has, are none."""
    for kind, values in _fields(feature):
        if kind == 1:
            return [value for number, value in _fields(values) if number == 1]
        if kind == 2:
            return _floats(values)
    return []


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


@functools.cache
def _byte_steps() -> list[int]:
    """By the lowest byte of the state: what one more byte makes of it."""
    steps: Words = np.arange(256, dtype=np.uint32)
    for _ in range(8):
        steps = (steps >> np.uint32(1)) ^ np.where(steps & np.uint32(1), np.uint32(0x82F63B78), np.uint32(0))
    found: list[int] = steps.tolist()
    return found


@functools.cache
def _bit_steps(words: int) -> Words:
    """What each of the 32 bits of a state becomes after `words` words of zeros, a power of two `[32]`."""
    if words > 1:
        half = _bit_steps(words // 2)
        return _after(half, half)
    table, state = np.array(_byte_steps(), np.uint32), np.uint32(1) << np.arange(32, dtype=np.uint32)
    for _ in range(4):
        state = table[state & 0xFF] ^ (state >> 8)
    return np.asarray(state)


def _after(bit_steps: Words, states: Words) -> Words:
    """States `[...]` after the words that `bit_steps` tell of: the sum of what their bits become."""
    after = np.zeros_like(states)
    for bit, step in enumerate(bit_steps):
        after ^= np.where((states >> np.uint32(bit)) & 1, step, np.uint32(0))
    return after


@functools.cache
def _row_steps() -> tuple[Words, Words]:
    """By the lower and the upper half of a state: what a row of words makes of it, `[65536]` each."""
    halves = np.arange(65536, dtype=np.uint32)
    steps = _bit_steps(_COLUMNS)
    return _after(steps, halves), _after(steps, halves << np.uint32(16))


@functools.cache
def _column_ends() -> Words:
    """By column, byte of its state and value: what it adds to the CRC, being so many words before the end."""
    values = np.arange(256, dtype=np.uint32)[None, :] << (8 * np.arange(4, dtype=np.uint32))[:, None]
    ends = _after(_bit_steps(1), values)[None]  # of the last column
    while len(ends) < _COLUMNS:
        ends = np.concatenate([_after(_bit_steps(len(ends)), ends), ends])
    return ends
