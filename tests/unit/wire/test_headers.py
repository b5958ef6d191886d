"""Structure headers: written exactly, read robustly."""

from __future__ import annotations

import pytest

from nekonex.wire import (
    Data,
    Rev,
    String,
    Structure,
    UInt8,
    UInt16,
    UInt32,
    V,
    WireContext,
    WireError,
    field,
)


class Base(Structure):
    a: UInt8 = 1


class Derived(Base):
    b: UInt16 = 2
    tail: UInt16 = field(default=3, when=V("3.6") & Rev(1))
    last: String = field(default="z", when=(V("3.8") & Rev(3)) | V("4.0"))


OLD, MIDDLE, NEW, NEXT = (
    WireContext(version).codec(Derived) for version in ("3.5", "3.6", "3.8", "4.0")
)
PLAIN = {version: WireContext(version, struct_header=False) for version in ("3.5", "3.6", "4.0")}


def test_one_header_a_level_with_the_revision_of_the_version() -> None:
    value = Derived(1, 2, 3, "z")
    base = "00 01000000 01"
    assert OLD.encode(value) == bytes.fromhex(base + "00 02000000 0200")
    assert MIDDLE.encode(value) == bytes.fromhex(base + "01 04000000 0200 0300")
    assert NEW.encode(value) == bytes.fromhex(base + "03 08000000 0200 0300 0200 7a00")
    # In 4.0 `tail` still asks for revision 1, as it has no second condition.
    assert NEXT.encode(value) == bytes.fromhex(base + "01 08000000 0200 0300 0200 7a00")


def test_without_headers_the_version_decides_alone() -> None:
    value = Derived(1, 2, 3, "z")
    assert PLAIN["3.5"].codec(Derived).encode(value).hex() == "010200"
    assert PLAIN["3.6"].codec(Derived).encode(value).hex() == "0102000300"
    data = PLAIN["4.0"].codec(Derived).encode(value)
    assert data.hex() == "010200030002007a00"
    assert PLAIN["4.0"].codec(Derived).decode(data) == value
    with pytest.raises(WireError, match=r"Derived.last at byte 5: the input ends inside it"):
        PLAIN["4.0"].codec(Derived).decode(data[:5])


@pytest.mark.parametrize("version", ["3.5", "3.4", "2.0", "3.5.4"])
def test_headers_by_default_from_3_5_on(version: str) -> None:
    context = WireContext(version)
    assert context.struct_header == (version >= "3.5")
    assert len(context.codec(Base).encode(Base())) == (6 if context.struct_header else 1)


def test_an_unknown_end_of_a_level_is_skipped() -> None:
    data = bytes.fromhex("00 03000000 01ffff 00 05000000 0200 ffffff")
    assert OLD.decode(data) == Derived(1, 2)


def test_an_unknown_revision_is_read_like_ours() -> None:
    data = bytes.fromhex("09 01000000 01 ff 02000000 0200")
    assert OLD.decode(data) == Derived(1, 2)


def test_a_tail_that_is_not_there_has_its_defaults() -> None:
    assert NEW.decode(OLD.encode(Derived(7, 8))) == Derived(7, 8)
    assert NEW.decode(MIDDLE.encode(Derived(7, 8, 9, "x"))) == Derived(7, 8, 9)


def test_a_tail_is_taken_though_the_revision_does_not_announce_it() -> None:
    data = bytearray(NEW.encode(Derived(1, 2, 9, "x")))
    data[6] = 0
    assert NEW.decode(data) == Derived(1, 2, 9, "x")


def test_a_tail_that_the_version_does_not_have_is_skipped() -> None:
    assert MIDDLE.decode(NEW.encode(Derived(1, 2, 9, "x"))) == Derived(1, 2, 9)


def test_what_is_no_tail_must_be_there() -> None:
    with pytest.raises(WireError, match=r"Derived.b at byte 11: the input ends inside it"):
        NEW.decode(bytes.fromhex("00 01000000 01 00 01000000 02"))
    with pytest.raises(WireError, match=r"Base.a at byte 5"):
        NEW.decode(bytes.fromhex("00 00000000 00 02000000 0200"))


