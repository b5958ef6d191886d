"""Unique ids in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Final

from nekonex.domain.unique_ids import AssociationCheck, KnownUniqueId, UniqueId, UniqueIdLimits
from nekonex.storage.sqlite.database import Database
from nekonex.storage.sqlite.integers import from_sql, to_sql

__all__ = ["SqliteUniqueIdStore"]

_ACQUIRED: Final = 0
"""Nobody ever associated the id."""
_ASSOCIATED: Final = 1
_RELEASED: Final = 2
"""The id was associated, and is with nobody now."""

_EXPIRED_AT_ONCE: Final = 100
"""Expired ids that are deleted when another is made, so that no single call has to wait for all."""

# The newest id is the newest even if the clock was set back, or is the same: by a microsecond.
_INSERT = """
    INSERT INTO unique_ids VALUES (
        :game, :unique_id, :password, :pid, 0, 0,
        max(:now, ifnull((
            SELECT since + 1e-6 FROM unique_ids WHERE game = :game AND state = 0
            ORDER BY since DESC LIMIT 1
        ), 0))
    ) ON CONFLICT (game, unique_id) DO NOTHING
"""

# States in these queries are literals, because the index is of one state only.
_EXPIRED = """
    SELECT unique_id FROM unique_ids WHERE game = ? AND state = 0 AND since <= ?
    ORDER BY since LIMIT ?
"""
_OLDEST = "SELECT unique_id FROM unique_ids WHERE game = ? AND state = 0 ORDER BY since LIMIT ?"
_COUNT_ACQUIRED = "SELECT total FROM acquired_unique_id_totals WHERE game = ?"

# Left to itself the planner goes through all of a game's ids.
_OF_PLAYER_BEYOND = """
    SELECT unique_id FROM unique_ids INDEXED BY unique_ids_of_player
    WHERE game = ? AND pid = ? AND state = ?
    ORDER BY since DESC, place DESC LIMIT -1 OFFSET ?
"""

_OF_PLAYER = """
    SELECT unique_id, password FROM unique_ids INDEXED BY unique_ids_of_player
    WHERE game = ? AND pid = ? AND state = 1 ORDER BY place
"""

_REMOVE_OF_PLAYER = """
    DELETE FROM unique_ids INDEXED BY unique_ids_of_player WHERE game = ? AND pid = ?
"""

_ONE = "SELECT password, pid, state, since FROM unique_ids WHERE game = ? AND unique_id = ?"

_RELEASE = """
    UPDATE unique_ids INDEXED BY unique_ids_of_player SET state = 2, since = ?
    WHERE game = ? AND pid = ? AND state = 1
"""

_ASSOCIATE = """
    UPDATE unique_ids SET pid = ?, state = 1, place = ?, since = ?
    WHERE game = ? AND unique_id = ?
"""


class SqliteUniqueIdStore:
    """`nekonex.domain.ports.UniqueIdStore` of one game."""

    def __init__(self, database: Database, game: str) -> None:
        self._database = database
        self._game = game

    async def create(
        self, unique_id: UniqueId, pid: int, *, now: float, limits: UniqueIdLimits
    ) -> bool:
        """Store an id that a player acquired; False if there is one already."""
        game, player = self._game, to_sql(pid)
        row = {
            "game": game,
            "unique_id": to_sql(unique_id.value),
            "password": to_sql(unique_id.password),
            "pid": player,
            "now": float(now),
        }

        def insert(connection: sqlite3.Connection) -> bool:
            if not connection.execute(_INSERT, row).rowcount:
                return False
            limit = limits.max_acquired
            self._delete(connection, _OF_PLAYER_BEYOND, player, _ACQUIRED, limit)
            oldest = now - limits.acquired_seconds
            self._delete(connection, _EXPIRED, oldest, _EXPIRED_AT_ONCE)
            [count] = connection.execute(_COUNT_ACQUIRED, (game,)).fetchone()
            if count > limits.max_acquired_in_all:
                self._delete(connection, _OLDEST, count - limits.max_acquired_in_all)
            return True

        return await self._database.write(insert)

    async def associate(
        self,
        pid: int,
        values: Sequence[int],
        check: AssociationCheck,
        *,
        now: float,
        limits: UniqueIdLimits,
    ) -> None:
        """Let a player have these ids and no others; raises what ``check`` raises."""
        game, player = self._game, to_sql(pid)
        wanted = [to_sql(value) for value in values]

        def change(connection: sqlite3.Connection) -> None:
            found = [self._known(connection, value, limits) for value in wanted]
            check({each.unique_id.value: each for each in found if each is not None})
            connection.execute(_RELEASE, (now, game, player))
            connection.executemany(
                _ASSOCIATE,
                [(player, place, now, game, value) for place, value in enumerate(wanted)],
            )
            self._delete(connection, _OF_PLAYER_BEYOND, player, _RELEASED, limits.max_released)

        await self._database.write(change)

    async def of(self, pid: int) -> Sequence[UniqueId]:
        """Return the ids that are associated with a player, in the order of associating."""
        player = (self._game, to_sql(pid))

        def select(connection: sqlite3.Connection) -> list[UniqueId]:
            rows = connection.execute(_OF_PLAYER, player)
            return [UniqueId(from_sql(value), from_sql(password)) for value, password in rows]

        return await self._database.read(select)

    async def remove_of(self, pid: int) -> int:
        """Remove all ids that a player acquired or has or had last; return how many there were."""
        player = (self._game, to_sql(pid))
        return await self._database.write(
            lambda connection: connection.execute(_REMOVE_OF_PLAYER, player).rowcount
        )

    async def count(self) -> int:
        """Return how many ids there are, whosever they are."""
        row = await self._database.read_row(
            "SELECT count(*) FROM unique_ids WHERE game = ?", self._game
        )
        return 0 if row is None else int(str(row[0]))

    def _known(
        self, connection: sqlite3.Connection, value: int, limits: UniqueIdLimits
    ) -> KnownUniqueId | None:
        row = connection.execute(_ONE, (self._game, value)).fetchone()
        if row is None:
            return None
        password, pid, state, since = row
        return KnownUniqueId(
            UniqueId(from_sql(value), from_sql(password)),
            owner=from_sql(pid) if state == _ASSOCIATED else None,
            expires=since + limits.acquired_seconds if state == _ACQUIRED else None,
        )

    def _delete(self, connection: sqlite3.Connection, select: str, *parameters: float) -> None:
        """Delete the ids that a query of this game finds."""
        rows = connection.execute(select, (self._game, *parameters)).fetchall()
        connection.executemany(
            "DELETE FROM unique_ids WHERE game = ? AND unique_id = ?",
            [(self._game, value) for (value,) in rows],
        )
