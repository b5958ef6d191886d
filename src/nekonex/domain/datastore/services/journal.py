"""Carries out what stores decided about files: in its order, once, and before anybody looks."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Final, TypeVar

from nekonex.domain.datastore.files import FileStore, valid_key
from nekonex.domain.datastore.ports import FileOperation, ObjectStore, StoredOperation
from nekonex.values import ServiceUnavailable

__all__ = ["FileJournal", "Reading", "root_of"]

_logger = logging.getLogger(__name__)

_T = TypeVar("_T")

BATCH: Final = 1000
"""Operations that are looked at together."""


def root_of(key: str) -> str:
    """Return what all keys have in common under which an object's contents may ever be.

    Games choose keys without ``~``; what follows one names an object and a version.
    """
    return key.partition("~")[0]


class FileJournal:
    """The file operations of a game's objects, which its store keeps until they are carried out.

    They are carried out one after another in the order of their numbers, which is the order in
    which the changes were committed, whichever change asks first. What fails is kept: no later
    operation on keys of the same root overtakes it, and nobody is told where such files are,
    until `retry` has carried it out. Repeating an operation is harmless, so dying at any moment
    is: `retry` is the first thing that a server does.
    """

    def __init__(self, store: ObjectStore, files: FileStore | None) -> None:
        self._store = store
        self._files = files
        self._lock = asyncio.Lock()
        self._busy: dict[str, _Busy] = {}
        self._readers: dict[str, set[Reading]] = {}
        self._stuck: set[str] = set()
        self._unmarked: set[int] = set()
        self._tasks: set[asyncio.Task[object]] = set()

    async def run(self, keys: Iterable[str], change: Callable[[], Awaitable[_T]]) -> _T:
        """Run what changes objects with these keys, to its end even if the caller is cancelled.

        Until it has ended, those wait who are `reading` where files with the same roots are.
        """
        roots = {root_of(key) for key in keys}

        async def guarded() -> _T:
            with self._marked(roots):
                return await change()

        task = asyncio.create_task(guarded())
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return await asyncio.shield(task)

    def withdraw(self, key: str) -> None:
        """Let nothing be uploaded to a key by the forms that were given for it."""
        if self._files is not None and valid_key(key):
            self._files.withdraw(key)

    async def carry_out(self, operations: Sequence[StoredOperation]) -> None:
        """Return when these operations have been carried out.

        Raises ServiceUnavailable if the files are out of order; the operations are kept.
        """
        if not operations:
            return
        wanted = {each.number for each in operations}
        async with self._lock:
            left = await self._drain(set(self._stuck))
        if not wanted.isdisjoint(left):
            raise ServiceUnavailable("the files of the object cannot be moved now")

    async def retry(self) -> int:
        """Carry out what was left over, and return how much still is."""
        async with self._lock:
            stuck: set[str] = set()
            left = await self._drain(stuck)
            # Only now: while it was tried, nobody was to believe that it was done.
            self._stuck = stuck
        return len(left)

    @contextmanager
    def reading(self, key: str) -> Iterator[Reading]:
        """Watch the changes of objects with keys of the same root."""
        root = root_of(key)
        reading = Reading(self, root)
        readers = self._readers.setdefault(root, set())
        readers.add(reading)
        try:
            yield reading
        finally:
            readers.discard(reading)
            if not readers and self._readers.get(root) is readers:
                del self._readers[root]

    async def settled(self, root: str) -> None:
        """Wait until no change of objects of a root is under way.

        Raises ServiceUnavailable if what such a change meant for files could not be carried out.
        """
        while (busy := self._busy.get(root)) is not None:
            await busy.idle.wait()
        if root in self._stuck:
            raise ServiceUnavailable("the file of the object cannot be moved to its place now")

    @asynccontextmanager
    async def quiet(self) -> AsyncIterator[None]:
        """Keep all files where they are."""
        async with self._lock:
            yield

    async def aclose(self) -> None:
        """Wait for the changes that are under way."""
        while self._tasks:
            await asyncio.wait(self._tasks)

    @contextmanager
    def _marked(self, roots: set[str]) -> Iterator[None]:
        for root in roots:
            self._busy.setdefault(root, _Busy()).changes += 1
        try:
            yield
        finally:
            for root in roots:
                busy = self._busy[root]
                busy.changes -= 1
                if not busy.changes:
                    del self._busy[root]
                    busy.idle.set()
                for reading in self._readers.get(root, ()):
                    reading.outdated = True

    def _ended(self, task: asyncio.Task[object]) -> None:
        self._tasks.discard(task)
        if not task.cancelled():
            # Whoever waited has been told; who was cancelled must not leave a warning behind.
            task.exception()

    async def _drain(self, blocked: set[str]) -> set[int]:
        """Carry out all operations but those of blocked roots; return the numbers of what is left.

        Roots whose operations fail are blocked from then on, here and for `settled`.
        """
        limit = BATCH
        while True:
            batch = await self._store.operations(limit)
            left: set[int] = set()
            for each in batch:
                roots = _roots(each.operation)
                if not roots.isdisjoint(blocked) or not await self._try(each):
                    blocked |= roots
                    self._stuck |= roots
                    left.add(each.number)
            if len(batch) < limit:
                return left
            limit = len(left) + BATCH

    async def _try(self, stored: StoredOperation) -> bool:
        number = stored.number
        try:
            # It may have been carried out when the store could not take note of it.
            if number not in self._unmarked:
                await self._execute(stored.operation)
                self._unmarked.add(number)
            await self._store.operation_done(number)
        except ServiceUnavailable as error:
            _logger.warning("file operation %d is put off: %s", number, error)
            return False
        self._unmarked.discard(number)
        return True

    async def _execute(self, operation: FileOperation) -> None:
        if self._files is None:
            raise ServiceUnavailable("there is no store for files")
        try:
            if operation.target is None:
                await self._files.remove(operation.source)
            else:
                await self._files.move(operation.source, operation.target)
        except ValueError as error:
            # There can be no file under what is no key, and never will be.
            _logger.warning("a file operation is given up: %s", error)


class Reading:
    """Somebody who wants to know of an object where its file is, and which."""

    def __init__(self, journal: FileJournal, root: str) -> None:
        self._journal = journal
        self._root = root
        self.outdated = False
        """Whether a change ended since this began: what was read before may be old."""

    async def settle(self) -> bool:
        """Wait until files are where they belong; tell whether the object must be read again.

        Raises ServiceUnavailable if a file cannot be where it belongs.
        """
        await self._journal.settled(self._root)
        outdated, self.outdated = self.outdated, False
        return outdated


class _Busy:
    """How many changes of objects of one root are under way."""

    def __init__(self) -> None:
        self.changes = 0
        self.idle = asyncio.Event()


def _roots(operation: FileOperation) -> set[str]:
    keys = {operation.source} if operation.target is None else {operation.source, operation.target}
    return {root_of(key) for key in keys}
