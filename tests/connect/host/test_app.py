"""The app object: events of the games, the database, and actions."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from nekonex.connect import ConnectionClosed, ConnectLimits, DatabaseError
from nekonex.connect.context import OnlinePlayer
from nekonex.connect.ports import NoGames
from nekonex.domain.cells import CellLimits, Stored
from nekonex.events import Event, EventBus, PlayerLoggedIn, PlayerLoggedOut
from nekonex.storage.memory_cells import MemoryCellStore
from nekonex.values import ServiceUnavailable
from tests.support.plugin_server import plugin_server, write_plugin
from tests.support.raw_client import logic_of, raw_client
from tests.support.waiting import until

LISTENER = """
import threading
from nekonex.events import PlayerLoggedIn

class Logic:
    def __init__(self):
        self.seen = []
        self.threads_seen = set()
        self.fail = False

    {word} start(self, app):
        self.app = app
        self.end = app.on(PlayerLoggedIn, self.on_login)

    {word} on_login(self, event):
        self.threads_seen.add(threading.current_thread().name)
        self.seen.append(event.pid)
        if self.fail:
            raise ValueError("bad")
        {work}

    def recv(self, ctx): ...
"""
WORDS = pytest.mark.parametrize(
    ("word", "on_loop"), [("def", False), ("async def", True)], ids=["plain", "coroutine"]
)


def login(pid: int) -> PlayerLoggedIn:
    return PlayerLoggedIn("game", pid, 1, ("127.0.0.1", 5))


@WORDS
async def test_events_come_in_order_where_the_callback_belongs(
    tmp_path: Path, word: str, on_loop: bool
) -> None:
    plugin = write_plugin(tmp_path, "listener", LISTENER.format(word=word, work="pass"))
    bus = EventBus()
    async with plugin_server(plugin, events=bus) as server:
        logic = logic_of(server, "listener")
        for pid in range(50):
            bus.publish(login(pid))
            bus.publish(PlayerLoggedOut("game", pid, 1, ("127.0.0.1", 5)))
        assert logic.seen == []
        await until(lambda: len(logic.seen) == 50)
        assert logic.seen == list(range(50))
        assert logic.threads_seen == ({"MainThread"} if on_loop else {"nekonex-plugin-listener"})
        logic.fail = True
        bus.publish(login(50))
        bus.publish(login(51))
        await until(lambda: server.stats.failures == 2)
        assert logic.seen[-2:] == [50, 51]


@pytest.mark.parametrize("from_thread", [True, False])
async def test_a_subscription_that_is_ended_tells_nothing_any_more(
    tmp_path: Path, from_thread: bool
) -> None:
    """Not even what waits already."""
    plugin = write_plugin(tmp_path, "listener", LISTENER.format(word="async def", work="pass"))
    bus = EventBus()
    async with plugin_server(plugin, events=bus) as server:
        logic = logic_of(server, "listener")
        bus.publish(login(1))
        bus.publish(login(2))
        if from_thread:
            await until(lambda: logic.seen == [1, 2])
            await asyncio.to_thread(logic.end)
        else:
            logic.end()
        bus.publish(login(3))
        logic.end()
        others: list[int] = []

        async def note(event: PlayerLoggedIn) -> None:
            others.append(event.pid)

        end = await asyncio.to_thread(logic.app.on, Event, note)
        bus.publish(login(4))
        await until(lambda: others == [4])
        end()
        assert logic.seen == ([1, 2] if from_thread else [])


async def test_of_too_many_events_the_oldest_are_dropped_and_counted(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    source = LISTENER.format(word="async def", work="await self.gate.wait()").replace(
        "self.app = app", "import asyncio; self.gate = asyncio.Event()"
    )
    plugin = write_plugin(tmp_path, "listener", source)
    bus = EventBus()
    limits = ConnectLimits(max_events=3)
    async with plugin_server(plugin, events=bus, limits=limits) as server:
        logic = logic_of(server, "listener")
        bus.publish(login(0))
        await until(lambda: logic.seen == [0])
        for pid in range(1, 11):
            bus.publish(login(pid))
        logic.gate.set()
        await until(lambda: len(logic.seen) == 4)
        assert logic.seen == [0, 8, 9, 10]
        assert server._host is not None
        running = server._host.find("listener")
        assert running is not None
        assert running.events.dropped == 7
        assert server.stats.dropped_events == 7
    assert len([r for r in caplog.records if "events are dropped" in r.getMessage()]) == 1


@WORDS
async def test_a_callback_that_takes_too_long_is_given_up_and_the_next_comes(
    tmp_path: Path, word: str, on_loop: bool
) -> None:
    work = "await self.sleep(20 if event.pid == 1 else 0)" if on_loop else "self.wait(event.pid)"
    source = LISTENER.format(word=word, work=work) + (
        """
    from asyncio import sleep
    sleep = staticmethod(sleep)
    gate = threading.Event()

    def wait(self, pid):
        if pid == 1:
            self.gate.wait(5)
