"""What consoles report: about their routers, and about whom they reached."""

from __future__ import annotations

import struct
from typing import Any

import pytest

from nekonex.nex import ConnectedPlayer, SecureConnection, SecureConnectionServer
from nekonex.nex.nat_traversal import NATLimits, NATTraversalServer, RelaySignatureKey
from nekonex.rmc import Session
from nekonex.values import DateTime, RMCError, ServiceUnavailable, StationURL
from tests.support.login import game_settings
from tests.support.natlab import Console, Friends, NATLab, nat_lab, target
from tests.support.nexlab import NOW, lab, lab_settings

VERSIONS = ["2.4.1", "3.5.4"]


def ignored(nat: NATLab) -> dict[str, int]:
    return {str(reason): count for reason, count in nat.stats.ignored.items() if count}


def counts(nat: NATLab) -> tuple[int, int]:
    return nat.stats.successes, nat.stats.failures


async def report(console: Console, cid: int, result: bool) -> None:
    await console.nat.report_nat_traversal_result(cid, result)


class TestProperties:
    @pytest.mark.parametrize("version", VERSIONS)
    async def test_they_are_in_the_public_url(self, version: str) -> None:
        async with (
            nat_lab(
                lab_settings(version), secure={"may_request_urls": lambda client, target: True}
            ) as nat,
            nat.console(1000) as one,
            nat.console(1001) as two,
        ):
            await one.nat.report_nat_properties(1, 2, 30)
            reply = await SecureConnection.client(two.session).request_urls(one.cid, 0)
            stamps = f"PID=1000;RVCID={one.cid}"
            assert [str(url) for url in reply.urls] == [
                f"prudp:/address=192.168.0.10;port=50000;{stamps}",
                f"prudp:/address=192.0.2.1;port=50001;natf=2;natm=1;type=3;{stamps}",
            ]
            await one.nat.report_nat_properties(0, 0, 2**32 - 1)
            assert (nat.public_url(one.cid)["natm"], nat.public_url(one.cid)["natf"]) == (0, 0)
        assert (nat.stats.properties, nat.stats.bad_properties) == (2, 0)

    @pytest.mark.parametrize("values", [(7, 1), (1, 3), (2**32 - 1, 0), (3, 3)])
    async def test_values_that_mean_nothing(self, values: tuple[int, int]) -> None:
        async with nat_lab() as nat, nat.console(1000) as one:
            await one.nat.report_nat_properties(2, 1, 0)
            await one.nat.report_nat_properties(*values, 0)
            url = nat.public_url(one.cid)
            assert (url["natm"], url["natf"]) == (2, 1)
        assert nat.stats.bad_properties == 1

    async def test_who_is_not_registered(self) -> None:
        async with nat_lab() as nat, nat.console(1000, urls=[]) as one:
            await one.nat.report_nat_properties(1, 1, 0)
        assert (nat.stats.properties, nat.stats.bad_properties) == (0, 1)

    async def test_a_url_without_room_for_them(self) -> None:
        local = StationURL("prudp", address="192.168.0.10", port=50000)
        public = StationURL("prudp", address="192.0.2.1", port=5, natm=1, type=3)
        public["Foo"] = "x" * 930
        async with nat_lab() as nat, nat.console(1000, urls=[local, public]) as one:
            player = nat.secure.player(one.cid)
            assert player is not None
            # What is left now is too little for ";natf=1".
            player.stations.public["Bar"] = "x" * (1024 - len(str(player.stations.public)) - 10)
            before = str(player.stations.public)
            await one.nat.report_nat_properties(2, 1, 0)
            assert str(player.stations.public) == before
        assert nat.stats.bad_properties == 1

    async def test_the_change_is_told(self) -> None:
        class Noting(SecureConnectionServer):
            async def on_change(self, player: ConnectedPlayer) -> None:
                seen.append((player.pid, player.stations.public["natm"]))

        seen: list[tuple[int, int | str]] = []
        async with lab() as made:
            secure = Noting(made.settings, players=made.game.players)
            made.secure_server = secure
            nat = NATLab(made, {})
            async with nat.console(1000) as one:
                await one.nat.report_nat_properties(1, 1, 0)
                await one.nat.report_nat_properties(9, 1, 0)
            nat.pipe.close()
        assert seen == [(1000, 1)]


