"""The context object, over real sockets."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import weakref
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from nekonex.connect import ConnectionClosed, ConnectLimits
from nekonex.connect.host.contexts import PluginContext
from tests.support.plugin_server import plugin_server, write_plugin
from tests.support.raw_client import logic_of, raw_client, statuses
from tests.support.waiting import until

KEEPER = """
class Logic:
    def __init__(self):
        self.kept = []

    {word} recv(self, ctx):
        self.kept.append(ctx)
"""
PARTS_PLAIN = """
class Logic:
    def recv(self, ctx):
        none = ctx.recv(0)
        first = (ctx.op, ctx.data, ctx.len)
        three = ctx.recv(3)
        ctx.send(repr((none, first, three, ctx.op, ctx.data, ctx.len)).encode())
"""
PARTS_COROUTINE = """
class Logic:
    async def recv(self, ctx):
        none = await ctx.recv(0)
        first = (ctx.op, ctx.data, ctx.len)
        three = await ctx.recv(3)
        await ctx.send(repr((none, first, three, ctx.op, ctx.data, ctx.len)).encode())
"""


@pytest.mark.parametrize("source", [PARTS_PLAIN, PARTS_COROUTINE], ids=["plain", "coroutine"])
async def test_recv_joins_frames_and_shows_the_last_one(tmp_path: Path, source: str) -> None:
    plugin = write_plugin(tmp_path, "parts", source)
    async with plugin_server(plugin) as server, raw_client(server) as client:
        for op, data in [(9, b"start"), (1, b"a"), (2, b""), (3, b"ccc")]:
            client.send("parts", op, data)
        expected = (b"", (9, b"start", 5), b"accc", 3, b"ccc", 3)
        assert (await client.receive()).data == repr(expected).encode()


@pytest.mark.parametrize("packets", [-1, 1.5, "1", None])
async def test_recv_refuses_what_is_no_number_of_frames(tmp_path: Path, packets: object) -> None:
    async with (
        plugin_server(write_plugin(tmp_path, "keep", KEEPER.format(word="def"))) as server,
        raw_client(server) as client,
    ):
        ctx = await kept(server, client)
        with pytest.raises(ValueError, match="a number of packets"):
            ctx.recv(packets)  # type: ignore[arg-type]


async def kept(server, client) -> PluginContext:  # type: ignore[no-untyped-def]
    """Return the context that the plugin `keep` keeps of a client's first frame."""
    logic = logic_of(server, "keep")
    before = len(logic.kept)
    client.send("keep", 5, b"hello")
    await until(lambda: len(logic.kept) > before)
    ctx: PluginContext = logic.kept[-1]
    return ctx


async def test_a_context_can_be_used_by_other_tasks_and_threads(tmp_path: Path) -> None:
    async with (
        plugin_server(write_plugin(tmp_path, "keep", KEEPER.format(word="def"))) as server,
        raw_client(server) as client,
    ):
        ctx = await kept(server, client)
        await ctx.send(b"from the loop", 1)
        await asyncio.to_thread(ctx.send, b"from a thread", 2)
        assert await ctx.db_store("cell", "text") is True
        assert await asyncio.to_thread(ctx.db_get, "cell") == "text"
        assert await asyncio.to_thread(ctx.db_cells) == ["cell"]
        assert await client.several(2) == [
            ("keep", 1, b"from the loop"),
            ("keep", 2, b"from a thread"),
        ]
        waiter = asyncio.create_task(asyncio.to_thread(ctx.recv, 2))
        await until(lambda: ctx._channel.plugin.waiting == 1)
        client.send("keep", 1, b"a")
        client.send("keep", 2, b"b")
        assert await waiter == b"ab"


async def test_a_coroutine_may_use_the_context_in_threads_of_its_own(tmp_path: Path) -> None:
    plugin = write_plugin(
        tmp_path,
        "mixed",
        """
        import asyncio

        class Logic:
            def work(self, ctx):
                ctx.db_store("cell", "stored in a thread")
                ctx.send(ctx.db_get("cell").encode())
                ctx.send(ctx.recv())

            async def recv(self, ctx):
                await asyncio.to_thread(self.work, ctx)
        """,
    )
    async with plugin_server(plugin) as server, raw_client(server) as client:
        assert (await client.ask("mixed")) == ("mixed", 200, b"stored in a thread")
        assert (await client.ask("mixed", 1, b"more")) == ("mixed", 200, b"more")


