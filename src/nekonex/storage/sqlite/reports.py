"""Reports in SQLite."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from nekonex.domain.reports import Report
from nekonex.storage.sqlite.database import Database
from nekonex.storage.sqlite.integers import from_sql, to_sql

__all__ = ["SqliteReportStore"]

_PAGE = """
    SELECT pid, report_id, data, created, game, number FROM reports
    WHERE number > :after ORDER BY number LIMIT :limit
"""

_PAGE_OF_PLAYER = """
    SELECT pid, report_id, data, created, game, number FROM reports
    WHERE pid = :pid AND number > :after ORDER BY number LIMIT :limit
"""

_COUNT = "SELECT count(*) FROM reports"

_COUNT_OF_PLAYER = "SELECT count(*) FROM reports WHERE pid = :pid"

_INSERT = "INSERT INTO reports (pid, game, report_id, created, data) VALUES (?, ?, ?, ?, ?)"

_DROP_OLDEST = """
    DELETE FROM reports WHERE pid = :pid AND number <= (
        SELECT number FROM reports WHERE pid = :pid ORDER BY number DESC LIMIT 1 OFFSET :quota
    )
"""


class SqliteReportStore:
    """`nekonex.domain.ports.ReportStore` in the table ``reports``."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, report: Report, quota: int) -> int:
        """Store a report and return its number, dropping the player's oldest above ``quota``."""
        pid = to_sql(report.pid)
        row = (pid, report.game, report.report_id, report.created, report.data)

        def insert(connection: sqlite3.Connection) -> int:
            number = connection.execute(_INSERT, row).lastrowid
            connection.execute(_DROP_OLDEST, {"pid": pid, "quota": quota})
            return int(number or 0)

        return await self._database.write(insert)

    async def page(self, after: int, limit: int, pid: int | None = None) -> Sequence[Report]:
        """Return up to ``limit`` reports with larger numbers, of one player or of all."""
        sql = _PAGE if pid is None else _PAGE_OF_PLAYER
        parameters = {"after": after, "limit": limit, "pid": to_sql(pid or 0)}

        def select(connection: sqlite3.Connection) -> list[Report]:
            rows = connection.execute(sql, parameters)
            return [Report(from_sql(number), *rest) for number, *rest in rows]

        return await self._database.read(select)

    async def count(self, pid: int | None = None) -> int:
        """Return how many reports there are, of one player or of all."""
        sql = _COUNT if pid is None else _COUNT_OF_PLAYER

        def count(connection: sqlite3.Connection) -> int:
            return int(connection.execute(sql, {"pid": to_sql(pid or 0)}).fetchone()[0])

        return await self._database.read(count)

    async def remove_of(self, pid: int) -> int:
        """Remove all reports of a player and return how many there were."""

        def delete(connection: sqlite3.Connection) -> int:
            return connection.execute("DELETE FROM reports WHERE pid = ?", (to_sql(pid),)).rowcount

        return await self._database.write(delete)
