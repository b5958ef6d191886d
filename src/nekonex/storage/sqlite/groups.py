"""Several writes in one transaction: group commit."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from typing import Any, Final, Generic, TypeVar

__all__ = ["MAX_GROUP", "Write", "run_group"]

_T = TypeVar("_T")

MAX_GROUP: Final = 256
"""Writes that share one commit; the others wait for the next."""


class Write(Generic[_T]):
    """A job that waits for its transaction, and whoever waits for the job.

    The job is run in the writer's thread, the outcome delivered in the event loop's.
    """

    __slots__ = ("_error", "_job", "_result", "future")

    def __init__(self, job: Callable[[sqlite3.Connection], _T], future: asyncio.Future[_T]) -> None:
        self.future = future
        self._job = job
        self._error: BaseException | None = None
        self._result: Any = None

    def run(self, connection: sqlite3.Connection) -> None:
        """Run the job; raises what it raises."""
        self._error = None
        self._result = self._job(connection)

    def fail(self, error: BaseException) -> None:
        """Note that the job failed: nothing of it is in the database."""
        self._error = error

    def deliver(self) -> None:
        """Tell whoever waits, if somebody still does."""
        if self.future.cancelled():
            return
        if self._error is None:
            self.future.set_result(self._result)
        else:
            self.future.set_exception(self._error)


def run_group(connection: sqlite3.Connection, writes: Sequence[Write[Any]]) -> None:
    """Run writes in order and commit them together; each then has its result or its error.

    A job that raises is undone and does not disturb the others. Where SQLite itself fails, the
    whole group is undone and each is tried by itself, so that only those fail that must. All
    fail if the database is locked: to wait for that again and again would help nobody.
    """
    try:
        connection.execute("BEGIN IMMEDIATE")
    except sqlite3.Error as error:
        for write in writes:
            write.fail(error)
        return
    if len(writes) > 1 and _run_together(connection, writes):
        return
    for write in writes:
        _run_alone(connection, write)


def _run_together(connection: sqlite3.Connection, writes: Sequence[Write[Any]]) -> bool:
    try:
        for write in writes:
            connection.execute("SAVEPOINT one_write")
            try:
                write.run(connection)
            except sqlite3.Error:
                raise
            except BaseException as error:  # noqa: BLE001 - its caller's, not this thread's
                write.fail(error)
                connection.execute("ROLLBACK TO one_write")
            connection.execute("RELEASE one_write")
        connection.execute("COMMIT")
    except sqlite3.Error:
        _roll_back(connection)
        return False
    return True


def _run_alone(connection: sqlite3.Connection, write: Write[Any]) -> None:
    try:
        if not connection.in_transaction:
            connection.execute("BEGIN IMMEDIATE")
        write.run(connection)
        connection.execute("COMMIT")
    except BaseException as error:  # noqa: BLE001 - its caller's, not this thread's
        write.fail(error)
        _roll_back(connection)


def _roll_back(connection: sqlite3.Connection) -> None:
    # Some errors, such as a full disk, have ended the transaction already.
    if connection.in_transaction:
        connection.execute("ROLLBACK")
