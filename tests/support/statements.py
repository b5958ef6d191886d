"""What SQLite is asked."""

from __future__ import annotations

import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager

from nekonex.storage.sqlite import Database

__all__ = ["traced"]


@asynccontextmanager
async def traced(database: Database) -> AsyncIterator[list[str]]:
    """Collect the statements that the database is given, with their parameters in them."""
    seen: list[str] = []
    await _trace(database, seen.append)
    try:
        yield seen
    finally:
        await _trace(database, None)


async def _trace(database: Database, callback: Callable[[str], object] | None) -> None:
    def trace(connection: sqlite3.Connection) -> None:
        connection.set_trace_callback(callback)

    for run in (database.read, database.search, database.write):
        await run(trace)
