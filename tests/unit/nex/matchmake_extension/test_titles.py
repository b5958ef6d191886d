"""Methods that certain titles have under other numbers, or of their own."""

from __future__ import annotations

from typing import Any

import pytest

from nekonex.domain import Notification
from nekonex.games.mario_kart_8 import MarioKart8MatchmakeExtensionServer
from nekonex.games.monster_hunter_xx import MonsterHunterXXMatchmakeExtensionServer
from nekonex.nex.structures import PersistentGathering, ResultRange
from tests.support.nexlab import lab_settings
from tests.support.roomlab import Console, piped, refused, room


def join_all(console: Console) -> Any:
    """Return method 40 of Mario Kart 8."""
    stub = MarioKart8MatchmakeExtensionServer.client(console.session)
    return stub.join_matchmake_session_with_extra_participants


async def test_all_players_on_a_console_of_mario_kart_8_join() -> None:
    async with (
        piped(extension=MarioKart8MatchmakeExtensionServer) as rooms,
        rooms.consoles(4) as (a, b, c, d),
    ):
        made = await a.extension.create_matchmake_session(room(), "", 1)
        assert await join_all(b)(made.gid, "us", False, 1, 3) == made.session_key
        assert await join_all(c)(made.gid, "", False, 0, 0) == made.session_key
        await rooms.settled()
        assert a.take() == [
            Notification(3001, 1001, made.gid, 1001, 5, "us"),
            Notification(3001, 1002, made.gid, 1002, 6),
        ]
        before = await rooms.snapshot()
        join = join_all(d)
        invalid = "Core::InvalidArgument"
        assert await refused(join(made.gid, "", False, 3, 4)) == "RendezVous::SessionFull"
        assert await refused(join(made.gid, "", False, 1, 5)) == invalid
        assert await refused(join(made.gid, "", False, 1, 2**32 - 1)) == invalid
        assert await refused(join(made.gid, "", False, 2**16 - 1, 0)) == invalid
        assert await refused(join(made.gid, "x" * 257, False, 1, 0)) == invalid
        for gid in (0, 4711, 2**32 - 1):
            assert await refused(join(gid, "", False, 1, 0)) == "RendezVous::SessionVoid"
        assert await rooms.snapshot() == before
        await a.extension.add_to_block_list([1003])
        blocked = "RendezVous::DeniedByParticipants"
        assert await refused(join(made.gid, "", False, 1, 0)) == blocked
        await join(made.gid, "", True, 1, 0)


@pytest.mark.parametrize("number", [36, 37, 38, 39, 41])
async def test_tournaments_of_mario_kart_8_are_not_implemented(number: int) -> None:
    async with (
        piped(extension=MarioKart8MatchmakeExtensionServer) as rooms,
        rooms.console(1000) as one,
    ):
        call = one.session.call(109, number, bytes(64))
        assert await refused(call) == "Core::NotImplemented"


async def test_communities_of_an_owner_in_monster_hunter_xx() -> None:
    settings = lab_settings("4.4.0", nex__pid_size=8)
    async with (
        piped(settings, extension=MonsterHunterXXMatchmakeExtensionServer) as rooms,
        rooms.consoles(2) as (a, b),
    ):
        gid = await a.extension.create_community(PersistentGathering(attribs=[0] * 6), "")
        stub = MonsterHunterXXMatchmakeExtensionServer.client(b.session)
        [found] = await stub.find_community_by_owner(1000, ResultRange(0, 10))
        assert (found.id, found.owner) == (gid, 1000)
        call = b.extension.find_community_by_owner(1000, ResultRange(0, 10))
        assert await refused(call) == "Core::NotImplemented"
