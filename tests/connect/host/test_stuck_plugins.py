"""Plugins that take too long: what is reported, who is disconnected, and who is not harmed."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import logging
import threading
import time
from pathlib import Path
from typing import Any

import pytest

from nekonex.connect import ConnectLimits
from nekonex.connect.host.watchdog import LoopWatchdog
from tests.support.haste import in_haste
from tests.support.plugin_server import plugin_server, write_plugin
from tests.support.raw_client import RawClient, logic_of, raw_client, statuses
from tests.support.waiting import until

QUICK = ConnectLimits(plugin_timeout=0.1)
STUCK = """
import threading

class Logic:
    threads = {threads}

    def __init__(self):
        self.gate = threading.Event()
        self.begun = 0

    def recv(self, ctx):
        if ctx.data == b"stick":
            self.begun += 1
            self.gate.wait(20)
        ctx.send(ctx.data, ctx.op)

    def {hook}(self, ctx):
        if ctx.data == b"hook":
            self.gate.wait(20)
"""
SLEEPER = """
import asyncio

class Logic:
    def __init__(self):
        self.ended = None

    async def recv(self, ctx):
        try:
            if ctx.data == b"stick":
                await self.sleep()
            await ctx.send(ctx.data, ctx.op)
        except BaseException as error:
            self.ended = error
            raise

    async def sleep(self):
        await asyncio.sleep(30)
"""
SWALLOWS = """
import asyncio

class Logic:
    def __init__(self):
        self.patience = 1
        self.cancelled = 0

    async def recv(self, ctx):
        if ctx.data != b"stick":
            return await ctx.send(ctx.data, ctx.op)
        while self.patience > 0:
            try:
                await asyncio.sleep(30)
            except asyncio.CancelledError:
                self.patience -= 1
                self.cancelled += 1
        if ctx.op == 2:
            raise ValueError("instead")
