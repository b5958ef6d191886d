"""NintendoClients' consoles log in at our servers, over UDP."""

from __future__ import annotations

import asyncio
import time
from typing import Any

import pytest
from nintendo.nex import authentication, backend, common, friends, rmc, secure

from nekonex.domain import AuthenticationUser
from nekonex.kerberos import LegacyTokenVerifier, TokenInfo, TokenText, encode_legacy_token
from nekonex.rmc.listener import listen
from nekonex.settings import Settings, load
from tests.support.login import ACCESS_KEY, GUEST, PLAYERS, game_settings, serve_game, station
from tests.support.nintendo import console, nintendo_settings, refusal

AES_KEY = bytes(range(32))


def friends_settings() -> Settings:
    settings = load("friends")
    settings.configure("ridfebb9", "1.1.0")
    return settings


def ds_settings(version: str) -> Settings:
    settings = load("3ds")
    settings.configure(ACCESS_KEY, version)
    return settings


TRANSPORTS = {
    "v1": game_settings("3.5.4"),
    "v1, no headers": game_settings("3.4.0"),
    "v1, headers": game_settings("3.4.0", nex__struct_header=1),
    "both": game_settings("3.5.4", prudp__version=2, prudp__max_substream_id=1),
    "compressed": game_settings("3.8.3", prudp__compression=1),
    "v0": ds_settings("3.0.1"),
    "v0, headers": ds_settings("3.9.1"),
    "friends": friends_settings(),
    "ticket version 0": game_settings(kerberos__ticket_version=0, kerberos__key_size=16),
    "new keys, wide PIDs": game_settings(kerberos__key_derivation=1, nex__pid_size=8),
    "4.2": game_settings("4.2.0"),
    "4.4": game_settings("4.4.0"),
}


async def register(session: Any, host: str = "192.168.0.10", port: int = 50000) -> Any:
    url = common.StationURL(address=host, port=port)
    return await secure.SecureConnectionClient(session).register([url])


@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_login_and_register(transport: str) -> None:
    async with (
        serve_game(TRANSPORTS[transport], auth={"build_string": "a build"}) as game,
        console(game) as session,
    ):
        assert session.pid() == 1000
        reply = await register(session)
        reply.result.raise_if_error()
        player = game.players.newest(1000)
        assert player is not None
        assert reply.connection_id == player.connection_id
        assert reply.public_station["PID"] == 1000
        assert reply.public_station["RVCID"] == reply.connection_id
        assert (reply.public_station["address"], reply.public_station["port"]) == player.address


@pytest.mark.parametrize("version", ["3.5.4", "4.2.0", "4.4.0"])
async def test_the_guest(version: str) -> None:
    async with (
        serve_game(game_settings(version)) as game,
        backend.connect(nintendo_settings(game.settings), *game.auth.address) as client,
        client.login_guest() as session,
    ):
        assert (await register(session)).result.is_success()
        assert [player.pid for player in game.players] == [100]


@pytest.mark.parametrize("version", ["3.5.4", "4.2.0", "4.4.0"])
class TestRefusals:
    async def test_a_wrong_password_shows_at_the_console(self, version: str) -> None:
        async with serve_game(game_settings(version)) as game:
            assert "incorrect password" in await refusal(game, "1000", "wrong")

    @pytest.mark.parametrize("name", ["4711", "nobody", "Quazal Rendez-Vous", "2"])
    async def test_unknown_users(self, version: str, name: str) -> None:
        async with serve_game(game_settings(version)) as game:
            assert "RendezVous::InvalidUsername" in await refusal(game, name, "x")

    async def test_maintenance_and_bans(self, version: str) -> None:
        async with serve_game(game_settings(version)) as game:
            await game.access.start_maintenance("test")
            assert "Authentication::UnderMaintenance" in await refusal(game)
            await game.access.end_maintenance("test")
            await game.access.ban(1000)
            assert "RendezVous::AccountDisabled" in await refusal(game)

    async def test_a_callback_with_results_of_that_library(self, version: str) -> None:
        def callback(user: AuthenticationUser) -> Any:
            if user.pid == 1001:
                raise common.RMCError("RendezVous::PermissionDenied")
            if user == GUEST:
                return common.Result.error("Authentication::UnderMaintenance")
            return common.Result.success()

        async with serve_game(game_settings(version), auth={"auth_callback": callback}) as game:
            async with console(game):
                pass
            assert "RendezVous::PermissionDenied" in await refusal(game, "1001", PLAYERS[1001])
            assert "Authentication::UnderMaintenance" in await refusal(
                game, "guest", GUEST.password
            )


