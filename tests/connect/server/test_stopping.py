"""How a server stops, whatever its clients and plugins are doing."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import threading
import time
from pathlib import Path

import pytest

from nekonex.connect import ConnectLimits
from tests.support.haste import in_haste
from tests.support.plugin_server import plugin_server, write_plugin
from tests.support.raw_client import logic_of, raw_client, statuses
from tests.support.waiting import until

BUSY_PLAIN = """
import threading

class Logic:
    gate = threading.Event()

    def __init__(self):
        self.life = []

    def recv(self, ctx):
        self.life.append(ctx.data)
        if ctx.data == b"wait":
            ctx.recv()
        if ctx.data == b"stick":
            self.gate.wait(5)
        if ctx.data == b"send":
            for _ in range(10_000):
                ctx.send(bytes(1000))
        if ctx.data == b"close":
            ctx.close()

    def disconnected(self, ctx):
        self.life.append("disconnected")

    def stop(self):
        self.life.append("stop")
"""
BUSY_COROUTINE = """
import asyncio

class Logic:
    gate = asyncio.Event()

    def __init__(self):
        self.life = []

    async def recv(self, ctx):
        self.life.append(ctx.data)
        if ctx.data == b"wait":
            await ctx.recv()
        if ctx.data == b"stick":
            await self.gate.wait()
        if ctx.data == b"send":
            for _ in range(10_000):
                await ctx.send(bytes(1000))
        if ctx.data == b"close":
            await ctx.close()

    async def disconnected(self, ctx):
        self.life.append("disconnected")

    async def stop(self):
        self.life.append("stop")
"""
WORK = [b"wait", b"stick", b"send", b"close", b"nothing"]


@pytest.mark.parametrize(
    ("source", "is_earnest"),
    [(BUSY_PLAIN, False), (BUSY_PLAIN, True), (BUSY_COROUTINE, False)],
    ids=["plain", "plain, in earnest", "coroutine"],
)
async def test_a_server_stops_soon_with_calls_in_every_state(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, is_earnest: bool
) -> None:
    if not is_earnest:
        in_haste(monkeypatch)
    plugin = write_plugin(tmp_path, "busy", source)
    async with plugin_server(plugin) as server, contextlib.AsyncExitStack() as stack:
        logic = logic_of(server, "busy")
        for data in WORK:
            client = await stack.enter_async_context(raw_client(server, receive_buffer=4096))
            client.send("busy", 1, data)
            client.send("busy", 1, b"later")
            await until(lambda data=data: data in logic.life)  # type: ignore[misc]
        start = time.monotonic()
        await server.close()
        assert time.monotonic() - start < (2.2 if is_earnest else 1.2)
        assert server.connections == 0
        await until(lambda: asyncio.all_tasks() == {asyncio.current_task()})
        assert logic.life[-1] == "stop"
        assert logic.life.count("disconnected") == 5
        assert server.stats.failures == 0
        logic.gate.set()


async def test_a_thread_that_never_comes_back_holds_nothing_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_haste(monkeypatch)
    plugin = write_plugin(
        tmp_path,
        "hangs",
        """
        import threading

        class Logic:
            gate = threading.Event()

            def recv(self, ctx):
                ctx.send(b"")
                self.gate.wait(10)

            disconnected = stop = lambda self, ctx=None: self.gate.wait(10)
        """,
    )
    async with plugin_server(plugin) as server, raw_client(server) as client:
        await client.ask("hangs")
        gate = logic_of(server, "hangs").gate
        start = time.monotonic()
        await server.close()
        assert time.monotonic() - start < 1.0
        gate.set()


async def test_coroutines_that_swallow_everything_hold_nothing_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_haste(monkeypatch)
    plugin = write_plugin(
        tmp_path,
        "stubborn",
        """
        import asyncio
        from nekonex.events import Event

        class Logic:
            patience = 3

            async def wait(self, *_):
                for _ in range(self.patience):
                    try:
                        await asyncio.sleep(30)
                    except asyncio.CancelledError:
                        pass

            async def recv(self, ctx):
                await ctx.send(b"")
                await self.wait()

            disconnected = stop = wait
        """,
    )
    async with plugin_server(plugin) as server, raw_client(server) as client:
        await client.ask("stubborn")
        start = time.monotonic()
        await server.close()
        assert time.monotonic() - start < 1.5
        # Those that are left are nobody's any more; here they may not outlive the loop.
        for task in [each for each in gc.get_objects() if isinstance(each, asyncio.Task)]:
            while not task.done() and task is not asyncio.current_task():
                task.cancel()
                await asyncio.sleep(0)


async def test_who_stops_twice_or_never_started_is_right_as_well(tmp_path: Path) -> None:
    async with plugin_server(write_plugin(tmp_path, "echo")) as server:
        await server.close()
        await server.close()
        await server.refresh()
    threads = [each.name for each in threading.enumerate()]
    assert "nekonex-loop-watchdog" not in threads


async def test_who_comes_while_the_server_stops_is_refused(tmp_path: Path) -> None:
    plugin = write_plugin(
        tmp_path,
        "slow",
        """
        import time

        class Logic:
            def recv(self, ctx): ...

            def stop(self):
                time.sleep(0.2)
        """,
    )
    async with plugin_server(plugin) as server, raw_client(server) as client:
        closing = asyncio.create_task(server.close())
        assert statuses(await client.rest()) == [503]
        with pytest.raises(OSError):  # noqa: PT011 - as its system puts it
            async with raw_client(server):
                pass
        client.vanish()
        await closing


async def test_clients_that_do_not_go_are_disconnected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    in_haste(monkeypatch)
    async with contextlib.AsyncExitStack() as stack:
        server = await stack.enter_async_context(plugin_server(write_plugin(tmp_path, "echo")))
        clients = [await stack.enter_async_context(raw_client(server)) for _ in range(20)]
        start = time.monotonic()
        await server.close()
        assert time.monotonic() - start < 1.0
        for client in clients:
            assert statuses(await client.rest()) == [503]


async def test_a_reload_and_its_server_end_with_their_client_s_frames_in_work(
    tmp_path: Path,
) -> None:
    limits = ConnectLimits(plugin_timeout=0.1)
    plugin = write_plugin(tmp_path, "busy", BUSY_COROUTINE)
    async with (
        plugin_server(plugin, limits=limits, watch=True) as server,
        raw_client(server) as client,
    ):
        for data in (b"stick", b"wait"):
            client.send("busy", 1, data)
        write_plugin(tmp_path, "busy", BUSY_COROUTINE + "\n    # changed\n")
        await until(lambda: server.stats.stuck == 1)
    assert asyncio.all_tasks() == {asyncio.current_task()}
