"""Clearing away what is over, and what the operator does with objects."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from dataclasses import replace
from typing import Final

from nekonex.domain.datastore.model import Status, StoredObject
from nekonex.domain.datastore.ports import Change, Outcome, Transition
from nekonex.domain.datastore.refusals import DataStoreError, Refusal
from nekonex.domain.datastore.rules import uploads
from nekonex.domain.datastore.rules.lifetimes import is_expired
from nekonex.domain.datastore.services.ledger import Request
from nekonex.domain.datastore.services.shelf import Shelf
from nekonex.values import ServiceUnavailable

__all__ = ["Upkeep"]

_logger = logging.getLogger(__name__)

MOST_EXPECTED: Final = 10_000
"""Unfinished objects that are looked at when the server starts."""


class Upkeep:
    """Clears away, now and then; methods raise ServiceUnavailable."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    async def start(self) -> None:
        """Carry out what an earlier process left over, and remember what it waited for."""
        shelf = self._shelf
        if left := await shelf.journal.retry():
            _logger.warning("%d file operations of %s wait for the files", left, shelf.game)
        waiting = await shelf.store.unfinished(shelf.now() + 1, MOST_EXPECTED)
        for stored in await shelf.store.get_many(waiting):
            if stored is not None:
                shelf.leftovers.expect(stored)

    async def run(self) -> None:
        """Clear away at once, and then as often as the limits say, for ever."""
        while True:
            try:
                await self.sweep()
            except ServiceUnavailable as error:
                _logger.warning("the objects of %s are not cleared: %s", self._shelf.game, error)
            except Exception:
                _logger.exception("the objects of %s are not cleared", self._shelf.game)
            await asyncio.sleep(self._shelf.limits.upkeep_seconds)

    async def sweep(self) -> None:
        """Clear away once: what is left to do with files, unfinished, expired, and late uploads.

        Each is tried, whatever is out of order for the others; ServiceUnavailable is raised in
        the end.
        """
        failed: ServiceUnavailable | None = None
        for step in (
            self._shelf.journal.retry,
            self._complete_arrived,
            self._drop_unfinished,
            self._delete_expired,
            self._remove_late,
        ):
            try:
                await step()
            except ServiceUnavailable as error:
                failed = failed or error
        if failed is not None:
            raise failed

    # -- for the operator ----------------------------------------------------------------

    async def remove(self, data_id: int) -> None:
        """Delete an object, whosever it is. Raises DataStoreError: NOT_FOUND."""
        shelf = self._shelf
        stored = await shelf.store.get(data_id)
        if stored is None:
            raise DataStoreError(Refusal.NOT_FOUND, f"object {data_id}")
        await shelf.ledger.change(stored, uploads.deletion)

    async def moderate(self, data_id: int, status: Status) -> StoredObject:
        """Set what a review found, and return the object. Raises DataStoreError: NOT_FOUND."""

        def transition(current: StoredObject) -> Outcome:
            return Outcome(replace(current, status=status))

        change = await self._shelf.store.change(data_id, transition)
        return change.before if change.after is None else change.after

    async def remove_of(self, pid: int) -> int:
        """Delete all that a player posted, and forget what it rated; return how many objects."""
        shelf = self._shelf
        removed = 0
        while found := await shelf.store.of_owner(pid, shelf.limits.upkeep_batch):
            gone = await self._delete([each.data_id for each in found], uploads.deletion)
            removed += gone
            if not gone:
                break
        await shelf.store.forget_rater(pid)
        return removed

    # -- what is over --------------------------------------------------------------------

    async def _complete_arrived(self) -> None:
        """Complete objects that complete themselves, so that searches find them."""
        await self._shelf.complete_expected()

    async def _drop_unfinished(self) -> None:
        shelf = self._shelf
        before = shelf.now() - shelf.limits.unfinished_seconds

        def transition(current: StoredObject) -> Outcome:
            if current.upload is None or current.upload.started >= before:
                return Outcome(current)
            return uploads.drop_update(current) if current.complete else uploads.deletion(current)

        while data_ids := await shelf.store.unfinished(before, shelf.limits.upkeep_batch):
            dropped = 0
            for stored in await shelf.store.get_many(data_ids):
                if stored is not None and await self._give_up(stored, transition):
                    dropped += 1
            if not dropped or len(data_ids) < shelf.limits.upkeep_batch:
                return

    async def _give_up(self, stored: StoredObject, transition: Transition) -> bool:
        shelf = self._shelf
        if uploads.completes_itself(stored):
            stored = await shelf.complete_arrived(stored)
            if stored.complete:
                return True
        (change,) = await shelf.ledger.change_each([(stored, transition)])
        return isinstance(change, Change) and (change.after is None or change.after.upload is None)

    async def _delete_expired(self) -> None:
        shelf = self._shelf
        now = shelf.now()

        def transition(current: StoredObject) -> Outcome:
            return uploads.deletion(current) if is_expired(current, now) else Outcome(current)

        while data_ids := await shelf.store.expired(now, shelf.limits.upkeep_batch):
            if not await self._delete(data_ids, transition):
                return
            if len(data_ids) < shelf.limits.upkeep_batch:
                return

    async def _delete(self, data_ids: Sequence[int], transition: Transition) -> int:
        """Delete objects that a transition deletes, and return how many it did."""
        shelf = self._shelf
        found = [each for each in await shelf.store.get_many(data_ids) if each is not None]
        requests: list[Request] = [(stored, transition) for stored in found]
        changes = await shelf.ledger.change_each(requests)
        return sum(isinstance(each, Change) and each.after is None for each in changes)

    async def _remove_late(self) -> None:
        """Remove what came by forms whose objects did not wait for it any more."""
        shelf = self._shelf
        # A little later than the form ends: an upload that has begun is let finish.
        before = shelf.now() - 2 * shelf.limits.url_seconds
        for key, data_id in shelf.leftovers.late(before):
            stored = await shelf.store.get(data_id)
            if stored is None or key not in {stored.key, stored.staging_key}:
                async with shelf.journal.quiet():
                    await shelf.files.remove(key)
