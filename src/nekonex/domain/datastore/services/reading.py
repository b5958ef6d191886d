"""Reading objects: what is known of them, and where their contents are."""

from __future__ import annotations

from collections.abc import Sequence

from nekonex.domain.datastore.callers import Caller, ObjectDownload, ObjectTarget, Passwords
from nekonex.domain.datastore.files import Download
from nekonex.domain.datastore.model import StoredObject
from nekonex.domain.datastore.ports import Outcome
from nekonex.domain.datastore.refusals import DataStoreError, Refusal
from nekonex.domain.datastore.rules.lifetimes import refer
from nekonex.domain.datastore.rules.permissions import check_there
from nekonex.domain.datastore.rules.validation import check_batch, check_extra_data
from nekonex.domain.datastore.services.shelf import Shelf, attempted

__all__ = ["ReadingService"]


class ReadingService:
    """Methods raise DataStoreError, RMCError of the game's hooks, and ServiceUnavailable.

    Of what the caller may not see: INVALID for a target that is none, NOT_FOUND, UNDER_REVIEW,
    NOT_PERMITTED, WRONG_PASSWORD. Lists have objects and refusals in the places of what was
    asked for; INVALID is raised for lists that are too long.
    """

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    # -- what is known -------------------------------------------------------------------

    async def meta(self, caller: Caller, target: ObjectTarget, password: int = 0) -> StoredObject:
        """Return what is known of an object."""
        return await self._shelf.readable(caller, target, password)

    async def metas(
        self, caller: Caller, data_ids: Sequence[int], password: int = 0
    ) -> list[StoredObject | DataStoreError]:
        """Return what is known of objects that share a password, if any."""
        check_batch(data_ids, self._shelf.limits.max_batch)
        return await self._shelf.readable_many(caller, data_ids, password)

    async def metas_of(
        self, caller: Caller, wanted: Sequence[tuple[ObjectTarget, int]]
    ) -> list[StoredObject | DataStoreError]:
        """Return what is known of objects, each given with a password or 0."""
        check_batch(wanted, self._shelf.limits.max_batch)
        results: list[StoredObject | DataStoreError] = []
        for target, password in wanted:
            try:
                results.append(await self._shelf.readable(caller, target, password))
            except DataStoreError as error:
                results.append(error)
        return results

    async def specific(self, caller: Caller, data_ids: Sequence[int]) -> list[StoredObject]:
        """Return what is known of those of the objects that the caller may see."""
        found = await self.metas(caller, data_ids)
        return [each for each in found if isinstance(each, StoredObject)]

    async def passwords(
        self, caller: Caller, data_ids: Sequence[int]
    ) -> list[Passwords | DataStoreError]:
        """Return the passwords of objects; NOT_ALLOWED for those of other players."""
        check_batch(data_ids, self._shelf.limits.max_batch)
        now = self._shelf.now()

        def passwords(stored: StoredObject) -> Passwords:
            check_there(stored, stored.owner, now)
            if stored.owner != caller.pid:
                raise DataStoreError(Refusal.NOT_ALLOWED, f"object {stored.data_id} is another's")
            return Passwords(stored.data_id, stored.access_password, stored.update_password)

        return [
            each if isinstance(each, DataStoreError) else attempted(passwords, each)
            for each in await self._shelf.find_many(data_ids)
        ]

    # -- contents ------------------------------------------------------------------------

    async def prepare_get(
        self,
        caller: Caller,
        target: ObjectTarget,
        password: int = 0,
        extra_data: Sequence[str] = (),
    ) -> ObjectDownload:
        """Return where the content of an object is, and count that it was asked for.

        Raises DataStoreError: NOT_ALLOWED for an object without a file.
        """
        check_extra_data(extra_data)
        stored = await self._shelf.readable(caller, target, password)
        _check_has_file(stored)
        return (await self._fetch(caller, stored))[0]

    async def prepare_get_or_meta(
        self,
        caller: Caller,
        target: ObjectTarget,
        password: int = 0,
        extra_data: Sequence[str] = (),
    ) -> tuple[ObjectDownload | None, StoredObject]:
        """Return where the content of an object is, None if it has no file, and what is known."""
        check_extra_data(extra_data)
        stored = await self._shelf.readable(caller, target, password)
        if not stored.has_file:
            return None, await self._refer(caller, stored)
        return await self._fetch(caller, stored)

    async def object_infos(
        self, caller: Caller, data_ids: Sequence[int]
    ) -> list[ObjectDownload | DataStoreError]:
        """Return where the contents of objects are, as `prepare_get`."""
        results: list[ObjectDownload | DataStoreError] = []
        for found in await self.metas(caller, data_ids):
            try:
                if isinstance(found, DataStoreError):
                    raise found
                _check_has_file(found)
                results.append((await self._fetch(caller, found))[0])
            except DataStoreError as error:
                results.append(error)
        return results

    async def touch(self, caller: Caller, data_id: int, password: int = 0) -> None:
        """Count that an object was used."""
        stored = await self._shelf.readable(caller, ObjectTarget(data_id), password)
        await self._refer(caller, stored)

    async def _refer(self, caller: Caller, stored: StoredObject) -> StoredObject:
        """Count a reference, and return the object as it is then."""
        now = self._shelf.now()

        def transition(current: StoredObject) -> Outcome:
            check_there(current, caller.pid, now)
            return Outcome(refer(current, now))

        change = await self._shelf.store.change(stored.data_id, transition)
        return stored if change.after is None else change.after

    async def _fetch(
        self, caller: Caller, stored: StoredObject
    ) -> tuple[ObjectDownload, StoredObject]:
        """Count a reference; return where the content is, and the object that it belongs to."""
        shelf = self._shelf
        with shelf.journal.reading(stored.key) as reading:
            stored = await self._refer(caller, stored)
            while await reading.settle():
                found = await shelf.store.get(stored.data_id)
                if found is None:
                    raise DataStoreError(Refusal.NOT_FOUND, f"object {stored.data_id}")
                stored = found
            download = await shelf.files.download(
                stored.key, lifetime=shelf.limits.url_seconds, viewer=shelf.viewer(caller)
            )
        return _described(stored, download), stored


def _described(stored: StoredObject, download: Download) -> ObjectDownload:
    return ObjectDownload(
        data_id=stored.data_id,
        size=stored.size,
        url=download.url,
        headers=download.headers,
        root_ca_cert=download.root_ca_cert,
    )


def _check_has_file(stored: StoredObject) -> None:
    if not stored.has_file:
        raise DataStoreError(Refusal.NOT_ALLOWED, f"object {stored.data_id} has no file")
