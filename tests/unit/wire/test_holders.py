"""Data holders: a registry for each server, and unknown content that survives."""

from __future__ import annotations

import pytest

from nekonex.nex.structures import default_holders
from nekonex.wire import (
    AnyData,
    Data,
    HolderRegistry,
    String,
    Structure,
    UInt8,
    UnknownData,
    WireContext,
    WireError,
    field,
)


class Thing(Data):
    number: UInt8 = 1


class Bare(Structure):
    number: UInt8 = 1


class OtherThing(Data):
    text: String = "x"


class Box(Structure):
    content: AnyData
    after: UInt8 = 9


def context(version: str, *classes: type[Structure]) -> WireContext:
    registry = HolderRegistry()
    for cls in classes:
        registry.register(cls)
    return WireContext(version, holders=registry)


def test_golden_bytes() -> None:
    plain = context("3.4", Thing).codec(AnyData)
    data = bytes.fromhex("0600 5468696e6700 05000000 01000000 07")
    assert plain.encode(Thing(7)) == data
    assert plain.decode(data) == Thing(7)
    headed = context("3.5", Thing).codec(AnyData)
    data = bytes.fromhex("0600 5468696e6700 0f000000 0b000000 0000000000 000100000007")
    assert headed.encode(Thing(7)) == data
    assert headed.decode(data) == Thing(7)


@pytest.mark.parametrize("version", ["3.4", "3.5"])
def test_unknown_names_survive(version: str) -> None:
    sender = context(version, Thing)
    receiver = context(version)
    data = sender.codec(Box).encode(Box(Thing(7)))
    value = receiver.codec(Box).decode(data)
    assert isinstance(value.content, UnknownData)
    assert value.content.name == "Thing"
    assert value.after == 9
    assert receiver.codec(Box).encode(value) == data


def test_two_servers_in_one_process() -> None:
    first, second = HolderRegistry(), HolderRegistry()
    first.register(Thing)
    second.register(OtherThing, "Thing")
    data = WireContext(holders=second).codec(AnyData).encode(OtherThing("y"))
    assert WireContext(holders=second).codec(AnyData).decode(data) == OtherThing("y")
    with pytest.raises(WireError):
        WireContext("3.4", holders=first).codec(AnyData).decode(b"\x06\0Thing\0\4\0\0\0\0\0\0\0")


def test_registering_again_replaces() -> None:
    registry = HolderRegistry()
    registry.register(Thing)
    copy = registry.copy()
    registry.register(OtherThing, "Thing")
    assert registry.class_of("Thing") is OtherThing
    assert registry.name_of(OtherThing) == "Thing"
    assert copy.class_of("Thing") is Thing
    assert "Thing" in copy
    assert "Other" not in copy
    with pytest.raises(TypeError, match="OtherThing is not registered"):
        copy.name_of(OtherThing)


def test_a_registration_after_the_codec_counts() -> None:
    registry = HolderRegistry()
    codec = WireContext("3.4", holders=registry).codec(AnyData)
    data = bytes.fromhex("0600 5468696e6700 05000000 01000000 07")
    assert codec.decode(data) == UnknownData("Thing", b"\x07")
    registry.register(Thing)
    assert codec.decode(data) == Thing(7)


def test_only_structures_are_registered() -> None:
    with pytest.raises(TypeError, match="not a Structure"):
        HolderRegistry().register(int)  # type: ignore[arg-type]


@pytest.mark.parametrize("value", [OtherThing(), 5, None, "text"])
def test_values_that_cannot_be_held(value: object) -> None:
    with pytest.raises(WireError, match=r"Box.content: .*(not registered|expected a structure)"):
        context("3.5", Thing).codec(Box).encode(Box(value))  # type: ignore[arg-type]


def test_errors_name_the_field_of_the_content() -> None:
    codec = context("3.4", Thing).codec(Box)
    with pytest.raises(WireError, match=r"Thing.number: 256 does not fit a u8"):
        codec.encode(Box(Thing(256)))
    with pytest.raises(WireError, match=r"Thing.number at byte 16: the input ends inside it"):
        codec.decode(bytes.fromhex("0600 5468696e6700 04000000 00000000 07"))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        ("0600 5468696e6758 05000000 01000000 07 09", "name .* does not end with a NUL"),
        ("0600 5468696e6700 06000000 01000000 07 09", "do not agree: 6 and 1"),
        ("0600 5468696e6700 00000000 01000000 07 09", "do not agree: 0 and 1"),
        ("0600 5468696e6700 05000000 ffffffff 07 09", "do not agree"),
        ("0600 5468696e6700 14000000 10000000 07 09", "longer than the input"),
        ("0600 5468696e6700 05000000", "ends inside"),
        ("ffff 5468696e6700 05000000 01000000 07 09", "ends inside"),
        ("0200 ff00 05000000 01000000 07 09", "not valid UTF-8"),
        ("", "ends inside"),
    ],
)
def test_malformed_holders(data: str, reason: str) -> None:
    with pytest.raises(WireError, match=rf"Box.content at byte 0: .*{reason}"):
        context("3.4", Thing).codec(Box).decode(bytes.fromhex(data))


def test_what_follows_the_content_in_its_holder_is_ignored() -> None:
    data = bytes.fromhex("0600 5468696e6700 07000000 03000000 07ffff 09")
    assert context("3.4", Thing).codec(Box).decode(data) == Box(Thing(7))


def test_an_empty_level_that_ours_does_not_have_is_skipped() -> None:
    codec = context("3.5", Bare).codec(AnyData)
    own = bytes.fromhex("0500 4261726500 0a000000 06000000 000100000007")
    foreign = bytes.fromhex("0500 4261726500 0f000000 0b000000 0000000000 000100000007")
    assert codec.encode(Bare(7)) == own
    assert codec.decode(own) == codec.decode(foreign) == Bare(7)


class Nest(Data):
    inner: AnyData = field(default=Thing())


def test_nesting_has_a_limit() -> None:
    codec = context("3.4", Nest, Thing).codec(AnyData)
    value = Nest()
    for _ in range(14):
        value = Nest(value)
    assert codec.decode(codec.encode(value)) == value
    payload = b"\x01"
    name = b"\x05\0Nest\0"
    data = b"\x06\0Thing\0" + b"\x05\0\0\0\x01\0\0\0" + payload
    for _ in range(200):
        data = name + (len(data) + 4).to_bytes(4, "little") + len(data).to_bytes(4, "little") + data
    with pytest.raises(WireError, match="nested too deeply"):
        codec.decode(data)
    for _ in range(200):
        value = Nest(value)
    with pytest.raises(WireError, match="nested too deeply"):
        codec.encode(value)


def test_common_holders() -> None:
    registry = default_holders()
    for name in (
        *("NullData", "AuthenticationInfo", "NintendoLoginData", "AccountExtraInfo"),
        *("Gathering", "MatchmakeSession", "PersistentGathering"),
    ):
        assert name in registry
    registry.register(Thing, "NullData")
    assert default_holders().class_of("NullData") is not Thing
