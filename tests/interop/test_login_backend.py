"""Our console side logs in: at NintendoClients' servers, and at ours."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from nintendo.nex import authentication, common, kerberos, prudp, rmc, secure

from nekonex.kerberos import KerberosError, LegacyTokenVerifier, TokenInfo, encode_legacy_token
from nekonex.nex import SecureConnection
from nekonex.nex.backend import login, request_login
from nekonex.nex.structures import AuthenticationInfo
from nekonex.settings import Settings, load
from nekonex.values import RMCError, StationURL
from tests.support.login import PLAYERS, SECURE_SERVER, Game, game_settings, serve_game
from tests.support.nintendo import nintendo_settings

LOCAL = StationURL("prudp", address="192.168.0.10", port=50000)
SOURCE_KEY = bytes(range(16))


class Tickets:
    """What NintendoClients' servers below need to make tickets."""

    def __init__(self, game: Game, first_target: int) -> None:
        self.game = game
        self.settings = nintendo_settings(game.settings)
        self.first_target = first_target
        self.port = 0

    def ticket(self, target: int, key: bytes) -> bytes:
        internal = kerberos.ServerTicket()
        internal.timestamp = common.DateTime.now()
        internal.source = 1000
        internal.session_key = bytes(self.settings["kerberos.key_size"])
        ticket = kerberos.ClientTicket()
        ticket.session_key = internal.session_key
        ticket.target = target
        ticket.internal = internal.encrypt(self.game.server_key, self.settings)
        sealed: bytes = ticket.encrypt(key, self.settings)
        return sealed

    def reply(self, name: str, key: bytes | None = None) -> Any:
        response = rmc.RMCResponse()
        response.connection_data = authentication.RVConnectionData()
        response.server_name = "theirs"
        response.source_key = key.hex() if key else ""
        if name != "1000":
            response.result = common.Result.error("RendezVous::InvalidUsername")
            response.pid, response.ticket = 0, b""
            return response
        response.result = common.Result.success()
        response.pid = 1000
        response.ticket = self.ticket(self.first_target, key or self.user_key)
        response.connection_data.main_station = self.station
        return response

    @property
    def user_key(self) -> bytes:
        return self.game.derive(1000, PLAYERS[1000])

    @property
    def station(self) -> Any:
        return common.StationURL(
            "prudps", address="127.0.0.1", port=self.port, CID=1, PID=2, sid=1, stream=10, type=2
        )


class TheirAuthentication(authentication.AuthenticationServer):  # type: ignore[misc]
    def __init__(self, tickets: Tickets) -> None:
        super().__init__()
        self.tickets = tickets

    async def login(self, client: Any, username: str) -> Any:
        return self.tickets.reply(username)

    async def login_ex(self, client: Any, username: str, extra_data: Any) -> Any:
        assert extra_data.token == "a token"
        return self.tickets.reply(username)

    async def request_ticket(self, client: Any, source: int, target: int) -> Any:
        response = rmc.RMCResponse()
        response.result = common.Result.success()
        response.ticket = self.tickets.ticket(target, self.tickets.user_key)
        return response


class TheirAuthenticationNX(authentication.AuthenticationServerNX):  # type: ignore[misc]
    def __init__(self, tickets: Tickets) -> None:
        super().__init__()
        self.tickets = tickets

    async def validate_and_request_ticket(self, client: Any, username: str) -> Any:
        return self.tickets.reply(username)

    async def validate_and_request_ticket_with_custom_data(
        self, client: Any, username: str, extra_data: Any
    ) -> Any:
        assert extra_data.token == "a token"
        return self.tickets.reply(username, SOURCE_KEY)

    async def validate_and_request_ticket_with_param(self, client: Any, param: Any) -> Any:
        assert (param.nex_version, param.client_version) == (40400, 1)
        reply = self.tickets.reply(param.username, SOURCE_KEY)
        reply.result.raise_if_error()
        result = authentication.ValidateAndRequestTicketResult()
        result.pid = reply.pid
        result.ticket = reply.ticket
        result.server_url = reply.connection_data.main_station
        result.server_time = common.DateTime.now()
        result.server_name = reply.server_name
        result.source_key = reply.source_key
        return result

    async def request_ticket(self, client: Any, source: int, target: int) -> Any:
        response = rmc.RMCResponse()
        response.result = common.Result.success()
        response.ticket = self.tickets.ticket(target, self.tickets.user_key)
        response.key = ""
        return response


class TheirSecureConnection(secure.SecureConnectionServer):  # type: ignore[misc]
    async def register(self, client: Any, urls: list[Any]) -> Any:
        response = rmc.RMCResponse()
        response.result = common.Result.success()
        response.connection_id = client.pid()
        response.public_station = urls[0]
        return response


