"""Records: the parameters and replies of methods."""

from __future__ import annotations

import pytest

from nekonex.nex.structures import ResultRange
from nekonex.wire import (
    PID,
    RecordField,
    String,
    UInt8,
    UInt16,
    UInt32,
    V,
    WireContext,
    WireError,
)

FIELDS = [
    RecordField("pid", PID),
    RecordField("name", String),
    RecordField("range", ResultRange),
    RecordField("count", UInt16, when=V("3.4"), default=1),
    RecordField("rtt", UInt32, when=V("3.8")),
]


def test_values_follow_each_other() -> None:
    record = WireContext("3.3").record("Some.method", FIELDS)
    data = record.encode((5, "a", ResultRange(1, 2), 7, 8))
    assert data.hex() == "05000000020061000100000002000000"
    assert record.decode(data) == (5, "a", ResultRange(1, 2), 1, 0)


def test_the_version_of_the_key_decides() -> None:
    old = WireContext("3.10.1", versions={"matchmaking": "3.3"}, struct_header=False)
    value = (5, "a", ResultRange(1, 2), 7, 8)
    assert len(old.record("m", FIELDS, "matchmaking").encode(value)) == 16
    assert len(old.record("m", FIELDS, "ranking").encode(value)) == 22
    assert len(old.record("m", FIELDS).encode(value)) == 22


def test_structures_have_headers_and_records_do_not() -> None:
    record = WireContext("3.5").record("m", FIELDS)
    data = record.encode((5, "a", ResultRange(1, 2), 7, 8))
    assert data.hex() == "0500000002006100000800000001000000020000000700"


def test_bytes_after_the_last_field_are_ignored() -> None:
    record = WireContext("3.8").record("m", FIELDS)
    data = record.encode((5, "a", ResultRange(), 7, 8))
    assert record.decode(data + b"more") == (5, "a", ResultRange(), 7, 8)


def test_a_conditional_end_with_a_default_may_be_missing() -> None:
    record = WireContext("3.4").record("m", FIELDS)
    data = record.encode((5, "a", ResultRange(), 7, 8))
    assert record.decode(data[:-2]) == (5, "a", ResultRange(), 1, 0)
    with pytest.raises(WireError, match=r"m.count at byte 16: the input ends inside it"):
        record.decode(data[:-1])


def test_everything_else_must_be_there() -> None:
    record = WireContext("3.8").record("Some.method", FIELDS)
    data = record.encode((5, "a", ResultRange(), 7, 8))
    with pytest.raises(WireError, match=r"Some.method.rtt at byte 23"):
        record.decode(data[:-4])
    for size in range(len(data) - 4):
        with pytest.raises(WireError):
            record.decode(data[:size])


def test_nothing_at_all() -> None:
    record = WireContext().record("m", [])
    assert record.encode(()) == b""
    assert record.decode(b"") == ()
    assert record.decode(b"rest") == ()
    with pytest.raises(WireError, match="m: too many values"):
        record.encode((1,))


@pytest.mark.parametrize("values", [(), (1,), (1, 2, 3)])
def test_the_wrong_number_of_values(values: tuple[int, ...]) -> None:
    record = WireContext().record("m", [RecordField("a", UInt8), RecordField("b", UInt8)])
    with pytest.raises(WireError, match=r"m: .*values to unpack"):
        record.encode(values)


def test_errors_name_the_method() -> None:
    record = WireContext().record("Ranking.get", [RecordField("mode", UInt8)])
    with pytest.raises(WireError, match=r"Ranking.get.mode: 256 does not fit a u8"):
        record.encode((256,))
    with pytest.raises(WireError, match=r"Ranking.get.mode at byte 0: the input ends inside it"):
        record.decode(b"")


@pytest.mark.parametrize("wrap", [bytes, bytearray, memoryview])
def test_input_types(wrap: type[bytes]) -> None:
    record = WireContext().record("m", [RecordField("raw", bytes)])
    assert record.decode(wrap(b"\x01\0\0\0x")) == (b"x",)


def test_types_that_cannot_be_sent() -> None:
    with pytest.raises(TypeError, match="an int needs a width"):
        WireContext().record("m", [RecordField("a", int)])


def test_the_source_can_be_read() -> None:
    source = WireContext("3.4").record("m", FIELDS).source
    assert "def read(data, p, end, depth):" in source
    assert "def write(value, depth):" in source
    assert "v_count" in source
