"""A plugin that changes on the disk while clients use it."""

from __future__ import annotations

import asyncio
import contextlib
import sys
import time
from pathlib import Path

import pytest

from nekonex.connect import ConnectionClosed, ConnectServer
from tests.support.haste import in_haste
from tests.support.plugin_folders import spec_sheet
from tests.support.plugin_server import plugin_server, write_plugin
from tests.support.raw_client import RawClient, logic_of, raw_client
from tests.support.waiting import until

VERSION = """
class Logic:
    threads = 4
    number = {number}

    def __init__(self):
        self.life = []

    {word} connected(self, ctx):
        self.life.append("connected")

    {word} recv(self, ctx):
        if ctx.data == b"wait":
            {await_}ctx.recv()
        ctx.state["seen"] = ctx.state.get("seen", 0) + 1
        {await_}ctx.send(b"%d %d" % (self.number, ctx.state["seen"]), ctx.op)

    {word} disconnected(self, ctx):
        self.life.append("disconnected")

    {word} stop(self):
        self.life.append("stop")
"""
WORDS = pytest.mark.parametrize(
    ("word", "await_"), [("def", ""), ("async def", "await ")], ids=["plain", "coroutine"]
)


@pytest.fixture(autouse=True)
def _in_haste(monkeypatch: pytest.MonkeyPatch) -> None:
    in_haste(monkeypatch)


def version(number: int, word: str = "def", await_: str = "") -> str:
    return VERSION.format(word=word, await_=await_, number=number)


async def status_of(server: ConnectServer, greeter: str) -> tuple[str, str]:
    (status,) = [each for each in server.plugins() if each.greeter == greeter]
    return status.state, status.reason


@pytest.mark.parametrize(
    ("word", "await_", "watch"),
    [("def", "", True), ("async def", "await ", False)],
    ids=["plain, watch", "coroutine, refresh"],
)
async def test_under_traffic_every_frame_is_answered_once_and_nobody_is_dropped(
    tmp_path: Path, word: str, await_: str, watch: bool
) -> None:
    write_plugin(tmp_path, "echo", version(0, word, await_))
    plugin = tmp_path / "echo-plugin"
    other = write_plugin(tmp_path, "other")
    is_over = False

    async def talk(client: RawClient) -> list[int]:
        seen, versions, sent = 0, [0], 0
        while not is_over:
            for _ in range(3):
                client.send("echo", sent)
                sent += 1
            for answer in await client.several(3):
                number, count = map(int, answer.data.split())
                assert answer.op == seen
                seen += 1
                assert count == seen
                versions.append(number)
            assert (await client.ask("other", 1, b"x")).data == b"x"
            await asyncio.sleep(0.03)
        assert sent == seen
        return versions

    async with (
        plugin_server(plugin, other, watch=watch) as server,
        contextlib.AsyncExitStack() as stack,
    ):
        clients = [await stack.enter_async_context(raw_client(server)) for _ in range(50)]
        talks = [asyncio.create_task(talk(client)) for client in clients]
        for number in range(1, 11):
            write_plugin(tmp_path, "echo", version(number, word, await_))
            if watch:
                await until(lambda n=number: logic_of(server, "echo").number == n)  # type: ignore[misc]
            else:
                await server.refresh()
        is_over = True
        for versions in await asyncio.gather(*talks):
            assert versions == sorted(versions)
        assert (await clients[0].ask("echo", 1)).data.split()[0] == b"10"
        assert logic_of(server, "echo").life == ["connected"] * 50
        assert server.stats.failures == 0


@WORDS
async def test_a_recv_that_waits_ends_and_state_and_connection_survive(
    tmp_path: Path, word: str, await_: str
) -> None:
    plugin = write_plugin(tmp_path, "echo", version(1, word, await_))
    async with plugin_server(plugin) as server, raw_client(server) as client:
        assert (await client.ask("echo", 1)).data == b"1 1"
        client.send("echo", 2, b"wait")
        assert server._host is not None
        old = server._host.find("echo")
        assert old is not None
        await until(lambda: old.waiting == 1)
        write_plugin(tmp_path, "echo", version(2, word, await_))
        await server.refresh()
        assert old.loaded.logic.life == ["connected", "disconnected", "stop"]
        # Before the client has sent anything:
        await until(lambda: logic_of(server, "echo").life == ["connected"])
        assert (await client.ask("echo", 3)).data == b"2 2"
        assert server.stats.failures == 0
    assert old.loaded.logic.life == ["connected", "disconnected", "stop"]


