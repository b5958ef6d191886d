"""The service of rankings over a store in memory."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from nekonex.domain.ranking import (
    AttributeChange,
    AttributeFlag,
    Board,
    GroupFilter,
    Period,
    RankCalculation,
    RankingError,
    RankingHooks,
    RankingLimits,
    RankingPage,
    RankingRules,
    Rankings,
    RankQuery,
    Refusal,
    ScoreUpload,
    UpdateMode,
)
from nekonex.events import EventBus, ScoreUploaded
from nekonex.storage.ranking import MemoryScoreStore
from nekonex.values import RMCError
from tests.support.score_stores import FriendsOf, Time, refusal, uploaded

BOARD = Board(1)
ALL = RankQuery(BOARD, count=255)


async def started(**keys: Any) -> Rankings:
    rankings = Rankings(MemoryScoreStore(), **keys)
    await rankings.start()
    return rankings


def shown(page: RankingPage) -> list[tuple[int, int, int]]:
    return [(one.rank, one.score.pid, one.score.score) for one in page.entries]


@pytest.mark.parametrize("descending", [False, True])
async def test_of_equal_scores_the_earlier_is_before_the_later(descending: bool) -> None:
    time = Time()
    rankings = await started(clock=time)
    for pid, score, now in ((4, 5, 10), (3, 5, 20), (2, 5, 20), (1, 7, 30), (9, 3, 40)):
        time.now = now
        await uploaded(rankings, pid, score, descending=descending)
    await uploaded(rankings, 2, 5, unique_id=7, descending=descending)
    time.now = 20
    await uploaded(rankings, 2, 5, unique_id=3, descending=descending)
    best, worst = (1, 9) if descending else (9, 1)
    page = await rankings.ranking(1, 0, ALL)
    pids = [(one.score.pid, one.score.unique_id) for one in page.entries]
    assert pids == [(best, 0), (4, 0), (2, 0), (2, 3), (3, 0), (2, 7), (worst, 0)]
    assert [one.rank for one in page.entries] == [1, 2, 2, 2, 2, 2, 7]
    assert page.total == 7
    ordinal = await rankings.ranking(1, 0, replace(ALL, calculation=RankCalculation.ORDINAL))
    assert [one.rank for one in ordinal.entries] == [1, 2, 3, 4, 5, 6, 7]
    assert [one.score for one in ordinal.entries] == [one.score for one in page.entries]


async def test_what_is_uploaded_again() -> None:
    time = Time(10)
    rankings = await started(clock=time)
    await uploaded(rankings, 1, 50, groups=(1, 2), param=3)
    time.now = 20
    for score in (50, 60):
        await uploaded(rankings, 1, score, groups=(9, 9), param=9, update=UpdateMode.BEST)
    (entry,) = await rankings.top(1, 9)
    assert entry.score[3:] == (50, (1, 2), 3, 10_000_000)
    await uploaded(rankings, 1, 50, groups=(9, 9), param=9, update=UpdateMode.ALWAYS)
    await uploaded(rankings, 2, 0, update=UpdateMode.BEST)
    first, entry = await rankings.top(1, 9)
    assert first.score.score == 0
    assert entry.score[3:] == (50, (9, 9), 9, 20_000_000)


async def test_who_is_told_of_a_score() -> None:
    events, told = EventBus(), list[ScoreUploaded]()
    events.subscribe(ScoreUploaded, told.append)
    rankings = await started(events=events, game="mk8")
    await uploaded(rankings, 5, 10, unique_id=2)
    await uploaded(rankings, 5, 11, unique_id=2, update=UpdateMode.BEST)
    await uploaded(rankings, 5, 11, unique_id=2)
    assert told == [ScoreUploaded("mk8", 5, 2, 1, 10), ScoreUploaded("mk8", 5, 2, 1, 11)]


async def test_the_order_that_a_category_has() -> None:
    rankings = await started(rules=RankingRules(categories={5: True}))
    await uploaded(rankings, 1, 10, descending=True)
    assert await refusal(uploaded(rankings, 1, 10)) is Refusal.INVALID
    assert await refusal(uploaded(rankings, 2, 10)) is Refusal.INVALID
    for descending in (True, False):
        await uploaded(rankings, 1 + descending, 10 + descending, category=5, descending=descending)
    assert [one.score.pid for one in await rankings.top(5, 9)] == [2, 1]


@pytest.mark.parametrize(
    ("query", "mode"),
    [
        (ALL, 5),
        (ALL, 255),
        (replace(ALL, count=256), 0),
        (replace(ALL, board=Board(1, GroupFilter(2, 0))), 0),
        (replace(ALL, board=Board(1, None, 3)), 0),
    ],
)
async def test_what_cannot_be_asked(query: RankQuery, mode: int) -> None:
    rankings = await started()
    await uploaded(rankings, 1, 10)
    assert await refusal(rankings.ranking(1, mode, query)) is Refusal.INVALID
    assert await refusal(rankings.by_pids([1], mode, query)) is Refusal.INVALID
    assert await refusal(rankings.by_unique_ids([1], mode, query)) is Refusal.INVALID
    if mode == 0:
        assert await refusal(rankings.cached_top(query)) is Refusal.INVALID
        assert await refusal(rankings.cached_tops([query])) is Refusal.INVALID


async def test_an_offset_counts_only_where_a_part_begins_there() -> None:
    rankings = await started()
    await uploaded(rankings, 1, 10, unique_id=4)
    far = replace(ALL, offset=2**32 - 1)
    for mode in (0, 2):
        assert await refusal(rankings.ranking(1, mode, far)) is Refusal.INVALID
    for mode in (1, 3, 4):
        assert shown(await rankings.ranking(1, mode, far)) == [(1, 1, 10)]
    assert shown(await rankings.by_pids([1], 0, far)) == [(1, 1, 10)]
    assert shown(await rankings.by_unique_ids([4], 0, far)) == [(1, 1, 10)]
    assert shown((await rankings.cached_top(far)).page) == [(1, 1, 10)]


async def test_nothing_to_show_is_not_found() -> None:
    rankings = await started()
    await uploaded(rankings, 1, 10)
    for mode in range(5):
        assert await refusal(rankings.ranking(1, mode, replace(ALL, count=0))) is Refusal.NOT_FOUND
        elsewhere = replace(ALL, board=Board(2))
        assert await refusal(rankings.ranking(1, mode, elsewhere)) is Refusal.NOT_FOUND
    assert await refusal(rankings.ranking(1, 0, replace(ALL, offset=1))) is Refusal.NOT_FOUND
    for mode in (1, 3, 4):
        assert await refusal(rankings.ranking(1, mode, ALL, 0, 2)) is Refusal.NOT_FOUND
    assert await refusal(rankings.by_pids([2], 0, ALL)) is Refusal.NOT_FOUND
    assert await refusal(rankings.by_pids([], 0, ALL)) is Refusal.NOT_FOUND
    assert await refusal(rankings.by_unique_ids([0, 2], 0, ALL)) is Refusal.NOT_FOUND
    assert await refusal(rankings.statistics(Board(2))) is Refusal.NOT_FOUND
    assert await refusal(rankings.delete(1, 2)) is Refusal.NOT_FOUND
    assert await refusal(rankings.delete_all(2)) is Refusal.NOT_FOUND
    change = AttributeChange(AttributeFlag.PARAM)
    assert await refusal(rankings.change_attributes(1, 2, change)) is Refusal.NOT_FOUND
    assert await refusal(rankings.change_all_attributes(1, change, 9)) is Refusal.NOT_FOUND
    assert await refusal(rankings.common_data(1)) is Refusal.NOT_FOUND
    await rankings.delete_common_data(1)
    assert await rankings.approximate_order(Board(2), 10) == 1
    assert await rankings.top(2, 10) == []


async def test_around_a_player_and_among_friends() -> None:
    rankings = await started(friends=FriendsOf({5: [1, 9, 7, 100]}))
    for pid in range(1, 10):
        await uploaded(rankings, pid, pid * 10)
    near = await rankings.ranking(5, 1, RankQuery(BOARD, offset=3, count=4))
    assert shown(near) == [(3, 3, 30), (4, 4, 40), (5, 5, 50), (6, 6, 60)]
    assert shown(await rankings.ranking(5, 1, RankQuery(BOARD, count=3), 0, 1))[0] == (1, 1, 10)
    last = await rankings.ranking(5, 1, RankQuery(BOARD, count=4), 0, 9)
    assert shown(last) == [(7, 7, 70), (8, 8, 80), (9, 9, 90)]
    friends = await rankings.ranking(5, 2, RankQuery(BOARD, offset=1, count=2))
    assert shown(friends) == [(2, 5, 50), (3, 7, 70)]
    assert friends.total == 4
    assert shown(await rankings.ranking(5, 3, RankQuery(BOARD, count=2), 0, 7)) == [
        (2, 5, 50),
        (3, 7, 70),
    ]
    assert await refusal(rankings.ranking(5, 3, ALL, 0, 2)) is Refusal.NOT_FOUND
    assert shown(await rankings.ranking(6, 2, ALL)) == [(1, 6, 60)]


async def test_lists_are_by_rank_and_of_a_limited_length() -> None:
    rankings = await started()
    for pid in (1, 2, 3):
        await uploaded(rankings, pid, 40 - pid * 10, unique_id=pid)
    page = await rankings.by_pids([1, 9, 3, 3], 0, RankQuery(BOARD, count=1))
    assert shown(page) == [(1, 3, 10), (3, 1, 30)]
    assert page.total == 3
    assert shown(await rankings.by_unique_ids([1, 2], 4, ALL)) == [(2, 2, 20), (3, 1, 30)]
    for asking in (
        rankings.by_pids(range(101), 0, ALL),
        rankings.by_unique_ids(range(101), 0, ALL),
        rankings.cached_tops([ALL] * 101),
    ):
        assert await refusal(asking) is Refusal.INVALID


async def test_a_window_tells_since_when() -> None:
    time = Time(86_400 * 10 + 5)
    rankings = await started(clock=time, rules=RankingRules(windows={0: Period.DAY}))
    await uploaded(rankings, 1, 10)
    today = replace(ALL, board=Board(1, None, 0))
    assert (await rankings.ranking(1, 0, today)).since == 86_400 * 10 * 1_000_000
    assert (await rankings.ranking(1, 0, ALL)).since == 946_684_800 * 1_000_000
    unknown = await rankings.ranking(1, 0, replace(ALL, board=Board(1, None, 1)))
    assert unknown.since == 946_684_800 * 1_000_000
    time.now += 86_400
    assert await refusal(rankings.ranking(1, 0, today)) is Refusal.NOT_FOUND
    await uploaded(rankings, 2, 20)
    assert shown(await rankings.ranking(1, 0, today)) == [(1, 2, 20)]


async def test_a_window_is_right_again_when_the_clock_is_set_back() -> None:
    time = Time(86_400 * 10 + 5)
    rankings = await started(clock=time, rules=RankingRules(windows={0: Period.DAY, 1: 3600}))
    await uploaded(rankings, 1, 10)
    boards = [Board(1, group, scope) for group in (None, GroupFilter(0, 0)) for scope in (0, 1)]
    time.now += 86_400 * 400
    await uploaded(rankings, 2, 20)
    for board in boards:
        assert shown(await rankings.ranking(1, 0, replace(ALL, board=board))) == [(1, 2, 20)]
    time.now -= 86_400 * 400
    await uploaded(rankings, 3, 30)
    for board in boards:
        page = await rankings.ranking(1, 0, replace(ALL, board=board))
        assert shown(page) == [(1, 1, 10), (2, 2, 20), (3, 3, 30)]


async def test_common_data_of_a_size() -> None:
    rankings = await started()
    await rankings.put_common_data(1, bytes(255))
    assert await refusal(rankings.put_common_data(1, bytes(256))) is Refusal.INVALID_SIZE
    assert await rankings.common_data(1) == bytes(255)
    exact = await started(rules=RankingRules(common_data_size=300))
    await exact.put_common_data(1, bytes(300))
    for size in (0, 299, 301):
        assert await refusal(exact.put_common_data(1, bytes(size))) is Refusal.INVALID_SIZE
    await uploaded(exact, 1, 5)
    await uploaded(exact, 1, 6, unique_id=2)
    assert [len(one.common_data) for one in await exact.top(1, 9)] == [300, 0]


class OurHooks(RankingHooks):
    async def validate_score(self, pid: int, upload: ScoreUpload, unique_id: int) -> bool:
        if unique_id == 13:
            raise RMCError("Ranking::PermissionDenied")
        return upload.score > 100 or pid == 1

    async def common_data(self, pid: int, unique_id: int, data: bytes) -> bytes:
        if data == b"bad":
            raise RankingError(Refusal.NOT_ALLOWED)
        return data.upper() + bytes([pid, unique_id])


async def test_what_a_game_adds() -> None:
    rankings = await started(hooks=OurHooks())
    assert await refusal(uploaded(rankings, 2, 100)) is Refusal.INVALID_SCORE
    assert await refusal(uploaded(rankings, 1, 100)) is None
    with pytest.raises(RMCError) as caught:
        await uploaded(rankings, 1, 100, unique_id=13)
    assert caught.value.name == "Ranking::PermissionDenied"
    await rankings.put_common_data(1, b"name", 2)
    assert await refusal(rankings.put_common_data(1, b"bad", 2)) is Refusal.NOT_ALLOWED
    assert await rankings.common_data(1, 2) == b"NAME\x01\x02"


@pytest.mark.parametrize("wrong", [None, "text", 5, bytearray(b"x")])
async def test_data_that_a_game_makes_must_be_bytes(wrong: Any) -> None:
    class Hooks(RankingHooks):
        async def common_data(self, pid: int, unique_id: int, data: bytes) -> Any:
            return wrong

    rankings = await started(hooks=Hooks())
    with pytest.raises(TypeError, match=f"common_data.* {type(wrong).__name__}"):
        await rankings.put_common_data(1, b"name")
    assert await refusal(rankings.common_data(1)) is Refusal.NOT_FOUND


async def test_what_one_player_may_use() -> None:
    limits = RankingLimits(max_categories=2, max_unique_ids=2)
    rankings = await started(limits=limits, rules=RankingRules(categories={9: True}))
    for unique_id in (4, 5, 4):
        await uploaded(rankings, 1, 10, unique_id=unique_id)
        await rankings.put_common_data(1, b"x", unique_id)
    assert await refusal(uploaded(rankings, 1, 10, unique_id=6)) is Refusal.NOT_ALLOWED
    assert await refusal(rankings.put_common_data(1, b"x", 6)) is Refusal.NOT_ALLOWED
    await uploaded(rankings, 2, 10, unique_id=6)
    await uploaded(rankings, 1, 10, category=2, unique_id=6)
    assert await refusal(uploaded(rankings, 1, 10, category=3)) is Refusal.NOT_ALLOWED
    await uploaded(rankings, 1, 10, category=9)


async def test_a_cached_top_stays_for_minutes() -> None:
    time = Time(1000.0)
    rankings = await started(clock=time)
    for pid in range(1, 15):
        await uploaded(rankings, pid, 100 + pid)
    query = RankQuery(BOARD, offset=3, count=50)
    top = await rankings.cached_top(query)
    assert (top.created, top.expires, top.max_length) == (1000.0, 1300.0, 10)
    assert [one.score.pid for one in top.page.entries] == list(range(1, 11))
    assert top.page.total == 14
    await uploaded(rankings, 20, 1)
    time.now = 1299.0
    assert await rankings.cached_top(replace(query, offset=0)) is top
    shorter = await rankings.cached_top(replace(query, count=2))
    assert [one.score.pid for one in shorter.page.entries] == [20, 1]
    time.now = 1300.0
    newer = await rankings.cached_top(query)
    assert newer.page.entries[0].score.pid == 20
    await rankings.forget(20)
    assert (await rankings.cached_top(query)).page.entries[0].score.pid == 1


async def test_cached_tops_of_several() -> None:
    rankings = await started()
    nothing = RankQuery(Board(2))
    assert await refusal(rankings.cached_top(nothing)) is Refusal.NOT_FOUND
    assert await refusal(rankings.cached_tops([nothing])) is Refusal.NOT_FOUND
    assert await refusal(rankings.cached_tops([])) is Refusal.NOT_FOUND
    await uploaded(rankings, 1, 10)
    tops = await rankings.cached_tops([nothing, ALL, nothing])
    assert [len(top.page.entries) for top in tops] == [0, 1, 0]
    # That there was nothing is not kept.
    await uploaded(rankings, 1, 10, category=2)
    assert len((await rankings.cached_top(nothing)).page.entries) == 1


async def test_a_cached_top_is_made_once_for_all_who_wait(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rankings = await started()
    await uploaded(rankings, 1, 10)
    asked = [0]
    page = rankings.store.page

    async def slow(*args: Any) -> Any:
        asked[0] += 1
        await asyncio.sleep(0)
        return await page(*args)

    monkeypatch.setattr(rankings.store, "page", slow)
    tops = await asyncio.gather(*[rankings.cached_top(ALL) for _ in range(9)])
    assert asked == [1]
    assert all(top is tops[0] for top in tops)
    assert not rankings._tops._making


async def test_no_more_cached_tops_than_the_limit() -> None:
    rankings = await started(limits=RankingLimits(max_cached_tops=2))
    await uploaded(rankings, 1, 10)
    queries = [replace(ALL, count=count) for count in (1, 2, 3)]
    first, second = [await rankings.cached_top(query) for query in queries[:2]]
    # The second is now the one that was not asked for longest.
    assert await rankings.cached_top(queries[0]) is first
    await rankings.cached_top(queries[2])
    assert await rankings.cached_top(queries[0]) is first
    assert await rankings.cached_top(queries[1]) is not second
    assert len(rankings._tops._tops) == 2


async def test_a_cached_top_of_the_future_is_made_anew() -> None:
    time = Time(5000.0)
    rankings = await started(clock=time)
    await uploaded(rankings, 1, 10)
    top = await rankings.cached_top(ALL)
    time.now = 4999.0
    newer = await rankings.cached_top(ALL)
    assert newer is not top
    assert newer.expires == 5299.0


async def test_a_cached_top_that_is_made_while_a_player_is_forgotten_is_not_kept(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rankings = await started()
    await uploaded(rankings, 1, 10)
    await uploaded(rankings, 2, 20)
    page = rankings.store.page

    async def slow(*args: Any) -> Any:
        found = await page(*args)
        was_read.set()
        await is_forgotten.wait()
        return found

    was_read, is_forgotten = asyncio.Event(), asyncio.Event()
    monkeypatch.setattr(rankings.store, "page", slow)
    making = asyncio.ensure_future(rankings.cached_top(ALL))
    await was_read.wait()
    await rankings.forget(1)
    is_forgotten.set()
    assert len((await making).page.entries) == 2
    assert shown((await rankings.cached_top(ALL)).page) == [(1, 2, 20)]


async def test_a_player_is_forgotten_whole() -> None:
    rankings = await started()
    for category in (1, 2):
        for unique_id in (0, 5):
            await uploaded(rankings, 1, 10, category=category, unique_id=unique_id)
    await uploaded(rankings, 2, 10)
    await rankings.put_common_data(1, b"x", 5)
    assert await rankings.forget(1) == 4
    assert await rankings.forget(1) == 0
    assert shown(await rankings.ranking(2, 0, ALL)) == [(1, 2, 10)]
    assert await refusal(rankings.common_data(1, 5)) is Refusal.NOT_FOUND


async def test_an_operator_sees_what_there_is_and_removes_it_at_once() -> None:
    rankings = await started()
    assert await rankings.categories() == []
    for pid, unique_id, category, score in (
        (1, 0, 7, 10),
        (1, 5, 7, 20),
        (2, 0, 7, 30),
        (1, 0, 3, 1),
    ):
        await uploaded(
            rankings, pid, score, category=category, unique_id=unique_id, descending=category == 7
        )
    assert await rankings.categories() == [(3, False, 1), (7, True, 3)]
    query = RankQuery(Board(7), count=10)
    assert [one.score.score for one in (await rankings.cached_top(query)).page.entries] == [
        *(30, 20, 10)
    ]
    assert [each.score for each in await rankings.remove(1, 7, 5)] == [20]
    assert await refusal(rankings.remove(1, 7, 5)) is Refusal.NOT_FOUND
    # Nobody is shown it for some minutes more.
    assert [one.score.score for one in (await rankings.cached_top(query)).page.entries] == [30, 10]
    await uploaded(rankings, 1, 25, category=7, unique_id=6, descending=True)
    assert [each.unique_id for each in await rankings.remove(1, 7)] == [6, 0]
    assert await rankings.categories() == [(3, False, 1), (7, True, 1)]
    assert await refusal(rankings.remove(1, 8)) is Refusal.NOT_FOUND
