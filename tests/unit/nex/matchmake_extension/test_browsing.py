"""What criteria find, and browsing."""

from __future__ import annotations

from typing import Any

import pytest

from nekonex.nex.structures import ResultRange
from tests.support.nexlab import lab_settings
from tests.support.roomlab import (
    Console,
    criteria,
    piped,
    refused,
    room,
)

INVALID = "Core::InvalidArgument"
ALL = ResultRange(0, 100)


@pytest.mark.parametrize("text", ["x,y", "9,1", "x", ",", "1,", "-1", " 5", "5 ", "0x5", "\u0665"])
async def test_what_is_no_number_finds_nothing(text: str) -> None:
    async with piped() as rooms, rooms.consoles(2) as (a, b):
        await a.extension.create_matchmake_session(
            room(game_mode=5, matchmake_system=5, attribs=[5] * 6, min_participants=5), "", 1
        )
        bad: list[dict[str, Any]] = [
            {"game_mode": text},
            {"matchmake_system": text},
            {"min_participants": text},
            {"max_participants": text},
            *[{"attribs": [*[""] * n, text]} for n in (0, 2, 5)],
        ]
        for wanted in bad:
            found = await b.extension.browse_matchmake_session(criteria(**wanted), ALL)
            assert found == []
        rating = criteria(attribs=["5", text], selection_method=1)
        assert await b.extension.browse_matchmake_session(rating, ALL) == []
        # But who wanted to play gets a room of its own.
        made = await b.extension.auto_matchmake_with_search_criteria_postpone(
            [criteria(game_mode=text)], room(), ""
        )
        assert made.owner == b.pid


@pytest.mark.parametrize(
    ("wanted", "is_found"),
    [
        ({}, True),
        ({"attribs": []}, True),
        ({"attribs": ["5"]}, True),
        ({"attribs": ["6"]}, False),
        ({"attribs": ["5,7", "", "0,5", "4,5,6", "1,2,3,5", "5"]}, True),
        ({"attribs": ["", "", "", "", "", "6,8"]}, False),
        ({"attribs": ["5"] * 6 + ["5"]}, False),
        ({"attribs": ["5"] * 6 + [""]}, True),
        ({"attribs": ["", "9", "", "", "", ""]}, False),
        ({"attribs": ["", "9", "", "", "", ""], "selection_method": 1}, True),
        ({"attribs": ["", "9", "", "", "", ""], "selection_method": 2}, True),
        ({"attribs": ["", "9", "", "", "", ""], "selection_method": 3}, False),
        ({"attribs": ["", "9", "", "", "", ""], "selection_method": 4}, True),
        ({"attribs": ["", "5,9", "", "", "", ""], "selection_method": 1}, False),
        ({"selection_method": 1}, False),
        ({"selection_method": 99}, True),
        ({"game_mode": "5,5"}, True),
        ({"game_mode": "4294967296"}, False),
        ({"game_mode": "0,4294967295"}, True),
        ({"max_participants": "12", "min_participants": "0,3"}, True),
        ({"max_participants": "11"}, False),
        ({"matchmake_system": "5"}, True),
        ({"refer_gid": 5}, False),
        ({"vacant_participants": 11}, True),
        ({"vacant_participants": 12}, False),
        ({"vacant_participants": 12, "vacant_only": False}, True),
    ],
)
async def test_criteria(wanted: dict[str, Any], is_found: bool) -> None:
    async with piped(lab_settings("4.0.1")) as rooms, rooms.consoles(2) as (a, b):
        await a.extension.create_matchmake_session(
            room(game_mode=5, matchmake_system=5, attribs=[5] * 6), "", 1
        )
        found = await b.extension.browse_matchmake_session_no_holder(criteria(**wanted), ALL)
        assert len(found) == is_found


# -- browsing ------------------------------------------------------------------------------


async def browse(console: Console, wanted: Any, part: ResultRange) -> list[list[Any]]:
    """Browse in every way; the ways without a range of their own need NEX 4."""
    stub = console.extension
    wanted.range = part
    with_urls = await stub.browse_matchmake_session_with_host_urls(wanted, part)
    no_holder = await stub.browse_matchmake_session_with_host_urls_no_holder(wanted, part)
    no_range = await stub.browse_matchmake_session_with_host_urls_no_holder_no_result_range(wanted)
    for reply, sessions in (
        (with_urls, with_urls.gatherings),
        (no_holder, no_holder.sessions),
        (no_range, no_range.sessions),
    ):
        assert [each.gid for each in reply.urls] == [each.id for each in sessions]
    return [
        await stub.browse_matchmake_session(wanted, part),
        with_urls.gatherings,
        await stub.browse_matchmake_session_no_holder(wanted, part),
        no_holder.sessions,
        await stub.browse_matchmake_session_no_holder_no_result_range(wanted),
        no_range.sessions,
    ]


