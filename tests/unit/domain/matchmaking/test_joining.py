from __future__ import annotations

import asyncio
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from nekonex.domain.matchmaking import (
    Gathering,
    MatchmakingError,
    MatchmakingHooks,
    ParticipationPolicy,
    Refusal,
)
from nekonex.domain.matchmaking.notices import Event
from nekonex.domain.players import Player
from nekonex.values import RMCError
from tests.support.matchmaking import World, refused, session
from tests.support.waiting import until

PERSISTENT, MIGRATE, EMPTY, ALL = 0x001, 0x010, 0x080, 0x400


class Gate(MatchmakingHooks):
    """Hooks that hold everybody who joins until the test lets them go on."""

    def __init__(self) -> None:
        self.waiting = 0
        self.open = asyncio.Event()

    async def can_join(self, player: Player, gathering: Gathering) -> bool:
        self.waiting += 1
        await self.open.wait()
        return True


async def at_the_gate(gate: Gate, call: Any, number: int = 1) -> asyncio.Task[Any]:
    """Start a call and return when so many wait at the gate."""
    task: asyncio.Task[Any] = asyncio.ensure_future(call)
    await until(lambda: gate.waiting >= number)
    return task


async def test_what_is_another_kind_is_not_there() -> None:
    world = World()
    one, two = world.consoles(2)
    made = await world.service.create(one, Gathering(flags=EMPTY))
    assert await refused(world.join(two, made.gid)) is Refusal.UNKNOWN_GATHERING
    assert await refused(world.service.get_session(made.gid)) is Refusal.UNKNOWN_GATHERING


@pytest.mark.parametrize("gid", [0, 1, 0x3FFFFFFF, 0x40000000, 0x80000000, 0xFFFFFFFF])
async def test_unknown_gids_change_nothing(gid: int) -> None:
    world = World()
    one = world.connect(1)
    before = await world.snapshot()
    service = world.service
    for call in (
        world.join(one, gid),
        service.get(gid),
        service.leave(1, gid),
        service.unregister(1, [gid]),
        service.participating(gid, 1),
        service.update(one, gid, Gathering, lambda _: {}),
    ):
        assert await refused(call) is Refusal.UNKNOWN_GATHERING
    assert await service.find(gid) is None
    assert await service.get_many([gid, gid]) == []
    await service.amend(gid, lambda old: old)
    assert await world.snapshot() == before


async def test_companies_have_bounds() -> None:
    world = World()
    one = world.connect(1)
    for count, additional, refusal in (
        (17, (), Refusal.INVALID),
        (-1, (), Refusal.INVALID),
        (1, (1, 99), Refusal.OFFLINE),
        (1, tuple(range(100, 165)), Refusal.INVALID),
        (1, tuple(range(100, 164)), Refusal.OFFLINE),
    ):
        with pytest.raises(MatchmakingError) as caught:
            world.service.arrivals(one, count, "", additional)
        assert caught.value.refusal is refusal
    with pytest.raises(MatchmakingError):
        world.service.arrivals(one, 1, "x" * 257)


async def test_zero_players_on_a_console_are_one() -> None:
    world = World()
    one, two = world.consoles(2)
    arrivals = world.service.arrivals(one, 0, "hi", [2, 1, 2])
    assert [(each.pid, each.connection_id, each.count, each.message) for each in arrivals] == [
        (1, one.connection_id, 1, "hi"),
        (2, two.connection_id, 1, "hi"),
    ]
    assert world.service.arrivals(one, 16, "")[0].count == 16


async def test_two_who_want_the_last_place_do_not_both_get_it() -> None:
    gate = Gate()
    world = World(hooks=gate)
    one, two, three = world.consoles(3)
    made = await world.create(one, session(max_participants=2))

    first = await at_the_gate(gate, world.join(two, made.gid))
    second = await at_the_gate(gate, world.join(three, made.gid), 2)
    gate.open.set()

    assert (await first).pids == (1, 2)
    assert await refused(second) is Refusal.FULL
    await world.consistent()


async def test_one_who_joins_twice_at_a_time_is_in_once() -> None:
    gate = Gate()
    world = World(hooks=gate)
    one, two = world.consoles(2)
    made = await world.create(one)
    first = await at_the_gate(gate, world.join(two, made.gid))
    second = await at_the_gate(gate, world.join(two, made.gid), 2)
    gate.open.set()
    assert (await first).pids == (1, 2)
    assert await refused(second) is Refusal.ALREADY_PARTICIPATING


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"open_participation": False}, Refusal.CLOSED),
        ({"system_password": "x"}, Refusal.NEEDS_PASSWORD),
        ({"user_password_enabled": True}, Refusal.NEEDS_PASSWORD),
        ({"policy": ParticipationPolicy.FRIENDS}, Refusal.NOT_FRIEND),
        ({"max_participants": 1}, Refusal.FULL),
    ],
)
async def test_what_changed_while_a_game_decided_counts(
    change: dict[str, Any], refusal: Refusal
) -> None:
    gate = Gate()
    world = World(hooks=gate)
    one, two = world.consoles(2)
    made = await world.create(one)
    joining = await at_the_gate(gate, world.join(two, made.gid))
    await world.service.amend(made.gid, lambda old: replace(old, **change))
    gate.open.set()
    assert await refused(joining) is refusal
    assert (await world.get(made.gid)).pids == (1,)


