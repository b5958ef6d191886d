"""What only the scores of SQLite have: their file, its writes, and how the boards hear of them."""

from __future__ import annotations

import asyncio
import gc
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any

import pytest

from nekonex.domain.ranking import (
    Board,
    PlayerKey,
    RankCalculation,
    RankingError,
    RankingRules,
    Rankings,
    RankQuery,
    Refusal,
    Score,
    ScoreKey,
)
from nekonex.storage.ranking import common_data as common_data_module
from nekonex.storage.ranking.commits import CommitOrder
from nekonex.storage.ranking.common_data import CommonDataCache
from nekonex.storage.sqlite import Database
from nekonex.storage.sqlite.scores import SqliteScoreStore
from tests.support.score_stores import GAME, loaded, refusal, uploaded
from tests.support.statements import traced


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "nekonex.db"


@asynccontextmanager
async def opened(path: Path) -> AsyncIterator[Database]:
    database = await Database.open(path)
    try:
        yield database
    finally:
        await database.close()


async def scores_of(rankings: Rankings, category: int = 1) -> list[tuple[int, int]]:
    return [(one.score.pid, one.score.score) for one in await rankings.top(category, 100)]


async def started(database: Database, rules: RankingRules | None = None) -> Rankings:
    rankings = Rankings(SqliteScoreStore(database, GAME), rules=rules)
    await rankings.start()
    return rankings


async def test_the_order_of_a_category_is_kept_or_configured_anew(path: Path) -> None:
    async with opened(path) as database:
        rankings = await started(database)
        await uploaded(rankings, 5, 10, descending=True)
        await uploaded(rankings, 6, 20, descending=True)
        await rankings.delete(6, 1)
        await rankings.delete(5, 1)
    async with opened(path) as database:
        rankings = await started(database)
        contradicting = uploaded(rankings, 5, 10, descending=False)
        assert await refusal(contradicting) is Refusal.INVALID
        await uploaded(rankings, 5, 10, descending=True)
        await uploaded(rankings, 6, 20, descending=True)
        assert await scores_of(rankings) == [(6, 20), (5, 10)]
    async with opened(path) as database:
        rankings = await started(database, RankingRules(descending=False))
        assert await scores_of(rankings) == [(5, 10), (6, 20)]
        await uploaded(rankings, 7, 15, descending=True)
        assert await scores_of(rankings) == [(5, 10), (7, 15), (6, 20)]


async def test_two_first_uploads_that_contradict_each_other(path: Path) -> None:
    async with opened(path) as database:
        rankings = await started(database)
        uploads = [uploaded(rankings, pid, pid, descending=pid % 2 == 0) for pid in range(6)]
        refusals = await asyncio.gather(*[refusal(upload) for upload in uploads])
        assert refusals == [None, Refusal.INVALID] * 3
        assert await scores_of(rankings) == [(4, 4), (2, 2), (0, 0)]


async def test_games_know_nothing_of_each_other(path: Path) -> None:
    async with opened(path) as database:
        one, two = [Rankings(SqliteScoreStore(database, name)) for name in ("a", "b")]
        for rankings in (one, two):
            await rankings.start()
        await uploaded(one, 5, 10)
        await one.put_common_data(5, b"x")
        assert await scores_of(two) == []
        assert await refusal(two.common_data(5)) is Refusal.NOT_FOUND
        await uploaded(two, 5, 20, descending=True)
        await two.put_common_data(5, b"y")
        assert await two.forget(5) == 1
        assert await scores_of(one) == [(5, 10)]
        assert await one.common_data(5) == b"x"


async def test_whoever_gives_up_is_still_on_the_board(path: Path) -> None:
    async with opened(path) as database:
        rankings = await started(database)
        await uploaded(rankings, 1, 1)
        upload = asyncio.ensure_future(uploaded(rankings, 5, 10))
        data = asyncio.ensure_future(rankings.put_common_data(5, b"new"))
        for _ in range(3):
            await asyncio.sleep(0)
        upload.cancel()
        data.cancel()
        with pytest.raises(asyncio.CancelledError):
            await upload
        # Later writes are committed later.
        await uploaded(rankings, 6, 11)
        assert await scores_of(rankings) == [(1, 1), (5, 10), (6, 11)]
        assert await rankings.common_data(5) == b"new"


