"""What a plugin raises or returns, and when `connected` and `disconnected` run."""

from __future__ import annotations

import asyncio
import logging
from pathlib import Path

import pytest

from nekonex.connect import ConnectLimits
from tests.support.plugin_server import plugin_server, write_plugin
from tests.support.raw_client import logic_of, raw_client, statuses
from tests.support.waiting import until

RAISES = """
import asyncio, sys

class Odd(Exception):
    def __str__(self):
        raise RuntimeError("no text")

def fail(what):
    if what == b"exception":
        raise ValueError("bad")
    if what == b"odd":
        raise Odd
    if what == b"exit":
        sys.exit(3)
    if what == b"interrupt":
        raise KeyboardInterrupt
    if what == b"stop iteration":
        raise StopIteration(1)
    if what == b"stop async iteration":
        raise StopAsyncIteration
    if what == b"cancelled":
        raise asyncio.CancelledError
    if what == b"group":
        raise ExceptionGroup("two", [ValueError("a"), KeyError("b")])
    if what == b"base group":
        raise BaseExceptionGroup("two", [KeyboardInterrupt(), KeyError("b")])
    if what == b"recursion":
        fail(what)
    if what == b"memory":
        raise MemoryError
    if what == b"generator exit":
        raise GeneratorExit

class Logic:
    {word} recv(self, ctx):
        fail(ctx.data)
        {await_}ctx.send(b"fine")
"""
KINDS = [
    *(b"exception", b"odd", b"exit", b"interrupt", b"stop iteration", b"stop async iteration"),
    *(b"cancelled", b"group", b"base group", b"recursion", b"memory"),
    b"generator exit",
]
LIFE = """
class Logic:
    def __init__(self):
        self.life = []

    {word} connected(self, ctx):
        self.life.append(("connected", ctx.op, ctx.data, ctx.len))
        if ctx.data == b"refuse":
            raise ValueError("no")

    {word} recv(self, ctx):
        self.life.append(("recv", ctx.op))
        if ctx.data == b"wait":
            {await_}ctx.recv()
        {await_}ctx.send(b"")

    {word} disconnected(self, ctx):
        self.life.append(("disconnected", ctx.op))
        if ctx.op == 9:
            raise ValueError("no")
"""
WORDS = pytest.mark.parametrize(
    ("word", "await_"), [("def", ""), ("async def", "await ")], ids=["plain", "coroutine"]
)


@WORDS
async def test_whatever_a_plugin_raises_is_a_500_and_a_line_in_the_log(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, word: str, await_: str
) -> None:
    plugin = write_plugin(tmp_path, "shaky", RAISES.format(word=word, await_=await_))
    async with plugin_server(plugin) as server, raw_client(server) as client:
        for kind in KINDS:
            client.send("shaky", 1, kind)
            client.send("shaky", 1, b"nothing")
            answers = await client.several(2)
            assert [each.op for each in answers] == [500, 200], kind
        assert server.stats.failures == len(KINDS)
    errors = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert len(errors) == len(KINDS)
    assert all(each.getMessage() == "the plugin failed" for each in errors)


@WORDS
async def test_what_a_plugin_returns_does_not_matter(
    tmp_path: Path, word: str, await_: str
) -> None:
    plugin = write_plugin(
        tmp_path,
        "generous",
        f"""
        class Logic:
            {word} recv(self, ctx):
                {await_}ctx.send(b"fine")
                return [b"garbage", 1, StopIteration(), object, self.recv][ctx.op]
        """,
    )
    async with plugin_server(plugin) as server, raw_client(server) as client:
        for number in range(5):
            assert (await client.ask("generous", number)).data == b"fine"
        assert server.stats.failures == 0


async def test_a_coroutine_function_in_disguise_is_awaited(tmp_path: Path) -> None:
    """A decorator that knows nothing of coroutines makes a plain function of one."""
    plugin = write_plugin(
        tmp_path,
        "disguised",
        """
        import asyncio, functools

        def traced(function):
            @functools.wraps(function)
            def call(*arguments):
                return function(*arguments)
            return call

        class Logic:
            @traced
            async def recv(self, ctx):
                if ctx.op == 2:
                    raise ValueError("bad")
                if ctx.op == 3:
                    await asyncio.sleep(30)
                await ctx.send(await ctx.recv())
        """,
    )
    limits = ConnectLimits(plugin_timeout=0.1)
    async with plugin_server(plugin, limits=limits) as server, raw_client(server) as client:
        client.send("disguised", 1)
        await asyncio.sleep(0.2)
        assert (await client.ask("disguised", 1, b"x")).data == b"x"
        assert (await client.ask("disguised", 2)).op == 500
        client.send("disguised", 3)
        assert statuses(await client.rest()) == [500]
        assert server.stats.stuck == 1


