"""NintendoClients' consoles of Mario Kart 8 and Monster Hunter XX meet at our server, over UDP.

Their modules repeat all of match making, and importing them changes NintendoClients' table of
data holders: they are imported when a test begins, and `their_consoles` sets the table right.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from nintendo.nex import common

from nekonex.domain import Notification
from nekonex.games.mario_kart_8 import MarioKart8MatchmakeExtensionServer
from nekonex.games.monster_hunter_xx import MonsterHunterXXMatchmakeExtensionServer
from tests.support.nexlab import lab_settings
from tests.support.roomlab import MIGRATE, NOTIFY, served
from tests.support.their_rooms import TheirConsole, refused_there, their_consoles

INVALID = "Core::InvalidArgument"
PART = common.ResultRange(0, 100)


class Title:
    """A module of a title, and its structures with values."""

    def __init__(self, name: str) -> None:
        self.module = import_module(f"nintendo.nex.{name}")

    def make(self, name: str, **fields: Any) -> Any:
        made = getattr(self.module, name)()
        for field, value in fields.items():
            setattr(made, field, value)
        return made

    def session(self, **fields: Any) -> Any:
        return self.make("MatchmakeSession", **{"max_participants": 12, **fields})

    def criteria(self, **fields: Any) -> Any:
        return self.make("MatchmakeSessionSearchCriteria", **fields)

    def community(self, **fields: Any) -> Any:
        given = {
            "flags": 0,
            "type": 0,
            "password": "",
            "attribs": [0] * 6,
            "application_buffer": b"",
            "participation_start": common.DateTime(0),
            "participation_end": common.DateTime(0),
            "matchmake_session_count": 0,
            "num_participants": 0,
        }
        return self.make("PersistentGathering", **{**given, **fields})


async def generic_methods(title: Title, a: TheirConsole, b: TheirConsole, c: TheirConsole) -> int:
    """Go through what all titles have; the value is the gid of a room with all three."""
    template = title.session(game_mode=3, attribs=[1, 2, 3, 4, 5, 6], flags=MIGRATE | NOTIFY)
    made = await a.extension.create_matchmake_session(template, "hi", 1)
    gid: int = made.gid
    wanted = title.criteria(game_mode="2,4", attribs=["1", "", "0,9", "", "4,5,6", ""])
    [found] = await b.extension.browse_matchmake_session(wanted, PART)
    assert (found.id, found.attribs, found.session_key) == (gid, [1, 2, 3, 4, 5, 6], b"")
    found = await b.extension.auto_matchmake_with_search_criteria_postpone(
        [wanted], title.session(), "ho"
    )
    assert (found.id, found.num_participants) == (gid, 2)
    assert found.session_key == made.session_key
    found = await c.extension.auto_matchmake_postpone(template, "hu")
    assert (found.id, found.num_participants) == (gid, 3)
    assert (await a.heard(3001, 3))[2] == Notification(3001, 1002, gid, 1002, 3, "hu")
    await a.extension.close_participation(gid)
    await a.extension.modify_current_game_attribute(gid, 0, 9)
    await a.extension.update_application_buffer(gid, b"buffer")
    found = await c.extension.find_matchmake_session_by_single_gathering_id(gid)
    assert (found.open_participation, found.attribs[0]) == (False, 9)
    assert found.application_data == b"buffer"
    [simple] = await c.extension.get_simple_playing_session([1000], False)
    assert (simple.gid, simple.game_mode, simple.attribute) == (gid, 3, 9)
    [playing] = await c.extension.get_playing_session([1001])
    assert playing.gathering.id == gid
    bad = title.session(description="x" * 257)
    assert await refused_there(a.extension.create_matchmake_session(bad, "", 1)) == INVALID
    await a.extension.open_participation(gid)
    urls = await c.matchmaking.get_session_urls(gid)
    assert [url["PID"] for url in urls] == [1000, 1000]
    community = await a.extension.create_community(title.community(description="cats"), "")
    await b.extension.join_community(community, "", "")
    [found] = await c.extension.find_community_by_participant(1001, PART)
    assert (found.id, found.description) == (community, "cats")
    return gid


async def test_mario_kart_8() -> None:
    title = Title("matchmaking_mk8")
    async with (
        served(lab_settings("3.5.4"), extension=MarioKart8MatchmakeExtensionServer) as rooms,
        their_consoles(rooms, range(1000, 1004), module=title.module, suffix="MK8") as consoles,
    ):
        a, b, c, d = consoles
        gid = await generic_methods(title, a, b, c)
        join = d.extension.join_matchmake_session_with_extra_participants
        assert await refused_there(join(gid, "", False, 2, 5)) == INVALID
        assert await refused_there(join(0, "", False, 1, 0)) == "RendezVous::SessionVoid"
        key = await join(gid, "us", False, 1, 3)
        assert key == (await rooms.get(gid)).session_key
        told = await a.heard(3001, 5)
        assert told[4] == Notification(3001, 1003, gid, 1003, 7, "us")
        call = d.extension.search_simple_search_object_by_object_ids([1])
        assert await refused_there(call) == "Core::NotImplemented"
        await a.ext.end_participation(gid, "")
        for each in (b, c, d):
            assert await each.heard(4000) == [Notification(4000, 1000, gid, 1001)]
            await each.heard(3008)
        a.view.left(gid)
        await rooms.consistent(*consoles)


async def test_monster_hunter_xx() -> None:
    title = Title("matchmaking_mhxx")
    settings = lab_settings("4.4.0", nex__pid_size=8)
    async with (
        served(settings, extension=MonsterHunterXXMatchmakeExtensionServer) as rooms,
        their_consoles(rooms, range(1000, 1003), module=title.module, suffix="MHXX") as consoles,
    ):
        a, b, c = consoles
        gid = await generic_methods(title, a, b, c)
        password = await a.extension.generate_matchmake_session_system_password(gid)
        assert await c.heard(120000) == [Notification(120000, 1000, gid, text=password)]
        await c.ext.end_participation(gid, "")
        param = title.make(
            "JoinMatchmakeSessionParam",
            gid=gid,
            participants=[],
            gid_for_participation_check=0,
            options=0,
            behavior=0,
            user_password="",
            system_password=password,
            join_message="",
            num_participants=1,
            extra_participants=2,
        )
        joined = await c.extension.join_matchmake_session_with_param(param)
        assert joined.num_participants == 5
        [found] = await c.extension.find_community_by_owner(1000, PART)
        assert (found.owner, found.description) == (1000, "cats")
        assert await refused_there(c.extension.get_friends()) == "Core::NotImplemented"
        wanted = title.criteria(exclude_system_password=True, range=common.ResultRange(0, 5))
        stub = a.extension
        assert await stub.browse_matchmake_session_no_holder_no_result_range(wanted) == []
        await rooms.consistent(*consoles)
