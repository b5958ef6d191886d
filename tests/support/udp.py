"""Our endpoints on real sockets of this machine, with handlers as short as a test needs."""

from __future__ import annotations

import asyncio
import contextlib
import os
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field

from nekonex.prudp.client import ClientConnection, ClientEndpoint, Credentials
from nekonex.prudp.events import Event, Message, UnreliableMessage
from nekonex.prudp.host import Endpoint
from nekonex.prudp.limits import Limits
from nekonex.prudp.server import ServerEndpoint
from nekonex.prudp.udp import UDPShell, bind_socket
from nekonex.settings import TransportSettings
from tests.support.reported import Reported

__all__ = ["HOST", "UDPNode", "echo", "udp_client", "udp_server"]

HOST = "127.0.0.1"


@dataclass(slots=True)
class UDPNode(Reported):
    """An endpoint, its socket, and all that it reported."""

    endpoint: Endpoint
    shell: UDPShell
    handler: Callable[[Event], None] | None = None
    events: list[Event] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def port(self) -> int:
        return int(self.shell.address[1])

    def take(self, events: list[Event]) -> None:
        for event in events:
            self.events.append(event)
            if self.handler is not None:
                self.handler(event)
        self.changed.set()

    async def wait_for(self, condition: Callable[[], bool], limit: float = 10.0) -> None:
        async with asyncio.timeout(limit):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    async def drained(self, limit: float = 5.0) -> None:
        """Wait until no connection is left, not even one that lingers."""
        gone = asyncio.Event()
        self.endpoint.on_gone = gone.set
        async with asyncio.timeout(limit):
            while len(self.endpoint):
                gone.clear()
                await gone.wait()

    def connect(
        self, port: int, credentials: Credentials | None = None, *, virtual_port: int = 1
    ) -> ClientConnection:
        assert isinstance(self.endpoint, ClientEndpoint)
        return self.endpoint.connect(
            (HOST, port),
            asyncio.get_running_loop().time(),
            port=virtual_port,
            credentials=credentials,
        )

    async def connected(
        self, port: int, credentials: Credentials | None = None, *, virtual_port: int = 1
    ) -> ClientConnection:
        connection = self.connect(port, credentials, virtual_port=virtual_port)
        await self.wait_for(lambda: connection in self.opened())
        return connection


def echo(event: Event) -> None:
    """Answer every message with itself."""
    if isinstance(event, Message):
        event.connection.send(event.data, event.substream)
    elif isinstance(event, UnreliableMessage):
        event.connection.send_unreliable(event.data)


@contextlib.asynccontextmanager
async def udp_server(
    settings: TransportSettings,
    *,
    key: bytes | None = None,
    handler: Callable[[Event], None] | None = echo,
    limits: Limits | None = None,
) -> AsyncIterator[UDPNode]:
    endpoint = ServerEndpoint(
        settings,
        clock=asyncio.get_running_loop().time,
        wall_clock=time.time,
        random=os.urandom,
        limits=limits,
    )
    endpoint.bind(1, key)
    async with _node(endpoint, handler) as node:
        yield node


@contextlib.asynccontextmanager
async def udp_client(settings: TransportSettings) -> AsyncIterator[UDPNode]:
    endpoint = ClientEndpoint(settings, clock=asyncio.get_running_loop().time, random=os.urandom)
    async with _node(endpoint, None) as node:
        yield node


@contextlib.asynccontextmanager
async def _node(
    endpoint: Endpoint, handler: Callable[[Event], None] | None
) -> AsyncIterator[UDPNode]:
    shell = UDPShell(endpoint, bind_socket(HOST, 0))
    node = UDPNode(endpoint, shell, handler)
    try:
        await shell.start(node.take)
        yield node
    finally:
        shell.close()
