"""Ticket requests, look-ups, limits, arguments and the log of the authentication server."""

from __future__ import annotations

import logging
from typing import Any

import pytest

from nekonex.domain import AuthenticationUser
from nekonex.domain.identity import KnownUser
from nekonex.events import LoginFailed
from nekonex.nex import Authentication, AuthenticationServer, LoginLimits, SecureConnection
from nekonex.rmc import Stub
from nekonex.values import Result, RMCError, ServiceUnavailable, StationURL
from nekonex.wire import WireContext
from tests.support.login import GUEST, PLAYERS, SECURE_SERVER, Game, station
from tests.support.nexlab import lab, lab_settings
from tests.support.pipe import PipeServer

ADMINISTRATOR = AuthenticationUser(101, "Administrator", "admin")


def stub_of(session: Any) -> Stub:
    return Authentication.client(session)


class TestRequestTicket:
    async def test_for_the_one_who_logged_in(self) -> None:
        async with lab() as made, made.auth.client() as session:
            stub = stub_of(session)
            await stub.login("1000")
            reply = await stub.request_ticket(1000, 2)
            ticket, inner = made.opened(reply.ticket, 1000, PLAYERS[1000])
        assert reply.result == Result.success()
        assert (ticket.target, inner.source) == (2, 1000)

    async def test_for_any_special_user(self) -> None:
        async with (
            lab(special=(SECURE_SERVER, GUEST, ADMINISTRATOR)) as made,
            made.auth.client() as session,
        ):
            stub = stub_of(session)
            await stub.login("1000")
            reply = await stub.request_ticket(1000, 101)
            ticket, inner = made.opened(reply.ticket, 1000, PLAYERS[1000])
        assert (ticket.target, inner.source) == (101, 1000)

    @pytest.mark.parametrize(
        ("logged_in", "source", "target"),
        [
            (None, 1000, 2),
            ("1000", 1001, 2),
            ("1000", 4711, 2),
            ("1000", 2, 2),
            ("1000", 1000, 1001),
            ("1000", 1000, 1000),
            ("1000", 1000, 4711),
            ("1000", 1000, 101),
            ("1000", 1000, 0),
        ],
    )
    async def test_nothing_else(self, logged_in: str | None, source: int, target: int) -> None:
        async with lab() as made, made.auth.client() as session:
            stub = stub_of(session)
            if logged_in is not None:
                await stub.login(logged_in)
            reply = await stub.request_ticket(source, target)
        assert reply.result.name == "Core::AccessDenied"
        assert reply.ticket == b""

    async def test_a_login_is_not_good_for_ever(self) -> None:
        async with lab() as made, made.auth.client() as session:
            stub = stub_of(session)
            await stub.login("1000")
            await made.game.access.ban(1000)
            made.clock.now += 120
            assert (await stub.request_ticket(1000, 2)).ticket
            made.clock.now += 1
            reply = await stub.request_ticket(1000, 2)
            assert reply.result.name == "RendezVous::AccountDisabled"
            await made.game.access.unban(1000)
            assert (await stub.request_ticket(1000, 2)).ticket


class TestNames:
    async def test_both_ways(self) -> None:
        async with lab() as made, made.auth.client() as session:
            await made.game.accounts.add("Mario", "secret", 3000)
            stub = stub_of(session)
            assert await stub.get_pid("mario") == 3000
            assert await stub.get_pid("1000") == 1000
            assert await stub.get_pid("Quazal Rendez-Vous") == 2
            assert await stub.get_name(3000) == "Mario"
            assert await stub.get_name(1000) == "1000"
            assert await stub.get_name(100) == "guest"

    async def test_unknown_ones_are_no_error(self) -> None:
        async with lab() as made, made.auth.client() as session:
            stub = stub_of(session)
            for name in ("nobody", "", "4711", "x" * 30_000):
                assert await stub.get_pid(name) == 0
            for pid in (0, 4711, 0xFFFFFFFF):
                assert await stub.get_name(pid) == ""

    async def test_an_outage_is_an_error(self) -> None:
        class Broken:
            async def by_pid(self, pid: int) -> KnownUser | None:
                raise ServiceUnavailable("no database")

            async def by_name(self, name: str) -> KnownUser | None:
                raise ServiceUnavailable("no database")

        def change(game: Game) -> None:
            game.use_sources(Broken())

        async with lab(change=change) as made, made.auth.client() as session:
            with pytest.raises(RMCError, match="Core::SystemError"):
                await stub_of(session).get_name(1000)


