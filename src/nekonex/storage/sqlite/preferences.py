"""What players decided about others, in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Collection, Sequence

from nekonex.domain.matchmaking.ports import Privacy
from nekonex.storage.block_lists import changed_block_list
from nekonex.storage.sqlite.database import Database
from nekonex.storage.sqlite.integers import from_sql, to_sql

__all__ = ["SqlitePreferenceStore"]

_BLOCK_LIST = "SELECT blocked FROM block_lists WHERE game = ? AND pid = ? ORDER BY position"

_CLEAR_BLOCK_LIST = "DELETE FROM block_lists WHERE game = ? AND pid = ?"

_PRIVACY = """
    SELECT online_status, community_participation FROM privacy WHERE game = ? AND pid = ?
"""


class SqlitePreferenceStore:
    """`nekonex.domain.matchmaking.ports.PreferenceStore` of one game."""

    def __init__(self, database: Database, game: str) -> None:
        self._database = database
        self._game = game

    async def block_list(self, pid: int) -> Sequence[int]:
        """Return whom a player blocked, in the order of blocking."""
        player = (self._game, to_sql(pid))
        return await self._database.read(lambda connection: _block_list(connection, player))

    async def change_block_list(
        self, pid: int, *, add: Collection[int] = (), remove: Collection[int] = (), limit: int
    ) -> Sequence[int]:
        """Block players and unblock others, and return the list; MatchmakingError: INVALID."""
        player = (self._game, to_sql(pid))
        added, removed = tuple(add), tuple(remove)

        def change(connection: sqlite3.Connection) -> list[int]:
            before = _block_list(connection, player)
            after = changed_block_list(before, added, removed, limit)
            if after != before:
                connection.execute(_CLEAR_BLOCK_LIST, player)
                rows = [(*player, place, to_sql(blocked)) for place, blocked in enumerate(after)]
                connection.executemany("INSERT INTO block_lists VALUES (?, ?, ?, ?)", rows)
            return after

        return await self._database.write(change)

    async def clear_block_list(self, pid: int) -> None:
        """Unblock everybody."""
        player = (self._game, to_sql(pid))
        await self._database.write(
            lambda connection: connection.execute(_CLEAR_BLOCK_LIST, player).rowcount
        )

    async def privacy(self, pid: int) -> Privacy:
        """Return what a player shows; who never said so shows everything."""
        row = await self._database.read_row(_PRIVACY, self._game, to_sql(pid))
        return Privacy() if row is None else Privacy(bool(row[0]), bool(row[1]))

    async def set_privacy(self, pid: int, privacy: Privacy) -> None:
        """Store what a player shows."""
        row = (self._game, to_sql(pid), privacy.online_status, privacy.community_participation)
        sql = "INSERT OR REPLACE INTO privacy VALUES (?, ?, ?, ?)"
        await self._database.write(lambda connection: connection.execute(sql, row).rowcount)


def _block_list(connection: sqlite3.Connection, player: tuple[str, int]) -> list[int]:
    return [from_sql(blocked) for (blocked,) in connection.execute(_BLOCK_LIST, player)]
