"""NintendoClients' consoles in the rooms of `tests.support.roomlab`.

Each lives in a task of its own, so that they may come and go in any order.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Iterable
from typing import Any

import pytest
from nintendo.nex import backend, common, matchmaking, nattraversal, notification, secure

from tests.support.nintendo import nintendo_settings
from tests.support.roomlab import Hearing, Rooms, password_of

__all__ = ["TheirConsole", "known_holders", "refused_there", "their_console", "their_consoles"]


async def refused_there(call: Awaitable[object]) -> str:
    """Return the name of the error that a call of theirs is answered with."""
    with pytest.raises(common.RMCError) as caught:
        await call
    name: str = caught.value.result().name()
    return name


def known_holders(module: Any = matchmaking) -> None:
    """Have their data holders know the gatherings of a module.

    Their table is one for all, and the module that was imported last has its way with it.
    """
    for name in ("MatchmakeSession", "PersistentGathering", "Gathering"):
        common.DataHolder.register(getattr(module, name), name)


class Inbox(notification.NotificationServer):  # type: ignore[misc]
    """What their consoles serve."""

    def __init__(self, hearing: Hearing) -> None:
        super().__init__()
        self._hearing = hearing

    async def process_notification_event(self, client: Any, event: Any) -> None:
        self._hearing.hear(event)


class TheirConsole(Hearing):
    """A console of theirs that has registered; ``module`` has the title's protocols."""

    def __init__(self, rooms: Rooms, pid: int, module: Any, suffix: str) -> None:
        super().__init__(pid)
        self._rooms = rooms
        self._module = module
        self._suffix = suffix
        self._vanishes = False
        self._end = asyncio.Event()
        self._ready: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._task = asyncio.create_task(self._live())
        self.extension: Any = None
        self.matchmaking: Any = None
        self.ext: Any = None
        self.nat: Any = None
        self.secure: Any = None
        self.cid = 0

    async def ready(self) -> None:
        """Wait until it has logged in."""
        await asyncio.wait([self._ready, self._task], return_when=asyncio.FIRST_COMPLETED)
        if self._task.done():
            self._task.result()

    async def leave(self) -> None:
        """Log out, with a goodbye."""
        self._end.set()
        await self._task

    async def vanish(self) -> None:
        """Be gone from the network all of a sudden."""
        self._vanishes = True
        self._end.set()
        with contextlib.suppress(BaseExceptionGroup, ConnectionAbortedError):
            await self._task

    async def _live(self) -> None:
        game = self._rooms.game
        settings = nintendo_settings(game.settings)
        async with (
            backend.connect(settings, *game.auth.address) as client,
            client.login(str(self.pid), password_of(self.pid), servers=[Inbox(self)]) as session,
        ):
            module, suffix = self._module, self._suffix
            self.extension = getattr(module, "MatchmakeExtensionClient" + suffix)(session)
            self.matchmaking = module.MatchMakingClient(session)
            self.ext = module.MatchMakingClientExt(session)
            self.nat = nattraversal.NATTraversalClient(session)
            self.secure = secure.SecureConnectionClient(session)
            url = common.StationURL(address="192.168.0.10", port=50000 + self.pid % 1000)
            reply = await self.secure.register([url])
            reply.result.raise_if_error()
            self.cid = reply.connection_id
            self._ready.set_result(None)
            await self._end.wait()
            if self._vanishes:
                raise ConnectionAbortedError


@contextlib.asynccontextmanager
async def their_consoles(
    rooms: Rooms, pids: Iterable[int], *, module: Any = matchmaking, suffix: str = ""
) -> AsyncIterator[list[TheirConsole]]:
    """Log in consoles, all at once."""
    known_holders(module)
    consoles = [TheirConsole(rooms, pid, module, suffix) for pid in pids]
    try:
        await asyncio.gather(*[console.ready() for console in consoles])
        yield consoles
    finally:
        await asyncio.gather(*[each.leave() for each in consoles], return_exceptions=True)
        known_holders()


@contextlib.asynccontextmanager
async def their_console(rooms: Rooms, pid: int, **options: Any) -> AsyncIterator[TheirConsole]:
    """Log in one console."""
    async with their_consoles(rooms, [pid], **options) as [console]:
        yield console
