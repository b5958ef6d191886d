"""What every store does for a change of an object, whatever it keeps objects in.

A function here reads all it needs, then asks the rules, and only then writes, so that a refusal
leaves everything as it was.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import replace
from typing import Final, ParamSpec, Protocol, TypeVar

from nekonex.domain.datastore.model import NO_SLOT, RatingLog, StoredObject
from nekonex.domain.datastore.ports import (
    Change,
    FileOperation,
    Outcome,
    Quota,
    RatingChange,
    RatingRequest,
    StoredOperation,
    Transition,
    Usage,
)
from nekonex.domain.datastore.refusals import DataStoreError, Refusal
from nekonex.domain.datastore.rules.settling import Settlement, published_keys, settle

__all__ = [
    "MAX_NOTIFICATIONS",
    "ObjectTables",
    "attempt",
    "change",
    "create",
    "rate",
    "reset",
    "used",
]

_P = ParamSpec("_P")
_T = TypeVar("_T")

MAX_NOTIFICATIONS: Final = 100
"""Notifications of one player that are kept; the oldest give way."""


class ObjectTables(Protocol):
    """The objects of one game, while a transaction changes them."""

    def find(self, data_id: int) -> StoredObject | None:
        """Return an object."""

    def holder(self, owner: int, slot: int) -> StoredObject | None:
        """Return the complete object in a player's persistence slot."""

    def sharers(self, keys: Collection[str]) -> Sequence[StoredObject]:
        """Return complete objects whose content is under one of these keys."""

    def usage(self, pid: int) -> Usage:
        """Return how much a player stores."""

    def put(self, before: StoredObject | None, after: StoredObject, /) -> None:
        """Store an object, new or in place of ``before``."""

    def remove(self, stored: StoredObject) -> None:
        """Remove an object with all that belongs to it."""

    def log(self, data_id: int, slot: int, pid: int) -> RatingLog | None:
        """Return what a player gave a slot last."""

    def put_log(self, data_id: int, slot: int, log: RatingLog) -> None:
        """Store what a player gave a slot, in place of what it gave before."""

    def forget_logs(self, data_id: int, slot: int) -> None:
        """Forget what players gave a slot."""

    def note(self, operation: FileOperation) -> StoredOperation:
        """Store a file operation that has to be carried out."""

    def notify(self, pid: int, data_id: int) -> None:
        """Store a notification of an object for a player, and forget its oldest."""


def used(stored: StoredObject) -> int:
    """Return how many bytes an object takes, or will take, of its owner's quota."""
    served = stored.size if stored.complete else 0
    return served + (0 if stored.upload is None else stored.upload.size)


def attempt(doing: Callable[_P, _T], *args: _P.args, **kwargs: _P.kwargs) -> _T | DataStoreError:
    """Return what a function returns, or the refusal that it raises."""
    try:
        return doing(*args, **kwargs)
    except DataStoreError as refusal:
        return refusal


def change(tables: ObjectTables, data_id: int, transition: Transition) -> Change:
    """Apply a transition to an object; DataStoreError: NOT_FOUND, or what that raises."""
    before = _found(tables, data_id)
    outcome = transition(before)
    return _store(tables, before, before, outcome)


def create(tables: ObjectTables, new: Outcome, quota: Quota) -> Change:
    """Store a new object, as `ObjectStore.create`."""
    stored = _check_new(tables, new, quota)
    return _store(tables, None, stored, new)


def rate(tables: ObjectTables, request: RatingRequest, quota: Quota) -> RatingChange:
    """Rate, and post what is posted with it; raises DataStoreError, and then nothing changes."""
    before = _found(tables, request.data_id)
    log = tables.log(request.data_id, request.slot, request.pid)
    outcome = request.transition(before, log)
    rating = outcome.rating
    if rating.slot != request.slot or before.rating(rating.slot) is None:
        raise ValueError(f"slot {rating.slot} was rated instead of slot {request.slot}")
    post = request.post
    if post is not None:
        _check_new(tables, post, quota)
    ratings = tuple(rating if each.slot == rating.slot else each for each in before.ratings)
    tables.put(before, replace(before, ratings=ratings))
    tables.put_log(request.data_id, request.slot, replace(outcome.log, pid=request.pid))
    return RatingChange(rating, None if post is None else create(tables, post, quota))


