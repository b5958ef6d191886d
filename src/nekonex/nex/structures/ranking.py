"""Structures of the ranking protocol."""

from __future__ import annotations

from nekonex.values import DateTime
from nekonex.wire import (
    PID,
    Buffer,
    Double,
    Rev,
    Structure,
    UInt8,
    UInt32,
    UInt64,
    V,
    field,
)

__all__ = [
    "RankingCachedResult",
    "RankingChangeAttributesParam",
    "RankingOrderParam",
    "RankingRankData",
    "RankingResult",
    "RankingScoreData",
    "RankingStats",
]


class RankingOrderParam(Structure, key="ranking"):
    """How a ranking is ordered and filtered, and which part of it is wanted."""

    order_calc: UInt8 = 0
    group_index: UInt8 = 255
    group_num: UInt8 = 0
    time_scope: UInt8 = 2
    offset: UInt32 = 0
    count: UInt8 = 10


class RankingRankData(Structure, key="ranking"):
    """One row of a ranking.

    The update time came with 3.6. Two titles of 3.4 need it too; they set their ranking
    version to 3.6.0.
    """

    pid: PID
    unique_id: UInt64
    rank: UInt32
    category: UInt32
    score: UInt32
    groups: list[UInt8]
    param: UInt64
    common_data: Buffer
    update_time: DateTime = field(default=DateTime(0), when=(V("3.6") & Rev(1)) | V("4.0"))


class RankingResult(Structure, key="ranking"):
    """A part of a ranking."""

    data: list[RankingRankData]
    total: UInt32
    since_time: DateTime


class RankingCachedResult(RankingResult):
    """A part of a ranking that may be out of date."""

    created_time: DateTime
    expired_time: DateTime
    max_length: UInt8


class RankingStats(Structure, key="ranking"):
    """Statistics of a category, one number for each flag that was asked for."""

    stats: list[Double]


class RankingScoreData(Structure, key="ranking"):
    """A score to upload."""

    category: UInt32
    score: UInt32
    order: UInt8
    update_mode: UInt8
    groups: list[UInt8]
    param: UInt64


class RankingChangeAttributesParam(Structure, key="ranking"):
    """New groups and parameter for scores; the flags say which of them count."""

    flags: UInt8
    groups: list[UInt8]
    param: UInt64
