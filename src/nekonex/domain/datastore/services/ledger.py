"""How objects change: by the store, with what follows for files, events and notifications."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Iterable, Sequence
from dataclasses import replace
from functools import partial

from nekonex.domain.datastore.model import StoredObject
from nekonex.domain.datastore.ports import Change, ObjectStore, Outcome, Quota, Transition
from nekonex.domain.datastore.refusals import DataStoreError
from nekonex.domain.datastore.services.journal import FileJournal
from nekonex.domain.datastore.services.leftovers import Leftovers
from nekonex.events import EventBus, ObjectDeleted, ObjectPosted, ObjectUpdated
from nekonex.values import ServiceUnavailable

__all__ = ["Ledger", "Notify", "Request"]

_logger = logging.getLogger(__name__)

Notify = Callable[[Change], Awaitable[None]]
"""Lets the players of `Change.notified` know that there is something new for them."""

Request = tuple[StoredObject, Transition]
"""An object as it was found, and what shall become of it."""


class Ledger:
    """Applies transitions, and is done when all that they mean is done, whoever is cancelled.

    Methods raise DataStoreError, and then nothing has changed. They raise ServiceUnavailable if
    the store is out of order, and if files are; then the objects may have changed, and nobody is
    given their files until they are where they belong.
    """

    def __init__(
        self,
        store: ObjectStore,
        journal: FileJournal,
        leftovers: Leftovers,
        events: EventBus,
        game: str,
    ) -> None:
        self.notify: Notify = _tell_nobody
        self._leftovers = leftovers
        self._store = store
        self._journal = journal
        self._events = events
        self._game = game

    async def create(self, new: Outcome, quota: Quota) -> Change:
        """Store an object, which is posted if it is complete, as `ObjectStore.create`."""

        async def create(news: Sequence[Outcome]) -> list[Change]:
            return [await self._store.create(news[0], quota)]

        (change,) = await self.create_by([new], create)
        return change

    async def create_by(
        self,
        news: Sequence[Outcome],
        create: Callable[[Sequence[Outcome]], Awaitable[list[Change]]],
    ) -> list[Change]:
        """Store objects by a function, which returns the changes of those that were created.

        It is given the outcomes to hand to the store, instead of those that this is given.
        """
        made = [new.after for new in news if new.after is not None]
        if len(made) != len(news):
            raise ValueError("there is nothing to create")
        watches = [_Watch(partial(_outcome, new)) for new in news]
        outcomes = [watch(stored) for watch, stored in zip(watches, made, strict=True)]
        keys = [stored.key for stored in made]
        return await self._run(keys, watches, lambda: create(outcomes), created=True)

    async def change(self, stored: StoredObject, transition: Transition) -> Change:
        """Apply a transition, as `ObjectStore.change`."""
        watch = _Watch(transition)

        async def change() -> list[Change]:
            return [await self._store.change(stored.data_id, watch)]

        (changed,) = await self._run([stored.key], [watch], change)
        return changed

    async def change_all(self, requests: Sequence[Request]) -> list[Change]:
        """Apply transitions, or none of them, as `ObjectStore.change_all`."""
        watches = [_Watch(transition) for _, transition in requests]
        ids = [stored.data_id for stored, _ in requests]

        async def change() -> list[Change]:
            return list(await self._store.change_all(list(zip(ids, watches, strict=True))))

        return await self._run([stored.key for stored, _ in requests], watches, change)

    async def change_each(self, requests: Sequence[Request]) -> list[Change | DataStoreError]:
        """Apply transitions, each for itself, as `ObjectStore.change_each`."""
        watches = [_Watch(transition) for _, transition in requests]
        ids = [stored.data_id for stored, _ in requests]
        refusals: dict[int, DataStoreError] = {}

        async def change() -> list[Change]:
            results = await self._store.change_each(list(zip(ids, watches, strict=True)))
            refusals.update(
                (index, each)
                for index, each in enumerate(results)
                if isinstance(each, DataStoreError)
            )
            return [each for each in results if isinstance(each, Change)]

        changes = iter(await self._run([stored.key for stored, _ in requests], watches, change))
        return [
            refusals[index] if index in refusals else next(changes) for index in range(len(ids))
        ]

    async def settle(self, changes: Sequence[Change], *, created: bool = False) -> None:
        """Carry out what committed changes mean for files, and tell of them.

        Whoever changes objects past this class does it in `FileJournal.run`, and calls this.
        """
        for change in changes:
            before, after = change.before, change.after
            if before.upload is not None and (after is None or after.upload != before.upload):
                self._end_upload(before)
        try:
            await self._journal.carry_out([each for one in changes for each in one.operations])
        finally:
            # They are committed, even if their files have to wait.
            for change in changes:
                self._publish(change, created=created)
            for change in changes:
                if change.notified:
                    await self._notify(change)

    async def _run(
        self,
        keys: Iterable[str],
        watches: Sequence[_Watch],
        work: Callable[[], Awaitable[list[Change]]],
        *,
        created: bool = False,
    ) -> list[Change]:
        async def all_of_it() -> list[Change]:
            changes = await work()
            displaced = [each.displaced for each in watches if each.displaced is not None]
            for each in displaced:
                self._end_upload(each)
            try:
                await self.settle(changes, created=created)
            finally:
                for each in displaced:
                    self._tell_gone(each)
            return changes

        return await self._journal.run(keys, all_of_it)

    def _publish(self, change: Change, *, created: bool) -> None:
        before, after = change.before, change.after
        if after is None:
            if before.complete:
                self._tell_gone(before)
        elif after.complete and (created or not before.complete):
            self._events.publish(
                ObjectPosted(self._game, after.data_id, after.owner, after.data_type, after.name)
            )
        elif after.complete and after.version != before.version:
            self._events.publish(
                ObjectUpdated(self._game, after.data_id, after.owner, after.version)
            )

    def _end_upload(self, stored: StoredObject) -> None:
        """Wait no longer for the upload of an object, if there is one."""
        self._leftovers.note(stored)
        if stored.upload is not None and stored.has_file:
            self._journal.withdraw(stored.staging_key)

    def _tell_gone(self, stored: StoredObject) -> None:
        self._events.publish(ObjectDeleted(self._game, stored.data_id, stored.owner))

    async def _notify(self, change: Change) -> None:
        try:
            await self.notify(change)
        except ServiceUnavailable:
            _logger.warning("nobody hears of object %d", change.before.data_id, exc_info=True)


class _Watch:
    """A transition that notes which object is deleted for another's slot, in its last run.

    It is the only way to know: who has a slot is decided while the store applies it.
    """

    def __init__(self, transition: Transition) -> None:
        self._transition = transition
        self.displaced: StoredObject | None = None

    def __call__(self, current: StoredObject) -> Outcome:
        self.displaced = None
        outcome = self._transition(current)

        def release(holder: StoredObject) -> StoredObject | None:
            kept = None if outcome.release is None else outcome.release(holder)
            self.displaced = holder if kept is None else None
            return kept

        return replace(outcome, release=release)


def _outcome(new: Outcome, _: StoredObject) -> Outcome:
    return new


async def _tell_nobody(change: Change) -> None:
    """Notify nobody, where there is nobody who could."""