"""
    )
    plugin = write_plugin(tmp_path, "listener", source)
    bus = EventBus()
    limits = ConnectLimits(plugin_timeout=0.1)
    async with plugin_server(plugin, events=bus, limits=limits) as server:
        logic = logic_of(server, "listener")
        for pid in range(3):
            bus.publish(login(pid))
        await until(lambda: logic.seen == [0, 1, 2])
        assert server.stats.stuck == 1
        assert server.stats.failures == 0
        logic.gate.set()


async def test_events_end_with_the_version_that_asked_for_them(tmp_path: Path) -> None:
    source = LISTENER.format(word="def", work="pass")
    plugin = write_plugin(tmp_path, "listener", source)
    bus = EventBus()
    async with plugin_server(plugin, events=bus) as server:
        old = logic_of(server, "listener")
        write_plugin(tmp_path, "listener", source + "\n    # changed\n")
        await server.refresh()
        new = logic_of(server, "listener")
        bus.publish(login(1))
        await until(lambda: new.seen == [1])
        assert old.seen == []
        with pytest.raises(RuntimeError, match="stopped"):
            old.app.on(PlayerLoggedIn, old.on_login)
    bus.publish(login(2))
    assert new.seen == [1]
    assert not any(bus._subscribers.values())


@pytest.mark.parametrize("what", [None, int, "PlayerLoggedIn", PlayerLoggedIn("", 1, 1, ("", 1))])
async def test_only_classes_of_events_can_be_subscribed_to(tmp_path: Path, what: Any) -> None:
    plugin = write_plugin(tmp_path, "listener", LISTENER.format(word="def", work="pass"))
    async with plugin_server(plugin) as server:
        app = logic_of(server, "listener").app
        with pytest.raises(TypeError, match="an event is a class"):
            app.on(what, print)


@pytest.mark.parametrize("what", [None, 5, "on_login"])
async def test_only_what_can_be_called_is_called_back(tmp_path: Path, what: Any) -> None:
    """Such as the result of a method whose parentheses are one pair too many."""
    plugin = write_plugin(tmp_path, "listener", LISTENER.format(word="def", work="pass"))
    async with plugin_server(plugin) as server:
        app = logic_of(server, "listener").app
        with pytest.raises(TypeError, match="a callback is a function"):
            app.on(PlayerLoggedIn, what)


class FailingCells(MemoryCellStore):
    """A database that is out of order while it is told to be."""

    def __init__(self) -> None:
        super().__init__()
        self.is_broken = False

    def _check(self) -> None:
        if self.is_broken:
            raise ServiceUnavailable("the disk is gone")

    async def get(self, greeter: str, cell: str) -> str:
        self._check()
        return await super().get(greeter, cell)

    async def store(self, greeter: str, cell: str, text: str, limits: CellLimits) -> Stored:
        self._check()
        return await super().store(greeter, cell, text, limits)

    async def cells(self, greeter: str, prefix: str = "") -> Sequence[str]:
        self._check()
        return await super().cells(greeter, prefix)


KEEPER = """
class Logic:
    def start(self, app):
        self.app = app

    def recv(self, ctx):
        self.ctx = ctx
        ctx.send(ctx.db_get(ctx.data.decode()).encode())
