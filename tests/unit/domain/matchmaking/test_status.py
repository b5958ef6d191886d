from __future__ import annotations

import pytest

from nekonex.domain import Notification
from nekonex.domain.matchmaking import Refusal
from nekonex.domain.matchmaking.notices import Event
from nekonex.domain.matchmaking.relations.status import STATUS_TYPES
from tests.support.matchmaking import World, refused

FRIENDS = {1: [2, 3, 77], 2: [1], 3: [1], 4: []}


async def test_friends_who_are_connected_are_told() -> None:
    world = World(friends=FRIENDS)
    one, two, three, four = world.consoles(4)
    await world.vanish(three)
    await world.matchmaking.status.update(one, 103, 5, 6, "hi")

    assert two.told == [Notification(103000, source_pid=1, param1=5, param2=6, text="hi")]
    assert one.told == three.told == four.told == []


async def test_what_friends_say_is_found_by_type() -> None:
    world = World(friends=FRIENDS)
    one, two, three, four = world.consoles(4)
    status = world.matchmaking.status
    await status.update(two, 101, 1, 0, "")
    await status.update(two, 108, 2, 0, "")
    await status.update(three, 101, 3, 0, "")
    await status.update(three, 101, 4, 0, "again")
    await status.update(four, 101, 5, 0, "")

    found = await status.of_friends(one, [101, 108, 105])
    assert [(each.source_pid, each.kind, each.param1) for each in found] == [
        (2, 101000, 1),
        (2, 108000, 2),
        (3, 101000, 4),
    ]
    assert [each.param1 for each in await status.of_friends(one, [108])] == [2]
    assert await status.of_friends(one, []) == []
    assert await status.of_friends(two, [101]) == []
    assert await status.of_friends(four, list(STATUS_TYPES)) == []


async def test_asking_twice_for_a_type_is_asking_once() -> None:
    world = World(friends=FRIENDS)
    one, two = world.consoles(2)
    await world.matchmaking.status.update(two, 101, 1, 0, "")
    assert len(await world.matchmaking.status.of_friends(one, [101] * 1000)) == 1


@pytest.mark.parametrize("kind", [0, 100, 109, 101000, 2**32 - 1])
async def test_other_types_are_refused(kind: int) -> None:
    world = World(friends=FRIENDS)
    one, two = world.consoles(2)
    status = world.matchmaking.status
    assert await refused(status.update(one, kind, 0, 0, "")) is Refusal.INVALID
    assert await refused(status.of_friends(one, [101, kind])) is Refusal.INVALID
    assert two.told == []
    assert status._of_player == {}


async def test_texts_have_so_many_characters() -> None:
    world = World(friends=FRIENDS)
    one, two = world.consoles(2)
    status = world.matchmaking.status
    assert await refused(status.update(one, 101, 0, 0, "x" * 257)) is Refusal.INVALID
    await status.update(one, 101, 0, 0, "x" * 256)
    assert [len(each.text) for each in two.told] == [256]


async def test_friends_are_told_of_the_end_if_there_was_something_to_tell() -> None:
    world = World(friends=FRIENDS)
    one, two, three = world.consoles(3)
    await world.matchmaking.status.update(one, 101, 0, 0, "")
    two.kinds()
    await world.vanish(one)
    await world.vanish(one)
    assert two.told == [Notification(Event.FRIEND_OFFLINE, source_pid=1)]
    assert await world.matchmaking.status.of_friends(two, [101]) == []
    two.told.clear()
    await world.vanish(three)
    assert two.told == []


async def test_another_connection_keeps_the_data() -> None:
    world = World(friends=FRIENDS)
    one, two = world.consoles(2)
    await world.matchmaking.status.update(one, 101, 0, 0, "")
    world.connect(1)
    two.kinds()
    await world.vanish(one)
    assert two.told == []
    assert len(await world.matchmaking.status.of_friends(two, [101])) == 1


async def test_nobody_has_friends_where_nobody_knows() -> None:
    world = World()
    one, two = world.consoles(2)
    await world.matchmaking.status.update(one, 101, 0, 0, "")
    assert await world.matchmaking.status.of_friends(two, [101]) == []
    await world.vanish(one)
    assert two.told == []
