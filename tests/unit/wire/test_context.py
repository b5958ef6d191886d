"""Contexts: versions, headers and codecs that are made once."""

from __future__ import annotations

import pytest

from nekonex.nex.structures import MatchmakeSession, RankingRankData
from nekonex.wire import PID, HolderRegistry, Structure, UInt32, WireContext


def test_attributes() -> None:
    holders = HolderRegistry()
    context = WireContext(31000, versions={"ranking": 30600}, pid_size=8, holders=holders)
    assert context.version == (3, 10, 0)
    assert dict(context.versions) == {"ranking": (3, 6, 0)}
    assert context.version_of(None) == (3, 10, 0)
    assert context.version_of("ranking") == (3, 6, 0)
    assert context.version_of("matchmaking") == (3, 10, 0)
    assert context.pid_size == 8
    assert context.struct_header
    assert context.holders is holders
    assert repr(context) == "<WireContext NEX 3.10.0, 8-byte PIDs, with structure headers>"
    assert "without structure headers" in repr(WireContext("3.4"))


def test_codecs_are_made_once() -> None:
    context = WireContext()
    assert context.codec(MatchmakeSession) is context.codec(MatchmakeSession)
    assert context.codec(list[PID]) is context.codec(list[PID])
    assert context.codec(UInt32) is not WireContext().codec(UInt32)


def test_variants_are_made_once() -> None:
    context = WireContext("3.4.2", versions={"ranking": "3.6"}, pid_size=8)
    headed = context.with_(struct_header=True)
    assert headed is not context
    assert headed.struct_header
    assert headed is context.with_(struct_header=True)
    assert headed.with_(struct_header=False) is context
    assert context.with_(struct_header=False) is context
    assert (headed.version, headed.pid_size) == (context.version, context.pid_size)
    assert headed.versions == context.versions
    assert headed.holders is context.holders


def test_a_context_is_not_changed_by_what_it_was_made_from() -> None:
    versions = {"ranking": "3.6"}
    context = WireContext("3.4", versions=versions)
    versions["ranking"] = "4.0"
    assert context.version_of("ranking") == (3, 6, 0)
    with pytest.raises(TypeError):
        context.versions["ranking"] = (1, 0, 0)  # type: ignore[index]


@pytest.mark.parametrize("size", [0, 2, 5, 16])
def test_pid_sizes(size: int) -> None:
    with pytest.raises(ValueError, match="4 or 8 bytes"):
        WireContext(pid_size=size)


def test_versions_that_are_none() -> None:
    with pytest.raises(ValueError, match="version"):
        WireContext("three")
    with pytest.raises(ValueError, match="version"):
        WireContext(versions={"ranking": "x"})


def test_source_is_flat_and_readable() -> None:
    source = WireContext("3.5.4").codec(RankingRankData).source
    assert "def read(data, p, end, depth):" in source
    assert "def write(value, depth):" in source
    assert "unpack_xIIQIIII(data, p)" in source
    compile(source, "source", "exec")


def test_two_structures_of_one_name() -> None:
    def make(number: int) -> type[Structure]:
        class Same(Structure):
            value: UInt32 = number

        return Same

    first, second = make(1), make(2)

    context = WireContext("3.4")
    assert context.codec(first).encode(first()).hex() == "01000000"
    assert context.codec(second).encode(second()).hex() == "02000000"
    record = context.codec(dict[UInt32, first])  # type: ignore[valid-type]
    assert record.encode({1: first()}).hex() == "010000000100000001000000"
