"""Posting objects: announcing them, and saying that their contents are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from nekonex.domain.datastore.callers import Caller, Posted
from nekonex.domain.datastore.drafts import Draft
from nekonex.domain.datastore.model import Flag, StoredObject
from nekonex.domain.datastore.ports import Outcome, Transition
from nekonex.domain.datastore.refusals import DataStoreError, Refusal
from nekonex.domain.datastore.rules import uploads
from nekonex.domain.datastore.rules.validation import check_batch
from nekonex.domain.datastore.services.making import ObjectMaker
from nekonex.domain.datastore.services.shelf import Shelf

__all__ = ["PostingService"]


class PostingService:
    """Methods raise DataStoreError, and then nothing has changed, RMCError, ServiceUnavailable."""

    def __init__(self, shelf: Shelf, maker: ObjectMaker) -> None:
        self._shelf = shelf
        self._maker = maker

    async def prepare_post(self, caller: Caller, draft: Draft) -> Posted:
        """Announce an object, which is there for others when its content is.

        Raises DataStoreError: INVALID, NOT_FOUND for what it refers to, NOT_ALLOWED by the game,
        OVER_CAPACITY.
        """
        shelf = self._shelf
        stored = await self._maker.with_file(caller, draft)
        # First the form: there is to be nothing that nobody knows how to upload.
        form = await shelf.files.upload_form(
            stored.staging_key,
            draft.size,
            lifetime=shelf.limits.url_seconds,
            viewer=shelf.viewer(caller),
        )
        await shelf.create(Outcome(stored))
        shelf.leftovers.expect(stored)
        return Posted(stored.data_id, form)

    async def complete_post(self, caller: Caller, data_id: int, success: bool) -> None:
        """Say how the upload of a new object ended; without success it is as if never posted.

        Who says so of an object that completes itself, and has, is right. Raises DataStoreError:
        NOT_FOUND if there is no such object, it waited for too long, or its content is not there
        or has another size than announced, in which case it is deleted; NOT_PERMITTED for whom
        it does not belong to; NOT_ALLOWED if it is complete.
        """
        if not await self._complete(caller, data_id, success=success):
            raise DataStoreError(Refusal.NOT_FOUND, f"the content of object {data_id}")

    async def complete_posts(self, caller: Caller, data_ids: Sequence[int]) -> None:
        """Say that uploads of new objects succeeded, as `complete_post` for one after another.

        All are tried; the first refusal is raised in the end. Raises INVALID for too many.
        """
        check_batch(data_ids, self._shelf.limits.max_batch)
        first: DataStoreError | None = None
        for data_id in data_ids:
            try:
                await self.complete_post(caller, data_id, success=True)
            except DataStoreError as error:
                first = first or error
        if first is not None:
            raise first

    async def post_meta_binary(self, caller: Caller, draft: Draft) -> int:
        """Post an object without a file, and return its data id.

        Raises DataStoreError: INVALID, NOT_FOUND for what it refers to, NOT_ALLOWED by the game,
        OVER_CAPACITY.
        """
        stored = await self._maker.meta_binary(caller, draft)
        await self._post_complete(stored)
        return stored.data_id

    async def post_meta_binary_with_id(self, caller: Caller, data_id: int, draft: Draft) -> None:
        """Post an object without a file under a data id that is chosen.

        Raises DataStoreError as `post_meta_binary`, and NOT_ALLOWED for a data id that is in use
        or not to be chosen.
        """
        await self._post_complete(await self._maker.meta_binary(caller, draft, data_id))

    async def post_meta_binaries_with_ids(
        self,
        caller: Caller,
        data_ids: Sequence[int],
        drafts: Sequence[Draft],
        *,
        transactional: bool,
    ) -> list[DataStoreError | None]:
        """Post objects without files under data ids that are chosen; return why not, of each.

        Transactional means all, or none and the first refusal is raised. Raises INVALID for too
        many, and another number of drafts than ids.
        """
        check_batch(data_ids, self._shelf.limits.max_small_batch)
        if len(drafts) != len(data_ids):
            raise DataStoreError(Refusal.INVALID, f"{len(drafts)} drafts, {len(data_ids)} ids")
        wanted = list(zip(data_ids, drafts, strict=True))
        if transactional:
            await self._post_all(caller, wanted)
            return [None] * len(wanted)
        results: list[DataStoreError | None] = []
        for data_id, draft in wanted:
            try:
                await self.post_meta_binary_with_id(caller, data_id, draft)
                results.append(None)
            except DataStoreError as error:
                results.append(error)
        return results

    async def _post_complete(self, stored: StoredObject) -> None:
        notified = await self._shelf.recipients(stored, Flag.NOTIFY_ON_POST)
        await self._shelf.create(uploads.publication(stored, self._shelf.now(), notified))

    async def _post_all(self, caller: Caller, wanted: Sequence[tuple[int, Draft]]) -> None:
        """Create objects that nobody sees yet, and complete them all at once.

        Dying in between leaves what was never finished, which is cleared away.
        """
        shelf = self._shelf
        made = [await self._maker.meta_binary(caller, draft, each) for each, draft in wanted]
        requests: list[tuple[StoredObject, Transition]] = []
        try:
            for each in made:
                hidden = uploads.begin_post(each, 0)
                notified = await shelf.recipients(each, Flag.NOTIFY_ON_POST)
                await shelf.create(Outcome(hidden))
                requests.append((hidden, _publishing(shelf.now(), notified)))
            await shelf.ledger.change_all(requests)
        except BaseException:
            await shelf.ledger.change_each([(each, uploads.deletion) for each, _ in requests])
            raise

    async def _complete(self, caller: Caller, data_id: int, *, success: bool) -> bool:
        """Complete or drop a post; return whether that is what was asked for."""
        shelf = self._shelf
        stored = await shelf.store.get(data_id)
        if stored is None:
            raise DataStoreError(Refusal.NOT_FOUND, f"object {data_id}")
        if stored.owner != caller.pid:
            raise DataStoreError(Refusal.NOT_PERMITTED, f"PID {caller.pid}, object {data_id}")
        if stored.complete:
            return _completed_itself(stored, success=success)
        upload = stored.upload
        if upload is None or shelf.now() - upload.started > shelf.limits.unfinished_seconds:
            raise DataStoreError(Refusal.NOT_FOUND, f"object {data_id} waited for too long")
        arrived = success and await shelf.files.size(stored.staging_key) == upload.size
        if arrived:
            await shelf.publish(stored)
        else:
            await shelf.ledger.change(stored, _dropping)
        return arrived or not success


def _dropping(current: StoredObject) -> Outcome:
    """Delete an object if it is still not complete."""
    if current.complete:
        raise DataStoreError(Refusal.NOT_ALLOWED, f"object {current.data_id} is complete")
    return uploads.deletion(current)


def _publishing(now: int, notified: tuple[int, ...]) -> Transition:
    return lambda current: uploads.publication(replace(current, upload=None), now, notified)


def _completed_itself(stored: StoredObject, *, success: bool) -> bool:
    if success and stored.has_file and not uploads.needs_completion(stored.flags):
        return True
    raise DataStoreError(Refusal.NOT_ALLOWED, f"object {stored.data_id} is complete")
