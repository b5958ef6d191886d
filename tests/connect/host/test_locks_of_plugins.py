"""A plugin may hold a lock while it reads, changes and stores, or tells everybody."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from nekonex.connect import Client, ConnectLimits
from tests.support.plugin_server import PASSWORD, plugin_server, write_plugin

COUNTER = """
import threading

class Logic:
    threads = {threads}

    def __init__(self):
        self.lock = threading.Lock()

    def recv(self, ctx):
        with self.lock:
            number = int(ctx.db_get("number") or 0) + 1
            ctx.db_store("number", str(number))
            {more}
        ctx.send(b"%d" % number)
"""
CLIENTS = 10
FRAMES = 5


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize("more", ["ctx.db_cells()", "ctx.broadcast(b'')"])
async def test_a_lock_held_in_ctx_methods_keeps_nobody_out_for_good(
    tmp_path: Path, threads: int, more: str
) -> None:
    folder = write_plugin(tmp_path, "counter", COUNTER.format(threads=threads, more=more))

    async def count(host: str, port: int) -> list[int]:
        async with Client(host, port, PASSWORD) as client:
            numbers: list[int] = []
            for _ in range(FRAMES):
                await client.send("counter", 1)
                while not (data := (await client.recv()).data):
                    pass
                numbers.append(int(data))
            return numbers

    # Without their places, those who hold the lock would get none until the others' time is up.
    async with (
        plugin_server(folder, limits=ConnectLimits(plugin_timeout=30)) as server,
        asyncio.timeout(10),
    ):
        counted = await asyncio.gather(*(count(*server.address) for _ in range(CLIENTS)))
        assert sorted(number for each in counted for number in each) == list(
            range(1, CLIENTS * FRAMES + 1)
        )
        assert server.stats.stuck == 0
