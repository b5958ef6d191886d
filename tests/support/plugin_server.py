"""A server of plugins on a free port, and plugins for it to run."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import socket
import ssl
import textwrap
import threading
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

from nekonex.connect import ConnectLimits, ConnectServer
from nekonex.connect.packages import PluginsFolder
from nekonex.connect.ports import GameControls
from nekonex.domain.cells import CellStore
from nekonex.events import EventBus
from nekonex.storage.memory_cells import MemoryCellStore
from tests.support.plugin_folders import ECHO, make_plugin, spec_sheet

__all__ = ["ECHO", "PASSWORD", "plugin_server", "plugin_server_aside", "write_plugin"]

PASSWORD = "a password"


def write_plugin(tmp_path: Path, greeter: str, source: str = ECHO, /, **modules: str) -> Path:
    """Write a plugin into a folder of its own, and return that; indented source is dedented.

    *modules* are further files by their names: ``a__b`` for ``a/b.py``.
    """
    folder = tmp_path / f"{greeter}-plugin"
    return make_plugin(folder, textwrap.dedent(source), spec=spec_sheet(greet=greeter), **modules)


@contextlib.asynccontextmanager
async def plugin_server(
    *folders: Path,
    password: str | None = PASSWORD,
    limits: ConnectLimits | None = None,
    cells: CellStore | None = None,
    plugins: PluginsFolder | None = None,
    controls: GameControls | None = None,
    events: EventBus | None = None,
    tls: ssl.SSLContext | None = None,
    watch: bool = False,
) -> AsyncIterator[ConnectServer]:
    """Run a server of plugins; ``server.address`` is where."""
    sock = socket.create_server(("127.0.0.1", 0), backlog=1024)
    sock.setblocking(False)
    server = ConnectServer(
        password=password,
        limits=limits,
        cells=MemoryCellStore() if cells is None else cells,
        plugins=plugins,
        folders=folders,
        controls=controls,
        events=events,
        tls=tls,
        watch=watch,
    )
    try:
        await server.start(sock)
        yield server
    finally:
        await server.close()
        sock.close()


@contextlib.contextmanager
def plugin_server_aside(*folders: Path, **options: Any) -> Iterator[ConnectServer]:
    """Run `plugin_server` in a thread with an event loop of its own, for tests that block."""
    started: queue.SimpleQueue[ConnectServer | BaseException] = queue.SimpleQueue()
    loop = asyncio.new_event_loop()
    stop = asyncio.Event()

    async def serve() -> None:
        async with plugin_server(*folders, **options) as server:
            started.put(server)
            await stop.wait()

    def run() -> None:
        try:
            with asyncio.Runner(loop_factory=lambda: loop) as runner:
                runner.run(serve())
        except BaseException as error:  # noqa: BLE001 - raised where it can be seen
            started.put(error)

    thread = threading.Thread(target=run)
    thread.start()
    server = started.get()
    try:
        if isinstance(server, BaseException):
            raise server
        yield server
    finally:
        with contextlib.suppress(RuntimeError):  # it has failed, so its loop is closed
            loop.call_soon_threadsafe(stop.set)
        thread.join()
