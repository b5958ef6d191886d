"""Changing and asking for station URLs, and reports."""

from __future__ import annotations

from typing import Any

import pytest

from nekonex.kerberos import LegacyTokenVerifier
from nekonex.nex import ConnectedPlayer, SecureConnection, SecureLimits, check_token_rules
from nekonex.nex.structures import ConnectionData
from nekonex.rmc import Session, Stub
from nekonex.values import RMCError, ServiceUnavailable, StationURL
from tests.support.nexlab import Lab, lab

LOCAL = StationURL("prudp", address="192.168.0.10", port=50000)
OTHER = StationURL("prudp", address="10.0.0.1", port=1)
PUBLIC = StationURL("prudp", address="198.51.100.4", port=40000, natm=1, natf=1, type=3)


def stub_of(session: Session) -> Stub:
    return SecureConnection.client(session)


def addresses(made: Lab, pid: int = 1000) -> list[tuple[str, int]]:
    player = made.secure_server.newest_player(pid)
    assert player is not None
    assert all(
        (url["PID"], url["RVCID"]) == (pid, player.connection_id) for url in player.stations.urls
    )
    return [url.address for url in player.stations.urls]


OBSERVED = ("192.0.2.1", 50001)


class TestChanges:
    async def test_update(self) -> None:
        async with lab() as made, made.secure.client(pid=1000) as session:
            stub = stub_of(session)
            await stub.register([LOCAL])
            await stub.update_urls([OTHER, PUBLIC])
            assert addresses(made) == [("10.0.0.1", 1), OBSERVED]

    @pytest.mark.parametrize("urls", [[], [PUBLIC], [OTHER] * 9])
    async def test_update_with_a_list_that_makes_no_sense(self, urls: list[StationURL]) -> None:
        async with lab() as made, made.secure.client(pid=1000) as session:
            stub = stub_of(session)
            await stub.register([LOCAL])
            with pytest.raises(RMCError, match="Core::InvalidArgument"):
                await stub.update_urls(urls)
            assert addresses(made) == [LOCAL.address, OBSERVED]

    async def test_replace(self) -> None:
        async with lab() as made, made.secure.client(pid=1000) as session:
            stub = stub_of(session)
            await stub.register([LOCAL])
            await stub.replace_url(StationURL("udp", port=50000, address="192.168.0.10"), OTHER)
            assert addresses(made) == [OTHER.address, OBSERVED]
            await stub.replace_url(LOCAL, PUBLIC)
            assert addresses(made) == [OTHER.address, OBSERVED]

    async def test_replace_with_what_grows_too_long(self) -> None:
        long = OTHER.copy()
        long["Foo"] = "x" * 985
        async with lab() as made, made.secure.client(pid=1000) as session:
            stub = stub_of(session)
            await stub.register([LOCAL])
            with pytest.raises(RMCError, match="Core::InvalidArgument"):
                await stub.replace_url(LOCAL, long)
            assert addresses(made) == [LOCAL.address, OBSERVED]

    async def test_who_did_not_register_changes_nothing(self) -> None:
        async with lab() as made, made.secure.client(pid=1000) as session:
            stub = stub_of(session)
            await stub.update_urls([])
            await stub.replace_url(LOCAL, OTHER)
            assert made.game.players.count == 0

    async def test_the_limit_is_a_setting(self) -> None:
        async with (
            lab(secure={"limits": SecureLimits(max_urls=1)}) as made,
            made.secure.client(pid=1000) as session,
        ):
            with pytest.raises(RMCError, match="Core::InvalidArgument"):
                await stub_of(session).register([LOCAL, OTHER])


