"""NintendoClients' consoles meet: its MatchmakeExtensionClient at our server, over UDP.

Of each version the transport is told, because without a negotiated minor version (v0) there are
no structure headers before NEX 3.5.
"""

from __future__ import annotations

from typing import Any

import pytest
from nintendo.nex import matchmaking

from nekonex.domain import Notification
from nekonex.settings import Settings
from tests.support.nexlab import lab_settings
from tests.support.roomlab import MIGRATE, NOTIFY, served
from tests.support.their_rooms import TheirConsole, refused_there, their_console, their_consoles
from tests.support.their_structures import (
    all_of,
    auto_param,
    community,
    create_param,
    criteria,
    join_param,
    part,
    session,
    update_param,
)

VOID = "RendezVous::SessionVoid"
DENIED = "RendezVous::PermissionDenied"
INVALID = "Core::InvalidArgument"

CONFIGURATIONS: dict[str, dict[str, Any]] = {
    "3.3.0": {"prudp__version": 0},
    "3.5.4": {},
    "3.8.3": {},
    "4.0.1": {"nex__pid_size": 8},
}
each_version = pytest.mark.parametrize("version", CONFIGURATIONS)


def configured(version: str, **more: Any) -> Settings:
    return lab_settings(version, **CONFIGURATIONS[version], **more)


async def detail(console: TheirConsole, gid: int) -> Any:
    return await console.extension.find_matchmake_session_by_gathering_id_detail(gid)


# -- creating and joining ----------------------------------------------------------------------


@each_version
async def test_create_and_join(version: str) -> None:
    async with (
        served(configured(version)) as rooms,
        their_consoles(rooms, [1000, 1001, 1002]) as (a, b, c),
    ):
        places = 2 if version != "3.3.0" else 1
        template = session(
            flags=MIGRATE | NOTIFY, game_mode=3, attribs=[1, 2, 3, 4, 5, 6], application_data=b"x"
        )
        made = await a.extension.create_matchmake_session(template, "hi", 2)
        assert len(made.session_key) == 32
        assert await b.extension.join_matchmake_session(made.gid, "ho") == made.session_key
        key = await c.extension.join_matchmake_session_ex(made.gid, "hu", False, 2)
        assert key == made.session_key
        told = await a.heard(3001, 3)
        assert [(each.source_pid, each.param1, each.param2, each.text) for each in told] == [
            (1000, made.gid, 1000, "hi"),
            (1001, made.gid, 1001, "ho"),
            (1002, made.gid, 1002, "hu"),
        ]
        if version != "3.3.0":
            assert [each.param3 for each in told] == [2, 3, 5]
        # The last one is told, besides, of both who were there.
        assert {each.param2 for each in await c.heard(3001, 3)} == {1000, 1001, 1002}
        await b.heard(3001, 3)
        found = await detail(c, made.gid)
        assert (found.id, found.owner, found.host) == (made.gid, 1000, 1000)
        assert found.num_participants == 1 + 2 * places
        assert (found.session_key, found.application_data) == (made.session_key, b"x")
        assert (found.game_mode, found.attribs) == (3, [1, 2, 3, 4, 5, 6])
        urls = await c.matchmaking.get_session_urls(made.gid)
        assert [url["PID"] for url in urls] == [1000, 1000]
        assert urls[1]["RVCID"] == a.cid
        await rooms.consistent(a, b, c)
        await a.ext.end_participation(made.gid, "bye")
        for each in (b, c):
            assert await each.heard(4000) == [Notification(4000, 1000, made.gid, 1001)]
            assert await each.heard(110000) == [Notification(110000, 1000, made.gid)]
            assert await each.heard(3008) == [Notification(3008, 1000, made.gid, 1000, 0, "bye")]
        a.view.left(made.gid)
        await rooms.consistent(a, b, c)
        urls = await c.matchmaking.get_session_urls(made.gid)
        assert [url["PID"] for url in urls] == [1001, 1001]


