"""The match making server: what is found, and invitations."""

from __future__ import annotations

import asyncio
import time
from dataclasses import replace
from typing import Any

import pytest

from nekonex.domain.matchmaking import (
    Community,
    CommunityType,
    Gathering,
    MatchmakingLimits,
    Outcome,
    Participant,
    Privacy,
)
from nekonex.nex import structures as wire
from nekonex.nex.structures import ResultRange
from nekonex.values import RMCError
from tests.support.matchlab import MatchConsole, match_lab
from tests.support.nexlab import lab_settings

LONG = "x" * 257
SECRETS: dict[str, Any] = {
    "session_key": b"key",
    "user_password": "user",
    "user_password_enabled": True,
    "system_password": "system",
}


def gids(found: list[Any]) -> list[int]:
    return [each.id for each in found]


@pytest.mark.parametrize(("version", "minor"), [("3.3.0", 0), ("3.5.4", 4), ("4.0.0", 4)])
async def test_a_single_one(version: str, minor: int) -> None:
    async with (
        match_lab(lab_settings(version)) as lab,
        lab.console(1000, minor_version=minor) as one,
        lab.console(1001, minor_version=minor) as two,
    ):
        made = await lab.make(one, game_mode=3, description="here", flags=0x210, **SECRETS)
        # Not even to its owner: it has them already.
        for console in (one, two):
            reply = await console.mm.find_by_single_id(made.gid)
            assert reply.result is True
            found = reply.gathering
            assert isinstance(found, wire.MatchmakeSession)
            assert (found.id, found.owner, found.host) == (made.gid, 1000, 1000)
            assert (found.game_mode, found.description, found.flags) == (3, "here", 0x210)
            assert found.num_participants == 1
            assert (found.session_key, found.user_password) == (b"", "")


async def test_a_single_community() -> None:
    async with match_lab() as lab, lab.console(1000) as one:
        club = await lab.communities.create(
            Community(owner=1000, password="secret", participants=(Participant(1000, 0, 1, "", 3),))
        )
        await lab.make(one, matchmake_system=5, attributes=(club.gid, 0, 0, 0, 0, 0))
        found = (await one.mm.find_by_single_id(club.gid)).gathering
        assert isinstance(found, wire.PersistentGathering)
        assert (found.password, found.matchmake_session_count, found.num_participants) == ("", 1, 3)


async def test_several() -> None:
    async with match_lab() as lab, lab.console(1000) as one, lab.console(1001) as two:
        first, second = await lab.make(one, **SECRETS), await lab.make(one)
        plain = await lab.live.create(Gathering(owner=5))
        found = await two.mm.find_by_id([plain.gid, 0, second.gid, first.gid, 9, first.gid])
        assert gids(found) == [plain.gid, second.gid, first.gid]
        assert type(found[0]) is wire.Gathering
        assert found[2].session_key == b""
        assert await two.mm.find_by_id([]) == []
        with pytest.raises(RMCError, match="Core::InvalidArgument"):
            await two.mm.find_by_id([1] * 301)


async def test_by_owner() -> None:
    async with match_lab() as lab, lab.console(1000) as one, lab.console(1001) as two:
        made = [await lab.make(one, **SECRETS) for _ in range(3)]
        club = await lab.communities.create(Community(owner=1000, password="secret"))
        await lab.make(two)
        expected = [each.gid for each in made] + [club.gid]

        async def found(offset: int, size: int) -> list[int]:
            return gids(await two.mm.find_by_owner(1000, ResultRange(offset, size)))

        assert await found(0, 10) == expected
        assert await found(0xFFFFFFFF, 10) == expected
        assert await found(0, 0xFFFFFFFF) == expected
        assert await found(1, 2) == expected[1:3]
        assert await found(3, 5) == expected[3:]
        assert await found(0, 0) == []
        assert await found(10_001, 5) == []
        assert await two.mm.find_by_owner(7, ResultRange(0, 5)) == []
        first, *_, last = await two.mm.find_by_owner(1000, ResultRange(0, 10))
        assert (first.session_key, last.password) == (b"", "")


async def test_by_participants() -> None:
    async with match_lab() as lab, lab.console(1000) as one, lab.console(1001) as two:
        both, mine = await lab.make(one, two, **SECRETS), await lab.make(one)
        club = await lab.communities.create(Community(participants=(Participant(1000),)))
        found = await two.mm.find_by_participants([1000, 1001, 1000])
        assert gids(found) == [both.gid, mine.gid, club.gid]
        assert found[0].session_key == b""
        assert gids(await two.mm.find_by_participants([1001])) == [both.gid]
        assert await two.mm.find_by_participants([]) == []
        await lab.preferences.set_privacy(1000, Privacy(community_participation=False))
        assert gids(await two.mm.find_by_participants([1000])) == [both.gid, mine.gid]
        assert gids(await one.mm.find_by_participants([1000])) == [both.gid, mine.gid, club.gid]
        with pytest.raises(RMCError, match="Core::InvalidArgument"):
            await two.mm.find_by_participants(list(range(301)))