class TestRequests:
    async def test_denied_by_default(self) -> None:
        async with lab() as made, made.secure.client(pid=1000) as session:
            stub = stub_of(session)
            number = (await stub.register([LOCAL])).connection_id
            for cid, pid in ((number, 1000), (0, 1000), (0, 0), (99, 4711)):
                for request in (stub.request_urls, stub.request_connection_data):
                    with pytest.raises(RMCError, match="Core::AccessDenied"):
                        await request(cid, pid)

    @pytest.mark.parametrize("kind", ["plain", "coroutine"])
    async def test_a_hook_may_allow_it(self, kind: str) -> None:
        asked: list[tuple[int | None, int]] = []

        def plain(client: Session, target: ConnectedPlayer) -> bool:
            asked.append((client.pid, target.pid))
            return client.pid == 1000

        async def coroutine(client: Session, target: ConnectedPlayer) -> bool:
            return plain(client, target)

        hook = plain if kind == "plain" else coroutine
        async with (
            lab(secure={"may_request_urls": hook}) as made,
            made.secure.client(pid=1000) as one,
            made.secure.client(pid=1001) as two,
        ):
            await stub_of(one).register([LOCAL])
            number = (await stub_of(two).register([OTHER])).connection_id
            expected = [
                f"prudp:/address=10.0.0.1;port=1;PID=1001;RVCID={number}",
                f"prudp:/address=192.0.2.1;port=50001;natf=0;natm=0;type=3;PID=1001;RVCID={number}",
            ]
            for cid, pid in ((number, 0), (0, 1001), (99, 1001)):
                reply = await stub_of(one).request_urls(cid, pid)
                assert reply.result is True
                assert [str(url) for url in reply.urls] == expected
                data = await stub_of(one).request_connection_data(cid, pid)
                assert data.result is True
                assert data.connection_data == [ConnectionData(url, number) for url in reply.urls]
            with pytest.raises(RMCError, match="Core::AccessDenied"):
                await stub_of(two).request_urls(0, 1000)
            with pytest.raises(RMCError, match="Core::InvalidArgument"):
                await stub_of(one).request_urls(99, 4711)
        assert asked[0] == (1000, 1001)

    async def test_only_true_is_yes(self) -> None:
        async def forgetful(client: Session, target: ConnectedPlayer) -> Any:
            return None

        async with (
            lab(secure={"may_request_urls": forgetful}) as made,
            made.secure.client(pid=1000) as session,
        ):
            await stub_of(session).register([LOCAL])
            with pytest.raises(RMCError, match="Core::AccessDenied"):
                await stub_of(session).request_urls(0, 1000)


class TestReports:
    async def test_they_are_stored_registered_or_not(self) -> None:
        async with lab() as made, made.secure.client(pid=1000) as session:
            stub = stub_of(session)
            await stub.send_report(3, b"first")
            await stub.register([LOCAL])
            await stub.send_report(4, b"\0\1")
            reports = [report async for report in made.game.reports.reports()]
        assert [(each.pid, each.report_id, each.data, each.game) for each in reports] == [
            (1000, 3, b"first", "test"),
            (1000, 4, b"\0\1", "test"),
        ]

    @pytest.mark.parametrize("what", ["no store", "outage", "no ticket"])
    async def test_consoles_are_always_told_that_it_worked(self, what: str) -> None:
        class Broken:
            async def submit(
                self, pid: int, report_id: int, data: bytes, *, game: str = ""
            ) -> bool:
                raise ServiceUnavailable("no disk")

        options: dict[str, dict[str, Any]] = {
            "no store": {"reports": None},
            "outage": {"reports": Broken()},
            "no ticket": {},
        }
        pid = None if what == "no ticket" else 1000
        async with lab(secure=options[what]) as made, made.secure.client(pid=pid) as session:
            await stub_of(session).send_report(1, b"data")


class TestTokenRules:
    VERIFIER = LegacyTokenVerifier(bytes(32))

    @pytest.mark.parametrize(
        ("auth", "secure", "fine"),
        [
            ({}, {}, True),
            ({"token_verifier": VERIFIER}, {"token_verifier": VERIFIER}, True),
            (
                {"token_verifier": VERIFIER, "require_token": True},
                {"token_verifier": VERIFIER, "allow_register": True},
                True,
            ),
            (
                {"token_verifier": VERIFIER},
                {"token_verifier": VERIFIER, "allow_register": True},
                False,
            ),
            ({"token_verifier": VERIFIER}, {}, False),
            ({}, {"token_verifier": VERIFIER, "allow_register": True}, False),
        ],
    )
    async def test_somebody_must_ask_for_the_token(
        self, auth: dict[str, Any], secure: dict[str, Any], fine: bool
    ) -> None:
        async with lab(auth=auth, secure=secure) as made:
            if fine:
                check_token_rules(made.auth_server, made.secure_server)
            else:
                with pytest.raises(ValueError, match="without one"):
                    check_token_rules(made.auth_server, made.secure_server)
