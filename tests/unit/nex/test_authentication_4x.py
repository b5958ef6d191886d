"""Logins of NEX 4.0 and later: other methods, and keys that are made for a login."""

from __future__ import annotations

from typing import Any

import pytest

from nekonex.kerberos import KerberosError, LegacyTokenVerifier, TokenInfo, encode_legacy_token
from nekonex.nex import Authentication, CrossplayAuthentication, CrossplayAuthenticationServer
from nekonex.nex.structures import (
    AuthenticationInfo,
    NullData,
    ValidateAndRequestTicketParam,
    default_holders,
)
from nekonex.rmc.contexts import context_of
from nekonex.values import DateTime, RMCError
from nekonex.wire import WireContext
from tests.support.login import PLAYERS, Game, station
from tests.support.nexlab import NOW, lab, lab_settings
from tests.support.pipe import PipeServer

AES_KEY = bytes(32)
VERIFYING = {"token_verifier": LegacyTokenVerifier(AES_KEY)}


def info(pid: int = 1000, expire: float = NOW + 60) -> AuthenticationInfo:
    return AuthenticationInfo(encode_legacy_token(TokenInfo(1, 3, pid, expire, 0, 0), AES_KEY))


def param(name: str = "1000", data: Any = None, **changes: Any) -> ValidateAndRequestTicketParam:
    values = {"skip_version_check": False, "nex_version": 40400, "client_version": 1, **changes}
    return ValidateAndRequestTicketParam(
        platform=1, username=name, data=NullData() if data is None else data, **values
    )


SETTINGS = lab_settings("4.4.0")


async def test_methods_by_version() -> None:
    old = Authentication.codecs(WireContext("3.10.2"))
    new = Authentication.codecs(WireContext("4.0.0"))
    assert {number: codec.name for number, codec in old.items()} == {
        1: "login",
        2: "login_ex",
        3: "request_ticket",
        4: "get_pid",
        5: "get_name",
        6: "login_with_context",
    }
    assert {number: codec.name for number, codec in new.items()} == {
        1: "validate_and_request_ticket",
        2: "validate_and_request_ticket_with_custom_data",
        3: "request_ticket",
        4: "get_pid",
        5: "get_name",
        6: "validate_and_request_ticket_with_param",
    }


async def test_a_name_alone_needs_the_password() -> None:
    async with lab(SETTINGS) as made, made.auth.client() as session:
        stub = Authentication.client(session)
        reply = await stub.validate_and_request_ticket("1000")
        made.opened(reply.ticket, 1000, PLAYERS[1000])
        second = await stub.request_ticket(1000, 2)
        made.opened(second.ticket, 1000, PLAYERS[1000])
    assert second.key == ""


async def test_a_verified_token_gives_a_fresh_key() -> None:
    async with lab(SETTINGS, auth=VERIFYING) as made, made.auth.client() as session:
        stub = Authentication.client(session)
        reply = await stub.validate_and_request_ticket_with_custom_data("1000", info())
        key = bytes.fromhex(reply.source_key)
        made.opened_with(reply.ticket, key)
        with pytest.raises(KerberosError):
            made.opened(reply.ticket, 1000, PLAYERS[1000])
        second = await stub.request_ticket(1000, 2)
        made.opened_with(second.ticket, key)
        assert bytes.fromhex(second.key) == key
        again = await stub.validate_and_request_ticket_with_custom_data("1000", info())
    assert len(key) == 16
    assert again.source_key != reply.source_key


async def test_an_unverified_token_never_does() -> None:
    async with lab(SETTINGS) as made, made.auth.client() as session:
        stub = Authentication.client(session)
        reply = await stub.validate_and_request_ticket_with_custom_data("1000", info())
        with_param = await stub.validate_and_request_ticket_with_param(param(data=info()))
        for each in (reply, with_param):
            assert each.source_key == ""
            made.opened(each.ticket, 1000, PLAYERS[1000])


async def test_with_param() -> None:
    async with (
        lab(SETTINGS, auth={**VERIFYING, "build_string": "build"}) as made,
        made.auth.client() as session,
    ):
        stub = Authentication.client(session)
        reply = await stub.validate_and_request_ticket_with_param(param(data=info()))
        made.opened_with(reply.ticket, bytes.fromhex(reply.source_key))
    assert reply.pid == 1000
    assert reply.server_url == station(1224)
    assert reply.server_time == DateTime.from_timestamp(NOW)
    assert reply.server_name == "build"
    assert reply.platform_pid == 0


async def test_with_param_and_no_data_is_a_login_without_a_token() -> None:
    async with lab(SETTINGS, auth=VERIFYING) as made, made.auth.client() as session:
        stub = Authentication.client(session)
        reply = await stub.validate_and_request_ticket_with_param(param())
        assert reply.source_key == ""
        made.opened(reply.ticket, 1000, PLAYERS[1000])
    required = {**VERIFYING, "require_token": True}
    async with lab(SETTINGS, auth=required) as made, made.auth.client() as session:
        with pytest.raises(RMCError, match="ValidationFailed"):
            await Authentication.client(session).validate_and_request_ticket_with_param(param())


@pytest.mark.parametrize(
    ("name", "data", "error"),
    [
        ("nobody", info(), "RendezVous::InvalidUsername"),
        ("1000", info(expire=NOW), "Authentication::TokenExpired"),
        ("1001", info(), "Authentication::PrincipalIdUnmatched"),
    ],
)
async def test_errors_with_param_are_raised(name: str, data: Any, error: str) -> None:
    async with lab(SETTINGS, auth=VERIFYING) as made, made.auth.client() as session:
        stub = Authentication.client(session)
        with pytest.raises(RMCError, match=error):
            await stub.validate_and_request_ticket_with_param(param(name, data))
        reply = await stub.validate_and_request_ticket_with_custom_data(name, data)
    assert (reply.result.name, reply.source_key, reply.pid) == (error, "", 0)


async def test_crossplay() -> None:
    game = Game(SETTINGS)
    await game.add_accounts(PLAYERS)
    server = CrossplayAuthenticationServer(
        SETTINGS, identities=game.identities, secure_station=station(1)
    )
    pipe = PipeServer([server], context_of(SETTINGS, holders=default_holders()))
    async with pipe.client() as session:
        stub = CrossplayAuthentication.client(session)
        reply = await stub.validate_and_request_ticket_with_param(param(platform_pid_type=2))
        assert reply.platform_pid == reply.pid == 1000
        ticket = await stub.request_ticket_for_platform(2, 1000, 2)
        assert ticket.ticket
        other = await stub.request_ticket_for_platform(2, 1001, 2)
        assert other.result.name == "Core::AccessDenied"
    pipe.close()
