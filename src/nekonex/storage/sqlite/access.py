"""Access rules in SQLite.

Every change moves the number in ``access_revision`` on in the same transaction, so whoever
compares that number sees changes of any process. (``PRAGMA data_version`` would cost as much,
misses the connection's own changes and moves with every commit, whatever it is about.)
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Collection
from typing import TypeVar

from nekonex.domain.access import AccessRules, Ban, MaintenanceWindow, Whitelist
from nekonex.storage.sqlite.database import Database
from nekonex.storage.sqlite.integers import from_sql, to_sql

__all__ = ["SqliteAccessStore"]

_T = TypeVar("_T")

_REVISION = "SELECT revision FROM access_revision"


class SqliteAccessStore:
    """`nekonex.domain.ports.AccessStore` in the tables of maintenance, whitelists and bans."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def revision(self) -> int:
        """Return a number that differs after every change, another process's too."""
        row = await self._database.read_row(_REVISION)
        return _revision(row)

    async def load(self) -> tuple[int, AccessRules]:
        """Return all rules, and the revision that they are of."""
        return await self._database.read(_load)

    async def set_maintenance(self, scope: str, window: MaintenanceWindow | None) -> None:
        """Replace the maintenance of a scope, or end it with None."""

        def change(connection: sqlite3.Connection) -> None:
            if window is None:
                connection.execute("DELETE FROM maintenance WHERE scope = ?", (scope,))
            else:
                row = (scope, window.start, window.end)
                connection.execute("INSERT OR REPLACE INTO maintenance VALUES (?, ?, ?)", row)

        await self._change(change)

    async def set_whitelist(self, scope: str, *, enabled: bool) -> None:
        """Switch the whitelist of a scope on or off; who is on it stays."""

        def change(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO whitelists VALUES (?, ?)", (scope, enabled))

        await self._change(change)

    async def change_whitelist(
        self, scope: str, *, add: Collection[int] = (), remove: Collection[int] = ()
    ) -> None:
        """Put principal ids on the whitelist of a scope and take others off."""
        added = [(scope, to_sql(pid)) for pid in add]
        removed = [(scope, to_sql(pid)) for pid in remove]

        def change(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR IGNORE INTO whitelists VALUES (?, 0)", (scope,))
            connection.executemany("DELETE FROM whitelisted WHERE scope = ? AND pid = ?", removed)
            connection.executemany("INSERT OR IGNORE INTO whitelisted VALUES (?, ?)", added)

        await self._change(change)

    async def put_ban(self, ban: Ban) -> None:
        """Store a ban in place of an earlier one of that principal id and scope."""
        row = (to_sql(ban.pid), ban.scope, ban.reason, ban.until, ban.created)

        def change(connection: sqlite3.Connection) -> None:
            connection.execute("INSERT OR REPLACE INTO bans VALUES (?, ?, ?, ?, ?)", row)

        await self._change(change)

    async def remove_ban(self, pid: int, scope: str) -> bool:
        """Lift the ban of a principal id in exactly this scope; False if there was none."""

        def change(connection: sqlite3.Connection) -> bool:
            sql = "DELETE FROM bans WHERE pid = ? AND scope = ?"
            return connection.execute(sql, (to_sql(pid), scope)).rowcount > 0

        return await self._change(change)

    async def _change(self, job: Callable[[sqlite3.Connection], _T]) -> _T:
        def run(connection: sqlite3.Connection) -> _T:
            result = job(connection)
            connection.execute("UPDATE access_revision SET revision = revision + 1")
            return result

        return await self._database.write(run)


def _revision(row: tuple[object, ...] | None) -> int:
    if row is None or not isinstance(row[0], int):
        raise ValueError("the table access_revision has lost its row")
    return row[0]


def _load(connection: sqlite3.Connection) -> tuple[int, AccessRules]:
    maintenance = {
        scope: MaintenanceWindow(start, end)
        for scope, start, end in connection.execute("SELECT scope, start, end FROM maintenance")
    }
    listed: dict[str, set[int]] = {}
    for scope, pid in connection.execute("SELECT scope, pid FROM whitelisted"):
        listed.setdefault(scope, set()).add(from_sql(pid))
    whitelists = {
        scope: Whitelist(bool(enabled), frozenset(listed.get(scope, ())))
        for scope, enabled in connection.execute("SELECT scope, enabled FROM whitelists")
    }
    bans: dict[int, tuple[Ban, ...]] = {}
    sql = "SELECT pid, reason, until, scope, created FROM bans ORDER BY pid, scope"
    for number, *rest in connection.execute(sql):
        ban = Ban(from_sql(number), *rest)
        bans[ban.pid] = (*bans.get(ban.pid, ()), ban)
    revision = _revision(connection.execute(_REVISION).fetchone())
    return revision, AccessRules(maintenance, whitelists, bans)
