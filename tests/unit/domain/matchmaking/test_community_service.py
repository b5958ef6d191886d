from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nekonex.domain.matchmaking import (
    Community,
    CommunityType,
    Gathering,
    MatchmakingLimits,
    Participant,
    ParticipationPolicy,
    Privacy,
    Refusal,
)
from nekonex.domain.matchmaking.notices import Event
from nekonex.values import DateTime
from tests.support.matchmaking import Console, World, refused, session

DAY = 86_400


class Club:
    """A world with communities."""

    def __init__(self, **options: Any) -> None:
        self.world = World(**options)
        self.service = self.world.matchmaking.communities

    def at(self, seconds: float) -> DateTime:
        return DateTime.from_timestamp(self.world.clock.now + seconds)

    async def create(self, console: Console, **fields: Any) -> Community:
        return await self.service.create(console, Community(**fields), "founding")

    async def join(self, console: Console, gid: int, password: str = "") -> Community:
        return await self.service.join(console, gid, "joining", password)


async def test_the_founder_is_the_first_member_and_nobody_hosts() -> None:
    club = Club()
    one = club.world.connect(1)
    made = await club.create(one, description="d", password="p", type=1, host=5, owner=9)
    assert (made.owner, made.host, made.description, made.password) == (1, 0, "d", "p")
    assert made.participants == (Participant(1, message="founding"),)
    assert 0 < made.gid <= 0x3FFFFFFF


async def test_members_stay_when_they_are_offline() -> None:
    club = Club()
    one, two = club.world.consoles(2)
    made = await club.create(one)
    joined = await club.join(two, made.gid)
    assert joined.participants[1] == Participant(2, message="joining")
    await club.world.vanish(one)
    await club.world.vanish(two)
    assert await club.world.get(made.gid) == joined
    again = club.world.connect(2)
    assert await refused(club.join(again, made.gid)) is Refusal.ALREADY_PARTICIPATING


async def test_members_go_offline_out_of_those_that_do_not_keep_them() -> None:
    club = Club()
    one, two = club.world.consoles(2)
    made = await club.create(one, flags=0x040)
    await club.join(two, made.gid)
    await club.world.vanish(two)
    assert (await club.world.get(made.gid)).pids == (1,)


async def test_a_player_founds_four_communities_and_joins_sixteen() -> None:
    club = Club()
    one = club.world.connect(1)
    made = [await club.create(one) for _ in range(4)]
    assert await refused(club.create(one)) is Refusal.TOO_MANY_OWNED

    gids = [each.gid for each in made]
    for pid in (2, 3, 4, 5):
        console = club.world.connect(pid)
        gids += [(await club.create(console)).gid for _ in range(4)]
    for gid in gids[4:16]:
        await club.join(one, gid)
    before = await club.world.snapshot()
    assert await refused(club.join(one, gids[16])) is Refusal.TOO_MANY_JOINED
    assert await club.world.snapshot() == before
    await club.world.service.leave(1, gids[15])
    await club.join(one, gids[16])

    six = club.world.connect(6)
    for gid in gids[:16]:
        await club.join(six, gid)
    assert await refused(club.create(six)) is Refusal.TOO_MANY_JOINED


@pytest.mark.parametrize(
    "wrong",
    [
        {"type": 2},
        {"description": "x" * 257},
        {"password": "x" * 33},
        {"attributes": (0,) * 5},
        {"application_data": bytes(513)},
        {"max_participants": 257},
    ],
)
async def test_what_is_out_of_bounds_is_neither_made_nor_updated(wrong: dict[str, Any]) -> None:
    club = Club()
    one = club.world.connect(1)
    made = await club.create(one)
    before = await club.world.snapshot()
    assert await refused(club.create(one, **wrong)) is Refusal.INVALID
    assert await refused(club.service.update(one, replace(made, **wrong))) is Refusal.INVALID
    assert await club.world.snapshot() == before


async def test_periods_that_begin_later_or_are_over_are_out_of_bounds() -> None:
    club = Club()
    one = club.world.connect(1)
    for wrong in ({"participation_start": club.at(1)}, {"participation_end": club.at(-1)}):
        assert await refused(club.create(one, **wrong)) is Refusal.INVALID
    await club.create(one, participation_start=club.at(0), participation_end=club.at(0))


