"""The server as a whole, in this process: what it is made of and what games may change."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
import os
import socket
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from nekonex import Game, GameServices, Protocol, Session, method
from nekonex.app import DataDirInUseError, StartError, ask, exclusive, running
from nekonex.config import load_config
from nekonex.domain import AuthenticationUser, Notification
from nekonex.events import EventBus, LoginFailed, PlayerLoggedIn, PlayerLoggedOut
from nekonex.kerberos import KerberosError, LegacyTokenVerifier, TokenInfo, TokenVerifier
from nekonex.kerberos.legacy_token import encode_legacy_token
from nekonex.nex import SecureConnection, SecureConnectionServer
from nekonex.nex.backend import request_login
from nekonex.nex.secure import RegisterReply
from nekonex.nex.structures import AuthenticationInfo
from nekonex.prudp.limits import DropReason
from nekonex.rmc.connector import connect
from nekonex.testing import running_server
from nekonex.values import Result, RMCError, StationURL
from tests.support.players import playing, sign_in
from tests.support.waiting import until

ONE = '[[game]]\nname = "one"\ntitle = "mario-kart-8"\nguest = true\n'
TWO = ONE + '[[game]]\nname = "two"\ntitle = "mario-kart-8"\nguest = true\n'
AES_KEY = "00112233445566778899aabbccddeeff" * 2


def with_class(server: str) -> str:
    return f'{ONE}server = "{server}"\n'


async def test_everything_is_where_the_configuration_says(tmp_path: Path) -> None:
    async with running_server(TWO, folder=tmp_path) as server:
        assert [game.name for game in server.games] == ["one", "two"]
        ports = [port.address[1] for game in server.games for port in game.ports]
        assert len(set(ports)) == 4
        assert server.addresses()["games"][1] == {
            "name": "two",
            "auth": ["127.0.0.1", ports[2]],
            "secure": ["127.0.0.1", ports[3]],
        }
        with pytest.raises(KeyError, match="three"):
            server.game("three")
        names = {path.name for path in (tmp_path / "data").iterdir()}
        assert {"nekonex.db", "secrets", "control.sock"} <= names


async def test_the_data_directory_is_claimed_before_anything_else(tmp_path: Path) -> None:
    seen: list[list[Path]] = []

    def claimed() -> None:
        with pytest.raises(DataDirInUseError), exclusive(tmp_path / "data"):
            pass
        seen.append(list((tmp_path / "data").iterdir()))

    kinds = ("GAME__COMMON__AUTH_PORT", "GAME__COMMON__SECURE_PORT", "HTTP__PORT", "CONNECT__PORT")
    ports = {f"NEKONEX_{kind}": "0" for kind in kinds}
    config = load_config(environ=ports, folder=tmp_path)
    async with running(config, on_claim=claimed):
        with pytest.raises(DataDirInUseError):
            async with running(config, on_claim=claimed):
                pass
    assert seen == [[]]


async def test_players_come_and_go() -> None:
    events = EventBus()
    seen: list[Any] = []
    for kind in (PlayerLoggedIn, PlayerLoggedOut, LoginFailed):
        events.subscribe(kind, seen.append)
    async with running_server(events=events) as server:
        (game,) = server.games
        account = await server.accounts.add("neko", "secret")
        async with playing(game, "neko", "secret") as (_, connection_id):
            player = game.players.newest(account.pid)
            assert player is not None
            assert player.connection_id == connection_id
            player.notify(Notification(kind=1))
            assert [type(event) for event in seen] == [PlayerLoggedIn]
            assert server.kick(account.pid) == 1
            assert server.kick(account.pid, game="common", reason="again") in (0, 1)
        with pytest.raises(KerberosError):
            async with sign_in(game, "neko", "wrong"):
                pass
        with pytest.raises(RMCError, match="InvalidUsername"):
            async with sign_in(game, "nobody"):
                pass
    kinds = [type(event) for event in seen]
    assert kinds == [PlayerLoggedIn, PlayerLoggedOut, LoginFailed]


async def test_a_ticket_for_one_game_does_not_open_another() -> None:
    async with running_server(TWO) as server:
        one, two = server.games
        found = await request_login(one.settings, *one.auth.address, "guest", "MMQea3n!fsik")
        settings = two.settings.copy()
        settings["prudp.resend_timeout"] = 0.05
        address, credentials = two.secure.address, found.credentials
        with pytest.raises(ConnectionRefusedError):
            async with connect(settings, *address, vport=1, credentials=credentials):
                pass
        assert two.secure.listener.drops[DropReason.BAD_TICKET] > 0


async def test_a_port_in_use_stops_everything_before_it_started(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        port = other.getsockname()[1]
        config = TWO + f"secure_port = {port}\n"
        with pytest.raises(StartError) as caught:
            async with running_server(config, folder=tmp_path):
                pass
    assert str(caught.value) == (
        f"{tmp_path / 'nekonex.toml'}: game.two.secure_port is {port}, which another program "
        "uses on 127.0.0.1; give another port, or 0 for any free one"
    )
    assert os.listdir(tmp_path) == ["nekonex.toml"]  # noqa: PTH208


async def test_a_database_of_a_later_version_stops_it(tmp_path: Path) -> None:
    async with running_server(ONE, folder=tmp_path):
        pass
    (tmp_path / "data" / "nekonex.db").write_bytes(b"not a database, whatever its name says")
    with pytest.raises(StartError, match=r"nekonex\.db"):
        async with running_server(ONE, folder=tmp_path):
            pass


async def test_a_secret_that_is_damaged_stops_it(tmp_path: Path) -> None:
    async with running_server(ONE, folder=tmp_path):
        pass
    (tmp_path / "data" / "secrets" / "secure-server").write_text("half a secre")
    with pytest.raises(StartError, match="holds no secret"):
        async with running_server(ONE, folder=tmp_path):
            pass


async def test_the_control_socket_knows_the_server(tmp_path: Path) -> None:
    async with running_server(TWO, folder=tmp_path) as server:
        data_dir = server.data_dir

        async def asked(command: str, **arguments: Any) -> Any:
            return await asyncio.to_thread(ask, data_dir, command, **arguments)

        async with playing(server.game("two")) as (session, connection_id):
            answer = await asked("ping")
            assert answer["games"] == server.addresses()["games"]
            (player,) = await asked("players")
            assert player == {
                "game": "two",
                "pid": 100,
                "connection": connection_id,
                "address": ["127.0.0.1", player["address"][1]],
            }
            assert await asked("players", game="one") == []
            stats = (await asked("stats", game="two"))["games"]
            assert list(stats) == ["two"]
            assert stats["two"]["players"] == 1
            assert stats["two"]["secure"]["calls"]["requests"] == 1
            assert stats["two"]["secure"]["connections"] == 1
            assert await asked("kick", pid=100, game="one") == {"disconnected": 0}
            assert await asked("kick", pid=100) == {"disconnected": 1}
            await until(lambda: not session.open)
        for command, arguments, told in (
            ("dance", {}, "there is no command"),
            ("kick", {}, "kick needs"),
            ("kick", {"pid": True}, "kick needs"),
            ("kick", {"pid": 1, "reason": 5}, 'the "reason"'),
            ("players", {"game": "three"}, "there is no game"),
        ):
            with pytest.raises(Exception, match=told):
                await asked(command, **arguments)


# -- games in code -------------------------------------------------------------


@pytest.fixture
def games(monkeypatch: pytest.MonkeyPatch) -> Callable[[type[Game]], str]:
    """Return a function that makes a class known and returns the configuration for it."""
    module = ModuleType("games_of_this_test")
    monkeypatch.setitem(sys.modules, module.__name__, module)

    def known(cls: type[Game]) -> str:
        setattr(module, cls.__name__, cls)
        return with_class(f"{module.__name__}:{cls.__name__}")

    return known


Known = Callable[[type[Game]], str]


class Counter(Protocol, id=200):
    def __init__(self, services: GameServices) -> None:
        self.services = services

    @method(1)
    async def online(self, client: Session) -> str:
        return f"{self.services.players.count} in {self.services.name}"


class Greeter(SecureConnectionServer):
    async def register(self, client: Session, urls: list[StationURL]) -> RegisterReply:
        reply = await super().register(client, urls)
        return reply._replace(connection_id=4711)


async def test_a_game_adds_protocols_and_replaces_common_ones(games: Known) -> None:
    class Mine(Game):
        def protocols(self, services: GameServices) -> Sequence[Protocol]:
            common = Greeter(services.settings, players=services.players)
            return [Counter(services), common]

    async with (
        running_server(games(Mine)) as server,
        playing(server.game("one")) as (session, connection_id),
    ):
        assert connection_id == 4711
        assert await Counter.client(session).online() == "1 in one"


async def test_two_protocols_of_one_number_are_refused(games: Known) -> None:
    class Mine(Game):
        def protocols(self, services: GameServices) -> Sequence[Protocol]:
            return [Counter(services), Counter(services)]

    with pytest.raises(StartError, match=r"game one: games_of_this_test:Mine does not work: .*200"):
        async with running_server(games(Mine)):
            pass


async def test_a_game_has_the_last_word_at_a_login(games: Known) -> None:
    asked: list[AuthenticationUser] = []

    class Mine(Game):
        def auth_callback(self, services: GameServices) -> Callable[[AuthenticationUser], Result]:
            def decide(user: AuthenticationUser) -> Result:
                asked.append(user)
                return Result.error("RendezVous::AccountDisabled")

            return decide

    async with running_server(games(Mine)) as server:
        with pytest.raises(RMCError, match="AccountDisabled"):
            async with sign_in(server.game("one")):
                pass
    assert [user.name for user in asked] == ["guest"]


async def test_a_game_may_let_players_find_each_other(games: Known) -> None:
    class Mine(Game):
        def may_request_urls(self, services: GameServices) -> Any:
            return lambda client, target: True

    async with running_server(games(Mine)) as server, playing(server.game("one")) as (session, cid):
        reply = await SecureConnection.client(session).request_urls(cid, 100)
        assert reply.urls[0]["port"] == 50000


def token(pid: int, *, key: str = AES_KEY, expire: float | None = None) -> AuthenticationInfo:
    info = TokenInfo(
        1, 3, pid, time.time() + 60 if expire is None else expire, 0x000500001010ED00, 0
    )
    return AuthenticationInfo(token=encode_legacy_token(info, bytes.fromhex(key)))


async def test_tokens_are_demanded_where_they_can_be_verified() -> None:
    config = f'{ONE}token_key = "{AES_KEY}"\n'
    async with running_server(config) as server:
        game = server.game("one")
        account = await server.accounts.add("neko", "secret")
        for auth_info, error in (
            (None, "ValidationFailed"),
            (token(account.pid + 1), "PrincipalIdUnmatched"),
            (token(account.pid, expire=1.0), "TokenExpired"),
            (token(account.pid, key=hashlib.sha256().hexdigest()), "ValidationFailed"),
        ):
            with pytest.raises(RMCError, match=error):
                async with sign_in(game, "neko", "secret", auth_info=auth_info):
                    pass
        async with sign_in(game, "neko", "secret", auth_info=token(account.pid)):
            pass


async def test_a_game_may_bring_its_own_verifier(games: Known) -> None:
    class Mine(Game):
        def token_verifier(self, services: GameServices) -> TokenVerifier:
            return LegacyTokenVerifier(bytes.fromhex(AES_KEY))

    config = games(Mine) + "require_token = true\n"
    async with running_server(config) as server:
        game = server.game("one")
        with pytest.raises(RMCError, match="ValidationFailed"):
            async with sign_in(game):
                pass
        async with sign_in(game, auth_info=token(100)):
            pass


async def test_a_token_that_nothing_verifies_cannot_be_demanded(games: Known) -> None:
    class Mine(Game):
        pass

    with pytest.raises(StartError, match="require_token"):
        async with running_server(games(Mine) + "require_token = true\n"):
            pass


async def test_a_stop_waits_for_logouts_that_are_quick(games: Known) -> None:
    gone: list[int] = []

    class Slow(Protocol, id=201):
        async def logout(self, client: Session) -> None:
            await asyncio.sleep(0.05)
            gone.append(client.id)

    class Mine(Game):
        def protocols(self, services: GameServices) -> Sequence[Protocol]:
            return [Slow()]

    async with contextlib.AsyncExitStack() as clients:
        async with running_server(games(Mine)) as server:
            session = await clients.enter_async_context(sign_in(server.game("one")))
        assert len(gone) == 1
        assert not session.open