"""


def in_both_ways(call: Callable[[], Any]) -> list[Callable[[], Awaitable[Any]]]:
    async def on_loop() -> Any:
        return await call()

    return [on_loop, lambda: asyncio.to_thread(call)]


async def test_cells_belong_to_the_plugin_and_are_the_same_for_ctx_and_app(
    tmp_path: Path,
) -> None:
    cells = MemoryCellStore()
    plugins = [write_plugin(tmp_path, name, KEEPER) for name in ("one", "two")]
    async with plugin_server(*plugins, cells=cells) as server, raw_client(server) as client:
        app, other = (logic_of(server, name).app for name in ("one", "two"))
        assert await app.db_store("cell", "text ✓") is True
        assert (await client.ask("one", 1, b"cell")).data.decode() == "text ✓"
        assert (await client.ask("two", 1, b"cell")).data == b""
        ctx = logic_of(server, "one").ctx
        for call in in_both_ways(lambda: ctx.db_cells("c")):
            assert await call() == ["cell"]
        for call in in_both_ways(lambda: ctx.db_store("cell", "")):
            assert await call() is True
        assert await app.db_cells() == await other.db_cells() == []
    assert [each.greeter for each in await cells.usage()] == []


async def test_what_has_no_room_is_not_stored_and_that_is_logged(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    limits = ConnectLimits(cell_size=10, database_size=20)
    plugin = write_plugin(tmp_path, "one", KEEPER)
    async with plugin_server(plugin, limits=limits) as server:
        app = logic_of(server, "one").app
        assert await app.db_store("a", "0123456789") is True
        assert await app.db_store("b", "0123456789a") is False
        assert await app.db_store("b", "0123456789") is False
        assert await app.db_get("b") == ""
    notes = [r.getMessage() for r in caplog.records if r.levelno == logging.WARNING]
    assert notes == ["the cell 'b' was not stored: too large", "the cell 'b' was not stored: full"]


async def test_a_database_that_is_out_of_order(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    cells = FailingCells()
    plugin = write_plugin(tmp_path, "one", KEEPER)
    async with plugin_server(plugin, cells=cells) as server, raw_client(server) as client:
        await client.ask("one", 1, b"cell")
        logic = logic_of(server, "one")
        cells.is_broken = True
        for thing in (logic.app, logic.ctx):
            for call in in_both_ways(lambda thing=thing: thing.db_get("cell")):  # type: ignore[misc]
                with pytest.raises(DatabaseError, match="the disk is gone"):
                    await call()
            for call in in_both_ways(lambda thing=thing: thing.db_cells()):  # type: ignore[misc]
                with pytest.raises(DatabaseError, match="the disk is gone"):
                    await call()
            for call in in_both_ways(lambda thing=thing: thing.db_store("cell", "x")):  # type: ignore[misc]
                assert await call() is False
        assert (await client.ask("one", 1, b"cell")).op == 500
        cells.is_broken = False
        assert (await client.ask("one", 1, b"cell")).op == 200
    assert "the cell 'cell' was not stored: the disk is gone" in caplog.text


@pytest.mark.parametrize(
    ("name", "arguments", "problem"),
    [
        ("db_get", ("",), ValueError),
        ("db_get", ("x" * 256,), ValueError),
        ("db_get", ("\ud800",), ValueError),
        ("db_get", (b"cell",), TypeError),
        ("db_store", ("", "text"), ValueError),
        ("db_store", ("cell", "\ud800"), ValueError),
        ("db_store", ("cell", b"text"), TypeError),
        ("db_store", (None, "text"), TypeError),
        ("db_cells", (1,), TypeError),
        ("db_cells", ("\ud800",), ValueError),
    ],
)
async def test_wrong_names_and_texts_are_the_plugin_s_mistake(
    tmp_path: Path, name: str, arguments: tuple[object, ...], problem: type[Exception]
) -> None:
    async with plugin_server(write_plugin(tmp_path, "one", KEEPER)) as server:
        app = logic_of(server, "one").app
        for call in in_both_ways(lambda: getattr(app, name)(*arguments)):
            with pytest.raises(problem):
                await call()
        assert await app.db_cells() == []


class Games(NoGames):
    """Games that note what they are asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[object, ...]] = []

    async def kick(self, pid: int, *, game: str | None, reason: str) -> int:
        self.asked.append(("kick", pid, game, reason))
        return 2

    async def ban(self, pid: int, reason: str, *, seconds: float | None, game: str | None) -> int:
        self.asked.append(("ban", pid, reason, seconds, game))
        return 1

    async def unban(self, pid: int, *, game: str | None) -> bool:
        self.asked.append(("unban", pid, game))
        return True

    async def announce(self, pid: int, text: str, *, game: str | None) -> int:
        if game is None:
            raise ServiceUnavailable("no accounts")
        return 3

    async def start_maintenance(self, *, game: str | None, seconds: float | None) -> None:
        self.asked.append(("start", game, seconds))

    async def end_maintenance(self, *, game: str | None) -> None:
        self.asked.append(("end", game))


