"""What only the objects of SQLite have: their file, their indexes, their writes."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from nekonex.domain.datastore.model import (
    FIRST_DATA_ID,
    NO_SLOT,
    Level,
    Permission,
    StoredObject,
    Upload,
)
from nekonex.domain.datastore.ports import FileOperation, Outcome, Quota, RatingRequest
from nekonex.domain.datastore.query import ObjectQuery, OrderColumn, OwnerType, Target
from nekonex.domain.datastore.refusals import Refusal
from nekonex.storage.sqlite import Database, SqliteObjectStore
from nekonex.values import ServiceUnavailable
from tests.support.object_stores import (
    PLENTY,
    becoming,
    deleting,
    making,
    post,
    rated_by,
    rating_slots,
    refusal,
    setting,
)
from tests.support.statements import traced

PUBLIC = Permission(Level.PUBLIC)


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


async def test_games_know_nothing_of_each_other(path: Path) -> None:
    async with opened(path) as database:
        games = [SqliteObjectStore(database, game) for game in ("mk8", "splatoon")]
        made = [
            await post(
                game,
                5,
                access=Permission(Level.PUBLIC, (7,)),
                slot=3,
                tags=("t",),
                ratings=rating_slots(0),
            )
            for game in games
        ]
        assert [one.data_id for one in made] == [FIRST_DATA_ID, FIRST_DATA_ID]
        for game, one, name in zip(games, made, "ab", strict=True):
            named = Outcome(replace(one, name=name), files=(FileOperation(name),), notify=(7,))
            await game.change(FIRST_DATA_ID, becoming(named))
        assert await games[0].forget_rater(7) == 0
        queries = [
            ObjectQuery(viewer=7, now=0, tags=frozenset({"t"}), max_total=9),
            ObjectQuery(viewer=7, now=0, recipients=frozenset({7}), max_total=9),
            ObjectQuery(viewer=7, now=0, order=64, max_total=9),
            ObjectQuery(viewer=5, now=0, target=Target.OWN, max_total=9),
        ]
        await games[1].change(FIRST_DATA_ID, deleting)
        for game, names in zip(games, (["a"], []), strict=True):
            assert await game.count() == len(names)
            assert [one.name for one in await game.page(0, 9)] == names
            assert len((await game.notifications(7, 0, 9))[0]) == len(names)
            for query in queries:
                found = await game.search(query)
                assert ([one.name for one in found.objects], found.total) == (names, len(names))
        assert [each.operation.source for each in await games[1].operations(9)] == ["b"]
        assert (await games[0].usage(5)).objects == 1


async def test_two_processes_on_one_file(path: Path) -> None:
    async with opened(path) as one, opened(path) as two:
        stores = [SqliteObjectStore(database, "mk8") for database in (one, two)]
        taken = await asyncio.gather(*[stores[at % 2].new_ids(7) for at in range(20)])
        assert len({data_id for ids in taken for data_id in ids}) == 140

        stored = await post(stores[0], 5, ratings=rating_slots(0))
        await asyncio.gather(
            *[
                stores[pid % 2].rate_all(
                    [RatingRequest(stored.data_id, 0, pid, rated_by(pid, 0, 2))], PLENTY
                )
                for pid in range(1, 41)
            ]
        )
        found = await stores[0].get(stored.data_id)
        assert found is not None
        assert (found.ratings[0].total, found.ratings[0].count) == (80, 40)

        new = [making(6, data_id, slot=3) for ids in taken[:2] for data_id in ids]
        refusals = await asyncio.gather(
            *[
                refusal(stores[at % 2].create(Outcome(each), Quota(1, 0)))
                for at, each in enumerate(new)
            ]
        )
        assert refusals.count(None) == 1
        assert refusals.count(Refusal.OVER_CAPACITY) == len(new) - 1


async def test_two_processes_that_take_one_slot(path: Path) -> None:
    async with opened(path) as one, opened(path) as two:
        stores = [SqliteObjectStore(database, "mk8") for database in (one, two)]
        objects = [await post(stores[0], 5) for _ in range(12)]

        def take(stored: StoredObject) -> Outcome:
            return Outcome(replace(stored, slot=3), lambda holder: replace(holder, slot=NO_SLOT))

        await asyncio.gather(
            *[stores[at % 2].change(each.data_id, take) for at, each in enumerate(objects)]
        )
        assert [each.slot for each in await stores[1].page(0, 20)].count(3) == 1


async def plans(database: Database, statements: list[str]) -> dict[str, str]:
    def explain(connection: sqlite3.Connection) -> dict[str, str]:
        return {
            statement: "\n".join(
                row[3] for row in connection.execute(f"EXPLAIN QUERY PLAN {statement}")
            )
            for statement in {each.strip() for each in statements}
            if statement.startswith(("SELECT", "UPDATE", "DELETE", "INSERT"))
        }

    return await database.read(explain)


def scanned(plan: str) -> list[str]:
    """Return what a plan looks through, besides lists in parameters and other parts of itself."""
    harmless = ("SCAN json_each ", "SCAN named", "SCAN CONSTANT ROW", "SCAN (subquery")
    return [
        line
        for line in plan.splitlines()
        if line.startswith("SCAN") and not line.startswith(harmless)
    ]


async def test_no_statement_looks_through_a_table(path: Path) -> None:
    async with opened(path) as database:
        store = SqliteObjectStore(database, "mk8")
        async with traced(database) as seen:
            stored = await post(
                store,
                5,
                complete=False,
                slot=3,
                key="k",
                flags=0,
                tags=("a",),
                ratings=rating_slots(0, 1),
                access=Permission(Level.PUBLIC, (7,)),
                upload=Upload(1, 9, 0),
            )
            data_id = stored.data_id
            files = (FileOperation("k~", "k"),)
            done = replace(stored, complete=True, upload=None)
            await store.change(data_id, lambda _: Outcome(done, files=files, notify=(7,)))
            await store.change(data_id, setting(tags=("b",), access=Permission(), ratings=()))
            await store.change(data_id, setting(ratings=rating_slots(0)))
            request = RatingRequest(data_id, 0, 7, rated_by(7, 0, 5))
            await store.rate_each([request], PLENTY)
            back = setting(ratings=rating_slots(0))
            await store.reset_ratings([(data_id, back)], together=True)
            await store.get(data_id)
            await store.get_many([data_id, 5])
            await store.in_slots(5, [3, 4])
            await store.rating_log(data_id, 0, 7)
            await store.notifications(7, 1, 5)
            await store.last_notification(7)
            await store.usage(5)
            for operation in await store.operations(5):
                await store.operation_done(operation.number)
            await store.page(0, 5)
            await store.count()
            await store.of_owner(5, 5)
            await store.expired(10, 5)
            await store.unfinished(10, 5)
            await store.forget_rater(7)
            await store.change(data_id, deleting)
        found = await plans(database, seen)
    assert len(found) >= 30
    for statement, plan in found.items():
        assert not scanned(plan), statement
        if "FROM objects" in statement:
            assert "TEMP B-TREE" not in plan, statement


OPEN: Mapping[str, Mapping[str, Any]] = {
    **{order.name: {"order": order, "max_total": 50} for order in OrderColumn},
    "total": {"order": 64},
    "average": {"order": 97},
    "random": {"random": True},
    "except": {"owner_type": OwnerType.EXCEPT, "owners": frozenset({5}), "max_total": 5},
    "strangers": {"target": Target.PUBLIC_OF_STRANGERS, "friends": frozenset({6}), "max_total": 5},
    "rated": {"minimum_ratings": 1, "max_total": 5},
}
"""Searches that go through objects in their order."""

NARROW: Mapping[str, Mapping[str, Any]] = {
    "owners": {"owners": frozenset({5, 6})},
    "friends": {"owner_type": OwnerType.FRIENDS, "friends": frozenset({5, 6})},
    "tags": {"tags": frozenset({"a", "b"})},
    "recipients": {"recipients": frozenset({5})},
    "refer": {"refer_data_id": 7},
    "created": {"created_from": 1, "created_to": 9},
    "updated": {"updated_from": 1},
    **{f"target {target.name}": {"target": target} for target in list(Target)[1:] if target != 11},
}
"""Searches that find what something names, and sort it."""


@pytest.mark.parametrize("types", [frozenset({1}), frozenset({1, 2}), frozenset[int]()])
@pytest.mark.parametrize("descending", [False, True])
async def test_searches_look_at_no_more_than_they_need(
    path: Path, types: frozenset[int], descending: bool
) -> None:
    async with opened(path) as database:
        store = SqliteObjectStore(database, "mk8")
        for owner in (5, 6, 6):
            await post(
                store, owner, access=PUBLIC, data_type=owner - 4, ratings=rating_slots(owner - 5)
            )
        for values in [*OPEN.values(), *NARROW.values()]:
            query = ObjectQuery(
                **{"viewer": 9, "now": 0, "data_types": types, "descending": descending, **values}
            )
            async with traced(database) as seen:
                await store.search(query)
            found = await plans(database, seen)
            assert found
            for statement, plan in found.items():
                assert not scanned(plan), (values, statement, plan)
                if values in OPEN.values():
                    assert "TEMP B-TREE" not in plan, (values, statement, plan)


async def test_a_change_writes_only_what_is_different(path: Path) -> None:
    async with opened(path) as database:
        store = SqliteObjectStore(database, "mk8")
        stored = await post(
            store, 5, tags=("a", "b"), ratings=rating_slots(0, 1), access=Permission(0, (7, 8))
        )

        async def rows(**values: Any) -> int:
            before = await database.write(lambda connection: connection.total_changes)
            await store.change(stored.data_id, setting(**values))
            after = await database.write(lambda connection: connection.total_changes)
            return after - before

        assert await rows() == 0
        assert await rows(referred=9) == 1
        assert await rows(tags=("b", "a")) == 1
        assert await rows(tags=("c", "a")) == 3
        assert await rows(access=Permission(0, (8, 7, 9))) == 2
        first, second = stored.ratings
        assert await rows(ratings=(replace(first, total=7), second)) == 1
        # The ratings have the data type too.
        assert await rows(data_type=1) == 3


@pytest.mark.parametrize(
    "wrong",
    [
        {"name": "\ud800"},
        {"tags": ("\udfff",)},
        {"key": "\ud800"},
        {"owner": -1},
        {"access_password": 2**64},
        {"access": Permission(0, (-1,))},
    ],
)
async def test_what_cannot_be_stored_is_refused_and_nothing_changes(
    path: Path, wrong: dict[str, Any]
) -> None:
    async with opened(path) as database:
        store = SqliteObjectStore(database, "mk8")
        (data_id,) = await store.new_ids(1)
        new = replace(making(5, data_id), **wrong)
        with pytest.raises(ValueError, match=r"surrogates|unsigned 64-bit"):
            await store.create(Outcome(new, files=(FileOperation("x"),)), PLENTY)
        assert await store.count() == 0
        stored = await post(store, 5, tags=("a",))
        with pytest.raises(ValueError, match=r"surrogates|unsigned 64-bit"):
            await store.change(stored.data_id, setting(**{"version": 9, **wrong}))
        assert await store.get(stored.data_id) == stored
        assert list(await store.operations(9)) == []


async def test_an_object_leaves_nothing_behind(path: Path) -> None:
    async with opened(path) as database:
        store = SqliteObjectStore(database, "mk8")
        stored = await post(
            store, 5, tags=("a",), ratings=rating_slots(0), access=Permission(0, (2**64 - 1,))
        )
        await store.change(stored.data_id, lambda one: Outcome(one, notify=(7,)))
        request = RatingRequest(stored.data_id, 0, 7, rated_by(7, 0, 5))
        await store.rate_all([request], PLENTY)
        await store.change(stored.data_id, deleting)
        for table in (
            "objects",
            "object_ratings",
            "rating_logs",
            "object_tags",
            "object_recipients",
            "object_notifications",
            "object_operations",
        ):
            assert await database.read_row(f"SELECT count(*) FROM {table}") == (0,), table


async def test_a_search_that_takes_too_long_ends(path: Path) -> None:
    async with opened(path) as database:
        store = SqliteObjectStore(database, "mk8")
        await asyncio.gather(
            *[store.create(Outcome(making(5, at, access=PUBLIC)), PLENTY) for at in range(1, 400)]
        )
        # None is rated, so that each is looked at.
        query = ObjectQuery(viewer=7, now=0, minimum_ratings=1, max_total=9)
        assert (await store.search(query)).total == 0
        hasty = SqliteObjectStore(database, "mk8", search_seconds=-1.0, watched_steps=100)
        with pytest.raises(ServiceUnavailable, match="takes longer"):
            await hasty.search(query)
        # And does not trouble what comes after it.
        assert (await store.search(query)).total == 0


async def test_an_outage_is_no_empty_answer(path: Path) -> None:
    database = await Database.open(path)
    await database.close()
    store = SqliteObjectStore(database, "mk8")
    for asking in (
        store.new_ids(1),
        store.get(1),
        store.in_slot(1, 1),
        store.page(0, 9),
        store.search(ObjectQuery(viewer=1, now=0)),
        store.create(Outcome(making(5, 10)), PLENTY),
    ):
        with pytest.raises(ServiceUnavailable):
            await asking
