from __future__ import annotations

import asyncio
from collections.abc import Collection
from typing import Any, cast

import pytest

from nekonex.domain.matchmaking import (
    Community,
    Gathering,
    LiveStore,
    MatchmakingLimits,
    Participant,
    Refusal,
)
from nekonex.domain.matchmaking.notices import Event
from nekonex.domain.matchmaking.ports import Privacy
from tests.support.matchmaking import World, refused, session
from tests.support.waiting import until

PERSISTENT, MIGRATE, EMPTY, ALL = 0x001, 0x010, 0x080, 0x400


async def test_a_console_in_two_gatherings_leaves_both() -> None:
    world = World()
    one, two, three = world.consoles(3)
    first = await world.create(one, session(flags=ALL))
    second = await world.create(three, session(flags=ALL))
    await world.join(two, first.gid)
    await world.join(two, second.gid)
    one.told.clear()
    three.told.clear()

    await world.vanish(two)
    assert [(await world.get(each.gid)).pids for each in (first, second)] == [(1,), (3,)]
    assert one.kinds() == three.kinds() == [Event.DISCONNECTED]
    await world.vanish(one)
    await world.vanish(three)
    assert await world.all() == []
    await world.vanish(three)


async def test_only_the_gatherings_of_that_connection_are_left() -> None:
    world = World()
    one, old = world.consoles(2)
    made = await world.create(one)
    new = world.connect(2)
    await world.join(new, made.gid)
    await world.vanish(old)
    assert (await world.get(made.gid)).pids == (1, 2)
    await world.vanish(new)
    assert (await world.get(made.gid)).pids == (1,)


async def test_who_is_back_is_out_of_what_it_took_part_in_before() -> None:
    world = World()
    one, two = world.consoles(2)
    made = await world.create(one)
    await world.join(two, made.gid)
    world.connect(2)
    await world.vanish(two)
    assert (await world.get(made.gid)).pids == (1,)
    await world.consistent()


async def test_who_is_away_for_good_hosts_nothing_whichever_connection_it_had() -> None:
    world = World()
    one, two = world.consoles(2)
    made = await world.service.create(one, session(flags=PERSISTENT))
    await world.join(two, made.gid)
    again = world.connect(2)
    await world.vanish(two)
    await world.vanish(one)
    assert (await world.get(made.gid)).host == 2
    await world.vanish(again)
    after = await world.get(made.gid)
    assert (after.host, after.pids) == (0, (2,))


class Late:
    """A store whose answers come late, so that a lot may happen after it has done its work."""

    def __init__(self, store: Any, names: Collection[str]) -> None:
        self.store = store
        self.names = names
        self.done = 0
        self.answer = asyncio.Event()

    def __getattr__(self, name: str) -> Any:
        method = getattr(self.store, name)
        if name not in self.names:
            return method

        async def call(*args: Any, **kwargs: Any) -> Any:
            result = await method(*args, **kwargs)
            self.done += 1
            await self.answer.wait()
            return result

        return call


def late(world: World, *names: str) -> Late:
    store = Late(world.live, names)
    world.service.live = cast("LiveStore", store)
    return store


@pytest.mark.parametrize("what", ["join", "bring", "create", "register"])
async def test_who_vanished_before_a_store_answered_does_not_stay(what: str) -> None:
    world = World()
    one, two = world.consoles(2)
    made = await world.create(one, session(flags=MIGRATE | EMPTY))
    await world.service.create(one, Gathering(), world.service.arrivals(one, 1, "", [2]))
    store = late(world, "create", "change")
    calls: dict[str, Any] = {
        "join": lambda: world.join(two, made.gid),
        "bring": lambda: world.service.bring(one, made.gid, [2], ""),
        "create": lambda: world.service.create(two, session(), world.service.arrivals(two, 1, "")),
        "register": lambda: world.service.create(two, session()),
    }
    calling = asyncio.ensure_future(calls[what]())
    await until(lambda: store.done)
    assert await world.live.of_participant(2) or what == "register"

    world.players.unregister(two.connection_id)
    store.answer.set()
    await calling
    assert list(await world.live.of_participant(2)) == []
    assert list(await world.live.of_owner(2, 0, 9)) == []
    await world.consistent()


async def test_who_came_back_before_a_store_answered_keeps_what_it_owns() -> None:
    world = World()
    one = world.connect(1)
    made = await world.service.create(one, Gathering())
    store = late(world, "of_owner")
    vanishing = asyncio.ensure_future(world.vanish(one))
    await until(lambda: store.done)
    world.connect(1)
    store.answer.set()
    await vanishing
    assert await world.all() == [made]


async def test_a_player_who_is_back_owns_what_it_registered() -> None:
    world = World()
    one = world.connect(1)
    made = await world.service.create(one, Gathering())
    world.players.unregister(one.connection_id)
    world.connect(1)
    await world.matchmaking.player_gone(1, one.connection_id)
    assert await world.all() == [made]


async def test_leaving_takes_a_message_of_so_many_characters() -> None:
    world = World()
    one, two = world.consoles(2)
    made = await world.create(one)
    await world.join(two, made.gid)
    assert await refused(world.service.leave(2, made.gid, message="x" * 257)) is Refusal.INVALID
    one.told.clear()
    await world.service.leave(2, made.gid, message="x" * 256, event=Event.CANCELLED)
    assert [(each.kind, each.text) for each in one.told] == [(Event.CANCELLED, "x" * 256)]


async def test_only_sessions_are_left_before_another_one_is_made() -> None:
    world = World()
    one, two = world.consoles(2)
    base = await world.service.create(one, Gathering(), world.service.arrivals(one, 1, ""))
    old = await world.create(two, session(flags=MIGRATE | ALL))
    await world.join(one, old.gid)
    two.kinds()
    made = await world.create(one)
    assert {each.gid: each.pids for each in await world.all()} == {
        base.gid: (1,),
        old.gid: (2,),
        made.gid: (1,),
    }
    assert two.kinds() == [Event.ENDED]