async def test_after_the_end_a_context_raises_connection_closed(tmp_path: Path) -> None:
    async with plugin_server(write_plugin(tmp_path, "keep", KEEPER.format(word="def"))) as server:
        async with raw_client(server) as client:
            ctx = await kept(server, client)
            assert ctx.address == client.address
        await until(lambda: server.connections == 0)
        with pytest.raises(ConnectionClosed):
            await ctx.send(b"")
        with pytest.raises(ConnectionClosed):
            await asyncio.to_thread(ctx.send, b"")
        with pytest.raises(ConnectionClosed):
            await ctx.recv()
        with pytest.raises(ConnectionClosed):
            await asyncio.to_thread(ctx.recv)
        await ctx.close()
        await asyncio.to_thread(ctx.close)
        assert await ctx.broadcast(b"") == 0
        assert await ctx.db_store("cell", "text") is True
        assert ctx.state == {}
        assert ctx.client_id


async def test_a_plugin_that_tries_again_and_again_blocks_nobody(tmp_path: Path) -> None:
    """Neither `recv` nor `send` to a client that is gone may keep the event loop to itself."""
    plugin = write_plugin(
        tmp_path,
        "stubborn",
        """
        class Logic:
            async def recv(self, ctx):
                while True:
                    try:
                        if ctx.op == 1:
                            await ctx.recv()
                        else:
                            await ctx.send(b"")
                    except Exception:
                        pass
        """,
    )
    limits = ConnectLimits(plugin_timeout=0.2)
    echo = write_plugin(tmp_path, "echo")
    async with plugin_server(plugin, echo, limits=limits) as server, raw_client(server) as other:
        for op in (1, 2):
            async with raw_client(server) as client:
                client.send("stubborn", op)
                await until(lambda op=op: server.stats.logins == op + 1)  # type: ignore[misc]
            assert (await other.ask("echo", op)).op == op
        await until(lambda: server.stats.stuck == 2)
        assert (await other.ask("echo", 3)).op == 3


async def test_close_sends_what_waits_and_handles_no_further_frame(tmp_path: Path) -> None:
    plugin = write_plugin(
        tmp_path,
        "door",
        """
        class Logic:
            def __init__(self):
                self.frames = []
                self.left = 0

            def recv(self, ctx):
                self.frames.append(ctx.data)
                if ctx.data == b"wrong":
                    ctx.send(b"go away")
                    ctx.close()

            def disconnected(self, ctx):
                self.left += 1
        """,
    )
    async with plugin_server(plugin) as server, raw_client(server) as client:
        logic = logic_of(server, "door")
        for data in (b"right", b"wrong", b"delete everything"):
            client.send("door", 1, data)
        assert await client.rest() == [("door", 200, b"go away")]
        client.vanish()
        await until(lambda: logic.left == 1)
        assert logic.frames == [b"right", b"wrong"]


@pytest.mark.parametrize(
    ("word", "await_"), [("def", ""), ("async def", "await ")], ids=["plain", "coroutine"]
)
async def test_close_does_not_wait_for_the_client_to_go(
    tmp_path: Path, word: str, await_: str
) -> None:
    """Who closes the connections of many would wait for the slowest of them, one by one."""
    plugin = write_plugin(
        tmp_path,
        "door",
        f"""
        class Logic:
            closed = 0

            {word} recv(self, ctx):
                {await_}ctx.send(b"bye")
                {await_}ctx.close()
                self.closed += 1
        """,
    )
    async with plugin_server(plugin) as server, raw_client(server) as client:
        client.send("door")
        await until(lambda: logic_of(server, "door").closed == 1, 0.5)
        assert await client.rest() == [("door", 200, b"bye")]
        assert server.connections == 1


