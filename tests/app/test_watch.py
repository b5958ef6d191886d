"""Who may not be here any more goes, whenever and wherever the rules changed."""

from __future__ import annotations

import asyncio
from typing import Any, cast

import pytest

from nekonex.app import HostedGame, running, watch
from nekonex.app.watch import AccessWatcher
from nekonex.config import load_config
from nekonex.domain import AccessService
from nekonex.storage import memory_stores, open_local
from nekonex.testing import running_server
from nekonex.values import ServiceUnavailable
from tests.support.players import playing, sign_in
from tests.support.waiting import until


class FakeSession:
    def __init__(self, number: int, pid: int) -> None:
        self.id = number
        self.pid = pid


class FakeGame:
    """A game with sessions, and a list of those that were disconnected."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.here: list[FakeSession] = []
        self.gone: list[tuple[int, str]] = []

    def sessions(self) -> list[FakeSession]:
        return self.here

    def disconnect(self, session: FakeSession, reason: str) -> None:
        self.here = [each for each in self.here if each is not session]
        self.gone.append((session.pid, reason.rpartition("::")[2]))


class Scene:
    def __init__(self) -> None:
        self.now = 1000.0
        self.game = FakeGame("one")
        self.access = AccessService(memory_stores().access, clock=lambda: self.now)
        self.watcher = AccessWatcher(
            self.access, [cast("HostedGame", self.game)], clock=lambda: self.now
        )
        self._numbers = 0

    def arrive(self, *pids: int) -> None:
        for pid in pids:
            self._numbers += 1
            self.game.here.append(FakeSession(self._numbers, pid))

    async def goes(self) -> list[tuple[int, str]]:
        before = len(self.game.gone)
        assert await self.watcher.check() == len(self.game.gone) - before
        return self.game.gone[before:]


async def test_a_ban_ends_the_players_sessions_and_no_others() -> None:
    scene = Scene()
    scene.arrive(7, 8, 7)
    assert await scene.goes() == []
    await scene.access.ban(7)
    assert await scene.goes() == [(7, "AccountDisabled")] * 2
    await scene.access.ban(8, scope="another game")
    assert await scene.goes() == []


async def test_who_comes_with_a_ticket_from_before_goes_too() -> None:
    scene = Scene()
    await scene.access.ban(7)
    assert await scene.goes() == []
    scene.arrive(8, 7)
    assert await scene.goes() == [(7, "AccountDisabled")]


async def test_an_announced_maintenance_begins_and_ends_by_itself() -> None:
    scene = Scene()
    await scene.access.start_maintenance(start=1010.0, end=1020.0)
    scene.arrive(7)
    assert await scene.goes() == []
    scene.now = 1010.0
    assert await scene.goes() == [(7, "UnderMaintenance")]
    scene.arrive(8)
    assert await scene.goes() == [(8, "UnderMaintenance")]
    scene.now = 1020.0
    scene.arrive(9)
    assert await scene.goes() == []


async def test_a_whitelist_that_is_switched_on_is_for_those_who_are_here_too() -> None:
    scene = Scene()
    scene.arrive(7, 8)
    await scene.access.whitelist(8)
    assert await scene.goes() == []
    await scene.access.enable_whitelist()
    assert await scene.goes() == [(7, "PermissionDenied")]


class Outage:
    """Rules that cannot be read, twice."""

    def __init__(self) -> None:
        self.times = 0

    async def rules(self) -> Any:
        self.times += 1
        if self.times < 3:
            raise ServiceUnavailable("the disk is gone")
        if self.times == 3:
            raise ZeroDivisionError
        raise asyncio.CancelledError


async def test_an_outage_is_said_once_and_ends_nothing(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0)
    game = FakeGame("one")
    game.here.append(FakeSession(1, 7))
    outage = Outage()
    watcher = AccessWatcher(
        cast("AccessService", outage), [cast("HostedGame", game)], clock=lambda: 0.0
    )
    with pytest.raises(asyncio.CancelledError):
        await watcher.run()
    told = [record.getMessage() for record in caplog.records]
    assert told == [
        "the access rules cannot be read: nobody is disconnected meanwhile",
        "looking at the access rules failed",
    ]
    assert game.gone == []


async def test_another_process_bans_and_the_server_acts(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(watch, "LOOK_SECONDS", 0.02)
    async with running_server() as server:
        (game,) = server.games
        async with playing(game) as (registered, _), sign_in(game) as unregistered:
            async with open_local(server.data_dir) as stores:
                await AccessService(stores.access).ban(100)
            await until(lambda: not (registered.open or unregistered.open))


async def test_a_server_without_games_runs(tmp_path: Any, caplog: pytest.LogCaptureFixture) -> None:
    (tmp_path / "nekonex.toml").write_text("[http]\nenabled = false\n[connect]\nenabled = false\n")
    async with running(load_config(environ={}, folder=tmp_path)) as server:
        assert server.addresses() == {"games": [], "http": None, "connect": None}
    assert "no game is configured" in caplog.text
