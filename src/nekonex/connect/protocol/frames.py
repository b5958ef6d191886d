"""Frames: a header of 12 bytes, all lengths of the frame, and five fields behind it."""

from __future__ import annotations

import struct
from typing import Final, NamedTuple

from nekonex.connect.protocol.status import Status

__all__ = [
    "HEADER_SIZE",
    "MAX_FIELD",
    "MAX_OP",
    "Frame",
    "FrameDecoder",
    "FrameError",
    "encode_frame",
    "encode_op",
]

_HEADER: Final = struct.Struct(">IBBIBB")

HEADER_SIZE: Final = _HEADER.size
"""Bytes of a header: the frame's length, and those of op, greeter, data, hash and random."""

MAX_FIELD: Final = 255
"""Bytes of a greeter, a random or a hash."""

_MAX_OP_SIZE: Final = 8

MAX_OP: Final = (1 << 8 * _MAX_OP_SIZE) - 1
"""The largest op code."""

_SHORT_OPS: Final = tuple(bytes((op,)) for op in range(256))


class FrameError(Exception):
    """What came is no frame, or one that is too large; nothing after it can be read."""

    def __init__(self, status: Status, reason: str) -> None:
        super().__init__(reason)
        self.status = status
        """BAD_FRAME or TOO_LARGE."""


class Frame(NamedTuple):
    """One frame, in the order of its fields."""

    greeter: str
    op: int
    random: str
    data: bytes
    hash: bytes
    """ASCII in what is valid; compared, never read."""


def encode_op(op: int) -> bytes:
    """Return an op code in the fewest bytes; ValueError for what is none."""
    if 0 <= op < len(_SHORT_OPS):
        return _SHORT_OPS[op]
    if 0 <= op <= MAX_OP:
        return op.to_bytes((op.bit_length() + 7) // 8, "big")
    raise ValueError(f"an op code is 0 to 2^64 - 1, not {op}")


def encode_frame(greeter: bytes, op: int, random: bytes, data: bytes, hash_: bytes) -> bytes:
    """Return the bytes of a frame. Greeter and random are UTF-8.

    Raises ValueError for a field that is too long, an empty greeter, or what is no op code.
    """
    op_bytes = encode_op(op)
    op_len, greeter_len, data_len = len(op_bytes), len(greeter), len(data)
    hash_len, random_len = len(hash_), len(random)
    size = HEADER_SIZE + op_len + greeter_len + data_len + hash_len + random_len
    try:
        # It refuses by itself what is too long for its place in the header.
        header = _HEADER.pack(size, op_len, greeter_len, data_len, hash_len, random_len)
    except struct.error:
        greeter_len = 0
    if not greeter_len:
        raise ValueError(
            f"greeter (not empty), random and hash have up to {MAX_FIELD} bytes, "
            "and all of a frame less than 4 GiB"
        )
    return b"".join((header, greeter, op_bytes, random, data, hash_))


class FrameDecoder:
    """Cuts a stream into frames, however it arrives.

    It keeps no more than one frame that is not complete, whose data is within ``max_data``, and
    what the last `feed` brought.
    """

    __slots__ = ("_buffer", "_error", "_needed", "_position", "max_data")

    def __init__(self, max_data: int) -> None:
        self.max_data = max_data
        """Bytes of data in the frames whose headers are still to be read."""
        self._buffer: bytes | bytearray = b""
        self._position = 0
        self._needed = HEADER_SIZE
        self._error: FrameError | None = None

    @property
    def buffered(self) -> int:
        """How many bytes wait to be read as frames."""
        return len(self._buffer) - self._position

    def feed(self, data: bytes) -> None:
        """Take in what arrived."""
        if self._error is not None:
            return
        if self._position == len(self._buffer):
            self._buffer = data
        elif isinstance(self._buffer, bytearray):
            del self._buffer[: self._position]
            self._buffer += data
        else:
            self._buffer = bytearray(memoryview(self._buffer)[self._position :])
            self._buffer += data
        self._position = 0

    def next_frame(self) -> Frame | None:
        """Return the next frame, None until it is complete.

        Raises FrameError, from then on every time.
        """
        if self._error is not None:
            raise self._error
        if len(self._buffer) - self._position < self._needed:
            return None
        try:
            return self._read()
        except FrameError as error:
            self._error = error
            self._buffer = b""
            self._position = 0
            raise

    def _read(self) -> Frame | None:
        buffer, start = self._buffer, self._position
        size, op_len, greeter_len, data_len, hash_len, random_len = _HEADER.unpack_from(
            buffer, start
        )
        if self._needed == HEADER_SIZE:
            lengths = op_len + greeter_len + data_len + hash_len + random_len
            if size != HEADER_SIZE + lengths:
                raise FrameError(Status.BAD_FRAME, "the lengths in a header contradict each other")
            if not 1 <= op_len <= _MAX_OP_SIZE:
                raise FrameError(Status.BAD_FRAME, f"an op code of {op_len} bytes")
            if not greeter_len:
                raise FrameError(Status.BAD_FRAME, "a frame without a greeter")
            if data_len > self.max_data:
                raise FrameError(Status.TOO_LARGE, f"{data_len} bytes of data")
        if len(buffer) - start < size:
            self._needed = size
            return None
        op_start = start + HEADER_SIZE + greeter_len
        random_start = op_start + op_len
        data_start = random_start + random_len
        hash_start = data_start + data_len
        end = hash_start + hash_len
        try:
            greeter = buffer[start + HEADER_SIZE : op_start].decode()
            random = buffer[random_start:data_start].decode()
        except UnicodeDecodeError:
            raise FrameError(Status.BAD_FRAME, "greeter or random is not UTF-8") from None
        if op_len == 1:
            op = buffer[op_start]
        else:
            op = int.from_bytes(buffer[op_start:random_start], "big")
        self._position = end
        self._needed = HEADER_SIZE
        data, hash_ = bytes(buffer[data_start:hash_start]), bytes(buffer[hash_start:end])
        # What Frame(…) does, in half the time.
        return tuple.__new__(Frame, (greeter, op, random, data, hash_))
