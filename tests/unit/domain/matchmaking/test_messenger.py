from __future__ import annotations

import pytest

from nekonex.domain import Notification
from nekonex.domain.matchmaking.notices import Event, Notice
from nekonex.events import GatheringJoined
from tests.support.matchmaking import Console, World, session

ALL = 0x400


class Narrow(Console):
    """A console whose version of NEX has no room for large parameters."""

    def notify(self, event: Notification) -> None:
        if max(event.param1, event.param2) > 1000:
            raise ValueError("does not fit")
        super().notify(event)


def narrow(world: World, pid: int) -> Narrow:
    console = Narrow(pid, 10_000 + pid)
    world.players.register(console)
    return console


async def test_what_does_not_fit_one_console_is_lost_to_that_one_alone(
    caplog: pytest.LogCaptureFixture,
) -> None:
    world = World()
    one = world.connect(1)
    two = narrow(world, 2)
    three = world.connect(3)
    made = await world.create(one, session(flags=ALL))
    for console in (two, three):
        await world.join(console, made.gid)
    await world.service.leave(3, made.gid)

    assert one.kinds() == [Event.JOINED, Event.JOINED, Event.JOINED, Event.ENDED]
    assert two.told == []
    assert three.kinds() == [Event.JOINED]
    assert "does not fit" in caplog.text
    assert (await world.get(made.gid)).pids == (1, 2)
    assert world.published[-1] != GatheringJoined("test", made.gid, 2, 2)


async def test_notices_reach_the_newest_connection_of_those_who_are_connected() -> None:
    world = World()
    old = world.connect(1)
    new = world.connect(1)
    other = world.connect(2)
    messenger = world.service.messenger
    notification = Notification(5, text="x")

    messenger.send([Notice((1, 2, 3), notification), Notice((), notification)])
    assert (old.told, new.told, other.told) == ([], [notification], [notification])
    assert messenger.tell(1, notification)
    assert not messenger.tell(3, notification)
    world.players.unregister(new.connection_id)
    assert messenger.tell(1, notification)
    assert old.told == [notification]


async def test_a_subscriber_that_fails_takes_nothing_from_players() -> None:
    world = World()

    def failing(event: GatheringJoined) -> None:
        raise RuntimeError("a plugin failed")

    world.events.subscribe(GatheringJoined, failing)
    one, two = world.consoles(2)
    made = await world.create(one)
    await world.join(two, made.gid)
    assert one.kinds() == [Event.JOINED]
