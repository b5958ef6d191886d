"""The objects of one game in SQLite, while a transaction changes them.

A change writes only the columns, ratings, tags and recipients that are different: what is written
again is looked up again in every index of it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence
from typing import Final

from nekonex.domain.datastore.model import RatingLog, StoredObject
from nekonex.domain.datastore.ports import FileOperation, StoredOperation, Usage
from nekonex.storage.sqlite.integers import to_sql
from nekonex.storage.sqlite.object_rows import (
    COLUMNS,
    RATING_COLUMNS,
    columns,
    is_listed,
    load,
    rating_row,
    select,
)

__all__ = ["BY_ID", "IN_SLOT", "ObjectTransaction", "rating_log", "usage"]

BY_ID: Final = select("game = :game AND data_id = :data_id")
# 65535 is NO_SLOT: a literal, because the index is of the others only.
IN_SLOT: Final = select(
    "game = :game AND owner = :owner AND slot = :slot AND complete = 1 AND slot <> 65535"
)
_BY_KEY: Final = select("game = :game AND key = :key AND complete = 1 AND key <> ''")

_INSERT: Final = (
    f"INSERT INTO objects (game, {', '.join(COLUMNS)}) VALUES (?{', ?' * len(COLUMNS)})"
)
_PUT_RATING: Final = (
    f"INSERT OR REPLACE INTO object_ratings (game, data_id, {', '.join(RATING_COLUMNS)})"
    f" VALUES (?, ?{', ?' * len(RATING_COLUMNS)})"
)
_PUT_LOG: Final = "INSERT OR REPLACE INTO rating_logs VALUES (?, ?, ?, ?, ?, ?, ?)"
_LOG: Final = """
    SELECT value, rated, locked_until FROM rating_logs
    WHERE game = ? AND data_id = ? AND slot = ? AND pid = ?
"""
_USAGE: Final = """
    SELECT count(*), coalesce(sum(size * complete), 0) + coalesce(sum(upload_size), 0)
    FROM objects WHERE game = ? AND owner = ?
"""
_FORGET_OLD_NOTIFICATIONS: Final = """
    DELETE FROM object_notifications WHERE number IN (
        SELECT number FROM object_notifications WHERE game = ? AND pid = ?
        ORDER BY number DESC LIMIT -1 OFFSET ?
    )
