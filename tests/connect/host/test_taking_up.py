"""Plugins that come, go, and are enabled and disabled while the server runs."""

from __future__ import annotations

import asyncio
import shutil
import sys
import threading
import time
from pathlib import Path

import pytest

from nekonex.connect import ConnectServer
from nekonex.connect.host import running
from nekonex.connect.host.catalog import Catalog
from nekonex.connect.packages import PluginsFolder
from nekonex.connect.plugins import load_plugin
from tests.support.haste import in_haste
from tests.support.plugin_folders import spec_sheet
from tests.support.plugin_server import ECHO, plugin_server, write_plugin
from tests.support.raw_client import logic_of, raw_client
from tests.support.waiting import until

FAREWELL = """
class Logic:
    def __init__(self):
        self.life = []

    def connected(self, ctx):
        self.life.append("connected")

    def recv(self, ctx):
        ctx.state["seen"] = ctx.state.get("seen", 0) + 1
        ctx.send(b"", ctx.state["seen"])

    def disconnected(self, ctx):
        self.life.append("disconnected")

    def stop(self):
        self.life.append("stop")
"""


@pytest.fixture(autouse=True)
def _in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    in_haste(monkeypatch)


def states(server: ConnectServer) -> dict[str, str]:
    return {each.greeter: each.state for each in server.plugins()}


def loaded_modules() -> list[str]:
    return [each for each in sys.modules if each.startswith("nekonex_plugins.")]


@pytest.mark.parametrize("watch", [True, False], ids=["watch", "refresh"])
async def test_disable_enable_and_remove_while_clients_are_connected(
    tmp_path: Path, watch: bool
) -> None:
    one = write_plugin(tmp_path, "one", FAREWELL)
    write_plugin(tmp_path, "two")
    folder = PluginsFolder(tmp_path)

    async def settle(expected: dict[str, str]) -> None:
        if not watch:
            await server.refresh()
            assert states(server) == expected
        await until(lambda: states(server) == expected)

    async with plugin_server(plugins=folder, watch=watch) as server, raw_client(server) as client:
        assert states(server) == {"one": "running", "two": "running"}
        assert (await client.ask("one")).op == 1
        assert (await client.ask("two", 7)).op == 7
        assert [each.clients for each in server.plugins()] == [1, 1]
        life = logic_of(server, "one").life
        folder.set_enabled(one, False)
        await settle({"one": "disabled", "two": "running"})
        await until(lambda: life == ["connected", "disconnected", "stop"])
        assert (await client.ask("one")).op == 404
        assert (await client.ask("two", 7)).op == 7
        folder.set_enabled(one, True)
        await settle({"one": "running", "two": "running"})
        assert (await client.ask("one")).op == 1
        shutil.rmtree(one)
        await settle({"two": "running"})
        assert (await client.ask("one")).op == 404
        write_plugin(tmp_path, "one", FAREWELL)
        await settle({"one": "running", "two": "running"})
        assert (await client.ask("one")).op == 1
        assert (await client.ask("two", 7)).op == 7
        assert server.stats.failures == 0


async def test_frames_that_wait_for_a_plugin_that_goes_are_answered_404(tmp_path: Path) -> None:
    source = """
    import threading

    class Logic:
        gate = threading.Event()

        def recv(self, ctx):
            self.gate.wait(5)
            ctx.send(b"", ctx.op)
    """
    plugin = write_plugin(tmp_path, "slow", source)
    async with (
        plugin_server(plugins=PluginsFolder(tmp_path)) as server,
        raw_client(server) as client,
    ):
        for op in range(4):
            client.send("slow", op)
        await until(lambda: server.stats.frames == 4)
        gate = logic_of(server, "slow").gate
        shutil.rmtree(plugin)
        refreshing = asyncio.create_task(server.refresh())
        answers = await client.several(3)
        assert [each.op for each in answers] == [404] * 3
        gate.set()
        assert await client.receive() == ("slow", 0, b"")
        await refreshing
        assert server._clients is not None
        (connection,) = server._clients.all()
        assert connection._queued == 0


