"""Five hundred clients of a plugin, of whom fifty do not read what they asked for."""

from __future__ import annotations

import asyncio
import contextlib
import resource
from collections.abc import Iterator
from pathlib import Path

import pytest

from nekonex.connect import ConnectLimits, CutOff
from nekonex.connect.server.connection import FRAME_OVERHEAD
from nekonex.connect.server.outbox import HIGH_WATER
from tests.support.plugin_server import plugin_server, write_plugin
from tests.support.raw_client import RawClient, logic_of, raw_client
from tests.support.waiting import until

KIB = 1024
GOOD = 450
SLOW = 50
ROUNDS = 3
FRAMES = 6
"""That a good client sends at once."""

PLUGIN = """
class Logic:
    def start(self, app):
        self.app = app

    {word} recv(self, ctx):
        {await_}ctx.send(ctx.data, ctx.op)
"""


@pytest.fixture(autouse=True)
def _many_files() -> Iterator[None]:
    """Both ends of all connections are here."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    needed = 4096 if hard == resource.RLIM_INFINITY else min(4096, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, needed), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


async def talk(client: RawClient, greeter: str) -> None:
    for number in range(ROUNDS):
        ops = range(number * FRAMES, (number + 1) * FRAMES)
        client.writer.write(b"".join(client.frame(greeter, op, b"x" * 64) for op in ops))
        for op in ops:
            while (answer := await client.receive(30)).op == 10**6:
                pass  # news
            assert answer == (greeter, op, b"x" * 64)


async def flood(client: RawClient, greeter: str) -> None:
    with contextlib.suppress(ConnectionError):
        frame = client.frame(greeter, 1, bytes(8000))
        for _ in range(500):
            client.writer.write(frame)
            await client.writer.drain()


@pytest.mark.parametrize(
    ("word", "await_"), [("def", ""), ("async def", "await ")], ids=["plain", "coroutine"]
)
async def test_the_others_get_all_their_answers(tmp_path: Path, word: str, await_: str) -> None:
    limits = ConnectLimits(
        send_queue=512 * KIB, receive_queue=64 * KIB, send_timeout=1.0, max_data=16 * KIB
    )
    plugin = write_plugin(tmp_path, "echo", PLUGIN.format(word=word, await_=await_))
    async with plugin_server(plugin, limits=limits) as server, contextlib.AsyncExitStack() as stack:
        good = [await stack.enter_async_context(raw_client(server)) for _ in range(GOOD)]
        slow = [
            await stack.enter_async_context(raw_client(server, receive_buffer=4 * KIB))
            for _ in range(SLOW)
        ]
        floods = [asyncio.create_task(flood(client, "echo")) for client in slow]
        news = asyncio.create_task(publish(logic_of(server, "echo").app))
        await asyncio.gather(*(talk(client, "echo") for client in good))
        news.cancel()
        assert server._clients is not None
        for each in server._clients.all():
            assert each._queued <= 64 * KIB + 16 * KIB + FRAME_OVERHEAD
            assert each._outbox.waiting <= max(512 * KIB, HIGH_WATER) + 16 * KIB
        await asyncio.gather(*floods, return_exceptions=True)
        await until(lambda: server.connections == GOOD, 10.0)
        cut = server.stats.cut_off
        assert cut[CutOff.STALLED] + cut[CutOff.SLOW_READER] == SLOW
        assert server.stats.stuck == 0
        assert server.stats.failures == 0


async def publish(app: object) -> None:
    while True:
        await app.broadcast(b"news", 10**6)  # type: ignore[attr-defined]
        await asyncio.sleep(0.05)