async def test_what_a_plugin_cancels_of_its_own_harms_only_that_frame(tmp_path: Path) -> None:
    plugin = write_plugin(
        tmp_path,
        "suicidal",
        """
        import asyncio

        class Logic:
            async def recv(self, ctx):
                if ctx.op == 1:
                    asyncio.current_task().cancel()
                    await asyncio.sleep(1)
                if ctx.op == 2:
                    async with asyncio.timeout(0.01):
                        await asyncio.sleep(1)
                if ctx.op == 3:
                    async with asyncio.TaskGroup() as group:
                        group.create_task(ctx.recv())
                        group.create_task(self.fail())
                await ctx.send(b"fine")

            async def fail(self):
                raise ValueError("bad")
        """,
    )
    async with plugin_server(plugin) as server, raw_client(server) as client:
        for op, status in [(1, 500), (2, 500), (3, 500), (4, 200)]:
            assert (await client.ask("suicidal", op)).op == status
        assert server.stats.failures == 3


@WORDS
async def test_connected_and_disconnected_run_once_around_the_frames(
    tmp_path: Path, word: str, await_: str
) -> None:
    plugin = write_plugin(tmp_path, "life", LIFE.format(word=word, await_=await_))
    async with plugin_server(plugin) as server:
        logic = logic_of(server, "life")
        async with raw_client(server) as client:
            await client.ask("nobody")
            assert logic.life == []
            for op in (3, 4):
                await client.ask("life", op, b"data")
        await until(lambda: len(logic.life) == 4)
        assert logic.life == [
            ("connected", 3, b"data", 4),
            *(("recv", 3), ("recv", 4)),
            ("disconnected", 4),
        ]
        async with raw_client(server) as client:
            await client.ask("nobody")
        await until(lambda: server.connections == 0)
        assert len(logic.life) == 4


@WORDS
async def test_a_connected_that_raises_fails_the_first_frame_and_no_more(
    tmp_path: Path, word: str, await_: str
) -> None:
    plugin = write_plugin(tmp_path, "life", LIFE.format(word=word, await_=await_))
    async with plugin_server(plugin) as server:
        logic = logic_of(server, "life")
        async with raw_client(server) as client:
            assert (await client.ask("life", 1, b"refuse")).op == 500
            assert (await client.ask("life", 2)).op == 200
        await until(lambda: len(logic.life) == 3)
        assert [each[0] for each in logic.life] == ["connected", "recv", "disconnected"]


@WORDS
async def test_a_disconnected_that_raises_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, word: str, await_: str
) -> None:
    plugin = write_plugin(tmp_path, "life", LIFE.format(word=word, await_=await_))
    async with plugin_server(plugin) as server:
        async with raw_client(server) as client:
            await client.ask("life", 9)
        await until(lambda: server.stats.failures == 1)
    (error,) = [each for each in caplog.records if each.levelno >= logging.ERROR]
    assert error.__dict__["method"] == "disconnected"


@WORDS
async def test_a_client_that_goes_while_a_plugin_waits_for_it_is_no_failure(
    tmp_path: Path, word: str, await_: str
) -> None:
    plugin = write_plugin(tmp_path, "life", LIFE.format(word=word, await_=await_))
    async with plugin_server(plugin) as server:
        logic = logic_of(server, "life")
        async with raw_client(server) as client:
            client.send("life", 1, b"wait")
            await until(lambda: len(logic.life) == 2)
        await until(lambda: len(logic.life) == 3)
        assert logic.life[-1] == ("disconnected", 1)
        assert server.stats.failures == 0


async def test_tasks_that_hear_of_the_end_in_a_group_are_no_failure(tmp_path: Path) -> None:
    plugin = write_plugin(
        tmp_path,
        "group",
        """
        import asyncio

        class Logic:
            def __init__(self):
                self.waiting = self.over = 0

            async def recv(self, ctx):
                self.waiting += 1
                async with asyncio.TaskGroup() as group:
                    group.create_task(ctx.recv())
                    group.create_task(ctx.recv())

            async def disconnected(self, ctx):
                self.over += 1
        """,
    )
    async with plugin_server(plugin) as server:
        logic = logic_of(server, "group")
        async with raw_client(server) as client:
            client.send("group")
            await until(lambda: logic.waiting)
        await until(lambda: logic.over)
        assert server.stats.failures == 0


async def test_the_end_of_another_client_is_the_plugin_s_own_failure(tmp_path: Path) -> None:
    plugin = write_plugin(
        tmp_path,
        "careless",
        """
        class Logic:
            def __init__(self):
                self.first = None
                self.gone = False

            async def recv(self, ctx):
                self.first = self.first or ctx
                await self.first.send(b"hello, first")

            async def disconnected(self, ctx):
                self.gone = True
        """,
    )
    async with plugin_server(plugin) as server:
        logic = logic_of(server, "careless")
        async with raw_client(server) as client:
            await client.ask("careless")
        await until(lambda: logic.gone)
        async with raw_client(server) as client:
            assert (await client.ask("careless")).op == 500