async def test_refusals_are_in_the_result() -> None:
    async with (
        serve_game() as game,
        rmc.connect(nintendo_settings(game.settings), *game.auth.address) as client,
    ):
        stub = authentication.AuthenticationClient(client)
        reply = await stub.login("nobody")
        assert reply.result.name() == "RendezVous::InvalidUsername"
        assert (reply.pid, reply.ticket, reply.server_name) == (0, b"", "")
        assert str(reply.connection_data.main_station) == "prudp:/"
        assert reply.connection_data.server_time.value() == 0
        reply = await stub.request_ticket(1000, 2)
        assert (reply.result.name(), reply.ticket) == ("Core::AccessDenied", b"")
        assert await stub.get_pid("nobody") == 0
        assert await stub.get_name(4711) == ""
        assert await stub.get_pid("GUEST") == 100
        reply = await stub.login("1000")
        assert abs(reply.connection_data.server_time.timestamp() - time.time()) < 30


def token(pid: int = 1000, *, expires_in: float = 3600, text: TokenText = TokenText.CONSOLE) -> str:
    info = TokenInfo(1, 3, pid, time.time() + expires_in, 0x0005000010101D00, 0)
    return encode_legacy_token(info, AES_KEY, text)


def auth_info(text: str) -> Any:
    info = authentication.AuthenticationInfo()
    info.token = text
    return info


def login_data(text: str) -> Any:
    data = secure.NintendoLoginData()
    data.token = text
    return data


def account_info(text: str) -> Any:
    info = friends.AccountExtraInfo()
    info.local_friend_code = 1
    info.move_count = 2
    info.token = text
    return info


HOLDERS = {
    "AuthenticationInfo": auth_info,
    "NintendoLoginData": login_data,
    "AccountExtraInfo": account_info,
}


REQUIRED = {"token_verifier": LegacyTokenVerifier(AES_KEY), "require_token": True}


class TestTokens:
    @pytest.mark.parametrize("version", ["3.4.0", "3.5.4", "4.2.0", "4.4.0"])
    @pytest.mark.parametrize("holder", HOLDERS)
    async def test_good_ones(self, version: str, holder: str) -> None:
        data = HOLDERS[holder](token())
        async with serve_game(game_settings(version), auth=REQUIRED) as game:
            # From 4.0 on the server gives a key, and the console needs no password.
            password = PLAYERS[1000] if version < "4" else None
            async with console(game, "1000", password, data) as session:
                assert session.pid() == 1000

    @pytest.mark.parametrize("version", ["3.5.4", "4.2.0", "4.4.0"])
    @pytest.mark.parametrize(
        ("data", "error"),
        [
            (auth_info(token(expires_in=-1)), "Authentication::TokenExpired"),
            (auth_info(token(1001)), "Authentication::PrincipalIdUnmatched"),
            (auth_info("nonsense"), "Authentication::ValidationFailed"),
            (common.NullData(), "Authentication::ValidationFailed"),
            (None, "Authentication::ValidationFailed"),
        ],
        ids=["expired", "another player's", "nonsense", "null", "none"],
    )
    async def test_bad_ones(self, version: str, data: Any, error: str) -> None:
        async with serve_game(game_settings(version), auth=REQUIRED) as game:
            assert error in await refusal(game, "1000", PLAYERS[1000], data)

    @pytest.mark.parametrize("version", ["3.5.4", "4.2.0", "4.4.0"])
    async def test_without_a_verifier_the_password_counts(self, version: str) -> None:
        async with serve_game(game_settings(version)) as game:
            async with console(game, "1000", PLAYERS[1000], auth_info("anything")):
                pass
            assert "incorrect password" in await refusal(game, "1000", "wrong", auth_info(token()))


async def test_two_titles_in_one_process() -> None:
    async with (
        serve_game(game_settings("3.5.4")) as one,
        serve_game(ds_settings("3.0.1"), players={1000: "another password"}) as two,
        console(one) as first,
        console(two, "1000", "another password") as second,
    ):
        replies = await asyncio.gather(register(first), register(second))
        assert [game.players.count for game in (one, two)] == [1, 1]
        assert replies[0].connection_id != replies[1].connection_id
        assert "incorrect password" in await refusal(two)


async def test_a_secure_server_at_the_address_of_the_other() -> None:
    """``0.0.0.1`` stands for the address that the console logged in at."""
    async with serve_game() as game:
        url = station(1)
        url["address"] = "0.0.0.1"
        url["sid"] = 2
        async with (
            listen(game.settings, "127.0.0.1") as udp,
            udp.serve([game.authentication_server(secure_station=url)], vport=1) as game.auth,
            udp.serve([game.secure_server()], vport=2, key=game.server_key),
            console(game) as session,
        ):
            assert (await register(session)).result.is_success()
