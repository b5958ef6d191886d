"""What a running server answers to commands about plugins, in a thread."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager
from pathlib import Path
from typing import Any, cast

from nekonex.app.connect import ConnectPort
from nekonex.app.control import CommandRefusedError, ControlServer
from nekonex.app.control_plugins import list_plugins, refresh_plugins
from nekonex.connect.packages import PluginsFolder
from nekonex.domain.cells import CellStore
from tests.support.plugin_server import plugin_server

__all__ = ["answering", "hosting"]

Answers = Callable[[str, Mapping[str, Any]], Any]


@contextlib.contextmanager
def answering(data_dir: Path, answer: Answers) -> Iterator[None]:
    """Answer commands by a function, as the server with a data directory does."""

    @contextlib.asynccontextmanager
    async def server() -> AsyncIterator[None]:
        async def handle(command: str, arguments: Mapping[str, Any]) -> Any:
            return answer(command, arguments)

        async with ControlServer(data_dir, handle).serving():
            yield

    with _in_thread(data_dir, server):
        yield


@contextlib.contextmanager
def hosting(data_dir: Path, plugins: Path, cells: CellStore | None = None) -> Iterator[None]:
    """Run the plugins of a folder."""

    @contextlib.asynccontextmanager
    async def server() -> AsyncIterator[None]:
        async with plugin_server(plugins=PluginsFolder(plugins), cells=cells) as running:
            port = cast("ConnectPort", running)

            async def handle(command: str, arguments: Mapping[str, Any]) -> Any:
                if command == "plugins":
                    return list_plugins(port)
                if command == "plugin_refresh":
                    return await refresh_plugins(port, arguments)
                raise CommandRefusedError("no such command")

            async with ControlServer(data_dir, handle).serving():
                yield

    with _in_thread(data_dir, server):
        yield


@contextlib.contextmanager
def _in_thread(
    data_dir: Path, server: Callable[[], AbstractAsyncContextManager[None]]
) -> Iterator[None]:
    data_dir.mkdir(exist_ok=True)
    ready: list[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = []
    started = threading.Event()

    async def run() -> None:
        stop = asyncio.Event()
        async with server():
            ready.append((asyncio.get_running_loop(), stop))
            started.set()
            await stop.wait()

    def thread() -> None:
        try:
            asyncio.run(run())
        finally:
            started.set()

    running = threading.Thread(target=thread)
    running.start()
    started.wait()
    ((loop, stop),) = ready
    try:
        yield
    finally:
        loop.call_soon_threadsafe(stop.set)
        running.join()
