"""One game's objects: how they are found, who may see them, and how they become complete."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar
from weakref import WeakValueDictionary

from nekonex.domain.datastore.callers import Caller, ObjectTarget
from nekonex.domain.datastore.files import FileStore
from nekonex.domain.datastore.hooks import DataStoreHooks
from nekonex.domain.datastore.keys import ObjectKeys
from nekonex.domain.datastore.limits import DataStoreLimits
from nekonex.domain.datastore.model import NO_SLOT, Flag, Permission, StoredObject
from nekonex.domain.datastore.ports import Change, ObjectStore, Outcome, Quota, Transition
from nekonex.domain.datastore.refusals import DataStoreError, Refusal
from nekonex.domain.datastore.rules import permissions, uploads
from nekonex.domain.datastore.rules.validation import check_slot
from nekonex.domain.datastore.services.journal import FileJournal
from nekonex.domain.datastore.services.ledger import Ledger
from nekonex.domain.datastore.services.leftovers import Leftovers
from nekonex.domain.ports import Clock
from nekonex.events import EventBus
from nekonex.values import ServiceUnavailable

__all__ = ["DataStoreRules", "Friends", "Shelf", "attempted", "refusal_of"]

_T = TypeVar("_T")
_R = TypeVar("_R")

_NOBODY: frozenset[int] = frozenset()


@dataclass(frozen=True, slots=True)
class DataStoreRules:
    """What the operator of a game decides about its objects."""

    review: bool = False
    """Whether somebody reviews the objects that ask for it; else they are there at once."""


class Friends(Protocol):
    """Who knows whose friend is who."""

    async def friends_of(self, pid: int) -> frozenset[int]:
        """Return the friends of a player."""


class Shelf:
    """Finds objects and checks permissions; its ``ledger`` changes them.

    Methods raise DataStoreError, and then nothing has changed, RMCError of the game's hooks, and
    ServiceUnavailable.
    """

    def __init__(
        self,
        *,
        store: ObjectStore,
        files: FileStore | None,
        friends: Friends,
        keys: ObjectKeys,
        hooks: DataStoreHooks,
        limits: DataStoreLimits,
        rules: DataStoreRules,
        events: EventBus,
        game: str,
        clock: Clock,
    ) -> None:
        self.store = store
        self.friends = friends
        self.keys = keys
        self.hooks = hooks
        self.limits = limits
        self.rules = rules
        self.events = events
        self.game = game
        self.journal = FileJournal(store, files)
        self.leftovers = Leftovers()
        self.ledger = Ledger(store, self.journal, self.leftovers, events, game)
        self._files = files
        self._clock = clock
        self._owners: WeakValueDictionary[int, asyncio.Lock] = WeakValueDictionary()

    # -- what is known -------------------------------------------------------------------

    def now(self) -> int:
        """Return the time in whole POSIX seconds."""
        return int(self._clock())

    @property
    def files(self) -> FileStore:
        """Where contents are; raises ServiceUnavailable where there is no such place."""
        if self._files is None:
            raise ServiceUnavailable("there is no store for files")
        return self._files

    @property
    def has_files(self) -> bool:
        """Whether there is a place for contents."""
        return self._files is not None

    @property
    def quota(self) -> Quota:
        """How much one player may store."""
        return Quota(self.limits.max_objects, self.limits.max_stored)

    @staticmethod
    def viewer(caller: Caller) -> str | None:
        """Return the address that URLs for a caller are made for."""
        return caller.address or None

    def owner_lock(self, pid: int) -> asyncio.Lock:
        """Return the lock under which what a player stores is counted and grows."""
        lock = self._owners.get(pid)
        if lock is None:
            lock = self._owners[pid] = asyncio.Lock()
        return lock

    async def friends_for(self, permission: Permission, owner: int, pid: int) -> frozenset[int]:
        """Return a player's friends if a permission depends on them, else nobody."""
        if permissions.depends_on_friends(permission, owner, pid):
            return await self.friends.friends_of(pid)
        return _NOBODY

    # -- finding -------------------------------------------------------------------------

    async def find(self, target: ObjectTarget) -> StoredObject:
        """Return an object in any state. Raises INVALID for a target that is none, NOT_FOUND."""
        if target.data_id:
            stored = await self.store.get(target.data_id)
        elif target.owner and target.slot != NO_SLOT:
            check_slot(target.slot)
            await self.complete_expected(target.owner)
            stored = await self.store.in_slot(target.owner, target.slot)
        else:
            raise DataStoreError(Refusal.INVALID, "neither a data id nor a persistence slot")
        return await self._known(stored, target.data_id)

    async def find_many(self, data_ids: Sequence[int]) -> list[StoredObject | DataStoreError]:
        """Return objects in any state, or why not, each in the place of its id."""
        found = await self.store.get_many(data_ids)
        return [
            await refusal_of(self._known(stored, data_id))
            for data_id, stored in zip(data_ids, found, strict=True)
        ]

    async def readable(
        self, caller: Caller, target: ObjectTarget, password: int = 0
    ) -> StoredObject:
        """Return an object that the caller may see.

        Raises DataStoreError: INVALID, NOT_FOUND, UNDER_REVIEW, NOT_PERMITTED, WRONG_PASSWORD.
        """
        stored = await self.find(target)
        await self.check_readable(caller, stored, password)
        return stored

    async def readable_many(
        self, caller: Caller, data_ids: Sequence[int], password: int = 0
    ) -> list[StoredObject | DataStoreError]:
        """Return objects that the caller may see, or why not, each in the place of its id."""

        async def checked(stored: StoredObject) -> StoredObject:
            await self.check_readable(caller, stored, password)
            return stored

        return [
            each if isinstance(each, DataStoreError) else await refusal_of(checked(each))
            for each in await self.find_many(data_ids)
        ]

    async def check_readable(self, caller: Caller, stored: StoredObject, password: int) -> None:
        """Refuse an object that the caller may not see, as `readable`."""
        permissions.check_there(stored, caller.pid, self.now())
        friends = await self.friends_for(stored.access, stored.owner, caller.pid)
        permissions.check_access(stored, caller.pid, friends, password)
        if not await self.hooks.may_read(caller.pid, stored):
            raise DataStoreError(Refusal.NOT_FOUND, "the game does not permit it")

    async def guarded(
        self, caller: Caller, stored: StoredObject, password: int, transition: Transition
    ) -> Transition:
        """Return a transition for those whom an object's update permission lets in.

        It refuses the others with NOT_FOUND, UNDER_REVIEW, NOT_PERMITTED, WRONG_PASSWORD, and
        NOT_ALLOWED for objects of the game itself. It judges the object as it is when applied.
        """
        pid = caller.pid
        friends = await self.friends_for(stored.update, stored.owner, pid)

        def checked(current: StoredObject) -> Outcome:
            permissions.check_there(current, pid, self.now())
            permissions.check_update(current, pid, friends, password)
            return transition(current)

        return checked

    # -- changing ------------------------------------------------------------------------

    async def create(self, new: Outcome) -> Change:
        """Store an object, whose owner is not to be above its quota afterwards.

        Raises DataStoreError: OVER_CAPACITY, NOT_ALLOWED if its data id is in use.
        """
        if new.after is None:
            raise ValueError("there is nothing to create")
        async with self.owner_lock(new.after.owner):
            return await self.ledger.create(new, self.quota)

    async def recipients(self, stored: StoredObject, flag: int) -> tuple[int, ...]:
        """Return who is notified of an object that has a flag."""
        named = uploads.to_notify(stored, flag)
        if named and uploads.only_friends(stored):
            friends = await self.friends.friends_of(stored.owner)
            return tuple(pid for pid in named if pid in friends)
        return named

    async def _known(self, stored: StoredObject | None, data_id: int) -> StoredObject:
        """Return an object, completed if its content came and nobody is going to say so."""
        if stored is None:
            raise DataStoreError(Refusal.NOT_FOUND, f"object {data_id}")
        if uploads.completes_itself(stored):
            return await self.complete_arrived(stored)
        return stored

    async def complete_expected(self, owner: int | None = None) -> None:
        """Complete objects, of all owners or the newest of one, that complete themselves and can.

        Only by this are they found by anything but their data ids.
        """
        for data_id in self.leftovers.expected(owner):
            stored = await self.store.get(data_id)
            if stored is None or not uploads.completes_itself(stored):
                self.leftovers.came(data_id)
                continue
            try:
                await self.complete_arrived(stored)
            except DataStoreError:
                # It was deleted meanwhile.
                self.leftovers.came(data_id)

    async def complete_arrived(self, stored: StoredObject) -> StoredObject:
        """Complete an object if its content has arrived, and return it as it is then."""
        upload = stored.upload
        if upload is None or await self.files.size(stored.staging_key) != upload.size:
            return stored
        return await self.publish(stored)

    async def publish(self, stored: StoredObject) -> StoredObject:
        """Complete an object whose content was found to be there.

        Raises DataStoreError: NOT_FOUND if it is gone. That somebody else completed it is no
        error.
        """
        upload = stored.upload
        notified = await self.recipients(stored, Flag.NOTIFY_ON_POST)

        def transition(current: StoredObject) -> Outcome:
            if current.complete:
                return Outcome(current)
            if current.upload != upload:
                raise DataStoreError(Refusal.NOT_FOUND, "another upload was begun")
            return uploads.publication(current, self.now(), notified)

        change = await self.ledger.change(stored, transition)
        return change.before if change.after is None else change.after


def attempted(doing: Callable[[_T], _R], value: _T) -> _R | DataStoreError:
    """Return what a function makes of a value, or why it does not."""
    try:
        return doing(value)
    except DataStoreError as error:
        return error


async def refusal_of(found: Awaitable[StoredObject]) -> StoredObject | DataStoreError:
    """Return what was found, or why nothing was."""
    try:
        return await found
    except DataStoreError as error:
        return error