async def test_a_community_is_joined_in_its_period() -> None:
    club = Club()
    one, two = club.world.consoles(2)
    made = await club.create(one, participation_end=club.at(DAY))
    club.world.clock.now += DAY + 1
    assert await refused(club.join(two, made.gid)) is Refusal.OUTSIDE_PERIOD
    club.world.clock.now -= 1
    await club.join(two, made.gid)


async def test_joining_takes_the_password() -> None:
    club = Club()
    one, two = club.world.consoles(2)
    made = await club.create(one, type=1, password="päss")
    for wrong in ("", "pass", "PÄSS"):
        assert await refused(club.join(two, made.gid, wrong)) is Refusal.WRONG_COMMUNITY_PASSWORD
    await club.join(two, made.gid, "päss")


async def test_friends_of_the_owner_join_what_is_for_friends() -> None:
    club = Club(friends={2: [1]})
    one, two, three = club.world.consoles(3)
    made = await club.create(one, policy=ParticipationPolicy.FRIENDS)
    assert await refused(club.join(three, made.gid)) is Refusal.NOT_FRIEND
    await club.join(two, made.gid)


async def test_messages_have_bounds_and_sessions_are_no_communities() -> None:
    club = Club()
    one, two = club.world.consoles(2)
    made = await club.create(one)
    long = club.service.join(two, made.gid, "x" * 257, "")
    assert await refused(long) is Refusal.INVALID
    room = await club.world.create(one)
    for gid in (room.gid, 77, 0, 2**32 - 1):
        assert await refused(club.join(two, gid)) is Refusal.UNKNOWN_GATHERING
    assert await refused(club.world.join(two, made.gid)) is Refusal.UNKNOWN_GATHERING
    assert await refused(club.service.create(one, Community(), "x" * 257)) is Refusal.INVALID


async def test_only_so_many_are_members() -> None:
    club = Club(limits=MatchmakingLimits(max_members=3))
    one, two, three, four = club.world.consoles(4)
    made = await club.create(one)
    small = await club.create(one, max_participants=2)
    await club.join(two, made.gid)
    await club.join(two, small.gid)
    await club.join(three, made.gid)
    assert await refused(club.join(four, made.gid)) is Refusal.FULL
    assert await refused(club.join(three, small.gid)) is Refusal.FULL


async def test_members_who_blocked_each_other_may_belong_to_the_same_community() -> None:
    """They do not meet by belonging to it; and reading all their lists would take for ever."""
    club = Club()
    one, two = club.world.consoles(2)
    made = await club.create(one)
    await club.world.matchmaking.blocking.add(1, [2])
    await club.world.matchmaking.blocking.add(2, [1])
    await club.join(two, made.gid)


async def test_the_owner_updates_what_may_change() -> None:
    club = Club()
    one, two = club.world.consoles(2)
    made = await club.create(one)
    joined = await club.join(two, made.gid)
    changed = Community(
        gid=made.gid,
        owner=2,
        host=2,
        participants=(),
        description="new",
        type=1,
        password="p",
        attributes=(1, 2, 3, 4, 5, 6),
        application_data=b"x",
        max_participants=50,
        flags=0x040,
        policy=98,
        policy_argument=3,
    )
    assert await refused(club.service.update(two, changed)) is Refusal.NOT_OWNER
    await club.service.update(one, changed)
    assert await club.world.get(made.gid) == replace(
        changed,
        owner=1,
        host=0,
        participants=joined.participants,
        registered=made.registered,
    )


async def test_official_communities_are_the_operators() -> None:
    club = Club()
    one, two = club.world.consoles(2)
    official = await club.world.communities.create(
        Community(owner=1, type=CommunityType.OFFICIAL, participation_start=club.at(5))
    )
    for kind in (CommunityType.OFFICIAL, CommunityType.OPEN):
        update = club.service.update(one, replace(official, type=kind, description="mine"))
        assert await refused(update) in {Refusal.INVALID, Refusal.NOT_ALLOWED}
    later = await club.world.communities.create(Community(type=CommunityType.OFFICIAL))
    await club.create(one)

    async def found(*, available_only: bool) -> list[int]:
        views = await club.service.official(two, 0, 10, available_only=available_only)
        return [view.community.gid for view in views]

    assert await found(available_only=False) == [official.gid, later.gid]
    assert await found(available_only=True) == [later.gid]
    assert await refused(club.join(two, official.gid)) is Refusal.OUTSIDE_PERIOD
    club.world.clock.now += 5
    assert await found(available_only=True) == [official.gid, later.gid]
    await club.join(two, official.gid)


