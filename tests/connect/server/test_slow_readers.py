"""Clients that do not take what they are sent: they wait for themselves, and for nobody else."""

from __future__ import annotations

import asyncio
import contextlib
import time
from pathlib import Path

import pytest

from nekonex.connect import ConnectLimits, ConnectServer, CutOff, Status
from nekonex.connect.server.connection import FRAME_OVERHEAD, Connection
from nekonex.connect.server.outbox import HIGH_WATER
from tests.support.plugin_server import plugin_server, write_plugin
from tests.support.raw_client import logic_of, raw_client
from tests.support.waiting import until

KIB = 1024
SMALL = 4 * KIB
"""What the system keeps for a client that does not read, as little as it can be."""

PUSHER = """
import asyncio

class Logic:
    def __init__(self):
        self.sent = 0
        self.over = None

    {word} recv(self, ctx):
        try:
            for number in range(100_000):
                {await_}ctx.send(bytes(1000), number)
                self.sent += 1
        except ConnectionError as error:
            self.over = error
            raise
"""
SUBSCRIPTION = """
class Logic:
    def start(self, app):
        self.app = app

    async def recv(self, ctx):
        await ctx.send(b"subscribed")
"""
COROUTINE_ECHO = """
class Logic:
    async def recv(self, ctx):
        await ctx.send(ctx.data, ctx.op)
"""
WORDS = pytest.mark.parametrize(
    ("word", "await_"), [("def", ""), ("async def", "await ")], ids=["plain", "coroutine"]
)


def only(server: ConnectServer) -> Connection:
    assert server._clients is not None
    (connection,) = server._clients.all()
    return connection


class Gauge:
    """Notes the most that ever waited for, and of, all the clients."""

    def __init__(self, server: ConnectServer) -> None:
        self._server = server
        self._loop = asyncio.get_running_loop()
        self.sending = self.received = 0
        self._handle = self._loop.call_soon(self._look)

    def _look(self) -> None:
        clients = self._server._clients
        for each in clients.all() if clients is not None else []:
            self.sending = max(self.sending, each._outbox.waiting)
            self.received = max(self.received, each._queued)
        self._handle = self._loop.call_later(0.001, self._look)

    def stop(self) -> None:
        self._handle.cancel()