@pytest.mark.parametrize("has_replacement", [False, True], ids=["removed", "cannot-start"])
async def test_who_has_nothing_more_to_say_to_a_plugin_that_goes_gets_all_answers(
    tmp_path: Path, has_replacement: bool
) -> None:
    source = """
    import threading

    class Logic:
        gate = threading.Event()

        def start(self, app):
            {start}

        def recv(self, ctx):
            self.gate.wait(5)
            ctx.send(b"", ctx.op)
    """
    plugin = write_plugin(tmp_path, "slow", source.format(start="pass"))
    async with (
        plugin_server(plugins=PluginsFolder(tmp_path)) as server,
        raw_client(server) as client,
    ):
        for op in range(3):
            client.send("slow", op)
        client.end()
        assert server._clients is not None
        (connection,) = server._clients.all()
        await until(lambda: server.stats.frames == 3 and not connection.is_heard)
        gate = logic_of(server, "slow").gate
        shutil.rmtree(plugin)
        if has_replacement:
            write_plugin(tmp_path, "slow", source.format(start="raise ValueError"))
        refreshing = asyncio.create_task(server.refresh())
        await asyncio.sleep(0.05)
        gate.set()
        answers = [each.op for each in await client.rest()]
        assert answers == ([0, 1, 2] if has_replacement else [404, 404, 0])
        await refreshing
        await until(lambda: server.connections == 0, 1.0)
        assert connection._queued == 0