async def test_by_participants_only_so_many() -> None:
    async with (
        match_lab(limits=MatchmakingLimits(max_results=2)) as lab,
        lab.console(1000) as one,
        lab.console(1001) as two,
    ):
        made = [await lab.make(one), await lab.make(one), await lab.make(two)]
        found = await two.mm.find_by_participants([1000, 1001])
        assert gids(found) == [each.gid for each in made[:2]]
        found = await two.mm.find_by_owner(1000, ResultRange(0, 5))
        assert gids(found) == [each.gid for each in made[:2]]


async def test_by_type() -> None:
    async with match_lab() as lab, lab.console(1000) as one:
        sessions = [await lab.make(one, **SECRETS) for _ in range(3)]
        plain = await lab.live.create(Gathering(owner=5))
        official = await lab.communities.create(Community(type=CommunityType.OFFICIAL))
        await lab.communities.create(Community())

        async def found(name: str, offset: int = 0, size: int = 10) -> list[int]:
            return gids(await one.mm.find_by_type(name, ResultRange(offset, size)))

        assert await found("MatchmakeSession") == sorted(each.gid for each in sessions)
        assert len(await found("MatchmakeSession", 1, 1)) == 1
        assert await found("MatchmakeSession", 0, 0) == []
        assert await found("Gathering") == [plain.gid]
        assert await found("PersistentGathering") == [official.gid]
        assert await found("Community") == []
        with pytest.raises(RMCError, match="Core::InvalidArgument"):
            await found(LONG)


async def test_by_description() -> None:
    async with match_lab() as lab, lab.console(1000) as one:
        wanted = [await lab.make(one, description="a_b", **SECRETS) for _ in range(2)]
        other = await lab.make(one, description="axb")
        everything = ResultRange(0, 10)
        found = await one.mm.find_by_description("a_b", everything)
        assert sorted(gids(found)) == sorted(each.gid for each in wanted)
        assert found[0].session_key == b""
        assert len(await one.mm.find_by_description("a_b", ResultRange(1, 5))) == 1
        assert await one.mm.find_by_description("a%", everything) == []
        found = await one.mm.find_by_description_like("a_b", everything)
        assert sorted(gids(found)) == sorted(each.gid for each in [*wanted, other])
        assert gids(await one.mm.find_by_description_like("%xb", everything)) == [other.gid]
        assert len(await one.mm.find_by_description_like("%", ResultRange(1, 1))) == 1
        for call in (one.mm.find_by_description, one.mm.find_by_description_like):
            with pytest.raises(RMCError, match="Core::InvalidArgument"):
                await call(LONG, everything)


async def test_a_pattern_is_tried_on_so_many_only() -> None:
    async with (
        match_lab(limits=MatchmakingLimits(max_results=150)) as lab,
        lab.console(1000) as one,
    ):
        for _ in range(160):
            await lab.live.create(Gathering(description="a"))
        last = (await lab.live.page(0, 1000))[-1]
        await lab.live.change(last.gid, _described("b"))
        found = await one.mm.find_by_description_like("%", ResultRange(0, 1000))
        assert len(found) == 150
        assert await one.mm.find_by_description_like("b", ResultRange(0, 1000)) == []


def _described(text: str) -> Any:
    return lambda gathering: Outcome(replace(gathering, description=text))


async def test_a_malicious_pattern_holds_up_nobody() -> None:
    async with match_lab() as lab, lab.console(1000) as one:
        for _ in range(300):
            await lab.live.create(Gathering(description="a" * 256))
        turns = 0

        async def watch() -> None:
            nonlocal turns
            while True:
                await asyncio.sleep(0)
                turns += 1

        watching = asyncio.create_task(watch())
        began = time.perf_counter()
        found = await one.mm.find_by_description_like("%a_" * 80 + "%b", ResultRange(0, 10))
        took = time.perf_counter() - began
        watching.cancel()
        assert found == []
        assert turns > 3
        assert took < 2


async def test_what_is_not_served() -> None:
    async with match_lab() as lab, lab.console(1000) as one:
        for call in (one.mm.find_by_description_regex, one.mm.find_by_sql_query):
            with pytest.raises(RMCError, match="Core::NotImplemented"):
                await call(".*", ResultRange(0, 10))
        assert await lab.all() == []


# -- invitations ---------------------------------------------------------------------------


