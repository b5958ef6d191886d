"""Stored objects in memory: for tests and trials.

No method awaits anything, so each is atomic on its event loop. There are no indexes: whoever
looks for anything but a data id goes through all objects.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from copy import copy
from dataclasses import dataclass, field
from itertools import islice
from random import Random

from nekonex.domain.datastore.model import FIRST_DATA_ID, NO_SLOT, RatingLog, StoredObject
from nekonex.domain.datastore.ports import (
    Change,
    FileOperation,
    Notification,
    Outcome,
    Quota,
    RatingChange,
    RatingRequest,
    SearchPage,
    StoredOperation,
    Transition,
    Usage,
)
from nekonex.domain.datastore.query import ObjectQuery
from nekonex.domain.datastore.refusals import DataStoreError
from nekonex.storage import object_changes
from nekonex.storage.object_changes import MAX_NOTIFICATIONS, attempt

__all__ = ["MemoryObjectStore"]


@dataclass
class _Tables:
    """`nekonex.storage.object_changes.ObjectTables` in dictionaries."""

    max_notifications: int
    objects: dict[int, StoredObject] = field(default_factory=dict)
    logs: dict[tuple[int, int, int], RatingLog] = field(default_factory=dict)
    """By data id, slot and PID."""
    operations: dict[int, FileOperation] = field(default_factory=dict)
    notifications: dict[int, tuple[int, Notification]] = field(default_factory=dict)
    """By number: a PID and its notification."""
    last_number: int = 0

    def copy(self) -> _Tables:
        """Return the same in dictionaries of its own."""
        twin = copy(self)
        twin.objects, twin.logs = dict(self.objects), dict(self.logs)
        twin.operations, twin.notifications = dict(self.operations), dict(self.notifications)
        return twin

    def find(self, data_id: int) -> StoredObject | None:
        return self.objects.get(data_id)

    def holder(self, owner: int, slot: int) -> StoredObject | None:
        if slot == NO_SLOT:
            return None
        place = (owner, slot)
        return next(
            (each for each in self._complete() if (each.owner, each.slot) == place),
            None,
        )

    def sharers(self, keys: Collection[str]) -> Sequence[StoredObject]:
        return [each for each in self._complete() if each.has_file and each.key in keys]

    def usage(self, pid: int) -> Usage:
        sizes = [object_changes.used(each) for each in self.of_owner(pid)]
        return Usage(len(sizes), sum(sizes))

    def put(self, _: StoredObject | None, after: StoredObject, /) -> None:
        self.objects[after.data_id] = after

    def remove(self, stored: StoredObject) -> None:
        data_id = stored.data_id
        del self.objects[data_id]
        self.logs = {key: log for key, log in self.logs.items() if key[0] != data_id}
        self.notifications = {
            number: (pid, each)
            for number, (pid, each) in self.notifications.items()
            if each.data_id != data_id
        }

    def log(self, data_id: int, slot: int, pid: int) -> RatingLog | None:
        return self.logs.get((data_id, slot, pid))

    def put_log(self, data_id: int, slot: int, log: RatingLog) -> None:
        self.logs[data_id, slot, log.pid] = log

    def forget_logs(self, data_id: int, slot: int) -> None:
        self.logs = {key: log for key, log in self.logs.items() if key[:2] != (data_id, slot)}

    def note(self, operation: FileOperation) -> StoredOperation:
        number = self._next_number()
        self.operations[number] = operation
        return StoredOperation(number, operation)

    def notify(self, pid: int, data_id: int) -> None:
        number = self._next_number()
        self.notifications[number] = (pid, Notification(number, data_id))
        kept = self.notifications_of(pid)
        for each in kept[: max(0, len(kept) - self.max_notifications)]:
            del self.notifications[each.number]

    def notifications_of(self, pid: int) -> list[Notification]:
        """Return a player's notifications, the oldest first."""
        return [each for owner, each in self.notifications.values() if owner == pid]

    def of_owner(self, pid: int) -> list[StoredObject]:
        """Return a player's objects, in the order of their data ids."""
        found = [each for each in self.objects.values() if each.owner == pid]
        return sorted(found, key=lambda each: each.data_id)

    def _complete(self) -> Iterable[StoredObject]:
        return (each for each in self.objects.values() if each.complete)

    def _next_number(self) -> int:
        self.last_number += 1
        return self.last_number