async def test_actions_reach_the_games_and_leave_a_trace(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    games = Games()
    async with plugin_server(write_plugin(tmp_path, "one", KEEPER), controls=games) as server:
        app = logic_of(server, "one").app
        calls: list[tuple[Callable[[], Any], object]] = [
            (lambda: app.kick(5), 2),
            (lambda: app.ban(6, "cheats", seconds=60, game="kart"), 1),
            (lambda: app.unban(6), True),
            (lambda: app.announce(7, "hello", game="kart"), 3),
            (lambda: app.start_maintenance(seconds=9), None),
            (app.end_maintenance, None),
            (app.games, []),
            (app.players, []),
            (app.gatherings, []),
        ]
        for number in range(2):
            for call, expected in calls:
                assert await in_both_ways(call)[number]() == expected
        for call in in_both_ways(lambda: app.top_scores("kart", 1)):
            with pytest.raises(KeyError, match="there is no game 'kart'"):
                await call()
        for call in in_both_ways(lambda: app.announce(7, "hello")):
            with pytest.raises(DatabaseError, match="no accounts"):
                await call()
    once = [
        ("kick", 5, None, "kicked"),
        ("ban", 6, "cheats", 60, "kart"),
        ("unban", 6, None),
        ("start", None, 9),
        ("end", None),
    ]
    assert games.asked == once * 2
    traces = [r.getMessage() for r in caplog.records if "calls" in r.getMessage()]
    assert "the plugin calls ban" in traces
    assert len(traces) == 10
    (ban, _) = [r.__dict__ for r in caplog.records if r.getMessage() == "the plugin calls ban"]
    assert (ban["plugin"], ban["pid"], ban["game"], ban["seconds"]) == ("one", "6", "kart", "60")


async def test_what_is_not_awaited_warns_of_one_thing_only(tmp_path: Path) -> None:
    async with plugin_server(write_plugin(tmp_path, "one", KEEPER)) as server:
        app = logic_of(server, "one").app
        for call in (app.db_get, app.kick):
            with pytest.warns(RuntimeWarning, match="never awaited") as warnings:
                call("cell")
            assert len(warnings) == 1


async def test_threads_that_are_left_behind_are_told_that_all_is_over(tmp_path: Path) -> None:
    """The event loop may end any time then, and they would wait for it for ever."""
    plugin = write_plugin(
        tmp_path,
        "left",
        """
        import threading

        class Logic:
            def __init__(self):
                self.problems = []
                self.gate = threading.Event()

            def start(self, app):
                self.app = app

            def recv(self, ctx):
                self.threads = [
                    threading.Thread(target=self.work, args=(ctx, way)) for way in range(4)
                ]
                for each in self.threads:
                    each.start()
                ctx.send(b"")

            def work(self, ctx, way):
                if way:
                    self.gate.wait(5)
                try:
                    match way:
                        case 0:
                            self.app.players()
                        case 1:
                            self.app.players()
                        case 2:
                            self.app.on(object, print)
                        case 3:
                            ctx.recv()
                except Exception as error:
                    self.problems.append(error)
        """,
    )

    class Endless(NoGames):
        async def players(self, game: str | None) -> list[OnlinePlayer]:
            await asyncio.sleep(60)
            return []

    async with plugin_server(plugin, controls=Endless()) as server:
        async with raw_client(server) as client:
            await client.ask("left")
        logic = logic_of(server, "left")
        assert server._host is not None
        bridge = server._host.bridge
        await until(lambda: bridge._pending)
    await until(lambda: logic.problems)
    logic.gate.set()
    await asyncio.to_thread(lambda: [each.join(5) for each in logic.threads])
    assert [type(each) for each in logic.problems if not isinstance(each, TypeError)] == [
        ConnectionClosed
    ] * 3
    with pytest.raises(ConnectionClosed):
        bridge.post(print)
    with pytest.raises(ConnectionClosed):
        await asyncio.to_thread(bridge.call, print)
