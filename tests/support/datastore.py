"""A data store without a network: a clock that tests set, files in memory, and consoles' calls."""

from __future__ import annotations

from collections.abc import Awaitable, Iterable, Mapping
from random import Random
from typing import Any, cast

import pytest

from nekonex.domain.datastore import (
    Caller,
    DataStore,
    DataStoreError,
    Draft,
    Flag,
    Level,
    ObjectDownload,
    ObjectTarget,
    Permission,
    Refusal,
    StoredObject,
)
from nekonex.domain.datastore.files import Download, FileStore
from nekonex.domain.datastore.ports import ObjectStore
from nekonex.events import Event, EventBus
from nekonex.storage.memory_objects import MemoryObjectStore
from nekonex.storage.objects.memory import MemoryFileStore
from tests.support.matchmaking import Clock

__all__ = ["DAY", "PUBLIC", "Shop", "draft", "fetch", "refused"]

GAME = "test"
DAY = 86_400
PUBLIC = Permission(Level.PUBLIC)


def draft(**fields: Any) -> Draft:
    """Return the draft of an object that everybody may see and its owner has to complete."""
    return Draft(
        **{
            "size": 4,
            "access": PUBLIC,
            "flags": int(Flag.NEEDS_COMPLETION),
            "data_type": 1,
            **fields,
        }
    )


async def refused(call: Awaitable[object]) -> Refusal:
    """Return why a call is refused; one that is not fails the test."""
    with pytest.raises(DataStoreError) as caught:
        await call
    return caught.value.refusal


class FriendLists:
    """Who is whose friend; ``asked`` is who was asked for."""

    def __init__(self, friends: Mapping[int, Iterable[int]]) -> None:
        self.friends = friends
        self.asked: list[int] = []

    async def friends_of(self, pid: int) -> frozenset[int]:
        self.asked.append(pid)
        return frozenset(self.friends.get(pid, ()))


class Shop:
    """A data store over stores in memory; PIDs stand for the consoles that call it."""

    def __init__(
        self,
        *,
        store: Any = None,
        files: Any = None,
        clock: Clock | None = None,
        friends: Mapping[int, Iterable[int]] | None = None,
        seed: int = 0,
        **options: Any,
    ) -> None:
        self.clock = clock or Clock()
        self.random = Random(seed)
        self.store: ObjectStore = store or MemoryObjectStore(Random(seed))
        self.files: MemoryFileStore = files or MemoryFileStore(clock=self.clock)
        self.friends = FriendLists(friends or {})
        self.events = EventBus()
        self.published: list[Event] = []
        self.events.subscribe(Event, self.published.append)
        self.options = options
        self.data = self.restart()

    def restart(self) -> DataStore:
        """Make a new data store over what is stored, as a new process does."""
        self.data = DataStore(
            store=self.store,
            files=cast("FileStore", self.files),
            friends=self.friends,
            game=GAME,
            events=self.events,
            clock=self.clock,
            token_u64=lambda: self.random.getrandbits(64),
            **self.options,
        )
        return self.data

    @property
    def now(self) -> int:
        return int(self.clock.now)

    async def prepare(self, pid: int, **fields: Any) -> tuple[int, Any]:
        """Announce an object; return its data id and the form."""
        posted = await self.data.posting.prepare_post(Caller(pid), draft(**fields))
        return posted.data_id, posted.form

    async def post(self, pid: int, content: bytes = b"data", **fields: Any) -> int:
        """Post an object with its content."""
        data_id, form = await self.prepare(pid, size=len(content), **fields)
        self.files.upload(form, content)
        await self.data.posting.complete_post(Caller(pid), data_id, success=True)
        return data_id

    async def post_meta(self, pid: int, **fields: Any) -> int:
        """Post an object without a file."""
        wanted = draft(**{"size": 0, "flags": 0, **fields})
        return await self.data.posting.post_meta_binary(Caller(pid), wanted)

    async def update(self, pid: int, data_id: int, content: bytes, password: int = 0) -> int:
        """Replace the content of an object; return its version."""
        update = await self.data.updating.prepare_update(
            Caller(pid), data_id, len(content), password
        )
        self.files.upload(update.form, content)
        await self.data.updating.complete_update(Caller(pid), data_id, update.version, success=True)
        return update.version

    async def get(self, pid: int, data_id: int, password: int = 0) -> bytes:
        """Download the content of an object."""
        target = ObjectTarget(data_id)
        return fetch(self.files, await self.data.reading.prepare_get(Caller(pid), target, password))

    async def meta(self, pid: int, data_id: int, password: int = 0) -> StoredObject:
        """Return what is known of an object."""
        return await self.data.reading.meta(Caller(pid), ObjectTarget(data_id), password)

    async def stored(self, data_id: int) -> StoredObject:
        """Return an object as it is stored."""
        stored = await self.store.get(data_id)
        assert stored is not None
        return stored

    async def snapshot(self) -> tuple[list[StoredObject], dict[str, int]]:
        """Return all that is stored, to compare."""
        objects = list(await self.store.page(0, 10_000))
        return objects, {each.key: each.size async for each in self.files.keys("")}

    async def keys(self) -> list[str]:
        """Return the keys of all files."""
        return sorted((await self.snapshot())[1])

    def told(self, kind: type[Event]) -> list[Any]:
        """Return the events of a kind that were published."""
        return [each for each in self.published if isinstance(each, kind)]


def fetch(files: MemoryFileStore, download: ObjectDownload) -> bytes:
    """Download as a console does; the size must be what the console was told."""
    content = files.fetch(Download(download.url, download.headers, download.root_ca_cert))
    assert len(content) == download.size
    return content
