from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from math import ceil
from random import Random
from typing import Any

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, rule

from nekonex.domain.matchmaking import MatchmakeSession, MatchmakingHooks, SessionQuery
from tests.support.crowd import ACTIONS, CONNECTIONS, Crowd, Dawdling, Distant
from tests.support.matchmaking import STAYS, World, session

CONSOLES = 10
ACTS = st.tuples(
    st.integers(1, CONSOLES),
    # Joining is what races are about, so it comes more often than the rest.
    st.sampled_from([*ACTIONS, *CONNECTIONS, "auto", "by criteria", "join", "bring"]),
    st.integers(0, 2**16),
)


class Matchmakers(RuleBasedStateMachine):
    """Whatever consoles do together, nothing ever contradicts itself."""

    def __init__(self) -> None:
        super().__init__()
        self.runner = asyncio.Runner()
        self.world = World(hooks=Dawdling(Random(1)))
        self.crowd = Crowd(self.world, CONSOLES)

    def run(self, call: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(call)

    @rule(acts=st.lists(ACTS, min_size=1, max_size=8))
    def act(self, acts: list[tuple[int, str, int]]) -> None:
        self.run(self.crowd.act_together(acts))
        assert self.run(self.crowd.problems()) == []

    @rule()
    def all_go_home(self) -> None:
        self.run(self.crowd.go_home())
        assert self.run(nothing_is_left(self.world)) == []
        self.crowd.unheard.clear()

    def teardown(self) -> None:
        self.all_go_home()
        self.runner.close()


async def nothing_is_left(world: World) -> list[str]:
    """Return what is left of players who have all gone."""
    matchmaking = world.matchmaking
    left = [f"{each}" for each in await world.all() if not each.has(STAYS) or each.host]
    left += [f"invitations to {gid}" for gid in matchmaking.invitations._by_gathering]
    left += [f"status of {pid}" for pid in matchmaking.status._of_player]
    return left


Matchmakers.TestCase.settings = settings(max_examples=25, stateful_step_count=12)
TestMatchmakers = Matchmakers.TestCase


def acts(crowd: Crowd, random: Random, number: int) -> list[tuple[int, str, int]]:
    names = [*ACTIONS, *CONNECTIONS]
    weights = [1] * len(ACTIONS) + [3, 9, 1]
    weights[list(ACTIONS).index("auto")] = weights[list(ACTIONS).index("by criteria")] = 8
    return [
        (random.choice(crowd.pids), what, random.randrange(2**32))
        for what in random.choices(names, weights, k=number)
    ]


@pytest.mark.parametrize("seed", [1, 2])
async def test_two_hundred_consoles_do_whatever_consoles_do(seed: int) -> None:
    random = Random(seed)
    world = World(seed=seed, hooks=Dawdling(random))
    crowd = Crowd(world, 200)
    for _ in range(12):
        await crowd.act_together(acts(crowd, random, 150))
        assert await crowd.problems() == []
    assert crowd.done > 600
    await crowd.go_home()
    assert await nothing_is_left(world) == []


@pytest.mark.parametrize("seed", [1, 2])
async def test_the_same_with_stores_that_are_far_away(seed: int) -> None:
    random = Random(seed)

    def distant(store: Any) -> Any:
        return Distant(store, random)

    world = World(
        seed=seed,
        hooks=Dawdling(random),
        live=distant,
        communities=distant,
        preferences=distant,
    )
    crowd = Crowd(world, 60)
    for _ in range(12):
        await crowd.act_together(acts(crowd, random, 80))
        # What is told about changes that overlap may arrive in another order.
        assert await crowd.problems(heard=False) == []
    assert crowd.done > 200
    await crowd.go_home()
    assert await nothing_is_left(world) == []


# -- all at the same instant -------------------------------------------------------------


def rooms_of(sessions: list[MatchmakeSession]) -> set[int]:
    return {each.gid for each in sessions}


@pytest.mark.parametrize("dawdling", [False, True])
@pytest.mark.parametrize("players", [1, 3])
@pytest.mark.parametrize("by_criteria", [False, True])
async def test_two_hundred_consoles_at_the_same_instant(
    players: int, dawdling: bool, by_criteria: bool
) -> None:
    hooks = Dawdling(Random(5)) if dawdling else MatchmakingHooks()
    world = World(hooks=hooks)
    consoles = world.consoles(200)
    queries = [SessionQuery()] if by_criteria else None
    template = session(flags=0x410)

    async with asyncio.timeout(30):
        joined = await asyncio.gather(
            *[world.auto(each, template, queries=queries, count=players) for each in consoles]
        )

    assert len(rooms_of(joined)) <= ceil(200 * players / 12) + 2
    rooms = await world.all()
    assert {each.gid for each in rooms} == rooms_of(joined)
    assert sorted(pid for room in rooms for pid in room.pids) == list(range(1, 201))
    assert all(room.places_taken <= 12 for room in rooms)
    assert [room.gid for pid, room in enumerate(joined, 1)] == [
        next(room.gid for room in rooms if room.participant(pid)) for pid in range(1, 201)
    ]
    await world.consistent(views=[each.view for each in consoles])


@pytest.mark.parametrize("seed", [1, 2, 3])
async def test_two_hundred_consoles_some_of_which_do_not_stay(seed: int) -> None:
    """One to three players each; some leave, some hosts vanish, while others still search."""
    random = Random(seed)
    world = World(seed=seed, hooks=Dawdling(random))
    consoles = world.consoles(200)
    gone = set()

    async def play(console: Any) -> None:
        await asyncio.sleep(0)
        made = await world.auto(console, session(flags=0xE10), count=random.randrange(1, 4))
        for _ in range(random.randrange(4)):
            await asyncio.sleep(0)
        fate = random.random()
        if fate < 0.2 and (await world.service.participating(made.gid, console.pid)):
            await world.service.leave(console.pid, made.gid)
            console.view.left(made.gid)
            if fate < 0.1:
                made = await world.auto(console, session(flags=0xE10))
            else:
                gone.add(console.pid)
        elif fate < 0.4 and console.pid == (await world.get(made.gid)).host:
            await world.vanish(console)
            gone.add(console.pid)

    async with asyncio.timeout(30):
        await asyncio.gather(*[play(each) for each in consoles])

    rooms = await world.all()
    staying = sorted(set(range(1, 201)) - gone)
    assert gone
    assert sorted(pid for room in rooms for pid in room.pids) == staying
    assert all(room.places_taken <= 12 for room in rooms)
    await world.consistent(views=[each.view for each in consoles if each.pid not in gone])
