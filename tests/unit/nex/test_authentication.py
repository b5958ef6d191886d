"""Logins: what consoles are told, and what tickets they get."""

from __future__ import annotations

from typing import Any

import pytest

from nekonex.domain import AuthenticationUser
from nekonex.domain.identity import KnownUser
from nekonex.nex import Authentication
from nekonex.nex.structures import NullData, RVConnectionData
from nekonex.rmc import Stub
from nekonex.values import DateTime, Result, RMCError, ServiceUnavailable, StationURL
from tests.support.login import GUEST, PLAYERS, SECURE_SERVER, station
from tests.support.nexlab import NOW, Lab, lab, lab_settings

ADMINISTRATOR = AuthenticationUser(101, "Administrator", "admin")


def stub_of(session: Any) -> Stub:
    return Authentication.client(session)


async def login(made: Lab, name: str = "1000", data: Any = None) -> Any:
    async with made.auth.client() as session:
        if data is None:
            return await stub_of(session).login(name)
        return await stub_of(session).login_ex(name, data)


def assert_refused(reply: Any, error: str) -> None:
    assert reply.result.name == error
    assert reply.pid == 0
    assert reply.ticket == b""
    assert reply.connection_data == RVConnectionData()
    assert reply.server_name == ""


class TestSuccess:
    async def test_the_whole_reply(self) -> None:
        async with lab(auth={"build_string": "build:3_5"}) as made:
            reply = await login(made)
        assert reply.result == Result.success()
        assert reply.pid == 1000
        assert reply.server_name == "build:3_5"
        assert reply.connection_data == RVConnectionData(
            main_station=station(1224), server_time=DateTime.from_timestamp(NOW)
        )
        assert str(reply.connection_data.main_station) == (
            "prudps:/address=127.0.0.1;port=1224;CID=1;PID=2;sid=1;stream=10;type=2"
        )

    @pytest.mark.parametrize(
        "changes",
        [
            {},
            {"kerberos__ticket_version": 0},
            {"kerberos__key_size": 16},
            {"nex__pid_size": 8},
        ],
        ids=str,
    )
    async def test_the_ticket(self, changes: dict[str, Any]) -> None:
        async with lab(lab_settings(**changes)) as made:
            reply = await login(made)
            ticket, inner = made.opened(reply.ticket, 1000, PLAYERS[1000])
        assert ticket.target == 2
        assert inner.source == 1000
        assert inner.session_key == ticket.session_key
        assert inner.issued == DateTime.from_timestamp(NOW)

    async def test_every_ticket_has_a_session_key_of_its_own(self) -> None:
        async with lab() as made, made.auth.client() as session:
            stub = stub_of(session)
            sealed = [(await stub.login("1000")).ticket for _ in range(3)]
            sealed += [(await stub.request_ticket(1000, 2)).ticket for _ in range(3)]
            keys = {made.opened(each, 1000, PLAYERS[1000])[0].session_key for each in sealed}
        assert len(keys) == 6

    async def test_extra_data_without_a_verifier_does_not_matter(self) -> None:
        async with lab() as made:
            reply = await login(made, data=NullData())
        assert reply.pid == 1000

    async def test_the_guest(self) -> None:
        async with lab() as made:
            reply = await login(made, "GUEST")
            _, inner = made.opened(reply.ticket, 100, GUEST.password)
        assert (reply.pid, inner.source) == (100, 100)

    async def test_an_account_with_a_name(self) -> None:
        async with lab() as made:
            account = await made.game.accounts.add("Mario", "secret", 3000)
            by_name = await login(made, "mARIO")
            by_pid = await login(made, "3000")
        assert by_name.pid == by_pid.pid == account.pid

    async def test_the_station_may_depend_on_the_client(self) -> None:
        def towards(client: Any) -> StationURL:
            return station(client.remote_address[1])

        async with (
            lab(auth={"secure_station": towards}) as made,
            made.auth.client(address=("192.0.2.8", 777)) as session,
        ):
            reply = await stub_of(session).login("1000")
        assert reply.connection_data.main_station["port"] == 777


