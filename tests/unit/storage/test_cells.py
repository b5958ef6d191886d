"""What only the cells of SQLite have: their file, its totals, and what purges leave."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from random import Random

import pytest

from nekonex.domain import Account
from nekonex.domain.cells import CellLimits, CellUsage, Stored
from nekonex.storage import DATABASE_NAME, open_local
from nekonex.storage.sqlite import Database, SqliteCellStore, connect
from nekonex.storage.sqlite import cells as cells_module
from nekonex.storage.sqlite.migrations import MIGRATIONS, migrate
from nekonex.storage.sqlite.schema import cells as schema
from nekonex.values import ServiceUnavailable

LIMITS = CellLimits()


def rows(data_dir: Path, sql: str) -> list[tuple[object, ...]]:
    with closing(sqlite3.connect(data_dir / DATABASE_NAME)) as connection:
        return connection.execute(sql).fetchall()


async def test_all_is_there_after_a_restart(tmp_path: Path) -> None:
    texts = {"a": "a\0b", "\0": "\U0001f431", "é" * 127: "x" * 1_000_000}
    async with open_local(tmp_path) as stores:
        for cell, text in texts.items():
            assert await stores.cells.store("chat", cell, text, LIMITS) is Stored.KEPT
        before = await stores.cells.usage()
    async with open_local(tmp_path) as stores:
        assert list(await stores.cells.cells("chat")) == sorted(texts)
        assert {cell: await stores.cells.get("chat", cell) for cell in texts} == texts
        assert await stores.cells.usage() == before
        full = CellLimits(database_size=before[0].size)
        assert await stores.cells.store("chat", "b", "x", full) is Stored.FULL


async def test_a_database_of_the_step_before_keeps_what_it_has(tmp_path: Path) -> None:
    step = MIGRATIONS.index(schema.STEP)
    with closing(sqlite3.connect(tmp_path / DATABASE_NAME, isolation_level=None)) as connection:
        migrate(connection, "a database", MIGRATIONS[:step])
        connection.execute("INSERT INTO accounts VALUES (5, 'a', 'a', ?, NULL, 1.5)", (bytes(16),))
    async with open_local(tmp_path) as stores:
        assert await stores.accounts.get(5) == Account(5, "a", {0: bytes(16)}, 1.5)
        assert await stores.cells.usage() == []
        assert await stores.cells.store("chat", "a", "text", LIMITS) is Stored.KEPT
        assert await stores.cells.get("chat", "a") == "text"


async def test_the_totals_are_true(tmp_path: Path) -> None:
    dice = Random(6)
    limits = CellLimits(cell_size=30, database_size=120, max_cells=6)
    async with open_local(tmp_path) as stores:
        results = set()
        for _ in range(40):
            stored = [
                stores.cells.store(
                    dice.choice(["chat", "todo"]),
                    dice.choice(["a", "bé", "c", "d", "e", "f", "g", "h"]),
                    dice.choice(["", "é", "\0"]) * dice.randint(0, 40),
                    limits,
                )
                for _ in range(5)
            ]
            results |= set(await asyncio.gather(*stored))
        assert results == set(Stored)
        usage = await stores.cells.usage()
    counted = rows(
        tmp_path,
        """SELECT greeter, count(*), sum(length(cells.name) + length(text))
        FROM cells JOIN cell_owners ON owner = id GROUP BY id ORDER BY greeter""",
    )
    assert counted == [(each.greeter.encode(), each.cells, each.size) for each in usage]
    assert len(usage) == 2


async def test_another_process_sees_and_purges_what_a_server_keeps(tmp_path: Path) -> None:
    async with open_local(tmp_path) as server, open_local(tmp_path) as tool:
        await server.cells.store("chat", "a", "one", LIMITS)
        assert await tool.cells.get("chat", "a") == "one"
        assert await tool.cells.purge("chat") == 1
        assert await server.cells.get("chat", "a") == ""
        await server.cells.store("chat", "b", "two", LIMITS)
        assert await tool.cells.usage() == [CellUsage("chat", 1, 4)]


async def test_two_processes_at_once_keep_no_more_than_there_is_room_for(tmp_path: Path) -> None:
    limits = CellLimits(database_size=100)
    async with open_local(tmp_path) as one, open_local(tmp_path) as two:
        results = await asyncio.gather(
            *[
                stores.cells.store("chat", f"{number:02}", "x" * 5, limits)
                for number in range(50)
                for stores in (one, two)
            ]
        )
        [usage] = await one.cells.usage()
    # Both stored each cell: the second text is as long as the first.
    assert (usage.cells, usage.size) == (14, 98)
    assert (results.count(Stored.KEPT), results.count(Stored.FULL)) == (28, 72)


async def test_an_outage_is_no_empty_answer(tmp_path: Path) -> None:
    database = await Database.open(tmp_path / "db")
    store = SqliteCellStore(database)
    await store.store("chat", "a", "text", LIMITS)
    await database.close()
    for asking in (
        store.get("chat", "a"),
        store.store("chat", "a", "other", LIMITS),
        store.store("chat", "a", "", LIMITS),
        store.cells("chat"),
        store.purge("chat"),
        store.usage(),
    ):
        with pytest.raises(ServiceUnavailable, match="closed"):
            await asking


async def test_a_purge_gives_room_back_bit_by_bit(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells_module, "_PURGED_AT_ONCE", 2)
    async with open_local(tmp_path) as stores:
        for greeter in ("chat", "todo"):
            for cell in "abcde":
                await stores.cells.store(greeter, cell, "text", LIMITS)
        assert await asyncio.gather(*[stores.cells.purge("chat") for _ in range(3)]) == [5, 0, 0]
        assert rows(tmp_path, "SELECT cells FROM cell_owners") == [(5,)]
        assert rows(tmp_path, "SELECT count(*) FROM cells") == [(5,)]
        assert list(await stores.cells.cells("todo")) == list("abcde")


async def test_what_a_purge_leaves_goes_with_later_changes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells_module, "_SWEPT_WITH_NEW", 2)
    database = await Database.open(tmp_path / DATABASE_NAME)
    store = SqliteCellStore(database)
    for cell in "abcde":
        await store.store("chat", cell, "text", LIMITS)
    purging = asyncio.create_task(store.purge("chat"))
    await asyncio.sleep(0)
    await database.close()
    # It was done with the first commit; only the room was not given back.
    assert await purging == 5
    assert rows(tmp_path, "SELECT count(*) FROM cells") == [(5,)]
    async with open_local(tmp_path) as stores:
        assert await stores.cells.usage() == []
        for number, cell in enumerate("abc"):
            assert await stores.cells.get("chat", cell) == ""
            assert list(await stores.cells.cells("chat")) == list("abc"[:number])
            assert await stores.cells.store("chat", cell, "new", LIMITS) is Stored.KEPT
        assert rows(tmp_path, "SELECT count(*) FROM cells") == [(3,)]
        assert rows(tmp_path, "SELECT cells, size FROM cell_owners") == [(3, 12)]


async def test_one_plugins_texts_hold_up_neither_games_nor_other_plugins(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells_module, "BYTES_AT_ONCE", 20)
    async with open_local(tmp_path) as stores:
        done: list[str] = []

        async def store(greeter: str, cell: str) -> None:
            assert await stores.cells.store(greeter, cell, "x" * 10, LIMITS) is Stored.KEPT
            done.append(greeter)

        async def add() -> None:
            await stores.accounts.add([Account(5, "a", {0: bytes(16)}, 0.0)])
            done.append("game")

        texts = [store("chat", str(number)) for number in range(50)]
        await asyncio.gather(*texts, add(), store("todo", "a"))
        assert done.count("chat") == 50
        # Up to two are in the commit that is under way, and two in the next one.
        assert done.index("game") <= 4
        assert done.index("todo") <= 5
        assert len(await stores.cells.cells("chat")) == 50


async def test_a_text_whose_writer_gave_up_waiting_disturbs_no_other(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cells_module, "BYTES_AT_ONCE", 1)
    async with open_local(tmp_path) as stores:
        storing = [
            asyncio.create_task(stores.cells.store("chat", cell, "text", LIMITS))
            for cell in "abcdef"
        ]
        await asyncio.sleep(0)
        for number in (1, 2, 4):
            storing[number].cancel()
        results = await asyncio.gather(*storing, return_exceptions=True)
        assert [each is Stored.KEPT for each in results] == [True, False, False, True, False, True]
        assert list(await stores.cells.cells("chat")) == ["a", "d", "f"]


QUERIES = [
    (cells_module._TEXT, 2, "sqlite_autoindex_cells_1 (owner=? AND name=?)"),
    (cells_module._NAMES, 3, "COVERING INDEX sqlite_autoindex_cells_1 (owner=? AND name>? AND"),
    (cells_module._OWNER_AND_CELL, 2, "sqlite_autoindex_cells_1 (owner=? AND name=?)"),
    (cells_module._DETACH, 1, "sqlite_autoindex_cell_owners_1 (greeter=?)"),
    (cells_module._DETACHED, 0, "sqlite_autoindex_cell_owners_1 (greeter=?)"),
    (cells_module._DELETE_OF_OWNER, 2, "sqlite_autoindex_cells_1 (owner=?)"),
    (cells_module._USAGE, 0, "sqlite_autoindex_cell_owners_1 (greeter>?)"),
]


@pytest.mark.parametrize(("sql", "parameters", "index"), QUERIES)
def test_no_query_looks_at_more_than_it_needs(
    tmp_path: Path, sql: str, parameters: int, index: str
) -> None:
    with closing(connect(tmp_path / "db")) as connection:
        found = connection.execute(f"EXPLAIN QUERY PLAN {sql}", [0] * parameters)
        plan = [str(row[3]) for row in found]
    assert any(index in step for step in plan), plan
    assert not any(step.startswith("SCAN") or "TEMP B-TREE" in step for step in plan), plan