class MemoryObjectStore:
    """`nekonex.domain.datastore.ports.ObjectStore` in dictionaries, of one game.

    ``random`` chooses samples; ``max_notifications`` is how many of a player are kept.
    """

    def __init__(
        self, random: Random | None = None, *, max_notifications: int = MAX_NOTIFICATIONS
    ) -> None:
        self._random = random or Random()
        self._tables = _Tables(max_notifications)
        self._next_id = FIRST_DATA_ID

    async def new_ids(self, count: int) -> Sequence[int]:
        """Return data ids that were never given out."""
        first = max([self._next_id, *(known + 1 for known in self._tables.objects)])
        self._next_id = first + count
        return range(first, first + count)

    async def create(self, new: Outcome, quota: Quota) -> Change:
        """Store an object; DataStoreError: OVER_CAPACITY, NOT_ALLOWED."""
        with self._transaction() as tables:
            return object_changes.create(tables, new, quota)

    async def get(self, data_id: int) -> StoredObject | None:
        """Return an object."""
        return self._tables.find(data_id)

    async def get_many(self, data_ids: Sequence[int]) -> Sequence[StoredObject | None]:
        """Return objects, each in the place of its id."""
        return [self._tables.find(data_id) for data_id in data_ids]

    async def in_slot(self, owner: int, slot: int) -> StoredObject | None:
        """Return the complete object in a player's persistence slot."""
        return self._tables.holder(owner, slot)

    async def in_slots(self, owner: int, slots: Sequence[int]) -> Sequence[StoredObject | None]:
        """Return the complete objects in persistence slots, each in the place of its slot."""
        return [self._tables.holder(owner, slot) for slot in slots]

    async def change(self, data_id: int, transition: Transition) -> Change:
        """Apply a transition to an object; DataStoreError: NOT_FOUND, or what that raises."""
        with self._transaction() as tables:
            return object_changes.change(tables, data_id, transition)

    async def change_each(
        self, requests: Sequence[tuple[int, Transition]]
    ) -> Sequence[Change | DataStoreError]:
        """Apply transitions, in order and each for itself."""
        with self._transaction() as tables:
            return [
                attempt(object_changes.change, tables, data_id, transition)
                for data_id, transition in requests
            ]

    async def change_all(self, requests: Sequence[tuple[int, Transition]]) -> Sequence[Change]:
        """Apply transitions, in order, or none of them; raises the first refusal."""
        with self._transaction() as tables:
            return [
                object_changes.change(tables, data_id, transition)
                for data_id, transition in requests
            ]

    async def rate_each(
        self, requests: Sequence[RatingRequest], quota: Quota
    ) -> Sequence[RatingChange | DataStoreError]:
        """Rate, in order and each for itself."""
        with self._transaction() as tables:
            return [attempt(object_changes.rate, tables, request, quota) for request in requests]

    async def rate_all(
        self, requests: Sequence[RatingRequest], quota: Quota
    ) -> Sequence[RatingChange]:
        """Rate, in order, or nothing at all; raises the first refusal."""
        with self._transaction() as tables:
            return [object_changes.rate(tables, request, quota) for request in requests]

    async def rating_log(self, data_id: int, slot: int, pid: int) -> RatingLog | None:
        """Return what a player gave a slot last."""
        return self._tables.log(data_id, slot, pid)

    async def reset_ratings(
        self, requests: Sequence[tuple[int, Transition]], *, together: bool
    ) -> Sequence[Change | DataStoreError]:
        """Apply transitions that set ratings back, and forget who rated what they changed."""
        with self._transaction() as tables:
            if together:
                return [object_changes.reset(tables, *request) for request in requests]
            return [attempt(object_changes.reset, tables, *request) for request in requests]

    async def search(self, query: ObjectQuery) -> SearchPage:
        """Return the objects that `ObjectQuery.matches`, in its order and of its range."""
        found = [each for each in self._tables.objects.values() if query.matches(each)]
        found.sort(key=lambda each: each.data_id)
        if query.random:
            page = self._random.sample(found, min(query.limit, len(found)))
        else:
            # Sorting is stable: what is equal stays in the order of the data ids.
            found.sort(key=lambda each: query.sort_key(each)[0], reverse=query.descending)
            page = found[query.offset : query.offset + query.limit]
        if not query.max_total:
            return SearchPage(page, 0, exact=False)
        total = min(len(found), query.max_total)
        return SearchPage(page, total, exact=len(found) == total)

    async def notifications(
        self, pid: int, after: int, limit: int
    ) -> tuple[Sequence[Notification], bool]:
        """Return notifications above a number, and forget those up to it."""
        known = self._tables.notifications_of(pid)
        for each in known:
            if each.number <= after:
                del self._tables.notifications[each.number]
        left = [each for each in known if each.number > after]
        return left[:limit], len(left) > limit

    async def last_notification(self, pid: int) -> Notification | None:
        """Return the newest notification of a player."""
        known = self._tables.notifications_of(pid)
        return known[-1] if known else None

    async def usage(self, pid: int) -> Usage:
        """Return how much a player stores."""
        return self._tables.usage(pid)

    async def operations(self, limit: int) -> Sequence[StoredOperation]:
        """Return the file operations that were not carried out yet, in their order."""
        return [
            StoredOperation(number, operation)
            for number, operation in islice(self._tables.operations.items(), limit)
        ]

    async def operation_done(self, number: int) -> None:
        """Forget a file operation that was carried out."""
        self._tables.operations.pop(number, None)

    async def page(self, after: int, limit: int) -> Sequence[StoredObject]:
        """Return up to ``limit`` objects with larger data ids, in their order, in any state."""
        found = [each for each in self._tables.objects.values() if each.data_id > after]
        return sorted(found, key=lambda each: each.data_id)[:limit]

    async def count(self) -> int:
        """Return how many objects there are, in any state."""
        return len(self._tables.objects)

    async def of_owner(self, pid: int, limit: int) -> Sequence[StoredObject]:
        """Return up to ``limit`` objects of a player, in any state."""
        return self._tables.of_owner(pid)[:limit]

    async def expired(self, now: int, limit: int) -> Sequence[int]:
        """Return data ids of complete objects whose time is over, the earliest first."""
        found = [
            (each.expires, each.data_id)
            for each in self._tables.objects.values()
            if each.complete and each.expires is not None and each.expires <= now
        ]
        return [data_id for _, data_id in sorted(found)[:limit]]

    async def unfinished(self, before: int, limit: int) -> Sequence[int]:
        """Return data ids of objects with an upload that started before a time."""
        found = [
            (each.upload.started, each.data_id)
            for each in self._tables.objects.values()
            if each.upload is not None and each.upload.started < before
        ]
        return [data_id for _, data_id in sorted(found)[:limit]]

    async def forget_rater(self, pid: int) -> int:
        """Forget a player who rated, but not what it was worth; return how many logs that was."""
        kept = {key: log for key, log in self._tables.logs.items() if key[2] != pid}
        forgotten = len(self._tables.logs) - len(kept)
        self._tables.logs = kept
        return forgotten

    @contextmanager
    def _transaction(self) -> Iterator[_Tables]:
        """Change everything, or, if something is raised, nothing."""
        before = self._tables.copy()
        try:
            yield self._tables
        except BaseException:
            self._tables = before
            raise