async def test_close_of_a_coroutine_and_from_elsewhere(tmp_path: Path) -> None:
    async with (
        plugin_server(write_plugin(tmp_path, "keep", KEEPER.format(word="async def"))) as it,
        raw_client(it) as client,
    ):
        ctx = await kept(it, client)
        closing = asyncio.create_task(ctx.close())
        assert await client.rest() == []
        client.vanish()
        await closing
        await ctx.close()


async def test_state_is_one_for_each_connection_and_plugin(tmp_path: Path) -> None:
    source = """
    class Logic:
        def recv(self, ctx):
            ctx.state["seen"] = ctx.state.get("seen", 0) + 1
            ctx.send(b"%d %s" % (ctx.state["seen"], ctx.client_id.encode()))
    """
    plugins = [write_plugin(tmp_path, name, source) for name in ("one", "two")]
    async with (
        plugin_server(*plugins) as server,
        raw_client(server) as first,
        raw_client(server) as second,
    ):
        answers = [(await first.ask("one")).data for _ in range(2)]
        answers += [(await first.ask("two")).data, (await second.ask("one")).data]
        counts, ids = zip(*(each.split() for each in answers), strict=True)
        assert counts == (b"1", b"2", b"1", b"1")
        assert ids[0] == ids[1] == ids[2] != ids[3]


async def test_broadcast_reaches_who_has_sent_a_frame(tmp_path: Path) -> None:
    plugin = write_plugin(
        tmp_path,
        "chat",
        """
        class Logic:
            def recv(self, ctx):
                if ctx.op:
                    ctx.send(b"%d" % ctx.broadcast(ctx.data, 7, include_self=ctx.op == 2))
        """,
    )
    async with plugin_server(plugin) as server, contextlib.AsyncExitStack() as stack:
        anna, bert, quiet = [await stack.enter_async_context(raw_client(server)) for _ in range(3)]
        stranger = await stack.enter_async_context(raw_client(server, log_in=False))
        anna.send("chat", 0)
        bert.send("chat", 0)
        await until(lambda: server.stats.frames == 2)
        assert await anna.ask("chat", 1, b"hi") == ("chat", 200, b"1")
        assert await bert.receive() == ("chat", 7, b"hi")
        anna.send("chat", 2, b"us")
        assert await anna.several(2) == [("chat", 7, b"us"), ("chat", 200, b"2")]
        assert await bert.receive() == ("chat", 7, b"us")
        bert.vanish()
        await until(lambda: server.connections == 3)
        assert await anna.ask("chat", 1, b"alone?") == ("chat", 200, b"0")
        assert await quiet.ask("nobody") == ("nekoconnect-server", 404, b"\x01\x94")
        assert (await stranger.log_in()).op == 200


