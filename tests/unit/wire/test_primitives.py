"""Golden bytes of every type, checked by hand, and what is refused."""

from __future__ import annotations

import math
from typing import Any

import pytest

from nekonex.values import DateTime, Result, StationURL
from nekonex.wire import (
    PID,
    Bool,
    Buffer,
    Double,
    Float,
    QBuffer,
    SInt8,
    SInt16,
    SInt32,
    SInt64,
    String,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    Variant,
    WireContext,
    WireError,
)

CONTEXT = WireContext("3.5.4")
WIDE = WireContext("3.5.4", pid_size=8)

GOLDEN: list[tuple[Any, Any, str]] = [
    (UInt8, 0xFE, "fe"),
    (UInt16, 0x1234, "3412"),
    (UInt32, 0x12345678, "78563412"),
    (UInt64, 0x123456789ABCDEF0, "f0debc9a78563412"),
    (SInt8, -2, "fe"),
    (SInt16, -2, "feff"),
    (SInt32, -2, "feffffff"),
    (SInt64, -2, "feffffffffffffff"),
    (Float, 1.5, "0000c03f"),
    (Double, -2.25, "00000000000002c0"),
    (Double, math.inf, "000000000000f07f"),
    (Bool, True, "01"),
    (bool, False, "00"),
    (PID, 0x01020304, "04030201"),
    (String, "", "0100 00"),
    (str, "Nex", "0400 4e6578 00"),
    (str, "\xe9\u20ac", "0600 c3a9e282ac 00"),
    (str, "a\0b", "0400 610062 00"),
    (Buffer, b"", "00000000"),
    (bytes, b"\x01\x02\x03", "03000000 010203"),
    (QBuffer, b"\x01\x02\x03", "0300 010203"),
    (list[UInt8], [1, 255], "02000000 01ff"),
    (list[UInt16], [1, 2], "02000000 01000200"),
    (list[UInt32], [], "00000000"),
    (list[SInt8], [-1, 1], "02000000 ff01"),
    (list[bool], [True, False], "02000000 0100"),
    (list[Double], [1.0], "01000000 000000000000f03f"),
    (list[str], ["a", ""], "02000000 0200 6100 0100 00"),
    (list[bytes], [b"a"], "01000000 01000000 61"),
    (list[list[UInt8]], [[1], []], "02000000 01000000 01 00000000"),
    (list[DateTime], [DateTime(1)], "01000000 0100000000000000"),
    (list[Result], [Result(0x10001)], "01000000 01000100"),
    (list[PID], [7], "01000000 07000000"),
    (dict[str, UInt8], {"b": 1, "a": 2}, "02000000 0200 6200 01 0200 6100 02"),
    (dict[UInt16, list[UInt8]], {5: [6]}, "01000000 0500 01000000 06"),
    (dict[Result, DateTime], {Result(1): DateTime(2)}, "01000000 01000000 0200000000000000"),
    (DateTime, DateTime.make(2014, 5, 30, 12, 34, 56), "b8c87c791f000000"),
    (Result, Result.error("Core::InvalidArgument"), "0a000180"),
    (StationURL, StationURL("prudp", port=1), "0e00 70727564703a2f706f72743d31 00"),
    (Variant, Variant(0), "00"),
    (Variant, Variant(1, -1), "01 ffffffffffffffff"),
    (Variant, Variant(2, 1.0), "02 000000000000f03f"),
    (Variant, Variant(3, True), "03 01"),
    (Variant, Variant(4, "a"), "04 0200 6100"),
    (Variant, Variant(5, DateTime(3)), "05 0300000000000000"),
    (Variant, Variant(6, 1), "06 0100000000000000"),
]


@pytest.mark.parametrize(("tp", "value", "golden"), GOLDEN)
def test_golden_bytes(tp: Any, value: Any, golden: str) -> None:
    data = bytes.fromhex(golden)
    codec = CONTEXT.codec(tp)
    assert codec.encode(value) == data
    assert codec.decode(data) == value
    assert type(codec.decode(data)) is type(value)


@pytest.mark.parametrize(("tp", "value", "golden"), GOLDEN)
def test_every_shorter_input_is_refused(tp: Any, value: Any, golden: str) -> None:
    data = bytes.fromhex(golden)
    for size in range(len(data)):
        with pytest.raises(WireError):
            CONTEXT.codec(tp).decode(data[:size])


@pytest.mark.parametrize(("tp", "value", "golden"), GOLDEN)
def test_bytes_after_the_value(tp: Any, value: Any, golden: str) -> None:
    data = bytes.fromhex(golden)
    codec = CONTEXT.codec(tp)
    with pytest.raises(WireError, match="1 bytes follow the value"):
        codec.decode(data + b"x")
    assert codec.decode_prefix(data + b"xy") == (value, len(data))
    assert codec.decode_prefix(b"xy" + data, 2) == (value, len(data) + 2)


def test_pids_of_8_bytes() -> None:
    assert WIDE.codec(PID).encode(1 << 32) == bytes.fromhex("0000000001000000")
    assert WIDE.codec(list[PID]).encode([1]) == bytes.fromhex("01000000 0100000000000000")
    with pytest.raises(WireError, match="does not fit a u32"):
        CONTEXT.codec(PID).encode(1 << 32)


def test_strings_without_a_terminator_count_as_empty_or_wrong() -> None:
    codec = CONTEXT.codec(str)
    assert codec.decode(b"\0\0") == ""
    with pytest.raises(WireError, match="does not end with a NUL"):
        codec.decode(b"\x02\0ab")
    with pytest.raises(WireError, match="does not end with a NUL"):
        codec.decode(b"\x01\0a")


