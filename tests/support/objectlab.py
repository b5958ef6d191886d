"""A game with a data store: in memory, or over UDP with its files over HTTP.

`ObjectLab` puts the server of the protocol over one `nekonex.domain.datastore.service.DataStore`.
``clock.now`` is the time of all its parts.
"""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Any

from nekonex.app.sockets import bind
from nekonex.domain.datastore.files import FileStore
from nekonex.domain.datastore.ports import ObjectStore
from nekonex.domain.datastore.service import DataStore as Service
from nekonex.nex import SecureConnectionServer
from nekonex.nex.datastore.server import DataStoreServer
from nekonex.nex.structures import default_holders
from nekonex.rmc import Session, Stub
from nekonex.rmc.contexts import context_of
from nekonex.rmc.listener import serve
from nekonex.settings import Settings
from nekonex.storage import open_local
from nekonex.storage.memory_objects import MemoryObjectStore
from nekonex.storage.objects import SECRET_SIZE, MemoryFileStore, open_objects
from nekonex.web import BACKLOG, RECEIVE_BUFFER, HttpListener, make_application
from tests.support.login import Game
from tests.support.nexlab import Clock, lab_settings
from tests.support.pipe import PipeServer

__all__ = ["PLAYERS", "FriendList", "ObjectConsole", "ObjectLab", "piped_store", "served_store"]

PLAYERS = {pid: f"the password of {pid}" for pid in range(1000, 1004)}

_HOLDERS = default_holders()


class FriendList:
    """Who is whose friend."""

    def __init__(self, friends: Mapping[int, Iterable[int]]) -> None:
        self.friends = {pid: frozenset(theirs) for pid, theirs in friends.items()}

    async def friends_of(self, pid: int) -> frozenset[int]:
        return self.friends.get(pid, frozenset())


class ObjectConsole:
    """A console in memory: ``store`` calls the protocol."""

    def __init__(self, pid: int, session: Session, server: type[DataStoreServer]) -> None:
        self.pid = pid
        self.session = session
        self.store: Stub = server.client(session)


class ObjectLab:
    """The parts that tests look at. *options* are keyword arguments of the service."""

    def __init__(
        self,
        settings: Settings,
        clock: Clock,
        store: ObjectStore,
        files: FileStore | None,
        *,
        server: type[DataStoreServer] = DataStoreServer,
        friends: Mapping[int, Iterable[int]] | None = None,
        **options: Any,
    ) -> None:
        self.settings = settings
        self.clock = clock
        self.game = Game(settings)
        self.store = store
        self.files: Any = files
        self.friends = FriendList(friends or {})
        self.service = Service(
            store=store,
            files=files,
            friends=self.friends,
            game="test",
            events=self.game.bus,
            clock=clock,
            **options,
        )
        self.server = server(settings, datastore=self.service)
        self.secure: SecureConnectionServer = self.game.secure_server()
        self.pipe: PipeServer

    @contextlib.asynccontextmanager
    async def console(self, pid: int | None) -> AsyncIterator[ObjectConsole]:
        """Connect a console in memory."""
        # Consoles tell by the minor version of the transport that structures have headers.
        minor_version = 4 if self.settings.struct_header else 0
        async with self.pipe.client(pid=pid, minor_version=minor_version) as session:
            yield ObjectConsole(pid or 0, session, type(self.server))

    @contextlib.asynccontextmanager
    async def consoles(self, number: int) -> AsyncIterator[list[ObjectConsole]]:
        """Connect consoles in memory, with principal ids from 1000 on."""
        async with contextlib.AsyncExitStack() as stack:
            yield [
                await stack.enter_async_context(self.console(pid))
                for pid in range(1000, 1000 + number)
            ]


@contextlib.asynccontextmanager
async def piped_store(settings: Settings | None = None, **options: Any) -> AsyncIterator[ObjectLab]:
    """Make a game without sockets; no method may fail in a way that has no name.

    *options* may have another ``store``, other ``files`` and a ``clock``.
    """
    settings = lab_settings() if settings is None else settings
    clock = options.pop("clock", None) or Clock()
    parts = {"store": MemoryObjectStore(), "files": MemoryFileStore(clock=clock), **options}
    lab = ObjectLab(settings, clock, **parts)
    lab.pipe = PipeServer([lab.server], context_of(settings, holders=_HOLDERS))
    try:
        yield lab
    finally:
        lab.pipe.close()
        await lab.service.aclose()
    assert lab.pipe.dispatcher.stats.handler_errors == 0


@contextlib.asynccontextmanager
async def served_store(
    directory: Path, settings: Settings | None = None, *, durable: bool = False, **options: Any
) -> AsyncIterator[ObjectLab]:
    """Serve a game over UDP, and its files, which are on the disk, over HTTP.

    What is known of objects is in SQLite if *durable*, else in memory. See `PLAYERS`.
    """
    settings = lab_settings() if settings is None else settings
    clock = Clock()
    async with contextlib.AsyncExitStack() as stack:
        store: ObjectStore = MemoryObjectStore()
        if durable:
            stores = await stack.enter_async_context(open_local(directory / "data"))
            store = stores.objects("test")
        objects = await stack.enter_async_context(
            open_objects(directory / "objects", bytes(SECRET_SIZE), clock=clock)
        )
        port = await bind("127.0.0.1", 0, backlog=BACKLOG, receive_buffer=RECEIVE_BUFFER)
        listener = HttpListener(make_application(objects), port)
        await listener.start()
        stack.push_async_callback(listener.close)
        base_url = f"http://127.0.0.1:{port.getsockname()[1]}"
        files = objects.files("test", lambda viewer: base_url)
        lab = ObjectLab(settings, clock, store, files, **options)
        await lab.service.start()
        stack.push_async_callback(lab.service.aclose)
        game = lab.game
        await game.add_accounts(PLAYERS)
        game.secure = await stack.enter_async_context(
            serve(
                settings,
                [lab.secure, lab.server],
                "127.0.0.1",
                key=game.server_key,
                holders=_HOLDERS,
            )
        )
        server = game.authentication_server(game.secure.address[1])
        game.auth = await stack.enter_async_context(serve(settings, [server], "127.0.0.1"))
        yield lab
    assert game.secure.stats.handler_errors == 0