async def test_what_an_old_version_has_kept_says_that_it_is_old(tmp_path: Path) -> None:
    """To say that the client is gone, which is there, would lead its author astray."""
    source = """
    class Logic:
        async def recv(self, ctx):
            self.kept = ctx
            await ctx.send(b"")
    """
    plugin = write_plugin(tmp_path, "keeper", source)
    async with plugin_server(plugin) as server, raw_client(server) as client:
        await client.ask("keeper")
        kept = logic_of(server, "keeper").kept
        write_plugin(tmp_path, "keeper", source + "\n    # changed\n")
        await server.refresh()
        for attempt in (lambda: kept.send(b""), kept.recv):
            with pytest.raises(ConnectionClosed, match="it was reloaded"):
                await attempt()
        await client.ask("keeper")
        kept = logic_of(server, "keeper").kept
    for attempt, why in ((lambda: kept.send(b""), "client is gone"), (kept.recv, "nothing more")):
        with pytest.raises(ConnectionClosed, match=why):
            await attempt()


async def test_no_module_of_an_old_version_stays(tmp_path: Path) -> None:
    plugin = write_plugin(tmp_path, "echo", "import helper\n" + version(1), helper="x = 1\n")

    def modules() -> set[str]:
        return {each for each in sys.modules if each.startswith("nekonex_plugins.echo_")}

    before = modules()
    async with plugin_server(plugin) as server:
        first = modules()
        assert len(first) == 3
        write_plugin(tmp_path, "echo", "import helper\n" + version(2), helper="x = 2\n")
        await server.refresh()
        assert len(modules()) == 3
        assert not first & modules()
    assert modules() == before


async def test_a_version_that_does_not_load_leaves_the_old_one_running(tmp_path: Path) -> None:
    plugin = write_plugin(tmp_path, "echo", version(1))
    async with plugin_server(plugin, watch=True) as server, raw_client(server) as client:
        assert (await client.ask("echo", 1)).data == b"1 1"
        life = logic_of(server, "echo").life
        write_plugin(tmp_path, "echo", "class Logic:\n    def recv(self, ctx)\n")
        await until(lambda: server.plugins()[0].reason)
        state, reason = await status_of(server, "echo")
        assert state == "running"
        assert "logic.py:2" in reason
        assert (await client.ask("echo", 1)).data == b"1 2"
        await server.refresh()
        assert (await client.ask("echo", 1)).data == b"1 3"
        assert life == ["connected"]
        write_plugin(tmp_path, "echo", version(2))
        await until(lambda: not server.plugins()[0].reason)
        assert (await client.ask("echo", 1)).data == b"2 4"


