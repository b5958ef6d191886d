"""What is made of a board in slices, while that changes."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from random import Random

import pytest

from nekonex.domain.ranking import (
    Board,
    GroupFilter,
    RankCalculation,
    Score,
    ScoreKey,
)
from nekonex.domain.ranking.ports import Ranks
from nekonex.storage.ranking import MemoryScoreStore
from nekonex.storage.ranking.boards import SortedBoard
from nekonex.storage.ranking.derived import Derived, GroupBoards

CATEGORY = 1
START = 1_000_000


def score(pid: int, number: int, *, group: int = 0, updated: int = START) -> Score:
    return Score(CATEGORY, pid, pid % 3, number, (group, 0), 0, updated)


async def put(store: MemoryScoreStore, new: Score) -> None:
    await store.change(new.key, lambda _: new)


async def filled(size: int, random: Random) -> tuple[MemoryScoreStore, dict[ScoreKey, Score]]:
    store = MemoryScoreStore()
    await store.fix_order(CATEGORY, descending=False, max_categories=None)
    scores = {}
    for pid in range(size):
        new = score(pid, random.randrange(50), group=random.randrange(3), updated=START + pid)
        scores[new.key] = new
        await put(store, new)
    return store, scores


async def alter(store: MemoryScoreStore, scores: dict[ScoreKey, Score], random: Random) -> None:
    """Change one score at random; sometimes one goes, sometimes one comes."""
    pid = random.randrange(len(scores) + 100)
    new = score(pid, random.randrange(50), group=random.randrange(3), updated=START + pid)
    if random.random() < 0.3 and new.key in scores:
        del scores[new.key]
        await store.change(new.key, lambda _: None)
    else:
        scores[new.key] = new
        await put(store, new)


def in_order(scores: list[Score]) -> list[Score]:
    return sorted(scores, key=lambda one: (one.score, one.updated, one.pid, one.unique_id))


@pytest.mark.parametrize("seed", range(3))
async def test_what_changes_while_it_is_built_is_right(seed: int) -> None:
    random = Random(seed)
    store, scores = await filled(1500, random)
    group, since = GroupFilter(0, 1), START + 700
    boards = [
        Board(CATEGORY, group),
        Board(CATEGORY, None, 0, since),
        Board(CATEGORY, group, 0, since),
    ]

    def wanted(board: Board) -> list[Score]:
        found = [one for one in scores.values() if one.updated >= board.since]
        return in_order([one for one in found if not board.group or one.groups[0] == 1])

    async def ask(board: Board) -> None:
        ranks = await store.page(board, RankCalculation.ORDINAL, 0, 10_000)
        # Nothing has changed since the answer was made: this goes on at once.
        assert [one for _, one in ranks.entries] == wanted(board)
        assert ranks.total == len(wanted(board))

    async def unique_ids() -> None:
        ranks = await store.of_unique_ids(Board(CATEGORY), RankCalculation.ORDINAL, [1, 2], 10_000)
        both = [
            [one for one in wanted(Board(CATEGORY)) if one.unique_id == number][:255]
            for number in (1, 2)
        ]
        assert [one for _, one in ranks.entries] == in_order([*both[0], *both[1]])

    asking = [asyncio.ensure_future(ask(board)) for board in boards * 2]
    asking.append(asyncio.ensure_future(unique_ids()))
    slices = 0
    while not all(task.done() for task in asking):
        await alter(store, scores, random)
        await asyncio.sleep(0)
        slices += 1
    await asyncio.gather(*asking)
    assert slices > 5
    for board in boards:
        await ask(board)


async def test_it_is_built_once_for_all_and_by_another_if_the_first_gives_up(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    store, scores = await filled(1000, Random(1))
    slices = []
    build_slice = Derived._build_slice

    def counted(self: Derived) -> None:
        slices.append(1)
        build_slice(self)

    monkeypatch.setattr(Derived, "_build_slice", counted)

    async def ask() -> Ranks:
        return await store.page(Board(CATEGORY, GroupFilter(0, 1)), RankCalculation.ORDINAL, 0, 9)

    first, *others = [asyncio.ensure_future(ask()) for _ in range(5)]
    await asyncio.sleep(0)
    first.cancel()
    answers = await asyncio.gather(*others)
    wanted = in_order([one for one in scores.values() if one.groups[0] == 1])[:9]
    assert all([one for _, one in answer.entries] == wanted for answer in answers)
    assert len(slices) == 6


async def test_the_entry_it_has_reached_may_go() -> None:
    source = SortedBoard()
    entries = [(number, 0, number, 0, 0, 0) for number in range(201)]
    for entry in entries:
        source.add(entry)
    groups = GroupBoards(source, 0)
    groups._build_slice()
    assert len(groups.board(0)) == 200
    for gone in (entries[199], entries[200]):
        source.remove(gone)
        groups.replace(gone, None)
    await groups.build()
    assert groups.board(0).islice(0, 999) == entries[:199]


async def test_much_that_is_too_old_leaves_a_window() -> None:
    store, scores = await filled(1000, Random(2))
    for since in (0, 1, 2, 450, 451, 999, 1000, 5000):
        board = Board(CATEGORY, None, 0, START + since)
        ranks = await store.page(board, RankCalculation.ORDINAL, 0, 2000)
        wanted = in_order([one for one in scores.values() if one.updated >= START + since])
        assert [one for _, one in ranks.entries] == wanted
        assert (await store.statistics(board)).total == sum(one.score for one in wanted)
        (window,) = store._windows.values()
        assert not window._waste


async def test_a_window_begins_anew_when_the_clock_is_set_back() -> None:
    random = Random(4)
    store, scores = await filled(1500, random)
    future = Board(CATEGORY, None, 0, START + 10**9)

    async def ask(board: Board) -> None:
        ranks = await store.page(board, RankCalculation.ORDINAL, 0, 5000)
        assert [one for _, one in ranks.entries] == in_order(list(scores.values()))

    # Both while it is built and when it is there.
    for _ in range(2):
        late = asyncio.ensure_future(store.page(future, RankCalculation.ORDINAL, 0, 9))
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        asking = asyncio.ensure_future(ask(Board(CATEGORY, None, 0, START - 1)))
        await alter(store, scores, random)
        await asking
        await late
        assert (await store.page(future, RankCalculation.ORDINAL, 0, 9)).total == 0
    (window,) = store._windows.values()
    assert not window._waste


async def test_a_window_that_somebody_waits_for_is_not_dropped() -> None:
    random = Random(3)
    store, scores = await filled(1500, random)
    store._max_windows = 1
    # Nothing is in these groups, so windows of them are made at once.
    await store.page(Board(CATEGORY, GroupFilter(0, 3)), RankCalculation.ORDINAL, 0, 1)

    async def ask() -> None:
        everything = Board(CATEGORY, None, 0, 1)
        ranks = await store.page(everything, RankCalculation.ORDINAL, 0, 5000)
        assert [one for _, one in ranks.entries] == in_order(list(scores.values()))

    asking = asyncio.ensure_future(ask())
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    for group in range(3, 9):
        board = Board(CATEGORY, GroupFilter(0, group), 1, 1)
        await store.page(board, RankCalculation.ORDINAL, 0, 1)
        await alter(store, scores, random)
    await asking
    await store.page(Board(CATEGORY, None, 1, 1), RankCalculation.ORDINAL, 0, 1)
    assert len(store._windows) == 1
    assert len(store._categories[CATEGORY]._windows) == 1


async def test_the_window_that_was_not_asked_for_longest_is_dropped() -> None:
    store, _ = await filled(3, Random(5))
    store._max_windows = 2
    boards = [Board(CATEGORY, GroupFilter(0, group), 0, 1) for group in range(3)]
    keys = [replace(board, since=0) for board in boards]
    for board in (boards[0], boards[1], boards[0], boards[2]):
        await store.page(board, RankCalculation.ORDINAL, 0, 1)
    assert list(store._windows) == [keys[0], keys[2]]


async def test_who_had_to_wait_does_not_move_a_window_back() -> None:
    store, _ = await filled(3, Random(6))
    board = Board(CATEGORY, None, 0, START + 2)
    assert (await store.page(board, RankCalculation.ORDINAL, 0, 9)).total == 1
    late = replace(board, since=START)
    assert (await store.page(late, RankCalculation.ORDINAL, 0, 9)).total == 1
    await put(store, score(7, 1, updated=START + 1))
    assert (await store.page(late, RankCalculation.ORDINAL, 0, 9)).total == 1


async def test_who_finds_the_clock_set_back_while_the_old_leave_gets_no_half_window() -> None:
    store, _ = await filled(1000, Random(7))
    past, future = (Board(CATEGORY, None, 0, START + since) for since in (0, 10**9))
    await store.page(past, RankCalculation.ORDINAL, 0, 1)
    asking = asyncio.ensure_future(store.page(future, RankCalculation.ORDINAL, 0, 1))
    # Now it is about to free what has left.
    await asyncio.sleep(0)
    await store.page(past, RankCalculation.ORDINAL, 0, 1)
    assert (await asking).total == 1000