class TestResults:
    @pytest.mark.parametrize("version", VERSIONS)
    async def test_a_failure_and_a_success(self, version: str) -> None:
        async with (
            nat_lab(lab_settings(version)) as nat,
            nat.console(1000) as one,
            nat.console(1001) as two,
        ):
            await one.nat.report_nat_traversal_result(two.cid, False)
            assert nat.unreachable.failed_with(1001) == {1000}
            await two.nat.report_nat_traversal_result(one.cid, False, 50)
            assert counts(nat) == (0, 2)
            await two.nat.report_nat_traversal_result(one.cid, True, 50)
            assert nat.unreachable.failed_with(1001) == frozenset()
            assert counts(nat) == (1, 2)
        assert nat.stats.details == {}

    @pytest.mark.parametrize("version", VERSIONS)
    async def test_with_a_detail(self, version: str) -> None:
        async with (
            nat_lab(lab_settings(version)) as nat,
            nat.console(1000) as one,
            nat.console(1001) as two,
        ):
            await one.nat.report_nat_traversal_result_detail(two.cid, False, -3)
            assert nat.unreachable.failed_with(1001) == {1000}
            await one.nat.report_nat_traversal_result_detail(two.cid, False, -3, 9)
            await two.nat.report_nat_traversal_result_detail(one.cid, True, 0, 9)
            assert nat.unreachable.failed_with(1001) == frozenset()
        assert nat.stats.details == {-3: 2, 0: 1}
        assert counts(nat) == (1, 2)

    @pytest.mark.parametrize("version", VERSIONS)
    @pytest.mark.parametrize("rtt", [b"", bytes(4)], ids=["without", "with"])
    async def test_the_round_trip_time_may_be_missing(self, version: str, rtt: bytes) -> None:
        async with (
            nat_lab(lab_settings(version)) as nat,
            nat.console(1000) as one,
            nat.console(1001) as two,
        ):
            body = struct.pack("<I?", two.cid, False) + rtt
            assert await one.session.call(3, 4, body) == b""
            body = struct.pack("<I?i", two.cid, False, 1) + rtt
            assert await one.session.call(3, 7, body) == b""
            with pytest.raises(RMCError, match="Core::InvalidArgument"):
                await one.session.call(3, 4, body[:4])
        assert counts(nat) == (0, 2)

    async def test_detail_codes_are_bounded(self) -> None:
        async with (
            nat_lab(limits=NATLimits(max_detail_codes=2)) as nat,
            nat.console(1000) as one,
            nat.console(1001) as two,
        ):
            for detail in (5, 6, 7, 8, 5):
                await one.nat.report_nat_traversal_result_detail(two.cid, False, detail, 0)
        assert nat.stats.details == {5: 2, 6: 1}
        assert nat.stats.other_details == 2

    async def test_reports_that_say_nothing(self) -> None:
        async with (
            nat_lab() as nat,
            nat.console(1000) as one,
            nat.console(1001, urls=[]) as unregistered,
            nat.console(100) as guest,
            nat.console(100) as other_guest,
        ):
            for cid in (0, 4711, 2**32 - 1, unregistered.cid):
                await report(one, cid, False)
            await report(one, one.cid, False)
            await report(one, guest.cid, False)
            await report(guest, one.cid, False)
            await report(guest, other_guest.cid, False)
            await unregistered.nat.report_nat_traversal_result_detail(one.cid, False, 7, 0)
        assert ignored(nat) == {"unknown": 4, "same_player": 4, "unregistered": 1}
        assert counts(nat) == (0, 0)
        assert nat.stats.details == {}
        assert len(nat.unreachable) == 0

    async def test_without_a_memory_they_are_counted(self) -> None:
        async with (
            nat_lab(unreachable=None) as nat,
            nat.console(1000) as one,
            nat.console(1001) as two,
        ):
            await report(one, two.cid, False)
            await report(one, two.cid, True)
        assert counts(nat) == (1, 1)