@pytest.mark.parametrize("flags", [PERSISTENT, EMPTY])
@pytest.mark.parametrize("how", ["vanish", "leave", "register"])
async def test_only_so_many_gatherings_outlive_their_players(flags: int, how: str) -> None:
    world = World(limits=MatchmakingLimits(max_abandoned=3))
    made = []
    for pid in range(1, 9):
        console = world.connect(pid)
        arrivals = [] if how == "register" else world.service.arrivals(console, 1, "")
        created = await world.service.create(console, session(flags=flags), arrivals)
        made.append(created.gid)
        if how == "leave":
            await world.service.leave(pid, created.gid)
        await world.vanish(console)
    assert [each.gid for each in await world.all()] == sorted(made[-3:])
    await world.consistent()


async def test_what_has_players_again_is_not_dropped() -> None:
    world = World(limits=MatchmakingLimits(max_abandoned=1))
    one = world.connect(1)
    kept = await world.create(one, session(flags=EMPTY))
    await world.vanish(one)
    two = world.connect(2)
    await world.join(two, kept.gid)
    for pid in range(3, 7):
        console = world.connect(pid)
        await world.create(console, session(flags=EMPTY))
        await world.vanish(console)
    assert (await world.get(kept.gid)).pids == (2,)
    assert len(await world.all()) == 2


async def test_what_its_owner_left_for_a_moment_is_not_abandoned() -> None:
    world = World(limits=MatchmakingLimits(max_abandoned=1))
    one = world.connect(1)
    kept = await world.service.create(one, session(flags=EMPTY), world.service.arrivals(one, 1, ""))
    await world.service.leave(1, kept.gid)
    for pid in range(3, 7):
        console = world.connect(pid)
        await world.create(console, session(flags=EMPTY))
        await world.vanish(console)
    assert await world.get(kept.gid)


@pytest.mark.parametrize("flags", [PERSISTENT, EMPTY])
@pytest.mark.parametrize("vanishes", [True, False])
async def test_what_nobody_plays_in_keeps_no_owner_from_another(
    flags: int, *, vanishes: bool
) -> None:
    world = World(limits=MatchmakingLimits(max_owned=3))
    one, two = world.consoles(2)
    made = [await world.create(one, session(flags=flags))]
    await world.join(two, made[0].gid)
    one.told.clear()
    for _ in range(5):
        if vanishes:
            await world.vanish(one)
            one = world.connect(1)
        made.append(await world.create(one, session(flags=flags)))
    # The oldest go, but none that somebody plays in.
    assert [each.gid for each in await world.all()] == [each.gid for each in (made[0], *made[-2:])]
    assert one.told == []
    await world.consistent()


async def test_what_would_end_when_empty_still_counts_while_it_is_registered() -> None:
    world = World(limits=MatchmakingLimits(max_owned=2))
    one = world.connect(1)
    for _ in range(2):
        await world.service.create(one, Gathering())
    assert await refused(world.create(one)) is Refusal.TOO_MANY
    assert len(await world.all()) == 2


async def test_what_keeps_the_absent_keeps_nobody_out_of_everything_else() -> None:
    world = World(limits=MatchmakingLimits(max_joined=2))
    host, guest = world.consoles(2)
    lasting = [
        await world.service.create(
            host, session(flags=PERSISTENT), world.service.arrivals(host, 1, "")
        )
        for _ in range(2)
    ]
    for made in lasting:
        await world.join(guest, made.gid)
    await world.vanish(guest)
    back = world.connect(guest.pid)
    third = await world.create(world.connect(9))
    assert (await world.join(back, third.gid)).participant(back.pid) is not None
    kept = await world.service.live.of_participant(back.pid)
    assert [gathering.gid for gathering in kept] == [lasting[1].gid, third.gid]
    # Those that it plays in are not left for it.
    await world.join(back, lasting[1].gid)
    fourth = await world.create(world.connect(8))
    before = await world.snapshot()
    assert await refused(world.join(back, fourth.gid)) is Refusal.TOO_MANY
    assert await world.snapshot() == before


async def test_a_player_who_is_forgotten_is_in_nothing_and_owns_nothing() -> None:
    world = World()
    one, two = world.consoles(2)
    kept = await world.create(one, session(flags=PERSISTENT))
    left = await world.create(two, session(flags=PERSISTENT))
    await world.join(one, left.gid)
    store = world.matchmaking.gatherings.communities
    own = await store.create(Community(owner=1, host=1, participants=(Participant(2),)))
    other = await store.create(Community(owner=2, host=2, participants=(Participant(1),)))
    empty = await store.create(
        Community(owner=2, flags=EMPTY, participants=(Participant(2), Participant(1)))
    )
    await world.vanish(one)
    assert (await world.get(left.gid)).participant(1)
    preferences = world.matchmaking.preferences
    await preferences.change_block_list(1, add=[2], limit=9)
    await preferences.set_privacy(1, Privacy(community_participation=False))

    assert await world.matchmaking.forget(1) == 3
    assert [each.gid for each in await world.all()] == [left.gid]
    assert (await world.get(left.gid)).pids == (2,)
    for gid, pids in ((own.gid, None), (other.gid, None), (empty.gid, (2,))):
        community = await store.get(gid)
        assert (None if community is None else community.pids) == pids
    assert await preferences.block_list(1) == []
    assert await preferences.privacy(1) == Privacy()
    assert await world.matchmaking.forget(1) == 0
    assert kept.gid not in [each.gid for each in await world.all()]
