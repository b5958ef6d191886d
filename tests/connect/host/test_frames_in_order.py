"""Which frames a plugin is given, when, and how many at a time."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from pathlib import Path

import pytest

from nekonex.connect import ConnectLimits
from tests.support.plugin_server import plugin_server, write_plugin
from tests.support.raw_client import logic_of, raw_client, statuses
from tests.support.waiting import until

PLAIN = """
import time

class Logic:
    def recv(self, ctx):
        if ctx.op % 3 == 0:
            time.sleep(0.002)
        ctx.send(ctx.data, ctx.op)
"""
COROUTINE = """
import asyncio

class Logic:
    async def recv(self, ctx):
        if ctx.op % 3 == 0:
            await asyncio.sleep(0.002)
        await ctx.send(ctx.data, ctx.op)
"""
GATE = """
import threading

class Logic:
    threads = {threads}

    def __init__(self):
        self.lock = threading.Lock()
        self.now = self.most = 0
        self.gate = threading.Event()

    def recv(self, ctx):
        with self.lock:
            self.now += 1
            self.most = max(self.most, self.now)
        if not self.gate.wait(5):
            raise TimeoutError
        with self.lock:
            self.now -= 1
        ctx.send(ctx.data, ctx.op)
"""
DIALOG = """
class Logic:
    threads = 1

    def recv(self, ctx):
        name = ctx.data
        ctx.send(name + b" hears " + ctx.recv())
"""


@pytest.mark.parametrize("source", [PLAIN, COROUTINE], ids=["plain", "coroutine"])
async def test_frames_of_one_connection_are_handled_in_order(tmp_path: Path, source: str) -> None:
    plugin = write_plugin(tmp_path, "slow", source)
    async with plugin_server(plugin) as server, contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(raw_client(server)) for _ in range(3)]
        for number in range(20):
            for client in clients:
                client.send("slow", number, b"%d" % number)
        for client in clients:
            answers = await client.several(20)
            assert answers == [("slow", each, b"%d" % each) for each in range(20)]


async def test_a_slow_plugin_holds_up_no_other_of_the_same_connection(tmp_path: Path) -> None:
    gate = write_plugin(tmp_path, "gate", GATE.format(threads=1))
    echo = write_plugin(tmp_path, "echo")
    async with plugin_server(gate, echo) as server, raw_client(server) as client:
        client.send("gate", 1)
        client.send("echo", 2)
        assert (await client.receive()) == ("echo", 2, b"")
        logic_of(server, "gate").gate.set()
        assert (await client.receive()) == ("gate", 1, b"")


async def test_connections_are_handled_at_once_in_a_plain_plugin(tmp_path: Path) -> None:
    plugin = write_plugin(tmp_path, "gate", GATE.format(threads=32))
    async with plugin_server(plugin) as server, contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(raw_client(server)) for _ in range(5)]
        for client in clients:
            client.send("gate")
        logic = logic_of(server, "gate")
        await until(lambda: logic.now == 5)
        logic.gate.set()
        for client in clients:
            await client.receive()


async def test_one_thread_handles_one_call_at_a_time_whoever_asks(tmp_path: Path) -> None:
    plugin = write_plugin(tmp_path, "gate", GATE.format(threads=1))
    async with plugin_server(plugin) as server, contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(raw_client(server)) for _ in range(4)]
        for client in clients:
            client.send("gate")
            client.send("gate")
        logic = logic_of(server, "gate")
        await until(lambda: server.stats.frames == 8)
        logic.gate.set()
        for client in clients:
            await client.several(2)
        assert logic.most == 1


async def test_a_call_that_waits_for_a_frame_gives_its_place_to_others(tmp_path: Path) -> None:
    plugin = write_plugin(tmp_path, "dialog", DIALOG)
    async with (
        plugin_server(plugin) as server,
        raw_client(server) as first,
        raw_client(server) as second,
    ):
        first.send("dialog", 1, b"anna")
        second.send("dialog", 1, b"bert")
        assert server._host is not None
        running = server._host.find("dialog")
        assert running is not None
        await until(lambda: running.waiting == 2)
        second.send("dialog", 1, b"two")
        assert (await second.receive()).data == b"bert hears two"
        first.send("dialog", 1, b"one")
        assert (await first.receive()).data == b"anna hears one"


async def test_waiting_does_not_count_as_working_too_long(tmp_path: Path) -> None:
    both = [
        write_plugin(tmp_path, "dialog", DIALOG),
        write_plugin(
            tmp_path,
            "talk",
            """
            class Logic:
                async def recv(self, ctx):
                    name = ctx.data
                    await ctx.send(name + b" hears " + await ctx.recv())
            """,
        ),
    ]
    limits = ConnectLimits(plugin_timeout=0.05)
    async with plugin_server(*both, limits=limits) as server, raw_client(server) as client:
        client.send("dialog", 1, b"anna")
        client.send("talk", 1, b"bert")
        await asyncio.sleep(0.2)
        client.send("dialog", 1, b"one")
        client.send("talk", 1, b"two")
        assert {each.data for each in await client.several(2)} == {
            b"anna hears one",
            b"bert hears two",
        }
        assert server.stats.stuck == 0


async def test_one_call_too_many_that_waits_is_answered_503(tmp_path: Path) -> None:
    plugin = write_plugin(tmp_path, "dialog", DIALOG)
    limits = ConnectLimits(max_waiting=2)
    async with plugin_server(plugin, limits=limits) as server, contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(raw_client(server)) for _ in range(3)]
        assert server._host is not None
        running = server._host.find("dialog")
        assert running is not None
        for number, client in enumerate(clients[:2], 1):
            client.send("dialog", 1, b"anna")
            await until(lambda number=number: running.waiting == number)  # type: ignore[misc]
        clients[2].send("dialog")
        assert statuses(await clients[2].rest()) == [503]
        for client in clients[:2]:
            assert (await client.ask("dialog", 1, b"us")).data == b"anna hears us"
        assert server.stats.failures == 0


async def test_a_place_that_was_given_back_is_taken_again_before_the_call_goes_on(
    tmp_path: Path,
) -> None:
    """With one thread no two calls work at the same time, however they wait in between."""
    plugin = write_plugin(
        tmp_path,
        "strict",
        """
        import threading, time

        class Logic:
            threads = 1

            def __init__(self):
                self.working = threading.Lock()
                self.collisions = 0

            def work(self):
                if not self.working.acquire(blocking=False):
                    self.collisions += 1
                    return
                time.sleep(0.002)
                self.working.release()

            def recv(self, ctx):
                for _ in range(3):
                    self.work()
                    ctx.db_store("cell", "text")
                    ctx.recv()
                self.work()
                ctx.send(b"done")
        """,
    )
    async with plugin_server(plugin) as server, contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(raw_client(server)) for _ in range(5)]
        for client in clients:
            for _ in range(4):
                client.send("strict")
        for client in clients:
            assert (await client.receive()).data == b"done"
        assert logic_of(server, "strict").collisions == 0


async def test_idle_threads_do_not_keep_the_plugin_from_stopping(tmp_path: Path) -> None:
    plugin = write_plugin(tmp_path, "gate", GATE.format(threads=4))
    async with plugin_server(plugin) as server, raw_client(server) as client:
        logic_of(server, "gate").gate.set()
        await client.ask("gate")
        names = [each.name for each in threading.enumerate()]
        assert "nekonex-plugin-gate" in names
    # tests/conftest.py fails this test if the thread stays