async def test_a_blocker_who_came_in_meanwhile_keeps_one_out() -> None:
    gate = Gate()
    world = World(hooks=gate)
    one, two, three = world.consoles(3)
    await world.matchmaking.blocking.add(2, [3])
    made = await world.create(one)
    second = await at_the_gate(gate, world.join(two, made.gid))
    third = await at_the_gate(gate, world.join(three, made.gid), 2)
    gate.open.set()
    assert (await second).pids == (1, 2)
    assert await refused(third) is Refusal.BLOCKED_BY_PARTICIPANT


async def test_who_vanished_while_a_game_decided_is_not_let_in() -> None:
    gate = Gate()
    world = World(hooks=gate)
    one, two = world.consoles(2)
    made = await world.create(one)
    joining = await at_the_gate(gate, world.join(two, made.gid))
    await world.vanish(two)
    gate.open.set()

    assert await refused(joining) is Refusal.OFFLINE
    assert (await world.get(made.gid)).pids == (1,)
    await world.consistent()


async def test_who_came_back_while_a_game_decided_is_not_let_in_with_the_old_connection() -> None:
    gate = Gate()
    world = World(hooks=gate)
    one, two = world.consoles(2)
    made = await world.create(one)
    joining = await at_the_gate(gate, world.join(two, made.gid))
    await world.vanish(two)
    again = world.connect(2)
    gate.open.set()
    assert await refused(joining) is Refusal.OFFLINE
    joined = await world.join(again, made.gid)
    assert joined.participants[1].connection_id == again.connection_id


async def test_who_was_to_be_brought_and_vanished_is_not_let_in_nor_is_who_brings_it() -> None:
    gate = Gate()
    world = World(hooks=gate)
    one, two, three = world.consoles(3)
    made = await world.create(one)
    base = await world.service.create(
        two, Gathering(flags=MIGRATE), world.service.arrivals(two, 1, "", [3])
    )
    joining = await at_the_gate(gate, world.join(two, made.gid, additional=(3,), from_gid=base.gid))
    await world.vanish(three)
    gate.open.set()
    assert await refused(joining) is Refusal.OFFLINE
    assert (await world.get(made.gid)).pids == (1,)
    await world.consistent()


async def test_who_vanished_while_searching_makes_no_session() -> None:
    world: World

    async def slow_friends(pid: int) -> Iterable[int]:
        if pid == 2:
            await world.vanish(two)
        return []

    world = World(friends=slow_friends)
    one, two = world.consoles(2)
    made = await world.create(one, session(policy=ParticipationPolicy.FRIENDS))
    assert await refused(world.auto(two)) is Refusal.OFFLINE
    assert await world.all() == [made]
    await world.consistent()


async def test_a_player_whose_connection_was_lost_comes_back_before_that_is_noticed() -> None:
    world = World()
    one, two, three = world.consoles(3)
    made = await world.create(one, session(flags=ALL, max_participants=3))
    await world.join(two, made.gid)
    await world.join(three, made.gid)
    one.kinds()
    world.players.unregister(two.connection_id)
    again = world.connect(2)

    joined = await world.join(again, made.gid)
    assert joined.pids == (1, 3, 2)
    # The news of the old connection's end comes late.
    await world.matchmaking.player_gone(2, two.connection_id)
    assert (await world.get(made.gid)).pids == (1, 3, 2)
    assert one.kinds() == [Event.JOINED]
    await world.consistent()


async def test_a_player_who_is_still_connected_does_not_join_again() -> None:
    world = World()
    one, two = world.consoles(2)
    made = await world.create(one)
    await world.join(two, made.gid)
    assert await refused(world.join(world.connect(2), made.gid)) is Refusal.ALREADY_PARTICIPATING


async def test_who_is_in_already_only_brings_others() -> None:
    world = World()
    one, _, three = world.consoles(3)
    made = await world.create(one, session(max_participants=2), count=1)
    base = await world.service.create(one, Gathering(), world.service.arrivals(one, 1, "", [2, 3]))
    company: dict[str, Any] = {"additional": (2,), "from_gid": base.gid, "already_in": True}
    assert (await world.join(one, made.gid, **company)).pids == (1, 2)

    company = {"additional": (1, 3), "from_gid": base.gid, "already_in": True}
    assert await refused(world.join(three, made.gid, **company)) is Refusal.NOT_PARTICIPATING
    company = {"additional": (3,), "from_gid": base.gid, "already_in": True}
    assert await refused(world.join(one, made.gid, **company)) is Refusal.FULL
    assert (await world.join(one, made.gid, already_in=True)).pids == (1, 2)
    await world.consistent()


async def test_hooks_refuse_or_say_what_the_console_is_told() -> None:
    class Closed(MatchmakingHooks):
        async def can_join(self, player: Player, gathering: Gathering) -> bool:
            if player.pid == 3:
                raise RMCError("RendezVous::SessionClosed")
            return False

    world = World(hooks=Closed())
    one, two, three = world.consoles(3)
    made = await world.create(one)
    assert await refused(world.join(two, made.gid)) is Refusal.NOT_ALLOWED
    with pytest.raises(RMCError, match="SessionClosed"):
        await world.join(three, made.gid)
    assert await world.all() == [made]
