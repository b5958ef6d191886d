"""One SQLite file, used from a few threads of its own.

Durability: the write-ahead log with ``synchronous=FULL``, so a commit that was acknowledged is on
disk. Writers that wait at the same time share a commit, because waiting for the disk is most of
what a commit costs. Reads have connections of their own, and long ones a further one, so that no
look-up waits for the disk or for somebody's search. What the log has is moved into the database
beside the writes, by a connection that does nothing else: it is much that has to reach the disk.

Sharing: other processes may have the same file open; a writer waits for another's transaction up
to `BUSY_TIMEOUT`. Every write begins its transaction as a writer (BEGIN IMMEDIATE), because a
reader that turns writer later may fail however long it is ready to wait.
"""

from __future__ import annotations

import asyncio
import logging
import os
import sqlite3
from collections.abc import Callable, Iterable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, Final, TypeVar

from nekonex.storage.errors import StorageError
from nekonex.storage.sqlite.groups import MAX_GROUP, Write, run_group
from nekonex.storage.sqlite.migrations import migrate
from nekonex.values.unavailable import ServiceUnavailable

__all__ = [
    "BUSY_TIMEOUT",
    "COMMITS_PER_CHECKPOINT",
    "MAPPED_BYTES",
    "MAX_LOG_PAGES",
    "MAX_WAITING",
    "Database",
    "connect",
]

_logger = logging.getLogger(__name__)

_T = TypeVar("_T")

BUSY_TIMEOUT: Final = 5.0
"""Seconds that a transaction waits for another process's before it fails."""

MAPPED_BYTES: Final = 512 * 1024 * 1024
"""Bytes of the file that readers see in place, at most, instead of copying them page by page."""

COMMITS_PER_CHECKPOINT: Final = 200
"""Commits after which the log is moved into the database, beside the next ones."""

MAX_LOG_PAGES: Final = 16_384
"""Pages (of 4 KiB) of the log after which a write moves it, and waits, because nobody else did."""

MAX_WAITING: Final = 65_536
"""Writes that may wait for their commit; more are refused as an outage."""


def connect(path: Path) -> sqlite3.Connection:
    """Open a connection that may write, set up and with the current schema.

    The file is made with mode 0600 if it is missing. Raises StorageError if it is no database or
    of a later version.
    """
    try:
        os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    except OSError as error:
        raise StorageError(f"the database {path} cannot be opened: {error.strerror}") from error
    return _set_up(path, _prepare_to_write)


