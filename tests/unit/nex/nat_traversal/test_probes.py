"""Requests for probes: who is asked, and for which station."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nekonex.nex.nat_traversal import NATLimits, SkippedProbe
from nekonex.rmc import Session
from nekonex.values import RMCError, ServiceUnavailable, StationURL
from tests.support.natlab import Friends, NATLab, ProbeInbox, nat_lab, target
from tests.support.nexlab import lab_settings

VERSIONS = ["2.4.1", "3.5.4"]
OWN = StationURL("prudp", address="192.0.2.1", port=50005)
"""A station of who connects from the usual address, at another port."""


def skipped(nat: NATLab) -> dict[str, int]:
    return {str(reason): count for reason, count in nat.stats.skipped.items() if count}


@pytest.mark.parametrize("version", VERSIONS)
async def test_each_target_gets_the_station(version: str) -> None:
    async with (
        nat_lab(lab_settings(version)) as nat,
        nat.console(1000) as caller,
        nat.console(1001) as one,
        nat.console(1002) as two,
        nat.console(1003) as three,
    ):
        result = await caller.nat.request_probe_initiation_ext(
            [target(one.cid), target(two.cid)], OWN
        )
        await two.settled()
    assert result is None
    expected = f"prudp:/address=192.0.2.1;port=50005;PID=1000;RVCID={caller.cid}"
    assert (one.inbox.probes, two.inbox.probes) == ([expected], [expected])
    assert (caller.inbox.probes, three.inbox.probes) == ([], [])
    assert nat.stats.probes == 2
    assert skipped(nat) == {}
    assert nat.stats.replaced_stations == 0


@pytest.mark.parametrize("version", VERSIONS)
async def test_without_a_station_it_is_the_public_one(version: str) -> None:
    async with (
        nat_lab(lab_settings(version)) as nat,
        nat.console(1000, ("192.0.2.8", 40004)) as caller,
        nat.console(1001) as one,
    ):
        await caller.nat.request_probe_initiation([target(one.cid)])
        await one.settled()
        assert one.inbox.probes == [str(nat.public_url(caller.cid))]
        assert nat.public_url(caller.cid).address == ("192.0.2.8", 40004)


async def test_a_station_that_is_not_the_callers() -> None:
    async with nat_lab() as nat, nat.console(1000) as caller, nat.console(1001) as one:
        third = StationURL("prudp", address="198.51.100.1", port=53, PID=1, RVCID=one.cid)
        await caller.nat.request_probe_initiation_ext([target(one.cid)], third)
        await one.settled()
    assert one.inbox.probes == [f"prudp:/address=192.0.2.1;port=50001;PID=1000;RVCID={caller.cid}"]
    assert nat.stats.replaced_stations == 1


async def test_a_public_url_that_is_not_the_callers() -> None:
    urls = [
        StationURL("prudp", address="192.168.0.10", port=50000),
        StationURL("prudp", address="198.51.100.1", port=53, natm=1, natf=1, type=3),
    ]
    async with (
        nat_lab() as nat,
        nat.console(1000, urls=urls) as caller,
        nat.console(1001) as one,
    ):
        await caller.nat.request_probe_initiation([target(one.cid)])
        await one.settled()
    assert [StationURL.parse(probe).address for probe in one.inbox.probes] == [("192.0.2.1", 50001)]


async def test_a_station_that_grows_too_long() -> None:
    station = OWN.copy()
    station["Foo"] = "x" * 975
    async with nat_lab() as nat, nat.console(1000) as caller, nat.console(1001) as one:
        with pytest.raises(RMCError, match="Core::InvalidArgument"):
            await caller.nat.request_probe_initiation_ext([target(one.cid)], station)
    assert nat.stats.probes == 0


async def test_the_number_of_targets() -> None:
    async with nat_lab() as nat, nat.console(1000) as caller, nat.console(1001) as one:
        for count in (17, 25):
            targets = [target(one.cid)] * count
            with pytest.raises(RMCError, match="Core::InvalidArgument"):
                await caller.nat.request_probe_initiation_ext(targets, OWN)
            with pytest.raises(RMCError, match="Core::InvalidArgument"):
                await caller.nat.request_probe_initiation(targets)
        assert nat.stats.probes == 0
        await caller.nat.request_probe_initiation_ext([], OWN)
        await caller.nat.request_probe_initiation_ext([target(one.cid)] * 16, OWN)
        await one.settled()
    assert len(one.inbox.probes) == 1
    assert skipped(nat) == {"repeated": 15}


async def test_targets_who_cannot_be_asked() -> None:
    async with (
        nat_lab() as nat,
        nat.console(1000) as caller,
        nat.console(1001) as one,
        nat.console(1002, urls=[]) as unregistered,
    ):
        without = StationURL("prudp", address="192.0.2.9", port=1)
        targets = [
            without,
            target(0),
            target(-5),
            target(2**64),
            target(4711),
            target(unregistered.cid),
            target(caller.cid),
            target(one.cid),
        ]
        await caller.nat.request_probe_initiation_ext(targets, OWN)
        await one.settled()
    assert len(one.inbox.probes) == 1
    assert (caller.inbox.probes, unregistered.inbox.probes) == ([], [])
    assert nat.stats.probes == 1
    assert skipped(nat) == {"unknown": 5, "own": 1, "repeated": 1}


async def test_a_caller_who_is_not_registered() -> None:
    async with nat_lab() as nat, nat.console(1000, urls=[]) as caller, nat.console(1001) as one:
        await caller.nat.request_probe_initiation([target(one.cid)])
        await caller.nat.request_probe_initiation_ext([target(one.cid)], OWN)
        await one.settled()
    assert one.inbox.probes == []
    assert skipped(nat) == {"unregistered": 2}


async def test_a_target_that_is_going() -> None:
    async with (
        nat_lab() as nat,
        nat.console(1000) as caller,
        nat.console(1001) as dead,
        nat.console(1002) as one,
    ):
        # Its end was not reported yet: it is registered, and nothing can be sent any more.
        dead.own.channel.open = False  # type: ignore[misc]
        await caller.nat.request_probe_initiation_ext([target(dead.cid), target(one.cid)], OWN)
        await one.settled()
        dead.own.channel.open = True  # type: ignore[misc]
    assert len(one.inbox.probes) == 1
    assert skipped(nat) == {"gone": 1}


async def test_a_target_that_vanishes_meanwhile() -> None:
    class Vanishing(Friends):
        async def share_gathering(self, pid: int, other: int) -> bool:
            if other == 1001:
                gone.own.close()
                await gone.own.wait_ended()
            return True

    async with (
        nat_lab(neighbours=Vanishing()) as nat,
        nat.console(1000) as caller,
        nat.console(1001) as gone,
        nat.console(1002) as one,
    ):
        await caller.nat.request_probe_initiation_ext([target(gone.cid), target(one.cid)], OWN)
        await one.settled()
        assert nat.secure.player(gone.cid) is None
    assert len(one.inbox.probes) == 1
    assert skipped(nat) == {"gone": 1}


async def test_a_slow_target_delays_nobody() -> None:
    class Slow(ProbeInbox):
        async def initiate_probe(self, client: Session, station_to_probe: StationURL) -> None:
            await super().initiate_probe(client, station_to_probe)
            await asyncio.Event().wait()

    async with nat_lab() as nat, nat.console(1000) as caller, nat.console(1001) as one:
        slow = Slow()
        async with nat.pipe.client(pid=1002, servers=[slow]) as session:
            own = nat.pipe.session_of(session)
            await nat.secure.register(own, [OWN])
            for _ in range(3):
                async with asyncio.timeout(5):
                    await caller.nat.request_probe_initiation([target(own.id), target(one.cid)])
            await one.settled()
            assert len(one.inbox.probes) == 3
            assert len(slow.probes) == 1
    assert nat.stats.probes == 6


async def test_a_console_that_does_not_serve_probes_is_no_trouble() -> None:
    async with nat_lab() as nat, nat.console(1000) as caller:
        async with nat.pipe.client(pid=1001) as session:
            own = nat.pipe.session_of(session)
            await nat.secure.register(own, [OWN])
            await caller.nat.request_probe_initiation_ext([target(own.id)], OWN)
            await caller.settled()
        assert nat.pipe.dispatcher.stats.late_replies == 1
    assert nat.stats.probes == 1


async def test_a_console_cannot_have_the_server_probe() -> None:
    async with nat_lab() as nat, nat.console(1000) as caller:
        with pytest.raises(RMCError, match="Core::NotImplemented"):
            await caller.nat.initiate_probe(OWN)


class TestNeighbours:
    async def test_strangers_are_skipped(self) -> None:
        friends = Friends({1000, 1001}, {1001, 1002})
        async with (
            nat_lab(neighbours=friends) as nat,
            nat.console(1000) as caller,
            nat.console(1001) as one,
            nat.console(1002) as two,
        ):
            targets = [target(two.cid), target(one.cid)]
            await caller.nat.request_probe_initiation(targets)
            await caller.nat.request_probe_initiation_ext(targets, OWN)
            await two.settled()
        assert (len(one.inbox.probes), two.inbox.probes) == (2, [])
        assert friends.asked == [(1000, 1002), (1000, 1001)] * 2
        assert skipped(nat) == {"stranger": 2}

    async def test_guests_are_strangers_to_each_other(self) -> None:
        friends = Friends({100})
        async with (
            nat_lab(neighbours=friends) as nat,
            nat.console(100) as caller,
            nat.console(100) as other,
        ):
            await caller.nat.request_probe_initiation([target(other.cid)])
            await other.settled()
        assert other.inbox.probes == []
        assert skipped(nat) == {"stranger": 1}

    async def test_without_neighbours_guests_can_be_asked(self) -> None:
        async with nat_lab() as nat, nat.console(100) as caller, nat.console(100) as other:
            await caller.nat.request_probe_initiation([target(other.cid)])
            await other.settled()
        assert len(other.inbox.probes) == 1

    async def test_an_outage_is_an_error(self) -> None:
        friends = Friends()
        friends.error = ServiceUnavailable("no store")
        async with (
            nat_lab(neighbours=friends) as nat,
            nat.console(1000) as caller,
            nat.console(1001) as one,
        ):
            with pytest.raises(RMCError, match="Core::SystemError"):
                await caller.nat.request_probe_initiation([target(one.cid)])
        assert one.inbox.probes == []


class TestRate:
    @pytest.mark.parametrize("method", [1, 3])
    async def test_too_many_are_dropped(self, method: int) -> None:
        limits = NATLimits(probe_requests_per_second=3)
        async with (
            nat_lab(limits=limits) as nat,
            nat.console(1000) as caller,
            nat.console(1001) as other,
            nat.console(1002) as one,
        ):

            async def ask(who: Any) -> None:
                if method == 1:
                    await who.nat.request_probe_initiation([target(one.cid)])
                else:
                    await who.nat.request_probe_initiation_ext([target(one.cid)], OWN)

            for _ in range(5):
                await ask(caller)
            await one.settled()
            assert len(one.inbox.probes) == 3
            assert skipped(nat) == {"rate": 2}
            await ask(other)
            await one.settled()
            assert len(one.inbox.probes) == 4
            nat.clock.now += 1
            for _ in range(5):
                await ask(caller)
            await one.settled()
            assert len(one.inbox.probes) == 7
            assert nat.stats.skipped[SkippedProbe.RATE] == 4

    async def test_the_default(self) -> None:
        async with nat_lab() as nat, nat.console(1000) as caller, nat.console(1001) as one:
            for _ in range(25):
                await caller.nat.request_probe_initiation([target(one.cid)])
            await one.settled()
        assert len(one.inbox.probes) == 20


@pytest.mark.parametrize("name", ["max_targets", "believe_seconds", "max_detail_codes"])
def test_limits_make_sense(name: str) -> None:
    with pytest.raises(ValueError, match=name):
        NATLimits(**{name: 0})
