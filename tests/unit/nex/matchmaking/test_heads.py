"""The match making server: who heads a gathering, and how it is reached."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nekonex.domain.matchmaking import (
    Community,
    GatheringFlag,
    MatchmakingLimits,
    Outcome,
    Participant,
)
from nekonex.nex import structures as wire
from nekonex.nex.matchmaking.server import MatchMakingServer
from nekonex.values import RMCError, StationURL
from tests.support.matchlab import MatchConsole, MatchLab, match_lab

LONG = "x" * 257
MIGRATE = GatheringFlag.MIGRATE_OWNER
WITH_HOST = GatheringFlag.CHANGE_OWNER_WITH_HOST


def public(pid: int) -> StationURL:
    return StationURL("prudp", address=f"203.0.113.{pid % 256}", port=60000, natm=1, natf=1, type=3)


def addresses(urls: list[StationURL]) -> list[str]:
    return [url["address"] for url in urls]


def local(pid: int) -> str:
    return f"192.168.0.{pid % 256}"


async def heads(lab: MatchLab, gid: int) -> tuple[int, int]:
    """Return the owner and the host."""
    gathering = await lab.get(gid)
    return gathering.owner, gathering.host


# -- hosts ---------------------------------------------------------------------------------


@pytest.mark.parametrize("and_owner", [None, True, False])
@pytest.mark.parametrize("flags", [0, WITH_HOST])
async def test_becoming_host(and_owner: bool | None, flags: int) -> None:
    async def become(console: MatchConsole, gid: int) -> None:
        if and_owner is None:
            await console.mm.update_session_host_v1(gid)
        else:
            await console.mm.update_session_host(gid, and_owner)

    async with (
        match_lab() as lab,
        lab.console(1000) as one,
        lab.console(1001) as two,
        lab.console(1002) as three,
    ):
        made = await lab.make(one, two, flags=flags)
        with pytest.raises(RMCError, match="RendezVous::PermissionDenied"):
            await become(three, made.gid)
        assert await lab.all() == [made]
        if and_owner and not flags:
            with pytest.raises(RMCError, match="RendezVous::InvalidOperation"):
                await become(two, made.gid)
            assert await lab.all() == [made]
            return
        await become(two, made.gid)
        owns = and_owner is not False and bool(flags)
        assert await heads(lab, made.gid) == (1001 if owns else 1000, 1001)
        told = [(4000, 1001, made.gid, 1001, 0, "")] if owns else []
        assert (await one.heard(), await two.heard()) == (told, told)


async def test_the_hosts_urls() -> None:
    async with (
        match_lab() as lab,
        lab.console(1000) as one,
        lab.console(1001, address=("198.51.100.9", 4000)) as two,
        lab.console(1002) as three,
    ):
        made = await lab.make(one, two, flags=WITH_HOST)
        urls = await two.mm.get_session_urls(made.gid)
        assert [(url["address"], url["PID"], url["RVCID"]) for url in urls] == [
            (local(1000), 1000, one.cid),
            ("192.0.2.1", 1000, one.cid),
        ]
        await two.mm.update_session_host(made.gid, False)
        assert addresses(await one.mm.get_session_urls(made.gid)) == [local(1001), "198.51.100.9"]
        with pytest.raises(RMCError, match="RendezVous::PermissionDenied"):
            await three.mm.get_session_urls(made.gid)


async def test_a_host_who_is_offline() -> None:
    async with match_lab() as lab, lab.console(1000) as one:
        for host in (0, 1005):
            made = await lab.make(one, host=host)
            assert await one.mm.get_session_urls(made.gid) == []
            reply = await one.mm.get_session_url(made.gid)
            assert (reply.result, reply.url) == (False, "")


async def test_a_host_that_came_back_with_another_connection() -> None:
    async with match_lab() as lab, lab.console(1001) as two:
        async with lab.console(1000) as one:
            made = await lab.make(two, one, flags=GatheringFlag.PERSISTENT)
            await lab.live.change(made.gid, _hosted_by(1000))
        await lab.live.change(made.gid, _hosted_by(1000))
        assert await two.mm.get_session_urls(made.gid) == []
        async with lab.console(1000) as again:
            urls = await two.mm.get_session_urls(made.gid)
            assert [url["RVCID"] for url in urls] == [again.cid, again.cid]


def _hosted_by(pid: int) -> Any:
    return lambda gathering: Outcome(replace(gathering, host=pid))


async def test_guests_are_not_confused() -> None:
    async with match_lab() as lab, lab.console(1000) as one:
        async with lab.console(100) as guest:
            participants = (Participant(1000, one.cid), Participant(100, guest.cid))
            made = await lab.make(1000, host=100, participants=participants, flags=1)
            async with lab.console(100):
                urls = await one.mm.get_session_urls(made.gid)
                assert [url["RVCID"] for url in urls] == [guest.cid, guest.cid]
        async with lab.console(100):
            await lab.live.change(made.gid, _hosted_by(100))
            assert await one.mm.get_session_urls(made.gid) == []


async def test_without_a_secure_server_nobody_is_reached() -> None:
    async with match_lab() as lab, lab.console(1000) as one:
        made = await lab.make(one)
        server = MatchMakingServer(lab.made.settings, matchmaking=lab.matchmaking)
        assert await server.get_session_urls(one.own, made.gid) == []
        assert await server.get_participants_urls(one.own, made.gid) == []


# -- session URLs ----------------------------------------------------------------------------


async def test_the_session_url() -> None:
    async with (
        match_lab() as lab,
        lab.console(1000, urls=[StationURL(address="10.0.0.1", port=1), public(1000)]) as one,
        lab.console(1001) as two,
        lab.console(1002) as three,
    ):
        made = await lab.make(one, two)
        reply = await two.mm.get_session_url(made.gid)
        assert reply.result is True
        assert StationURL.parse(reply.url).address == ("203.0.113.232", 60000)
        assert await two.mm.update_session_url(made.gid, "prudp:/address=1.2.3.4") is True
        assert await heads(lab, made.gid) == (1000, 1001)
        reply = await one.mm.get_session_url(made.gid)
        assert (reply.result, reply.url) == (True, "prudp:/address=1.2.3.4")
        # With another host it is of no use any more.
        await one.mm.update_session_host_v1(made.gid)
        reply = await two.mm.get_session_url(made.gid)
        assert StationURL.parse(reply.url).address == ("203.0.113.232", 60000)
        for call in (
            three.mm.get_session_url(made.gid),
            three.mm.update_session_url(made.gid, "prudp:/"),
        ):
            with pytest.raises(RMCError, match="RendezVous::PermissionDenied"):
                await call
        before = await lab.all()
        with pytest.raises(RMCError, match="Core::InvalidArgument"):
            await two.mm.update_session_url(made.gid, LONG)
        assert await lab.all() == before


async def test_a_session_url_ends_with_its_host() -> None:
    async with match_lab() as lab, lab.console(1000) as one:
        async with lab.console(1001) as two:
            made = await lab.make(one, two)
            await two.mm.update_session_url(made.gid, "somewhere")
            assert (await one.mm.get_session_url(made.gid)).url == "somewhere"
        url = (await one.mm.get_session_url(made.gid)).url
        assert StationURL.parse(url)["PID"] == 1000


async def test_launching() -> None:
    async with (
        match_lab() as lab,
        lab.console(1000) as one,
        lab.console(1001) as two,
    ):
        made = await lab.make(one, two)
        for caller, url, error in [
            (two, "", "RendezVous::PermissionDenied"),
            (one, LONG, "Core::InvalidArgument"),
        ]:
            with pytest.raises(RMCError, match=error):
                await caller.mm.launch_session(made.gid, url)
        assert await lab.all() == [made]
        assert await one.mm.launch_session(made.gid, "prudp:/") is True
        assert (await one.mm.get_state(made.gid)).state == 2
        assert (await two.mm.get_session_url(made.gid)).url == "prudp:/"
        assert await one.heard() == []
        assert await two.heard() == [(2000, 1000, made.gid, 0, 0, "")]


async def test_a_community_has_no_host() -> None:
    async with match_lab() as lab, lab.console(1000) as one:
        made = await lab.communities.create(
            Community(owner=1000, participants=(Participant(1000),), flags=WITH_HOST)
        )
        for call in (
            one.mm.update_session_host_v1(made.gid),
            one.mm.update_session_host(made.gid, False),
            one.mm.update_session_url(made.gid, "x"),
            one.mm.launch_session(made.gid, "x"),
            one.mm.update_gathering_ownership(made.gid, True),
        ):
            with pytest.raises(RMCError, match="RendezVous::InvalidOperation"):
                await call
        await one.mm.register_local_url(made.gid, StationURL(address="10.0.0.1", port=1))
        assert await lab.all() == [made]
        assert await one.mm.get_session_urls(made.gid) == []


# -- local URLs --------------------------------------------------------------------------------


async def test_local_urls_belong_to_one_gathering() -> None:
    async with (
        match_lab() as lab,
        lab.console(1000) as one,
        lab.console(1001) as two,
        lab.console(1002) as three,
    ):
        made, other = await lab.make(one, two), await lab.make(one, two)
        ours = StationURL("prudp", address="10.0.0.1", port=1, PID=7, RVCID=8)
        assert await one.mm.register_local_url(made.gid, ours) is None
        urls = await two.mm.get_session_urls(made.gid)
        assert addresses(urls) == [local(1000), "192.0.2.1", "10.0.0.1"]
        assert (urls[2]["PID"], urls[2]["RVCID"]) == (1000, one.cid)
        assert addresses(await two.mm.get_session_urls(other.gid)) == [local(1000), "192.0.2.1"]
        public_one = StationURL.parse((await two.mm.get_session_url(made.gid)).url)
        assert public_one["address"] == "192.0.2.1"
        # Those of others than the host count when they become it.
        theirs = [StationURL("prudp", address="10.0.0.2", port=1)]
        await two.mm.register_local_urls(made.gid, theirs)
        await two.mm.update_session_host_v1(made.gid)
        urls = await one.mm.get_session_urls(made.gid)
        assert addresses(urls) == [local(1001), "192.0.2.1", "10.0.0.2"]
        with pytest.raises(RMCError, match="RendezVous::PermissionDenied"):
            await three.mm.register_local_urls(made.gid, theirs)


async def test_local_urls_of_who_is_offline_or_known_anyway() -> None:
    async with match_lab() as lab, lab.console(1000) as one:
        async with lab.console(1001) as two:
            made = await lab.make(one, two, flags=GatheringFlag.PERSISTENT)
            more = [
                StationURL("prudp", address=name, port=50000) for name in ("10.0.0.1", local(1001))
            ]
            await two.mm.register_local_urls(made.gid, more)
            urls = await one.mm.get_participants_urls(made.gid)
            assert addresses(urls)[2:] == [local(1001), "192.0.2.1", "10.0.0.1"]
        assert (await lab.get(made.gid)).pids == (1000, 1001)
        assert addresses(await one.mm.get_participants_urls(made.gid)) == [local(1000), "192.0.2.1"]


async def test_only_so_many_local_urls() -> None:
    def url(number: int) -> StationURL:
        return StationURL("prudp", address=f"10.0.0.{number}", port=1)

    async with match_lab() as lab, lab.console(1000) as one:
        made = await lab.make(one)
        await one.mm.register_local_urls(made.gid, [url(number) for number in range(1, 9)])
        await one.mm.register_local_url(made.gid, url(9))
        await one.mm.register_local_url(made.gid, url(3))
        expected = [f"10.0.0.{number}" for number in (2, 4, 5, 6, 7, 8, 9, 3)]
        assert addresses(await one.mm.get_session_urls(made.gid))[2:] == expected
        before = await lab.all()
        too_long = url(1)
        too_long["Foo"] = "x" * 980
        for bad in ([url(number) for number in range(1, 10)], [too_long]):
            with pytest.raises(RMCError, match="Core::InvalidArgument"):
                await one.mm.register_local_urls(made.gid, bad)
        assert await lab.all() == before


async def test_a_host_who_does_not_take_part_may_say_where_it_is() -> None:
    async with match_lab() as lab, lab.console(1000) as one, lab.console(1001) as two:
        gid = await one.mm.register_gathering(wire.Gathering())
        await two.mm.participate(gid, "")
        await one.mm.register_local_url(gid, StationURL(address="10.0.0.1", port=1))
        assert addresses(await two.mm.get_session_urls(gid)) == [local(1000), "192.0.2.1"]


# -- owners ------------------------------------------------------------------------------------


async def test_taking_the_ownership() -> None:
    async with (
        match_lab() as lab,
        lab.console(1000) as one,
        lab.console(1001) as two,
        lab.console(1002) as three,
    ):
        made, fixed = await lab.make(one, two, flags=WITH_HOST), await lab.make(one, two)
        for only in (True, False):
            with pytest.raises(RMCError, match="RendezVous::PermissionDenied"):
                await three.mm.update_gathering_ownership(made.gid, only)
        with pytest.raises(RMCError, match="RendezVous::InvalidOperation"):
            await two.mm.update_gathering_ownership(fixed.gid, True)
        assert await lab.all() == [made, fixed]
        assert await two.mm.update_gathering_ownership(made.gid, True) is True
        assert await heads(lab, made.gid) == (1001, 1000)
        told = [(4000, 1000, made.gid, 1001, 0, "")]
        assert (await one.heard(), await two.heard()) == (told, told)


@pytest.mark.parametrize("old", [True, False])
async def test_migrating_the_ownership(old: bool) -> None:
    async def migrate(console: MatchConsole, gid: int, pids: list[int]) -> object:
        if old:
            return await console.mm.migrate_gathering_ownership_v1(gid, pids)
        return await console.mm.migrate_gathering_ownership(gid, pids, True)

    async with (
        match_lab() as lab,
        lab.console(1000) as one,
        lab.console(1001) as two,
        lab.console(1002),
    ):
        participants = (*(Participant(each.pid, each.cid) for each in (one, two)), Participant(7))
        made = await lab.make(1000, participants=participants)
        for caller, candidates, error in [
            (two, [1001], "RendezVous::PermissionDenied"),
            (one, [], "RendezVous::NotParticipatedGathering"),
            (one, [1002, 99], "RendezVous::NotParticipatedGathering"),
            (one, [7, 1002], "RendezVous::UserIsOffline"),
            (one, list(range(301)), "Core::InvalidArgument"),
        ]:
            with pytest.raises(RMCError, match=error):
                await migrate(caller, made.gid, candidates)
        assert await lab.all() == [made]
        assert await migrate(one, made.gid, [7, 1002, 1001, 1000]) is (True if old else None)
        assert await heads(lab, made.gid) == (1001, 1000)
        told = [(4000, 1000, made.gid, 1001, 0, "")]
        assert (await one.heard(), await two.heard()) == (told, told)


async def test_migrating_the_ownership_to_others() -> None:
    limits = MatchmakingLimits(max_owned=2, max_owned_communities=1)
    async with (
        match_lab(limits=limits) as lab,
        lab.console(1000) as one,
        lab.console(1001) as two,
        lab.console(1002),
    ):
        made = await lab.make(one)
        await one.mm.migrate_gathering_ownership(made.gid, [999, 1001], False)
        assert await heads(lab, made.gid) == (1001, 1000)
        # Who owns all that it may is left alone.
        await lab.make(two)
        another = await lab.make(one)
        await one.mm.migrate_gathering_ownership(another.gid, [1001, 1002], False)
        assert (await lab.get(another.gid)).owner == 1002
        # Communities go to members only.
        members = (Participant(1000), Participant(1001))
        club = await lab.communities.create(Community(owner=1000, participants=members))
        with pytest.raises(RMCError, match="RendezVous::NotParticipatedGathering"):
            await one.mm.migrate_gathering_ownership(club.gid, [1002], False)
        await one.mm.migrate_gathering_ownership(club.gid, [1001], False)
        assert (await lab.get(club.gid)).owner == 1001
