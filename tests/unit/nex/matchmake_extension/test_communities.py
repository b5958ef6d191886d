"""Communities through the protocol."""

from __future__ import annotations

from typing import Any

import pytest

from nekonex.domain.matchmaking import Community, CommunityType, Participant
from nekonex.nex.structures import Gathering, PersistentGathering, ResultRange
from nekonex.values import DateTime
from tests.support.nexlab import NOW, lab_settings
from tests.support.roomlab import Console, Rooms, piped, refused, room

VOID = "RendezVous::SessionVoid"
DENIED = "RendezVous::PermissionDenied"
INVALID = "Core::InvalidArgument"
ALL = ResultRange(0, 100)
HOUR = 3600.0


def community(**fields: Any) -> PersistentGathering:
    """Return the template of an open community."""
    return PersistentGathering(**{"attribs": [0] * 6, "flags": 0, **fields})


def at(seconds: float) -> DateTime:
    return DateTime.from_timestamp(NOW + seconds)


async def seen(console: Console, gid: int) -> PersistentGathering:
    [found] = await console.extension.find_community_by_gathering_id([gid])
    assert isinstance(found, PersistentGathering)
    return found


async def test_what_the_server_writes_into_a_community() -> None:
    template = community(
        id=7,
        owner=1,
        host=2,
        state=3,
        min_participants=1,
        max_participants=50,
        participation_policy=95,
        policy_argument=1,
        flags=0x40,
        description="cats",
        type=1,
        password="mew",
        attribs=[1, 2, 3, 4, 5, 6],
        application_buffer=b"data",
        participation_start=at(-HOUR),
        participation_end=at(HOUR),
        matchmake_session_count=9,
        num_participants=9,
    )
    async with piped() as rooms, rooms.consoles(2) as (a, b):
        gid = await a.extension.create_community(template, "hi")
        assert 0 < gid < 0x40000000
        expected = template
        expected.id, expected.owner, expected.host, expected.state = gid, 1000, 0, 0
        expected.matchmake_session_count = expected.num_participants = 0
        assert await seen(a, gid) == expected
        expected.password = ""
        assert await seen(b, gid) == expected
        assert (await rooms.get(gid)).participants == (Participant(1000, message="hi"),)
        await rooms.settled()
        assert a.take() == []


@pytest.mark.parametrize(
    "bad",
    [
        {"description": "x" * 257},
        {"type": 1, "password": "x" * 33},
        {"attribs": []},
        {"attribs": [0] * 7},
        {"application_buffer": b"x" * 513},
        {"type": 2},
        {"type": 3},
        {"type": 2**32 - 1},
        {"participation_start": at(HOUR)},
        {"participation_end": at(-HOUR)},
        {"min_participants": 3, "max_participants": 2},
        {"max_participants": 257},
    ],
    ids=str,
)
async def test_out_of_bounds(bad: dict[str, Any]) -> None:
    async with piped() as rooms, rooms.console(1000) as one:
        gid = await one.extension.create_community(community(), "")
        before = await rooms.snapshot()
        for call in (
            one.extension.create_community(community(**bad), ""),
            one.extension.update_community(community(**{"id": gid, **bad})),
        ):
            assert await refused(call) == INVALID
        assert await refused(one.extension.create_community(community(), "x" * 257)) == INVALID
        assert await rooms.snapshot() == before


async def test_members_stay_when_they_are_gone() -> None:
    async with piped() as rooms, rooms.console(1001) as b:
        async with rooms.console(1000) as a:
            gid = await a.extension.create_community(community(), "")
            await b.extension.join_community(gid, "ho", "")
            again = "RendezVous::AlreadyParticipatedGathering"
            assert await refused(b.extension.join_community(gid, "", "")) == again
            await rooms.settled()
            assert [(told.kind, told.param2) for told in a.told] == [(3001, 1001)]
        assert (await rooms.get(gid)).pids == (1000, 1001)
        async with rooms.console(1000) as a:
            mine = await a.extension.find_community_by_participant(1000, ALL)
            assert [each.id for each in mine] == [gid]