async def test_concurrent_broadcasts_reach_everybody_in_the_same_order(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nekonex.connect.host.plugin.BROADCAST_SLICE", 2)
    async with (
        plugin_server(write_plugin(tmp_path, "keep", KEEPER.format(word="def"))) as server,
        contextlib.AsyncExitStack() as stack,
    ):
        clients = [await stack.enter_async_context(raw_client(server)) for _ in range(5)]
        contexts = [await kept(server, client) for client in clients]
        counts = await asyncio.gather(
            *(ctx.broadcast(b"%d" % n, n, include_self=True) for n, ctx in enumerate(contexts)),
            *(asyncio.to_thread(contexts[0].broadcast, b"t", 10 + n, True) for n in range(5)),
        )
        assert counts == [5] * 10
        orders = [[each.op for each in await client.several(10)] for client in clients]
        assert sorted(orders[0]) == [0, 1, 2, 3, 4, 10, 11, 12, 13, 14]
        assert all(order == orders[0] for order in orders)


async def test_the_app_broadcasts_and_lists_clients_without_a_context(tmp_path: Path) -> None:
    plugin = write_plugin(
        tmp_path,
        "keep",
        """
        class Logic:
            def start(self, app):
                self.app = app
                self.kept = []

            def recv(self, ctx):
                self.kept.append(ctx)
        """,
    )
    async with plugin_server(plugin) as server:
        app = logic_of(server, "keep").app
        assert app.greeter == "keep"
        assert app.clients() == []
        assert await app.broadcast(b"nobody there") == 0
        async with raw_client(server) as first, raw_client(server) as second:
            contexts = [await kept(server, first), await kept(server, second)]
            assert app.clients() == contexts
            assert await app.broadcast(b"a") == 2
            assert await asyncio.to_thread(app.broadcast, b"b", 3) == 2
            assert await asyncio.to_thread(app.clients) == contexts
            for client in (first, second):
                assert await client.several(2) == [("keep", 200, b"a"), ("keep", 3, b"b")]
        await until(lambda: app.clients() == [])


@pytest.mark.parametrize("how", ["loop", "thread"])
@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        (("text",), TypeError),
        ((None,), TypeError),
        ((bytes(1001),), ValueError),
        ((b"", -1), ValueError),
        ((b"", 2**64), ValueError),
        ((b"", "200"), TypeError),
    ],
)
async def test_what_cannot_be_sent_is_refused_at_once(
    tmp_path: Path, how: str, arguments: tuple[object, ...], problem: type[Exception]
) -> None:
    limits = ConnectLimits(max_data=1000)
    plugin = write_plugin(tmp_path, "keep", KEEPER.format(word="def"))
    async with plugin_server(plugin, limits=limits) as server, raw_client(server) as client:
        ctx = await kept(server, client)
        methods: list[Callable[..., Any]] = [ctx.send, ctx.broadcast]
        for method in methods:
            with pytest.raises(problem):
                await (
                    method(*arguments) if how == "loop" else asyncio.to_thread(method, *arguments)
                )
        ctx.state["fine"] = 1
        for data in (bytearray(b"a"), memoryview(b"b")):
            await ctx.send(data)  # type: ignore[arg-type] # works all the same
        assert [each.data for each in await client.several(2)] == [b"a", b"b"]


async def test_what_is_joined_has_a_limit_in_bytes(tmp_path: Path) -> None:
    limits = ConnectLimits(max_joined=1000)
    plugin = write_plugin(tmp_path, "keep", KEEPER.format(word="def"))
    async with plugin_server(plugin, limits=limits) as server, raw_client(server) as client:
        ctx = await kept(server, client)
        waiting = asyncio.create_task(ctx.recv(4))
        await until(lambda: ctx._channel.plugin.waiting == 1)
        for size in (400, 400, 200, 0):
            client.send("keep", 1, bytes(size))
        assert await waiting == bytes(1000)
        waiting = asyncio.create_task(ctx.recv(3))
        await until(lambda: ctx._channel.plugin.waiting == 1)
        for size in (400, 400, 201):
            client.send("keep", 1, bytes(size))
        with pytest.raises(ConnectionClosed):
            await waiting
        assert statuses(await client.rest()) == [413]


async def test_frames_that_a_cancelled_recv_had_taken_are_not_lost(tmp_path: Path) -> None:
    plugin = write_plugin(
        tmp_path,
        "patient",
        """
        import asyncio

        class Logic:
            async def recv(self, ctx):
                got = b"nothing"
                try:
                    async with asyncio.timeout(0.05):
                        got = await ctx.recv(3)
                except TimeoutError:
                    pass
                rest = await ctx.recv(2)
                await ctx.send(got + b" " + rest)
        """,
    )
    async with plugin_server(plugin) as server, raw_client(server) as client:
        for data in (b"start", b"a", b"b"):
            client.send("patient", 1, data)
        assert (await client.receive()).data == b"nothing ab"
        assert server._clients is not None
        (connection,) = server._clients.all()
        assert connection._queued == 0


@contextlib.asynccontextmanager
async def two_that_wait(tmp_path: Path) -> AsyncIterator[Waiting]:
    """Let two tasks wait for frames of one connection, from which frames come by hand."""
    async with (
        plugin_server(write_plugin(tmp_path, "keep", KEEPER.format(word="def"))) as server,
        raw_client(server) as client,
    ):
        ctx = await kept(server, client)
        tasks = []
        for number in (1, 2):
            tasks.append(asyncio.create_task(ctx.recv()))
            await until(lambda number=number: ctx._channel.plugin.waiting == number)  # type: ignore[misc]
        assert server._clients is not None
        (connection,) = server._clients.all()

        def arrive(data: bytes) -> None:
            connection.data_received(client.frame("keep", 1, data))

        yield Waiting(tasks, arrive, connection.eof_received, logic_of(server, "keep"))
        await asyncio.gather(*tasks, return_exceptions=True)


