"""NekoConnect's port of the server, and what it is made of."""

import asyncio
import logging
import os
import socket
import ssl
from collections.abc import Iterable, Sequence
from dataclasses import fields, replace
from functools import partial
from pathlib import Path
from typing import Final

from nekonex.app.addresses import format_address
from nekonex.app.connect_password import connect_password
from nekonex.app.errors import StartError
from nekonex.app.origin import origin_of_key
from nekonex.app.ports import bind_refusal
from nekonex.app.sockets import bind
from nekonex.app.tls import tls_context
from nekonex.config import Config, ConnectSection
from nekonex.connect.host import PluginStatus
from nekonex.connect.limits import ConnectLimits
from nekonex.connect.packages import PluginsFolder
from nekonex.connect.ports import GameControls
from nekonex.connect.server import ConnectServer, ConnectStats
from nekonex.domain.cells import CellLimits, CellStore
from nekonex.events import EventBus
from nekonex.storage import Stores

__all__ = ["BACKLOG", "RECEIVE_BUFFER", "ConnectPort", "connect_limits"]

logger = logging.getLogger(__name__)

# As small as those of the HTTP port, and for the same reason: the loop has the games' packets to
# answer.
BACKLOG: Final = 128
"""Connections that wait to be accepted."""
RECEIVE_BUFFER: Final = 64 * 1024
"""Bytes that the system keeps for a connection until they are read; Linux doubles it."""


class ConnectPort:
    """The TCP port: bound by `open`, in service after `serve`, released by `close`."""

    def __init__(
        self,
        config: Config,
        bound: socket.socket,
        tls: ssl.SSLContext | None,
        folders: Sequence[Path],
        *,
        watch: bool,
    ) -> None:
        self._config = config
        self._socket = bound
        self._tls = tls
        self._folders = folders
        self._watch = watch
        self._server: ConnectServer | None = None
        host, port, *_ = bound.getsockname()
        self.address: tuple[str, int] = (host, port)
        """Host and port that are bound."""
        self.password: str | None = None
        """What clients have to know, as soon as it is in service; None where anybody may come."""

    @classmethod
    async def open(
        cls, config: Config, *, plugin_folders: Iterable[Path] = (), watch: bool | None = None
    ) -> "ConnectPort":
        """Bind the port; StartError in one sentence if anything that is configured cannot be had.

        Plugins are those of `plugins_dir` and of *plugin_folders*; *watch* says in place of the
        configuration whether they are loaded anew when their files change.
        """
        section = config.connect
        await asyncio.to_thread(_check_plugins_dir, config)
        tls = await asyncio.to_thread(tls_context, config)
        try:
            bound = await bind(
                section.host, section.port, backlog=BACKLOG, receive_buffer=RECEIVE_BUFFER
            )
        except OSError as error:
            key_of = partial(_origin, config)
            raise bind_refusal(key_of, "port", section.port, section.host, error) from error
        folders = list(dict.fromkeys(folder.resolve() for folder in plugin_folders))
        return cls(config, bound, tls, folders, watch=section.watch if watch is None else watch)

    async def serve(self, stores: Stores, controls: GameControls, events: EventBus) -> None:
        """Load the plugins, and let clients in from now on.

        Raises StartError where the password cannot be read or stored; what is wrong with a
        plugin is in the log and in `plugins`.
        """
        section = self._config.connect
        self.password = await connect_password(self._config, stores.secrets)
        self._server = ConnectServer(
            password=self.password,
            limits=connect_limits(section),
            cells=stores.cells,
            plugins=PluginsFolder(section.plugins_dir),
            folders=self._folders,
            controls=controls,
            events=events,
            tls=self._tls,
            watch=self._watch,
        )
        await self._server.start(self._socket)
        tls = "yes" if self._tls else "no"
        logger.info("listening", extra={"connect": format_address(self.address), "tls": tls})

    @property
    def cells(self) -> CellStore | None:
        """The database of the plugins; None before `serve`."""
        return None if self._server is None else self._server.cells

    @property
    def cell_limits(self) -> CellLimits:
        """How much a plugin may keep there."""
        return connect_limits(self._config.connect).cells

    @property
    def stats(self) -> ConnectStats | None:
        """What is counted; None before `serve`."""
        return None if self._server is None else self._server.stats

    def plugins(self) -> list[PluginStatus]:
        """Return what has become of each plugin."""
        return [] if self._server is None else self._server.plugins()

    async def refresh(self, folder: Path | None = None) -> None:
        """Take up what changed on the disk: plugins that are new, changed, enabled or gone."""
        if self._server is not None:
            await self._server.refresh(folder)

    async def close(self) -> None:
        """Say goodbye to the clients, stop the plugins, and release the port."""
        server, self._server = self._server, None
        try:
            if server is not None:
                await server.close()
        finally:
            self._socket.close()


def connect_limits(section: ConnectSection) -> ConnectLimits:
    """Return what a configuration lets clients and plugins use."""
    known = {each.name for each in fields(ConnectLimits)}
    configured = {
        name: getattr(section, name) for name in type(section).model_fields if name in known
    }
    defaults = ConnectLimits()
    # What a frame may have, one call of a plugin can receive.
    return replace(defaults, **configured, max_joined=max(defaults.max_joined, section.max_data))


def _check_plugins_dir(config: Config) -> None:
    """Raise StartError where there is something, but no folder that can be read."""
    path = config.connect.plugins_dir
    try:
        with os.scandir(path):
            pass
    except FileNotFoundError:
        return  # nobody has installed anything yet
    except OSError as error:
        where = _origin(config, "plugins_dir")
        raise StartError(f'{where} is "{path}", which cannot be read: {error.strerror}') from error


def _origin(config: Config, key: str) -> str:
    return origin_of_key(config, f"connect.{key}")
