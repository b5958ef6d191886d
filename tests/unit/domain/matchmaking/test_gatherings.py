from __future__ import annotations

from typing import Any

import pytest

from nekonex.domain.matchmaking import (
    Community,
    Credentials,
    Gathering,
    GatheringFlag,
    MatchmakeSession,
    MatchmakingHooks,
    MatchmakingLimits,
    Refusal,
)
from nekonex.domain.matchmaking.notices import Event
from nekonex.domain.players import Player
from nekonex.events import (
    GatheringClosed,
    GatheringCreated,
    GatheringHandedOver,
    GatheringJoined,
    GatheringLeft,
)
from nekonex.values import ServiceUnavailable
from tests.support.matchmaking import Console, World, refused, session

PERSISTENT, MIGRATE, EMPTY, ALL = 0x001, 0x010, 0x080, 0x400


async def test_who_makes_a_gathering_heads_it_and_need_not_be_in_it() -> None:
    world = World()
    one = world.connect(1)
    made = await world.service.create(
        one, session(gid=5, owner=7, host=8, state=9, session_url="x", description="d")
    )

    assert made.gid >= 0x40000000
    assert (made.owner, made.host, made.state, made.session_url) == (1, 1, 0, "")
    assert (made.pids, made.description, made.registered) == ((), "d", world.clock.now)
    assert await world.get(made.gid) == made
    await world.consistent(exempt={made.gid})

    await world.vanish(one)
    assert await world.all() == []


async def test_the_bus_is_told_the_life_of_a_gathering() -> None:
    world = World()
    one, two = world.consoles(2)
    world.published.clear()

    made = await world.create(one, session(flags=MIGRATE), count=2)
    await world.join(two, made.gid)
    await world.service.leave(1, made.gid)
    await world.service.leave(2, made.gid)

    gid = made.gid
    assert world.published == [
        GatheringCreated("test", gid, "MatchmakeSession", 1),
        GatheringJoined("test", gid, 1, 2),
        GatheringJoined("test", gid, 2, 3),
        GatheringLeft("test", gid, 1),
        GatheringHandedOver("test", gid, 2, 2),
        GatheringLeft("test", gid, 2),
        GatheringClosed("test", gid),
    ]


async def test_hooks_may_refuse_what_is_made_and_what_it_becomes() -> None:
    class Picky(MatchmakingHooks):
        def validate(self, player: Player, gathering: Gathering) -> bool:
            return gathering.description != "rude"

    world = World(hooks=Picky())
    one = world.connect(1)
    assert await refused(world.create(one, session(description="rude"))) is Refusal.INVALID
    assert await world.all() == []

    made = await world.create(one)
    rude = world.service.update(one, made.gid, Gathering, lambda _: {"description": "rude"})
    assert await refused(rude) is Refusal.INVALID
    assert await world.all() == [made]


async def test_a_player_owns_and_joins_only_so_many() -> None:
    world = World(limits=MatchmakingLimits(max_owned=2, max_joined=2))
    one, two, three = world.consoles(3)
    made = [await world.service.create(two, session()) for _ in range(2)]
    assert await refused(world.service.create(two, session())) is Refusal.TOO_MANY
    made.append(await world.service.create(three, session()))

    for each in made[:2]:
        await world.join(one, each.gid)
    assert await refused(world.join(one, made[2].gid)) is Refusal.TOO_MANY


async def test_nobody_is_brought_into_more_gatherings_than_may_be() -> None:
    world = World(limits=MatchmakingLimits(max_joined=2))
    one, _ = world.consoles(2)
    base = await world.service.create(
        one, Gathering(flags=EMPTY), world.service.arrivals(one, 1, "", [2])
    )
    await world.create(one, session(flags=MIGRATE), additional=(2,), from_gid=base.gid)
    call = world.create(one, session(), additional=(2,), from_gid=base.gid)
    assert await refused(call) is Refusal.TOO_MANY
    await world.consistent()


async def test_all_gatherings_are_unregistered_or_none() -> None:
    world = World()
    one, two = world.consoles(2)
    mine = [await world.service.create(one, Gathering()) for _ in range(2)]
    other = await world.service.create(two, Gathering())
    gids = [each.gid for each in mine]
    before = await world.snapshot()
    for wrong, refusal in [(other.gid, Refusal.NOT_OWNER), (5, Refusal.UNKNOWN_GATHERING)]:
        assert await refused(world.service.unregister(1, [*gids, wrong])) is refusal
        assert await world.snapshot() == before
    await world.service.unregister(1, [*gids, gids[0]])
    assert await world.all() == [other]


async def test_gatherings_of_all_kinds_are_found_by_owner() -> None:
    world = World()
    one = world.connect(1)
    live = [await world.service.create(one, Gathering()) for _ in range(3)]
    lasting = [await world.service.create(one, Community()) for _ in range(2)]
    every = [each.gid for each in (*live, *lasting)]
    for offset in range(6):
        for limit in range(6):
            found = await world.service.of_owner(1, offset, limit)
            assert [each.gid for each in found] == every[offset : offset + limit]


async def test_participants_alone_may_ask() -> None:
    world = World()
    one, two, _ = world.consoles(3)
    made = await world.create(one)
    await world.join(two, made.gid)
    assert (await world.service.participating(made.gid, 2)).gid == made.gid
    assert await refused(world.service.participating(made.gid, 3)) is Refusal.NOT_ALLOWED
    assert await world.service.share_gathering(1, 2)
    assert not await world.service.share_gathering(1, 3)


