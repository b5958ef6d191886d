"""Between the structures of rankings and what the domain knows.

What means nothing raises RankingError (INVALID). Groups are two bytes; what is missing is 0.
"""

from __future__ import annotations

from enum import Enum
from typing import TypeVar

from nekonex.domain.ranking import (
    AttributeChange,
    AttributeFlag,
    Board,
    CachedTop,
    RankCalculation,
    RankedScore,
    RankingError,
    RankingPage,
    RankQuery,
    Refusal,
    ScoreUpload,
    UpdateMode,
    group_filter,
    two_groups,
)
from nekonex.domain.ranking.rules import MICROSECONDS
from nekonex.nex.structures import (
    RankingCachedResult,
    RankingChangeAttributesParam,
    RankingOrderParam,
    RankingRankData,
    RankingResult,
    RankingScoreData,
)
from nekonex.values import DateTime

__all__ = [
    "board_of",
    "cached_to_wire",
    "change_of",
    "page_to_wire",
    "query_of",
    "upload_of",
]

_E = TypeVar("_E", bound=Enum)

_DESCENDING = (False, True)
"""Whether larger scores are better, by the number that uploads say."""


def upload_of(data: RankingScoreData) -> ScoreUpload:
    """Return the score that a console uploads."""
    if data.order >= len(_DESCENDING):
        raise RankingError(Refusal.INVALID, f"there is no order {data.order}")
    return ScoreUpload(
        category=data.category,
        score=data.score,
        descending=_DESCENDING[data.order],
        update=_member(UpdateMode, data.update_mode),
        groups=two_groups(data.groups),
        param=data.param,
    )


def change_of(param: RankingChangeAttributesParam) -> AttributeChange:
    """Return a change of attributes."""
    return AttributeChange(AttributeFlag(param.flags), two_groups(param.groups), param.param)


def board_of(category: int, order: RankingOrderParam) -> Board:
    """Return what is ranked."""
    group = group_filter(order.group_index, order.group_num)
    return Board(category, group, order.time_scope)


def query_of(category: int, order: RankingOrderParam) -> RankQuery:
    """Return the part of a ranking that is wanted."""
    return RankQuery(
        board_of(category, order),
        _member(RankCalculation, order.order_calc),
        order.offset,
        order.count,
    )


def page_to_wire(page: RankingPage) -> RankingResult:
    """Return a part of a ranking as consoles get it."""
    return RankingResult(_rows(page), page.total, _date(page.since))


def cached_to_wire(top: CachedTop) -> RankingCachedResult:
    """Return the best as they were a while ago."""
    return RankingCachedResult(
        _rows(top.page),
        top.page.total,
        _date(top.page.since),
        DateTime.from_timestamp(top.created),
        DateTime.from_timestamp(top.expires),
        top.max_length,
    )


def _rows(page: RankingPage) -> list[RankingRankData]:
    return [_row(entry) for entry in page.entries]


def _row(entry: RankedScore) -> RankingRankData:
    score = entry.score
    return RankingRankData(
        score.pid,
        score.unique_id,
        entry.rank,
        score.category,
        score.score,
        [*score.groups],
        score.param,
        entry.common_data,
        _date(score.updated),
    )


def _date(microseconds: int) -> DateTime:
    return DateTime.from_timestamp(microseconds // MICROSECONDS)


def _member(cls: type[_E], value: int) -> _E:
    try:
        return cls(value)
    except ValueError:
        raise RankingError(Refusal.INVALID, f"there is no {cls.__name__} {value}") from None
