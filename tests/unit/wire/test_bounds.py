"""Input decides what is allocated: counts and lengths that lie are refused at once."""

from __future__ import annotations

import time
import tracemalloc
from typing import Any

import pytest

from nekonex.nex.structures import MatchmakeSession, RankingRankData, RankingResult
from nekonex.wire import (
    AnyData,
    Data,
    QBuffer,
    Structure,
    UInt8,
    UInt32,
    UInt64,
    Variant,
    WireContext,
    WireError,
)

HUGE = b"\xff\xff\xff\xff"


class Empty(Data):
    pass


class Row(Structure):
    a: UInt64
    b: bytes


TYPES: list[Any] = [
    list[UInt8],
    list[UInt32],
    list[bool],
    list[UInt64],
    list[str],
    list[bytes],
    list[QBuffer],
    list[Variant],
    list[AnyData],
    list[Row],
    list[Empty],
    list[list[UInt8]],
    list[RankingRankData],
    dict[str, Variant],
    dict[UInt8, Empty],
    bytes,
]


@pytest.mark.parametrize("tp", TYPES, ids=str)
@pytest.mark.parametrize("header", [False, True])
@pytest.mark.parametrize("rest", [b"", bytes(64), bytes(4096)], ids=len)
def test_a_count_of_4_billion(tp: Any, header: bool, rest: bytes) -> None:
    codec = WireContext("3.5.4", struct_header=header).codec(tp)
    with pytest.raises(WireError):
        codec.decode(HUGE)
    tracemalloc.start()
    start = time.perf_counter()
    with pytest.raises(WireError):
        codec.decode(HUGE + rest)
    elapsed = time.perf_counter() - start
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert peak < 40_000 + 100 * len(rest)
    assert elapsed < 1


@pytest.mark.parametrize(
    ("tp", "fits", "size"),
    [(list[str], 10, 2), (list[UInt64], 10, 8), (list[Variant], 10, 1), (list[Row], 10, 12)],
    ids=str,
)
def test_a_count_that_just_fits(tp: Any, fits: int, size: int) -> None:
    codec = WireContext("3.4").codec(tp)
    assert len(codec.decode(fits.to_bytes(4, "little") + bytes(fits * size))) == fits
    with pytest.raises(WireError):
        codec.decode((fits + 1).to_bytes(4, "little") + bytes(fits * size))


def test_the_end_of_the_level_counts_not_that_of_the_input() -> None:
    codec = WireContext("3.5.4").codec(RankingResult)
    data = bytes.fromhex("00 04000000 05000000") + bytes(1000)
    with pytest.raises(WireError, match=r"RankingResult.data at byte 5: 5 items do not fit"):
        codec.decode(data)


def test_items_without_a_size_have_a_limit_of_their_own() -> None:
    codec = WireContext("3.4").codec(list[Empty])
    assert codec.decode((1024).to_bytes(4, "little")) == [Empty()] * 1024
    with pytest.raises(WireError, match="1025 items do not fit"):
        codec.decode((1025).to_bytes(4, "little"))


def test_an_error_names_structure_field_offset_and_reason() -> None:
    codec = WireContext("3.5.4").codec(MatchmakeSession)
    data = codec.encode(MatchmakeSession(description="abc"))
    with pytest.raises(WireError) as caught:
        codec.decode(data[:44] + HUGE + data[48:])
    error = caught.value
    assert (error.structure, error.field) == ("MatchmakeSession", "(header)")
    assert error.offset == 43
    with pytest.raises(WireError) as caught:
        codec.decode(data[:52] + HUGE + data[56:])
    error = caught.value
    assert (error.structure, error.field, error.offset) == ("MatchmakeSession", "attribs", 52)
    assert error.reason == "the input ends inside it"
    assert str(error) == "MatchmakeSession.attribs at byte 52: the input ends inside it"
    assert isinstance(error, ValueError)