async def test_what_is_refused_to_one_who_gave_up_is_no_warning(path: Path) -> None:
    complaints: list[dict[str, object]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, told: complaints.append(told))
    async with opened(path) as database:
        rankings = await started(database)
        deleting = asyncio.ensure_future(rankings.delete(1, 1))
        await asyncio.sleep(0)
        deleting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await deleting
        # Committed later, so that the refusal has come.
        await rankings.put_common_data(1, b"")
        del deleting
        gc.collect()
        assert complaints == []


async def test_boards_and_database_agree_after_a_crowd(path: Path) -> None:
    async with opened(path) as database:
        rankings = await started(database)
        random = Random(1)

        async def act(number: int) -> None:
            pid = number % 4
            if random.random() < 0.2:
                await refusal(rankings.delete(pid, 1))
            elif random.random() < 0.1:
                await rankings.forget(pid)
            else:
                await uploaded(rankings, pid, random.randrange(1000))

        tasks = [asyncio.ensure_future(act(number)) for number in range(300)]
        for task in random.sample(tasks, 50):
            await asyncio.sleep(0)
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await rankings.put_common_data(1, b"")
        on_boards = await rankings.top(1, 100)
    async with opened(path) as database:
        stored = await (await started(database)).top(1, 100)
        assert [one.score for one in stored] == [one.score for one in on_boards]


async def test_scores_that_another_process_removed_are_forgotten(path: Path) -> None:
    async with opened(path) as database, opened(path) as other:
        rankings = await started(database)
        for pid in (5, 6):
            await uploaded(rankings, pid, 10)
        await rankings.put_common_data(5, b"x")
        assert await rankings.common_data(5) == b"x"
        assert await (await started(other)).forget(5) == 1
        assert await rankings.forget(5) == 0
        assert await scores_of(rankings) == [(6, 10)]
        assert await refusal(rankings.common_data(5)) is Refusal.NOT_FOUND


async def test_what_a_transition_raises_changes_nothing(path: Path) -> None:
    def refuse(_: Score | None) -> Score | None:
        raise RankingError(Refusal.NOT_ALLOWED)

    async with opened(path) as database:
        store = SqliteScoreStore(database, GAME)
        rankings = Rankings(store)
        await rankings.start()
        for category in (1, 2):
            await uploaded(rankings, 5, 10, category=category)
        assert await refusal(store.change(ScoreKey(1, 5), refuse)) is Refusal.NOT_ALLOWED
        assert await refusal(store.change_all(5, 0, refuse)) is Refusal.NOT_ALLOWED
        assert await scores_of(rankings) == [(5, 10)]


