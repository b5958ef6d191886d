"""Stored objects in SQLite.

A transition runs inside the transaction that stores its outcome, and that transaction begins as
a writer, so nothing that the transition checked can change before, not by another process
either. It runs in the database's thread.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from random import Random
from time import monotonic
from typing import Any, Final, TypeVar

from nekonex.domain.datastore.model import FIRST_DATA_ID, RatingLog, StoredObject
from nekonex.domain.datastore.ports import (
    Change,
    FileOperation,
    Notification,
    Outcome,
    Quota,
    RatingChange,
    RatingRequest,
    SearchPage,
    StoredOperation,
    Transition,
    Usage,
)
from nekonex.domain.datastore.query import ObjectQuery
from nekonex.domain.datastore.refusals import DataStoreError
from nekonex.storage import object_changes
from nekonex.storage.object_changes import MAX_NOTIFICATIONS, attempt
from nekonex.storage.sqlite.database import Database
from nekonex.storage.sqlite.integers import to_sql
from nekonex.storage.sqlite.object_rows import load, select
from nekonex.storage.sqlite.object_search import ObjectSearch
from nekonex.storage.sqlite.object_tables import (
    BY_ID,
    IN_SLOT,
    ObjectTransaction,
    rating_log,
    usage,
)
from nekonex.values import ServiceUnavailable

__all__ = ["SqliteObjectStore"]

_T = TypeVar("_T")

_IDS_TAKEN: Final = 100
"""Data ids that are taken at a time, so that not each needs a transaction of its own."""

_MAX_SQL: Final = 2**63 - 1

_SEARCH_SECONDS: Final = 3.0
"""How long a search may take: others wait for it."""

_WATCHED_STEPS: Final = 100_000
"""Steps of SQLite's machine from one look at the clock to the next: about a millisecond."""

_BY_IDS: Final = select("game = :game AND data_id IN (SELECT value FROM json_each(:data_ids))")
_PAGE: Final = select("game = :game AND data_id > :after ORDER BY data_id LIMIT :limit")
_OF_OWNER: Final = select("game = :game AND owner = :owner ORDER BY data_id LIMIT :limit")

_LAST_ID: Final = "SELECT max(data_id) FROM objects WHERE game = ?"

_EXPIRED: Final = """
    SELECT data_id FROM objects
    WHERE game = ? AND complete = 1 AND expires IS NOT NULL AND expires <= ?
    ORDER BY expires, data_id LIMIT ?
"""
_UNFINISHED: Final = """
    SELECT data_id FROM objects
    WHERE game = ? AND upload_started IS NOT NULL AND upload_started < ?
    ORDER BY upload_started, data_id LIMIT ?
"""
_NOTIFICATIONS: Final = """
    SELECT number, data_id FROM object_notifications
    WHERE game = ? AND pid = ? AND number > ? ORDER BY number LIMIT ?
"""
_READ_NOTIFICATIONS: Final = "object_notifications WHERE game = ? AND pid = ? AND number <= ?"
_LAST_NOTIFICATION: Final = """
    SELECT number, data_id FROM object_notifications
    WHERE game = ? AND pid = ? ORDER BY number DESC LIMIT 1
"""
_OPERATIONS: Final = """
    SELECT number, source, target FROM object_operations WHERE game = ? ORDER BY number LIMIT ?
"""