@each_version
async def test_errors_by_name(version: str) -> None:
    async with (
        served(configured(version)) as rooms,
        their_consoles(rooms, [1000, 1001]) as (a, b),
    ):
        create, join = a.extension.create_matchmake_session, b.extension.join_matchmake_session
        gid = (await create(session(max_participants=1), "", 1)).gid
        before = await rooms.snapshot()
        assert await refused_there(join(gid, "")) == "RendezVous::SessionFull"
        assert await refused_there(join(0, "")) == VOID
        assert await refused_there(join(2**32 - 1, "")) == VOID
        assert await refused_there(b.extension.close_participation(gid)) == DENIED
        for bad in (
            session(description="x" * 257),
            session(attribs=[0] * 7),
            session(attribs=[0] * 5),
            session(application_data=b"x" * 513),
            matchmaking.Gathering(),
            community(),
        ):
            assert await refused_there(create(bad, "", 1)) == INVALID
        own = a.extension.modify_current_game_attribute(gid, 6, 1)
        assert await refused_there(own) == "Core::InvalidIndex"
        many = b.extension.browse_matchmake_session(criteria(), part(0, 101))
        assert await refused_there(many) == INVALID
        many = b.extension.get_playing_session(list(range(301)))
        assert await refused_there(many) == INVALID
        assert await rooms.snapshot() == before


async def test_passwords_of_both_kinds() -> None:
    async with (
        served(configured("3.8.3")) as rooms,
        their_consoles(rooms, [1000, 1001, 1002]) as (a, b, c),
    ):
        template = session(user_password="sesame", user_password_enabled=True)
        gid = (await a.extension.create_matchmake_session(template, "", 1)).gid
        assert await refused_there(b.extension.join_matchmake_session(gid, "")) == DENIED
        join = b.extension.join_matchmake_session_with_param
        user = "RendezVous::MatchmakeSessionUserPasswordUnmatch"
        assert await refused_there(join(join_param(gid, user_password="x"))) == user
        joined = await join(join_param(gid, user_password="sesame"))
        assert (joined.num_participants, joined.user_password) == (2, "sesame")
        assert joined.user_password_enabled
        [seen] = await c.extension.browse_matchmake_session(criteria(), part())
        assert (seen.user_password, seen.session_key) == ("", b"")
        assert (seen.user_password_enabled, seen.system_password_enabled) == (True, False)
        # A search that is to join passes over it.
        made = await c.extension.auto_matchmake_postpone(session(), "")
        assert made.owner == 1002

        password = await a.extension.generate_matchmake_session_system_password(gid)
        for each in (a, b):
            assert await each.heard(120000) == [Notification(120000, 1000, gid, text=password)]
        join = c.extension.join_matchmake_session_with_param
        wrong = join_param(gid, user_password="sesame", system_password="x")
        system = "RendezVous::MatchmakeSessionSystemPasswordUnmatch"
        assert await refused_there(join(wrong)) == system
        right = join_param(gid, user_password="sesame", system_password=password)
        joined = await join(right)
        assert joined.system_password_enabled
        await a.extension.clear_matchmake_session_system_password(gid)
        for each in (a, b, c):
            assert await each.heard(121000) == [Notification(121000, 1000, gid)]
        assert not (await detail(c, gid)).system_password_enabled


