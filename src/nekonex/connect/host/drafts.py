"""What a plugin hands over to be sent, checked before anything is done with it."""

from __future__ import annotations

from typing import Final

from nekonex.connect.protocol.frames import MAX_OP

__all__ = ["checked_data", "checked_op"]

_BYTES: Final = (bytes, bytearray, memoryview)


def checked_data(data: object, limit: int) -> bytes:
    """Return the bytes of a frame's data; TypeError for what are none, ValueError for too many."""
    if not isinstance(data, _BYTES):
        raise TypeError(f"the data of a frame is bytes, not {type(data).__name__}")
    content = bytes(data)
    if len(content) > limit:
        raise ValueError(f"a frame has up to {limit} bytes of data, not {len(content)}")
    return content


def checked_op(op: object) -> int:
    """Return an op code; TypeError or ValueError for what is none."""
    if not isinstance(op, int):
        raise TypeError(f"an op code is an integer, not {type(op).__name__}")
    if not 0 <= op <= MAX_OP:
        raise ValueError(f"an op code is 0 to 2^64 - 1, not {op}")
    return int(op)