def test_half_a_tail_field_is_an_error() -> None:
    with pytest.raises(WireError, match=r"Derived.tail at byte 13: the input ends inside it"):
        NEW.decode(bytes.fromhex("00 01000000 01 01 03000000 0200 03"))


def test_a_level_longer_than_the_input() -> None:
    with pytest.raises(WireError, match=r"Derived.\(header\) at byte 6: the structure is longer"):
        NEW.decode(bytes.fromhex("00 01000000 01 00 ffffffff 0200 03"))
    with pytest.raises(WireError, match=r"Base.\(header\) at byte 0: the structure is longer"):
        NEW.decode(bytes.fromhex("00 01000001 01 00 02000000 0200"))


class Revised(Structure):
    """As DataStoreSearchParam: what a later revision adds stands before what an older added."""

    a: UInt8 = 1
    first: UInt8 = field(default=10, when=Rev(1) | V("4.0"))
    third: UInt8 = field(default=30, when=Rev(3) | V("4.0"))
    second: UInt8 = field(default=20, when=Rev(2) | V("4.0"))


@pytest.mark.parametrize(
    ("revision", "body", "expected"),
    [
        (0, "05", Revised(5)),
        (0, "05 06", Revised(5)),
        (1, "05 06", Revised(5, 6)),
        (2, "05 06 07", Revised(5, 6, 30, 7)),
        (3, "05 06 07 08", Revised(5, 6, 7, 8)),
        (3, "05 06", Revised(5, 6)),
    ],
)
def test_revisions_decide_where_the_version_does_not(
    revision: int, body: str, expected: Revised
) -> None:
    content = bytes.fromhex(body)
    data = bytes([revision]) + len(content).to_bytes(4, "little") + content
    assert WireContext("3.8").codec(Revised).decode(data) == expected


def test_bare_revisions_without_a_header() -> None:
    assert WireContext("3.4").codec(Revised).encode(Revised()).hex() == "01"
    assert WireContext("3.8").codec(Revised).encode(Revised()).hex() == "0304000000010a1e14"
    assert WireContext("4.0").codec(Revised).encode(Revised()).hex() == "0004000000010a1e14"
    plain = WireContext("4.0", struct_header=False).codec(Revised)
    assert plain.encode(Revised()).hex() == "010a1e14"
    assert plain.decode(bytes.fromhex("01020304")) == Revised(1, 2, 3, 4)


class Middle(Structure):
    a: UInt8 = 1
    inserted: UInt8 = field(default=9, when=Rev(1))
    b: UInt8 = 2


@pytest.mark.parametrize(
    ("data", "expected"),
    [("00 02000000 05 06", Middle(5, 9, 6)), ("01 03000000 05 06 07", Middle(5, 6, 7))],
)
def test_a_revision_inserts_a_field(data: str, expected: Middle) -> None:
    assert WireContext("3.5").codec(Middle).decode(bytes.fromhex(data)) == expected


class Marked(Data):
    a: UInt8 = 1


class Final(Structure):
    a: UInt8 = 1
    extra: UInt32 = field(default=0, optional=True)


def test_the_data_level() -> None:
    assert WireContext("3.5").codec(Marked).encode(Marked()).hex() == "0000000000000100000001"
    assert WireContext("3.4").codec(Marked).encode(Marked()).hex() == "01"


@pytest.mark.parametrize(("version", "header"), [("3.5", 5), ("3.4", 0)])
def test_optional_fields(version: str, header: int) -> None:
    codec = WireContext(version).codec(Final)
    assert len(codec.encode(Final(1))) == header + 1
    assert len(codec.encode(Final(1, 2))) == header + 5
    for value in (Final(1), Final(1, 2)):
        assert codec.decode(codec.encode(value)) == value
    with pytest.raises(WireError, match="expected an int for a u32, got str"):
        codec.encode(Final(1, "2"))  # type: ignore[arg-type]
