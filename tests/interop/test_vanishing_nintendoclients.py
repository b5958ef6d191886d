"""NintendoClients' consoles that are gone all of a sudden, and what becomes of their rooms."""

from __future__ import annotations

from typing import Any

import pytest

from nekonex.domain import Notification
from tests.support.nexlab import lab_settings
from tests.support.roomlab import MIGRATE, NOTIFY, Rooms, served
from tests.support.their_rooms import TheirConsole, refused_there, their_console, their_consoles
from tests.support.their_structures import criteria, part, session
from tests.support.waiting import until

VOID = "RendezVous::SessionVoid"

TRANSPORT: dict[str, dict[str, Any]] = {"3.3.0": {"prudp__version": 0}, "3.5.4": {}}
QUICK = {"prudp__ping_timeout": 0.4, "prudp__resend_timeout": 0.2, "prudp__resend_limit": 3}
"""With these the server finds after 1.2 s that a console is gone."""


async def detail(console: TheirConsole, gid: int) -> Any:
    return await console.extension.find_matchmake_session_by_gathering_id_detail(gid)


async def room_of(rooms: Rooms, consoles: list[TheirConsole], flags: int) -> int:
    """Let the first console create a room, and the others join it."""
    first, *others = consoles
    made = await first.extension.create_matchmake_session(session(flags=flags), "", 1)
    for each in others:
        await each.extension.join_matchmake_session(made.gid, "")
    for each in consoles:
        each.take()
    gid: int = made.gid
    return gid


@pytest.mark.parametrize("version", TRANSPORT)
async def test_a_host_that_vanishes_hands_over(version: str) -> None:
    async with (
        served(lab_settings(version, **TRANSPORT[version], **QUICK)) as rooms,
        their_consoles(rooms, [1000, 1001, 1002, 1003]) as (a, b, c, d),
    ):
        gid = await room_of(rooms, [a, b, c], MIGRATE | NOTIFY)
        await a.vanish()
        for each in (b, c):
            await each.heard(3007)
            kinds = [told.kind for told in each.told if told.kind != 3001]
            assert kinds == [4000, 110000, 3007]
            told = {told.kind: told for told in each.told}
            assert told[4000] == Notification(4000, 1000, gid, 1001)
            assert told[110000] == Notification(110000, 1000, gid)
            assert told[3007] == Notification(3007, 1000, gid, 1000)
        found = await detail(c, gid)
        assert (found.owner, found.host, found.num_participants) == (1001, 1001, 2)
        assert [url["PID"] for url in await c.matchmaking.get_session_urls(gid)] == [1001, 1001]
        # What was found of the host before is found of its successor now.
        found = await d.extension.auto_matchmake_postpone(session(), "")
        assert (found.id, found.host) == (gid, 1001)
        await d.heard(3001, 2)
        await rooms.consistent(d)


async def test_only_the_new_owner_hears_who_it_was_without_the_flag() -> None:
    async with (
        served(lab_settings("3.5.4", **QUICK)) as rooms,
        their_consoles(rooms, [1000, 1001, 1002]) as (a, b, c),
    ):
        await room_of(rooms, [a, b, c], MIGRATE)
        await a.vanish()
        await b.heard(3007)
        await c.heard(110000)
        await c.extension.get_my_block_list()
        assert c.kinds() == [4000, 110000]
        assert [kind for kind in b.kinds() if kind != 3001] == [4000, 110000, 3007]


async def test_a_room_that_ends_with_its_owner() -> None:
    async with (
        served(lab_settings("3.5.4", **QUICK)) as rooms,
        their_consoles(rooms, [1000, 1001, 1002]) as (a, b, c),
    ):
        gid = await room_of(rooms, [a, b], NOTIFY)
        await a.vanish()
        assert await b.heard(109000) == [Notification(109000, 1000, gid)]
        assert await rooms.all() == []
        assert await c.extension.browse_matchmake_session(criteria(), part()) == []
        made = await c.extension.auto_matchmake_postpone(session(), "")
        assert (made.owner, made.num_participants) == (1002, 1)
        assert await refused_there(b.extension.join_matchmake_session(gid, "")) == VOID


async def test_a_guest_that_vanishes_and_an_empty_room() -> None:
    async with (
        served(lab_settings("3.5.4", **QUICK)) as rooms,
        their_consoles(rooms, [1000, 1001, 1002]) as (a, b, c),
    ):
        gid = await room_of(rooms, [a, b], 0)
        await b.vanish()
        assert await a.heard(3007) == [Notification(3007, 1001, gid, 1001)]
        assert (await detail(a, gid)).num_participants == 1
        await a.vanish()
        await until(lambda: rooms.game.players.count == 1)
        assert await rooms.all() == []
        found = await c.extension.browse_matchmake_session(
            criteria(vacant_only=False, exclude_locked=False), part()
        )
        assert found == []


async def test_who_comes_back_while_its_old_connection_is_still_believed_in() -> None:
    """A console that lost power and logs in again is not in its own way."""
    async with (
        served(lab_settings("3.5.4")) as rooms,
        their_consoles(rooms, [1000, 1001]) as (a, b),
    ):
        gid = await room_of(rooms, [a, b], MIGRATE | NOTIFY)
        await a.vanish()
        async with their_console(rooms, 1000) as again:
            await b.heard(3007)
            assert (await rooms.get(gid)).pids == (1001,)
            await again.extension.join_matchmake_session(gid, "")
            assert (await rooms.get(gid)).pids == (1001, 1000)
            await rooms.consistent(again)
