"""Frames of remote method calls: bytes in, values out, no connection needed.

Layout (little endian), as NintendoClients' ``rmc.py`` reads and writes it::

    request   u32 size | u8 protocol | 0x80 | u32 call id | u32 method         | parameters
    success   u32 size | u8 protocol | u8 1 | u32 call id | u32 method | 0x8000 | result
    error     u32 size | u8 protocol | u8 0 | u32 code    | u32 call id

The size does not count itself. Seven bits of protocol 0x7F mean that the
protocol follows as a u16, before the rest: the extended form. It is written
for every protocol that has no other, 0x7F itself included.
"""

import struct
from typing import NamedTuple

__all__ = [
    "FrameError",
    "Reply",
    "encode_error",
    "encode_request",
    "encode_success",
    "is_request",
    "parse_reply",
    "parse_request",
]

_REQUEST = struct.Struct("<IBII")
_REQUEST_EXTENDED = struct.Struct("<IBHII")
_REPLY = struct.Struct("<IBBII")
_REPLY_EXTENDED = struct.Struct("<IBHBII")
_EXTENDED = 0x7F
_REQUEST_FLAG = 0x80
_METHOD_FLAG = 0x8000
_ERROR_FLAG = 0x8000_0000


class FrameError(ValueError):
    """These bytes are no frame; what could be read of them all the same.

    ``protocol``, ``call_id`` and ``method`` are None where the bytes ended
    before them. Whether it is a request tells `is_request`.
    """

    def __init__(
        self,
        reason: str,
        protocol: int | None = None,
        call_id: int | None = None,
        method: int | None = None,
    ) -> None:
        super().__init__(reason)
        self.reason = reason
        self.protocol = protocol
        self.call_id = call_id
        self.method = method


class Reply(NamedTuple):
    """An answer to a request.

    ``code`` is 0 for success, else the error code with bit 31 set; an error
    carries neither a method (0 here) nor a body.
    """

    protocol: int
    call_id: int
    method: int
    code: int
    body: bytes


def is_request(data: bytes) -> bool:
    """Tell a request from a reply. What is too short to tell is a reply."""
    return len(data) > 4 and data[4] >= _REQUEST_FLAG


def encode_request(protocol: int, call_id: int, method: int, body: bytes) -> bytes:
    """Write a request. ValueError for numbers that do not fit their fields."""
    try:
        if protocol < _EXTENDED:
            return _REQUEST.pack(9 + len(body), protocol | _REQUEST_FLAG, call_id, method) + body
        return _REQUEST_EXTENDED.pack(11 + len(body), 0xFF, protocol, call_id, method) + body
    except struct.error as error:
        raise _out_of_range(protocol, call_id, method) from error


def encode_success(protocol: int, call_id: int, method: int, body: bytes) -> bytes:
    """Write the reply to a call that succeeded. ValueError as for requests."""
    try:
        if protocol < _EXTENDED:
            return _REPLY.pack(10 + len(body), protocol, 1, call_id, method | _METHOD_FLAG) + body
        return (
            _REPLY_EXTENDED.pack(
                12 + len(body), _EXTENDED, protocol, 1, call_id, method | _METHOD_FLAG
            )
            + body
        )
    except struct.error as error:
        raise _out_of_range(protocol, call_id, method) from error


def encode_error(protocol: int, call_id: int, code: int) -> bytes:
    """Write the reply to a call that failed; bit 31 of the code is set in any case."""
    try:
        if protocol < _EXTENDED:
            return _REPLY.pack(10, protocol, 0, code | _ERROR_FLAG, call_id)
        return _REPLY_EXTENDED.pack(12, _EXTENDED, protocol, 0, code | _ERROR_FLAG, call_id)
    except struct.error as error:
        raise _out_of_range(protocol, call_id, code) from error


def parse_request(data: bytes) -> tuple[int, int, int, bytes]:
    """Read a request: protocol, call id, method and the bytes of the parameters.

    A plain tuple, since this runs for every call of every player. The caller
    has checked `is_request`. Raises FrameError.
    """
    if len(data) < 13:
        raise _short_request(data)
    size, head, call_id, method = _REQUEST.unpack_from(data)
    if head == 0xFF:
        if len(data) < 15:
            raise _short_request(data)
        size, head, protocol, call_id, method = _REQUEST_EXTENDED.unpack_from(data)
        body = data[15:]
    else:
        protocol = head & _EXTENDED
        body = data[13:]
    if size + 4 != len(data):
        raise FrameError(_wrong_size(size, data), protocol, call_id, method)
    return protocol, call_id, method, body


def parse_reply(data: bytes) -> Reply:
    """Read a success or an error. Raises FrameError.

    Any success byte but 0 means success, as in NintendoClients. Bytes behind
    an error are refused, as there.
    """
    if len(data) < 14:
        raise FrameError(f"a reply of {len(data)} bytes is too short")
    size, protocol, success, first, second = _REPLY.unpack_from(data)
    start = 14
    if protocol == _EXTENDED:
        if len(data) < 16:
            raise FrameError(f"a reply of {len(data)} bytes is too short")
        size, _, protocol, success, first, second = _REPLY_EXTENDED.unpack_from(data)
        start = 16
    if success:
        method = second & ~_METHOD_FLAG
        if size + 4 != len(data):
            raise FrameError(_wrong_size(size, data), protocol, first, method)
        return Reply(protocol, first, method, 0, data[start:])
    if size + 4 != len(data):
        raise FrameError(_wrong_size(size, data), protocol, second)
    if len(data) != start:
        raise FrameError("an error reply carries more than its code", protocol, second)
    return Reply(protocol, second, 0, first | _ERROR_FLAG, b"")


def _wrong_size(size: int, data: bytes) -> str:
    return f"the frame says {size} bytes and has {len(data) - 4}"


def _short_request(data: bytes) -> FrameError:
    """Read what there is of a request that ends before its parameters."""
    reason = f"a request of {len(data)} bytes is too short"
    if len(data) < 5:
        return FrameError(reason)
    protocol = data[4] & _EXTENDED
    start = 5
    if protocol == _EXTENDED:
        if len(data) < 7:
            return FrameError(reason)
        protocol = int.from_bytes(data[5:7], "little")
        start = 7
    if len(data) < start + 4:
        return FrameError(reason, protocol)
    return FrameError(reason, protocol, int.from_bytes(data[start : start + 4], "little"))


def _out_of_range(protocol: int, call_id: int, last: int) -> ValueError:
    return ValueError(
        f"protocol {protocol}, call id {call_id} or method or code {last} does not fit its field "
        "(16, 32 and 32 bits, unsigned)"
    )
