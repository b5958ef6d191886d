"""SystemExit and KeyboardInterrupt of what plugins begin by themselves: asyncio passes them on."""

from __future__ import annotations

import asyncio
import logging
import signal
import sys
from pathlib import Path

import pytest

from tests.support.plugin_server import plugin_server, write_plugin
from tests.support.raw_client import raw_client
from tests.support.waiting import until

EXITS = """
import asyncio, functools, sys, threading

async def leave(what):
    await asyncio.sleep(0)
    raise what

def leave_now(what):
    raise what

class Resource:
    def __await__(self):
        yield from asyncio.sleep(0).__await__()
        raise SystemExit(6)

async def numbers():
    try:
        yield 1
    finally:
        await asyncio.sleep(0)
        sys.exit(5)

class Logic:
    async def start(self, app):
        self.loop = asyncio.get_running_loop()
        self.kept = set()

    async def recv(self, ctx):
        what = [SystemExit(3), KeyboardInterrupt()][ctx.op]
        loop = asyncio.get_running_loop()
        if ctx.data == b"task":
            self.kept.add(asyncio.create_task(leave(what)))
        elif ctx.data == b"loop task":
            self.kept.add(loop.create_task(leave(what)))
        elif ctx.data == b"group":
            async with asyncio.TaskGroup() as group:
                group.create_task(leave(what))
        elif ctx.data == b"soon":
            loop.call_soon(leave_now, what)
        elif ctx.data == b"later":
            loop.call_later(0.001, leave_now, what)
        elif ctx.data == b"no line of the plugin":
            loop.call_soon(sys.exit, 4)
        elif ctx.data == b"thread":
            threading.Thread(target=self.aside, args=(what,)).start()
        elif ctx.data == b"done":
            task = asyncio.create_task(asyncio.sleep(0))
            task.add_done_callback(lambda _: leave_now(what))
            self.kept.add(task)
        elif ctx.data == b"generator":
            async for _ in numbers():
                break
        await ctx.send(b"fine")

    def aside(self, what):
        asyncio.run_coroutine_threadsafe(leave(what), self.loop)
"""
WAYS = [
    *(b"task", b"loop task", b"group", b"soon", b"later", b"no line of the plugin", b"thread"),
    *(b"done", b"generator"),
]


@pytest.mark.parametrize("op", [0, 1], ids=["exit", "interrupt"])
@pytest.mark.parametrize("way", WAYS, ids=bytes.decode)
async def test_what_a_plugin_begins_by_itself_ends_no_server(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, way: bytes, op: int
) -> None:
    plugins = [write_plugin(tmp_path, "exits", EXITS), write_plugin(tmp_path, "echo")]
    # asyncio tells of a task once more when that is collected, in whichever test that may be.
    asyncio.get_running_loop().set_exception_handler(lambda *_: None)

    def blamed() -> list[logging.LogRecord]:
        return [r for r in caplog.records if r.getMessage() == "the plugin failed"]

    async with (
        plugin_server(*plugins) as server,
        raw_client(server) as client,
        raw_client(server) as other,
    ):
        await other.ask("echo", 1)
        answer = await client.ask("exits", op, way)
        assert answer.op == (500 if way == b"group" else 200)
        await until(blamed)
        assert (await other.ask("echo", 7)).op == 7
        assert (await client.ask("exits", 0, b"nothing")).op == 200
        for record in blamed():
            assert record.__dict__["plugin"] == "exits"
            assert record.exc_info is not None


def test_a_signal_ends_the_loop_as_ever_also_in_the_midst_of_a_plugin(tmp_path: Path) -> None:
    plugin = write_plugin(
        tmp_path,
        "signals",
        """
        import asyncio, signal

        async def interrupted():
            signal.raise_signal(signal.SIGUSR1)

        class Logic:
            async def start(self, app):
                self.task = asyncio.create_task(interrupted())

            async def recv(self, ctx): ...
        """,
    )

    async def serve() -> None:
        # The plugin's task is collected when the loop has ended.
        asyncio.get_running_loop().set_exception_handler(lambda *_: None)
        async with plugin_server(plugin):
            await asyncio.sleep(5)

    previous = signal.signal(signal.SIGUSR1, lambda *_: sys.exit(7))
    try:
        with pytest.raises(SystemExit, match="7"):
            asyncio.run(serve())
    finally:
        signal.signal(signal.SIGUSR1, previous)


async def test_what_others_raise_passes(tmp_path: Path) -> None:
    """Only plugins are kept from it."""

    def serve() -> None:
        async def leave() -> None:
            async with plugin_server(write_plugin(tmp_path, "echo")):
                asyncio.get_running_loop().call_soon(sys.exit, 8)
                await asyncio.sleep(5)

        asyncio.run(leave())

    with pytest.raises(SystemExit, match="8"):
        await asyncio.to_thread(serve)


async def test_exits_in_attributes_and_texts_of_an_author(tmp_path: Path) -> None:
    plugins = [
        write_plugin(
            tmp_path,
            "attribute",
            """
            class Logic:
                looks = 0

                def recv(self, ctx): ...

                @property
                def threads(self):
                    Logic.looks += 1
                    if Logic.looks > 1:
                        raise SystemExit("only once")
                    return 1
            """,
        ),
        write_plugin(
            tmp_path,
            "text",
            """
            class Odd(Exception):
                def __str__(self):
                    raise KeyboardInterrupt

            class Logic:
                def start(self, app):
                    raise Odd

                def recv(self, ctx): ...
            """,
        ),
        write_plugin(tmp_path, "echo"),
    ]
    async with plugin_server(*plugins) as server, raw_client(server) as client:
        assert [each.state for each in server.plugins()] == ["failed", "failed", "running"]
        assert all(each.reason for each in server.plugins() if each.state == "failed")
        assert (await client.ask("echo", 9)).op == 9
