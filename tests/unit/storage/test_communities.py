"""What only the communities of SQLite have: its file, its indexes, its writes."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nekonex.domain.matchmaking.model import LAST_COMMUNITY_GID, Community, Participant
from nekonex.domain.matchmaking.ports import Outcome, Privacy
from nekonex.domain.matchmaking.refusals import Refusal
from nekonex.storage.sqlite import Database, SqliteCommunityStore, SqlitePreferenceStore
from nekonex.values import DateTime, ServiceUnavailable
from tests.support.gathering_stores import joining, leaving, refusal, setting
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


def members(*pids: int) -> Community:
    return Community(owner=pids[0], participants=tuple(Participant(pid) for pid in pids))


async def test_gids_end_where_those_of_live_gatherings_begin(path: Path) -> None:
    async with opened(path) as database:
        store = SqliteCommunityStore(database, "mk8")
        first = await store.create(Community())
        assert first.gid == 1
        await database.write(
            lambda connection: (
                connection.execute(
                    "UPDATE sqlite_sequence SET seq = ? WHERE name = 'communities'",
                    (LAST_COMMUNITY_GID - 1,),
                ).rowcount
            )
        )
        last = await store.create(members(5))
        assert last.gid == LAST_COMMUNITY_GID == 0x3FFFFFFF
        for game in ("mk8", "splatoon"):
            store_of_game = SqliteCommunityStore(database, game)
            assert await refusal(store_of_game.create(members(6))) is Refusal.TOO_MANY
        await store.change(last.gid, lambda _: Outcome(None))
        assert await refusal(store.create(members(6))) is Refusal.TOO_MANY
        assert await store.count() == 1
        assert await database.read_row("SELECT count(*) FROM community_members") == (0,)


async def test_games_share_the_numbers(path: Path) -> None:
    async with opened(path) as database:
        games = [SqliteCommunityStore(database, game) for game in ("mk8", "splatoon")]
        created = [await game.create(Community()) for game in games * 2]
        assert [community.gid for community in created] == [1, 2, 3, 4]
        assert await games[0].get(2) is None


async def test_two_processes_on_one_file(path: Path) -> None:
    async with opened(path) as one, opened(path) as two:
        stores = [SqliteCommunityStore(database, "mk8") for database in (one, two)]
        community = await stores[0].create(Community(owner=1, max_participants=12))

        refusals = await asyncio.gather(
            *[
                refusal(stores[pid % 2].change(community.gid, joining(pid), max_joined=1))
                for pid in range(1, 81)
            ]
        )
        assert refusals.count(None) == 12
        assert refusals.count(Refusal.FULL) == 68
        found = await stores[0].get(community.gid)
        assert found is not None
        assert found == await stores[1].get(community.gid)
        assert set(found.pids) == {pid for pid, no in enumerate(refusals, 1) if no is None}


async def test_what_two_processes_may_create_together(path: Path) -> None:
    async with opened(path) as one, opened(path) as two:
        stores = [SqliteCommunityStore(database, "mk8") for database in (one, two)]
        refusals = await asyncio.gather(
            *[refusal(stores[number % 2].create(members(5), max_owned=4)) for number in range(16)]
        )
        assert refusals.count(None) == 4
        assert refusals.count(Refusal.TOO_MANY_OWNED) == 12
        assert [one.gid for one in await stores[0].of_owner(5, 0, 9)] == [1, 2, 3, 4]
        communities = [await store.create(Community()) for store in stores * 4]
        refusals = await asyncio.gather(
            *[
                refusal(stores[number % 2].change(community.gid, joining(9), max_joined=3))
                for number, community in enumerate(communities)
            ]
        )
        assert refusals.count(Refusal.TOO_MANY_JOINED) == 5
        assert len(await stores[0].of_participant(9)) == 3


async def plan(database: Database, statement: str) -> str:
    def explain(connection: sqlite3.Connection) -> str:
        return "\n".join(row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}"))

    return await database.read(explain)


async def test_no_statement_looks_through_a_table_or_sorts_communities(path: Path) -> None:
    async with opened(path) as database:
        store = SqliteCommunityStore(database, "mk8")
        preferences = SqlitePreferenceStore(database, "mk8")
        async with traced(database) as seen:
            community = await store.create(members(5, 6), max_owned=4)
            await store.change(community.gid, joining(7), max_joined=16)
            await store.change(community.gid, leaving(7))
            await store.change(community.gid, setting(state=1))
            await store.get(community.gid)
            await store.page(0, 10)
            await store.of_owner(5, 0, 10)
            await store.of_participant(5)
            await store.official(0, 10)
            await store.official(0, 10, at=DateTime(5))
            await store.count()
            await store.change(community.gid, lambda _: Outcome(None))
            await preferences.change_block_list(5, add=[6], limit=9)
            await preferences.block_list(5)
            await preferences.clear_block_list(5)
            await preferences.set_privacy(5, Privacy())
            await preferences.privacy(5)
        verbs = ("SELECT", "UPDATE", "DELETE", "INSERT")
        plans = {
            statement: await plan(database, statement)
            for statement in {each.strip() for each in seen}
            if statement.startswith(verbs)
        }
    assert len(plans) >= 19
    for statement, found in plans.items():
        assert "SCAN" not in found, statement
        if "FROM communities" in statement:
            assert "TEMP B-TREE" not in found, statement
    used = "\n".join(plans.values())
    for index in ("communities_of_owner", "official_communities", "communities_of_member"):
        assert index in used


async def test_a_change_writes_only_what_is_different(path: Path) -> None:
    async with opened(path) as database:
        store = SqliteCommunityStore(database, "mk8")
        community = await store.create(members(*range(1, 101)))

        async def rows(after: Community) -> int:
            before = await database.write(lambda connection: connection.total_changes)
            await store.change(community.gid, lambda _: Outcome(after))
            return await database.write(lambda connection: connection.total_changes) - before

        everybody = community.participants
        assert await rows(community) == 0
        assert await rows(replace(community, state=1)) == 1
        assert await rows(replace(community, state=1, participants=everybody[1:])) == 1
        back = (*everybody[1:], everybody[0])
        assert await rows(replace(community, state=1, participants=back)) == 1
        visited = (replace(back[0], visits=1), *back[1:])
        assert await rows(replace(community, state=2, participants=visited)) == 2
        assert (await store.get(community.gid)) == replace(community, state=2, participants=visited)


async def test_a_community_takes_its_members_with_it(path: Path) -> None:
    async with opened(path) as database:
        store = SqliteCommunityStore(database, "mk8")
        for pid in (5, 6):
            await store.create(members(pid, 7))
        await store.change(1, lambda _: Outcome(None))
        rows = await database.read(
            lambda connection: connection.execute(
                "SELECT gid, pid FROM community_members ORDER BY gid, pid"
            ).fetchall()
        )
        assert rows == [(2, 6), (2, 7)]


@pytest.mark.parametrize(
    "wrong",
    [
        {"description": "\ud800"},
        {"owner": -1},
        {"state": 2**64},
        {"participants": (Participant(5), Participant(5))},
        {"participants": (Participant(5, message="\udfff"),)},
    ],
)
async def test_what_cannot_be_stored_is_refused_and_nothing_changes(
    path: Path, wrong: dict[str, Any]
) -> None:
    async with opened(path) as database:
        store = SqliteCommunityStore(database, "mk8")
        with pytest.raises(ValueError, match=r"surrogates|unsigned 64-bit|listed twice"):
            await store.create(replace(members(5), **wrong))
        assert await store.count() == 0
        stored = await store.create(members(5, 6))
        with pytest.raises(ValueError, match=r"surrogates|unsigned 64-bit|listed twice"):
            await store.change(stored.gid, setting(**{"state": 9, **wrong}))
        assert await store.get(stored.gid) == stored


async def test_an_outage_is_no_empty_answer(path: Path) -> None:
    database = await Database.open(path)
    await database.close()
    store = SqliteCommunityStore(database, "mk8")
    for asking in (
        store.get(1),
        store.page(0, 9),
        store.of_owner(5, 0, 9),
        store.create(Community()),
    ):
        with pytest.raises(ServiceUnavailable):
            await asking