class TestNeighbours:
    async def test_only_neighbours_are_believed(self) -> None:
        friends = Friends({1000, 1001})
        async with (
            nat_lab(neighbours=friends) as nat,
            nat.console(1000) as one,
            nat.console(1001) as two,
            nat.console(1002) as three,
        ):
            await report(one, three.cid, False)
            assert len(nat.unreachable) == 0
            await report(one, two.cid, False)
            assert nat.unreachable.failed_with(1000) == {1001}
            friends.groups = []
            await report(one, two.cid, True)
            assert nat.unreachable.failed_with(1000) == {1001}
        assert ignored(nat) == {"stranger": 2}

    async def test_who_parted_since_is_believed_for_a_time(self) -> None:
        friends = Friends({1000, 1001})
        async with (
            nat_lab(neighbours=friends) as nat,
            nat.console(1000) as one,
            nat.console(1001) as two,
        ):
            await one.nat.request_probe_initiation([target(two.cid)])
            friends.groups = []
            nat.clock.now += 119
            await report(one, two.cid, False)
            assert nat.unreachable.failed_with(1000) == {1001}
            await report(two, one.cid, True)
            assert nat.unreachable.failed_with(1000) == frozenset()
            nat.clock.now += 1
            await report(one, two.cid, False)
            assert nat.unreachable.failed_with(1000) == frozenset()
        assert ignored(nat) == {"stranger": 1}

    async def test_a_probe_of_strangers_earns_no_trust(self) -> None:
        async with (
            nat_lab(neighbours=Friends()) as nat,
            nat.console(1000) as one,
            nat.console(1001) as two,
        ):
            await one.nat.request_probe_initiation([target(two.cid)])
            await report(one, two.cid, False)
        assert ignored(nat) == {"stranger": 1}

    async def test_a_new_connection_begins_anew(self) -> None:
        friends = Friends({1000, 1001})
        async with nat_lab(neighbours=friends) as nat, nat.console(1000) as one:
            async with nat.console(1001) as two:
                await one.nat.request_probe_initiation([target(two.cid)])
            friends.groups = []
            async with nat.console(1001) as two:
                await report(one, two.cid, False)
        assert ignored(nat) == {"stranger": 1}

    async def test_an_outage_is_not_the_consoles_fault(self) -> None:
        friends = Friends()
        friends.error = ServiceUnavailable("no store")
        async with (
            nat_lab(neighbours=friends) as nat,
            nat.console(1000) as one,
            nat.console(1001) as two,
        ):
            await report(one, two.cid, False)
        assert ignored(nat) == {"unavailable": 1}


@pytest.mark.parametrize("version", VERSIONS)
async def test_there_is_no_relay(version: str) -> None:
    async with nat_lab(lab_settings(version)) as nat, nat.console(1000, urls=[]) as one:
        key = await one.nat.get_relay_signature_key()
    assert key == RelaySignatureKey(0, DateTime.from_timestamp(NOW), "", 0, 0, 0)


async def test_settings_that_cannot_be() -> None:
    settings = game_settings()
    settings["prudp.version"] = 9
    async with nat_lab() as nat:
        with pytest.raises(ValueError, match="version"):
            NATTraversalServer(settings, secure=nat.secure)


async def test_methods_are_hooks() -> None:
    class Counting(NATTraversalServer):
        async def report_nat_properties(
            self, client: Session, natm: int, natf: int, rtt: int
        ) -> None:
            seen.append(rtt)
            await super().report_nat_properties(client, natm, natf, rtt)

    seen: list[Any] = []
    async with nat_lab() as nat:
        nat.server = Counting(nat.made.settings, secure=nat.secure)
        nat.pipe.close()
        nat.pipe = type(nat.pipe)([nat.secure, nat.server], nat.made.secure.context)
        async with nat.console(1000) as one:
            await one.nat.report_nat_properties(1, 1, 17)
            assert nat.public_url(one.cid)["natm"] == 1
    assert seen == [17]
