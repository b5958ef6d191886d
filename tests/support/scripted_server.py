"""A server that does with each client what a test says, whatever the protocol says."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable

from nekonex.connect.protocol import Frame, FrameDecoder, Password, encode_frame
from nekonex.connect.protocol.frames import encode_op

__all__ = ["PASSWORD", "Peer", "ScriptedServer", "scripted_server"]

PASSWORD = "a password"
_SERVER = "nekoconnect-server"


class Peer:
    """A client, as the script of a test sees it."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._reader = reader
        self.writer = writer
        self._decoder = FrameDecoder(1 << 24)
        self._drawn = 0
        self.frames: list[Frame] = []
        """All that the client has sent."""
        self.random = ""
        """The random that was sent last."""

    async def frame(self) -> Frame | None:
        """Return the client's next frame, None at the end."""
        while (frame := self._decoder.next_frame()) is None:
            data = await self._reader.read(65536)
            if not data:
                return None
            self._decoder.feed(data)
        self.frames.append(frame)
        return frame

    async def rest(self) -> list[Frame]:
        """Return all frames until the client has nothing more to say."""
        found = []
        while (frame := await self.frame()) is not None:
            found.append(frame)
        return found

    def encoded(self, greeter: str, op: int, data: bytes = b"", hash_: bytes = b"server") -> bytes:
        """Return a frame with a fresh random."""
        self._drawn += 1
        self.random = f"random {self._drawn}"
        return encode_frame(greeter.encode(), op, self.random.encode(), data, hash_)

    def send(self, greeter: str, op: int, data: bytes = b"", hash_: bytes = b"server") -> None:
        """Send a frame."""
        self.writer.write(self.encoded(greeter, op, data, hash_))

    def tell(self, status: int, hash_: bytes = b"server") -> None:
        """Send a status."""
        self.send(_SERVER, status, encode_op(status), hash_)

    async def welcome(self) -> None:
        """Let the client log in."""
        first = await self.frame()
        assert first is not None
        self.tell(200, Password(PASSWORD).server_hash(first.random.encode()))


class ScriptedServer:
    """Where it listens, and who has come so far."""

    def __init__(self) -> None:
        self.address = ("", 0)
        self.peers: list[Peer] = []
        self.errors: list[BaseException] = []


@contextlib.asynccontextmanager
async def scripted_server(
    script: Callable[[Peer], Awaitable[object]],
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
) -> AsyncIterator[ScriptedServer]:
    """Run a script for each client, then close its connection; what it raises is raised here."""
    scripted, tasks = ScriptedServer(), set[asyncio.Task[None]]()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        peer = Peer(reader, writer)
        scripted.peers.append(peer)
        try:
            await script(peer)
        except asyncio.CancelledError:
            writer.transport.abort()
        except Exception as error:  # noqa: BLE001 - raised below
            scripted.errors.append(error)
        finally:
            writer.close()
            with contextlib.suppress(OSError):
                await writer.wait_closed()

    server = await asyncio.start_server(serve, host, 0, ssl=tls)
    scripted.address = server.sockets[0].getsockname()[:2]
    try:
        yield scripted
    finally:
        server.close()
        _, late = await asyncio.wait(tasks, timeout=0.5) if tasks else (set(), set())
        for task in late:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await server.wait_closed()
    for error in scripted.errors:
        raise error