@contextlib.asynccontextmanager
async def their_servers(settings: Settings, first_target: int = 2) -> AsyncIterator[int]:
    """Serve NintendoClients' servers; the value is the port of the first."""
    tickets = Tickets(Game(settings), first_target)
    theirs = tickets.settings
    first: Any = TheirAuthentication(tickets)
    if settings["nex.version"] >= 40000:
        first = TheirAuthenticationNX(tickets)
    async with (
        prudp.serve_transport(theirs, "127.0.0.1", 0) as one,
        prudp.serve_transport(theirs, "127.0.0.1", 0) as two,
        rmc.serve_on_transport(theirs, [first], one, 1),
        rmc.serve_on_transport(theirs, [TheirSecureConnection()], two, 1, tickets.game.server_key),
    ):
        tickets.port = two.local_address()[1]
        yield one.local_address()[1]


def old_settings() -> Settings:
    settings = load("friends")
    settings.configure("ridfebb9", "1.1.0")
    return settings


SETTINGS = {
    "v1": game_settings("3.5.4"),
    "v1, no headers": game_settings("3.4.0"),
    "friends": old_settings(),
    "wide": game_settings("3.5.4", nex__pid_size=8, kerberos__key_derivation=1),
    "4.2": game_settings("4.2.0"),
    "4.4": game_settings("4.4.0"),
}


def their_cases() -> list[Any]:
    """Settings, target of the first ticket, and login data that NintendoClients can serve."""
    cases: list[tuple[str, int, str, bool]] = []
    for name in SETTINGS:
        # It reads login data in the form of NEX 3 at every version.
        for token in ("",) if name == "friends" else ("", "a token"):
            keyed = name == "4.4" or (name == "4.2" and bool(token))
            # A second ticket of the servers above is always sealed with the player's key.
            cases += [(name, target, token, keyed) for target in ((2,) if keyed else (2, 1))]
    return cases


@pytest.mark.parametrize(("name", "first_target", "token", "keyed"), their_cases())
async def test_at_theirs(name: str, first_target: int, token: str, keyed: bool) -> None:
    settings = SETTINGS[name]
    info = AuthenticationInfo(token) if token else None
    password = None if keyed else PLAYERS[1000]
    async with (
        their_servers(settings, first_target) as port,
        login(settings, "127.0.0.1", port, "1000", password, auth_info=info) as session,
    ):
        reply = await SecureConnection.client(session).register([LOCAL])
        assert reply.connection_id == session.pid == 1000


@pytest.mark.parametrize("name", ["v1", "4.2", "4.4"])
async def test_refused_by_theirs(name: str) -> None:
    async with their_servers(SETTINGS[name]) as port:
        with pytest.raises(RMCError, match="RendezVous::InvalidUsername"):
            async with login(SETTINGS[name], "127.0.0.1", port, "1001", "x"):
                pass


@pytest.mark.parametrize("name", SETTINGS)
async def test_at_ours(name: str) -> None:
    async with serve_game(SETTINGS[name]) as game:
        host, port = game.auth.address
        async with login(game.settings, host, port, "1000", PLAYERS[1000]) as session:
            await SecureConnection.client(session).register([LOCAL])
        key = game.derive(1001, PLAYERS[1001])
        async with login(game.settings, host, port, "1001", key=key) as session:
            assert session.pid == 1001


@pytest.mark.parametrize("version", ["4.2.0", "4.4.0"])
async def test_at_ours_with_a_token(version: str) -> None:
    aes_key = bytes(32)
    token = encode_legacy_token(TokenInfo(1, 3, 1000, 2e9, 0, 0), aes_key)
    options = {"token_verifier": LegacyTokenVerifier(aes_key)}
    async with serve_game(game_settings(version), auth=options) as game:
        info = AuthenticationInfo(token)
        async with login(game.settings, *game.auth.address, "1000", auth_info=info) as session:
            assert session.pid == 1000


async def test_what_can_go_wrong() -> None:
    async with serve_game() as game:
        address = game.auth.address
        with pytest.raises(KerberosError):
            await request_login(game.settings, *address, "1000", "wrong")
        with pytest.raises(ValueError, match="password or a key"):
            await request_login(game.settings, *address, "1000")
        with pytest.raises(RMCError, match="RendezVous::InvalidUsername"):
            await request_login(game.settings, *address, "nobody", "x")
        found = await request_login(game.settings, *address, "1000", PLAYERS[1000])
        assert (found.host, found.port, found.vport) == (*game.secure.address, 1)
        assert SECURE_SERVER.password not in repr(found)
        assert "session_key" not in repr(found)
    with pytest.raises(ConnectionRefusedError):
        await request_login(
            game_settings(prudp__resend_timeout=0.01, prudp__resend_limit=1), *address, "1000"
        )


async def test_many_consoles_in_one_process() -> None:
    players = {2000 + number: f"password {number}" for number in range(40)}
    settings = game_settings(kerberos__key_derivation=1)
    async with serve_game(settings, players=players) as game:
        registered = asyncio.Barrier(len(players) + 1)
        leave = asyncio.Event()

        async def play(pid: int, password: str) -> None:
            async with login(game.settings, *game.auth.address, str(pid), password) as session:
                await SecureConnection.client(session).register([LOCAL])
                await registered.wait()
                await leave.wait()

        async with asyncio.TaskGroup() as group:
            for pid, password in players.items():
                group.create_task(play(pid, password))
            await registered.wait()
            assert {player.pid for player in game.players} == set(players)
            leave.set()
        assert game.players.count == 0