def test_text_that_is_no_utf8() -> None:
    with pytest.raises(WireError, match="not valid UTF-8"):
        CONTEXT.codec(str).decode(b"\x02\0\xff\0")


@pytest.mark.parametrize(
    ("text", "reason"),
    [("http:/", "begins with"), ("prudp:/port=x", "not a number"), ("p" * 2000, "at most 1024")],
)
def test_station_urls_that_are_none(text: str, reason: str) -> None:
    data = CONTEXT.codec(str).encode(text)
    with pytest.raises(WireError, match=reason):
        CONTEXT.codec(StationURL).decode(data)
    with pytest.raises(WireError, match=reason):
        CONTEXT.codec(list[StationURL]).decode(b"\x01\0\0\0" + data)
    assert CONTEXT.codec(StationURL).decode(b"\0\0") == StationURL()


def test_any_other_byte_is_true() -> None:
    for byte in range(1, 256):
        assert CONTEXT.codec(bool).decode(bytes([byte])) is True
        assert CONTEXT.codec(list[bool]).decode(b"\x01\0\0\0" + bytes([byte])) == [True]


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_input_types(wrap: Any) -> None:
    data = wrap(b"\x03\0\0\0abc")
    codec = CONTEXT.codec(bytes)
    assert codec.decode(data) == b"abc"
    assert type(codec.decode(data)) is bytes
    assert codec.decode_prefix(data) == (b"abc", 7)


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_buffers_to_send(wrap: Any) -> None:
    assert CONTEXT.codec(bytes).encode(wrap(b"abc")) == b"\x03\0\0\0abc"


@pytest.mark.parametrize("count", [0, 1, 16, 17, 100, 5000])
@pytest.mark.parametrize("tp", [UInt8, UInt16, UInt64, SInt32, bool, Float])
def test_lists_of_all_lengths(tp: Any, count: int) -> None:
    codec = CONTEXT.codec(list[tp])
    values = [index % 2 for index in range(count)]
    assert codec.decode(codec.encode(values)) == values


@pytest.mark.parametrize(
    ("tp", "value", "reason"),
    [
        (UInt8, 256, "256 does not fit a u8"),
        (UInt8, -1, "-1 does not fit a u8"),
        (UInt16, 1 << 16, "65536 does not fit a u16"),
        (UInt32, 1 << 32, "4294967296 does not fit a u32"),
        (UInt64, 1 << 64, "does not fit a u64"),
        (SInt8, 128, "128 does not fit a s8"),
        (SInt16, -32769, "-32769 does not fit a s16"),
        (SInt32, 1 << 31, "does not fit a s32"),
        (SInt64, 1 << 63, "does not fit a s64"),
        (UInt32, "1", "expected an int for a u32, got str"),
        (UInt32, None, "expected an int for a u32, got None"),
        (UInt32, 1.0, "expected an int for a u32, got float"),
        (Float, "1", "expected a float, got str"),
        (Double, None, "expected a float, got None"),
        (str, b"x", "expected a str, got bytes"),
        (str, "x" * 65535, "a string of 65535 bytes is too long: the limit is 65534"),
        (str, "\ud800", "UTF-8 cannot express"),
        (bytes, "x", "expected bytes, got str"),
        (bytes, [1], "expected bytes, got list"),
        (QBuffer, bytes(65536), "a qbuffer of 65536 bytes is too long: the limit is 65535"),
        (QBuffer, None, "expected bytes, got None"),
        (list[UInt8], 5, "expected a list, got int"),
        (list[UInt8], [256], "256 does not fit a u8"),
        (list[UInt32], ["x"], "expected an int for a u32, got str"),
        (list[UInt32], [1] * 40 + [-1], "-1 does not fit a u32"),
        (list[str], [1], "expected a str, got int"),
        (dict[str, UInt8], [1], "expected a dict, got list"),
        (dict[str, UInt8], {1: 1}, "expected a str, got int"),
        (dict[str, UInt8], {"a": 300}, "300 does not fit a u8"),
        (DateTime, 5, "expected a DateTime, got int"),
        (Result, 5, "expected a Result, got int"),
        (StationURL, "prudp:/", "expected a StationURL, got str"),
        (Variant, 5, "expected a Variant, got 5"),
        (Variant, Variant(7, 5), "a variant of type 7 cannot hold 5"),
        (Variant, Variant(4, 5), "a variant of type 4 cannot hold 5"),
        (Variant, Variant(1, 1 << 63), "int too large|argument out of range|format requires"),
    ],
)
def test_values_that_cannot_be_sent(tp: Any, value: Any, reason: str) -> None:
    with pytest.raises(WireError, match=reason) as caught:
        CONTEXT.codec(tp).encode(value)
    assert caught.value.offset is None


@pytest.mark.parametrize(
    ("tp", "reason"),
    [
        (int, "an int needs a width"),
        (float, "use Float or Double"),
        (list, "say what is in the list"),
        (object, "not a type of the wire"),
        (int | None, "not a type of the wire"),
        (list[int], "an int needs a width"),
        (dict[list[UInt8], UInt8], "keys cannot be keys of a dict"),
        (tuple[UInt8, UInt8], "not a type of the wire"),
    ],
)
def test_types_that_cannot_be_sent(tp: Any, reason: str) -> None:
    with pytest.raises(TypeError, match=reason):
        CONTEXT.codec(tp)
