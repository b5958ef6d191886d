"""Connections come in faster than the system, or the loop, has room for them."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import os
import resource
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest

from nekonex.connect import ConnectServer
from nekonex.connect.server.door import ACCEPTS_PER_TURN
from nekonex.storage.memory_cells import MemoryCellStore
from tests.support.plugin_server import plugin_server, write_plugin
from tests.support.raw_client import raw_client

WAITING = 12
CROWD = 300


@contextlib.contextmanager
def no_files() -> Iterator[None]:
    """Let this process open no more files."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = max(int(each) for each in os.listdir("/proc/self/fd")) + 8  # noqa: PTH208
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, hard))
    taken: list[int] = []
    try:
        with contextlib.suppress(OSError):
            while True:
                taken.append(os.open(os.devnull, os.O_RDONLY))
        yield
    finally:
        for each in taken:
            os.close(each)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.mark.skipif(not Path("/proc/self/fd").exists(), reason="counts files as Linux does")
async def test_a_process_without_files_complains_once_a_second(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plugin = write_plugin(tmp_path, "echo")
    async with plugin_server(plugin) as server, raw_client(server) as client:
        with contextlib.ExitStack() as stack:
            waiting = [stack.enter_context(socket.socket()) for _ in range(WAITING)]
            for each in waiting:
                each.setblocking(False)
            with no_files():
                for each in waiting:
                    with contextlib.suppress(BlockingIOError):
                        each.connect(server.address)
                await asyncio.sleep(1.5)
                assert (await client.ask("echo", 7)).op == 7
            warnings = [r for r in caplog.records if r.levelno >= logging.WARNING]
            assert 1 <= len(warnings) <= 3
            assert {r.getMessage() for r in warnings} == {
                "no connection can be accepted: Too many open files"
            }
        async with raw_client(server) as other:  # as soon as there are files again
            assert (await other.ask("echo", 8)).op == 8


@pytest.mark.parametrize("turns", range(5))
async def test_a_server_that_stops_as_they_come_keeps_no_socket(tmp_path: Path, turns: int) -> None:
    with contextlib.ExitStack() as stack:
        async with plugin_server(write_plugin(tmp_path, "echo")) as server:
            for _ in range(WAITING):
                stack.enter_context(socket.create_connection(server.address))
            for _ in range(turns):
                await asyncio.sleep(0)
        gc.collect()  # a socket that nobody has closed warns


async def test_those_who_come_leave_others_their_turn(tmp_path: Path) -> None:
    """However many wait to be accepted, whoever is connected is answered meanwhile."""
    plugin = write_plugin(tmp_path, "echo")
    async with plugin_server(plugin) as server, raw_client(server) as client:
        with contextlib.ExitStack() as stack:
            for _ in range(CROWD):
                stack.enter_context(socket.create_connection(server.address))
            client.send("echo", 7)
            steps = []
            while (now := server.connections) < CROWD + 1:
                await asyncio.sleep(0)
                steps.append(server.connections - now)
            assert max(steps) <= ACCEPTS_PER_TURN
            assert (await client.receive()).op == 7


async def test_a_socket_that_would_wait_holds_nobody_up() -> None:
    """As sockets do that nobody has told not to, and asyncio's own server takes."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        server = ConnectServer(password=None, cells=MemoryCellStore())
        await server.start(sock)
        try:
            assert not sock.getblocking()
        finally:
            sock.setblocking(False)
            await server.close()