async def test_a_commit_that_is_heard_of_late_does_not_undo_a_later_one(
    path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with opened(path) as database:
        rankings = await started(database)
        await uploaded(rankings, 5, 10)
        write, is_committed, may_be_heard = database.write, asyncio.Event(), asyncio.Event()

        async def write_and_wait(job: Any) -> Any:
            result = await write(job)
            is_committed.set()
            await may_be_heard.wait()
            return result

        monkeypatch.setattr(database, "write", write_and_wait)
        late = asyncio.ensure_future(uploaded(rankings, 5, 20))
        await is_committed.wait()
        monkeypatch.setattr(database, "write", write)
        await uploaded(rankings, 5, 30)
        assert await scores_of(rankings) == [(5, 30)]
        may_be_heard.set()
        await late
        assert await scores_of(rankings) == [(5, 30)]


def test_the_last_commit_wins_whatever_is_heard_first() -> None:
    commits = CommitOrder()
    one, two = ScoreKey(1, 5), ScoreKey(2, 5)
    commits.begin(5)
    commits.begin(5)
    assert commits.news(5, [one], 7) == [one]
    commits.end(5)
    assert commits.news(5, [one, two], 6) == [two]
    commits.end(5)
    commits.begin(5)
    assert commits.news(5, [one], 8) == [one]
    commits.end(5)
    assert not commits._players


def test_common_data_is_kept_up_to_a_size() -> None:
    cache = CommonDataCache(max_bytes=1000)
    keys = [PlayerKey(pid, 0) for pid in range(5)]
    cache.learn(keys[:3], {keys[0]: bytes(100), keys[1]: b""}, cache.version)
    assert cache.find(keys[:4]) == ({keys[0]: bytes(100), keys[1]: b""}, [keys[3]])
    cache.find([keys[0]])
    cache.learn(keys[3:], {}, cache.version)
    assert cache.find(keys) == ({keys[0]: bytes(100)}, [keys[1]])
    cache.forget(0, 0)
    cache.forget(2, None)
    assert cache.find(keys)[1] == [keys[0], keys[1], keys[2]]
    version = cache.version
    cache.forget(1, 0)
    cache.learn([keys[1]], {keys[1]: b"old"}, version)
    assert cache.find([keys[1]]) == ({}, [keys[1]])
    cache.learn(keys, {key: bytes(1000) for key in keys}, cache.version)
    assert cache.find(keys) == ({}, keys)
    assert cache._size == 0


def test_who_is_not_among_all_common_data_has_none() -> None:
    cache = CommonDataCache(max_bytes=1000)
    keys = [PlayerKey(pid, 0) for pid in range(4)]
    cache.fill([(0, 0, b"a"), (1, 0, b"b")])
    assert cache.find(keys) == ({keys[0]: b"a", keys[1]: b"b"}, [])
    cache.forget(1, 0)
    cache.forget(2, 0)
    assert cache.find(keys) == ({keys[0]: b"a"}, [keys[1], keys[2]])
    cache.learn(keys[1:3], {keys[2]: b"c"}, cache.version)
    assert cache.find(keys) == ({keys[0]: b"a", keys[2]: b"c"}, [])
    assert cache._size == 2 * 201


def test_more_common_data_than_there_is_room_for_is_asked_for_again() -> None:
    cache = CommonDataCache(max_bytes=500)
    cache.fill((pid, 0, b"a") for pid in range(1, 6))
    keys = [PlayerKey(pid, 0) for pid in range(1, 7)]
    assert cache.find(keys) == (dict.fromkeys(keys[:3], b"a"), keys[3:])
    cache = CommonDataCache(max_bytes=500)
    cache.fill([(1, 0, b"a")])
    cache.learn([PlayerKey(2, 0)], {PlayerKey(2, 0): bytes(400)}, cache.version)
    assert cache.find([PlayerKey(1, 0)])[1] == [(1, 0)]


def test_who_changes_much_that_is_never_asked_for_takes_no_memory(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(common_data_module, "_MAX_UNSURE", 10)
    cache = CommonDataCache()
    cache.fill([])
    for pid in range(1, 12):
        assert cache.find([PlayerKey(99, 0)])[1] == []
        cache.forget(pid, 0)
    assert cache.find([PlayerKey(99, 0)])[1] == [(99, 0)]
    assert not cache._unsure


async def test_common_data_is_in_memory_after_a_start(path: Path) -> None:
    async with opened(path) as database:
        rankings = await started(database)
        for pid in (5, 1 << 63):
            await uploaded(rankings, pid, 10)
        await rankings.put_common_data(1 << 63, b"x", (1 << 64) - 1)
        await rankings.put_common_data(5, b"y")
        again = await started(database)
        async with traced(database) as seen:
            assert await again.common_data(1 << 63, (1 << 64) - 1) == b"x"
            page = await again.ranking(5, 0, RankQuery(Board(1)))
        assert [each.common_data for each in page.entries] == [b"y", b""]
        assert not [each for each in seen if each.startswith("SELECT")]


async def test_common_data_that_changes_while_it_is_read(path: Path) -> None:
    async with opened(path) as database:
        rankings = await started(database)
        await uploaded(rankings, 5, 10)
        for number in range(20):
            data = bytes([number])
            page = rankings.ranking(5, 0, RankQuery(Board(1)))
            reading = asyncio.ensure_future(page)
            await rankings.put_common_data(5, data)
            await reading
            assert await rankings.common_data(5) == data


async def test_no_statement_looks_through_a_table(path: Path) -> None:
    async with opened(path) as database:
        store = await loaded(SqliteScoreStore(database, GAME))
        rankings = Rankings(store)
        async with traced(database) as seen:
            await rankings.start()
            await uploaded(rankings, 5, 10)
            await rankings.put_common_data(5, b"x")
            await rankings.ranking(5, 0, RankQuery(Board(1)))
            await rankings.delete_all(5)
            await rankings.delete_common_data(5)
            await rankings.forget(5)
            await store.page(Board(1), RankCalculation.ORDINAL, 0, 5)

        def plans(connection: sqlite3.Connection) -> list[str]:
            statements = [one for one in seen if one.split()[0] in {"SELECT", "DELETE"}]
            assert len(statements) > 6
            return [
                row[3]
                for one in statements
                for row in connection.execute(f"EXPLAIN QUERY PLAN {one}")
            ]

        found = await database.read(plans)
        assert [line for line in found if "SCAN" in line and "json_each" not in line] == []