async def test_others_are_brought_along() -> None:
    async with (
        served(configured("4.0.1")) as rooms,
        their_consoles(rooms, [1000, 1001, 1002]) as (a, b, c),
    ):
        lobby = (await a.extension.create_matchmake_session(session(flags=MIGRATE), "", 1)).gid
        await b.extension.join_matchmake_session(lobby, "")
        target = (await c.extension.create_matchmake_session(session(), "", 1)).gid
        alone = join_param(target, participants=[1001])
        nobody = "RendezVous::NotParticipatedGathering"
        join = a.extension.join_matchmake_session_with_param
        assert await refused_there(join(alone)) == nobody
        joined = await join(
            join_param(
                target,
                participants=[1001],
                gid_for_participation_check=lobby,
                num_participants=2,
                extra_participants=3,
                join_message="us",
            )
        )
        assert joined.num_participants == 7
        assert await b.heard(122000) == [Notification(122000, 1000, target, 1001)]
        assert await c.heard(3001, 2) == [
            Notification(3001, 1000, target, 1000, 7, "us"),
            Notification(3001, 1001, target, 1001, 7, "us"),
        ]
        made = await a.extension.create_matchmake_session_with_param(
            create_param(
                session(),
                additional_participants=[1001],
                gid_for_participation_check=lobby,
                num_participants=2,
            )
        )
        assert (made.owner, made.num_participants) == (1000, 3)
        assert (await b.heard(122000, 2))[1].param1 == made.id
        assert (await rooms.get(made.id)).pids == (1000, 1001)
        await rooms.consistent()


# -- searching ---------------------------------------------------------------------------------


@each_version
async def test_auto_matchmaking_in_all_forms(version: str) -> None:
    async with (
        served(configured(version)) as rooms,
        their_consoles(rooms, range(1000, 1005)) as (a, b, c, d, e),
    ):
        template = session(game_mode=3, description="mine", flags=NOTIFY)
        first = await a.extension.auto_matchmake_postpone(template, "hi")
        assert (first.owner, first.num_participants, first.description) == (1000, 1, "mine")
        found = await b.extension.auto_matchmake_with_search_criteria_postpone(
            [criteria(game_mode="8,9"), criteria(game_mode="2,3")], session(), "ho"
        )
        assert (found.id, found.num_participants, found.game_mode) == (first.id, 2, 3)
        assert found.session_key == first.session_key
        found = await c.extension.auto_matchmake_with_gathering_id_postpone(
            [0, first.id], template, ""
        )
        assert (found.id, found.num_participants) == (first.id, 3)
        found = await d.extension.auto_matchmake_with_param_postpone(
            auto_param(session(), search_criteria=[criteria(game_mode="3")], num_participants=2)
        )
        assert (found.id, found.num_participants) == (first.id, 5)
        found = await e.extension.auto_matchmake_with_search_criteria_postpone(
            [criteria(game_mode="x,y")], session(game_mode=3), ""
        )
        assert found.owner == 1004
        found = await e.extension.auto_matchmake_postpone(template, "")
        assert found.id == first.id
        for each in (a, b, c, d, e):
            assert len(await each.heard(3001, 1)) >= 1
        await a.heard(3001, 5)
        await rooms.consistent(a)
        three = [criteria()] * 3
        for call in (
            a.extension.auto_matchmake_with_search_criteria_postpone(three, session(), ""),
            a.extension.auto_matchmake_with_param_postpone(
                auto_param(session(), search_criteria=three)
            ),
            a.extension.auto_matchmake_postpone(matchmaking.Gathering(), ""),
        ):
            assert await refused_there(call) == INVALID


async def test_auto_matchmaking_in_nex_2() -> None:
    """The one form in which NintendoClients is right about NEX 2."""
    async with (
        served(lab_settings("2.4.3")) as rooms,
        their_consoles(rooms, [1000, 1001]) as (a, b),
    ):
        first = await a.extension.auto_matchmake_postpone(session(game_mode=3, flags=NOTIFY), "hi")
        found = await b.extension.auto_matchmake_postpone(session(game_mode=3), "ho")
        assert (found.id, found.num_participants, found.session_key) == (first.id, 2, b"")
        told = await a.heard(3001, 2)
        assert told[1] == Notification(3001, 1001, first.id, 1001, 0, "ho")