"""


@pytest.fixture(autouse=True)
def _in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    in_haste(monkeypatch)


def stuck_reports(caplog: pytest.LogCaptureFixture) -> list[dict[str, Any]]:
    return [r.__dict__ for r in caplog.records if r.getMessage() == "the plugin is stuck"]


async def test_stuck_threads_harm_nobody_else(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plugins = [
        write_plugin(tmp_path, "stuck", STUCK.format(threads=3, hook="connected")),
        write_plugin(tmp_path, "echo"),
    ]
    async with plugin_server(*plugins, limits=QUICK) as server, contextlib.AsyncExitStack() as s:
        first, second, waiting, other = [
            await s.enter_async_context(raw_client(server)) for _ in range(4)
        ]
        logic = logic_of(server, "stuck")
        assert (await waiting.ask("stuck", 1, b"still fine")).op == 1
        for client in (first, second):
            client.send("stuck", 1, b"stick")
        await until(lambda: logic.begun == 2)
        assert (await other.ask("echo", 5)).op == 5
        for client in (first, second):
            assert statuses(await client.rest()) == [500]
        assert server.stats.stuck == 2
        # All three places are free again, although two threads still stick.
        assert (await waiting.ask("stuck", 2, b"go on")).data == b"go on"
        assert (await other.ask("stuck", 3, b"me too")).data == b"me too"
        logic.gate.set()
    for report in stuck_reports(caplog):
        assert report["plugin"] == "stuck"
        assert report["method"] == "recv"
        assert report["levelno"] == logging.ERROR
        assert report["client"]
        assert "self.gate.wait(20)" in report["stack"]


@pytest.mark.parametrize("hook", ["connected", "disconnected"])
async def test_the_other_methods_may_be_stuck_as_well(tmp_path: Path, hook: str) -> None:
    plugin = write_plugin(tmp_path, "stuck", STUCK.format(threads=3, hook=hook))
    async with plugin_server(plugin, limits=QUICK) as server:
        async with raw_client(server) as client:
            client.send("stuck", 1, b"hook")
            if hook == "connected":
                assert statuses(await client.rest()) == [500]
            else:
                await client.receive()
        await until(lambda: server.stats.stuck == 1)
        await until(lambda: server.connections == 0)
        logic_of(server, "stuck").gate.set()


async def test_calls_that_wait_for_a_place_are_not_blamed(tmp_path: Path) -> None:
    """The last one waits for as long as the others work, which is longer than any may."""
    plugin = write_plugin(
        tmp_path,
        "slow",
        """
        import time

        class Logic:
            threads = 1

            def recv(self, ctx):
                time.sleep(0.4)
                ctx.send(ctx.data, ctx.op)
        """,
    )
    limits = ConnectLimits(plugin_timeout=1.0)
    async with plugin_server(plugin, limits=limits) as server, contextlib.AsyncExitStack() as stack:
        clients = [await stack.enter_async_context(raw_client(server)) for _ in range(3)]
        for client in clients:
            client.send("slow", 7)
        for client in clients:
            assert (await client.receive()).op == 7
        assert server.stats.stuck == 0


async def test_a_plugin_whose_threads_are_all_stuck_answers_503_until_one_comes_back(
    tmp_path: Path,
) -> None:
    plugin = write_plugin(tmp_path, "stuck", STUCK.format(threads=1, hook="unused"))
    async with plugin_server(plugin, limits=QUICK) as server, contextlib.AsyncExitStack() as stack:
        stuck, queued, late = [
            await stack.enter_async_context(raw_client(server)) for _ in range(3)
        ]
        logic = logic_of(server, "stuck")
        stuck.send("stuck", 1, b"stick")
        await until(lambda: logic.begun == 1)
        # This one waits for a place, and there never is one.
        queued.send("stuck", 1, b"me")
        assert statuses(await stuck.rest()) == [500]
        assert statuses(await queued.rest()) == [503]
        late.send("stuck", 1, b"me")
        assert statuses(await late.rest()) == [503]
        assert server.stats.failures == 0
        logic.gate.set()
        await until(lambda: "nekonex-plugin-stuck" not in names_of_threads())
        async with raw_client(server) as client:
            assert (await client.ask("stuck", 1, b"me")).data == b"me"


def names_of_threads() -> list[str]:
    return [each.name for each in threading.enumerate()]


async def test_a_coroutine_that_sleeps_too_long_is_cancelled(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plugin = write_plugin(tmp_path, "sleeper", SLEEPER)
    async with plugin_server(plugin, limits=QUICK) as server, raw_client(server) as client:
        async with raw_client(server) as other:
            client.send("sleeper", 1, b"stick")
            assert (await other.ask("sleeper", 2, b"fine")).data == b"fine"
            assert statuses(await client.rest()) == [500]
            assert (await other.ask("sleeper", 3, b"fine")).op == 3
        assert isinstance(logic_of(server, "sleeper").ended, asyncio.CancelledError)
        assert server.stats.stuck == 1
        assert server.stats.failures == 0
    (report,) = stuck_reports(caplog)
    assert "await asyncio.sleep(30)" in report["stack"]
    assert "await self.sleep()" in report["stack"]
    assert report["seconds"] >= 0.1


@pytest.mark.parametrize("op", [1, 2], ids=["returns", "raises something else"])
async def test_one_that_swallows_the_cancellation_is_disconnected_all_the_same(
    tmp_path: Path, op: int
) -> None:
    plugin = write_plugin(tmp_path, "stubborn", SWALLOWS)
    async with plugin_server(plugin, limits=QUICK) as server, raw_client(server) as client:
        client.send("stubborn", op, b"stick")
        assert statuses(await client.rest()) == [500]
        assert server.stats.stuck == 1
        await until(lambda: logic_of(server, "stubborn").cancelled == 1)
        async with raw_client(server) as other:
            assert (await other.ask("stubborn", 3, b"x")).data == b"x"


async def test_one_that_never_ends_is_reported_once_and_cannot_hold_up_the_stop(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plugin = write_plugin(tmp_path, "stubborn", SWALLOWS)
    logic = None
    try:
        async with plugin_server(plugin, limits=QUICK) as server, raw_client(server) as client:
            logic = logic_of(server, "stubborn")
            logic.patience = 10**9
            client.send("stubborn", 1, b"stick")
            assert statuses(await client.rest()) == [500]
            await until(lambda: logic.cancelled >= 3)
            assert server.stats.stuck == 1
            start = time.monotonic()
            await server.close()
            assert time.monotonic() - start < 3.0
            assert asyncio.all_tasks() == {asyncio.current_task()}
        (left,) = [r for r in caplog.records if r.getMessage() == "the plugin cannot be stopped"]
        assert "await asyncio.sleep(30)" in left.__dict__["stack"]
    finally:
        if logic is not None:
            await end_of(logic)


async def end_of(logic: Any) -> None:
    """Let the coroutine that nobody could end do so by itself: this is a test, after all."""
    logic.patience = 0
    for task in left_tasks(logic):
        task.cancel()
        await asyncio.wait([task])


def left_tasks(logic: Any) -> list[asyncio.Task[Any]]:
    return [
        each
        for each in gc.get_objects()
        if isinstance(each, asyncio.Task) and not each.done() and "Channel._run" in repr(each)
    ]


async def test_too_many_coroutines_that_cannot_be_ended_are_answered_503(tmp_path: Path) -> None:
    plugin = write_plugin(tmp_path, "stubborn", SWALLOWS)
    limits = ConnectLimits(plugin_timeout=0.05, max_waiting=2)
    async with plugin_server(plugin, limits=limits) as server:
        logic = logic_of(server, "stubborn")
        logic.patience = 10**9
        for _ in range(2):
            async with raw_client(server) as client:
                client.send("stubborn", 1, b"stick")
                assert statuses(await client.rest()) == [500]
        async with raw_client(server) as client:
            client.send("stubborn", 3, b"x")
            assert statuses(await client.rest()) == [503]
        logic.patience = 0
        await until(lambda: not left_tasks(logic))
        async with raw_client(server) as client:
            assert (await client.ask("stubborn", 3, b"x")).data == b"x"


async def test_start_may_not_take_for_ever(tmp_path: Path) -> None:
    plugins = [
        write_plugin(
            tmp_path,
            name,
            f"""
            import asyncio, threading

            class Logic:
                gate = threading.Event()

                {word} start(self, app):
                    {work}

                def recv(self, ctx):
                    ctx.send(b"")
            """,
        )
        for name, word, work in [
            ("thread", "def", "self.gate.wait(0.4)"),
            ("task", "async def", "await asyncio.sleep(30)"),
        ]
    ]
    async with plugin_server(*plugins, limits=QUICK) as server, raw_client(server) as client:
        for status in server.plugins():
            assert status.state == "failed"
            assert status.reason.endswith(": start was broken off: it took too long")
        assert (await client.ask("thread")).op == 404
        assert server.stats.stuck == 2


async def test_more_clients_that_leave_than_a_slow_plugin_can_see_off(tmp_path: Path) -> None:
    plugin = write_plugin(tmp_path, "stuck", STUCK.format(threads=1, hook="disconnected"))
    limits = ConnectLimits(max_connections=3)
    async with plugin_server(plugin, limits=limits) as server:
        logic = logic_of(server, "stuck")
        for number in range(6):
            async with raw_client(server) as client:
                client.break_off()
                if number == 0:
                    client.send("stuck", 1, b"stick")
                    await until(lambda: logic.begun == 1)
                else:
                    client.send("stuck", 1, b"x")
                    await until(lambda number=number: server.stats.frames == number + 1)  # type: ignore[misc]
            await until(lambda: server.connections == 0)
        assert server.stats.forgotten_goodbyes == 3
        logic.gate.set()


async def test_a_coroutine_that_blocks_the_loop_is_named(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(LoopWatchdog.__init__, "__defaults__", (0.05,))
    plugin = write_plugin(
        tmp_path,
        "blocks",
        """
        import time

        class Logic:
            async def recv(self, ctx):
                time.sleep(0.25)
                await ctx.send(b"at last")
        """,
    )
    async with plugin_server(plugin) as server, raw_client(server) as client:
        assert (await client.ask("blocks")).data == b"at last"
    (record,) = [r for r in caplog.records if r.getMessage() == "something blocks the event loop"]
    assert "time.sleep(0.25)" in record.__dict__["stack"]


async def test_the_watchdog_can_be_stopped_at_any_moment() -> None:
    """Also between its look at whether it is to stop and its question to the loop."""
    for _ in range(100):
        watchdog = LoopWatchdog(0.0001)
        watchdog.start()
        await asyncio.sleep(0)
        watchdog.stop()
        assert watchdog.reports <= 1


async def test_the_watchdog_does_not_take_its_own_stop_for_a_blocked_loop() -> None:
    watchdog = LoopWatchdog(0.02)
    reached, go_on = threading.Event(), threading.Event()

    class Late(threading.Event):
        def clear(self) -> None:
            super().clear()

        def wait(self, timeout: float | None = None) -> bool:
            if not reached.is_set():
                reached.set()
                go_on.wait(5)
                return False  # as if it had been asked just before it was set
            return super().wait(timeout)

    watchdog._stopping = Late()
    watchdog.start()
    await asyncio.to_thread(reached.wait, 5)
    threading.Timer(0.05, go_on.set).start()
    watchdog.stop()
    assert watchdog.reports == 0


async def test_a_client_whose_frame_was_in_work_does_not_matter_to_others(
    tmp_path: Path,
) -> None:
    plugin = write_plugin(tmp_path, "sleeper", SLEEPER)
    async with plugin_server(plugin) as server:

        async def leave(number: int) -> None:
            async with raw_client(server) as client:
                client.send("sleeper", number, b"stick" if number % 2 else b"x")
                if not number % 2:
                    await client.receive()

        async with asyncio.TaskGroup() as group:
            for number in range(10):
                group.create_task(leave(number))
        async with raw_client(server) as client:
            await check_alive(client)


async def check_alive(client: RawClient) -> None:
    assert (await client.ask("sleeper", 1, b"alive")).data == b"alive"
