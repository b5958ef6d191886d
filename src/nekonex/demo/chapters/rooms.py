"""Many consoles that look for a room at once, and hosts that vanish."""

import asyncio
import time
from collections import Counter
from collections.abc import Sequence
from functools import partial
from typing import Any, Final

from nekonex.demo.chapter import Chapter
from nekonex.demo.crowd import Visitor, crowd
from nekonex.demo.stage import Stage, Step, eventually
from nekonex.demo.structures import room
from nekonex.domain.matchmaking.notices import Event

__all__ = ["CHAPTER"]

_CONSOLES: Final = 24
_PLACES: Final = 12


class _Room:
    """A room, and the consoles in it in the order of their coming."""

    def __init__(self, gid: int = 0, visitors: Sequence[Visitor] = ()) -> None:
        self.gid = gid
        self.visitors = visitors
        self.pids = [visitor.online.pid for visitor in visitors]


async def play(stage: Stage) -> None:
    """Fill two rooms, and pull two plugs."""
    names = [f"shy-guy-{number}" for number in range(1, _CONSOLES + 1)]
    consoles = [await stage.console(name) for name in names]
    late = [await stage.console("wiggler")]
    async with crowd(consoles) as visitors, crowd(late) as [latecomer]:
        first = _Room()
        with stage.step(
            f"{_CONSOLES} consoles look for a room at once", "each is in one of two full rooms"
        ) as step:
            first = await _fill(step, visitors)
        if not first.visitors:
            return
        with stage.step("the owner of the first is told", "of each who came after it") as step:
            await _owner_is_told(step, first)
        dead = 0
        with stage.step("Wiggler finds them full", "it gets a room of its own") as step:
            made = await _look(latecomer)
            step.expect(made.num_participants == 1, f"{made.num_participants} are in it")
            dead = made.id
        await _pull_plugs(stage, first, latecomer)
        with stage.step("Cheep Cheep looks for a room", "it gets the free place") as step:
            await _take_the_free_place(step, stage, first, dead)
    with stage.step("they all go home", "no room is left") as step:
        step.expect(await stage.deserted(), "some are")


async def _look(visitor: Visitor) -> Any:
    return await visitor.online.extension.auto_matchmake_postpone(room(), "")


async def _fill(step: Step, visitors: Sequence[Visitor]) -> _Room:
    """Let all look at the same moment; return one of the rooms that they are in then."""
    start = time.perf_counter()
    found = await asyncio.gather(*map(_look, visitors))
    seconds = time.perf_counter() - start
    sizes = Counter(each.id for each in found)
    full = [_PLACES] * (_CONSOLES // _PLACES)
    step.expect(list(sizes.values()) == full, f"there are rooms of {list(sizes.values())}")
    by_pid = {visitor.online.pid: visitor for visitor in visitors}
    rooms = []
    for gid in sizes:
        asked = next(each for each, made in zip(visitors, found, strict=True) if made.id == gid)
        pids = await asked.online.participants(gid)
        rooms.append(_Room(gid, [by_pid[pid] for pid in pids]))
    everywhere = [pid for each in rooms for pid in each.pids]
    step.expect(sorted(everywhere) == sorted(by_pid), "the lists of participants say otherwise")
    step.saw(f"{' and '.join(map(str, sizes.values()))}, after {seconds:.2f} s")
    return rooms[0]


async def _owner_is_told(step: Step, full: _Room) -> None:
    """Expect that the owner heard of each of the others, once."""
    owner, *others = full.pids
    inbox = full.visitors[0].inbox

    def newcomers() -> list[int]:
        heard = [event.param2 for event in inbox.about(Event.JOINED, full.gid)]
        return [pid for pid in heard if pid != owner]

    await eventually(lambda: len(newcomers()) >= len(others))
    step.expect(newcomers() == others, f"it heard of {newcomers()}")
    step.saw(f"{len(others)} notifications")


async def _pull_plugs(stage: Stage, full: _Room, alone: Visitor) -> None:
    """Let the host of a full room vanish, and one who is alone in a room."""
    host, *others = full.visitors
    with stage.step(
        "two plugs are pulled: Wiggler's, a host's", "the server does not know it yet"
    ) as step:
        host.pull_the_plug()
        alone.pull_the_plug()
        gone = time.perf_counter()
        rooms = await stage.rooms()
        step.expect(rooms == 3, f"there are {rooms} rooms")
        step.saw("three rooms still")
    with stage.step("the server notices", "the 11 left are told who is host now") as step:
        told = partial(_was_told, full)
        everybody = await eventually(lambda: all(map(told, others)), 15)
        step.expect(everybody, f"{sum(map(told, others))} of them were")
        seconds = time.perf_counter() - gone
        left = await others[0].online.participants(full.gid)
        step.expect(left == full.pids[1:], f"{left} are in the room")

        async def dead_is_gone() -> bool:
            return await stage.rooms() == 2

        step.expect(await eventually(dead_is_gone), "the room of one is still there")
        step.saw(f"after {seconds:.1f} s; {len(left)} play on, and the room of one is gone")


def _was_told(full: _Room, visitor: Visitor) -> bool:
    """Tell whether a console heard, once, that the first left and the second took its place."""
    first, second, *_ = full.pids
    owners, hosts, gone = [
        [event.param2 for event in visitor.inbox.about(kind, full.gid)]
        for kind in (Event.OWNER_CHANGED, Event.HOST_CHANGED, Event.DISCONNECTED)
    ]
    # The new host is not named in the notification: consoles ask for its URLs when they get it.
    return owners == [second] and len(hosts) == 1 and gone == [first]


async def _take_the_free_place(step: Step, stage: Stage, full: _Room, dead: int) -> None:
    """Expect that a newcomer joins the room that lost its host, and can reach the new one."""
    async with crowd([await stage.console("cheep-cheep")]) as [newcomer]:
        found = await _look(newcomer)
        step.expect(found.id != dead, "it is in the dead room")
        step.expect(found.id == full.gid, "it is in another room")
        urls = await newcomer.online.match_making.get_session_urls(full.gid)
        hosts = {int(url["RVCID"]) for url in urls}
        expected = full.visitors[1].online.connection_id
        step.expect(hosts == {expected}, f"it is sent to {hosts}, not to {expected}")
        step.saw(f"{found.num_participants} of {_PLACES}, and is sent to the new host")


CHAPTER: Final = Chapter(
    "Rooms",
    "24 consoles press the same button; later a host is gone, and its room goes on.",
    play,
    limit=40,
    narrated=False,
)
