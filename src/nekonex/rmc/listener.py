"""Calls over UDP: one socket, any number of virtual ports, a set of servants on each."""

import asyncio
import contextlib
import secrets
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterable
from typing import Any, Final

from nekonex.prudp.base import State
from nekonex.prudp.connection import Connection
from nekonex.prudp.constants import STREAM_TYPE_RV_SECURE
from nekonex.prudp.events import Closed, Event, Message, Opened
from nekonex.prudp.limits import DropReason, Limits
from nekonex.prudp.server import ServerEndpoint
from nekonex.prudp.udp import UDPShell, bind_socket
from nekonex.rmc.contexts import context_of
from nekonex.rmc.dispatcher import Dispatcher
from nekonex.rmc.limits import RMCLimits, RMCStats
from nekonex.rmc.pool import TaskPool
from nekonex.rmc.servant import Servant
from nekonex.rmc.session import Session
from nekonex.settings import Settings, SettingsSource
from nekonex.wire import HolderRegistry, WireContext

__all__ = ["Listener", "Service", "listen", "serve"]

GOODBYE_SECONDS: Final = 2.0
"""How long a port that closes waits for its clients to acknowledge that."""
LOGOUT_SECONDS: Final = 5.0
"""How long a port that closes waits for the logout hooks after that."""
TICK_SECONDS: Final = 1.0


class Service:
    """One virtual port that is being served."""

    def __init__(self, listener: "Listener", dispatcher: Dispatcher, port: int) -> None:
        self._listener = listener
        self.dispatcher = dispatcher
        self.port = port

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the socket."""
        return self._listener.address

    @property
    def stats(self) -> RMCStats:
        """Counts of this port's calls."""
        return self.dispatcher.stats

    @property
    def drops(self) -> Counter[DropReason]:
        """Counts of the packets that the socket dropped, by reason."""
        return self._listener.drops

    def connections(self) -> list[Connection]:
        """Return the open connections of this port."""
        return [item for item in self._listener.endpoint.connections() if item.dest == self.port]

    def sessions(self) -> list[Session]:
        """Return the sessions of the open connections."""
        return [connection.user for connection in self.connections()]


class Listener:
    """One UDP socket and what is served on it. Made by :func:`listen`."""

    def __init__(self, settings: Settings, endpoint: ServerEndpoint, shell: UDPShell) -> None:
        self.settings = settings
        self.endpoint = endpoint
        self.pool = TaskPool()
        self._shell = shell
        self._services: dict[int, Service] = {}
        self._loop = asyncio.get_running_loop()
        self._ticker: asyncio.TimerHandle | None = None
        # Set whenever a connection leaves the tables; all ports that close wait on it.
        self._gone = asyncio.Event()

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that the socket is bound to."""
        address = self._shell.address
        return address[0], address[1]

    @property
    def drops(self) -> Counter[DropReason]:
        """Counts of dropped packets, by reason."""
        return self.endpoint.drops

    @contextlib.asynccontextmanager
    async def serve(
        self,
        servers: Iterable[Servant],
        *,
        vport: int = 1,
        key: bytes | None = None,
        context: WireContext | None = None,
        settings: Any = None,
        holders: HolderRegistry | None = None,
        limits: RMCLimits | None = None,
    ) -> AsyncIterator[Service]:
        """Serve *servers* on a virtual port; with *key*, to those who have a ticket for it.

        *context* defaults to what the listener's settings say, *settings* (what
        handlers see as ``client.settings``) to the listener's. At the end the
        clients are told goodbye and their logout hooks run. Raises ValueError
        for a port in use or servers that do not fit together.
        """
        if context is None:
            context = context_of(self.settings, holders=holders)
        dispatcher = Dispatcher(
            servers,
            context,
            settings=self.settings if settings is None else settings,
            limits=limits,
            pool=self.pool,
        )
        number = STREAM_TYPE_RV_SECURE << 4 | vport
        service = Service(self, dispatcher, number)
        self.endpoint.bind(vport, key)
        self._services[number] = service
        try:
            yield service
        finally:
            self.endpoint.unbind(vport)
            await self._say_goodbye(service)
            del self._services[number]

    async def _say_goodbye(self, service: Service) -> None:
        for connection in service.connections():
            connection.disconnect()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                while any(
                    item.state is State.CLOSING for item in self.endpoint.all_of(service.port)
                ):
                    self._gone.clear()
                    self._shell.advance()
                    await self._gone.wait()
        for connection in self.endpoint.all_of(service.port):
            connection.close()
        self._shell.advance()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LOGOUT_SECONDS):
                await service.dispatcher.wait_logouts()

    # -- what the shell reports ---------------------------------------------

    def on_events(self, events: list[Event]) -> None:
        """Hand on what the endpoint reports."""
        for event in events:
            if isinstance(event, Message):
                event.connection.user.on_message(event.data, event.substream)
            elif isinstance(event, Opened):
                self._accept(event)
            elif isinstance(event, Closed):
                event.connection.user.on_closed(event.reason)

    def _accept(self, event: Opened) -> None:
        connection = event.connection
        old = event.replaces
        service = self._services[connection.dest]
        connection.user = service.dispatcher.accept(
            connection, predecessor=None if old is None else old.user
        )

    def on_gone(self) -> None:
        """Take note that a connection has left the tables."""
        self._gone.set()

    def tick(self) -> None:
        """Look for handlers that take too long; once a second."""
        now = self._loop.time()
        for service in self._services.values():
            service.dispatcher.tick(now)
        self._ticker = self._loop.call_later(TICK_SECONDS, self.tick)

    def close(self) -> None:
        """Release the socket."""
        if self._ticker is not None:
            self._ticker.cancel()
        self.pool.close()
        self._shell.close()


@contextlib.asynccontextmanager
async def listen(
    settings: SettingsSource,
    host: str = "",
    port: int = 0,
    *,
    limits: Limits | None = None,
    minor_version: int | None = None,
) -> AsyncIterator[Listener]:
    """Open a UDP socket on *host* (empty: all IPv4 addresses) and *port* (0: any free one).

    *settings* are nekonex's or NintendoClients'. Virtual ports are served by
    ``listener.serve(...)``. Raises OSError when the address is in use and
    ValueError for settings that are out of range.
    """
    own = Settings.from_mapping(settings)
    loop = asyncio.get_running_loop()
    endpoint = ServerEndpoint(
        own.transport(),
        limits=limits,
        clock=loop.time,
        wall_clock=time.time,
        random=secrets.token_bytes,
        minor_version=minor_version,
    )
    shell = UDPShell(endpoint, bind_socket(host, port))
    listener = Listener(own, endpoint, shell)
    endpoint.on_gone = listener.on_gone
    await shell.start(listener.on_events)
    listener.tick()
    try:
        yield listener
    finally:
        listener.close()


@contextlib.asynccontextmanager
async def serve(
    settings: SettingsSource,
    servers: Iterable[Servant],
    host: str = "",
    port: int = 0,
    *,
    vport: int = 1,
    key: bytes | None = None,
    limits: Limits | None = None,
    rmc_limits: RMCLimits | None = None,
    holders: HolderRegistry | None = None,
) -> AsyncIterator[Service]:
    """Serve *servers* on one virtual port of a socket of its own.

    *key* is the Kerberos key of a secure server; None accepts everybody. The
    value has ``address``, so that port 0 is usable. Raises what :func:`listen`
    and :meth:`Listener.serve` raise.
    """
    async with (
        listen(settings, host, port, limits=limits) as listener,
        listener.serve(
            servers, vport=vport, key=key, limits=rmc_limits, holders=holders
        ) as service,
    ):
        yield service
