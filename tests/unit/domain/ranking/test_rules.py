"""Windows of time, attributes, and numbers about scores."""

from datetime import UTC, datetime

import pytest

from nekonex.domain.ranking import (
    ALL_TIME,
    AttributeChange,
    AttributeFlag,
    Period,
    RankingRules,
    Score,
    Statistics,
    StatisticsFlag,
    group_filter,
    two_groups,
)
from nekonex.domain.ranking.model import GroupFilter
from nekonex.domain.ranking.rules import SINCE_EVER, window_start
from nekonex.values import DateTime


def micro(*parts: int) -> int:
    return round(datetime(*parts, tzinfo=UTC).timestamp()) * 1_000_000  # type: ignore[arg-type,misc]


@pytest.mark.parametrize(
    ("window", "now", "start"),
    [
        (Period.DAY, (2026, 11, 20, 19, 30), (2026, 11, 20)),
        (Period.DAY, (2026, 11, 20), (2026, 11, 20)),
        (Period.WEEK, (2026, 11, 20, 19, 30), (2026, 11, 16)),
        (Period.WEEK, (2026, 11, 16), (2026, 11, 16)),
        (Period.WEEK, (2026, 11, 15, 23, 59, 59), (2026, 11, 9)),
        (Period.MONTH, (2026, 11, 20, 19, 30), (2026, 11, 1)),
        (Period.MONTH, (2024, 2, 29, 23, 59), (2024, 2, 1)),
        (Period.MONTH, (2026, 1, 1), (2026, 1, 1)),
        (3600.0, (2026, 11, 20, 0, 30), (2026, 11, 19, 23, 30)),
    ],
)
def test_when_a_window_began(
    window: Period | float, now: tuple[int, ...], start: tuple[int, ...]
) -> None:
    assert window_start(window, micro(*now)) == micro(*start)
    assert window_start(window, micro(*now) - 1) < micro(*now)


def test_scopes_without_a_window_are_all_time() -> None:
    rules = RankingRules(windows={0: 60.0})
    assert rules.since(0, 100_000_000) == 40_000_000
    assert rules.since(1, 100_000_000) is None
    # 1970 is early enough, and a date that a console can be told.
    assert rules.since(0, 59_000_000) == 0
    assert RankingRules(windows={0: 1e300}).since(0, 1_800_000_000_000_000) == 0
    assert RankingRules(windows={ALL_TIME: 60.0}).since(ALL_TIME, 1) is None


def test_the_beginning_of_all_time_is_what_nintendos_server_answers() -> None:
    # 0x1F40420000: PretendoNetwork/nex-protocols-common-go ranking/get_ranking.go
    assert DateTime.from_timestamp(SINCE_EVER / 1_000_000).value == 0x1F40420000


@pytest.mark.parametrize(
    ("flags", "groups", "param"),
    [(0, (1, 2), 3), (1, (7, 2), 3), (2, (1, 8), 3), (0x10, (1, 2), 9), (0xFF, (7, 8), 9)],
)
def test_only_flagged_attributes_change(flags: int, groups: tuple[int, int], param: int) -> None:
    score = Score(1, 5, 0, 100, (1, 2), 3, 1000)
    change = AttributeChange(AttributeFlag(flags), (7, 8), 9)
    assert change.applied(score) == Score(1, 5, 0, 100, groups, param, 1000)


def test_only_wanted_statistics_are_given() -> None:
    found = Statistics(4, 10, 1, 5)
    everything = (4.0, 10.0, 1.0, 5.0, 2.5)
    assert found.selected(StatisticsFlag(0x1F)) == everything
    for place, number in enumerate(everything):
        only = [0.0] * 5
        only[place] = number
        assert found.selected(StatisticsFlag(1 << place)) == tuple(only)
    assert Statistics().selected(StatisticsFlag(0xFF)) == (0.0,) * 5


def test_groups_are_two_bytes() -> None:
    assert [two_groups(values) for values in ([], [1], [1, 2], [1, 2, 3])] == [
        (0, 0),
        (1, 0),
        (1, 2),
        (1, 2),
    ]


def test_255_is_no_group() -> None:
    assert group_filter(255, 9) is None
    assert group_filter(1, 9) == GroupFilter(1, 9)
