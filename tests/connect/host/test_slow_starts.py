"""A plugin whose `start` takes long, and what happens to it and to others meanwhile."""

from __future__ import annotations

import asyncio
import shutil
import time
from pathlib import Path
from typing import Any

import pytest

from nekonex.connect import ConnectLimits, ConnectServer
from nekonex.connect.packages import PluginsFolder
from tests.support.haste import in_haste
from tests.support.plugin_folders import spec_sheet
from tests.support.plugin_server import ECHO, plugin_server, write_plugin
from tests.support.raw_client import logic_of, raw_client
from tests.support.waiting import until

SLOW = """
import asyncio

class Logic:
    version = {version}
    life = []

    async def start(self, app):
        self.ready = asyncio.Event()
        await self.ready.wait()

    async def recv(self, ctx):
        await ctx.send(b"", self.version)

    def stop(self):
        self.life.append(self.version)
"""
QUICK = """
class Logic:
    def recv(self, ctx):
        ctx.send(b"", {version})
"""


@pytest.fixture(autouse=True)
def _in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    in_haste(monkeypatch)
    monkeypatch.setattr("nekonex.connect.server.listener.START_SECONDS", 0.05)


def states(server: ConnectServer) -> dict[str, str]:
    return {each.greeter: each.state for each in server.plugins()}


def logic(server: ConnectServer, greeter: str) -> Any:
    assert server._host is not None
    return None if server._host.find(greeter) is None else logic_of(server, greeter)


async def starting(server: ConnectServer, version: int) -> Any:
    """Wait until a version of the slow plugin is in its start, and return its logic."""
    await until(lambda: getattr(logic(server, "slow"), "version", 0) == version)
    await until(lambda: hasattr(logic(server, "slow"), "ready"))
    return logic(server, "slow")


@pytest.mark.parametrize("watch", [True, False], ids=["watch", "refresh"])
@pytest.mark.parametrize("at_once", [True, False], ids=["at-once", "later"])
async def test_others_come_change_and_go_while_one_starts(
    tmp_path: Path, watch: bool, at_once: bool
) -> None:
    folder = PluginsFolder(tmp_path)
    if at_once:
        write_plugin(tmp_path, "slow", SLOW.format(version=1))
    quick = write_plugin(tmp_path, "quick", QUICK.format(version=1))
    async with plugin_server(plugins=folder, watch=watch) as server, raw_client(server) as client:
        pending: asyncio.Task[None] | None = None
        if not at_once:
            write_plugin(tmp_path, "slow", SLOW.format(version=1))
            pending = None if watch else asyncio.create_task(server.refresh())
        slow = await starting(server, 1)

        async def settle(greeter: str, op: int) -> None:
            async with asyncio.timeout(1.5):
                if not watch:
                    await server.refresh()
                while (answer := (await client.ask(greeter)).op) != op:
                    assert watch, answer
                    await asyncio.sleep(0.02)

        await settle("quick", 1)
        write_plugin(tmp_path, "quick", QUICK.format(version=2))
        await settle("quick", 2)
        write_plugin(tmp_path, "more", QUICK.format(version=3))
        await settle("more", 3)
        folder.set_enabled(quick, False)
        await settle("quick", 404)
        shutil.rmtree(tmp_path / "more-plugin")
        await settle("more", 404)
        assert logic(server, "slow") is slow
        slow.ready.set()
        assert (await client.ask("slow")).op == 1
        if pending is not None:
            await pending
        assert states(server) == {"quick": "disabled", "slow": "running"}
        assert server.stats.failures == 0


async def test_what_becomes_of_one_plugin_keeps_its_order(tmp_path: Path) -> None:
    folder = PluginsFolder(tmp_path)
    async with plugin_server(plugins=folder) as server, raw_client(server) as client:
        plugin = write_plugin(tmp_path, "slow", SLOW.format(version=1))
        first = asyncio.create_task(server.refresh())
        one = await starting(server, 1)
        folder.set_enabled(plugin, False)
        disabling = asyncio.create_task(server.refresh())
        await asyncio.sleep(0.1)
        write_plugin(tmp_path, "slow", SLOW.format(version=2))
        folder.set_enabled(plugin, True)
        enabling = asyncio.create_task(server.refresh())
        await asyncio.sleep(0.1)
        assert logic(server, "slow") is one
        assert not disabling.done()
        assert not enabling.done()
        one.ready.set()
        two = await starting(server, 2)
        assert one.life == [1]
        two.ready.set()
        await asyncio.gather(first, disabling, enabling)
        assert (await client.ask("slow")).op == 2
        folder.set_enabled(plugin, False)
        await server.refresh()
        assert (await client.ask("slow")).op == 404
        assert two.life == [2]


async def test_who_asks_for_a_plugin_waits_for_whoever_loads_it(tmp_path: Path) -> None:
    """The command that has written it judges it by what has become of it then."""
    async with plugin_server(plugins=PluginsFolder(tmp_path)) as server:
        plugin = write_plugin(tmp_path, "slow", "import time; time.sleep(0.3)\n" + ECHO)
        link = tmp_path.with_name("link")
        link.symlink_to(tmp_path)
        other = asyncio.create_task(server.refresh())
        await asyncio.sleep(0.1)
        await server.refresh(tmp_path / "nothing")
        assert states(server) == {"slow": "failed"}
        await server.refresh(link / plugin.name)
        assert states(server) == {"slow": "running"}
        await other