def reset(tables: ObjectTables, data_id: int, transition: Transition) -> Change:
    """Apply a transition, and forget who rated the slots that it changed."""
    done = change(tables, data_id, transition)
    if done.after is not None:
        for rating in done.after.ratings:
            if done.before.rating(rating.slot) != rating:
                tables.forget_logs(data_id, rating.slot)
    return done


def _found(tables: ObjectTables, data_id: int) -> StoredObject:
    stored = tables.find(data_id)
    if stored is None:
        raise DataStoreError(Refusal.NOT_FOUND, f"object {data_id}")
    return stored


def _check_new(tables: ObjectTables, new: Outcome, quota: Quota) -> StoredObject:
    stored = new.after
    if stored is None:
        raise ValueError("there is nothing to create")
    if not 0 < stored.data_id < 1 << 63:
        raise ValueError(f"{stored.data_id} cannot be the data id of a new object")
    if tables.find(stored.data_id) is not None:
        raise DataStoreError(Refusal.NOT_ALLOWED, f"there is an object {stored.data_id}")
    usage = tables.usage(stored.owner)
    if usage.objects >= quota.objects:
        raise DataStoreError(
            Refusal.OVER_CAPACITY,
            f"{usage.objects} objects of PID {stored.owner}, at most {quota.objects} may be",
        )
    if usage.size + used(stored) > quota.size:
        raise DataStoreError(
            Refusal.OVER_CAPACITY,
            f"{usage.size} bytes of PID {stored.owner} and {used(stored)} more,"
            f" at most {quota.size} may be",
        )
    return stored


def _store(
    tables: ObjectTables, known: StoredObject | None, before: StoredObject, outcome: Outcome
) -> Change:
    """Store an outcome and all that follows from it. ``known`` is None for a new object."""
    after = outcome.after
    if after is not None and after.data_id != before.data_id:
        raise ValueError(f"a transition made object {after.data_id} of object {before.data_id}")
    others = _others(tables, before.data_id, outcome)
    settlement = settle(outcome, holder=others.holder, sharers=others.sharers)
    others.replace(tables, settlement)
    if after is not None:
        tables.put(known, after)
        for rating in before.ratings:
            if after.rating(rating.slot) is None:
                tables.forget_logs(before.data_id, rating.slot)
    elif known is not None:
        tables.remove(known)
    notified = () if after is None else tuple(dict.fromkeys(outcome.notify))
    for pid in notified:
        tables.notify(pid, before.data_id)
    operations = tuple([tables.note(each) for each in settlement.files])
    return Change(before, after, operations, notified)


def _others(tables: ObjectTables, data_id: int, outcome: Outcome) -> _Others:
    """Return the objects that an outcome may displace."""
    after = outcome.after
    holder = None
    if after is not None and after.complete and after.slot != NO_SLOT:
        holder = tables.holder(after.owner, after.slot)
    keys = published_keys(outcome)
    sharers = tables.sharers(keys) if keys else ()
    return _Others(
        None if holder is None or holder.data_id == data_id else holder,
        [each for each in sharers if each.data_id != data_id],
    )


class _Others:
    """The objects that an outcome may displace, as they are so far."""

    def __init__(self, holder: StoredObject | None, sharers: Iterable[StoredObject]) -> None:
        self.holder = holder
        self.sharers = tuple(sharers)

    def replace(self, tables: ObjectTables, settlement: Settlement) -> None:
        """Store what became of them; raises ValueError if one is still where it must not be."""
        known = {each.data_id: each for each in self.sharers}
        if self.holder is not None:
            known[self.holder.data_id] = self.holder
        for stored in settlement.deleted:
            tables.remove(stored)
        for stored in settlement.changed:
            before = known[stored.data_id]
            if before is self.holder and (stored.owner, stored.slot) == (before.owner, before.slot):
                raise ValueError(f"object {stored.data_id} was not released from its slot")
            tables.put(before, stored)
