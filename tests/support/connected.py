"""A client of NekoConnect for tests of the server as a whole."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator

from nekonex.app import ConnectPort
from nekonex.connect import ConnectLimits, Message
from nekonex.connect.protocol import ClientSession

__all__ = ["PluginClient", "connected", "logged_in"]


class PluginClient:
    """A client that is logged in."""

    def __init__(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, session: ClientSession
    ) -> None:
        self._reader = reader
        self._writer = writer
        self._session = session

    async def recv(self) -> Message:
        """Return the next message; EOFError at the end of the connection."""
        while (message := self._session.next_message()) is None:
            data = await self._reader.read(65_536)
            if not data:
                raise EOFError
            self._session.feed(data)
        return message

    async def request(self, greeter: str, data: bytes, op: int = 1) -> Message:
        """Send a frame, and return the next message."""
        self._writer.write(self._session.frame(greeter, op, data))
        await self._writer.drain()
        return await self.recv()


def connected(
    port: ConnectPort | None, *, password: str | None = None, tls: ssl.SSLContext | None = None
) -> contextlib.AbstractAsyncContextManager[PluginClient]:
    """Connect and log in, with the port's own password unless another is given."""
    assert port is not None
    return logged_in(port.address, (port.password or "") if password is None else password, tls)


@contextlib.asynccontextmanager
async def logged_in(
    address: tuple[str, int], password: str, tls: ssl.SSLContext | None = None
) -> AsyncIterator[PluginClient]:
    """Connect to an address and log in."""
    reader, writer = await asyncio.open_connection(*address, ssl=tls)
    try:
        session = ClientSession(password, max_data=ConnectLimits().max_data)
        writer.write(session.start())
        client = PluginClient(reader, writer, session)
        await client.recv()
        yield client
    finally:
        writer.close()
        with contextlib.suppress(OSError):
            await writer.wait_closed()
