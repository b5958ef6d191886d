"""What plugins learn of the games of their process, and do to them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import cast

import pytest

from nekonex.app import Server, plugin_controls
from nekonex.app.plugin_controls import ANNOUNCEMENT, MAX_REASON, GamePluginControls
from nekonex.connect.context import OnlinePlayer, OpenGathering, TopScore
from nekonex.connect.ports import GameControls
from nekonex.domain import AccessService, AccountService
from nekonex.domain.ports import KeyDeriver
from nekonex.domain.ranking import ScoreUpload
from nekonex.nex.notification import Notifications
from nekonex.nex.structures import NotificationEvent
from nekonex.rmc import Session
from nekonex.storage import memory_stores
from nekonex.testing import running_server
from nekonex.values import RMCError
from tests.support.players import playing, sign_in
from tests.support.rooms import console, open_session
from tests.support.waiting import until

BOTH = """
[[game]]
name = "ink"
title = "splatoon"
guest = true
[[game]]
name = "kart"
title = "mario-kart-8"
guest = true
"""


class Ears(Notifications):
    """What a console hears."""

    def __init__(self) -> None:
        self.events: list[NotificationEvent] = []

    async def process_notification_event(self, client: Session, event: NotificationEvent) -> None:
        self.events.append(event)


def controls_of(server: Server) -> GamePluginControls:
    return GamePluginControls(
        server.games,
        accounts=server.accounts,
        access=server.access,
        enforce=server.enforce_access,
        clock=time.time,
    )


@asynccontextmanager
async def both() -> AsyncIterator[tuple[Server, GamePluginControls]]:
    async with running_server(BOTH) as server:
        yield server, controls_of(server)


def without_games() -> tuple[AccessService, GamePluginControls]:
    stores = memory_stores()
    access = AccessService(stores.access)
    return access, GamePluginControls(
        [],
        accounts=AccountService(stores.accounts, cast("KeyDeriver", None)),
        access=access,
        enforce=access.rules,
        clock=time.time,
    )


async def test_who_plays_what(monkeypatch: pytest.MonkeyPatch) -> None:
    async with both() as (server, controls):
        as_port: GameControls = controls
        assert await as_port.games() == ["ink", "kart"]
        assert await controls.players(None) == []
        assert await controls.gatherings(None) == []
        kart = server.game("kart")
        async with (
            console(server, "peach") as (peach, pid),
            playing(kart) as (_, guest_id),
            console(server, "daisy") as (daisy, daisy_pid),
        ):
            ids = {each.pid: each.connection_id for each in server.game("ink").players}
            mine, hers, guests = await controls.players(None)
            assert mine == OnlinePlayer("ink", pid, "peach", ids[pid], mine.address)
            assert mine.address[0] == "127.0.0.1"
            assert hers == OnlinePlayer("ink", daisy_pid, "daisy", ids[daisy_pid], hers.address)
            assert guests == OnlinePlayer("kart", 100, "", guest_id, guests.address)
            assert await controls.players("kart") == [guests]

            gid = await open_session(peach, max_participants=3)
            found = OpenGathering("ink", gid, "MatchmakeSession", pid, pid, (pid,), 3)
            assert await controls.gatherings("ink") == [found]
            assert await controls.gatherings("kart") == []
            another = await open_session(daisy, max_participants=0)
            assert {each.gid: each.places for each in await controls.gatherings(None)} == {
                gid: 3,
                another: 0,
            }
            monkeypatch.setattr(plugin_controls, "MAX_LISTED", 1)
            assert await controls.players(None) == [mine]
            assert len(await controls.gatherings(None)) == 1


async def test_the_best_scores_and_whose_they_are() -> None:
    async with both() as (server, controls):
        account = await server.accounts.add("peach", "secret")
        rankings = server.game("kart").services.rankings
        for pid, score, unique_id in ((account.pid, 900, 7), (100, 800, 0), (1234, 900, 0)):
            upload = ScoreUpload(category=3, score=score, descending=False)
            await rankings.upload(pid, upload, unique_id)
        assert await controls.top_scores("kart", 3, 10) == [
            TopScore(1, 100, "", 800, 0),
            TopScore(2, account.pid, "peach", 900, 7),
            TopScore(2, 1234, "", 900, 0),
        ]
        assert len(await controls.top_scores("kart", 3, 1)) == 1
        assert await controls.top_scores("kart", 4, 10) == []
        assert await controls.top_scores("ink", 3, 10) == []
        for count in (0, 1001):
            with pytest.raises(ValueError, match="from 1 to 1000"):
                await controls.top_scores("kart", 3, count)


async def test_a_server_without_games() -> None:
    _, controls = without_games()
    assert await controls.games() == []
    assert await controls.players(None) == []
    assert await controls.gatherings(None) == []
    assert await controls.kick(1234, game=None, reason="") == 0
    with pytest.raises(KeyError, match="games here: none"):
        await controls.players("kart")


async def test_a_game_that_there_is_not() -> None:
    async with both() as (_, controls):
        for question in (
            controls.players("golf"),
            controls.gatherings("golf"),
            controls.top_scores("golf", 1, 1),
            controls.kick(1, game="golf", reason=""),
            controls.ban(1234, "", seconds=None, game="golf"),
            controls.unban(1234, game="golf"),
            controls.announce(1, "hello", game="golf"),
            controls.start_maintenance(game="golf", seconds=None),
            controls.end_maintenance(game="golf"),
        ):
            with pytest.raises(KeyError, match="there is no game 'golf'; games here: ink, kart"):
                await question


async def test_a_player_is_kicked_and_may_come_back() -> None:
    async with both() as (server, controls), console(server, "peach") as (session, pid):
        assert await controls.kick(pid, game="kart", reason="") == 0
        with pytest.raises(ValueError, match="a reason has at most 1000 characters, not 1001"):
            await controls.kick(pid, game=None, reason="x" * (MAX_REASON + 1))
        assert await controls.kick(pid, game=None, reason="it is late") == 1
        await until(lambda: not session.open)
        async with console(server, "peach"):
            pass


async def test_a_ban_is_stored_and_ends_what_the_player_does() -> None:
    async with both() as (server, controls), console(server, "peach") as (session, pid):
        assert await controls.ban(pid, "", seconds=None, game="kart") == 0
        assert session.open
        before = time.time()
        assert await controls.ban(pid, " cheated\n twice ", seconds=60, game=None) == 1
        await until(lambda: not session.open)
        everywhere, of_kart = sorted(
            (await server.access.rules()).bans[pid], key=lambda ban: ban.scope
        )
        assert (everywhere.scope, everywhere.reason) == ("", "cheated twice")
        assert everywhere.until is not None
        assert 60 <= everywhere.until - before < 70
        assert (of_kart.scope, of_kart.until) == ("kart", None)
        with pytest.raises(RMCError, match="AccountDisabled"):
            async with console(server, "peach"):
                pass
        assert await controls.unban(pid, game=None)
        assert not await controls.unban(pid, game="ink")
        async with console(server, "peach"):
            pass


@pytest.mark.parametrize(
    ("pid", "seconds", "told"),
    [
        (2, None, "no player can have the PID 2"),
        (-1, None, "no player can have the PID -1"),
        (1 << 32, None, "no player can have the PID 4294967296"),
        (1234, 0, "a time is a positive number of seconds, not 0"),
        (1234, -1.5, "a time is a positive number of seconds"),
        (1234, float("inf"), "a time is a positive number of seconds"),
        (1234, float("nan"), "a time is a positive number of seconds"),
    ],
)
async def test_a_ban_that_makes_no_sense(pid: int, seconds: float | None, told: str) -> None:
    access, controls = without_games()
    with pytest.raises(ValueError, match=told):
        await controls.ban(pid, "", seconds=seconds, game=None)
    assert (await access.rules()).bans == {}


async def test_an_announcement_reaches_all_consoles_of_a_player() -> None:
    async with both() as (server, controls):
        ink, kart = server.games
        mine, hers, elsewhere = Ears(), Ears(), Ears()
        async with (
            playing(ink, servers=[mine]),
            console(server, "peach", servers=[hers]),
            playing(kart, servers=[elsewhere]),
        ):
            assert await controls.announce(100, "Race night! ♥", game="ink") == 1
            assert await controls.announce(100, "x" * 256, game=None) == 2
            assert await controls.announce(1234, "Is anybody there?", game=None) == 0
            await until(lambda: len(mine.events) == 2 and elsewhere.events)
        heard = mine.events[0]
        assert (heard.type, heard.pid, heard.text) == (ANNOUNCEMENT, 2, "Race night! ♥")
        assert (heard.param1, heard.param2, heard.param3) == (0, 0, 0)
        assert [event.text for event in elsewhere.events] == ["x" * 256]
        assert hers.events == []


@pytest.mark.parametrize("text", ["", "x" * 257, "a\0b", "\ud800"])
async def test_an_announcement_that_consoles_could_not_read(text: str) -> None:
    _, controls = without_games()
    with pytest.raises(ValueError):  # noqa: PT011
        await controls.announce(100, text, game=None)


async def test_maintenance_of_one_game() -> None:
    async with both() as (server, controls):
        ink, kart = server.games
        async with playing(ink) as (stays, _), sign_in(kart) as goes:
            before = time.time()
            await controls.start_maintenance(game="kart", seconds=60)
            await until(lambda: not goes.open)
            assert stays.open
            (window,) = (await server.access.rules()).maintenance.values()
            assert window.end is not None
            assert 60 <= window.end - before < 70
            with pytest.raises(RMCError, match="UnderMaintenance"):
                async with sign_in(kart):
                    pass
            await controls.start_maintenance(game=None, seconds=None)
            await until(lambda: not stays.open)
            await controls.end_maintenance(game=None)
            async with sign_in(ink):
                pass
            with pytest.raises(ValueError, match="positive"):
                await controls.start_maintenance(game="kart", seconds=0)
            await controls.end_maintenance(game="kart")
            async with sign_in(kart):
                pass
