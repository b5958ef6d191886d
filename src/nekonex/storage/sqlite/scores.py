"""Scores in SQLite, their ranks in memory.

A transition runs inside the transaction that stores its outcome, in the writer's thread. The
boards are told of each outcome once it is committed, also if whoever asked has gone away; while
several changes of a score are under way, `CommitOrder` has the last of them win whatever order
they are heard of in. Other processes may remove scores, but the boards do not see that.
"""

from __future__ import annotations

import asyncio
import json
import sqlite3
from collections.abc import Callable, Collection, Coroutine, Iterator, Mapping, Sequence
from itertools import count
from typing import Any, Final, TypeVar

from nekonex.domain.ranking.model import Score, ScoreKey
from nekonex.domain.ranking.ports import Change, ConfiguredOrder, PlayerKey, Transition
from nekonex.domain.ranking.refusals import RankingError, Refusal
from nekonex.storage.ranking.category import Category
from nekonex.storage.ranking.commits import CommitOrder
from nekonex.storage.ranking.common_data import MAX_CACHED_BYTES, CommonDataCache
from nekonex.storage.ranking.entries import Entry
from nekonex.storage.ranking.index import MAX_WINDOWS, IndexedScores, too_many_unique_ids
from nekonex.storage.sqlite.database import Database
from nekonex.storage.sqlite.integers import from_sql, to_sql

__all__ = ["SqliteScoreStore"]

_T = TypeVar("_T")

_Row = tuple[Any, ...]
_Committed = tuple[int, dict[ScoreKey, Change]]
"""The serial number of a transaction, and what it changed."""

_CHUNK: Final = 10_000
"""Rows that are read at a time."""

_CATEGORIES = "SELECT category, descending FROM ranking_categories WHERE game = ?"

# The columns are those of an entry, so that its row is one.
_ENTRIES = """
    SELECT score * :sign AS key, updated, pid, unique_id, groups, param FROM scores
    WHERE game = :game AND category = :category ORDER BY key, updated, pid, unique_id
"""

_BY_KEY = """
    SELECT category, pid, unique_id, score, groups, param, updated FROM scores
    WHERE game = ? AND category = ? AND pid = ? AND unique_id = ?
"""

# By the categories there are, because the key of the table begins with them.
_OF_PLAYER = """
    SELECT category, pid, unique_id, score, groups, param, updated FROM scores
    WHERE game = :game AND pid = :pid
        AND category IN (SELECT category FROM ranking_categories WHERE game = :game)
"""

_COUNT_UNIQUE_IDS = "SELECT count(*) FROM scores WHERE game = ? AND category = ? AND pid = ?"

_PUT = "INSERT OR REPLACE INTO scores VALUES (?, ?, ?, ?, ?, ?, ?, ?)"

_DELETE = "DELETE FROM scores WHERE game = ? AND category = ? AND pid = ? AND unique_id = ?"

_ALL_DATA = "SELECT pid, unique_id, data FROM ranking_common_data WHERE game = ?"

# One statement for all of a page is twice as quick as one for each.
_DATA = """
    SELECT pid, unique_id, data FROM ranking_common_data
    WHERE game = ? AND pid IN (SELECT value FROM json_each(?))
"""

_COUNT_DATA = """
    SELECT count(*) FROM ranking_common_data WHERE game = ? AND pid = ? AND unique_id <> ?
"""

_PUT_DATA = "INSERT OR REPLACE INTO ranking_common_data VALUES (?, ?, ?, ?)"


