"""One SQLite file, used from one thread of its own.

Durability: the write-ahead log with ``synchronous=FULL``, so a commit that was acknowledged is on
disk. Sharing: other processes may have the same file open; a writer waits for another's
transaction up to `BUSY_TIMEOUT`. Every write begins its transaction as a writer (BEGIN
IMMEDIATE), because a reader that turns writer later may fail however long it is ready to wait.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TypeVar

from nekonex.storage.errors import StorageError
from nekonex.storage.sqlite.migrations import migrate
from nekonex.values.unavailable import ServiceUnavailable

__all__ = ["BUSY_TIMEOUT", "Database", "connect"]

_logger = logging.getLogger(__name__)

_T = TypeVar("_T")

BUSY_TIMEOUT = 5.0
"""Seconds that a transaction waits for another process's before it fails."""


def connect(path: Path) -> sqlite3.Connection:
    """Open a connection for the calling thread, set up and with the current schema.

    The file is made with mode 0600 if it is missing. Raises StorageError if it is no database or
    of a later version.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StorageError(f"the database {path} cannot be opened: {error.strerror}") from error
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None)
    try:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA foreign_keys = ON")
        migrate(connection, str(path))
    except sqlite3.Error as error:
        connection.close()
        raise StorageError(f"the database {path} cannot be used: {error}") from error
    except BaseException:
        connection.close()
        raise
    return connection


class Database:
    """A connection in a thread of its own; `open` makes one.

    Jobs run in the order in which they were handed in. One that is not awaited any more
    (cancelled) still runs to its end.
    """

    def __init__(self, executor: ThreadPoolExecutor, connection: sqlite3.Connection) -> None:
        self._executor = executor
        self._connection = connection
        self._closed = False

    @classmethod
    async def open(cls, path: Path) -> Database:
        """Open the database of this file, making it if need be; raises StorageError."""
        executor = ThreadPoolExecutor(1, thread_name_prefix="nekonex-sqlite")
        loop = asyncio.get_running_loop()
        try:
            connection = await loop.run_in_executor(executor, connect, path)
        except BaseException:
            executor.shutdown(wait=False)
            raise
        return cls(executor, connection)

    async def read(self, job: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run ``job`` on one consistent state of the database and return its result.

        Raises ServiceUnavailable if the database is out of order.
        """
        return await self._run(_in_transaction, "BEGIN", job)

    async def read_row(self, sql: str, *parameters: object) -> tuple[object, ...] | None:
        """Return the first row of one query: the quick way for look-ups.

        Raises ServiceUnavailable if the database is out of order.
        """
        return await self._run(_first_row, sql, parameters)

    async def write(self, job: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run ``job`` as one transaction and return its result once that is committed.

        What ``job`` raises undoes it all and is raised here; errors of SQLite itself become
        ServiceUnavailable.
        """
        return await self._run(_in_transaction, "BEGIN IMMEDIATE", job)

    async def close(self) -> None:
        """Finish the jobs handed in so far and close the file. Harmless when it is closed."""
        if self._closed:
            return
        self._closed = True
        loop = asyncio.get_running_loop()
        closing = loop.run_in_executor(self._executor, self._connection.close)
        self._executor.shutdown(wait=False)
        await closing

    async def _run(self, function: Callable[..., _T], *args: object) -> _T:
        if self._closed:
            raise ServiceUnavailable("the database is closed")
        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(self._executor, function, self._connection, *args)
        except sqlite3.Error as error:
            _logger.exception("the database failed")
            raise ServiceUnavailable(f"the database failed: {error}") from error


def _first_row(
    connection: sqlite3.Connection, sql: str, parameters: tuple[object, ...]
) -> tuple[object, ...] | None:
    row: tuple[object, ...] | None = connection.execute(sql, parameters).fetchone()
    return row


def _in_transaction(
    connection: sqlite3.Connection, begin: str, job: Callable[[sqlite3.Connection], _T]
) -> _T:
    connection.execute(begin)
    try:
        result = job(connection)
        connection.execute("COMMIT")
    except BaseException:
        # Some errors, such as a full disk, have ended the transaction already.
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
    return result
