"""What `tests.support.matchmaking.problems` is worth: it has to see what is wrong."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nekonex.domain import Notification
from nekonex.domain.matchmaking import Gathering, Outcome, Participant
from nekonex.domain.matchmaking.notices import Event
from tests.support.matchmaking import World, problems, session


async def room(flags: int = 0x810) -> tuple[World, list[Any], int]:
    world = World()
    consoles = world.consoles(3)
    made = await world.create(consoles[0], session(flags=flags, max_participants=3))
    for console in consoles[1:]:
        await world.join(console, made.gid)
    views = [console.view for console in consoles]
    assert await problems(world.matchmaking, views=views) == []
    return world, views, made.gid


TWICE = Participant(2, 2)


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"max_participants": 2}, "3 places are taken of 2"),
        ({"host": 9}, "its host, PID 9, does not take part"),
        ({"host": 0}, "its host, PID 0, does not take part"),
        ({"owner": 9}, "its owner, PID 9, does not take part"),
        ({"participants": ()}, "nobody takes part"),
        ({"participants": (TWICE, TWICE)}, "somebody is in it twice: (2, 2)"),
        ({"participants": (replace(TWICE, count=0),)}, "somebody takes no place"),
        ({"participants": (Participant(2, 99),)}, "PID 2 is a ghost"),
        ({"participants": (Participant(2, 3),)}, "PID 2 is a ghost"),
        ({"participants": (Participant(2, 2),)}, "PID 2 believes that {1, 3} are in"),
        ({"owner": 2}, ""),
    ],
)
async def test_what_is_wrong_is_seen(change: dict[str, Any], expected: str) -> None:
    world, views, gid = await room()

    def tamper(old: Gathering) -> Outcome[Gathering]:
        return Outcome(replace(old, **change))

    await world.live.change(gid, tamper)
    found = await problems(world.matchmaking, views=views)
    assert any(expected in problem for problem in found) or not expected, found


async def test_somebody_who_vanished_unnoticed_is_a_ghost() -> None:
    world, _, _ = await room()
    world.players.unregister(2)
    assert len(await problems(world.matchmaking)) == 1


async def test_what_consoles_were_not_told_is_seen() -> None:
    world, views, gid = await room()
    views[2].members[gid].remove(1)
    views[1].members[gid].add(8)
    views[0].owners[gid] = 7
    views[0].members[5] = {1}
    found = await problems(world.matchmaking, views=views)
    assert len(found) == 4
    assert await problems(world.matchmaking, views=views, unheard={gid, 5}) == []
    assert await problems(world.matchmaking) == []


async def test_lookups_that_disagree_are_seen() -> None:
    world, _, gid = await room()
    world.live._of_participant._lists[2].clear()
    world.live._index.discard(gid)
    found = await problems(world.matchmaking)
    assert any("what PID 2 takes part in" in problem for problem in found)
    assert any("free places" in problem for problem in found)


async def test_a_view_follows_what_it_is_told() -> None:
    world, views, gid = await room(0x400)
    assert [view.members[gid] for view in views] == [{1, 2, 3}, {2, 3}, {3}]
    view = views[0]
    for kind, known in (
        (Event.ENDED, {1, 3}),
        (Event.JOINED, {1, 2, 3}),
        (Event.CANCELLED, {1, 3}),
        (Event.JOINED, {1, 2, 3}),
        (Event.DISCONNECTED, {1, 3}),
    ):
        view.hear(Notification(kind, source_pid=2, param1=gid, param2=2))
        assert view.members[gid] == known
    view.hear(Notification(Event.UNREGISTERED, source_pid=2, param1=gid))
    assert gid not in view.members
    await world.consistent()
