"""Tokens in login data, for logins and registrations."""

from __future__ import annotations

from typing import Any

import pytest

from nekonex.kerberos import (
    LegacyTokenVerifier,
    TokenError,
    TokenInfo,
    TokenText,
    encode_legacy_token,
)
from nekonex.nex import Authentication, CallbackTokenVerifier, SecureConnection
from nekonex.nex.structures import (
    AccountExtraInfo,
    AuthenticationInfo,
    NintendoLoginData,
    NullData,
)
from nekonex.rmc.contexts import context_of
from nekonex.values import RMCError, ServiceUnavailable, StationURL
from nekonex.wire import HolderRegistry, UnknownData
from tests.support.login import PLAYERS
from tests.support.nexlab import NOW, Lab, lab, lab_settings
from tests.support.pipe import PipeServer

AES_KEY = bytes(range(32))
TITLE = 0x0005000010101D00

VERIFIER = LegacyTokenVerifier(AES_KEY, title_ids=[TITLE])
LOCAL = StationURL("prudp", address="192.168.0.10", port=50000)


def token(
    pid: int = 1000, *, text: TokenText = TokenText.CONSOLE, key: bytes = AES_KEY, **changes: Any
) -> str:
    values = {
        "system_type": 1,
        "token_type": 3,
        "expire": NOW + 60,
        "title_id": TITLE,
        "access_level": 0,
        **changes,
    }
    return encode_legacy_token(TokenInfo(pid=pid, **values), key, text)


GOOD = [
    AuthenticationInfo(token()),
    AccountExtraInfo(1, 2, token()),
    NintendoLoginData(token(text=TokenText.BASE64)),
    NintendoLoginData(token(text=TokenText.HEX)),
]
GOOD_IDS = ["AuthenticationInfo", "AccountExtraInfo", "NintendoLoginData", "hexadecimal"]

BAD = {
    "expired": (AuthenticationInfo(token(expire=NOW)), "Authentication::TokenExpired"),
    "another player's": (
        AuthenticationInfo(token(1001)),
        "Authentication::PrincipalIdUnmatched",
    ),
    "banned": (AuthenticationInfo(token(access_level=-1)), "RendezVous::AccountDisabled"),
    "title": (AuthenticationInfo(token(title_id=1)), "Authentication::ValidationFailed"),
    "type": (AuthenticationInfo(token(token_type=1)), "Authentication::ValidationFailed"),
    "key": (AuthenticationInfo(token(key=bytes(32))), "Authentication::ValidationFailed"),
    "malformed": (NintendoLoginData("%%%"), "Authentication::ValidationFailed"),
    "empty": (AuthenticationInfo(""), "Authentication::ValidationFailed"),
    "long": (AuthenticationInfo("A" * 919), "Authentication::ValidationFailed"),
    "none": (NullData(), "Authentication::ValidationFailed"),
    "other holder": (
        UnknownData("Whatever", b"\0" * 9),
        "Authentication::ValidationFailed",
    ),
}


async def login_ex(made: Lab, data: Any, name: str = "1000") -> Any:
    async with made.auth.client() as session:
        return await Authentication.client(session).login_ex(name, data)


class TestLogin:
    @pytest.mark.parametrize("version", ["3.4.0", "3.5.4"])
    @pytest.mark.parametrize("data", GOOD, ids=GOOD_IDS)
    async def test_good_tokens(self, data: Any, version: str) -> None:
        auth = {"token_verifier": VERIFIER, "require_token": True}
        async with lab(lab_settings(version), auth=auth) as made:
            reply = await login_ex(made, data)
            made.opened(reply.ticket, 1000, PLAYERS[1000])
        assert reply.pid == 1000

    @pytest.mark.parametrize("case", BAD)
    @pytest.mark.parametrize("require", [True, False])
    async def test_bad_tokens(self, case: str, require: bool) -> None:
        data, error = BAD[case]
        async with lab(auth={"token_verifier": VERIFIER, "require_token": require}) as made:
            reply = await login_ex(made, data)
        assert (reply.result.name, reply.pid, reply.ticket) == (error, 0, b"")

    @pytest.mark.parametrize("require", [True, False])
    async def test_login_without_one(self, require: bool) -> None:
        async with (
            lab(auth={"token_verifier": VERIFIER, "require_token": require}) as made,
            made.auth.client() as session,
        ):
            reply = await Authentication.client(session).login("1000")
        if require:
            assert reply.result.name == "Authentication::ValidationFailed"
        else:
            assert reply.pid == 1000

    @pytest.mark.parametrize("case", BAD)
    async def test_without_a_verifier_all_are_accepted(self, case: str) -> None:
        async with lab() as made:
            assert (await login_ex(made, BAD[case][0])).pid == 1000

    async def test_who_it_is_comes_before_the_token(self) -> None:
        async with lab(auth={"token_verifier": VERIFIER}) as made:
            reply = await login_ex(made, BAD["expired"][0], "nobody")
        assert reply.result.name == "RendezVous::InvalidUsername"

    async def test_a_server_knows_login_data_by_itself(self) -> None:
        async with lab(auth={"token_verifier": VERIFIER}) as made:
            bare = context_of(made.settings, holders=HolderRegistry())
            server = PipeServer([made.auth_server], bare)
            async with server.client() as session:
                reply = await Authentication.client(session).login_ex("1000", GOOD[0])
            server.close()
        assert reply.pid == 1000