async def test_browsing_never_creates_and_tells_no_secrets() -> None:
    template = room(user_password="x", user_password_enabled=True, application_data=b"data")
    async with piped(lab_settings("4.0.1")) as rooms, rooms.consoles(2) as (a, b):
        assert await browse(b, criteria(), ALL) == [[]] * 6
        assert await rooms.all() == []
        made = await a.extension.create_matchmake_session(template, "", 3)
        for [found] in await browse(b, criteria(), ALL):
            assert (found.id, found.num_participants) == (made.gid, 3)
            assert (found.session_key, found.user_password) == (b"", "")
            assert found.application_data == b"data"
        assert (await rooms.get(made.gid)).pids == (1000,)
        # One does not find one's own.
        assert await browse(a, criteria(), ALL) == [[]] * 6


async def test_passwords_are_excluded_where_that_is_asked_for() -> None:
    async with piped(lab_settings("4.0.1")) as rooms, rooms.consoles(3) as (a, b, c):
        await a.extension.create_matchmake_session(
            room(user_password="x", user_password_enabled=True), "", 1
        )
        gid = (await b.extension.create_matchmake_session(room(), "", 1)).gid
        await b.extension.generate_matchmake_session_system_password(gid)

        async def owners(**wanted: Any) -> set[int]:
            stub = c.extension.browse_matchmake_session_no_holder
            return {each.owner for each in await stub(criteria(**wanted), ALL)}

        assert await owners() == {1000, 1001}
        assert await owners(exclude_user_password=True) == {1001}
        assert await owners(exclude_system_password=True) == {1000}
        await b.extension.close_participation(gid)
        assert await owners() == {1000}
        assert await owners(exclude_locked=False) == {1000, 1001}


async def test_hosts_of_what_cannot_be_joined_keep_their_addresses_to_themselves() -> None:
    async with piped(lab_settings("4.0.1")) as rooms, rooms.consoles(5) as (a, b, c, d, me):
        joinable = (await a.extension.create_matchmake_session(room(), "", 1)).gid
        await b.extension.create_matchmake_session(
            room(user_password="x", user_password_enabled=True), "", 1
        )
        closed = (await c.extension.create_matchmake_session(room(), "", 1)).gid
        await c.extension.close_participation(closed)
        await d.extension.create_matchmake_session(room(), "", 12)
        everything = criteria(vacant_only=False, exclude_locked=False)
        reply = await me.extension.browse_matchmake_session_with_host_urls(everything, ALL)
        urls = {each.gid: each.urls for each in reply.urls}
        assert len(urls) == 4
        local, public = urls.pop(joinable)
        assert (local["address"], public["address"]) == ("192.168.0.10", "192.0.2.1")
        assert (public["RVCID"], public["PID"]) == (a.cid, 1000)
        assert list(urls.values()) == [[], [], []]


async def test_ranges() -> None:
    order = {"attribs": ["", "0", "", "", "", ""], "selection_method": 1}
    async with piped(lab_settings("4.0.1")) as rooms, rooms.consoles(6) as (me, *others):
        for rating, console in enumerate(others):
            template = room(attribs=[0, rating, 0, 0, 0, 0])
            await console.extension.create_matchmake_session(template, "", 1)

        async def owners(offset: int, size: int) -> list[list[int]]:
            found = await browse(me, criteria(**order), ResultRange(offset, size))
            return [[each.owner for each in sessions] for sessions in found]

        assert await owners(0, 100) == [[1001, 1002, 1003, 1004, 1005]] * 6
        assert await owners(1, 2) == [[1002, 1003]] * 6
        assert await owners(4, 100) == [[1005]] * 6
        assert await owners(5, 100) == await owners(0, 0) == await owners(20_000, 5) == [[]] * 6
        assert await owners(2**32 - 2, 100) == [[]] * 6
        # "Any": the same as from the beginning.
        assert await owners(2**32 - 1, 1) == [[1001]] * 6
        for size in (101, 2**32 - 1):
            too_many = ResultRange(0, size)
            stub = me.extension
            for call in (
                stub.browse_matchmake_session(criteria(), too_many),
                stub.browse_matchmake_session_with_host_urls(criteria(), too_many),
                stub.browse_matchmake_session_no_holder(criteria(), too_many),
                stub.browse_matchmake_session_with_host_urls_no_holder(criteria(), too_many),
                stub.browse_matchmake_session_no_holder_no_result_range(criteria(range=too_many)),
                stub.browse_matchmake_session_with_host_urls_no_holder_no_result_range(
                    criteria(range=too_many)
                ),
            ):
                assert await refused(call) == INVALID
