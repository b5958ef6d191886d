"""Clients that do anything at any time, while plugins come, fail and change."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import random
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from nekonex.connect import ConnectLimits, ConnectServer
from nekonex.connect.host import Plugin, running
from nekonex.connect.packages import PluginsFolder
from tests.support.haste import in_haste
from tests.support.plugin_server import plugin_server, write_plugin
from tests.support.raw_client import RawClient, raw_client
from tests.support.waiting import until

PLAIN = """
import threading, time

class Logic:
    threads = 3
    version = {version}

    def connected(self, ctx):
        ctx.state["connected"] = ctx.state.get("connected", 0) + 1

    def recv(self, ctx):
        match ctx.op:
            case 0:
                ctx.send(ctx.data)
            case 1:
                ctx.send(ctx.recv(2))
            case 2:
                ctx.broadcast(b"news", include_self=True)
            case 3:
                ctx.db_store(str(len(ctx.data)), "x")
                ctx.send(ctx.db_get("1").encode())
            case 4:
                raise ValueError
            case 5:
                time.sleep(0.002)
            case 6:
                ctx.close()
            case 7:
                threading.Thread(target=self.later, args=(ctx,), daemon=True).start()
            case 8:
                for _ in range(50):
                    ctx.send(bytes(3000))
            case 9 if ctx.len == 7:
                time.sleep(0.15)

    def later(self, ctx):
        try:
            ctx.send(b"later")
            ctx.recv()
        except ConnectionError:
            pass

    def disconnected(self, ctx):
        ctx.state["connected"] -= 1
"""
COROUTINE = """
import asyncio

class Logic:
    version = {version}

    def __init__(self):
        self.tasks = set()

    async def connected(self, ctx):
        ctx.state["connected"] = ctx.state.get("connected", 0) + 1

    async def recv(self, ctx):
        match ctx.op:
            case 0:
                await ctx.send(ctx.data)
            case 1:
                async with asyncio.timeout(0.01):
                    await ctx.send(await ctx.recv(2))
            case 2:
                await ctx.broadcast(b"news", include_self=True)
            case 3:
                await ctx.db_store(str(len(ctx.data)), "x")
            case 4:
                raise SystemExit
            case 5:
                await asyncio.sleep(0.002)
            case 6:
                await ctx.close()
            case 7:
                task = asyncio.create_task(self.later(ctx))
                self.tasks.add(task)
                task.add_done_callback(self.tasks.discard)
            case 8:
                for _ in range(50):
                    await ctx.send(bytes(3000))
            case 9 if ctx.len == 7:
                await asyncio.sleep(30)

    async def later(self, ctx):
        try:
            await ctx.send(b"later")
            await ctx.recv()
        except ConnectionError:
            pass

    async def disconnected(self, ctx):
        ctx.state["connected"] -= 1
"""
SOURCES = {"plain": PLAIN, "coroutine": COROUTINE}


class Storm:
    """Everything that happens is decided by one seed; when it happens is not."""

    def __init__(self, server: ConnectServer, folder: Path, seed: int) -> None:
        self.server = server
        self.folder = folder
        self.dice = random.Random(seed)
        self.version = 0

    async def client(self) -> None:
        dice = self.dice
        with contextlib.suppress(ConnectionError, EOFError, TimeoutError):
            async with raw_client(self.server) as client:
                if dice.random() < 0.3:
                    client.break_off()
                for _ in range(dice.randrange(1, 12)):
                    await self.step(client)
                if dice.random() < 0.3:
                    client.end()
                await asyncio.sleep(dice.random() / 50)

    async def step(self, client: RawClient) -> None:
        dice = self.dice
        greeter = dice.choice(["plain", "coroutine", "coroutine", "plain", "nobody"])
        frames = b"".join(
            client.frame(greeter, dice.randrange(10), bytes(dice.randrange(40)))
            for _ in range(dice.choice([1, 1, 1, 5, 100]))
        )
        match dice.randrange(12):
            case 0:
                cut = dice.randrange(len(frames))
                client.writer.write(frames[:cut])
                await asyncio.sleep(dice.random() / 100)
                client.writer.write(frames[cut:])
            case 1 if dice.random() < 0.3:
                client.writer.write(dice.randbytes(20))
            case 3 | 4:
                client.writer.write(frames)
                with contextlib.suppress(TimeoutError):
                    await client.receive(0.005)
            case _:
                client.writer.write(frames)

    async def disk(self) -> None:
        dice = self.dice
        for _ in range(6):
            await asyncio.sleep(dice.random() / 50)
            name = dice.choice(list(SOURCES))
            self.version += 1
            source = SOURCES[name].format(version=self.version)
            match dice.randrange(5):
                case 0:
                    source += "\n    def start(self, app): raise OSError\n"
                case 1:
                    source = "nonsense ("
            write_plugin(self.folder, name, source)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(dice.choice([0.01, 5])):
                    await self.server.refresh()


def is_at_rest(plugin: Plugin) -> bool:
    return not plugin.channels and not plugin.leaving and not plugin.waiting


@pytest.mark.parametrize("seed", range(2))
async def test_nothing_is_left_over_and_nothing_fails_but_what_should(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    await storm(tmp_path, monkeypatch, seed)


async def storm(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int) -> None:
    in_haste(monkeypatch)
    monkeypatch.setattr(running, "RETIRE_SECONDS", 0.02)
    problems: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: problems.append(context))
    for name, source in SOURCES.items():
        write_plugin(tmp_path, name, source.format(version=0))
    limits = ConnectLimits(
        plugin_timeout=0.1, send_queue=100_000, receive_queue=10_000, max_connections=30
    )
    async with plugin_server(plugins=PluginsFolder(tmp_path), limits=limits) as server:
        world = Storm(server, tmp_path, seed)
        disk = asyncio.create_task(world.disk())
        await asyncio.gather(*(world.client() for _ in range(60)))
        await disk
        for name, source in SOURCES.items():
            write_plugin(tmp_path, name, source.format(version=10**6))
        await server.refresh()
        await until(lambda: server.connections == 0, 10)
        assert server._host is not None
        assert len(server._host._running._versions) == 2
        for name in SOURCES:
            plugin = server._host.find(name)
            assert plugin is not None
            assert plugin.loaded.logic.version == 10**6
            await until(partial(is_at_rest, plugin))
            async with raw_client(server) as client:
                assert (await client.ask(name, 0, b"fine")).data == b"fine"
        workers = server._host.find("plain").calls._workers  # type: ignore[union-attr]
        await until(lambda: (workers._free, workers._waiting, workers._written_off) == (3, 0, 0))
    gc.collect()
    assert problems == []