def told(invitations: list[Any]) -> list[tuple[int, int, str]]:
    return [(each.gid, each.guest, each.message) for each in invitations]


async def test_an_invitation_is_accepted() -> None:
    async with match_lab() as lab, lab.console(1000) as one, lab.console(1001) as two:
        made = await lab.make(one)
        assert await one.mm.invite(made.gid, [1001, 1002], "come") is True
        sent = [(made.gid, 1001, "come"), (made.gid, 1002, "come")]
        assert told(await one.mm.get_invitations_sent(made.gid)) == sent
        assert told(await two.mm.get_invitations_sent(made.gid)) == []
        assert told(await two.mm.get_invitations_received()) == sent[:1]
        assert gids(await two.mm.find_invitations(ResultRange(0, 10))) == [made.gid]
        assert await two.mm.find_invitations(ResultRange(1, 10)) == []
        assert await two.mm.accept_invitation(made.gid, "here I am") is True
        assert (await lab.get(made.gid)).participants[1] == Participant(
            1001, two.cid, 1, "here I am"
        )
        assert await one.heard() == [(3001, 1001, made.gid, 1001, 2, "here I am")]
        assert told(await two.mm.get_invitations_received()) == []
        assert told(await one.mm.get_invitations_sent(made.gid)) == sent[1:]
        with pytest.raises(RMCError, match="RendezVous::PermissionDenied"):
            await two.mm.accept_invitation(made.gid, "")


async def test_an_invitation_opens_no_closed_door() -> None:
    async with match_lab() as lab, lab.console(1000) as one, lab.console(1001) as two:
        closed: dict[str, Any] = {"open_participation": False}
        full: dict[str, Any] = {"max_participants": 1}
        for fields, error in [
            (closed, "RendezVous::PermissionDenied"),
            (full, "RendezVous::SessionFull"),
        ]:
            made = await lab.make(one, **fields)
            await one.mm.invite(made.gid, [1001], "")
            with pytest.raises(RMCError, match=error):
                await two.mm.accept_invitation(made.gid, "")
            assert await lab.get(made.gid) == made
        assert len(await two.mm.get_invitations_received()) == 2
        with pytest.raises(RMCError, match="Core::InvalidArgument"):
            await two.mm.accept_invitation(made.gid, LONG)


async def test_an_invitation_is_declined_or_taken_back() -> None:
    async with (
        match_lab() as lab,
        lab.console(1000) as one,
        lab.console(1001) as two,
        lab.console(1002) as three,
    ):
        made = await lab.make(one, three)
        await one.mm.invite(made.gid, [1001], "")
        with pytest.raises(RMCError, match="Core::InvalidArgument"):
            await two.mm.decline_invitation(made.gid, LONG)
        assert await two.mm.decline_invitation(made.gid, "no") is True
        assert await two.mm.get_invitations_received() == []
        with pytest.raises(RMCError, match="RendezVous::PermissionDenied"):
            await two.mm.decline_invitation(made.gid, "no")
        await one.mm.invite(made.gid, [1001], "")
        assert await three.mm.cancel_invitation(made.gid, [1001], "") is True
        assert len(await two.mm.get_invitations_received()) == 1
        with pytest.raises(RMCError, match="Core::InvalidArgument"):
            await one.mm.cancel_invitation(made.gid, [1001], LONG)
        assert await one.mm.cancel_invitation(made.gid, [1001, 5], "") is True
        assert await two.mm.get_invitations_received() == []
        assert await lab.all() == [made]


async def test_who_may_invite() -> None:
    async with (
        match_lab(limits=MatchmakingLimits(max_invitations=3)) as lab,
        lab.console(1000) as one,
        lab.console(1001) as two,
    ):
        made = await lab.make(one)

        async def refused(console: MatchConsole, pids: list[int], message: str, error: str) -> None:
            with pytest.raises(RMCError, match=error):
                await console.mm.invite(made.gid, pids, message)

        await refused(two, [1000], "", "RendezVous::PermissionDenied")
        await refused(one, [1001], LONG, "Core::InvalidArgument")
        await refused(one, list(range(301)), "", "Core::InvalidArgument")
        await refused(one, [1, 2, 3, 4], "", "RendezVous::LimitExceeded")
        assert await one.mm.get_invitations_sent(made.gid) == []


async def test_invitations_end_with_their_gathering() -> None:
    async with match_lab() as lab, lab.console(1000) as one, lab.console(1001) as two:
        made = await lab.make(one)
        await one.mm.invite(made.gid, [1001], "")
        await one.mm.unregister_gathering(made.gid)
        assert await two.mm.get_invitations_received() == []
        with pytest.raises(RMCError, match="RendezVous::SessionVoid"):
            await two.mm.accept_invitation(made.gid, "")