async def test_a_greeter_of_two_plugins_is_the_first_s_until_that_goes(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    first = write_plugin(
        tmp_path, "a-first", "class Logic:\n    def recv(self, ctx): ctx.send(b'1')"
    )
    second = write_plugin(
        tmp_path, "b-second", "class Logic:\n    def recv(self, ctx): ctx.send(b'2')"
    )
    for each in (first, second):
        (each / "spec.conf").write_text(spec_sheet(greet="same"))
    async with (
        plugin_server(plugins=PluginsFolder(tmp_path)) as server,
        raw_client(server) as client,
    ):
        assert (await client.ask("same")).data == b"1"
        refused = server.plugins()[1]
        assert refused.state == "failed"
        assert str(first) in refused.reason
        assert str(second) in refused.reason
        await server.refresh()
        assert len([r for r in caplog.records if "two plugins" in r.getMessage()]) == 1
        shutil.rmtree(first)
        await server.refresh()
        assert (await client.ask("same")).data == b"2"
        assert [(each.state, each.reason) for each in server.plugins()] == [("running", "")]
        # The one that was there first comes back too late.
        write_plugin(tmp_path, "a-first", "class Logic:\n    def recv(self, ctx): ctx.send(b'1')")
        (first / "spec.conf").write_text(spec_sheet(greet="same"))
        await server.refresh()
        assert (await client.ask("same")).data == b"2"
        assert [each.state for each in server.plugins()] == ["failed", "running"]


async def test_of_two_refreshes_the_later_one_has_the_last_word(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The first one has looked before the second plugin was there, and comes last."""
    write_plugin(tmp_path, "one")
    async with plugin_server(plugins=PluginsFolder(tmp_path)) as server:
        look = Catalog.look
        looked, go_on = threading.Event(), threading.Event()

        def slow_look(catalog: Catalog) -> object:
            found = look(catalog)
            if not looked.is_set():
                looked.set()
                go_on.wait(5)
            return found

        monkeypatch.setattr(Catalog, "look", slow_look)
        first = asyncio.create_task(server.refresh())
        await asyncio.to_thread(looked.wait, 5)
        write_plugin(tmp_path, "two")
        second = asyncio.create_task(server.refresh())
        await asyncio.wait([second], timeout=0.1)
        go_on.set()
        await asyncio.gather(first, second)
        assert states(server) == {"one": "running", "two": "running"}


async def test_many_refreshes_at_once(tmp_path: Path) -> None:
    write_plugin(tmp_path, "one", FAREWELL)
    async with plugin_server(plugins=PluginsFolder(tmp_path)) as server:
        logic = logic_of(server, "one")
        write_plugin(tmp_path, "two")
        await asyncio.gather(*(server.refresh() for _ in range(5)))
        assert states(server) == {"one": "running", "two": "running"}
        assert logic_of(server, "one") is logic


async def test_a_refresh_goes_on_when_whoever_asked_for_it_is_gone(tmp_path: Path) -> None:
    plugin = write_plugin(tmp_path, "one", FAREWELL)
    async with plugin_server(plugin) as server, raw_client(server) as client:
        await client.ask("one")
        write_plugin(tmp_path, "one", "import time; time.sleep(0.05)\n" + FAREWELL)
        logic = logic_of(server, "one")
        refreshing = asyncio.create_task(server.refresh())
        await asyncio.sleep(0)
        refreshing.cancel()
        await asyncio.wait([refreshing])
        assert refreshing.cancelled()
        await until(lambda: logic_of(server, "one") is not logic)
        assert (await client.ask("one")).op == 2


async def test_a_plugin_that_cannot_be_loaded_harms_no_other(tmp_path: Path) -> None:
    plugins = [
        write_plugin(tmp_path, "aaa", "raise SystemExit"),
        write_plugin(tmp_path, "bbb"),
        write_plugin(
            tmp_path, "ccc", "class Logic:\n    threads = 0\n    def recv(self, ctx): ..."
        ),
        write_plugin(
            tmp_path,
            "ddd",
            """
            class Logic:
                looks = 0

                def recv(self, ctx):
                    pass

                @property
                def threads(self):
                    Logic.looks += 1
                    if Logic.looks > 1:
                        raise ValueError("only once")
                    return 1
            """,
        ),
        tmp_path / "not-there",
    ]
    async with plugin_server(*plugins) as server, raw_client(server) as client:
        assert [each.state for each in server.plugins()] == [
            *("failed", "running", "failed", "failed", "failed"),
        ]
        assert all(each.reason for each in server.plugins() if each.state == "failed")
        assert (await client.ask("aaa")).op == 404
        assert (await client.ask("bbb", 9)).op == 9
        (plugins[0] / "logic.py").write_text(ECHO)
        await server.refresh()
        assert (await client.ask("aaa", 9)).op == 9


async def test_a_failure_nobody_thought_of_harms_no_other_plugin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(folder: Path) -> object:
        if folder.name == "bad-plugin":
            raise ZeroDivisionError
        return load_plugin(folder)

    monkeypatch.setattr(running, "load_plugin", broken)
    plugins = [write_plugin(tmp_path, name) for name in ("bad", "good")]
    async with plugin_server(*plugins) as server, raw_client(server) as client:
        assert (await client.ask("good", 9)).op == 9
        assert states(server) == {"bad": "failed", "good": "running"}
    assert any(r.exc_info and r.exc_info[0] is ZeroDivisionError for r in caplog.records)


async def test_a_plugin_that_hangs_while_it_is_loaded_holds_up_only_its_own_start(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(running, "LOAD_SECONDS", 0.1)
    before = loaded_modules()
    plugins = [
        write_plugin(tmp_path, "hangs", "import time; time.sleep(0.3)\n" + ECHO),
        write_plugin(tmp_path, "echo"),
    ]
    async with plugin_server(*plugins) as server, raw_client(server) as client:
        assert states(server) == {"hangs": "failed", "echo": "running"}
        assert server.plugins()[0].reason.endswith("not loaded within 0.1 s")
        assert (await client.ask("echo", 9)).op == 9
        assert (await client.ask("hangs")).op == 404
        # What comes too late is thrown away.
        await until(lambda: not any("hangs_" in each for each in loaded_modules()))
    assert loaded_modules() == before or set(loaded_modules()) <= set(before)


async def test_a_server_may_stop_while_plugins_are_loaded_or_started(tmp_path: Path) -> None:
    sources = {
        "loads": "import time; time.sleep(0.3)\n" + ECHO,
        "starts": """
            import asyncio

            class Logic:
                async def start(self, app):
                    await asyncio.sleep(30)

                def recv(self, ctx): ...
        """,
        "stays": """
            import asyncio

            class Logic:
                async def start(self, app):
                    while True:
                        try:
                            await asyncio.sleep(30)
                        except asyncio.CancelledError:
                            self.cancels = getattr(self, "cancels", 0) + 1
                            if self.cancels == 2:
                                raise

                def recv(self, ctx): ...
        """,
    }
    for greeter, source in sources.items():
        folder = tmp_path / greeter
        folder.mkdir()
        async with plugin_server(plugins=PluginsFolder(folder)) as server:
            write_plugin(folder, greeter, source)
            refreshing = asyncio.create_task(server.refresh())
            await asyncio.sleep(0.05)
            start = time.monotonic()
            await server.close()
            assert time.monotonic() - start < 2.0
            await refreshing
            await server.refresh()  # does nothing any more
            assert states(server) in ({greeter: "failed"}, {})


async def test_a_server_may_stop_in_the_middle_of_a_reload(tmp_path: Path) -> None:
    source = """
    import threading

    class Logic:
        gate = threading.Event()
        begun = 0

        def recv(self, ctx):
            self.begun = 1
            self.gate.wait(5)

        def stop(self):
            self.begun = 2
    """
    plugin = write_plugin(tmp_path, "slow", source)
    async with plugin_server(plugin) as server, raw_client(server) as client:
        logic = logic_of(server, "slow")
        client.send("slow")
        await until(lambda: logic.begun == 1)
        write_plugin(tmp_path, "slow", source + "\n    # changed\n")
        refreshing = asyncio.create_task(server.refresh())
        await until(lambda: logic_of(server, "slow") is not logic)
        client.vanish()
        start = time.monotonic()
        await server.close()
        assert time.monotonic() - start < 2.0
        await refreshing
        assert logic.begun == 2
        logic.gate.set()


async def test_a_spec_sheet_that_changes_while_the_plugin_is_loaded(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What was found is not what is loaded: it must not get another plugin's greeter."""
    plugins = [write_plugin(tmp_path, name) for name in ("one", "two")]
    before = loaded_modules()

    def changed(folder: Path) -> object:
        if folder == plugins[1]:
            (folder / "spec.conf").write_text(spec_sheet(greet="one"))
        return load_plugin(folder)

    monkeypatch.setattr(running, "load_plugin", changed)
    async with plugin_server(*plugins) as server:
        first, second = server.plugins()
        assert (first.greeter, first.state) == ("one", "running")
        assert second.state == "failed"
        assert "changed while it was loaded" in second.reason
        assert len(loaded_modules()) == len(before) + 2
        (plugins[1] / "spec.conf").write_text(spec_sheet(greet="two"))
        monkeypatch.setattr(running, "load_plugin", load_plugin)
        await server.refresh()
        assert states(server) == {"one": "running", "two": "running"}


async def test_the_watch_survives_a_folder_that_cannot_be_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    look, fails = Catalog.look, True

    def bad_look(catalog: Catalog) -> object:
        if fails:
            raise OSError(5, "Input/output error")
        return look(catalog)

    async with plugin_server(plugins=PluginsFolder(tmp_path), watch=True) as server:
        monkeypatch.setattr(Catalog, "look", bad_look)
        with pytest.raises(OSError, match="Input/output"):
            await server.refresh()
        await until(lambda: any("not taken up" in r.getMessage() for r in caplog.records))
        fails = False
        write_plugin(tmp_path, "one")
        await until(lambda: states(server) == {"one": "running"})


async def test_plugins_of_their_own_folders_are_not_loaded_twice(tmp_path: Path) -> None:
    plugin = write_plugin(tmp_path, "one")
    async with plugin_server(plugin, plugins=PluginsFolder(tmp_path)) as server:
        assert [(each.greeter, each.state) for each in server.plugins()] == [("one", "running")]


async def test_a_slow_start_is_not_waited_for_and_its_frames_are_handled_later(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("nekonex.connect.server.listener.START_SECONDS", 0.05)
    plugin = write_plugin(
        tmp_path,
        "slow",
        """
        import asyncio

        class Logic:
            async def start(self, app):
                self.ready = asyncio.Event()
                await self.ready.wait()

            async def recv(self, ctx):
                await ctx.send(b"at last", ctx.op)
        """,
    )
    async with plugin_server(plugin) as server, raw_client(server) as client:
        assert server._host is not None
        await until(lambda: server._host.find("slow"))  # type: ignore[union-attr]
        for op in range(3):
            client.send("slow", op)
        await until(lambda: server.stats.frames == 3)
        logic_of(server, "slow").ready.set()
        assert [each.op for each in await client.several(3)] == [0, 1, 2]
