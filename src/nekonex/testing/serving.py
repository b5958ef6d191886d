"""The two servers that a plugin is tested in: NekoConnect alone, and the whole with its games."""

import contextlib
import socket
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from nekonex.app import Server
from nekonex.connect import ConnectLimits, ConnectServer
from nekonex.connect.host import PluginStatus
from nekonex.domain.cells import CellLimits, CellStore
from nekonex.testing.servers import running_server

__all__ = ["PASSWORD", "Serving", "serve_alone", "serve_with_games"]

PASSWORD: Final = "the password of the test"  # noqa: S105
"""Of a server that has no configuration."""


@dataclass(frozen=True, slots=True)
class Serving:
    """NekoConnect, with the plugin."""

    address: tuple[str, int]
    password: str
    """Empty where anybody may come."""
    cells: CellStore
    cell_limits: CellLimits
    refresh: Callable[[], Awaitable[None]]
    """Takes up what has changed on the disk."""
    problem: Callable[[], str]
    """Returns why the plugin does not run as it is on the disk; empty if it does."""
    server: Server | None = None
    """The whole server, where there is one."""


@contextlib.asynccontextmanager
async def serve_alone(
    folder: Path, limits: ConnectLimits, cells: CellStore
) -> AsyncIterator[Serving]:
    """Run NekoConnect with a plugin, and nothing else."""
    sock = socket.create_server(("127.0.0.1", 0))
    sock.setblocking(False)
    server = ConnectServer(password=PASSWORD, limits=limits, cells=cells, folders=[folder])
    try:
        await server.start(sock)
        yield Serving(
            server.address,
            PASSWORD,
            cells,
            limits.cells,
            server.refresh,
            lambda: _problem(server.plugins(), folder),
        )
    finally:
        await server.close()
        sock.close()


@contextlib.asynccontextmanager
async def serve_with_games(folder: Path, config: str, data: Path) -> AsyncIterator[Serving]:
    """Run the whole server of a configuration, with a plugin; it keeps everything in *data*."""
    async with running_server(config, folder=data, plugin_folders=[folder]) as server:
        connect = server.connect
        if connect is None or connect.cells is None:
            raise ValueError("connect.enabled is false, so no plugin would run")
        yield Serving(
            connect.address,
            connect.password or "",
            connect.cells,
            connect.cell_limits,
            connect.refresh,
            lambda: _problem(connect.plugins(), folder),
            server,
        )


def _problem(plugins: Sequence[PluginStatus], folder: Path) -> str:
    """Return why the plugin of a folder does not run, empty if it does."""
    for each in plugins:
        if each.folder.resolve() == folder.resolve():
            return each.reason
    return f"{folder} was not found"
