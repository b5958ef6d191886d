"""Many consoles meet at the same instant, over UDP: every one is in exactly one room.

Rooms have places for twelve. The many are of our own client role, because one of NintendoClients'
takes a hundred times as long; a smaller number of those shows the same.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Sequence
from math import ceil
from random import Random
from typing import Any

import pytest
from nintendo.nex import common, matchmaking

from nekonex.domain.matchmaking import Gathering
from tests.support.matchmaking import problems
from tests.support.nexlab import lab_settings
from tests.support.roomlab import (
    MIGRATE,
    NOTIFY,
    Console,
    Hearing,
    Rooms,
    auto_param,
    criteria,
    our_console,
    room,
    served,
)
from tests.support.their_rooms import their_consoles
from tests.support.waiting import until

PLACES = 12
PART = common.ResultRange(0, 100)
FLAGS = MIGRATE | NOTIFY
PATIENT: dict[str, Any] = {
    "prudp__ping_timeout": 1.0,
    "prudp__resend_timeout": 0.4,
    "prudp__resend_limit": 4,
}
"""With these the server finds after 3 s that a console is gone, and not before."""


@contextlib.asynccontextmanager
async def our_consoles(rooms: Rooms, pids: Iterable[int]) -> AsyncIterator[list[Console]]:
    """Log in consoles of ours, all at once."""
    async with contextlib.AsyncExitStack() as stack:
        yield await asyncio.gather(
            *[stack.enter_async_context(our_console(rooms, pid)) for pid in pids]
        )


async def check_rooms(rooms: Rooms, present: Sequence[Hearing]) -> list[Gathering]:
    """Check that everybody is in exactly one room, and return all rooms."""
    found = await rooms.all()
    everybody = [pid for each in found for pid in each.pids]
    assert sorted(everybody) == sorted(console.pid for console in present)
    assert max(each.places_taken for each in found) <= PLACES
    return found


async def settled(rooms: Rooms, present: Iterable[Hearing]) -> None:
    """Wait until what was told has arrived, and nothing contradicts itself any more."""
    views = [console.view for console in present]
    left: list[str] = []
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(10):
            while left := await problems(rooms.matchmaking, views=views):  # noqa: ASYNC110 - nothing tells
                await asyncio.sleep(0.05)
    assert not left, "\n".join(left[:20])


async def until_online(rooms: Rooms, number: int) -> None:
    """Wait until so many players are left."""
    await until(lambda: rooms.game.players.count <= number, 15)


def mode(**fields: Any) -> Any:
    return room(**{"game_mode": 3, "flags": FLAGS, "max_participants": PLACES, **fields})


@pytest.mark.async_timeout(40)
async def test_two_hundred_meet_at_the_same_instant_and_a_third_vanishes() -> None:
    pids = range(1000, 1200)
    async with (
        served(lab_settings(**PATIENT), players=pids) as rooms,
        our_consoles(rooms, pids) as consoles,
    ):
        found = await asyncio.gather(
            *[each.extension.auto_matchmake_postpone(mode(), "hi") for each in consoles]
        )
        there = await check_rooms(rooms, consoles)
        assert len(there) <= ceil(len(consoles) / PLACES) + 2
        for console, joined in zip(consoles, found, strict=True):
            assert console.pid in (await rooms.get(joined.id)).pids
        await settled(rooms, consoles)

        gone, rest = consoles[::3], [each for each in consoles if each.pid % 3 != 1000 % 3]
        await asyncio.gather(*[each.vanish() for each in gone])
        await until_online(rooms, len(rest))
        await settled(rooms, rest)
        there = await check_rooms(rooms, rest)
        online = {each.pid for each in rest}
        assert {each.host for each in there} <= online
        assert {each.owner for each in there} <= online


class Restless:
    """A console whose player cannot decide."""

    def __init__(self, console: Console, random: Random) -> None:
        self.console = console
        self.gid = 0
        self._random = random

    async def play(self) -> None:
        """Look for another room with up to three players, or leave, or stay."""
        stub = self.console.extension
        left = self.gid
        match self._random.choice(["search", "search", "criteria", "leave", "stay"]):
            case "search":
                param = auto_param(mode(), num_participants=self._random.randint(1, 3))
                self.gid = (await stub.auto_matchmake_with_param_postpone(param)).id
            case "criteria":
                wanted = criteria(game_mode="3", vacant_participants=self._random.randint(1, 3))
                self.gid = (
                    await stub.auto_matchmake_with_search_criteria_postpone([wanted], mode(), "")
                ).id
            case "leave" if self.gid:
                await self.console.ext.end_participation(self.gid, "")
                self.gid = 0
            case _:
                return
        if left != self.gid:
            self.console.view.left(left)


@pytest.mark.async_timeout(40)
@pytest.mark.parametrize("seed", range(2))
async def test_rooms_hold_while_players_come_and_go(seed: int) -> None:
    random = Random(seed)
    pids = range(1000, 1060)
    async with (
        served(lab_settings(**PATIENT), players=pids) as rooms,
        our_consoles(rooms, pids) as consoles,
    ):
        restless = [Restless(console, random) for console in consoles]
        for _ in range(4):
            await asyncio.gather(*[each.play() for each in restless])
            await settled(rooms, [each.console for each in restless])
            await check_rooms(rooms, [each.console for each in restless if each.gid])
        gone, restless = restless[::4], [each for each in restless if each.console.pid % 4]
        plays = [each.play() for each in restless]
        await asyncio.gather(*[each.console.vanish() for each in gone], *plays)
        await until_online(rooms, len(restless))
        await asyncio.gather(*[each.play() for each in restless])
        await settled(rooms, [each.console for each in restless])
        await check_rooms(rooms, [each.console for each in restless if each.gid])
        assert len(gone) == 15


@pytest.mark.async_timeout(40)
async def test_twenty_four_of_nintendoclients_fill_rooms_and_a_third_vanishes() -> None:
    pids = range(1000, 1024)
    template = matchmaking.MatchmakeSession()
    template.max_participants, template.game_mode, template.flags = PLACES, 3, FLAGS
    wanted = matchmaking.MatchmakeSessionSearchCriteria()
    wanted.game_mode = "3"
    async with (
        served(lab_settings(**PATIENT), players=pids) as rooms,
        their_consoles(rooms, pids) as consoles,
    ):
        found = await asyncio.gather(
            *[
                each.extension.auto_matchmake_with_search_criteria_postpone([wanted], template, "")
                for each in consoles
            ]
        )
        there = await check_rooms(rooms, consoles)
        assert len(there) <= len(consoles) // PLACES + 2
        assert {each.id for each in found} == {each.gid for each in there}
        await settled(rooms, consoles)
        gone, rest = consoles[::3], [each for each in consoles if each.pid % 3 != 1000 % 3]
        await asyncio.gather(*[each.vanish() for each in gone])
        await until_online(rooms, len(rest))
        await settled(rooms, rest)
        await check_rooms(rooms, rest)
        # Who takes the places finds no dead host.
        for each in await rest[0].extension.browse_matchmake_session(wanted, PART):
            assert each.host in {console.pid for console in rest}


@pytest.mark.parametrize("reporter", ["the guest", "the host"])
async def test_who_cannot_reach_each_other_is_kept_apart_for_a_while(reporter: str) -> None:
    template = matchmaking.MatchmakeSession()
    template.max_participants, template.flags = PLACES, FLAGS
    async with (
        served(lab_settings()) as rooms,
        their_consoles(rooms, [1000, 1001, 1002]) as (host, guest, third),
    ):
        first = await host.extension.auto_matchmake_postpone(template, "")
        assert (await guest.extension.auto_matchmake_postpone(template, "")).id == first.id
        if reporter == "the guest":
            await guest.nat.report_nat_traversal_result(host.cid, False)
        else:
            await host.nat.report_nat_traversal_result_detail(guest.cid, False, 1, 100)
        await guest.ext.end_participation(first.id, "")
        own = await guest.extension.auto_matchmake_postpone(template, "")
        assert own.owner == guest.pid
        # Somebody else in the room is reason enough, and others are not concerned.
        assert (await third.extension.auto_matchmake_postpone(template, "")).id in {
            first.id,
            own.id,
        }
        rooms.clock.now += 599
        again = await guest.extension.auto_matchmake_postpone(template, "")
        assert host.pid not in (await rooms.get(again.id)).pids
        rooms.clock.now += 2
        await third.ext.end_participation(
            next(each.gid for each in await rooms.all() if third.pid in each.pids), ""
        )
        again = await guest.extension.auto_matchmake_postpone(template, "")
        assert (await rooms.get(again.id)).pids == (host.pid, guest.pid)
