"""How much of a client is taken in, and when."""

from __future__ import annotations

import asyncio
import contextlib
from pathlib import Path

import pytest

from nekonex.connect import ConnectLimits
from nekonex.connect.server.connection import FRAME_OVERHEAD, FRAMES_PER_TURN
from tests.support.plugin_server import plugin_server, write_plugin
from tests.support.raw_client import logic_of, raw_client
from tests.support.waiting import until

GATE = """
import asyncio

class Logic:
    def __init__(self):
        self.gate = asyncio.Event()
        self.seen = []

    async def recv(self, ctx):
        await self.gate.wait()
        self.seen.append(ctx.op)
        await ctx.send(ctx.data, ctx.op)
"""


async def test_a_client_whose_frames_wait_is_not_read_until_they_are_handled(
    tmp_path: Path,
) -> None:
    limits = ConnectLimits(receive_queue=20_000)
    plugin = write_plugin(tmp_path, "gate", GATE)
    async with plugin_server(plugin, limits=limits) as server, raw_client(server) as client:
        assert server._clients is not None
        (connection,) = server._clients.all()
        for op in range(1000):
            client.send("gate", op, bytes(5000))
        sending = asyncio.create_task(client.writer.drain())
        await until(lambda: connection._is_full)
        await asyncio.sleep(0.05)
        assert 10_000 < connection._queued <= 20_000 + 5000 + FRAME_OVERHEAD
        assert not connection._transport.is_reading()
        assert server.stats.frames < 10
        logic_of(server, "gate").gate.set()
        assert [each.op for each in await client.several(1000)] == list(range(1000))
        await sending
        assert connection._queued == 0
        assert connection._transport.is_reading()


async def test_frames_arrive_byte_by_byte(tmp_path: Path) -> None:
    echo = write_plugin(tmp_path, "echo")
    async with plugin_server(echo) as server, raw_client(server) as client:
        frames = b"".join(client.frame("echo", op, b"data") for op in range(3))
        for position in range(len(frames)):
            client.writer.write(frames[position : position + 1])
            await asyncio.sleep(0)
        assert await client.several(3) == [("echo", op, b"data") for op in range(3)]


async def test_many_frames_of_one_client_let_others_have_their_turn(tmp_path: Path) -> None:
    plugin = write_plugin(
        tmp_path,
        "count",
        """
        class Logic:
            seen = []

            async def recv(self, ctx):
                self.seen.append(ctx.client_id)
        """,
    )
    async with plugin_server(plugin) as server, contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(raw_client(server)) for _ in range(3)]
        for client in clients:
            client.writer.write(client.frame("count") * (FRAMES_PER_TURN * 5))
        await until(lambda: server.stats.frames == FRAMES_PER_TURN * 15)
        seen = logic_of(server, "count").seen
        # Nobody is ever more than a few turns ahead.
        half = seen[: len(seen) // 2]
        assert min(half.count(each) for each in set(seen)) >= FRAMES_PER_TURN
        assert len(set(half)) == 3


@pytest.mark.parametrize("rate_limit", [0, 10])
async def test_a_turn_is_short_whatever_the_frames_are(tmp_path: Path, rate_limit: int) -> None:
    """Also those that are refused."""
    limits = ConnectLimits(rate_limit=rate_limit)
    async with plugin_server(limits=limits) as server, raw_client(server) as client:
        assert server._clients is not None
        (connection,) = server._clients.all()
        connection.data_received(client.frame("nobody") * 1000)
        assert sum(server.stats.statuses.values()) <= FRAMES_PER_TURN + rate_limit
        assert len(await client.several(1000)) == 1000
        assert sum(server.stats.statuses.values()) == 1000


async def test_what_comes_after_the_end_is_thrown_away(tmp_path: Path) -> None:
    echo = write_plugin(tmp_path, "echo")
    async with plugin_server(echo) as server, raw_client(server) as client:
        client.send("echo", 1)
        client.writer.write(bytes(12))
        client.send("echo", 2)
        assert 400 in [each.op for each in await client.rest()]
        assert server.stats.frames == 1