async def test_a_community_tells_how_many_sessions_belong_to_it() -> None:
    club = Club()
    consoles = club.world.consoles(5)
    made = await club.create(consoles[0])
    belonging = {"matchmake_system": 5, "attributes": (made.gid, 0, 0, 0, 0, 0)}
    await club.world.create(consoles[1], session(**belonging))
    await club.world.create(consoles[2], session(**{**belonging, "matchmake_system": 1}))
    await club.world.create(consoles[3], session(matchmake_system=5))
    assert await club.service.session_count(made.gid) == 1
    await club.world.create(consoles[4], session(**belonging))
    (view,) = await club.service.find(consoles[0], [made.gid])
    assert (view.community.gid, view.sessions) == (made.gid, 2)
    await club.world.vanish(consoles[1])
    assert await club.service.session_count(made.gid) == 1


async def test_each_member_sees_its_own_visits() -> None:
    club = Club()
    one, two, three = club.world.consoles(3)
    made = await club.create(one)
    await club.join(two, made.gid)
    room = await club.world.create(
        one, session(matchmake_system=5, attributes=(made.gid, 0, 0, 0, 0, 0), flags=0x010)
    )
    for _ in range(2):
        await club.world.join(two, room.gid)
        await club.world.service.leave(2, room.gid)
    community = await club.world.service.get_many([made.gid])
    visits = []
    for console in (one, two, three):
        (view,) = await club.service.find(console, [made.gid])
        visits.append(view.visits)
    assert visits == [1, 2, 0]
    assert len(community) == 1


async def test_whose_communities_they_are_is_told_unless_that_is_private() -> None:
    club = Club()
    one, two = club.world.consoles(2)
    made = [await club.create(one) for _ in range(3)]
    gids = [each.gid for each in made]

    async def seen(who: Console, offset: int = 0, limit: int = 10) -> list[int]:
        views = await club.service.of_participant(who, 1, offset, limit)
        return [view.community.gid for view in views]

    assert await seen(one) == await seen(two) == gids
    assert await seen(two, 1, 1) == gids[1:2]
    await club.world.preferences.set_privacy(1, Privacy(community_participation=False))
    assert await seen(one) == gids
    assert await seen(two) == []
    owned = await club.service.of_owner(two, 1, 1, 10)
    assert [view.community.gid for view in owned] == gids[1:]
    views = await club.service.find(two, [gids[2], 77, gids[0], gids[2]])
    assert [view.community.gid for view in views] == [gids[2], gids[0]]


async def test_what_lives_in_memory_is_no_community() -> None:
    club = Club()
    one = club.world.connect(1)
    room = await club.world.create(one)
    plain = await club.world.service.create(one, Gathering())
    assert await club.service.find(one, [room.gid, plain.gid]) == []


async def test_the_owner_is_told_who_joins_a_community() -> None:
    club = Club()
    one, two = club.world.consoles(2)
    made = await club.create(one)
    await club.join(two, made.gid)
    assert [(each.kind, each.param2, each.text) for each in one.told] == [
        (Event.JOINED, 2, "joining")
    ]
    await club.world.service.unregister(1, [made.gid])
    assert two.kinds() == [Event.UNREGISTERED]


async def test_a_community_ends_with_its_owner_unless_it_migrates() -> None:
    club = Club()
    one, two = club.world.consoles(2)
    ending = await club.create(one)
    staying = await club.create(one, flags=0x010)
    for each in (ending, staying):
        await club.join(two, each.gid)
        await club.world.service.leave(1, each.gid)
    assert await club.world.service.find(ending.gid) is None
    after = await club.world.get(staying.gid)
    assert (after.owner, after.host, after.pids) == (2, 0, (2,))