class TestRate:
    LIMITS = LoginLimits(requests_per_second=3)

    async def test_logins_tickets_and_look_ups_count(self) -> None:
        async with lab(auth={"limits": self.LIMITS}) as made, made.auth.client() as session:
            stub = stub_of(session)
            assert (await stub.login("1000")).pid == 1000
            assert await stub.get_pid("1000") == 1000
            assert (await stub.request_ticket(1000, 2)).ticket
            reply = await stub.request_ticket(1000, 2)
            assert (reply.result.name, reply.ticket) == ("RendezVous::LimitExceeded", b"")
            assert (await stub.login("1000")).result.name == "RendezVous::LimitExceeded"
            with pytest.raises(RMCError, match="LimitExceeded"):
                await stub.get_name(1000)
            made.clock.now += 0.5
            assert (await stub.login("1000")).pid == 1000

    async def test_addresses_count_apart_and_loopback_not_at_all(self) -> None:
        async with lab(auth={"limits": self.LIMITS}) as made:
            for address in ("192.0.2.1", "192.0.2.2"):
                async with made.auth.client(address=(address, 1)) as session:
                    results = [(await stub_of(session).login("1000")).pid for _ in range(4)]
                assert results == [1000, 1000, 1000, 0]
            async with made.auth.client(address=("127.0.0.1", 1)) as session:
                results = [(await stub_of(session).login("1000")).pid for _ in range(9)]
            assert results == [1000] * 9

    def test_limits_are_checked(self) -> None:
        with pytest.raises(ValueError, match="at least 1"):
            LoginLimits(requests_per_second=0)


class TestArguments:
    @pytest.mark.parametrize(
        "url",
        [
            StationURL(),
            StationURL("prudps", address="192.0.2.1", port=1),
            StationURL("prudps", address="192.0.2.1", PID=2),
            StationURL("prudps", port=1, PID=2),
        ],
    )
    def test_a_station_without_address(self, url: StationURL) -> None:
        with pytest.raises(ValueError, match="station URL"):
            Game(lab_settings()).authentication_server(secure_station=url)

    def test_a_required_token_needs_a_verifier(self) -> None:
        with pytest.raises(ValueError, match="token_verifier"):
            Game(lab_settings()).authentication_server(require_token=True)

    async def test_a_secure_server_that_is_no_special_user(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        async with (
            lab(auth={"secure_station": station(1, pid=1000)}) as made,
            made.auth.client() as session,
        ):
            with pytest.raises(RMCError, match="Core::Exception"):
                await stub_of(session).login("1000")
        assert "1000 is no special user" in caplog.text

    async def test_the_log_tells_once_that_tokens_are_not_verified(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO)
        async with (
            lab() as made,
            made.auth.client(minor_version=4),
            made.auth.client(minor_version=0),
        ):
            pass
        lines = [line for line in caplog.messages if "tokens are not verified" in line]
        assert len(lines) == 1


class TestLog:
    async def test_one_line_a_failure_without_secrets(
        self, caplog: pytest.LogCaptureFixture
    ) -> None:
        caplog.set_level(logging.INFO, "nekonex.login")
        async with lab() as made:
            await made.game.access.ban(1000)
            async with made.auth.client() as session:
                number = made.auth.session_of(session).id
                await stub_of(session).login("1000")
                await stub_of(session).login("x" * 500)
        first, second = caplog.records
        assert (
            vars(first).items()
            >= {
                "pid": 1000,
                "address": "192.0.2.1:50001",
                "connection_id": number,
                "error": "RendezVous::AccountDisabled",
                "game": "test",
            }.items()
        )
        assert vars(second)["user"] == "x" * 64
        failed = [event for event in made.game.events if isinstance(event, LoginFailed)]
        assert failed[0] == LoginFailed(
            "test", "1000", ("192.0.2.1", 50001), "RendezVous::AccountDisabled"
        )
        assert len(failed) == 2


async def test_a_stored_account_needs_no_derivation() -> None:
    async with lab() as made, made.auth.client() as session:
        stub = stub_of(session)
        await stub.login("1000")
        before = made.game.deriver.calls
        for _ in range(3):
            assert (await stub.login("1000")).ticket
            assert (await stub.request_ticket(1000, 2)).ticket
        assert made.game.deriver.calls == before


async def test_a_bare_definition_implements_nothing() -> None:
    server = PipeServer([Authentication(), SecureConnection()], WireContext("3.5.4"))
    async with server.client(pid=1000) as session:
        with pytest.raises(RMCError, match="Core::NotImplemented"):
            await stub_of(session).login("1000")
        with pytest.raises(RMCError, match="Core::NotImplemented"):
            await SecureConnection.client(session).test_connectivity()
    server.close()
    assert server.dispatcher.stats.handler_errors == 0


async def test_methods_may_be_overridden() -> None:
    class Renamed(AuthenticationServer):
        async def get_name(self, client: Any, pid: int) -> str:
            return f"player {pid}"

    game = Game(lab_settings())
    renamed = Renamed(game.settings, identities=game.identities, secure_station=station(1))
    server = PipeServer([renamed], WireContext("3.5.4"))
    async with server.client() as session:
        assert await stub_of(session).get_name(7) == "player 7"
    server.close()