"""
_REMOVALS: Final = (
    "DELETE FROM object_ratings WHERE game = ? AND data_id = ?",
    "DELETE FROM rating_logs WHERE game = ? AND data_id = ?",
    "DELETE FROM object_notifications WHERE game = ? AND data_id = ?",
    "DELETE FROM objects WHERE game = ? AND data_id = ?",
)


def usage(connection: sqlite3.Connection, game: str, pid: int) -> Usage:
    """Return how much a player stores."""
    return Usage(*connection.execute(_USAGE, (game, to_sql(pid))).fetchone())


def rating_log(
    connection: sqlite3.Connection, game: str, data_id: int, slot: int, pid: int
) -> RatingLog | None:
    """Return what a player gave a slot last."""
    row = connection.execute(_LOG, (game, to_sql(data_id), slot, to_sql(pid))).fetchone()
    return None if row is None else RatingLog(pid, *row)


class ObjectTransaction:
    """`nekonex.storage.object_changes.ObjectTables` of one game, in a transaction."""

    def __init__(self, connection: sqlite3.Connection, game: str, max_notifications: int) -> None:
        self._connection = connection
        self._game = game
        self._max_notifications = max_notifications

    def find(self, data_id: int) -> StoredObject | None:
        """Return an object."""
        return self._one(BY_ID, data_id=to_sql(data_id))

    def holder(self, owner: int, slot: int) -> StoredObject | None:
        """Return the complete object in a player's persistence slot."""
        return self._one(IN_SLOT, owner=to_sql(owner), slot=slot)

    def sharers(self, keys: Collection[str]) -> Sequence[StoredObject]:
        """Return complete objects whose content is under one of these keys."""
        return [
            stored
            for key in keys
            for stored in load(self._connection, _BY_KEY, {"game": self._game, "key": key})
            if stored.has_file
        ]

    def usage(self, pid: int) -> Usage:
        """Return how much a player stores."""
        return usage(self._connection, self._game, pid)

    def put(self, before: StoredObject | None, after: StoredObject, /) -> None:
        """Store an object, new or in place of ``before``."""
        if before is None:
            self._connection.execute(_INSERT, (self._game, *columns(after)))
        else:
            self._update(before, after)
        self._put_ratings(before, after)
        self._put_tags(after.data_id, () if before is None else before.tags, after.tags)
        self._put_recipients(
            after.data_id,
            () if before is None else before.access.recipients,
            after.access.recipients,
        )

    def remove(self, stored: StoredObject) -> None:
        """Remove an object with all that belongs to it."""
        self._put_tags(stored.data_id, stored.tags, ())
        self._put_recipients(stored.data_id, stored.access.recipients, ())
        for statement in _REMOVALS:
            self._connection.execute(statement, (self._game, stored.data_id))

    def log(self, data_id: int, slot: int, pid: int) -> RatingLog | None:
        """Return what a player gave a slot last."""
        return rating_log(self._connection, self._game, data_id, slot, pid)

    def put_log(self, data_id: int, slot: int, log: RatingLog) -> None:
        """Store what a player gave a slot, in place of what it gave before."""
        row = (to_sql(log.pid), log.value, log.rated, log.locked_until)
        self._connection.execute(_PUT_LOG, (self._game, data_id, slot, *row))

    def forget_logs(self, data_id: int, slot: int) -> None:
        """Forget what players gave a slot."""
        self._connection.execute(
            "DELETE FROM rating_logs WHERE game = ? AND data_id = ? AND slot = ?",
            (self._game, data_id, slot),
        )

    def note(self, operation: FileOperation) -> StoredOperation:
        """Store a file operation that has to be carried out."""
        number = self._connection.execute(
            "INSERT INTO object_operations VALUES (NULL, ?, ?, ?)",
            (self._game, operation.source, operation.target),
        ).lastrowid
        return StoredOperation(number or 0, operation)

    def notify(self, pid: int, data_id: int) -> None:
        """Store a notification of an object for a player, and forget its oldest."""
        player = (self._game, to_sql(pid))
        self._connection.execute(
            "INSERT INTO object_notifications VALUES (NULL, ?, ?, ?)", (*player, data_id)
        )
        self._connection.execute(_FORGET_OLD_NOTIFICATIONS, (*player, self._max_notifications))

    def _one(self, query: str, **parameters: object) -> StoredObject | None:
        found = load(self._connection, query, {"game": self._game, **parameters})
        return found[0] if found else None

    def _update(self, before: StoredObject, after: StoredObject) -> None:
        old, new = columns(before), columns(after)
        changed = [at for at in range(len(COLUMNS)) if old[at] != new[at]]
        if changed:
            values = ", ".join(f"{COLUMNS[at]} = ?" for at in changed)
            self._connection.execute(
                f"UPDATE objects SET {values} WHERE game = ? AND data_id = ?",
                (*(new[at] for at in changed), self._game, after.data_id),
            )

    def _put_ratings(self, before: StoredObject | None, after: StoredObject) -> None:
        old = {} if before is None else {each.slot: each for each in before.ratings}
        same_place = before is not None and (
            (before.data_type, is_listed(before)) == (after.data_type, is_listed(after))
        )
        rows = [
            (self._game, after.data_id, *rating_row(after, rating))
            for rating in after.ratings
            if not same_place or old.get(rating.slot) != rating
        ]
        self._connection.executemany(_PUT_RATING, rows)
        gone = old.keys() - {rating.slot for rating in after.ratings}
        self._connection.executemany(
            "DELETE FROM object_ratings WHERE game = ? AND data_id = ? AND slot = ?",
            [(self._game, after.data_id, slot) for slot in gone],
        )

    def _put_tags(self, data_id: int, before: Sequence[str], after: Sequence[str]) -> None:
        if before != after:
            self._list("object_tags", "tag", data_id, before, after)

    def _put_recipients(self, data_id: int, before: Sequence[int], after: Sequence[int]) -> None:
        if before != after:
            old, new = list(map(to_sql, before)), list(map(to_sql, after))
            self._list("object_recipients", "pid", data_id, old, new)

    def _list(
        self,
        table: str,
        column: str,
        data_id: int,
        before: Sequence[str] | Sequence[int],
        after: Sequence[str] | Sequence[int],
    ) -> None:
        """List an object under what it has now, and not under what it had."""
        row = "SELECT id FROM objects WHERE game = ? AND data_id = ?"
        self._connection.executemany(
            f"DELETE FROM {table} WHERE game = ? AND {column} = ? AND object = ({row})",
            [(self._game, value, self._game, data_id) for value in set(before).difference(after)],
        )
        self._connection.executemany(
            f"INSERT INTO {table} (game, {column}, object) VALUES (?, ?, ({row}))",
            [(self._game, value, self._game, data_id) for value in set(after).difference(before)],
        )
