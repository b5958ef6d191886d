"""The data store of one game: everything that its protocol server and its operator use."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager

from nekonex.domain.datastore.files import FileStore
from nekonex.domain.datastore.hooks import DataStoreHooks
from nekonex.domain.datastore.keys import ObjectKeys
from nekonex.domain.datastore.limits import DataStoreLimits
from nekonex.domain.datastore.model import staged_data_id
from nekonex.domain.datastore.ports import ObjectStore
from nekonex.domain.datastore.rules.uploads import completes_itself
from nekonex.domain.datastore.services.making import ObjectMaker
from nekonex.domain.datastore.services.notifications import NotificationService
from nekonex.domain.datastore.services.posting import PostingService
from nekonex.domain.datastore.services.ratings import RatingService
from nekonex.domain.datastore.services.reading import ReadingService
from nekonex.domain.datastore.services.searching import SearchService
from nekonex.domain.datastore.services.shelf import DataStoreRules, Friends, Shelf
from nekonex.domain.datastore.services.slots import SlotService
from nekonex.domain.datastore.services.updating import UpdatingService
from nekonex.domain.datastore.services.upkeep import Upkeep
from nekonex.domain.datastore.services.verification import Verification
from nekonex.domain.ports import Clock
from nekonex.events import EventBus

__all__ = ["DataStore"]


class DataStore:
    """One game's objects, and all services that work on them.

    ``files`` is None where nothing can be uploaded; objects without files are posted all the
    same. ``friends`` knows who is whose friend. ``clock`` is the time in POSIX seconds;
    ``token_u64()`` makes unguessable numbers below 2**64.
    """

    def __init__(
        self,
        *,
        store: ObjectStore,
        files: FileStore | None,
        friends: Friends,
        game: str,
        keys: ObjectKeys | None = None,
        hooks: DataStoreHooks | None = None,
        limits: DataStoreLimits | None = None,
        rules: DataStoreRules | None = None,
        events: EventBus | None = None,
        clock: Clock = time.time,
        token_u64: Callable[[], int] = lambda: secrets.randbits(64),
    ) -> None:
        self.limits = limits or DataStoreLimits()
        self.game = game
        self.shelf = Shelf(
            store=store,
            files=files,
            friends=friends,
            keys=keys or ObjectKeys(),
            hooks=hooks or DataStoreHooks(),
            limits=self.limits,
            rules=rules or DataStoreRules(),
            events=events or EventBus(),
            game=game,
            clock=clock,
        )
        maker = ObjectMaker(self.shelf, token_u64)
        self.upkeep = Upkeep(self.shelf)
        self.posting = PostingService(self.shelf, maker)
        self.updating = UpdatingService(self.shelf)
        self.slots = SlotService(self.shelf)
        self.reading = ReadingService(self.shelf)
        self.ratings = RatingService(self.shelf, maker)
        self.searching = SearchService(self.shelf)
        self.notifications = NotificationService(self.shelf)
        self.shelf.ledger.notify = self.notifications.notify
        self.verification = Verification(self.shelf)

    def extend(
        self, *, hooks: DataStoreHooks | None = None, keys: ObjectKeys | None = None
    ) -> None:
        """Give it what is known only when it is there, before it is used; None changes nothing."""
        if hooks is not None:
            self.shelf.hooks = hooks
        if keys is not None:
            self.shelf.keys = keys

    async def start(self) -> None:
        """Carry out what an earlier process left over, before anybody asks for anything.

        Raises ServiceUnavailable if the store is out of order. Where only files are, those that
        are not in their places are not given to anybody until they are.
        """
        await self.upkeep.start()

    async def run_upkeep(self) -> None:
        """Clear away what has expired or was never finished, now and then, for ever."""
        await self.upkeep.run()

    async def arrived(self, key: str) -> None:
        """Take note that a file was uploaded: an object that waited for nothing else is complete.

        It is found out anyhow, later. Raises DataStoreError and ServiceUnavailable.
        """
        data_id = staged_data_id(key)
        stored = None if data_id is None else await self.shelf.store.get(data_id)
        if stored is not None and completes_itself(stored) and stored.staging_key == key:
            await self.shelf.complete_arrived(stored)

    def quiet(self) -> AbstractAsyncContextManager[None]:
        """Keep all files where they are; changes that mean anything for them wait."""
        return self.shelf.journal.quiet()

    async def forget(self, pid: int) -> int:
        """Remove what a player posted and what it was notified of; return how many objects.

        What it rated stays rated, but not by whom. If it raises ServiceUnavailable, a part may
        be removed; repeating it removes the rest.
        """
        removed = await self.upkeep.remove_of(pid)
        await self.notifications.forget(pid)
        return removed

    async def aclose(self) -> None:
        """Wait for the changes that are under way."""
        await self.shelf.journal.aclose()
