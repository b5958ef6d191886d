"""Whatever the bytes are: a value or a WireError, and both decoders agree."""

from __future__ import annotations

import random
import struct
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nekonex.nex import structures as s
from nekonex.values import DateTime, Result, StationURL
from nekonex.wire import (
    PID,
    AnyData,
    Codec,
    Float,
    QBuffer,
    Rev,
    SInt16,
    Structure,
    UInt8,
    UInt16,
    UInt32,
    V,
    Variant,
    WireContext,
    WireError,
    field,
)
from nekonex.wire.scope import ERRORS


class Part(Structure):
    id: UInt32
    name: str
    flags: list[bool]


class Branch(Structure):
    label: UInt8
    branches: list[Branch] = field(default=[])


class Everything(Part):
    part: Part
    parts: list[Part]
    by_name: dict[str, list[UInt16]]
    variants: dict[UInt8, Variant]
    raw: bytes
    small: QBuffer
    urls: list[StationURL]
    result: Result
    dates: list[DateTime]
    holder: AnyData
    tree: Branch
    numbers: list[SInt16]
    reals: list[Float]
    pid: PID
    extra: UInt16 = field(default=1, when=V("3.6") & Rev(1))
    text: str = field(default="t", when=(V("3.8") & Rev(2)) | V("4.0"))
    more: Part = field(default=Part(1, "", []), when=Rev(3))
    last: UInt8 = field(default=0, optional=True)


def everything() -> Everything:
    return Everything(
        1, "name", [True, False], Part(2, "x", []), [Part(3, "", [True]), Part(4, "yy", [])],
        {"a": [1, 2], "b": []}, {1: Variant(1, -1), 2: Variant(4, "v")}, b"raw", b"small",
        [StationURL("prudp", address="192.0.2.1", port=5)], Result(0x10001), [DateTime(7)],
        s.AuthenticationInfo("t"), Branch(1, [Branch(2), Branch(3, [Branch(4)])]),
        list(range(-10, 10)), [0.5], 9, 5, "tail", Part(5, "z", [False]), 8,
    )  # fmt: skip


CONTEXTS = [
    WireContext(version, struct_header=header, pid_size=pid_size, holders=s.default_holders())
    for version in ("2.4.3", "3.5.4", "3.8.3", "4.4.0")
    for header, pid_size in ((False, 8), (True, 4))
]
EXAMPLES: list[Structure] = [
    everything(),
    s.MatchmakeSession(description="abc", application_data=b"x" * 9),
    s.MatchmakeSessionSearchCriteria(),
    s.RankingResult([s.RankingRankData(1, 2, 3, 4, 5, [6], 7, b"8")] * 3, 1, DateTime(0)),
    s.PlayingSession(1, s.PersistentGathering(attribs=[1, 2])),
    s.RVConnectionData(),
    s.NotificationEvent(1, 2, map={"a": Variant(2, 1.5)}),
]
CASES = [
    (context.codec(type(value)), context.codec(type(value)).encode(value))
    for context in CONTEXTS
    for value in EXAMPLES
]


def survive(codec: Codec[Any], data: bytes) -> None:
    """Decode in both ways; whatever is accepted must be stable when it is sent again."""
    try:
        careful: Any = codec.read_careful(data, 0, len(data), 0)
    except WireError as error:
        careful = error
    if isinstance(careful, WireError):
        assert careful.structure
        assert careful.offset is not None
        assert 0 <= careful.offset <= len(data)
    try:
        fast: Any = codec.read(data, 0, len(data), 0)
    except ERRORS:
        fast = None
    assert fast is None or repr(fast) == repr(careful)
    try:
        value, end = codec.decode_prefix(data)
    except WireError:
        assert isinstance(careful, WireError)
        return
    assert repr((value, end)) == repr(careful)
    assert end <= len(data)
    try:
        again = codec.encode(value)
    except WireError:
        return
    assert repr(codec.decode(again)) == repr(value)


@settings(max_examples=150)
@given(st.sampled_from(CASES), st.binary(max_size=200))
def test_random_bytes(case: tuple[Codec[Any], bytes], data: bytes) -> None:
    survive(case[0], data)


INTERESTING = [0, 1, 2, 5, 0x7F, 0x80, 0xFF, 0xFFFF, 0x10000, 0x7FFFFFFF, 0xFFFFFFFF]


def mutate(data: bytes, chance: random.Random) -> bytes:
    mutated = bytearray(data)
    for _ in range(chance.choice([1, 1, 1, 2, 5])):
        position = chance.randrange(len(mutated) + 1)
        match chance.randrange(6):
            case 0:
                del mutated[position:]
            case 1:
                mutated[position:position] = chance.randbytes(chance.randrange(8))
            case 2:
                del mutated[position : position + chance.randrange(8)]
            case 3 if position + 4 <= len(mutated):
                struct.pack_into("<I", mutated, position, chance.choice(INTERESTING))
            case 4 if position + 2 <= len(mutated):
                struct.pack_into("<H", mutated, position, chance.choice(INTERESTING) & 0xFFFF)
            case _ if position < len(mutated):
                mutated[position] = chance.randrange(256)
        if not mutated:
            break
    return bytes(mutated)


@pytest.mark.parametrize("case", range(len(CASES)))
def test_mutated_encodings(case: int) -> None:
    codec, data = CASES[case]
    chance = random.Random(case)
    survive(codec, data)
    for _ in range(120):
        survive(codec, mutate(data, chance))


@pytest.mark.parametrize("case", range(len(CASES)))
def test_every_prefix(case: int) -> None:
    codec, data = CASES[case]
    for size in range(0, len(data), 1 if len(data) < 200 else 7):
        survive(codec, data[:size])


@settings(max_examples=60)
@given(st.sampled_from(CASES), st.integers(0, 2**32))
def test_mutations_found_by_hypothesis(case: tuple[Codec[Any], bytes], seed: int) -> None:
    survive(case[0], mutate(case[1], random.Random(seed)))


@pytest.mark.parametrize("context", CONTEXTS, ids=repr)
def test_everything_survives(context: WireContext) -> None:
    codec = context.codec(Everything)
    value = everything()
    data = codec.encode(value)
    assert codec.encode(codec.decode(data)) == data
    if context.struct_header and context.version >= (4,):
        assert codec.decode(data) == value


JUNK = [None, -1, 2**64, 1.5, "x", b"x", [], ["x"], [None], {}, {"x": None}, object(), DateTime(1)]


@pytest.mark.parametrize("name", Everything.wire_names)
@pytest.mark.parametrize("context", CONTEXTS[-2:], ids=repr)
def test_whatever_a_field_is_set_to(name: str, context: WireContext) -> None:
    codec = context.codec(Everything)
    for junk in JUNK:
        value = everything()
        setattr(value, name, junk)
        refused = None
        try:
            codec.decode(codec.encode(value))
        except WireError as error:
            refused = error
        assert refused is None or (refused.structure and refused.field and refused.offset is None)
