"""Auto-matchmaking in all its forms, and browsing."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from nekonex.domain import Notification
from nekonex.nex.structures import Gathering, MatchmakeSession, PersistentGathering
from nekonex.wire import UnknownData
from tests.support.nexlab import lab_settings
from tests.support.roomlab import (
    MIGRATE,
    NOTIFY,
    Console,
    auto_param,
    criteria,
    piped,
    refused,
    room,
)

INVALID = "Core::InvalidArgument"

Auto = Callable[..., Awaitable[MatchmakeSession]]


async def plain(console: Console, template: Any, message: str = "") -> Any:
    return await console.extension.auto_matchmake_postpone(template, message)


async def by_criteria(console: Console, template: Any, message: str = "", **wanted: Any) -> Any:
    return await console.extension.auto_matchmake_with_search_criteria_postpone(
        [criteria(**wanted)], template, message
    )


async def with_param(console: Console, template: Any, message: str = "", **wanted: Any) -> Any:
    searched = [criteria(**wanted)] if wanted else []
    return await console.extension.auto_matchmake_with_param_postpone(
        auto_param(template, join_message=message, search_criteria=searched)
    )


EVERY_WAY: list[Auto] = [plain, by_criteria, with_param]


@pytest.mark.parametrize("auto", EVERY_WAY)
async def test_the_first_creates_and_the_second_joins(auto: Auto) -> None:
    template = room(game_mode=3, flags=NOTIFY, description="mine")
    async with piped() as rooms, rooms.consoles(2) as (a, b):
        first = await auto(a, template, "hi")
        second = await auto(b, template, "ho")
        assert first.id == second.id
        assert (first.num_participants, second.num_participants) == (1, 2)
        assert len(first.session_key) == 32
        assert first.session_key == second.session_key
        assert (second.owner, second.host, second.description) == (1000, 1000, "mine")
        [one, two] = (await rooms.get(first.id)).participants
        assert (one.message, two.message) == ("hi", "ho")
        await rooms.settled()
        assert b.take() == [
            Notification(3001, 1001, first.id, 1001, 2, "ho"),
            Notification(3001, 1001, first.id, 1000, 2, "ho"),
        ]
        await rooms.consistent(a)


@pytest.mark.parametrize("auto", EVERY_WAY)
async def test_who_searches_again_leaves_and_does_not_find_its_own(auto: Auto) -> None:
    async with piped() as rooms, rooms.console(1000) as one:
        first = await auto(one, room())
        second = await auto(one, room())
        assert first.id != second.id
        assert [each.gid for each in await rooms.all()] == [second.id]


@pytest.mark.parametrize("auto", EVERY_WAY)
async def test_what_cannot_be_joined_is_not_found(auto: Auto) -> None:
    async with piped(lab_settings("3.8.3")) as rooms, rooms.consoles(7) as (me, *others):
        closed, full, locked, secret, friends, blocked = others
        create = "create_matchmake_session"
        gid = (await getattr(closed.extension, create)(room(), "", 1)).gid
        await closed.extension.close_participation(gid)
        await getattr(full.extension, create)(room(), "", 12)
        await getattr(locked.extension, create)(
            room(user_password="x", user_password_enabled=True), "", 1
        )
        gid = (await getattr(secret.extension, create)(room(), "", 1)).gid
        await secret.extension.generate_matchmake_session_system_password(gid)
        await getattr(friends.extension, create)(room(participation_policy=98), "", 1)
        await getattr(blocked.extension, create)(room(), "", 1)
        await me.extension.add_to_block_list([blocked.pid])
        made = await auto(me, room())
        assert (made.owner, made.num_participants) == (me.pid, 1)
        await rooms.consistent()


async def test_friends_find_rooms_for_friends() -> None:
    async with piped(friends={1001: [1000]}) as rooms, rooms.consoles(3) as (a, b, c):
        only_friends = room(participation_policy=98)
        made = await a.extension.create_matchmake_session(only_friends, "", 1)
        assert (await plain(c, only_friends)).id != made.gid
        assert (await plain(b, only_friends)).id == made.gid


async def test_a_template_is_searched_for_in_every_respect() -> None:
    own: dict[str, Any] = {
        "min_participants": 2,
        "max_participants": 8,
        "game_mode": 3,
        "matchmake_system": 1,
    }
    template = room(**own, attribs=[1, 1500, 2, 3, 4, 5], codeword="cat")
    different: list[dict[str, Any]] = [
        {"min_participants": 3},
        {"max_participants": 9},
        {"game_mode": 4},
        {"matchmake_system": 2},
        {"attribs": [9, 1500, 2, 3, 4, 5]},
        {"attribs": [1, 1500, 9, 3, 4, 5]},
        {"attribs": [1, 1500, 2, 9, 4, 5]},
        {"attribs": [1, 1500, 2, 3, 9, 5]},
        {"attribs": [1, 1500, 2, 3, 4, 9]},
        {"codeword": "dog"},
    ]
    async with piped(lab_settings("4.0.1")) as rooms, rooms.consoles(13) as (me, *others):
        for console, change in zip(others, different, strict=False):
            fields = {**own, "attribs": [1, 1500, 2, 3, 4, 5], "codeword": "cat", **change}
            await console.extension.create_matchmake_session(room(**fields), "", 1)
        near, far = others[-2:]
        for console, rating in ((near, 1400), (far, 1700)):
            fields = {**own, "attribs": [1, rating, 2, 3, 4, 5], "codeword": "cat"}
            made = await console.extension.create_matchmake_session(
                room(**fields, progress_score=50, description="other"), "", 1
            )
        found = await plain(me, template)
        assert found.owner == near.pid
        assert found.id != made.gid


async def test_criteria_and_not_the_template_decide() -> None:
    async with piped() as rooms, rooms.consoles(4) as (a, b, c, d):
        gid = (await a.extension.create_matchmake_session(room(game_mode=5), "", 1)).gid
        found = await by_criteria(b, room(game_mode=1), game_mode="3,8")
        assert (found.id, found.game_mode) == (gid, 5)
        made = await by_criteria(c, room(game_mode=1), game_mode="6,8")
        assert (made.id != gid, made.game_mode) == (True, 1)
        # One after the other: what the second finds, if the first finds nothing.
        found = await d.extension.auto_matchmake_with_search_criteria_postpone(
            [criteria(game_mode="7"), criteria(game_mode="5")], room(), ""
        )
        assert found.id == gid


async def test_the_first_criteria_say_how_many_come() -> None:
    async with piped() as rooms, rooms.consoles(3) as (a, b, c):
        await a.extension.create_matchmake_session(room(max_participants=4), "", 2)
        found = await by_criteria(b, room(max_participants=4), vacant_participants=3)
        assert (found.owner, found.num_participants) == (b.pid, 3)
        found = await by_criteria(c, room(max_participants=4), vacant_participants=0)
        assert (found.owner == c.pid, found.num_participants in {3, 4}) == (False, True)
        call = by_criteria(a, room(), vacant_participants=17)
        assert await refused(call) == INVALID
        await rooms.consistent()


async def test_with_gids_only_those_are_looked_at() -> None:
    async with piped() as rooms, rooms.consoles(4) as (a, b, c, d):
        gids = [
            (await each.extension.create_matchmake_session(room(), "", 1)).gid for each in (a, b)
        ]
        search = c.extension.auto_matchmake_with_gathering_id_postpone
        assert (await search([gids[1], 0, 2**32 - 1], room(), "hi")).id == gids[1]
        for none in ([], [0], [4711]):
            assert (await search(none, room(), "")).owner == c.pid
        found = await d.extension.auto_matchmake_with_param_postpone(
            auto_param(room(), search_criteria=[criteria()], target_gids=[gids[0]])
        )
        assert found.id == gids[0]
        for many in (
            search(list(range(301)), room(), ""),
            d.extension.auto_matchmake_with_param_postpone(
                auto_param(room(), target_gids=list(range(301)))
            ),
        ):
            assert await refused(many) == INVALID


async def test_auto_matchmaking_with_others() -> None:
    async with piped() as rooms, rooms.consoles(4) as (a, b, c, d):
        target = (await d.extension.create_matchmake_session(room(max_participants=4), "", 1)).gid
        lobby = (
            await a.extension.create_matchmake_session(room(flags=MIGRATE, game_mode=1), "", 1)
        ).gid
        await b.extension.join_matchmake_session(lobby, "")
        await rooms.settled()
        for console in (a, b, d):
            console.take()
        before = await rooms.snapshot()
        auto = a.extension.auto_matchmake_with_param_postpone
        nobody = "RendezVous::NotParticipatedGathering"
        for param in (
            auto_param(room(), participants=[1001]),
            auto_param(room(), participants=[1002], gid_for_participation_check=lobby),
            auto_param(room(), participants=[1001], gid_for_participation_check=target),
        ):
            assert await refused(auto(param)) == nobody
        assert await rooms.snapshot() == before
        found = await auto(
            auto_param(
                room(max_participants=4),
                participants=[1001],
                gid_for_participation_check=lobby,
                num_participants=2,
                join_message="us",
            )
        )
        assert (found.id, found.num_participants) == (target, 4)
        assert (await rooms.get(lobby)).pids == (1001,)
        await rooms.settled()
        assert [told.kind for told in b.take()] == [4000, 110000, 3008, 122000]
        # Three more do not fit any more: a room of their own.
        e = await c.extension.auto_matchmake_with_param_postpone(
            auto_param(room(max_participants=4), num_participants=3)
        )
        assert (e.owner, e.num_participants) == (c.pid, 3)
        await rooms.consistent()


@pytest.mark.parametrize("auto", EVERY_WAY)
async def test_what_is_out_of_bounds_changes_nothing(auto: Auto) -> None:
    async with piped() as rooms, rooms.console(1000) as one:
        await plain(one, room())
        before = await rooms.snapshot()
        for template in (
            room(attribs=[0] * 7),
            room(attribs=[0] * 5),
            room(progress_score=101),
            room(description="x" * 257),
            room(application_data=b"x" * 513),
            room(min_participants=13),
        ):
            assert await refused(auto(one, template)) == INVALID
        assert await refused(auto(one, room(), "x" * 257)) == INVALID
        assert await rooms.snapshot() == before


async def test_more_places_than_the_template_has() -> None:
    """What is found may have more; only when nothing is, that is an error."""
    async with piped() as rooms, rooms.consoles(2) as (a, b):
        small = room(max_participants=2)
        param = auto_param(small, num_participants=3, search_criteria=[criteria()])
        call = b.extension.auto_matchmake_with_param_postpone(param)
        assert await refused(call) == "RendezVous::SessionFull"
        await plain(a, room())
        assert (await b.extension.auto_matchmake_with_param_postpone(param)).owner == a.pid
        await rooms.consistent()


async def test_three_criteria_are_too_many() -> None:
    async with piped() as rooms, rooms.console(1000) as one:
        await plain(one, room())
        before = await rooms.snapshot()
        three = [criteria()] * 3
        stub = one.extension
        for call in (
            stub.auto_matchmake_with_search_criteria_postpone(three, room(), ""),
            stub.auto_matchmake_with_param_postpone(auto_param(room(), search_criteria=three)),
        ):
            assert await refused(call) == INVALID
        assert await rooms.snapshot() == before
        found = await stub.auto_matchmake_with_search_criteria_postpone([], room(), "")
        assert found.owner == one.pid


HELD_BY_OTHERS = [
    Gathering(max_participants=4),
    PersistentGathering(attribs=[0] * 6),
    UnknownData("SplatoonSession", b"\0\0\0\0"),
]


@pytest.mark.parametrize("other", HELD_BY_OTHERS, ids=lambda other: type(other).__name__)
async def test_what_is_no_session_is_an_error(other: Any) -> None:
    async with piped() as rooms, rooms.console(1000) as one:
        gid = (await plain(one, room())).id
        before = await rooms.snapshot()
        stub = one.extension
        for call in (
            stub.auto_matchmake_postpone(other, ""),
            stub.auto_matchmake_with_search_criteria_postpone([criteria()], other, ""),
            stub.auto_matchmake_with_gathering_id_postpone([gid], other, ""),
            stub.create_matchmake_session(other, "", 1),
            stub.update_matchmake_session(other),
        ):
            assert await refused(call) == INVALID
        assert await rooms.snapshot() == before


async def test_the_nearest_is_joined() -> None:
    wanted: dict[str, Any] = {"attribs": ["", "1500", "", "", "", ""]}
    async with piped() as rooms, rooms.consoles(5) as (a, b, c, d, e):
        for console, rating, progress in ((a, 1000, 0), (b, 1450, 10), (c, 1580, 90)):
            template = room(attribs=[0, rating, 0, 0, 0, 0], progress_score=progress)
            await console.extension.create_matchmake_session(template, "", 1)
        own = room(attribs=[0, 1500, 0, 0, 0, 0])
        assert (await by_criteria(d, own, **wanted, selection_method=1)).owner == b.pid
        assert (await by_criteria(e, own, selection_method=3)).owner == c.pid
        assert (await by_criteria(e, own, **wanted, selection_method=4)).owner in {b.pid, c.pid}
        assert (await plain(e, own)).owner == b.pid
        await rooms.consistent()


async def test_pairs_that_cannot_reach_each_other_do_not_meet() -> None:
    async with piped() as rooms, rooms.consoles(3) as (a, b, c):
        first = (await plain(a, room())).id
        assert (await plain(b, room())).id == first
        await b.nat.report_nat_traversal_result(a.cid, False, 10)
        own = (await plain(b, room())).id
        assert own != first
        await rooms.settled()
        rooms.clock.now += 599
        assert (await plain(b, room())).owner == b.pid
        rooms.clock.now += 2
        assert (await plain(b, room())).id == first
        assert (await plain(c, room())).id == first
