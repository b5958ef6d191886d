"""The matchmaking of a hosted game: what serves it, and what titles, games and limits change."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from nekonex import Game, GameServices, Protocol
from nekonex.app.matchmaking import title_rules
from nekonex.config import load_config
from nekonex.domain import Player
from nekonex.domain.matchmaking import Gathering, MatchmakingHooks, SessionRule
from nekonex.games.mario_kart_8 import MarioKart8MatchmakeExtensionServer
from nekonex.games.monster_hunter_xx import MonsterHunterXXMatchmakeExtensionServer
from nekonex.nex import (
    MatchmakeExtension,
    MatchmakeExtensionServer,
    MatchMaking,
    MatchMakingExt,
    NATTraversal,
    SecureConnection,
    SecureConnectionServer,
)
from nekonex.nex.structures import PersistentGathering
from nekonex.testing import running_server
from nekonex.values import RMCError, StationURL
from tests.support.rooms import Ears, auto_matchmake, console, open_session
from tests.support.waiting import until

KART = '[[game]]\nname = "kart"\ntitle = "mario-kart-8"\n'
SPLATOON = '[[game]]\nname = "ink"\ntitle = "splatoon"\n'


async def test_two_consoles_meet_and_part() -> None:
    ears = Ears()
    async with (
        running_server(SPLATOON) as server,
        console(server, "peach", servers=[ears]) as (peach, peach_pid),
    ):
        gid = await open_session(peach)
        async with console(server, "toad") as (toad, toad_pid):
            joined = await auto_matchmake(toad)
            assert joined.id == gid
            assert await MatchMakingExt.client(toad).get_participants(gid, False) == [
                peach_pid,
                toad_pid,
            ]
            # Who plays together may learn each other's addresses, by the default of a game.
            player = server.games[0].players.newest(peach_pid)
            assert player is not None
            urls = await SecureConnection.client(toad).request_urls(player.connection_id, peach_pid)
            assert urls.urls[-1]["PID"] == peach_pid
            details = await MatchMaking.client(toad).get_detailed_participants(gid)
            assert [each.name for each in details] == ["peach", "toad"]
        await until(lambda: 3007 in ears.types)
        live = server.games[0].matchmaking.gatherings.live
        assert await live.count() == 1
    assert await live.count() == 0


async def test_strangers_learn_no_addresses() -> None:
    async with (
        running_server(SPLATOON + "guest = true\n") as server,
        console(server, "peach") as (_, pid),
        console(server, "toad") as (toad, toad_pid),
    ):
        found = server.games[0].players.newest(pid)
        own = server.games[0].players.newest(toad_pid)
        assert found is not None
        assert own is not None
        stub = SecureConnection.client(toad)
        with pytest.raises(RMCError, match="AccessDenied"):
            await stub.request_urls(found.connection_id, pid)
        assert (await stub.request_urls(own.connection_id, toad_pid)).result


async def test_communities_outlive_the_server(tmp_path: Path) -> None:
    async with (
        running_server(SPLATOON, folder=tmp_path) as server,
        console(server, "peach") as (peach, pid),
    ):
        community = PersistentGathering(max_participants=10, description="tennis", attribs=[0] * 6)
        gid = await MatchmakeExtension.client(peach).create_community(community, "")
    async with (
        running_server(SPLATOON, folder=tmp_path) as server,
        console(server, "peach") as (peach, _),
    ):
        (found,) = await MatchmakeExtension.client(peach).find_community_by_gathering_id([gid])
        assert (found.description, found.owner) == ("tennis", pid)


async def test_reports_of_a_router_and_of_failures_are_used() -> None:
    config = SPLATOON + "[game.limits]\nunreachable_seconds = 60.0\n"
    async with (
        running_server(config) as server,
        console(server, "peach") as (peach, peach_pid),
        console(server, "toad") as (toad, toad_pid),
    ):
        (game,) = server.games
        gid = await open_session(peach)
        assert (await auto_matchmake(toad)).id == gid
        player = game.players.newest(peach_pid)
        assert player is not None
        nat = NATTraversal.client(toad)
        await nat.report_nat_properties(1, 2, 30)
        await nat.report_nat_traversal_result(player.connection_id, False, 0)
        assert game.matchmaking.unreachable.failed_with(toad_pid) == {peach_pid}
        assert game.matchmaking.unreachable._limits.seconds == 60.0
        assert (game.nat_stats.properties, game.nat_stats.failures) == (1, 1)
        await MatchMakingExt.client(toad).end_participation(gid, "")
        assert (await auto_matchmake(toad)).id != gid


async def test_limits_are_those_of_the_configuration() -> None:
    config = SPLATOON + (
        "[game.limits]\nmax_gatherings = 1\nmax_owned_communities = 2\n"
        "max_joined_communities = 3\nfriends_seconds = 4.5\n"
    )
    async with (
        running_server(config) as server,
        console(server, "peach") as (peach, _),
        console(server, "toad") as (toad, _),
    ):
        limits = server.games[0].matchmaking.limits
        assert limits.max_owned_communities == 2
        assert limits.max_joined_communities == 3
        assert limits.friends_seconds == 4.5
        await open_session(peach)
        with pytest.raises(RMCError, match="LimitExceeded"):
            await open_session(toad)


# -- titles --------------------------------------------------------------------


@pytest.mark.parametrize(
    ("title", "server", "is_generic"),
    [
        ("mario-kart-8", MarioKart8MatchmakeExtensionServer, False),
        ("splatoon", MatchmakeExtensionServer, True),
    ],
)
async def test_a_variant_has_its_own_methods(
    title: str, server: type[MatchmakeExtensionServer], is_generic: bool
) -> None:
    async with running_server(f'[[game]]\nname = "x"\ntitle = "{title}"\n') as running:
        service = running.games[0].secure.service
        assert service is not None
        served = [type(each) for each in service.dispatcher.servants]
        assert server in served
        assert (MatchmakeExtensionServer in served) is is_generic


def rules_of(tmp_path: Path, text: str) -> Any:
    file = tmp_path / "rules.toml"
    file.write_text(text)
    (game,) = load_config(file, environ={}).games
    return title_rules(game)


def test_the_rules_of_a_title_are_those_of_its_profile(tmp_path: Path) -> None:
    rules = rules_of(tmp_path, '[[game]]\ntitle = "bayonetta-2"\n')
    assert rules.criteria_attributes == {1: "0"}
    assert rules.created == rules.matched == SessionRule()


def test_all_rules_can_be_configured(tmp_path: Path) -> None:
    rules = rules_of(
        tmp_path,
        '[[game]]\ntitle = "splatoon"\nignore_attributes = [4]\nignore_closing_by_others = true\n'
        '[game.force.criteria.attributes]\n2 = "1,3"\n'
        "[game.force.template]\ngame_mode = 12\n"
        'clear = ["matchmake_param", "application_buffer"]\n'
        "[game.force.template.attributes]\n3 = 7\n"
        "[game.force.created]\nopen_participation = true\n"
        "[game.force.matched]\ngame_mode = 3\nuser_password_enabled = false\n",
    )
    assert rules.ignored_attributes == {4}
    assert rules.ignore_closing_by_others
    assert rules.criteria_attributes == {2: "1,3"}
    assert rules.template_attributes == {3: 7}
    assert rules.template_game_mode == 12
    assert rules.clear_param
    assert rules.clear_application_data
    assert rules.created == SessionRule(open_participation=True)
    assert rules.matched == SessionRule(game_mode=3, user_password_enabled=False)


# -- games in code -------------------------------------------------------------


@pytest.fixture
def games(monkeypatch: pytest.MonkeyPatch) -> Callable[[type[Game]], str]:
    """Return a function that makes a class known and returns the configuration for it."""
    module = ModuleType("matchmaking_games_of_this_test")
    monkeypatch.setitem(sys.modules, module.__name__, module)

    def known(cls: type[Game]) -> str:
        setattr(module, cls.__name__, cls)
        return f'{SPLATOON}server = "{module.__name__}:{cls.__name__}"\n'

    return known


Known = Callable[[type[Game]], str]


async def test_a_game_adds_rules_and_knows_friends(games: Known) -> None:
    seen: list[int] = []

    class Rules(MatchmakingHooks):
        def __init__(self, services: GameServices) -> None:
            self.services = services

        async def can_join(self, player: Player, gathering: Gathering) -> bool:
            seen.append(await self.services.matchmaking.gatherings.live.count())
            return False

    class Mine(Game):
        def matchmaking_hooks(self, services: GameServices) -> MatchmakingHooks:
            return Rules(services)

        def get_friend_pids(self, services: GameServices) -> Callable[[int], Iterable[int]]:
            return lambda pid: [pid + 1]

    async with (
        running_server(games(Mine)) as server,
        console(server, "peach") as (peach, pid),
        console(server, "toad") as (toad, _),
    ):
        matchmaking = server.games[0].matchmaking
        assert await matchmaking.friends.friends_of(pid) == {pid + 1}
        gid = await open_session(peach)
        with pytest.raises(RMCError, match="PermissionDenied"):
            await MatchmakeExtension.client(toad).join_matchmake_session(gid, "")
    assert seen == [1]


async def test_a_game_may_keep_all_addresses_secret(games: Known) -> None:
    class Mine(Game):
        def may_request_urls(self, services: GameServices) -> None:
            return None

    async with running_server(games(Mine)) as server, console(server, "peach") as (peach, pid):
        with pytest.raises(RMCError, match="AccessDenied"):
            await SecureConnection.client(peach).request_urls(0, pid)


async def test_a_server_of_the_game_itself_is_the_one_the_others_ask(games: Known) -> None:
    class Own(SecureConnectionServer):
        pass

    class Mine(Game):
        def protocols(self, services: GameServices) -> Sequence[Protocol]:
            assert services.secure is not None
            return [Own(services.settings, players=services.players)]

    async with (
        running_server(games(Mine)) as server,
        console(server, "peach") as (peach, _),
    ):
        gid = await open_session(peach)
        urls: list[StationURL] = await MatchMaking.client(peach).get_session_urls(gid)
        assert len(urls) == 2
    # It is the first to forget a player, so the player was taken out of its session.
    assert await server.games[0].matchmaking.gatherings.live.count() == 0


async def test_a_game_may_replace_the_matchmake_extension(games: Known) -> None:
    class Own(MatchmakeExtensionServer):
        async def join_matchmake_session(self, client: Any, gid: Any, message: Any) -> bytes:
            return b"mine"

    class Mine(Game):
        def protocols(self, services: GameServices) -> Sequence[Protocol]:
            return [
                Own(services.settings, matchmaking=services.matchmaking, secure=services.secure)
            ]

    async with running_server(games(Mine)) as server, console(server, "peach") as (peach, _):
        stub = MatchmakeExtension.client(peach)
        assert await stub.join_matchmake_session(1, "") == b"mine"
        assert await open_session(peach)


def test_monster_hunter_has_its_variant() -> None:
    from nekonex.app.matchmaking import EXTENSIONS
    from nekonex.games.protocol_names import PROTOCOL_VARIANTS

    assert EXTENSIONS["monster-hunter-xx"] is MonsterHunterXXMatchmakeExtensionServer
    assert set(EXTENSIONS) <= PROTOCOL_VARIANTS["matchmake_extension"]
