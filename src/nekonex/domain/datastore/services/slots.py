"""The persistence slots of players: what is in one never expires."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nekonex.domain.datastore.callers import Caller, ObjectTarget
from nekonex.domain.datastore.model import StoredObject
from nekonex.domain.datastore.ports import Outcome
from nekonex.domain.datastore.refusals import DataStoreError, Refusal
from nekonex.domain.datastore.rules import uploads
from nekonex.domain.datastore.rules.lifetimes import expiry, release
from nekonex.domain.datastore.rules.permissions import check_changeable, check_there
from nekonex.domain.datastore.rules.validation import check_batch, check_slot
from nekonex.domain.datastore.services.shelf import Shelf, attempted

__all__ = ["SlotService"]


class SlotService:
    """Methods raise DataStoreError, and then nothing has changed, and ServiceUnavailable."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def perpetuate(self, caller: Caller, slot: int, data_id: int, delete_last: bool) -> None:
        """Put an object of the caller's into a slot; what was there is deleted, or only loses it.

        Raises DataStoreError: INVALID for a slot that nobody has, NOT_FOUND, NOT_ALLOWED for an
        object of another player's or of the game.
        """
        check_slot(slot)
        shelf = self._shelf
        stored = await shelf.find(ObjectTarget(data_id))

        def transition(current: StoredObject) -> Outcome:
            now = shelf.now()
            check_there(current, caller.pid, now)
            if current.owner != caller.pid:
                raise DataStoreError(Refusal.NOT_ALLOWED, f"object {data_id} is another's")
            check_changeable(current)
            moved = replace(current, slot=slot, replaces=delete_last)
            return Outcome(
                replace(moved, expires=expiry(moved, now)),
                uploads.releasing(now, delete=delete_last),
            )

        await shelf.ledger.change(stored, transition)

    async def unperpetuate(self, caller: Caller, slot: int, delete_last: bool) -> None:
        """Take out what is in a slot of the caller's; it is deleted, or its period begins.

        Raises DataStoreError: INVALID for a slot that nobody has, NOT_FOUND if it is empty,
        NOT_ALLOWED for an object of the game.
        """
        check_slot(slot)
        shelf = self._shelf
        stored = await shelf.find(ObjectTarget(owner=caller.pid, slot=slot))

        def transition(current: StoredObject) -> Outcome:
            if current.slot != slot:
                raise DataStoreError(Refusal.NOT_FOUND, f"slot {slot} is empty")
            check_changeable(current)
            if delete_last:
                return uploads.deletion(current)
            return Outcome(release(current, shelf.now()))

        await shelf.ledger.change(stored, transition)

    async def get(self, caller: Caller, owner: int, slot: int) -> StoredObject:
        """Return the object in a slot, of which everybody may know the number.

        Raises DataStoreError: INVALID for a slot that nobody has, NOT_FOUND, UNDER_REVIEW.
        """
        (found,) = await self.get_many(caller, owner, [slot])
        if isinstance(found, DataStoreError):
            raise found
        return found

    async def get_many(
        self, caller: Caller, owner: int, slots: Sequence[int]
    ) -> list[StoredObject | DataStoreError]:
        """Return the objects in slots, or why not, each in the place of its slot.

        Raises DataStoreError: INVALID for too many slots, and for one that nobody has.
        """
        check_batch(slots, self._shelf.limits.max_small_batch)
        for slot in slots:
            check_slot(slot)
        now = self._shelf.now()

        def there(stored: StoredObject | None) -> StoredObject:
            if stored is None:
                raise DataStoreError(Refusal.NOT_FOUND, f"a slot of PID {owner} is empty")
            check_there(stored, caller.pid, now)
            return stored

        await self._shelf.complete_expected(owner)
        found = await self._shelf.store.in_slots(owner, slots)
        return [attempted(there, each) for each in found]
