"""NekoConnect as a whole: a socket, its connections, and the plugins behind them."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import socket
import ssl
from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Final

from nekonex.connect.host import Catalog, PluginHost, PluginStatus
from nekonex.connect.limits import ConnectLimits
from nekonex.connect.packages import PluginsFolder
from nekonex.connect.ports import GameControls, NoGames
from nekonex.connect.protocol import Gatekeeper, Status
from nekonex.connect.server.clients import Clients
from nekonex.connect.server.door import Door
from nekonex.connect.stats import ConnectStats
from nekonex.domain.cells import CellStore
from nekonex.events import EventBus

__all__ = ["GOODBYE_SECONDS", "SEND_BUFFER", "START_SECONDS", "ConnectServer"]

logger = logging.getLogger(__name__)

START_SECONDS: Final = 5.0
"""How long the server waits for its plugins before it takes connections without them."""
GOODBYE_SECONDS: Final = 0.5
"""How long clients may take to go when the server stops."""
SEND_BUFFER: Final = 128 * 1024
"""Bytes that the system takes of what is sent to a client that does not read; Linux doubles it.
With the megabytes that it takes else, nobody could tell a slow client from one that has stopped."""


class ConnectServer:
    """The server of the plugins; `start` comes first, `close` last.

    ``password`` None lets everybody in. ``plugins`` is the folder of installed plugins, and
    ``folders`` are those of further ones. With ``watch``, changes on the disk are taken up as
    they happen, else when `refresh` is called.
    """

    def __init__(
        self,
        *,
        password: str | None,
        cells: CellStore,
        limits: ConnectLimits | None = None,
        plugins: PluginsFolder | None = None,
        folders: Sequence[Path] = (),
        controls: GameControls | None = None,
        events: EventBus | None = None,
        tls: ssl.SSLContext | None = None,
        watch: bool = False,
    ) -> None:
        self.stats = ConnectStats()
        """What was counted so far."""
        self.cells = cells
        """The database of the plugins."""
        self._limits = limits or ConnectLimits()
        self._gate = Gatekeeper.make(password, self._limits)
        self._tls = tls
        self._make_host = partial(
            PluginHost,
            Catalog(plugins, folders),
            cells=cells,
            controls=controls or NoGames(),
            events=events or EventBus(),
            limits=self._limits,
            stats=self.stats,
            watch=watch,
        )
        self._host: PluginHost | None = None
        self._clients: Clients | None = None
        self._door: Door | None = None
        self._starting: asyncio.Task[None] | None = None
        self.address: tuple[str, int] = ("", 0)
        """Host and port that are bound; known from `start` on."""

    @property
    def connections(self) -> int:
        """How many clients are connected."""
        return 0 if self._clients is None else len(self._clients)

    async def start(self, sock: socket.socket) -> None:
        """Load the plugins, and serve a socket that listens; `close` closes it.

        A plugin that fails is logged and left out. One that takes long to start is not waited for.
        """
        self.address = sock.getsockname()[:2]
        self._host = host = self._make_host()
        self._clients = clients = Clients(self._gate, host, self._limits, self.stats)
        self._starting = asyncio.create_task(host.start())
        await asyncio.wait([self._starting], timeout=START_SECONDS)
        if self._starting.done():
            self._starting.result()
        else:
            logger.warning("some plugins are not ready yet")
        sock.setblocking(False)  # whoever made it may not have thought of that
        # Its connections inherit that.
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER)
        self._door = Door(sock, self._tls, clients)

    async def close(self) -> None:
        """Tell the clients that the server stops, stop the plugins, and close everything."""
        if self._door is not None:
            await self._door.close()
        if self._clients is not None:
            self._clients.is_stopping = True
            for connection in self._clients.all():
                connection.reject(Status.UNAVAILABLE, "the server stops")
        if self._starting is not None:
            self._starting.cancel()
            await asyncio.gather(self._starting, return_exceptions=True)
        if self._host is not None:
            await self._host.stop()
        if self._clients is not None:
            await self._see_off(self._clients)

    async def refresh(self, folder: Path | None = None) -> None:
        """Take up which plugins there are now; what fails is logged, see `plugins`.

        Plugins that are being loaded already are not waited for, but for that of a folder.
        """
        if self._host is not None:
            await self._host.refresh(folder)

    def plugins(self) -> list[PluginStatus]:
        """Return what became of each plugin that there is."""
        return [] if self._host is None else self._host.statuses()

    async def _see_off(self, clients: Clients) -> None:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(GOODBYE_SECONDS):
                await clients.gone.wait()
        for connection in clients.all():
            connection.abort()
        await clients.gone.wait()
