"""Calls over UDP from the client's side: consoles in a test, bots, load."""

import asyncio
import contextlib
import secrets
import socket
from collections.abc import AsyncIterator, Iterable
from typing import Final

from nekonex.prudp.base import Address, State
from nekonex.prudp.client import ClientConnection, ClientEndpoint, Credentials
from nekonex.prudp.events import Closed, Event, Message, Opened
from nekonex.prudp.limits import CloseReason, Limits
from nekonex.prudp.udp import UDPShell, bind_socket
from nekonex.rmc.contexts import context_of
from nekonex.rmc.dispatcher import Dispatcher
from nekonex.rmc.limits import RMCLimits
from nekonex.rmc.servant import Servant
from nekonex.rmc.session import Session
from nekonex.settings import Settings, SettingsSource
from nekonex.wire import HolderRegistry, WireContext

__all__ = ["Connector", "connect", "open_connector"]

GOODBYE_SECONDS: Final = 2.0
"""How long the end of a connection waits for the server to acknowledge it."""


class Connector:
    """One UDP socket from which connections are opened. Made by :func:`open_connector`.

    Up to 16 connections to one virtual port of a server, as a console has; for
    more consoles, open more connectors.
    """

    def __init__(self, settings: Settings, endpoint: ClientEndpoint) -> None:
        self.settings = settings
        self.endpoint = endpoint
        self.shell: UDPShell | None = None
        self._loop = asyncio.get_running_loop()
        self._waiting: dict[ClientConnection, asyncio.Future[None]] = {}
        self._dispatchers: dict[ClientConnection, Dispatcher] = {}
        self._gone: dict[ClientConnection, asyncio.Future[None]] = {}

    @contextlib.asynccontextmanager
    async def connect(
        self,
        address: Address,
        *,
        vport: int = 1,
        credentials: Credentials | None = None,
        servers: Iterable[Servant] = (),
        context: WireContext | None = None,
        holders: HolderRegistry | None = None,
        limits: RMCLimits | None = None,
    ) -> AsyncIterator[Session]:
        """Open a connection, and end it with a goodbye.

        *servers* answer what the server calls (notifications, probes). Raises
        ConnectionRefusedError when the server does not answer the handshake,
        which is how a server refuses a ticket too.
        """
        if context is None:
            context = context_of(self.settings, holders=holders)
        dispatcher = Dispatcher(servers, context, settings=self.settings, limits=limits)
        connection = self.endpoint.connect(
            address, self._loop.time(), port=vport, credentials=credentials
        )
        self._dispatchers[connection] = dispatcher
        opened = self._waiting[connection] = self._loop.create_future()
        try:
            await opened
            yield connection.user
        finally:
            await self._say_goodbye(connection)
            await dispatcher.wait_logouts()
            dispatcher.close()
            del self._dispatchers[connection]

    async def _say_goodbye(self, connection: ClientConnection) -> None:
        connection.disconnect()
        if connection.state is State.CLOSING:
            gone = self._gone[connection] = self._loop.create_future()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(GOODBYE_SECONDS):
                    await gone
            del self._gone[connection]
        connection.close()
        self._waiting.pop(connection, None)
        if self.shell is not None:
            self.shell.advance()

    def on_events(self, events: list[Event]) -> None:
        """Hand on what the endpoint reports."""
        for event in events:
            connection = event.connection
            if isinstance(event, Message):
                connection.user.on_message(event.data, event.substream)
            elif not isinstance(connection, ClientConnection):
                continue
            elif isinstance(event, Opened):
                connection.user = self._dispatchers[connection].accept(connection)
                _resolve(self._waiting.pop(connection, None))
            elif isinstance(event, Closed):
                self._on_closed(connection, event.reason)

    def _on_closed(self, connection: ClientConnection, reason: CloseReason) -> None:
        opened = self._waiting.pop(connection, None)
        if opened is not None and not opened.done():
            host, port = connection.remote_address
            opened.set_exception(ConnectionRefusedError(f"{host}:{port}: {reason}"))
        if connection.user is not None:
            connection.user.on_closed(reason)

    def on_gone(self) -> None:
        """Take note that a connection has left the tables."""
        for connection, gone in self._gone.items():
            if connection.state is State.CLOSED:
                _resolve(gone)


def _resolve(future: asyncio.Future[None] | None) -> None:
    if future is not None and not future.done():
        future.set_result(None)


@contextlib.asynccontextmanager
async def open_connector(
    settings: SettingsSource, *, family: int = socket.AF_INET, limits: Limits | None = None
) -> AsyncIterator[Connector]:
    """Open a UDP socket to connect from. *settings* are nekonex's or NintendoClients'."""
    own = Settings.from_mapping(settings)
    loop = asyncio.get_running_loop()
    endpoint = ClientEndpoint(
        own.transport(), clock=loop.time, random=secrets.token_bytes, limits=limits
    )
    connector = Connector(own, endpoint)
    sock = bind_socket("::" if family == socket.AF_INET6 else "", 0)
    connector.shell = UDPShell(endpoint, sock)
    endpoint.on_gone = connector.on_gone
    await connector.shell.start(connector.on_events)
    try:
        yield connector
    finally:
        connector.shell.close()


@contextlib.asynccontextmanager
async def connect(
    settings: SettingsSource,
    host: str,
    port: int,
    *,
    vport: int = 1,
    credentials: Credentials | None = None,
    servers: Iterable[Servant] = (),
    context: WireContext | None = None,
    holders: HolderRegistry | None = None,
    limits: RMCLimits | None = None,
) -> AsyncIterator[Session]:
    """Connect to one virtual port of a server, from a socket of its own.

    Codecs are compiled once for each *context*, so many clients should share one.
    Raises OSError for a host that is not found and ConnectionRefusedError when
    nobody answers the handshake.
    """
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_DGRAM)
    family, _, _, _, address = found[0]
    async with (
        open_connector(settings, family=family) as connector,
        connector.connect(
            address,
            vport=vport,
            credentials=credentials,
            servers=servers,
            context=context,
            holders=holders,
            limits=limits,
        ) as session,
    ):
        yield session
