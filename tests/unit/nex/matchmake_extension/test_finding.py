"""Asking for certain sessions, and who plays what."""

from __future__ import annotations

from typing import Any

from nekonex.domain.matchmaking import MatchmakingLimits
from nekonex.nex.structures import (
    FindMatchmakeSessionByParticipantParam,
    Gathering,
    MatchmakeParam,
    PersistentGathering,
    ResultRange,
)
from nekonex.wire import Variant
from tests.support.nexlab import lab_settings
from tests.support.roomlab import piped, refused, room

VOID = "RendezVous::SessionVoid"
INVALID = "Core::InvalidArgument"
NEX_4 = lab_settings("4.0.1")


async def test_finding_by_gid() -> None:
    template = room(user_password="x", user_password_enabled=True, application_data=b"x")
    async with piped(NEX_4) as rooms, rooms.consoles(2) as (a, b):
        made = await a.extension.create_matchmake_session(template, "", 2)
        community = await a.extension.create_community(PersistentGathering(attribs=[0] * 6), "")
        plain = await a.matchmaking.register_gathering(Gathering())
        stub = b.extension
        one = await stub.find_matchmake_session_by_single_gathering_id(made.gid)
        other = await stub.find_matchmake_session_by_gathering_id_detail(made.gid)
        gids = [0, made.gid, community, plain, made.gid, 2**32 - 1]
        [third] = await stub.find_matchmake_session_by_gathering_id(gids)
        assert one == other == third
        assert (one.id, one.num_participants, one.application_data) == (made.gid, 2, b"x")
        assert (one.session_key, one.user_password) == (b"", "")
        own = await a.extension.find_matchmake_session_by_gathering_id_detail(made.gid)
        assert (own.session_key, own.user_password) == (made.session_key, "x")
        own = await a.extension.find_matchmake_session_by_single_gathering_id(made.gid)
        assert (own.session_key, own.user_password) == (b"", "")
        for gid in (0, community, plain, 4711, 2**32 - 1):
            for call in (
                stub.find_matchmake_session_by_single_gathering_id(gid),
                stub.find_matchmake_session_by_gathering_id_detail(gid),
            ):
                assert await refused(call) == VOID
        assert await stub.find_matchmake_session_by_gathering_id([]) == []
        call = stub.find_matchmake_session_by_gathering_id(list(range(301)))
        assert await refused(call) == INVALID


async def test_finding_by_owner() -> None:
    async with piped(NEX_4) as rooms, rooms.consoles(2) as (a, b):
        template = room(user_password="x", user_password_enabled=True)
        gids = [await a.matchmaking.register_gathering(template) for _ in range(3)]
        await a.matchmaking.register_gathering(Gathering())
        await a.extension.create_community(PersistentGathering(attribs=[0] * 6), "")

        async def found(pid: int, offset: int, size: int) -> list[int]:
            part = ResultRange(offset, size)
            sessions = await b.extension.find_matchmake_session_by_owner(pid, part)
            assert {each.session_key for each in sessions} <= {b""}
            assert {each.user_password for each in sessions} <= {""}
            return [each.id for each in sessions]

        assert await found(1000, 0, 100) == gids
        assert await found(1000, 1, 1) == gids[1:2]
        assert await found(1000, 2**32 - 1, 2**32 - 1) == gids
        assert await found(1000, 20_000, 1) == await found(1000, 0, 0) == []
        assert await found(4711, 0, 100) == await found(0, 0, 100) == []


async def test_finding_by_participant() -> None:
    template = room(
        user_password="x",
        application_data=b"data",
        param=MatchmakeParam({"mine": Variant(0)}),
    )
    async with piped(NEX_4) as rooms, rooms.consoles(3) as (a, b, c):
        made = await a.extension.create_matchmake_session(template, "", 1)
        await b.extension.join_matchmake_session(made.gid, "")

        async def found(options: int) -> Any:
            param = FindMatchmakeSessionByParticipantParam([1000, 1001, 1002, 1000, 4711], options)
            results = await c.extension.find_matchmake_session_by_participant(param)
            assert [(each.pid, each.session.id) for each in results] == [
                (1000, made.gid),
                (1001, made.gid),
            ]
            assert results[0].session == results[1].session
            return results[0].session

        plain = await found(0)
        assert (plain.application_data, plain.param) == (b"", MatchmakeParam())
        assert (plain.session_key, plain.user_password) == (b"", "")
        assert plain.num_participants == 2
        assert (await found(1)).application_data == b"data"
        assert "mine" in (await found(2)).param.param
        everything = await found(2**32 - 1)
        assert (everything.application_data, len(everything.param.param)) == (b"data", 3)
        too_many = FindMatchmakeSessionByParticipantParam(list(range(301)), 0)
        call = c.extension.find_matchmake_session_by_participant(too_many)
        assert await refused(call) == INVALID


async def test_playing_sessions() -> None:
    async with piped(NEX_4) as rooms, rooms.consoles(3) as (a, b, c):
        template = room(user_password="x", game_mode=3, attribs=[7, 0, 0, 0, 0, 0])
        first = (await a.extension.create_matchmake_session(template, "", 2)).gid
        second = (await b.extension.create_matchmake_session(room(), "", 1)).gid
        await b.extension.join_matchmake_session(first, "")
        await b.extension.create_community(PersistentGathering(attribs=[0] * 6), "")
        plain = await b.matchmaking.register_gathering(Gathering())
        await b.matchmaking.participate(plain, "")
        found = await c.extension.get_playing_session([1001, 1000, 4711, 1000, 1002])
        assert [(each.pid, each.gathering.id) for each in found] == [
            (1001, first),
            (1001, second),
            (1000, first),
        ]
        assert {each.gathering.session_key for each in found} == {b""}
        assert {each.gathering.user_password for each in found} == {""}
        simple = c.extension.get_simple_playing_session
        found = await simple([1000, 1001, 4711], False)
        assert [(each.pid, each.gid, each.game_mode, each.attribute) for each in found] == [
            (1000, first, 3, 7),
            (1001, second, 0, 0),
        ]
        assert await simple([1002], True) == await simple([], True) == []
        own = a.extension.get_simple_playing_session
        assert await own([1000], False) == []
        assert [each.gid for each in await own([1000], True)] == [first]
        assert [each.pid for each in await own([1000, 1001, 1000], True)] == [1001, 1000]
        for call in (
            c.extension.get_playing_session(list(range(301))),
            simple(list(range(301)), False),
        ):
            assert await refused(call) == INVALID
        assert await c.extension.get_playing_session([1] * 300) == []


async def test_more_results_than_anybody_wants() -> None:
    limits = MatchmakingLimits(max_results=3)
    async with piped(NEX_4, limits=limits) as rooms, rooms.consoles(2) as (a, b):
        gids = [await a.matchmaking.register_gathering(room()) for _ in range(5)]
        for gid in gids:
            await b.extension.join_matchmake_session(gid, "")
        stub = b.extension
        found = await stub.get_playing_session([1001])
        assert [each.gathering.id for each in found] == gids[:3]
        part = ResultRange(0, 2**32 - 1)
        assert len(await stub.find_matchmake_session_by_owner(1000, part)) == 3
        param = FindMatchmakeSessionByParticipantParam([1001], 0)
        assert len(await stub.find_matchmake_session_by_participant(param)) == 3