async def test_a_plugin_that_is_disabled_while_it_is_loaded_does_not_run(tmp_path: Path) -> None:
    folder = PluginsFolder(tmp_path)
    async with plugin_server(plugins=folder) as server:
        plugin = write_plugin(tmp_path, "slow", "import time; time.sleep(0.3)\n" + ECHO)
        first = asyncio.create_task(server.refresh())
        await asyncio.sleep(0.1)
        folder.set_enabled(plugin, False)
        await server.refresh()
        assert states(server) == {"slow": "disabled"}
        assert logic(server, "slow") is None
        await first
        assert logic(server, "slow") is None


async def test_who_came_first_keeps_a_greeter_while_it_starts(tmp_path: Path) -> None:
    async with plugin_server(plugins=PluginsFolder(tmp_path)) as server:
        write_plugin(tmp_path, "slow", "import time; time.sleep(0.2)\n" + SLOW.format(version=1))
        first = asyncio.create_task(server.refresh())
        await asyncio.sleep(0.1)
        write_plugin(tmp_path, "a-second", QUICK.format(version=2))
        (tmp_path / "a-second-plugin" / "spec.conf").write_text(spec_sheet(greet="slow"))
        await asyncio.wait_for(server.refresh(), 1.0)
        (await starting(server, 1)).ready.set()
        await first
        await server.refresh()
        assert [(each.folder.name, each.state) for each in server.plugins()] == [
            ("a-second-plugin", "failed"),
            ("slow-plugin", "running"),
        ]


async def test_two_folders_exchange_their_greeters(tmp_path: Path) -> None:
    one = write_plugin(tmp_path, "one", QUICK.format(version=1))
    two = write_plugin(tmp_path, "two", QUICK.format(version=2))
    async with (
        plugin_server(plugins=PluginsFolder(tmp_path)) as server,
        raw_client(server) as client,
    ):
        assert [(await client.ask(each)).op for each in ("one", "two")] == [1, 2]
        (one / "spec.conf").write_text(spec_sheet(greet="two"))
        (two / "spec.conf").write_text(spec_sheet(greet="one"))
        await server.refresh()
        assert [(await client.ask(each)).op for each in ("one", "two")] == [2, 1]
        assert states(server) == {"one": "running", "two": "running"}
        await server.refresh()
        assert [each.reason for each in server.plugins()] == ["", ""]


async def test_a_start_that_is_broken_off_fails_alone_and_is_tried_once(tmp_path: Path) -> None:
    limits = ConnectLimits(plugin_timeout=0.3)
    async with plugin_server(plugins=PluginsFolder(tmp_path), limits=limits) as server:
        plugin = write_plugin(tmp_path, "slow", SLOW.format(version=1))
        first = asyncio.create_task(server.refresh())
        await starting(server, 1)
        write_plugin(tmp_path, "quick")
        await server.refresh()
        assert not first.done()
        await first
        assert states(server) == {"quick": "running", "slow": "failed"}
        (plugin / "logic.py").write_text(ECHO)
        await server.refresh()
        assert states(server) == {"quick": "running", "slow": "running"}


async def test_a_server_stops_while_changes_wait_for_others(tmp_path: Path) -> None:
    async with plugin_server(plugins=PluginsFolder(tmp_path)) as server:
        plugin = write_plugin(tmp_path, "slow", SLOW.format(version=1))
        first = asyncio.create_task(server.refresh())
        await starting(server, 1)
        shutil.rmtree(plugin)
        second = asyncio.create_task(server.refresh())
        await asyncio.sleep(0.1)
        start = time.monotonic()
        await server.close()
        assert time.monotonic() - start < 2.0
        await asyncio.gather(first, second)


@pytest.mark.parametrize("how", ["stopped", "disabled"])
@pytest.mark.parametrize(
    ("word", "sleep"), [("def", "time.sleep"), ("async def", "await asyncio.sleep")]
)
async def test_a_start_that_comes_to_its_end_while_the_plugin_goes_has_a_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, word: str, sleep: str, how: str
) -> None:
    monkeypatch.setattr("nekonex.connect.host.running.STOP_SECONDS", 2.0)
    folder = PluginsFolder(tmp_path)
    plugin = write_plugin(
        tmp_path,
        "slow",
        f"""
        import asyncio, time

        class Logic:
            version = 1
            ready = None

            def __init__(self):
                self.life = []

            {word} start(self, app):
                self.life.append("start")
                {sleep}(0.3)
                self.life.append("started")

            def recv(self, ctx): ...

            def stop(self):
                self.life.append("stop")
        """,
    )
    async with plugin_server(plugins=folder) as server:
        slow = await starting(server, 1)
        await until(lambda: slow.life)
        if how == "disabled":
            folder.set_enabled(plugin, False)
            await server.refresh()
        else:
            await server.close()
        assert slow.life == ["start", "started", "stop"]
