"""Many consoles at once, each in a task of its own."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field

from nekonex.demo.clients import Console, Inbox, Online, Vanished

__all__ = ["Visitor", "crowd"]


@dataclass(slots=True)
class Visitor:
    """A console that is online until it is sent home or its plug is pulled."""

    console: Console
    inbox: Inbox = field(default_factory=Inbox)
    _online: Online | None = None
    _arrived: asyncio.Event = field(default_factory=asyncio.Event)
    _over: asyncio.Event = field(default_factory=asyncio.Event)
    _unplugged: bool = False

    @property
    def online(self) -> Online:
        """Its connection. Raises Vanished if there is none."""
        if self._online is None:
            raise Vanished
        return self._online

    def pull_the_plug(self) -> None:
        """Let it be gone without a goodbye."""
        self._unplugged = True
        self._over.set()

    def send_home(self) -> None:
        """Let it log out."""
        self._over.set()

    async def arrival(self) -> None:
        """Wait until it is online."""
        await self._arrived.wait()

    async def stay(self, door: asyncio.Lock) -> None:
        """Be online as long as wanted."""
        try:
            await self._visit(door)
        except* Vanished:
            pass
        finally:
            self._online = None

    async def _visit(self, door: asyncio.Lock) -> None:
        async with contextlib.AsyncExitStack() as stack:
            async with door:
                online = self.console.online([self.inbox.server])
                self._online = await stack.enter_async_context(online)
            self._arrived.set()
            await self._over.wait()
            if self._unplugged:
                raise Vanished


@contextlib.asynccontextmanager
async def crowd(consoles: Sequence[Console]) -> AsyncIterator[list[Visitor]]:
    """Have consoles online at the same time; they go home at the end.

    They log in one by one. Each works for it, and if all of them did that at once, in one process
    on a busy machine, those who came first would miss the server's pings meanwhile.
    """
    visitors = [Visitor(console) for console in consoles]
    door = asyncio.Lock()
    async with asyncio.TaskGroup() as group:
        for visitor in visitors:
            group.create_task(visitor.stay(door))
        try:
            for visitor in visitors:
                await visitor.arrival()
            yield visitors
        finally:
            for visitor in visitors:
                visitor.send_home()