async def test_passwords() -> None:
    async with piped() as rooms, rooms.consoles(2) as (a, b):
        gid = await a.extension.create_community(community(type=1, password="mew"), "")
        wrong = "RendezVous::InvalidGatheringPassword"
        for password in ("", "Mew", "mew "):
            assert await refused(b.extension.join_community(gid, "", password)) == wrong
        assert (await rooms.get(gid)).pids == (1000,)
        await b.extension.join_community(gid, "", "mew")
        assert (await rooms.get(gid)).pids == (1000, 1001)
        # Still the owner's alone to see.
        assert (await seen(b, gid)).password == ""
        [found] = await b.extension.find_community_by_participant(1000, ALL)
        assert found.password == ""


async def test_joining_is_refused_and_changes_nothing() -> None:
    async with piped(friends={}) as rooms, rooms.consoles(2) as (a, b):
        create = a.extension.create_community
        limited = await create(community(participation_end=at(HOUR)), "")
        friends = await create(community(participation_policy=98), "")
        small = await create(community(max_participants=1), "")
        plain = await a.matchmaking.register_gathering(Gathering())
        session = (await a.extension.create_matchmake_session(room(), "", 1)).gid
        rooms.clock.now += 2 * HOUR
        before = await rooms.snapshot()
        join = b.extension.join_community
        assert await refused(join(limited, "", "")) == "RendezVous::WithoutParticipationPeriod"
        assert await refused(join(friends, "", "")) == "RendezVous::NotFriend"
        assert await refused(join(small, "", "")) == "RendezVous::SessionFull"
        assert await refused(join(small, "x" * 257, "")) == INVALID
        for gid in (plain, session, 0, 4711, 2**32 - 1):
            assert await refused(join(gid, "", "")) == VOID
        assert await rooms.snapshot() == before


async def test_limits() -> None:
    async with piped() as rooms, rooms.consoles(6) as consoles:
        me, *others = consoles
        for each in others[:4]:
            for _ in range(4):
                gid = await each.extension.create_community(community(), "")
                await me.extension.join_community(gid, "", "")
        call = others[0].extension.create_community(community(), "")
        assert await refused(call) == "RendezVous::PersistentGatheringCreationMax"
        gid = await others[4].extension.create_community(community(), "")
        before = await rooms.snapshot()
        full = "RendezVous::PersistentGatheringParticipationMax"
        assert await refused(me.extension.join_community(gid, "", "")) == full
        # A founder is a member, too.
        assert await refused(me.extension.create_community(community(), "")) == full
        assert await rooms.snapshot() == before


async def test_updating() -> None:
    async with piped() as rooms, rooms.consoles(2) as (a, b):
        gid = await a.extension.create_community(community(), "")
        await b.extension.join_community(gid, "", "")
        changed = community(
            id=gid,
            owner=1001,
            host=1001,
            state=3,
            description="dogs",
            type=1,
            password="bow",
            attribs=[1, 2, 3, 4, 5, 6],
            application_buffer=b"data",
            participation_end=at(HOUR),
            max_participants=9,
        )
        assert await refused(b.extension.update_community(changed)) == DENIED
        await a.extension.update_community(changed)
        found = await seen(a, gid)
        changed.owner, changed.host, changed.state = 1000, 0, 0
        assert found == changed
        assert (await rooms.get(gid)).pids == (1000, 1001)
        for gid in (0, 4711, 2**32 - 1):
            assert await refused(a.extension.update_community(community(id=gid))) == VOID
        session = (await a.extension.create_matchmake_session(room(), "", 1)).gid
        assert await refused(a.extension.update_community(community(id=session))) == VOID


async def official(rooms: Rooms, **fields: Any) -> int:
    """Store a community as its operator would."""
    stored = await rooms.communities.create(
        Community(type=CommunityType.OFFICIAL, description="official", **fields)
    )
    return stored.gid


async def test_official_communities() -> None:
    async with piped() as rooms, rooms.consoles(2) as (a, b):
        await a.extension.create_community(community(), "")
        always = await official(rooms)
        over = await official(rooms, participation_end=at(-HOUR))
        soon = await official(rooms, participation_start=at(HOUR))
        now = await official(rooms, participation_start=at(-HOUR), participation_end=at(HOUR))

        async def found(available: bool, part: ResultRange) -> list[int]:
            every = await b.extension.find_official_community(available, part)
            return [each.id for each in every]

        assert await found(False, ALL) == [always, over, soon, now]
        assert await found(True, ALL) == [always, now]
        assert await found(False, ResultRange(1, 2)) == [over, soon]
        assert await found(False, ResultRange(2**32 - 1, 1)) == [always]
        await b.extension.join_community(always, "", "")
        for gid in (over, soon):
            period = "RendezVous::WithoutParticipationPeriod"
            assert await refused(b.extension.join_community(gid, "", "")) == period
        # A console owns none: not even one whose owner it claims to be.
        changed = community(id=always, type=2)
        assert await refused(a.extension.update_community(changed)) in {INVALID, DENIED}


