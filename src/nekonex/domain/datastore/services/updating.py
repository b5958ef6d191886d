"""Changing objects that are there: their contents, what is known of them, slots, deletion."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from typing import Final

from nekonex.domain.datastore.callers import Caller, ObjectTarget, Update
from nekonex.domain.datastore.drafts import MetaChange
from nekonex.domain.datastore.model import Flag, StoredObject
from nekonex.domain.datastore.ports import Outcome, Transition
from nekonex.domain.datastore.refusals import DataStoreError, Refusal
from nekonex.domain.datastore.rules import changes, uploads
from nekonex.domain.datastore.rules.permissions import check_there
from nekonex.domain.datastore.rules.validation import (
    check_batch,
    check_extra_data,
    check_size,
)
from nekonex.domain.datastore.services.ledger import Request
from nekonex.domain.datastore.services.shelf import Shelf

__all__ = ["UpdatingService"]

MOST_ANNOUNCED: Final = 100_000
"""Updates of which it is remembered who announced them."""


class UpdatingService:
    """Methods raise DataStoreError, and then nothing has changed, RMCError, ServiceUnavailable.

    What needs the update permission raises NOT_FOUND, UNDER_REVIEW, NOT_PERMITTED and
    WRONG_PASSWORD, and NOT_ALLOWED for objects of the game itself, besides what is said.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf
        self._announced: OrderedDict[tuple[int, int], int] = OrderedDict()
        """Who announced versions of objects: a password is told only then."""

    # -- contents ------------------------------------------------------------------------

    async def prepare_update(
        self,
        caller: Caller,
        data_id: int,
        size: int,
        password: int = 0,
        extra_data: Sequence[str] = (),
    ) -> Update:
        """Announce new content; the present one is served until `complete_update`.

        An update that was announced earlier and is not complete is dropped. Needs the update
        permission. Raises DataStoreError: INVALID, NOT_ALLOWED for an object without a file,
        OVER_CAPACITY.
        """
        check_size(size, self._shelf.limits.max_object_size)
        check_extra_data(extra_data)
        stored = await self._shelf.find(ObjectTarget(data_id))
        async with self._shelf.owner_lock(stored.owner):
            # As it is now that nobody else begins an update.
            stored = await self._shelf.find(ObjectTarget(data_id))
            return await self._begin(caller, stored, size, password)

    async def complete_update(
        self, caller: Caller, data_id: int, version: int, success: bool
    ) -> None:
        """Say how the upload of new content ended; without success the present one is kept.

        Needs the update permission; who announced the update by a password, which is not told
        again, needs nothing. Raises DataStoreError: NOT_ALLOWED for another version than the one
        announced last, NOT_FOUND if the content is not there or has another size than announced,
        in which case the update is dropped.
        """
        shelf = self._shelf
        stored = await shelf.find(ObjectTarget(data_id))
        notified = await shelf.recipients(stored, Flag.NOTIFY_ON_UPDATE)
        upload, arrived = stored.upload, False

        def transition(current: StoredObject) -> Outcome:
            if current.upload is None or current.upload.version != version:
                raise DataStoreError(Refusal.NOT_ALLOWED, f"version {version} is not expected")
            if current.upload != upload:
                raise DataStoreError(Refusal.NOT_ALLOWED, "another update was begun")
            if not arrived:
                return uploads.drop_update(current)
            status = uploads.later_status(current, review=shelf.rules.review)
            return uploads.replacement(current, shelf.now(), status, notified)

        if self._announced.get((data_id, version)) == caller.pid:
            checked = self._there(caller, transition)
        else:
            checked = await shelf.guarded(caller, stored, 0, transition)
        checked(stored)
        if success and upload is not None:
            arrived = await shelf.files.size(stored.staging_key) == upload.size
        await shelf.ledger.change(stored, checked)
        self._announced.pop((data_id, version), None)
        if success and not arrived:
            raise DataStoreError(Refusal.NOT_FOUND, f"the content of object {data_id}")

    async def _begin(
        self, caller: Caller, stored: StoredObject, size: int, password: int
    ) -> Update:
        shelf = self._shelf
        now, data_id = shelf.now(), stored.data_id

        def begin(current: StoredObject) -> Outcome:
            if not current.has_file:
                raise DataStoreError(Refusal.NOT_ALLOWED, f"object {data_id} has no file")
            outcome = uploads.begin_update(current, size, now)
            if current.upload != stored.upload:
                # The form is for another version than it would have to be.
                raise DataStoreError(Refusal.NOT_ALLOWED, f"object {data_id} changes")
            return outcome

        checked = await shelf.guarded(caller, stored, password, begin)
        after = checked(stored).after
        upload = None if after is None else after.upload
        if after is None or upload is None:
            raise AssertionError("an update that is begun is waited for")
        await self._check_room(stored, size)
        form = await shelf.files.upload_form(
            after.staging_key,
            size,
            lifetime=shelf.limits.url_seconds,
            viewer=shelf.viewer(caller),
        )
        await shelf.ledger.change(stored, checked)
        self._announced[data_id, upload.version] = caller.pid
        if len(self._announced) > MOST_ANNOUNCED:
            self._announced.popitem(last=False)
        return Update(upload.version, form)

    def _there(self, caller: Caller, transition: Transition) -> Transition:
        def checked(current: StoredObject) -> Outcome:
            check_there(current, caller.pid, self._shelf.now())
            return transition(current)

        return checked

    async def _check_room(self, stored: StoredObject, size: int) -> None:
        shelf = self._shelf
        usage = await shelf.store.usage(stored.owner)
        dropped = 0 if stored.upload is None else stored.upload.size
        if usage.size - dropped + size > shelf.limits.max_stored:
            raise DataStoreError(Refusal.OVER_CAPACITY, f"{usage.size + size} bytes")

    # -- what is known -------------------------------------------------------------------

    async def change_meta(self, caller: Caller, wanted: MetaChange) -> None:
        """Change what is known of an object. Needs the update permission.

        Raises DataStoreError: INVALID, NOT_EQUAL if it is not as the player believes, NOT_ALLOWED
        for another status.
        """
        stored = await self._shelf.find(wanted.target)
        await self._shelf.ledger.change(*await self._changing(caller, stored, wanted))

    async def change_metas(
        self,
        caller: Caller,
        data_ids: Sequence[int],
        wanted: Sequence[MetaChange],
        *,
        transactional: bool,
    ) -> list[DataStoreError | None]:
        """Change what is known of objects, of each as in its place, or of all in the same way.

        Transactional means all, or none and the first refusal is raised; else it returns why not,
        of each. Raises INVALID for too many ids, and another number of changes.
        """
        check_batch(data_ids, self._shelf.limits.max_batch)
        if len(wanted) == 1:
            wanted = list(wanted) * len(data_ids)
        if len(wanted) != len(data_ids):
            raise DataStoreError(Refusal.INVALID, f"{len(wanted)} changes, {len(data_ids)} ids")

        async def prepare(stored: StoredObject, index: int) -> Request:
            return await self._changing(caller, stored, wanted[index])

        return await self._each(data_ids, prepare, transactional=transactional)

    async def _changing(self, caller: Caller, stored: StoredObject, wanted: MetaChange) -> Request:
        changes.check_change(wanted)
        now = self._shelf.now()
        transition = await self._shelf.guarded(
            caller,
            stored,
            wanted.password,
            lambda current: Outcome(changes.change(current, wanted, now)),
        )
        return stored, transition

    # -- deletion ------------------------------------------------------------------------

    async def delete(self, caller: Caller, data_id: int, password: int = 0) -> None:
        """Delete an object. Needs the update permission; its owner may while it is not complete."""
        stored = await self._shelf.find(ObjectTarget(data_id))
        await self._shelf.ledger.change(*await self._deleting(caller, stored, password))

    async def delete_many(
        self, caller: Caller, wanted: Sequence[tuple[int, int]], *, transactional: bool
    ) -> list[DataStoreError | None]:
        """Delete objects, each given with a password or 0.

        Transactional means all, or none and the first refusal is raised; else it returns why not,
        of each. Raises INVALID for too many.
        """
        check_batch(wanted, self._shelf.limits.max_batch)

        async def prepare(stored: StoredObject, index: int) -> Request:
            return await self._deleting(caller, stored, wanted[index][1])

        return await self._each(
            [data_id for data_id, _ in wanted], prepare, transactional=transactional
        )

    async def _deleting(self, caller: Caller, stored: StoredObject, password: int) -> Request:
        checked = await self._shelf.guarded(caller, stored, password, uploads.deletion)

        def transition(current: StoredObject) -> Outcome:
            if not current.complete and current.owner == caller.pid:
                return uploads.deletion(current)
            return checked(current)

        return stored, transition

    async def _each(
        self,
        data_ids: Sequence[int],
        prepare: Callable[[StoredObject, int], Awaitable[Request]],
        *,
        transactional: bool,
    ) -> list[DataStoreError | None]:
        """Apply what is prepared for each object: all of it or nothing, or each for itself."""
        results: list[DataStoreError | None] = [None] * len(data_ids)
        requests: dict[int, Request] = {}
        for index, found in enumerate(await self._shelf.find_many(data_ids)):
            try:
                if isinstance(found, DataStoreError):
                    raise found
                requests[index] = await prepare(found, index)
            except DataStoreError as error:
                if transactional:
                    raise
                results[index] = error
        ledger = self._shelf.ledger
        if transactional:
            await ledger.change_all(list(requests.values()))
            return results
        applied = await ledger.change_each(list(requests.values()))
        for index, change in zip(requests, applied, strict=True):
            results[index] = change if isinstance(change, DataStoreError) else None
        return results