async def test_a_session_counts_in_its_community_who_comes_to_it() -> None:
    world = World()
    one, two, three = world.consoles(3)
    community = await world.matchmaking.communities.create(one, Community(), "")
    await world.matchmaking.communities.join(two, community.gid, "", "")
    template = session(matchmake_system=5, attributes=(community.gid, 0, 0, 0, 0, 0))

    made = await world.create(one, template)
    for console in (two, three):
        await world.join(console, made.gid)
    await world.service.leave(2, made.gid)
    await world.join(two, made.gid)

    members = (await world.get(community.gid)).participants
    assert [(each.pid, each.visits) for each in members] == [(1, 1), (2, 2)]


async def test_joining_does_not_fail_because_nobody_can_count() -> None:
    class Down:
        def __init__(self, store: Any) -> None:
            self._store = store

        def __getattr__(self, name: str) -> Any:
            if name == "count_visits":
                raise ServiceUnavailable("the disk is full")
            return getattr(self._store, name)

    world = World(communities=Down)
    one, two = world.consoles(2)
    template = session(matchmake_system=5, attributes=(7, 0, 0, 0, 0, 0))
    made = await world.create(one, template)
    assert (await world.join(two, made.gid)).pids == (1, 2)


async def test_a_session_may_belong_to_a_community_that_is_not_there() -> None:
    world = World()
    one, two = world.consoles(2)
    for gid in (0, 77, 0x50000000, 0xFFFFFFFF):
        made = await world.create(one, session(matchmake_system=5, attributes=(gid, 0, 0, 0, 0, 0)))
        assert (await world.join(two, made.gid)).pids == (1, 2)


async def test_nothing_stays_of_a_player_who_is_gone_but_what_is_to_last() -> None:
    world = World(friends={1: [2], 2: [1]})
    one, two = world.consoles(2)
    matchmaking = world.matchmaking
    community = await matchmaking.communities.create(one, Community(), "")
    made = await world.create(one, session(flags=MIGRATE))
    await world.join(two, made.gid)
    await matchmaking.status.update(one, 101, 0, 0, "")
    await matchmaking.invitations.invite(1, made.gid, [2], "")
    await matchmaking.blocking.add(1, [3])

    for console in (one, two):
        await world.vanish(console)
    assert await world.all() == []
    assert not matchmaking.invitations._by_gathering
    assert not matchmaking.invitations._by_player
    assert matchmaking.status._of_player == {}
    assert matchmaking.blocking._known == {}
    assert (await world.get(community.gid)).pids == (1,)
    assert await matchmaking.blocking.of(1) == (3,)


async def test_a_community_store_that_is_down_keeps_nobody_in_a_session() -> None:
    class Down:
        def __init__(self, store: Any) -> None:
            self._store = store

        def __getattr__(self, name: str) -> Any:
            raise ServiceUnavailable("the disk is full")

    world = World(communities=Down, friends={1: [2]})
    one, two = world.consoles(2)
    made = await world.create(one, session(flags=MIGRATE | ALL))
    await world.join(two, made.gid)
    await world.matchmaking.status.update(one, 101, 0, 0, "")
    two.kinds()

    await world.vanish(one)
    assert (await world.get(made.gid)).pids == (2,)
    assert two.kinds() == [
        Event.OWNER_CHANGED,
        Event.HOST_CHANGED,
        Event.DISCONNECTED,
        Event.FRIEND_OFFLINE,
    ]


@pytest.mark.parametrize("shown", [Credentials(), Credentials(ignore_block_list=True)])
async def test_blocking_counts_unless_the_console_ignores_it(shown: Credentials) -> None:
    world = World()
    one, two, three = world.consoles(3)
    made = await world.create(one)
    await world.matchmaking.blocking.add(1, [2])
    await world.matchmaking.blocking.add(3, [1])
    if shown.ignore_block_list:
        await world.join(two, made.gid, shown)
        await world.join(three, made.gid, shown)
    else:
        found = await refused(world.join(two, made.gid, shown))
        assert found is Refusal.BLOCKED_BY_PARTICIPANT
        assert await refused(world.join(three, made.gid, shown)) is Refusal.BLOCKED


def named(console: Console) -> list[tuple[int, int, int]]:
    return [(each.kind, each.source_pid, each.param2) for each in console.told]


async def test_who_is_told_is_whoever_is_connected() -> None:
    world = World()
    one, two, three = world.consoles(3)
    made = await world.create(one, session(flags=ALL | MIGRATE))
    await world.join(two, made.gid)
    await world.join(three, made.gid)
    for console in (one, two, three):
        console.told.clear()
    world.players.unregister(two.connection_id)
    await world.service.leave(3, made.gid)
    assert (named(one), named(two), named(three)) == ([(Event.ENDED, 3, 3)], [], [])


async def test_plain_sessions_tell_their_owner_alone() -> None:
    world = World()
    one, two, three = world.consoles(3)
    made = await world.create(one)
    assert one.told == []
    await world.join(two, made.gid, message="hi")
    await world.join(three, made.gid, count=2)
    await world.service.leave(2, made.gid, message="bye")
    assert [(each.kind, each.source_pid, each.param3, each.text) for each in one.told] == [
        (Event.JOINED, 2, 2, "hi"),
        (Event.JOINED, 3, 4, ""),
        (Event.ENDED, 2, 0, "bye"),
    ]
    assert two.told == three.told == []
    assert isinstance(await world.get(made.gid), MatchmakeSession)
    assert not (await world.get(made.gid)).has(GatheringFlag.NOTIFY_ALL)
