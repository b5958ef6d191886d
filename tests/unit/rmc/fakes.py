"""Connections in memory, and a clock that jumps, for the tests of remote calls."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any, Self, TypeVar

from nekonex.rmc import Dispatcher, RMCLimits, Servant, Session
from nekonex.rmc.messages import Reply, encode_request, parse_reply
from nekonex.wire import WireContext

T = TypeVar("T")

CONTEXT = WireContext("3.5.4")


class FakeChannel:
    """Keeps what is sent; the test plays the transport."""

    def __init__(self, number: int = 1, pid: int | None = 1000, minor_version: int = 0) -> None:
        self.id = number
        self.pid = pid
        self.cid: int | None = 5
        self.remote_address = ("192.0.2.1", 50000 + number)
        self.local_address = ("192.0.2.99", 1224)
        self.local_port = 1
        self.remote_port = 15
        self.minor_version = minor_version
        self.open = True
        self.sent: list[tuple[bytes, int]] = []
        self.paused = False
        self.goodbyes = 0
        self.session: Session | None = None
        """Told at once when the channel closes, as a transport may do."""

    def send(self, data: bytes, substream: int = 0) -> None:
        if not self.open:
            raise ConnectionError("closed")
        self.sent.append((data, substream))

    def close(self) -> None:
        self.open = False
        if self.session is not None:
            self.session.on_closed("closed here")

    def disconnect(self) -> None:
        self.goodbyes += 1
        self.close()

    def pause_reading(self) -> None:
        self.paused = True

    def resume_reading(self) -> None:
        self.paused = False

    @property
    def replies(self) -> list[Reply]:
        return [parse_reply(data) for data, _ in self.sent]


class Recorder:
    """A servant whose methods are given as functions, and which notes what it is told."""

    NORESPONSE = False

    def __init__(self, protocol: int = 10, log: list[Any] | None = None) -> None:
        self.PROTOCOL_ID = protocol
        self.log: list[Any] = [] if log is None else log
        self.methods: dict[int, Callable[[Session, bytes], Awaitable[bytes]]] = {}
        self.on_logout: Callable[[Session], Awaitable[None]] | None = None

    async def handle(self, client: Session, method: int, body: bytes) -> bytes:
        self.log.append((client.id, method, body))
        if method in self.methods:
            return await self.methods[method](client, body)
        return b"re:" + body

    async def logout(self, client: Session) -> None:
        self.log.append(("logout", self.PROTOCOL_ID, client.id))
        if self.on_logout is not None:
            await self.on_logout(client)


class Server:
    """A dispatcher, its connections, and shortcuts for what tests do with them."""

    def __init__(self, *servants: Servant, limits: RMCLimits | None = None) -> None:
        self.dispatcher = Dispatcher(servants, CONTEXT, limits=limits)
        self.stats = self.dispatcher.stats

    def connect(
        self, number: int = 1, *, predecessor: Session | None = None, minor_version: int = 0
    ) -> tuple[Session, FakeChannel]:
        channel = FakeChannel(number, minor_version=minor_version)
        session = self.dispatcher.accept(channel, predecessor=predecessor)
        channel.session = session
        return session, channel

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *error: object) -> None:
        self.dispatcher.close()


def request(method: int, body: bytes = b"", call_id: int = 1, protocol: int = 10) -> bytes:
    return encode_request(protocol, call_id, method, body)


async def settle() -> None:
    """Let everything run that does not wait for time."""
    for _ in range(20):
        await asyncio.sleep(0)


class VirtualTimeLoop(asyncio.SelectorEventLoop):
    """An event loop whose clock jumps to the next timer instead of waiting for it."""

    def __init__(self) -> None:
        self._now = 0.0
        super().__init__(_Impatient(self))

    def time(self) -> float:
        return self._now

    def advance(self, seconds: float) -> None:
        self._now += seconds


class _Impatient(selectors.SelectSelector):
    def __init__(self, loop: VirtualTimeLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> Any:
        ready = super().select(0)
        if not ready and timeout:
            self._loop.advance(timeout)
        return ready


def run_virtual(coroutine: Coroutine[Any, Any, T]) -> T:
    """Run with virtual time. A wait that nothing would ever end hangs, as with real time."""
    with asyncio.Runner(loop_factory=VirtualTimeLoop) as runner:
        return runner.run(coroutine)
