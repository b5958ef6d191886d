"""A client of NekoConnect that does what a test says, and nothing by itself."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import AsyncIterator
from typing import Any

from nekonex.connect import ConnectServer, Message
from nekonex.connect.protocol import ClientSession
from tests.support.plugin_server import PASSWORD

__all__ = ["RawClient", "logic_of", "raw_client", "statuses"]

MAX_DATA = 64 * 1024 * 1024


class RawClient:
    """A socket, and the client's end of the protocol. It reads only when it is told to."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        password: str,
    ) -> None:
        self.reader = reader
        self.writer = writer
        self.session = ClientSession(password, max_data=MAX_DATA)

    @property
    def address(self) -> tuple[str, int]:
        """This end of the connection."""
        host, port, *_ = self.writer.get_extra_info("sockname")
        return host, port

    async def log_in(self) -> Message:
        """Send the first frame, and return what is answered."""
        self.writer.write(self.session.start())
        return await self.receive()

    def send(self, greeter: str, op: int = 1, data: bytes = b"") -> None:
        """Send a frame."""
        self.writer.write(self.session.frame(greeter, op, data))

    def frame(self, greeter: str, op: int = 1, data: bytes = b"") -> bytes:
        """Return the bytes of a frame."""
        return self.session.frame(greeter, op, data)

    async def receive(self, seconds: float = 5.0) -> Message:
        """Return the next message; EOFError if the server has closed the connection."""
        async with asyncio.timeout(seconds):
            while (message := self.session.next_message()) is None:
                data = await self.reader.read(256 * 1024)
                if not data:
                    raise EOFError
                self.session.feed(data)
        return message

    async def several(self, count: int) -> list[Message]:
        """Return the next messages."""
        return [await self.receive() for _ in range(count)]

    async def ask(self, greeter: str, op: int = 1, data: bytes = b"") -> Message:
        """Send a frame, and return the next message."""
        self.send(greeter, op, data)
        return await self.receive()

    async def rest(self) -> list[Message]:
        """Return what comes until the server closes the connection."""
        messages = []
        with contextlib.suppress(EOFError, ConnectionError):
            while True:
                messages.append(await self.receive())
        return messages

    def end(self) -> None:
        """Say that nothing more comes of this end."""
        self.writer.write_eof()

    def break_off(self) -> None:
        """Have the server hear at once that nobody is there any more, when this end vanishes."""
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))

    def vanish(self) -> None:
        """Close the connection at once."""
        self.writer.transport.abort()


@contextlib.asynccontextmanager
async def raw_client(
    server: ConnectServer,
    *,
    password: str = PASSWORD,
    log_in: bool = True,
    tls: ssl.SSLContext | None = None,
    receive_buffer: int | None = None,
) -> AsyncIterator[RawClient]:
    """Connect, log in, and vanish in the end."""
    sock = socket.socket()
    sock.setblocking(False)
    if receive_buffer is not None:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
    try:
        await asyncio.get_running_loop().sock_connect(sock, server.address)
        reader, writer = await asyncio.open_connection(
            sock=sock, ssl=tls, server_hostname="localhost" if tls else None, limit=1024
        )
    except BaseException:
        sock.close()
        raise
    client = RawClient(reader, writer, password)
    try:
        if log_in:
            assert await client.log_in() == ("nekoconnect-server", 200, b"\xc8")
        yield client
    finally:
        client.vanish()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await writer.wait_closed()


def logic_of(server: ConnectServer, greeter: str) -> Any:
    """Return the `Logic` object of a plugin that runs."""
    assert server._host is not None
    plugin = server._host.find(greeter)
    assert plugin is not None
    return plugin.loaded.logic


def statuses(messages: list[Message]) -> list[int]:
    """Return the statuses among some messages."""
    return [each.op for each in messages if each.is_status]
