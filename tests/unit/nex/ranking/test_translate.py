"""Between the structures of rankings and the domain."""

from __future__ import annotations

import pytest

from nekonex.domain.ranking import (
    AttributeFlag,
    Board,
    CachedTop,
    GroupFilter,
    RankCalculation,
    RankedScore,
    RankingError,
    RankingPage,
    RankQuery,
    Refusal,
    Score,
    ScoreUpload,
    UpdateMode,
)
from nekonex.nex.ranking import REFUSAL_NAMES, error_of
from nekonex.nex.ranking.translate import (
    board_of,
    cached_to_wire,
    change_of,
    page_to_wire,
    query_of,
    upload_of,
)
from nekonex.nex.structures import (
    RankingCachedResult,
    RankingChangeAttributesParam,
    RankingOrderParam,
    RankingRankData,
    RankingResult,
    RankingScoreData,
)
from nekonex.values import DateTime, RMCError
from nekonex.values.errors import ERROR_CODES

SECOND = 1_000_000
NEW_YEAR = 1_767_225_600
"""2026-01-01 00:00:00 UTC."""


@pytest.mark.parametrize(
    ("groups", "expected"),
    [([], (0, 0)), ([7], (7, 0)), ([7, 255], (7, 255)), ([1, 2, 3], (1, 2))],
)
def test_scores(groups: list[int], expected: tuple[int, int]) -> None:
    data = RankingScoreData(5, 2**32 - 1, 1, 1, groups, 2**64 - 1)
    assert upload_of(data) == ScoreUpload(
        category=5,
        score=2**32 - 1,
        descending=True,
        update=UpdateMode.ALWAYS,
        groups=expected,
        param=2**64 - 1,
    )
    data = RankingScoreData(5, 0, 0, 0, groups, 0)
    assert upload_of(data) == ScoreUpload(
        category=5, score=0, descending=False, update=UpdateMode.BEST, groups=expected
    )


@pytest.mark.parametrize(("order", "mode"), [(2, 0), (255, 0), (0, 2), (1, 255)])
def test_orders_and_modes_that_mean_nothing(order: int, mode: int) -> None:
    with pytest.raises(RankingError) as caught:
        upload_of(RankingScoreData(1, 2, order, mode, [0, 0], 0))
    assert caught.value.refusal is Refusal.INVALID


def test_changes() -> None:
    change = change_of(RankingChangeAttributesParam(0x13, [4], 2**63))
    assert change.flags == AttributeFlag.GROUP_0 | AttributeFlag.GROUP_1 | AttributeFlag.PARAM
    assert (change.groups, change.param) == ((4, 0), 2**63)
    assert AttributeFlag.PARAM in change_of(RankingChangeAttributesParam(0xFF, [], 0)).flags


def test_queries() -> None:
    assert query_of(7, RankingOrderParam()) == RankQuery(Board(7))
    order = RankingOrderParam(1, 0, 9, 1, 2**32 - 1, 255)
    assert query_of(7, order) == RankQuery(
        Board(7, GroupFilter(0, 9), 1), RankCalculation.ORDINAL, 2**32 - 1, 255
    )
    assert board_of(7, RankingOrderParam(group_index=1, group_num=0)).group == GroupFilter(1, 0)
    # What is no group is refused by the service.
    assert board_of(7, RankingOrderParam(group_index=3)).group == GroupFilter(3, 0)
    with pytest.raises(RankingError) as caught:
        query_of(7, RankingOrderParam(order_calc=2))
    assert caught.value.refusal is Refusal.INVALID


PAGE = RankingPage(
    [
        RankedScore(Score(7, 1000, 2**64 - 1, 30, (1, 2), 3, NEW_YEAR * SECOND), 1, b"data"),
        RankedScore(Score(7, 1001, 0, 20, (0, 0), 0, NEW_YEAR * SECOND + SECOND - 1), 2, b""),
    ],
    total=300,
    since=946_684_800 * SECOND,
)
ROWS = [
    RankingRankData(1000, 2**64 - 1, 1, 7, 30, [1, 2], 3, b"data", DateTime.make(2026)),
    RankingRankData(1001, 0, 2, 7, 20, [0, 0], 0, b"", DateTime.make(2026)),
]


def test_pages() -> None:
    result = page_to_wire(PAGE)
    assert result == RankingResult(ROWS, 300, DateTime.make(2000))
    assert result.since_time.value == 0x1F40420000


def test_cached_pages() -> None:
    top = CachedTop(PAGE, NEW_YEAR + 0.5, NEW_YEAR + 300.5, 10)
    assert cached_to_wire(top) == RankingCachedResult(
        ROWS,
        300,
        DateTime.make(2000),
        DateTime.make(2026),
        DateTime.make(2026, minute=5),
        10,
    )


def test_every_refusal_has_the_name_of_an_error() -> None:
    assert set(REFUSAL_NAMES) == set(Refusal)
    assert set(REFUSAL_NAMES.values()) <= set(ERROR_CODES)


@pytest.mark.parametrize("refusal", Refusal, ids=lambda refusal: refusal.name)
def test_a_refusal_is_answered_with_its_error(refusal: Refusal) -> None:
    error = error_of(RankingError(refusal, "a detail"))
    assert isinstance(error, RMCError)
    assert error.name == REFUSAL_NAMES[refusal]


@pytest.mark.parametrize("error", [ZeroDivisionError(), RMCError("Core::AccessDenied")], ids=repr)
def test_what_is_no_refusal_passes(error: Exception) -> None:
    assert error_of(error) is error
