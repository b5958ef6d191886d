"""Two sessions of remote calls that are connected in memory: no socket, no handshake."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Iterable

from nekonex.rmc import Dispatcher, Servant, Session
from nekonex.wire import WireContext

__all__ = ["PipeChannel", "PipeServer"]

_numbers = itertools.count(1)


class PipeChannel:
    """One end. What is sent arrives at the other end's session soon."""

    def __init__(self, pid: int | None, address: tuple[str, int], minor_version: int) -> None:
        self.id = next(_numbers)
        self.pid = pid
        self.cid = None if pid is None else 1
        self.remote_address = address
        self.local_address = ("192.0.2.99", 1224)
        self.local_port = 1
        self.remote_port = 15
        self.minor_version = minor_version
        self.open = True
        self.disconnected = False
        self.session: Session
        self.peer: PipeChannel

    def send(self, data: bytes, substream: int = 0) -> None:
        if not self.open:
            raise ConnectionError("closed")
        asyncio.get_running_loop().call_soon(self.peer.session.on_message, data, substream)

    def close(self) -> None:
        for end in (self, self.peer):
            if end.open:
                end.open = False
                asyncio.get_running_loop().call_soon(end.session.on_closed, "closed in a test")

    def disconnect(self) -> None:
        self.disconnected = True
        self.close()

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class PipeServer:
    """Servants, and clients that are connected to them in memory."""

    def __init__(self, servants: Iterable[Servant], context: WireContext) -> None:
        self.context = context
        self.dispatcher = Dispatcher(servants, context)

    @contextlib.asynccontextmanager
    async def client(
        self,
        *,
        pid: int | None = None,
        address: tuple[str, int] = ("192.0.2.1", 50001),
        servers: Iterable[Servant] = (),
        minor_version: int = 4,
    ) -> AsyncIterator[Session]:
        """Connect a client; leave the block when it has logged out."""
        theirs = PipeChannel(pid, ("192.0.2.99", 1224), minor_version)
        ours = PipeChannel(pid, address, minor_version)
        theirs.peer, ours.peer = ours, theirs
        local = Dispatcher(servers, self.context)
        theirs.session = local.accept(theirs)
        ours.session = self.dispatcher.accept(ours)
        try:
            yield theirs.session
        finally:
            theirs.close()
            await ours.session.wait_ended()
            local.close()

    def session_of(self, client: Session) -> Session:
        """Return the server's end."""
        channel = client.channel
        assert isinstance(channel, PipeChannel)
        return channel.peer.session

    def close(self) -> None:
        """Let the tasks end."""
        self.dispatcher.close()