class TestContext:
    """LoginWithContext: the token says who it is."""

    async def login(self, made: Lab, data: Any) -> Any:
        async with made.auth.client() as session:
            return await Authentication.client(session).login_with_context(data)

    async def test_the_token_names_the_player(self) -> None:
        async with lab(auth={"token_verifier": VERIFIER}) as made:
            reply = await self.login(made, AuthenticationInfo(token(1001)))
            made.opened(reply.ticket, 1001, PLAYERS[1001])
        assert reply.pid == 1001
        assert reply.connection_data.main_station["PID"] == 2

    @pytest.mark.parametrize(
        ("data", "error"),
        [
            (AuthenticationInfo(token(4711)), "RendezVous::InvalidUsername"),
            BAD["expired"],
            BAD["banned"],
            BAD["none"],
        ],
        ids=["unknown", "expired", "banned", "none"],
    )
    async def test_refusals(self, data: Any, error: str) -> None:
        async with lab(auth={"token_verifier": VERIFIER}) as made:
            reply = await self.login(made, data)
        assert (reply.result.name, reply.pid, reply.ticket) == (error, 0, b"")

    @pytest.mark.parametrize("verifier", [None, CallbackTokenVerifier(lambda token, pid: True)])
    async def test_where_nobody_can_tell_whose_it_is(self, verifier: Any) -> None:
        async with lab(auth={"token_verifier": verifier}) as made:
            reply = await self.login(made, GOOD[0])
        assert reply.result.name == "Authentication::ValidationFailed"


class TestCallback:
    async def test_it_decides(self) -> None:
        asked: list[tuple[str, int]] = []

        async def check(token: str, pid: int) -> bool:
            asked.append((token, pid))
            return token == "good"

        verifier = CallbackTokenVerifier(check)
        async with lab(auth={"token_verifier": verifier, "require_token": True}) as made:
            assert (await login_ex(made, AuthenticationInfo("good"))).pid == 1000
            reply = await login_ex(made, NintendoLoginData("bad"))
        assert reply.result.name == "Authentication::ValidationFailed"
        assert asked == [("good", 1000), ("bad", 1000)]

    async def test_a_plain_function_may_say_what_is_wrong(self) -> None:
        def check(token: str, pid: int) -> bool:
            raise TokenError("Authentication::TokenExpired", "too old")

        async with lab(auth={"token_verifier": CallbackTokenVerifier(check)}) as made:
            reply = await login_ex(made, AuthenticationInfo("old"))
        assert reply.result.name == "Authentication::TokenExpired"

    @pytest.mark.parametrize(
        ("raised", "error"),
        [
            (RMCError("Authentication::ServerVersionIsOld"), "Authentication::ServerVersionIsOld"),
            (ConnectionError("no account server"), "Core::SystemError"),
            (ServiceUnavailable("no account server"), "Core::SystemError"),
        ],
    )
    async def test_what_it_raises(self, raised: Exception, error: str) -> None:
        async def check(token: str, pid: int) -> bool:
            raise raised

        async with lab(auth={"token_verifier": CallbackTokenVerifier(check)}) as made:
            reply = await login_ex(made, AuthenticationInfo("x"))
        assert (reply.result.name, reply.pid) == (error, 0)

    async def test_forgetting_to_answer_is_no_yes(self) -> None:
        def check(token: str, pid: int) -> Any:
            return None

        async with lab(auth={"token_verifier": CallbackTokenVerifier(check)}) as made:
            reply = await login_ex(made, AuthenticationInfo("x"))
        assert reply.result.name == "Authentication::ValidationFailed"


class TestRegister:
    async def register(self, made: Lab, data: Any = None) -> Any:
        async with made.secure.client(pid=1000) as session:
            stub = SecureConnection.client(session)
            if data is None:
                return await stub.register([LOCAL])
            return await stub.register_ex([LOCAL], data)

    @pytest.mark.parametrize("data", GOOD, ids=GOOD_IDS)
    async def test_good_tokens(self, data: Any) -> None:
        async with lab(secure={"token_verifier": VERIFIER}) as made:
            reply = await self.register(made, data)
        assert reply.result.is_success
        assert reply.connection_id

    @pytest.mark.parametrize("case", BAD)
    async def test_bad_tokens(self, case: str) -> None:
        data, error = BAD[case]
        async with lab(secure={"token_verifier": VERIFIER, "allow_register": True}) as made:
            reply = await self.register(made, data)
            assert made.game.players.count == 0
        assert (reply.result.name, reply.connection_id) == (error, 0)
        assert reply.public_station == StationURL()

    @pytest.mark.parametrize(
        ("options", "accepted"),
        [
            ({}, True),
            ({"allow_register": False}, False),
            ({"token_verifier": VERIFIER}, False),
            ({"token_verifier": VERIFIER, "allow_register": True}, True),
        ],
        ids=["no verifier", "refused", "verifier", "verifier, accepted"],
    )
    async def test_register_without_one(self, options: dict[str, Any], accepted: bool) -> None:
        async with lab(secure=options) as made:
            reply = await self.register(made)
        assert reply.result.is_success is accepted
        if not accepted:
            assert reply.result.name == "Authentication::ValidationFailed"

    async def test_register_ex_without_a_verifier_is_register(self) -> None:
        async with lab() as made:
            assert (await self.register(made, BAD["malformed"][0])).result.is_success