async def test_sessions_of_a_community_and_visits() -> None:
    async with piped() as rooms, rooms.consoles(4) as (a, b, c, d):
        gid = await a.extension.create_community(community(), "")
        await b.extension.join_community(gid, "", "")
        await c.extension.join_community(gid, "", "")
        template = room(matchmake_system=5, attribs=[gid, 0, 0, 0, 0, 0])
        session = (await a.extension.create_matchmake_session(template, "", 1)).gid
        await b.extension.join_matchmake_session(session, "")
        # One that has the number there by chance.
        await d.extension.create_matchmake_session(
            room(matchmake_system=1, attribs=[gid, 0, 0, 0, 0, 0]), "", 1
        )
        counts = [
            (
                (await seen(each, gid)).matchmake_session_count,
                (await seen(each, gid)).num_participants,
            )
            for each in (a, b, c, d)
        ]
        assert counts == [(1, 1), (1, 1), (1, 0), (1, 0)]
        await c.extension.auto_matchmake_postpone(template, "")
        assert (await seen(c, gid)).num_participants == 1
        found = await b.extension.get_simple_community([gid, 0, gid, 4711, session])
        assert [(each.gid, each.matchmake_session_count) for each in found] == [(gid, 1)]
        for each in (a, b, c):
            await each.vanish()
        assert (await seen(d, gid)).matchmake_session_count == 0


async def test_finding() -> None:
    async with piped(lab_settings("4.0.1")) as rooms, rooms.consoles(3) as (a, b, c):
        gids = [
            await a.extension.create_community(community(type=1, password="x"), "") for _ in "123"
        ]
        await b.extension.join_community(gids[1], "", "x")
        session = (await a.extension.create_matchmake_session(room(), "", 1)).gid

        async def of_owner(pid: int, part: ResultRange) -> list[int]:
            found = await c.extension.find_community_by_owner(pid, part)
            assert {each.password for each in found} <= {""}
            return [each.id for each in found]

        async def of_participant(pid: int, part: ResultRange) -> list[int]:
            found = await c.extension.find_community_by_participant(pid, part)
            assert {each.password for each in found} <= {""}
            return [each.id for each in found]

        for find in (of_owner, of_participant):
            assert await find(1000, ALL) == gids
            assert await find(1000, ResultRange(1, 1)) == gids[1:2]
            assert await find(1000, ResultRange(2**32 - 1, 2**32 - 1)) == gids
            assert await find(1000, ResultRange(20_000, 1)) == []
            assert await find(0, ALL) == await find(4711, ALL) == []
        assert await of_owner(1001, ALL) == []
        assert await of_participant(1001, ALL) == gids[1:2]
        by_gid = c.extension.find_community_by_gathering_id
        found = await by_gid([gids[2], session, 0, gids[0], gids[2], 2**32 - 1])
        assert [each.id for each in found] == [gids[2], gids[0]]
        assert await refused(by_gid(list(range(301)))) == INVALID
        assert await refused(c.extension.get_simple_community([1] * 101)) == INVALID
        [own] = await a.extension.find_community_by_gathering_id(gids[:1])
        assert own.password == "x"


async def test_privacy() -> None:
    async with piped() as rooms, rooms.consoles(2) as (a, b):
        gid = await a.extension.create_community(community(), "")
        await a.extension.update_privacy_setting(True, False)
        assert await b.extension.find_community_by_participant(1000, ALL) == []
        own = await a.extension.find_community_by_participant(1000, ALL)
        assert [each.id for each in own] == [gid]
        await a.extension.update_privacy_setting(False, True)
        found = await b.extension.find_community_by_participant(1000, ALL)
        assert [each.id for each in found] == [gid]
        assert not (await rooms.preferences.privacy(1000)).online_status


async def test_leaving_a_community() -> None:
    async with piped() as rooms, rooms.consoles(2) as (a, b):
        gid = await a.extension.create_community(community(flags=0x10), "")
        await b.extension.join_community(gid, "", "")
        await b.ext.end_participation(gid, "bye")
        assert (await rooms.get(gid)).pids == (1000,)
        assert await b.extension.find_community_by_participant(1001, ALL) == []
