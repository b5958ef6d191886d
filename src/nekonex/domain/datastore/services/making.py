"""What a player posts becomes an object: checked, numbered, and with a key."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Final

from nekonex.domain.datastore.callers import Caller
from nekonex.domain.datastore.drafts import Draft
from nekonex.domain.datastore.files import valid_key
from nekonex.domain.datastore.model import FIRST_DATA_ID, SYSTEM_DATA_IDS, Flag, StoredObject
from nekonex.domain.datastore.refusals import DataStoreError, Refusal
from nekonex.domain.datastore.rules import uploads
from nekonex.domain.datastore.rules.lifetimes import is_expired
from nekonex.domain.datastore.rules.validation import check_draft
from nekonex.domain.datastore.services.shelf import Shelf
from nekonex.values import RMCError, ServiceUnavailable

__all__ = ["ObjectMaker"]

_logger = logging.getLogger(__name__)

_ROOM: Final = "~" + "0" * 80
"""As much as is ever added to a key for contents that are not published."""


class ObjectMaker:
    """Makes objects of drafts; ``token_u64()`` makes unguessable numbers below 2**64.

    Methods raise DataStoreError: INVALID for what is out of bounds, NOT_FOUND for a reference to
    an object that does not exist, NOT_ALLOWED if the game does not permit it; and RMCError of the
    game's callbacks, ServiceUnavailable.
    """

    def __init__(self, shelf: Shelf, token_u64: Callable[[], int]) -> None:
        self._shelf = shelf
        self._token = token_u64

    async def with_file(self, caller: Caller, draft: Draft) -> StoredObject:
        """Return an object that waits for its content; it is not stored."""
        if draft.flags & Flag.NO_FILE:
            raise DataStoreError(Refusal.INVALID, "an object without a file has none to upload")
        check_draft(draft, self._shelf.limits.max_object_size)
        await self._check_reference(draft)
        stored = await self._draw_up(caller, draft, None)
        stored = replace(stored, key=await self._key(caller, stored))
        return await self._permitted(caller, uploads.begin_post(stored, draft.size))

    async def meta_binary(
        self, caller: Caller, draft: Draft, data_id: int | None = None
    ) -> StoredObject:
        """Return an object without a file, which is to be stored as complete.

        A player may choose a data id of those that are neither the game's nor given out: else
        one could take what the next to post an object is going to be given.
        """
        check_draft(draft, 0)
        if data_id is not None:
            if data_id <= 0:
                raise DataStoreError(Refusal.INVALID, f"data id {data_id}")
            if data_id in SYSTEM_DATA_IDS or data_id >= FIRST_DATA_ID:
                raise DataStoreError(Refusal.NOT_ALLOWED, f"data id {data_id} is not to be chosen")
        await self._check_reference(draft)
        draft = replace(draft, flags=draft.flags | Flag.NO_FILE)
        return await self._permitted(caller, await self._draw_up(caller, draft, data_id))

    async def _check_reference(self, draft: Draft) -> None:
        if not draft.refer_data_id:
            return
        shelf = self._shelf
        referred = await shelf.store.get(draft.refer_data_id)
        if referred is None or not referred.complete or is_expired(referred, shelf.now()):
            raise DataStoreError(Refusal.NOT_FOUND, f"object {draft.refer_data_id} is referred to")

    async def _draw_up(self, caller: Caller, draft: Draft, data_id: int | None) -> StoredObject:
        shelf = self._shelf
        if data_id is None:
            (data_id,) = await shelf.store.new_ids(1)
        stored = uploads.draw_up(draft, owner=caller.pid, data_id=data_id, now=shelf.now())
        return replace(
            stored,
            status=uploads.first_status(draft.flags, review=shelf.rules.review),
            access_password=self._password(),
            update_password=self._password(),
        )

    def _password(self) -> int:
        # 0 is what consoles send who have none.
        return self._token() or 1

    async def _key(self, caller: Caller, stored: StoredObject) -> str:
        """Ask the game for a key; what goes wrong in its callback is its own."""
        try:
            key = await self._shelf.keys.find(
                caller.pid, caller.client, stored.slot, stored.data_id
            )
        except (RMCError, ServiceUnavailable, DataStoreError):
            raise
        except Exception as error:
            _logger.exception("there is no key for an object of PID %d", caller.pid)
            raise ServiceUnavailable("the key of the object cannot be found") from error
        if not valid_key(key + _ROOM):
            _logger.error("the key %r of an object of PID %d is too long", key, caller.pid)
            raise ServiceUnavailable("the key of the object is too long")
        return key

    async def _permitted(self, caller: Caller, stored: StoredObject) -> StoredObject:
        if not await self._shelf.hooks.may_post(caller.pid, stored):
            raise DataStoreError(Refusal.NOT_ALLOWED, "the game does not permit it")
        return stored