@each_version
async def test_browsing(version: str) -> None:
    async with (
        served(configured(version)) as rooms,
        their_consoles(rooms, [1000, 1001, 1002]) as (a, b, c),
    ):
        stub = c.extension
        assert await stub.browse_matchmake_session(criteria(), part()) == []
        open_gid = (await a.extension.create_matchmake_session(session(game_mode=5), "", 1)).gid
        closed = (await b.extension.create_matchmake_session(session(game_mode=6), "", 1)).gid
        await b.extension.close_participation(closed)
        [found] = await stub.browse_matchmake_session(criteria(), part())
        assert (found.id, found.session_key, found.num_participants) == (open_gid, b"", 1)
        everything = criteria(exclude_locked=False, game_mode="5,6")
        reply = await stub.browse_matchmake_session_with_host_urls(everything, part())
        urls = {each.gid: each.urls for each in reply.urls}
        assert urls[closed] == []
        assert [url["RVCID"] for url in urls[open_gid]] == [a.cid, a.cid]
        found = await stub.browse_matchmake_session_no_holder(everything, part())
        assert {each.id for each in found} == {open_gid, closed}
        reply = await stub.browse_matchmake_session_with_host_urls_no_holder(everything, part(0, 1))
        assert len(reply.sessions) == len(reply.urls) == 1
        if version == "4.0.1":
            everything.range = part(1, 5)
            found = await stub.browse_matchmake_session_no_holder_no_result_range(everything)
            assert len(found) == 1
            reply = await stub.browse_matchmake_session_with_host_urls_no_holder_no_result_range(
                everything
            )
            assert len(reply.sessions) == 1
        assert await stub.browse_matchmake_session(criteria(game_mode="9,1"), part()) == []


# -- changing and asking -----------------------------------------------------------------------


@each_version
async def test_changing_ones_own(version: str) -> None:
    async with (
        served(configured(version)) as rooms,
        their_consoles(rooms, [1000, 1001]) as (a, b),
    ):
        stub = a.extension
        made = await stub.create_matchmake_session(session(), "", 1)
        gid = made.gid
        await stub.modify_current_game_attribute(gid, 0, 7)
        await stub.update_application_buffer(gid, b"buffer")
        await stub.update_progress_score(gid, 33)
        found = await b.extension.find_matchmake_session_by_single_gathering_id(gid)
        assert (found.attribs, found.application_data) == ([7, 0, 0, 0, 0, 0], b"buffer")
        if version != "3.3.0":
            assert found.progress_score == 33
        await stub.update_matchmake_session_attribute(gid, [1, 2, 3, 4, 5, 6])
        template = session(game_mode=8, description="new", attribs=[6, 5, 4, 3, 2, 1])
        template.id = gid
        await stub.update_matchmake_session(template)
        found = await detail(a, gid)
        assert (found.game_mode, found.description) == (8, "new")
        assert found.attribs == [6, 5, 4, 3, 2, 1]
        assert (found.owner, found.session_key) == (1000, made.session_key)
        await stub.update_matchmake_session_part(
            update_param(gid, 0x200 | 0x2, game_mode=9, open_participation=False, description="no")
        )
        found = await detail(a, gid)
        assert (found.game_mode, found.open_participation) == (9, False)
        assert found.description == "new"
        assert await refused_there(b.extension.update_matchmake_session(template)) == DENIED
        assert [
            each.id for each in await b.extension.find_matchmake_session_by_gathering_id([gid, 5])
        ] == [gid]
        assert [
            each.id for each in await b.extension.find_matchmake_session_by_owner(1000, part())
        ] == [gid]


@each_version
async def test_who_plays_what(version: str) -> None:
    async with (
        served(configured(version)) as rooms,
        their_consoles(rooms, [1000, 1001]) as (a, b),
    ):
        template = session(game_mode=3, attribs=[7, 0, 0, 0, 0, 0], application_data=b"x")
        gid = (await a.extension.create_matchmake_session(template, "", 1)).gid
        [playing] = await b.extension.get_playing_session([1000, 1001, 4711])
        assert (playing.pid, playing.gathering.id) == (1000, gid)
        assert playing.gathering.session_key == b""
        [simple] = await b.extension.get_simple_playing_session([1000], True)
        assert (simple.pid, simple.gid, simple.game_mode, simple.attribute) == (1000, gid, 3, 7)
        assert len(await a.extension.get_simple_playing_session([], True)) == 1
        param = all_of(matchmaking.FindMatchmakeSessionByParticipantParam, pids=[1000], options=1)
        [found] = await b.extension.find_matchmake_session_by_participant(param)
        assert (found.pid, found.session.id) == (1000, gid)
        assert found.session.application_data == b"x"