class SqliteScoreStore(IndexedScores):
    """`nekonex.domain.ranking.ports.ScoreStore` of one game; there must be only one of it."""

    def __init__(
        self,
        database: Database,
        game: str,
        *,
        max_windows: int = MAX_WINDOWS,
        max_cached_bytes: int = MAX_CACHED_BYTES,
    ) -> None:
        super().__init__(max_windows=max_windows)
        self._database = database
        self._game = game
        self._configured: ConfiguredOrder = dict[int, bool]().get
        self._serials = count()
        self._commits = CommitOrder()
        self._known_data = CommonDataCache(max_cached_bytes)
        self._finishing: set[asyncio.Task[Any]] = set()

    async def load(self, configured: ConfiguredOrder) -> None:
        """Read all that there is, in a thread of the database; nothing may change meanwhile."""
        self._configured = configured

        def read(connection: sqlite3.Connection) -> dict[int, Category]:
            rows = connection.execute(_ALL_DATA, (self._game,))
            self._known_data.fill(
                (from_sql(pid), from_sql(unique_id), data) for pid, unique_id, data in rows
            )
            categories = connection.execute(_CATEGORIES, (self._game,)).fetchall()
            return {
                category: self._read_category(connection, category, bool(descending))
                for category, descending in categories
            }

        self._categories = await self._database.search(read)
        self._windows.clear()

    async def fix_order(
        self, category: int, *, descending: bool, max_categories: int | None
    ) -> bool:
        """Make a category with this order if it does not exist, and return the order it has."""

        def fix(connection: sqlite3.Connection) -> bool:
            known = dict(connection.execute(_CATEGORIES, (self._game,)).fetchall())
            if category in known:
                return bool(known[category])
            if max_categories is not None and len(known) >= max_categories:
                raise RankingError(
                    Refusal.NOT_ALLOWED, f"at most {max_categories} categories may be"
                )
            connection.execute(
                "INSERT INTO ranking_categories VALUES (?, ?, ?)",
                (self._game, category, descending),
            )
            return descending

        order = self._order(category, await self._database.write(fix))
        if category not in self._categories:
            self._categories[category] = Category(descending=order)
        return order

    async def change(
        self, key: ScoreKey, transition: Transition, *, max_unique_ids: int | None = None
    ) -> Change:
        """Apply a transition to a score, in one transaction."""
        values = (self._game, key.category, to_sql(key.pid), to_sql(key.unique_id))

        def apply(connection: sqlite3.Connection) -> _Committed:
            row = connection.execute(_BY_KEY, values).fetchone()
            before = None if row is None else _score(row)
            after = transition(before)
            if before is None and after is not None and max_unique_ids is not None:
                known = connection.execute(_COUNT_UNIQUE_IDS, values[:3]).fetchone()[0]
                if known >= max_unique_ids:
                    raise too_many_unique_ids(max_unique_ids)
            change = Change(before, after)
            self._write(connection, key, change)
            return next(self._serials), {key: change}

        changes = await self._finish(self._commit(key.pid, apply, [key]))
        return changes[key]

    async def change_all(
        self, pid: int, unique_id: int | None, transition: Transition
    ) -> Sequence[Change]:
        """Apply a transition to each score of a player, in one transaction.

        Scores that are on the boards but not in the database any more leave the boards.
        """
        values: dict[str, object] = {"game": self._game, "pid": to_sql(pid)}
        sql = _OF_PLAYER
        if unique_id is not None:
            values["unique_id"] = to_sql(unique_id)
            sql = f"{_OF_PLAYER} AND unique_id = :unique_id"

        def apply(connection: sqlite3.Connection) -> _Committed:
            scores = [_score(row) for row in connection.execute(sql, values).fetchall()]
            changes = {score.key: Change(score, transition(score)) for score in scores}
            for key, change in changes.items():
                self._write(connection, key, change)
            return next(self._serials), changes

        keys = self._keys_of(pid, unique_id)
        changes = await self._finish(self._commit(pid, apply, keys))
        return list(changes.values())

    async def put_common_data(self, key: PlayerKey, data: bytes, *, max_unique_ids: int) -> None:
        """Store common data in place of what there was."""
        values = (self._game, to_sql(key.pid), to_sql(key.unique_id))

        def put(connection: sqlite3.Connection) -> None:
            if connection.execute(_COUNT_DATA, values).fetchone()[0] >= max_unique_ids:
                raise too_many_unique_ids(max_unique_ids)
            connection.execute(_PUT_DATA, (*values, data))

        await self._finish(self._write_data(put, key.pid, key.unique_id))

    async def delete_common_data(self, pid: int, unique_id: int | None) -> int:
        """Remove the common data of one unique id, or of all with None; return how many."""
        sql = "DELETE FROM ranking_common_data WHERE game = ? AND pid = ?"
        values: tuple[object, ...] = (self._game, to_sql(pid))
        if unique_id is not None:
            sql, values = f"{sql} AND unique_id = ?", (*values, to_sql(unique_id))

        def delete(connection: sqlite3.Connection) -> int:
            return connection.execute(sql, values).rowcount

        return await self._finish(self._write_data(delete, pid, unique_id))

    async def common_data(self, keys: Collection[PlayerKey]) -> Mapping[PlayerKey, bytes]:
        """Return the common data of players, without those who have none."""
        found, unknown = self._known_data.find(keys)
        if not unknown:
            return found
        version = self._known_data.version
        pids = json.dumps([to_sql(pid) for pid in {key.pid for key in unknown}])

        def read(connection: sqlite3.Connection) -> list[_Row]:
            return connection.execute(_DATA, (self._game, pids)).fetchall()

        rows = await self._database.read(read)
        # With others of the same players, under unique ids that were not asked for.
        all_of_them = {(from_sql(pid), from_sql(number)): data for pid, number, data in rows}
        read_now = {key: all_of_them[key] for key in unknown if key in all_of_them}
        self._known_data.learn(unknown, read_now, version)
        return found | read_now

    def _order(self, category: int, descending: bool) -> bool:
        configured = self._configured(category)
        return descending if configured is None else configured

    def _read_category(
        self, connection: sqlite3.Connection, category: int, descending: bool
    ) -> Category:
        order = self._order(category, descending)
        values = {"game": self._game, "category": category, "sign": -1 if order else 1}
        rows = connection.execute(_ENTRIES, values)
        return Category(descending=order, entries=_entries(rows))

    async def _commit(
        self,
        pid: int,
        job: Callable[[sqlite3.Connection], _Committed],
        keys: Collection[ScoreKey],
    ) -> dict[ScoreKey, Change]:
        """Run a job that changes scores of a player, and tell the boards what came of it.

        Of the scores ``keys`` those that the job does not return are gone.
        """
        self._commits.begin(pid)
        try:
            serial, changes = await self._database.write(job)
            after = dict.fromkeys(keys) | {key: change.after for key, change in changes.items()}
            for key in self._commits.news(pid, after, serial):
                self._put(key, after[key])
        finally:
            self._commits.end(pid)
        return changes

    async def _write_data(
        self, job: Callable[[sqlite3.Connection], _T], pid: int, unique_id: int | None
    ) -> _T:
        try:
            return await self._database.write(job)
        finally:
            self._known_data.forget(pid, unique_id)

    async def _finish(self, doing: Coroutine[Any, Any, _T]) -> _T:
        """Do something to its end, even if whoever waits for it is cancelled."""
        task = asyncio.ensure_future(doing)
        # Held here: the event loop alone would not keep it from being collected.
        self._finishing.add(task)
        task.add_done_callback(self._finished)
        return await asyncio.shield(task)

    def _finished(self, task: asyncio.Task[Any]) -> None:
        self._finishing.discard(task)
        if not task.cancelled():
            # Whoever waited has been told; who was cancelled must not leave a warning behind.
            task.exception()

    def _write(self, connection: sqlite3.Connection, key: ScoreKey, change: Change) -> None:
        values = (self._game, key.category, to_sql(key.pid), to_sql(key.unique_id))
        after = change.after
        if after is None:
            if change.before is not None:
                connection.execute(_DELETE, values)
        elif after != change.before:
            groups = after.groups[0] | after.groups[1] << 8
            connection.execute(
                _PUT, (*values, after.score, after.updated, groups, to_sql(after.param))
            )


def _score(row: _Row) -> Score:
    category, pid, unique_id, score, groups, param, updated = row
    return Score(
        category,
        from_sql(pid),
        from_sql(unique_id),
        score,
        (groups & 0xFF, groups >> 8),
        from_sql(param),
        updated,
    )


def _entries(rows: sqlite3.Cursor) -> Iterator[Entry]:
    """Return the entries of rows; numbers of 64 bits come as signed ones."""
    while chunk := rows.fetchmany(_CHUNK):
        for row in chunk:
            if row[2] >= 0 and row[3] >= 0 and row[5] >= 0:
                yield row
            else:
                key, updated, pid, unique_id, groups, param = row
                yield (key, updated, from_sql(pid), from_sql(unique_id), groups, from_sql(param))