@WORDS
async def test_frames_that_wait_when_the_client_goes_are_still_handled(
    tmp_path: Path, word: str, await_: str
) -> None:
    plugin = write_plugin(
        tmp_path,
        "notes",
        f"""
        class Logic:
            threads = 1

            def __init__(self):
                self.seen = []

            {word} recv(self, ctx):
                self.seen.append(ctx.op)

            {word} disconnected(self, ctx):
                self.seen.append("disconnected")
        """,
    )
    async with plugin_server(plugin) as server:
        logic = logic_of(server, "notes")
        async with raw_client(server) as client:
            client.writer.write(b"".join(client.frame("notes", each) for each in range(50)))
            await client.ask("nobody")
        await until(lambda: "disconnected" in logic.seen)
        assert logic.seen == [*range(50), "disconnected"]
        assert server.stats.failures == 0


@WORDS
async def test_who_has_nothing_more_to_say_still_gets_all_answers(
    tmp_path: Path, word: str, await_: str
) -> None:
    slow = (
        "import time; time.sleep(0.05)"
        if word == "def"
        else "import asyncio; " + ("await asyncio.sleep(0.05)")
    )
    plugin = write_plugin(
        tmp_path,
        "slow",
        f"""
        class Logic:
            def __init__(self):
                self.over = 0

            {word} recv(self, ctx):
                if ctx.op == 0:
                    {slow}
                if ctx.op == 4:
                    {await_}ctx.recv()
                {await_}ctx.send(ctx.data, ctx.op)

            {word} disconnected(self, ctx):
                self.over += 1
        """,
    )
    async with plugin_server(plugin) as server, raw_client(server) as client:
        for op in range(5):
            client.send("slow", op, b"data")
        client.end()
        start = asyncio.get_running_loop().time()
        assert [each.op for each in await client.rest()] == [0, 1, 2, 3]
        assert asyncio.get_running_loop().time() - start < 1.0
        await until(lambda: logic_of(server, "slow").over == 1)
        await until(lambda: server.connections == 0, 1.0)
        assert server.stats.failures == 0


async def test_a_client_that_ends_at_once_leaves_nothing_behind(tmp_path: Path) -> None:
    async with plugin_server(write_plugin(tmp_path, "echo")) as server:
        async with raw_client(server, log_in=False) as client:
            client.end()
            assert await client.reader.read() == b""
        async with raw_client(server) as client:
            client.writer.write(client.frame("echo", 1, b"half of this")[:-3])
            client.end()
            assert await client.rest() == []
        await until(lambda: server.connections == 0, 1.0)


async def test_exceptions_in_start_and_stop(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plugins = [
        write_plugin(
            tmp_path,
            name,
            f"""
            class Odd(BaseException):
                def __str__(self):
                    raise RuntimeError

            class Logic:
                stopped = []

                {word} start(self, app):
                    {start}

                {word} recv(self, ctx):
                    {await_}ctx.send(b"")

                {word} stop(self):
                    {stop}
            """,
        )
        for name, word, await_, start, stop in [
            ("bad-start", "def", "", "raise SystemExit(1)", "pass"),
            ("worse-start", "async def", "await ", "raise Odd", "pass"),
            ("bad-stop", "def", "", "pass", "raise KeyboardInterrupt"),
            ("worse-stop", "async def", "await ", "pass", "raise Odd"),
        ]
    ]
    async with plugin_server(*plugins) as server, raw_client(server) as client:
        states = {each.greeter: (each.state, each.reason) for each in server.plugins()}
        assert {name: state for name, (state, _) in states.items()} == {
            "bad-start": "failed",
            "worse-start": "failed",
            "bad-stop": "running",
            "worse-stop": "running",
        }
        assert states["bad-start"][1].endswith(": start raised SystemExit: 1")
        assert states["worse-start"][1].endswith(": start raised Odd")
        assert (await client.ask("bad-start")).op == 404
        assert (await client.ask("bad-stop")).op == 200
        assert server.stats.failures == 2
    failed = [each for each in caplog.records if each.getMessage() == "the plugin failed"]
    assert sorted(each.__dict__["method"] for each in failed) == ["start", "start", "stop", "stop"]


async def test_stop_runs_only_if_start_was_successful(tmp_path: Path) -> None:
    plugin = write_plugin(
        tmp_path,
        "half",
        """
        class Logic:
            def start(self, app):
                raise ValueError("no database")

            def recv(self, ctx):
                pass

            def stop(self):
                self.database.close()
        """,
    )
    async with plugin_server(plugin) as server:
        assert server.stats.failures == 1
    assert server.stats.failures == 1


async def test_text_that_is_none_is_the_plugin_s_mistake(tmp_path: Path) -> None:
    plugin = write_plugin(
        tmp_path,
        "odd",
        """
        class Odd:
            def __str__(self):
                raise RuntimeError("no text")

        class Logic:
            def recv(self, ctx):
                ctx.log(Odd())
        """,
    )
    async with plugin_server(plugin) as server, raw_client(server) as client:
        assert (await client.ask("odd")).op == 500
