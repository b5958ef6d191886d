from __future__ import annotations

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from nekonex.domain.unique_ids import UniqueId, UniqueIdLimits, check_association
from nekonex.storage import DATABASE_NAME, open_local
from nekonex.storage.sqlite import unique_ids
from nekonex.storage.sqlite.migrations import migrate

LIMITS = UniqueIdLimits(max_acquired=3, max_acquired_in_all=5, max_released=2, acquired_seconds=50)


async def test_the_total_of_acquired_ids_is_true(tmp_path: Path) -> None:
    def totals() -> tuple[int, int]:
        with closing(sqlite3.connect(tmp_path / DATABASE_NAME)) as connection:
            [kept] = connection.execute(
                "SELECT total FROM acquired_unique_id_totals WHERE game = 'mk8'"
            ).fetchone()
            [counted] = connection.execute(
                "SELECT count(*) FROM unique_ids WHERE game = 'mk8' AND state = 0"
            ).fetchone()
        return kept, counted

    async with open_local(tmp_path) as stores:
        other, store = stores.unique_ids("other"), stores.unique_ids("mk8")
        await other.create(UniqueId(1), 7, now=0, limits=LIMITS)
        for value in range(1, 9):
            await store.create(UniqueId(value), value % 3, now=value, limits=LIMITS)
            await store.create(UniqueId(value), 9, now=value, limits=LIMITS)
        assert totals() == (5, 5)
        for wanted in ([7, 8], [7], [5, 7], []):
            check = check_association(1, [UniqueId(value) for value in wanted], 10)
            await store.associate(1, wanted, check, now=10, limits=LIMITS)
        assert totals() == (2, 2)
        await store.create(UniqueId(20), 5, now=55, limits=LIMITS)  # one of the two expires
        assert totals() == (2, 2)
        assert await store.remove_of(5) == 1
        assert totals() == (1, 1)
        assert await other.count() == 1


QUERIES = [
    (unique_ids._EXPIRED, 3, "acquired_unique_ids (game=? AND since<?)"),
    (unique_ids._OLDEST, 2, "acquired_unique_ids (game=?)"),
    (unique_ids._OF_PLAYER_BEYOND, 4, "unique_ids_of_player (game=? AND pid=? AND state=?)"),
    (unique_ids._OF_PLAYER, 2, "unique_ids_of_player (game=? AND pid=? AND state=?)"),
    (unique_ids._RELEASE, 3, "unique_ids_of_player (game=? AND pid=? AND state=?)"),
    (unique_ids._REMOVE_OF_PLAYER, 2, "unique_ids_of_player (game=? AND pid=?)"),
    (unique_ids._ONE, 2, "PRIMARY KEY (game=? AND unique_id=?)"),
    (unique_ids._ASSOCIATE, 5, "PRIMARY KEY (game=? AND unique_id=?)"),
    (unique_ids._COUNT_ACQUIRED, 1, "PRIMARY KEY (game=?)"),
]


@pytest.mark.parametrize(("sql", "parameters", "index"), QUERIES)
def test_no_query_looks_at_more_than_it_needs(sql: str, parameters: int, index: str) -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, "a database")
        rows = connection.execute(f"EXPLAIN QUERY PLAN {sql}", [0] * parameters)
        plan = [str(row[3]) for row in rows]
    assert index in plan[0]
    assert not any(step.startswith("SCAN") for step in plan)