class Waiting(NamedTuple):
    tasks: list[asyncio.Task[bytes]]
    arrive: Callable[[bytes], None]
    end: Callable[[], object]
    logic: Any


@pytest.mark.parametrize("order", ["cancel first", "frame first"])
async def test_a_frame_that_comes_just_when_its_recv_is_cancelled_goes_to_the_next(
    tmp_path: Path, order: str
) -> None:
    """In one turn of the loop, before the task that waited has noticed either."""
    async with two_that_wait(tmp_path) as waiting:
        first, second = waiting.tasks
        if order == "cancel first":
            first.cancel()
            waiting.arrive(b"for whom?")
        else:
            waiting.arrive(b"for whom?")
            first.cancel()
        assert await second == b"for whom?"
        assert first.cancelled()


@pytest.mark.parametrize("order", ["cancel first", "frame first"])
async def test_a_frame_for_which_nobody_waits_any_more_goes_to_the_plugin(
    tmp_path: Path, order: str
) -> None:
    async with two_that_wait(tmp_path) as waiting:
        if order == "frame first":
            waiting.arrive(b"one")
            waiting.arrive(b"two")
        for task in waiting.tasks:
            task.cancel()
        if order == "cancel first":
            waiting.arrive(b"one")
            waiting.arrive(b"two")
        await until(lambda: len(waiting.logic.kept) == 3)
        assert all(task.cancelled() for task in waiting.tasks)


async def test_the_end_of_a_client_may_come_with_a_cancellation(tmp_path: Path) -> None:
    async with two_that_wait(tmp_path) as waiting:
        first, second = waiting.tasks
        first.cancel()
        waiting.end()
        with pytest.raises(ConnectionClosed):
            await second
        assert first.cancelled()


async def test_a_closed_connection_and_its_contexts_can_be_collected(tmp_path: Path) -> None:
    background = """
        # Knows the call in which it was begun for as long as it lives.
        import asyncio
        self.task = asyncio.create_task(asyncio.sleep(60))

    async def stop(self):
        self.task.cancel()
    """
    sources = [KEEPER.format(word="def"), KEEPER.format(word="async def") + background]
    plugins = [
        write_plugin(tmp_path, name, source)
        for name, source in zip(("keep", "hold"), sources, strict=True)
    ]
    async with plugin_server(*plugins) as server:
        async with raw_client(server) as client:
            for name in ("keep", "hold"):
                client.send(name)
            logics = [logic_of(server, name) for name in ("keep", "hold")]
            await until(lambda: all(logic.kept for logic in logics))
            references = [weakref.ref(logic.kept.pop()) for logic in logics]
            references += [weakref.ref(server._clients.all()[0])]  # type: ignore[union-attr]
        await until(lambda: server.connections == 0)
        await until(lambda: gc.collect() >= 0 and all(each() is None for each in references))


async def test_log_lines_are_tagged_with_plugin_and_client(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plugin = write_plugin(
        tmp_path,
        "talker",
        """
        class Logic:
            def recv(self, ctx):
                ctx.log(ctx.data.decode())
                ctx.warn(["careful", 1])
                ctx.error("100% wrong")
                ctx.send(b"")
        """,
    )
    async with plugin_server(plugin) as server, raw_client(server) as client:
        await client.ask("talker", 1, b"\x1b[31mred\n2026-01-01 fake")
    lines = [each for each in caplog.records if each.name == "nekonex.plugin.talker"]
    assert [each.levelname for each in lines] == ["WARNING", "ERROR"] or [
        each.levelname for each in lines
    ] == ["INFO", "WARNING", "ERROR"]
    assert [each.getMessage() for each in lines[-2:]] == ["['careful', 1]", "100% wrong"]
    assert {each.__dict__["plugin"] for each in lines} == {"talker"}
    assert {each.__dict__["client"] for each in lines} == {"1"}