class Database:
    """The connections to one file, each in a thread of its own; `open` makes one.

    What is handed in and not awaited any more (cancelled) still runs to its end.
    """

    def __init__(self, writer: _Worker, reader: _Worker, searcher: _Worker, mover: _Worker) -> None:
        self._writer = writer
        self._reader = reader
        self._searcher = searcher
        self._mover = mover
        self._commits = 0
        self._nearly_moved = False
        self._waiting: list[Write[Any]] = []
        self._writing = False
        self._closed = False

    @classmethod
    async def open(cls, path: Path) -> Database:
        """Open the database of this file, making it if need be; raises StorageError."""
        opened: list[_Worker] = []
        try:
            for name, opener in (
                ("writer", connect),
                ("reader", _reader),
                ("searcher", _reader),
                ("mover", _mover),
            ):
                opened.append(await _Worker.start(name, opener, path))
        except BaseException:
            await _close(opened)
            raise
        return cls(*opened)

    async def read(self, job: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run ``job`` on one consistent state of the database and return its result.

        It is for what is quick. Raises ServiceUnavailable if the database is out of order.
        """
        return await self._run(self._reader, _in_transaction, job)

    async def read_row(self, sql: str, *parameters: object) -> tuple[object, ...] | None:
        """Return the first row of one query: the quick way for look-ups.

        Raises ServiceUnavailable if the database is out of order.
        """
        return await self._run(self._reader, _first_row, sql, parameters)

    async def search(self, job: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run ``job`` as `read` does, for what may take a while: nobody else waits for it.

        Raises ServiceUnavailable if the database is out of order.
        """
        return await self._run(self._searcher, _in_transaction, job)

    async def write(self, job: Callable[[sqlite3.Connection], _T]) -> _T:
        """Run ``job`` as one transaction and return its result once that is committed.

        What ``job`` raises undoes all it did, and is raised here; errors of SQLite itself become
        ServiceUnavailable. Jobs run in the order in which they were handed in, and their callers
        go on in that order. A job may be run again after a first try was undone; its last run is
        the one that counts.
        """
        self._check_open()
        if len(self._waiting) >= MAX_WAITING:
            raise ServiceUnavailable("the database has too much to write")
        write: Write[_T] = Write(job, asyncio.get_running_loop().create_future())
        self._waiting.append(write)
        self._write_next()
        try:
            return await write.future
        except sqlite3.Error as error:
            raise _outage(error) from error

    async def close(self) -> None:
        """Finish what was handed in so far and close the file. Harmless when it is closed."""
        if self._closed:
            return
        self._closed = True
        while self._waiting or self._writing:
            self._write_next()
            await asyncio.sleep(0)
            if self._writing:
                await self._writer.run(_nothing)
        await _close([self._mover, self._searcher, self._reader, self._writer])

    def _write_next(self) -> None:
        """Hand the writes that wait to the writer, unless it is at work: then they wait on."""
        if self._writing or not self._waiting:
            return
        group, self._waiting = self._waiting[:MAX_GROUP], self._waiting[MAX_GROUP:]
        self._writing = True
        loop = asyncio.get_running_loop()

        rest, self._nearly_moved = self._nearly_moved, False

        def work(connection: sqlite3.Connection) -> None:
            run_group(connection, group)
            loop.call_soon_threadsafe(self._written, group)
            if rest:
                # Only what was written meanwhile; then the log begins anew, and does not grow.
                _move_log(connection)

        self._writer.submit(work)

    def _written(self, group: Iterable[Write[Any]]) -> None:
        self._writing = False
        # The next group first: the disk works while the callers of this one go on.
        self._write_next()
        for write in group:
            write.deliver()
        self._commits += 1
        if self._commits % COMMITS_PER_CHECKPOINT == 0 and not self._closed:
            self._move_log(asyncio.get_running_loop())

    def _move_log(self, loop: asyncio.AbstractEventLoop) -> None:
        def moved() -> None:
            self._nearly_moved = True

        def work(connection: sqlite3.Connection) -> None:
            _move_log(connection)
            loop.call_soon_threadsafe(moved)

        self._mover.submit(work)

    async def _run(self, worker: _Worker, function: Callable[..., _T], *args: object) -> _T:
        self._check_open()
        try:
            return await worker.run(function, *args)
        except sqlite3.Error as error:
            raise _outage(error) from error

    def _check_open(self) -> None:
        if self._closed:
            raise ServiceUnavailable("the database is closed")


class _Worker:
    """A connection and the one thread that uses it."""

    def __init__(self, executor: ThreadPoolExecutor, connection: sqlite3.Connection) -> None:
        self._executor = executor
        self._connection = connection

    @classmethod
    async def start(
        cls, name: str, opener: Callable[[Path], sqlite3.Connection], path: Path
    ) -> _Worker:
        """Open a connection in a new thread."""
        executor = ThreadPoolExecutor(1, thread_name_prefix=f"nekonex-sqlite-{name}")
        try:
            connection = await asyncio.get_running_loop().run_in_executor(executor, opener, path)
        except BaseException:
            executor.shutdown(wait=False)
            raise
        return cls(executor, connection)

    async def run(self, function: Callable[..., _T], *args: object) -> _T:
        """Call a function with the connection, in the thread, and return what it returns."""
        loop = asyncio.get_running_loop()
        return await loop.run_in_executor(self._executor, function, self._connection, *args)

    def submit(self, function: Callable[[sqlite3.Connection], None]) -> None:
        """Call a function with the connection, in the thread, without waiting for it."""
        self._executor.submit(function, self._connection)

    async def close(self) -> None:
        """Finish what was handed in and close the connection."""
        closing = asyncio.get_running_loop().run_in_executor(self._executor, self._connection.close)
        self._executor.shutdown(wait=False)
        await closing


async def _close(workers: Iterable[_Worker]) -> None:
    for worker in workers:
        await worker.close()


def _reader(path: Path) -> sqlite3.Connection:
    """Open a connection that only reads; the database is there, and of the current schema."""
    return _set_up(path, _prepare_to_read)


def _mover(path: Path) -> sqlite3.Connection:
    """Open a connection that moves the log into the database."""
    return _set_up(path, _prepare_to_move)


def _set_up(
    path: Path, prepare: Callable[[sqlite3.Connection, Path], object]
) -> sqlite3.Connection:
    connection = sqlite3.connect(path, timeout=BUSY_TIMEOUT, isolation_level=None)
    try:
        prepare(connection, path)
    except sqlite3.Error as error:
        connection.close()
        raise StorageError(f"the database {path} cannot be used: {error}") from error
    except BaseException:
        connection.close()
        raise
    return connection


def _prepare_to_write(connection: sqlite3.Connection, path: Path) -> None:
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("PRAGMA foreign_keys = ON")
    connection.execute(f"PRAGMA wal_autocheckpoint = {MAX_LOG_PAGES}")
    migrate(connection, str(path))


def _prepare_to_read(connection: sqlite3.Connection, _: Path) -> None:
    connection.execute("PRAGMA query_only = ON")
    connection.execute(f"PRAGMA mmap_size = {MAPPED_BYTES}")


def _prepare_to_move(connection: sqlite3.Connection, _: Path) -> None:
    connection.execute("PRAGMA synchronous = FULL")


def _move_log(connection: sqlite3.Connection) -> None:
    try:
        connection.execute("PRAGMA wal_checkpoint(PASSIVE)")  # passes over what others use
    except sqlite3.Error:
        _logger.exception("the database's log cannot be moved into it")


def _outage(error: sqlite3.Error) -> ServiceUnavailable:
    _logger.error("the database failed", exc_info=error)
    return ServiceUnavailable(f"the database failed: {error}")


def _nothing(_: sqlite3.Connection) -> None:
    """Pass through the thread behind what was handed in before."""


def _first_row(
    connection: sqlite3.Connection, sql: str, parameters: tuple[object, ...]
) -> tuple[object, ...] | None:
    row: tuple[object, ...] | None = connection.execute(sql, parameters).fetchone()
    return row


def _in_transaction(connection: sqlite3.Connection, job: Callable[[sqlite3.Connection], _T]) -> _T:
    connection.execute("BEGIN")
    try:
        return job(connection)
    finally:
        connection.execute("ROLLBACK")