class TestRefusals:
    """The rows of the table of errors, told in the result, as Nintendo's servers do."""

    @pytest.mark.parametrize(
        "name",
        ["4711", "nobody", "", "01000", "-1000", " 1000", "99999999999999999999", "x" * 969, "é"],
    )
    async def test_unknown_names(self, name: str) -> None:
        async with lab() as made:
            assert_refused(await login(made, name), "RendezVous::InvalidUsername")

    @pytest.mark.parametrize("length", [970, 30_000])
    async def test_names_that_are_too_long_are_not_looked_up(self, length: int) -> None:
        asked: list[str] = []

        class Source:
            async def by_pid(self, pid: int) -> KnownUser | None:
                return None

            async def by_name(self, name: str) -> KnownUser | None:
                asked.append(name)
                return None

        async with lab(change=lambda game: game.use_sources(Source())) as made:
            assert_refused(await login(made, "x" * length), "RendezVous::InvalidUsername")
            assert asked == []
            await login(made, "short")
        assert asked == ["short"]

    @pytest.mark.parametrize("name", ["2", "Quazal Rendez-Vous", "101", "administrator", "1"])
    async def test_special_users_but_the_guest_never_log_in(self, name: str) -> None:
        async with lab(special=(SECURE_SERVER, GUEST, ADMINISTRATOR)) as made:
            assert_refused(await login(made, name), "RendezVous::InvalidUsername")

    async def test_no_guest_where_there_is_none(self) -> None:
        async with lab(special=(SECURE_SERVER,)) as made:
            for name in ("guest", "100"):
                assert_refused(await login(made, name), "RendezVous::InvalidUsername")

    @pytest.mark.parametrize("extra", [None, NullData()], ids=["Login", "LoginEx"])
    async def test_the_access_rules(self, extra: NullData | None) -> None:
        async with lab() as made:
            access = made.game.access
            await access.ban(1000)
            assert_refused(await login(made, data=extra), "RendezVous::AccountDisabled")
            assert (await login(made, "1001", extra)).pid == 1001
            await access.start_maintenance("test")
            assert_refused(await login(made, "1001", extra), "Authentication::UnderMaintenance")
            await access.end_maintenance("test")
            await access.enable_whitelist("test")
            assert_refused(await login(made, "1001", extra), "RendezVous::PermissionDenied")
            await access.whitelist(1001, scope="test")
            assert (await login(made, "1001", extra)).pid == 1001

    async def test_maintenance_by_the_clock(self) -> None:
        async with lab() as made:
            await made.game.access.start_maintenance(start=NOW + 10, end=NOW + 20)
            for seconds, error in ((9, None), (10, "Under"), (19, "Under"), (20, None)):
                made.clock.now = NOW + seconds
                reply = await login(made)
                assert reply.result.is_error == (error is not None), seconds

    async def test_rules_of_other_games_do_not_matter(self) -> None:
        async with lab() as made:
            await made.game.access.start_maintenance("another")
            assert (await login(made)).pid == 1000

    async def test_an_outage_is_not_an_unknown_name(self) -> None:
        class Broken:
            async def by_pid(self, pid: int) -> KnownUser | None:
                raise ServiceUnavailable("no database")

            async def by_name(self, name: str) -> KnownUser | None:
                raise ServiceUnavailable("no database")

        async with lab(change=lambda game: game.use_sources(Broken())) as made:
            for name in ("1000", "Mario"):
                assert_refused(await login(made, name), "Core::SystemError")

    async def test_a_refusal_forgets_the_login_before(self) -> None:
        async with lab() as made, made.auth.client() as session:
            stub = stub_of(session)
            await stub.login("1000")
            await stub.login("nobody")
            reply = await stub.request_ticket(1000, 2)
        assert reply.result.name == "Core::AccessDenied"


class TestAuthCallback:
    async def test_it_is_asked_at_every_attempt_of_a_known_user(self) -> None:
        asked: list[AuthenticationUser] = []

        async def callback(user: AuthenticationUser) -> None:
            asked.append(user)

        async with lab(auth={"auth_callback": callback}) as made:
            await made.game.access.ban(1001)
            for name in ("1000", "guest", "nobody", "2", "1001", "1000"):
                await login(made, name)
        assert [user.pid for user in asked] == [1000, 100, 1001, 1000]
        assert asked[1] == GUEST

    async def test_a_plain_function_and_its_result(self) -> None:
        def callback(user: AuthenticationUser) -> Result:
            if user.pid == 1000:
                return Result.error("Authentication::UnderMaintenance")
            return Result.success()

        async with lab(auth={"auth_callback": callback}) as made:
            assert_refused(await login(made), "Authentication::UnderMaintenance")
            assert (await login(made, "1001")).pid == 1001

    async def test_a_raised_error_is_the_result(self) -> None:
        async def callback(user: AuthenticationUser) -> None:
            raise RMCError("RendezVous::PermissionDenied")

        async with lab(auth={"auth_callback": callback}) as made:
            assert_refused(await login(made), "RendezVous::PermissionDenied")

    @pytest.mark.parametrize("broken", ["raises", "returns"])
    async def test_a_fault_of_its_own_refuses(
        self, broken: str, caplog: pytest.LogCaptureFixture
    ) -> None:
        async def callback(user: AuthenticationUser) -> object:
            if broken == "raises":
                raise KeyError("a fault")
            return "yes"

        async with lab(auth={"auth_callback": callback}) as made:
            assert_refused(await login(made), "Core::Exception")
        assert "auth_callback failed for PID 1000" in caplog.text

    async def test_the_rules_come_before_its_answer(self) -> None:
        async def callback(user: AuthenticationUser) -> Result:
            return Result.error("Core::Unknown")

        async with lab(auth={"auth_callback": callback}) as made:
            await made.game.access.ban(1000)
            assert_refused(await login(made), "RendezVous::AccountDisabled")