async def test_pushes_to_a_client_that_does_not_read_end_with_its_connection(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plugin = write_plugin(tmp_path, "news", SUBSCRIPTION)
    limits = ConnectLimits(send_queue=100 * KIB)
    async with plugin_server(plugin, limits=limits) as server, raw_client(server) as good:
        async with raw_client(server, receive_buffer=SMALL) as slow:
            for client in (good, slow):
                await client.ask("news")
            app = logic_of(server, "news").app
            gauge, sent = Gauge(server), 0
            while server.connections == 2:
                assert await app.broadcast(bytes(10_000), sent) in (1, 2)
                assert (await good.receive()).op == sent
                sent += 1
            gauge.stop()
        assert sent > 10
        assert gauge.sending <= 100 * KIB + 10_100
        assert server.stats.cut_off[CutOff.SLOW_READER] == 1
        assert (await good.ask("news")).data == b"subscribed"
    (record,) = [r for r in caplog.records if r.getMessage() == "client cut off"]
    assert record.__dict__["reason"] == "slow_reader"


@WORDS
async def test_a_plugin_that_waits_to_send_is_held_up_and_the_client_disconnected_in_time(
    tmp_path: Path, word: str, await_: str
) -> None:
    plugins = [
        write_plugin(tmp_path, "pusher", PUSHER.format(word=word, await_=await_)),
        write_plugin(tmp_path, "echo"),
    ]
    limits = ConnectLimits(send_queue=2048 * KIB, send_timeout=0.15, plugin_timeout=0.3)
    async with plugin_server(*plugins, limits=limits) as server, raw_client(server) as other:
        async with raw_client(server, receive_buffer=SMALL) as slow:
            gauge = Gauge(server)
            slow.send("pusher")
            logic = logic_of(server, "pusher")
            await until(lambda: logic.sent)
            assert (await other.ask("echo", 3)).op == 3
            await until(lambda: logic.over is not None)
            gauge.stop()
        assert logic.sent < 10_000
        assert gauge.sending < 1024 * KIB
        assert server.stats.cut_off[CutOff.STALLED] == 1
        assert server.stats.stuck == 0
        assert server.stats.failures == 0
        assert (await other.ask("echo", 4)).op == 4


@WORDS
async def test_a_plugin_that_waits_to_send_goes_on_when_the_connection_closes(
    tmp_path: Path, word: str, await_: str
) -> None:
    """Not only when the client has taken notice, which a slow one does not."""
    plugin = write_plugin(tmp_path, "pusher", PUSHER.format(word=word, await_=await_))
    async with (
        plugin_server(plugin) as server,
        raw_client(server, receive_buffer=SMALL) as slow,
    ):
        slow.send("pusher")
        await until(lambda: server.stats.frames and only(server)._outbox._waiters)
        only(server).reject(Status.UNAVAILABLE, "the test says so")
        logic = logic_of(server, "pusher")
        await until(lambda: logic.over is not None, 0.5)
        assert server.connections == 1
        assert server.stats.failures == 0


async def test_a_client_that_takes_something_now_and_then_is_not_disconnected(
    tmp_path: Path,
) -> None:
    plugin = write_plugin(tmp_path, "pusher", PUSHER.format(word="async def", await_="await "))
    limits = ConnectLimits(send_timeout=0.1)
    async with (
        plugin_server(plugin, limits=limits) as server,
        raw_client(server, receive_buffer=SMALL) as client,
    ):
        client.send("pusher")
        for number in range(6):
            await asyncio.sleep(0.05)
            for each in range(200):
                assert (await client.receive()).op == 200 * number + each
        assert not any(server.stats.cut_off.values())


@WORDS
async def test_a_client_that_floods_an_echo_without_reading_is_held_up(
    tmp_path: Path, word: str, await_: str
) -> None:
    echo = f"""
    class Logic:
        {word} recv(self, ctx):
            {await_}ctx.send(ctx.data, ctx.op)
    """
    limits = ConnectLimits(send_queue=2048 * KIB, receive_queue=128 * KIB, send_timeout=0.3)
    plugin = write_plugin(tmp_path, "echo", echo)
    async with plugin_server(plugin, limits=limits) as server:
        async with raw_client(server, receive_buffer=SMALL) as client:
            gauge = Gauge(server)
            frame = client.frame("echo", 1, bytes(1000))

            async def flood() -> None:
                for _ in range(2000):
                    client.writer.write(frame * 10)
                    await client.writer.drain()

            with pytest.raises(ConnectionError):
                await flood()
            gauge.stop()
        await until(lambda: server.connections == 0)
        assert gauge.received <= 128 * KIB + 1000 + FRAME_OVERHEAD
        assert gauge.sending < 2048 * KIB
        assert server.stats.cut_off[CutOff.STALLED] == 1


async def test_a_client_that_floods_nobody_without_reading_is_disconnected() -> None:
    """Statuses are not a plugin's, so nothing else would hold them up."""
    limits = ConnectLimits(send_queue=100 * KIB)
    async with plugin_server(limits=limits) as server:
        async with raw_client(server, receive_buffer=SMALL) as client:
            gauge = Gauge(server)
            with contextlib.suppress(ConnectionError):
                while server.connections:
                    client.writer.write(client.frame("nobody") * 100)
                    await client.writer.drain()
                    await asyncio.sleep(0)
            gauge.stop()
        assert gauge.sending <= HIGH_WATER + 10 * KIB
        assert server.stats.cut_off[CutOff.SLOW_READER] == 1


def block_for_a_while() -> None:
    """Keep the event loop from its work."""
    time.sleep(0.1)


async def test_what_a_thread_sends_ahead_of_the_loop_is_bounded(tmp_path: Path) -> None:
    plugin = write_plugin(
        tmp_path,
        "empty",
        """
        class Logic:
            sent = 0

            def recv(self, ctx):
                self.ctx = ctx
        """,
    )
    async with plugin_server(plugin) as server, raw_client(server) as client:
        client.send("empty")
        logic = logic_of(server, "empty")
        await until(lambda: hasattr(logic, "ctx"))

        def send() -> None:
            for number in range(2500):
                logic.ctx.send(b"")
                logic.sent = number

        sending = asyncio.get_running_loop().run_in_executor(None, send)
        block_for_a_while()
        assert 0 < logic.sent < 2000
        await sending
        assert len(await client.several(2500)) == 2500


async def test_a_thousand_pushes_between_two_frames_of_a_client(tmp_path: Path) -> None:
    plugin = write_plugin(tmp_path, "news", SUBSCRIPTION)
    async with plugin_server(plugin) as server, raw_client(server) as client:
        await client.ask("news")
        stale = client.frame("news")
        app = logic_of(server, "news").app
        for number in range(1000):
            await app.broadcast(b"news", number)
        assert [each.op for each in await client.several(1000)] == list(range(1000))
        # The frame that was made before them all is as good as one that was made after them.
        client.writer.write(stale)
        assert (await client.receive()).data == b"subscribed"
        assert (await client.ask("news")).data == b"subscribed"


async def test_the_last_frames_reach_a_client_that_is_slow(tmp_path: Path) -> None:
    plugin = write_plugin(
        tmp_path,
        "last",
        """
        class Logic:
            async def recv(self, ctx):
                for number in range(100):
                    await ctx.send(bytes(10_000), number)
                await ctx.close()
        """,
    )
    async with plugin_server(plugin) as server, raw_client(server, receive_buffer=SMALL) as client:
        client.send("last")
        await asyncio.sleep(0.1)
        assert [each.op for each in await client.rest()] == list(range(100))


async def test_a_client_that_never_takes_the_last_frames_is_disconnected(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nekonex.connect.server.connection.LINGER_SECONDS", 0.05)
    plugin = write_plugin(
        tmp_path,
        "last",
        """
        class Logic:
            closed = False

            async def recv(self, ctx):
                for number in range(100):
                    ctx.send(bytes(100_000), number).close()
                await ctx.close()
                self.closed = True
        """,
    )
    limits = ConnectLimits(send_queue=20_000 * KIB, send_timeout=0.2)
    async with (
        plugin_server(plugin, limits=limits) as server,
        raw_client(server, receive_buffer=SMALL) as client,
    ):
        client.send("last")
        logic = logic_of(server, "last")
        await until(lambda: logic.closed, 2.0)
        assert server.connections == 0
        assert server.stats.cut_off[CutOff.SLOW_READER] == 0