@each_version
async def test_communities(version: str) -> None:
    async with (
        served(configured(version)) as rooms,
        their_consoles(rooms, [1000, 1001]) as (a, b),
    ):
        made = community(type=1, password="mew", description="cats")
        gid = await a.extension.create_community(made, "hi")
        wrong = "RendezVous::InvalidGatheringPassword"
        assert await refused_there(b.extension.join_community(gid, "", "x")) == wrong
        await b.extension.join_community(gid, "ho", "mew")
        assert (await a.heard(3001))[0].param2 == 1001
        template = session(matchmake_system=5, attribs=[gid, 0, 0, 0, 0, 0])
        await b.extension.create_matchmake_session(template, "", 1)
        for console, password in ((a, "mew"), (b, "")):
            [found] = await console.extension.find_community_by_gathering_id([gid])
            assert (found.owner, found.host, found.description) == (1000, 0, "cats")
            assert (found.type, found.password) == (1, password)
            assert found.matchmake_session_count == 1
        [simple] = await a.extension.get_simple_community([gid])
        assert (simple.gid, simple.matchmake_session_count) == (gid, 1)
        [found] = await a.extension.find_community_by_participant(1001, part())
        assert found.id == gid
        await b.extension.update_privacy_setting(True, False)
        assert await a.extension.find_community_by_participant(1001, part()) == []
        assert await a.extension.find_official_community(True, part()) == []
        changed = community(description="dogs")
        changed.id = gid
        await a.extension.update_community(changed)
        [found] = await b.extension.find_community_by_gathering_id([gid])
        assert (found.description, found.type) == ("dogs", 0)
        await b.leave()
        assert (await rooms.get(gid)).pids == (1000, 1001)


@each_version
async def test_friends_tell_each_other(version: str) -> None:
    friends = {1000: [1001], 1001: [1000]}
    async with (
        served(configured(version), friends=friends) as rooms,
        their_consoles(rooms, [1000, 1001, 1002]) as (a, b, c),
    ):
        await a.extension.update_notification_data(101, 5, 2**32 - 1, "playing")
        told = Notification(101000, 1000, 5, 2**32 - 1, 0, "playing")
        assert await b.heard(101000) == [told]
        [event] = await b.extension.get_friend_notification_data(101)
        assert (event.type, event.pid, event.param1, event.text) == (101000, 1000, 5, "playing")
        found = await b.extension.get_friend_notification_data_list([102, 101])
        assert len(found) == 1
        assert await c.extension.get_friend_notification_data(101) == []
        call = a.extension.update_notification_data(109, 0, 0, "")
        assert await refused_there(call) == INVALID
        await a.leave()
        assert await b.heard(111000) == [Notification(111000, 1000)]
        assert c.told == []


@each_version
async def test_the_rest(version: str) -> None:
    async with served(configured(version)) as rooms, their_console(rooms, 1000) as one:
        stub = one.extension
        await stub.add_to_block_list([1001, 1002])
        await stub.remove_from_block_list([1001])
        assert await stub.get_my_block_list() == [1002]
        await stub.clear_my_block_list()
        assert await stub.get_my_block_list() == []
        await stub.report_violation(1001, "somebody", 3)
        violation = await stub.is_violation_user()
        assert (violation.flag, violation.score) == (False, 0)
        call = stub.debug_notify_event(1000, 3, 1, 0, 0, "")
        assert await refused_there(call) == "Core::AccessDenied"
        call = stub.withdraw_matchmaking_all()
        assert await refused_there(call) == "Core::NotImplemented"