class SqliteObjectStore:
    """`nekonex.domain.datastore.ports.ObjectStore` of one game.

    ``random`` chooses samples; ``max_notifications`` is how many of a player are kept. A search
    that takes longer than ``search_seconds`` raises ServiceUnavailable; each ``watched_steps``
    steps of SQLite's machine it is looked at the clock.
    """

    def __init__(
        self,
        database: Database,
        game: str,
        random: Random | None = None,
        *,
        max_notifications: int = MAX_NOTIFICATIONS,
        search_seconds: float = _SEARCH_SECONDS,
        watched_steps: int = _WATCHED_STEPS,
    ) -> None:
        self._database = database
        self._game = game
        self._random = random or Random()
        self._max_notifications = max_notifications
        self._search_limit = (search_seconds, watched_steps)
        self._ids: list[int] = []
        """Data ids that were taken and are still to be given out, the last one first."""

    # -- changes ---------------------------------------------------------------------------

    async def new_ids(self, count: int) -> Sequence[int]:
        """Return data ids that were never given out."""
        while len(self._ids) < count:
            taken = await self._database.write(lambda connection: self._take(connection, count))
            self._ids[:0] = reversed(taken)
        return [self._ids.pop() for _ in range(count)]

    async def create(self, new: Outcome, quota: Quota) -> Change:
        """Store an object; DataStoreError: OVER_CAPACITY, NOT_ALLOWED."""
        return await self._write(lambda tables: object_changes.create(tables, new, quota))

    async def change(self, data_id: int, transition: Transition) -> Change:
        """Apply a transition to an object; DataStoreError: NOT_FOUND, or what that raises."""
        return await self._write(lambda tables: object_changes.change(tables, data_id, transition))

    async def change_each(
        self, requests: Sequence[tuple[int, Transition]]
    ) -> Sequence[Change | DataStoreError]:
        """Apply transitions, in order and each for itself."""
        return await self._write(
            lambda tables: [
                attempt(object_changes.change, tables, data_id, transition)
                for data_id, transition in requests
            ]
        )

    async def change_all(self, requests: Sequence[tuple[int, Transition]]) -> Sequence[Change]:
        """Apply transitions, in order, or none of them; raises the first refusal."""
        return await self._write(
            lambda tables: [
                object_changes.change(tables, data_id, transition)
                for data_id, transition in requests
            ]
        )

    async def rate_each(
        self, requests: Sequence[RatingRequest], quota: Quota
    ) -> Sequence[RatingChange | DataStoreError]:
        """Rate, in order and each for itself."""
        return await self._write(
            lambda tables: [
                attempt(object_changes.rate, tables, request, quota) for request in requests
            ]
        )

    async def rate_all(
        self, requests: Sequence[RatingRequest], quota: Quota
    ) -> Sequence[RatingChange]:
        """Rate, in order, or nothing at all; raises the first refusal."""
        return await self._write(
            lambda tables: [object_changes.rate(tables, request, quota) for request in requests]
        )

    async def reset_ratings(
        self, requests: Sequence[tuple[int, Transition]], *, together: bool
    ) -> Sequence[Change | DataStoreError]:
        """Apply transitions that set ratings back, and forget who rated what they changed."""

        def reset(tables: ObjectTransaction) -> Sequence[Change | DataStoreError]:
            if together:
                return [object_changes.reset(tables, *request) for request in requests]
            return [attempt(object_changes.reset, tables, *request) for request in requests]

        return await self._write(reset)

    async def operation_done(self, number: int) -> None:
        """Forget a file operation that was carried out."""
        await self._delete("object_operations WHERE game = ? AND number = ?", number)

    async def forget_rater(self, pid: int) -> int:
        """Forget a player who rated, but not what it was worth; return how many logs that was."""
        return await self._delete("rating_logs WHERE game = ? AND pid = ?", to_sql(pid))

    # -- looking up ------------------------------------------------------------------------

    async def get(self, data_id: int) -> StoredObject | None:
        """Return an object."""
        found = await self._load(BY_ID, data_id=to_sql(data_id))
        return found[0] if found else None

    async def get_many(self, data_ids: Sequence[int]) -> Sequence[StoredObject | None]:
        """Return objects, each in the place of its id."""
        parameters = {"data_ids": json.dumps(list(map(to_sql, data_ids)))}
        found = {stored.data_id: stored for stored in await self._load(_BY_IDS, **parameters)}
        return [found.get(data_id) for data_id in data_ids]

    async def in_slot(self, owner: int, slot: int) -> StoredObject | None:
        """Return the complete object in a player's persistence slot."""
        return (await self.in_slots(owner, [slot]))[0]

    async def in_slots(self, owner: int, slots: Sequence[int]) -> Sequence[StoredObject | None]:
        """Return the complete objects in persistence slots, each in the place of its slot."""
        pid = to_sql(owner)

        def look(connection: sqlite3.Connection) -> list[StoredObject | None]:
            parameters = [{"game": self._game, "owner": pid, "slot": slot} for slot in slots]
            found = [load(connection, IN_SLOT, each) for each in parameters]
            return [each[0] if each else None for each in found]

        return await self._database.read(look)

    async def rating_log(self, data_id: int, slot: int, pid: int) -> RatingLog | None:
        """Return what a player gave a slot last."""
        return await self._database.read(
            lambda connection: rating_log(connection, self._game, data_id, slot, pid)
        )

    async def search(self, query: ObjectQuery) -> SearchPage:
        """Return the objects that `ObjectQuery.matches`, in its order and of its range."""

        def find(connection: sqlite3.Connection) -> SearchPage:
            with _limited(connection, *self._search_limit):
                search = ObjectSearch(connection, self._game, query)
                ids = search.find(self._random)
                parameters = {"game": self._game, "data_ids": json.dumps(ids)}
                found = {each.data_id: each for each in load(connection, _BY_IDS, parameters)}
                return SearchPage([found[data_id] for data_id in ids], *search.count())

        return await self._database.search(find)

    async def notifications(
        self, pid: int, after: int, limit: int
    ) -> tuple[Sequence[Notification], bool]:
        """Return notifications above a number, and forget those up to it."""
        player, last = to_sql(pid), min(after, _MAX_SQL)
        rows = await self._rows(_NOTIFICATIONS, player, last, limit + 1)
        if await self._rows(f"SELECT 1 FROM {_READ_NOTIFICATIONS} LIMIT 1", player, last):
            await self._delete(_READ_NOTIFICATIONS, player, last)
        return [Notification(*row) for row in rows[:limit]], len(rows) > limit

    async def last_notification(self, pid: int) -> Notification | None:
        """Return the newest notification of a player."""
        rows = await self._rows(_LAST_NOTIFICATION, to_sql(pid))
        return Notification(*rows[0]) if rows else None

    async def usage(self, pid: int) -> Usage:
        """Return how much a player stores."""
        return await self._database.read(lambda connection: usage(connection, self._game, pid))

    async def operations(self, limit: int) -> Sequence[StoredOperation]:
        """Return the file operations that were not carried out yet, in their order."""
        rows = await self._rows(_OPERATIONS, limit)
        return [
            StoredOperation(number, FileOperation(source, target))
            for number, source, target in rows
        ]

    async def page(self, after: int, limit: int) -> Sequence[StoredObject]:
        """Return up to ``limit`` objects with larger data ids, in their order, in any state."""
        return await self._load(_PAGE, after=min(after, _MAX_SQL), limit=limit)

    async def count(self) -> int:
        """Return how many objects there are, in any state."""
        sql = "SELECT count(*) FROM objects WHERE game = ?"
        row = await self._database.search(
            lambda connection: connection.execute(sql, (self._game,)).fetchone()
        )
        return int(row[0])

    async def of_owner(self, pid: int, limit: int) -> Sequence[StoredObject]:
        """Return up to ``limit`` objects of a player, in any state."""
        return await self._load(_OF_OWNER, owner=to_sql(pid), limit=limit)

    async def expired(self, now: int, limit: int) -> Sequence[int]:
        """Return data ids of complete objects whose time is over, the earliest first."""
        return [data_id for (data_id,) in await self._rows(_EXPIRED, now, limit)]

    async def unfinished(self, before: int, limit: int) -> Sequence[int]:
        """Return data ids of objects with an upload that started before a time."""
        return [data_id for (data_id,) in await self._rows(_UNFINISHED, before, limit)]

    # -- the database ----------------------------------------------------------------------

    async def _write(self, change: Callable[[ObjectTransaction], _T]) -> _T:
        def apply(connection: sqlite3.Connection) -> _T:
            return change(ObjectTransaction(connection, self._game, self._max_notifications))

        return await self._database.write(apply)

    async def _delete(self, what: str, *parameters: object) -> int:
        """Delete rows of the game and return how many there were."""
        return await self._database.write(
            lambda connection: (
                connection.execute(f"DELETE FROM {what}", (self._game, *parameters)).rowcount
            )
        )

    async def _load(self, query: str, **parameters: object) -> list[StoredObject]:
        return await self._database.read(
            lambda connection: load(connection, query, {"game": self._game, **parameters})
        )

    async def _rows(self, query: str, *parameters: object) -> list[tuple[Any, ...]]:
        return await self._database.read(
            lambda connection: connection.execute(query, (self._game, *parameters)).fetchall()
        )

    def _take(self, connection: sqlite3.Connection, count: int) -> range:
        """Take data ids that no store of the game gives out, and none of an object."""
        row = connection.execute(
            "SELECT next FROM object_ids WHERE game = ?", (self._game,)
        ).fetchone()
        last = connection.execute(_LAST_ID, (self._game,)).fetchone()[0] or 0
        first = max(FIRST_DATA_ID, last + 1, 0 if row is None else row[0])
        end = first + max(count, _IDS_TAKEN)
        connection.execute("INSERT OR REPLACE INTO object_ids VALUES (?, ?)", (self._game, end))
        return range(first, end)


@contextmanager
def _limited(connection: sqlite3.Connection, seconds: float, steps: int) -> Iterator[None]:
    """Let nothing on a connection take longer; raises ServiceUnavailable where it would."""
    end = monotonic() + seconds
    connection.set_progress_handler(lambda: monotonic() > end, steps)
    try:
        yield
    except sqlite3.OperationalError as error:
        if monotonic() > end:
            raise ServiceUnavailable(f"a search takes longer than {seconds} s") from error
        raise
    finally:
        connection.set_progress_handler(None, 0)