async def test_a_file_that_is_saved_again_and_as_wrong_as_before_is_reported_again(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    """Silence would look like a change that was not noticed, or that made it right."""
    plugin = write_plugin(tmp_path, "echo", version(1))

    def reports() -> int:
        return len([each for each in caplog.records if "was not loaded" in each.getMessage()])

    async with plugin_server(plugin, watch=True) as server:
        (plugin / "logic.py").write_text("class Logic:\n    def recv(self, ctx)\n")
        await until(lambda: reports() == 1)
        (plugin / "logic.py").write_text("class Logic:\n    def recv(self, ctx) -> None\n")
        await until(lambda: reports() == 2)
        (plugin / "spec.conf").write_text('$name {"no end"}\n')
        await until(lambda: reports() == 3)
        (plugin / "spec.conf").write_text('$name {"no end"}\n$greet {"echo"};\n')
        await until(lambda: reports() == 4)
        await server.refresh()
        await server.refresh()
        assert reports() == 4


@WORDS
async def test_a_version_that_does_not_start_gives_way_to_the_old_one(
    tmp_path: Path, word: str, await_: str
) -> None:
    plugin = write_plugin(tmp_path, "echo", version(1, word, await_))
    async with plugin_server(plugin) as server, raw_client(server) as client:
        assert (await client.ask("echo", 1)).data == b"1 1"
        write_plugin(
            tmp_path,
            "echo",
            version(2, word, await_)
            + f"\n    {word} start(self, app):\n        raise OSError(1)\n",
        )
        client.send("echo", 2)
        refreshing = asyncio.create_task(server.refresh())
        client.send("echo", 3)
        await refreshing
        state, reason = await status_of(server, "echo")
        assert state == "running"
        line = (plugin / "logic.py").read_text().splitlines().index("        raise OSError(1)") + 1
        assert reason == f"{plugin / 'logic.py'}:{line}: start raised OSError: 1"
        assert [each.data for each in await client.several(2)] == [b"1 2", b"1 3"]
        await until(lambda: logic_of(server, "echo").life == ["connected"])
        write_plugin(tmp_path, "echo", version(3, word, await_))
        await server.refresh()
        assert (await client.ask("echo", 1)).data == b"3 4"
        assert await status_of(server, "echo") == ("running", "")


@WORDS
async def test_a_client_hears_of_failures_only_as_answers(
    tmp_path: Path, word: str, await_: str
) -> None:
    """What fails in a reload has nothing to do with a frame, so there is nothing to be told."""
    source = f"""
    class Logic:
        {word} connected(self, ctx):
            if ctx.state.setdefault("frames", 0):
                raise ValueError("bad")

        {word} recv(self, ctx):
            ctx.state["frames"] += 1
            {await_}ctx.send(b"", ctx.op)

        {word} disconnected(self, ctx):
            raise ValueError("bad")
    """
    plugin = write_plugin(tmp_path, "echo", source)
    async with plugin_server(plugin) as server, raw_client(server) as client:
        assert (await client.ask("echo", 1)).op == 1
        write_plugin(tmp_path, "echo", source + "\n    # changed\n")
        await server.refresh()
        await until(lambda: server.stats.failures == 2)
        assert (await client.ask("echo", 2)) == ("echo", 2, b"")


async def test_neither_version_starts(tmp_path: Path) -> None:
    first = """
    class Logic:
        made = []

        def __init__(self):
            self.made.append(1)
            if len(self.made) > {most}:
                raise ValueError("only once")

        def start(self, app):
            if len(self.made) > 1:
                raise ValueError("only once")

        def recv(self, ctx):
            ctx.send(b"")
    """
    second = """
    class Logic:
        def start(self, app):
            raise ValueError("never")

        def recv(self, ctx):
            pass
    """
    for most in (1, 2):
        plugin = write_plugin(tmp_path, "fragile", first.format(most=most))
        async with plugin_server(plugin) as server, raw_client(server) as client:
            assert (await client.ask("fragile")).op == 200
            write_plugin(tmp_path, "fragile", second)
            await server.refresh()
            assert (await client.ask("fragile")).op == 404
            state, reason = await status_of(server, "fragile")
            assert state == "failed"
            assert reason


async def test_a_call_that_does_not_end_is_cut_off_and_its_client_told(tmp_path: Path) -> None:
    for word, work in [("def", "self.gate.wait(2)"), ("async def", "await asyncio.sleep(20)")]:
        source = f"""
        import asyncio, threading

        class Logic:
            gate = threading.Event()
            begun = 0

            {word} recv(self, ctx):
                self.begun += 1
                {work}
        """
        plugin = write_plugin(tmp_path, "echo", source)
        async with plugin_server(plugin) as server, raw_client(server) as client:
            client.send("echo", 1)
            client.send("echo", 2)
            logic = logic_of(server, "echo")
            await until(lambda logic=logic: logic.begun)  # type: ignore[misc]
            write_plugin(tmp_path, "echo", version(2))
            start = time.monotonic()
            await server.refresh()
            assert time.monotonic() - start < 1.5
            assert await client.several(2) == [
                ("nekoconnect-server", 500, b"\x01\xf4"),
                ("echo", 2, b"2 1"),
            ]
            logic.gate.set()
            assert logic.begun == 1


async def test_a_broadcast_of_the_old_version_reaches_the_clients_of_the_new_one(
    tmp_path: Path,
) -> None:
    source = """
    import threading

    class Logic:
        gate = threading.Event()

        def start(self, app):
            self.app = app

        def recv(self, ctx):
            if ctx.op == 1:
                self.gate.wait(5)
                count = ctx.broadcast(b"news", 7, include_self=True)
                ctx.send(b"%d %d" % (count, len(self.app.clients())))
    """
    plugin = write_plugin(tmp_path, "chat", source)
    async with (
        plugin_server(plugin) as server,
        raw_client(server) as anna,
        raw_client(server) as bert,
    ):
        bert.send("chat", 0)
        anna.send("chat", 1)
        await until(lambda: server.stats.frames == 2)
        gate = logic_of(server, "chat").gate
        write_plugin(tmp_path, "chat", source + "\n    # changed\n")
        refreshing = asyncio.create_task(server.refresh())
        assert server._host is not None
        old = server._host.find("chat")
        await until(lambda: server._host.find("chat") is not old)  # type: ignore[union-attr]
        gate.set()
        assert await bert.receive() == ("chat", 7, b"news")
        assert await anna.several(2) == [("chat", 7, b"news"), ("chat", 200, b"2 2")]
        await refreshing


async def test_frames_of_a_client_that_is_gone_are_handled_by_the_new_version(
    tmp_path: Path,
) -> None:
    source = """
    import threading

    class Logic:
        gate = threading.Event()
        seen = []

        def recv(self, ctx):
            self.seen.append(ctx.op)
            if ctx.op == 0:
                self.gate.wait(5)
            ctx.send(b"", ctx.op)
    """
    plugin = write_plugin(tmp_path, "notes", source)
    async with plugin_server(plugin) as server, raw_client(server) as polite:
        async with raw_client(server) as client:
            client.break_off()
            for each in (client, polite):
                for op in range(3):
                    each.send("notes", op)
            polite.end()
            await until(lambda: server.stats.frames == 6)
            old = logic_of(server, "notes")
        await until(lambda: server.connections == 1)
        write_plugin(tmp_path, "notes", source + "\n    # changed\n")
        refreshing = asyncio.create_task(server.refresh())
        await until(lambda: logic_of(server, "notes") is not old)
        old.gate.set()
        await refreshing
        await until(lambda: sorted(logic_of(server, "notes").seen) == [1, 1, 2, 2])
        assert old.seen == [0, 0]
        assert [each.op for each in await polite.rest()] == [0, 1, 2]
        await until(lambda: server.connections == 0)
        assert server.stats.failures == 0


async def test_another_greeter_takes_effect_once_the_new_version_is_loaded(
    tmp_path: Path,
) -> None:
    plugin = write_plugin(tmp_path, "echo", version(1))
    other = write_plugin(tmp_path, "other")
    async with plugin_server(plugin, other) as server, raw_client(server) as client:
        assert (await client.ask("echo", 1)).data == b"1 1"
        assert (await client.ask("other", 1)).op == 1
        (plugin / "spec.conf").write_text(spec_sheet(greet="parrot"))
        (plugin / "logic.py").write_text("nonsense (")
        await server.refresh()
        assert (await client.ask("echo", 1)).data == b"1 2"
        assert (await client.ask("parrot", 1)).op == 404
        state, reason = await status_of(server, "echo")
        assert state == "running"
        assert "logic.py:1" in reason
        (plugin / "logic.py").write_text(version(2))
        await server.refresh()
        assert (await client.ask("echo", 1)).op == 404
        assert (await client.ask("parrot", 1)).data == b"2 1"
        assert (await client.ask("other", 1, b"untouched")).data == b"untouched"
        assert [each.greeter for each in server.plugins()] == ["parrot", "other"]


async def test_another_greeter_whose_version_does_not_start_leaves_the_old_one(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("INFO", logger="nekonex")
    plugin = write_plugin(tmp_path, "echo", version(1))
    async with plugin_server(plugin) as server, raw_client(server) as client:
        assert (await client.ask("echo", 1)).data == b"1 1"
        old = logic_of(server, "echo")
        (plugin / "spec.conf").write_text(spec_sheet(greet="parrot"))
        (plugin / "logic.py").write_text(version(2) + "\n    def start(self, app): 1 / 0\n")
        await server.refresh()
        assert old.life == ["connected", "disconnected", "stop"]
        assert (await client.ask("parrot", 1)).op == 404
        assert (await client.ask("echo", 1)).data == b"1 1"
        state, reason = await status_of(server, "echo")
        assert state == "running"
        assert "ZeroDivisionError" in reason
        assert "plugin stopped" not in caplog.text
        (plugin / "logic.py").write_text(version(3) + "\n    import time\n")
        await server.refresh()
        assert (await client.ask("echo", 1)).op == 404
        assert (await client.ask("parrot", 1)).data == b"3 1"
        assert [each.greeter for each in server.plugins()] == ["parrot"]
        assert caplog.text.count("plugin stopped") == 1


@pytest.mark.parametrize("slow", [0, 1])
async def test_two_change_their_greeters_with_each_other_and_one_does_not_start(
    tmp_path: Path, slow: int
) -> None:
    """Whichever of them is loaded last: no folder runs twice, and nothing old comes back."""
    folders = [write_plugin(tmp_path, name, version(n)) for n, name in enumerate(("aaa", "bbb"))]
    async with plugin_server(*folders) as server, raw_client(server) as client:
        (folders[0] / "spec.conf").write_text(spec_sheet(greet="bbb"))
        (folders[1] / "spec.conf").write_text(spec_sheet(greet="aaa"))
        fails = "\n    def start(self, app): import time; time.sleep(0.2); 1 / 0\n"
        sources = [version(2) + fails, version(3)]
        sources[slow] = "import time\ntime.sleep(0.1)\n" + sources[slow]
        for folder, source in zip(folders, sources, strict=True):
            (folder / "logic.py").write_text(source)
        await server.refresh()
        assert (await client.ask("aaa", 1)).data == b"3 1"
        assert (await client.ask("bbb", 1)).op == 404
        assert await status_of(server, "aaa") == ("running", "")
        assert (await status_of(server, "bbb"))[0] == "failed"


async def test_a_broken_spec_sheet_leaves_the_plugin_running(tmp_path: Path) -> None:
    plugin = write_plugin(tmp_path, "echo", version(1))
    async with plugin_server(plugin, watch=True) as server, raw_client(server) as client:
        (plugin / "spec.conf").write_text('$name {"no end"}\n')
        await until(lambda: server.plugins()[0].reason)
        (status,) = server.plugins()
        assert (status.greeter, status.state, status.version) == ("echo", "running", "1.0")
        assert "spec.conf:" in status.reason
        assert (await client.ask("echo", 1)).data == b"1 1"
        (plugin / "spec.conf").write_text(spec_sheet(greet="echo", version="2.0"))
        await until(lambda: not server.plugins()[0].reason)
        assert server.plugins()[0].version == "2.0"
        assert (await client.ask("echo", 1)).data == b"1 2"


async def test_a_greeter_is_taken_from_nobody(tmp_path: Path) -> None:
    plugins = [write_plugin(tmp_path, name, version(1)) for name in ("aaa", "bbb")]
    async with plugin_server(*plugins) as server, raw_client(server) as client:
        await client.ask("aaa", 1)
        await client.ask("bbb", 1)
        (plugins[0] / "spec.conf").write_text(spec_sheet(greet="bbb"))
        await server.refresh()
        first, second = server.plugins()
        assert (first.greeter, first.state) == ("aaa", "running")
        assert str(plugins[0]) in first.reason
        assert str(plugins[1]) in first.reason
        assert (second.greeter, second.state, second.reason) == ("bbb", "running", "")
        assert (await client.ask("aaa", 1)).data == b"1 2"
        assert (await client.ask("bbb", 1)).data == b"1 2"


async def test_two_plugins_may_change_their_greeters_with_each_other(tmp_path: Path) -> None:
    plugins = [write_plugin(tmp_path, name, version(n)) for n, name in enumerate(("aaa", "bbb"))]
    async with plugin_server(*plugins) as server, raw_client(server) as client:
        assert (await client.ask("aaa", 1)).data == b"0 1"
        (plugins[0] / "spec.conf").write_text(spec_sheet(greet="bbb"))
        (plugins[1] / "spec.conf").write_text(spec_sheet(greet="aaa"))
        await server.refresh()
        assert (await client.ask("aaa", 1)).data.startswith(b"1 ")
        assert (await client.ask("bbb", 1)).data.startswith(b"0 ")
        assert [(each.greeter, each.state) for each in server.plugins()] == [
            ("bbb", "running"),
            ("aaa", "running"),
        ]


async def test_a_client_that_breaks_off_in_the_middle_of_a_reload(tmp_path: Path) -> None:
    source = """
    import threading

    class Logic:
        gate = threading.Event()

        def recv(self, ctx):
            ctx.send(b"")
            self.gate.wait(5)

        def disconnected(self, ctx):
            pass
    """
    plugin = write_plugin(tmp_path, "slow", source)
    async with plugin_server(plugin) as server:
        async with raw_client(server) as client:
            client.break_off()
            await client.ask("slow")
            gate = logic_of(server, "slow").gate
            write_plugin(tmp_path, "slow", source + "\n    # changed\n")
            refreshing = asyncio.create_task(server.refresh())
            old = logic_of(server, "slow")
            await until(lambda: logic_of(server, "slow") is not old)
        await until(lambda: server.connections == 0)
        gate.set()
        await refreshing
        assert server._host is not None
        running = server._host.find("slow")
        assert running is not None
        await until(lambda: not running.channels and not running.leaving)
