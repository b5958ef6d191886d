"""Changing one's own session, and asking for certain sessions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nekonex.domain.matchmaking import MatchmakeSession, MatchmakingHooks, TitleRules
from nekonex.domain.players import Player
from nekonex.nex.structures import (
    Gathering,
    MatchmakeParam,
    PersistentGathering,
    ResultRange,
)
from nekonex.values import DateTime
from nekonex.wire import Variant
from tests.support.nexlab import lab_settings
from tests.support.roomlab import create_param, criteria, piped, refused, room, update_param

VOID = "RendezVous::SessionVoid"
DENIED = "RendezVous::PermissionDenied"
INVALID = "Core::InvalidArgument"
ALL = ResultRange(0, 100)
NEX_4 = lab_settings("4.0.1")


async def test_opening_and_closing() -> None:
    async with piped() as rooms, rooms.consoles(2) as (a, b):
        gid = (await a.extension.create_matchmake_session(room(), "", 1)).gid
        await a.extension.close_participation(gid)
        assert not (await rooms.get(gid)).open_participation
        assert (await b.extension.auto_matchmake_postpone(room(), "")).id != gid
        await a.extension.open_participation(gid)
        assert (await b.extension.auto_matchmake_postpone(room(), "")).id == gid


async def test_titles_whose_players_all_close_their_session() -> None:
    rules = TitleRules(ignore_closing_by_others=True)
    async with piped(rules=rules) as rooms, rooms.consoles(2) as (a, b):
        gid = (await a.extension.create_matchmake_session(room(), "", 1)).gid
        await b.extension.join_matchmake_session(gid, "")
        await b.extension.close_participation(gid)
        assert (await rooms.get(gid)).open_participation
        assert await refused(b.extension.open_participation(gid)) == DENIED
        assert await refused(b.extension.close_participation(gid + 1)) == VOID
        await a.extension.close_participation(gid)
        assert not (await rooms.get(gid)).open_participation


async def test_attributes() -> None:
    async with piped() as rooms, rooms.consoles(2) as (a, b):
        gid = (await a.extension.create_matchmake_session(room(), "", 1)).gid
        await a.extension.modify_current_game_attribute(gid, 5, 2**32 - 1)
        assert (await rooms.get(gid)).attributes == (0, 0, 0, 0, 0, 2**32 - 1)
        for index in (6, 2**32 - 1):
            call = a.extension.modify_current_game_attribute(gid, index, 1)
            assert await refused(call) == "Core::InvalidIndex"
        await a.extension.update_matchmake_session_attribute(gid, [1, 2, 3, 4, 5, 6])
        assert (await rooms.get(gid)).attributes == (1, 2, 3, 4, 5, 6)
        for number in (0, 5, 7):
            call = a.extension.update_matchmake_session_attribute(gid, [9] * number)
            assert await refused(call) == INVALID
        assert (await rooms.get(gid)).attributes == (1, 2, 3, 4, 5, 6)
        # Searches see it at once.
        found = await b.extension.browse_matchmake_session(criteria(attribs=["1", "", "3"]), ALL)
        assert [each.id for each in found] == [gid]


async def test_application_buffer_and_progress() -> None:
    async with piped() as rooms, rooms.console(1000) as one:
        gid = (await one.extension.create_matchmake_session(room(), "", 1)).gid
        await one.extension.update_application_buffer(gid, b"x" * 512)
        await one.extension.update_progress_score(gid, 100)
        before = await rooms.get(gid)
        assert (before.application_data, before.progress_score) == (b"x" * 512, 100)
        assert await refused(one.extension.update_application_buffer(gid, b"x" * 513)) == INVALID
        assert await refused(one.extension.update_progress_score(gid, 101)) == INVALID
        assert await rooms.get(gid) == before
        await one.extension.update_application_buffer(gid, b"")
        assert (await rooms.get(gid)).application_data == b""


@pytest.mark.parametrize("gid", ["other", "community", "plain", 0, 4711, 2**32 - 1])
async def test_only_the_owner_changes_a_session_and_only_a_session(gid: Any) -> None:
    async with piped(NEX_4) as rooms, rooms.consoles(2) as (a, b):
        error = VOID
        if gid == "other":
            gid, error = (await a.extension.create_matchmake_session(room(), "", 1)).gid, DENIED
            await b.extension.join_matchmake_session(gid, "")
        elif gid == "community":
            gid = await b.extension.create_community(PersistentGathering(attribs=[0] * 6), "")
        elif gid == "plain":
            gid = await b.matchmaking.register_gathering(Gathering())
        before = await rooms.snapshot()
        stub = b.extension
        for call in (
            stub.close_participation(gid),
            stub.open_participation(gid),
            stub.modify_current_game_attribute(gid, 0, 1),
            stub.modify_current_game_attribute(gid, 6, 1),
            stub.update_application_buffer(gid, b"x"),
            stub.update_matchmake_session_attribute(gid, [1] * 6),
            stub.update_matchmake_session_attribute(gid, []),
            stub.update_progress_score(gid, 1),
            stub.update_matchmake_session(room(id=gid)),
            stub.update_matchmake_session_part(update_param(gid, 0)),
            stub.update_matchmake_session_part(update_param(gid, 0x60)),
            stub.generate_matchmake_session_system_password(gid),
            stub.clear_matchmake_session_system_password(gid),
        ):
            assert await refused(call) == error
        assert await rooms.snapshot() == before


# -- all at once -------------------------------------------------------------------------

CHANGED = {
    "min_participants": 1,
    "max_participants": 4,
    "participation_policy": 95,
    "policy_argument": 1,
    "flags": 0x810,
    "description": "new",
    "game_mode": 9,
    "attribs": [9, 8, 7, 6, 5, 4],
    "open_participation": False,
    "matchmake_system": 2,
    "application_data": b"new",
    "progress_score": 77,
    "option": 3,
    "user_password": "new",
    "user_password_enabled": True,
    "refer_gid": 4,
    "codeword": "word",
}


async def test_updating_all_of_a_session() -> None:
    async with piped(NEX_4) as rooms, rooms.consoles(2) as (a, b):
        gid = (await a.extension.create_matchmake_session(room(), "", 2)).gid
        await b.extension.join_matchmake_session(gid, "")
        before = await a.extension.find_matchmake_session_by_gathering_id_detail(gid)
        mine = MatchmakeParam({"mine": Variant.of("new")})
        others = {
            "owner": 1001,
            "host": 1001,
            "state": 4,
            "num_participants": 1,
            "session_key": b"new",
            "started_time": DateTime(5),
            "system_password_enabled": True,
        }
        await a.extension.update_matchmake_session(room(id=gid, **CHANGED, **others, param=mine))
        after = await a.extension.find_matchmake_session_by_gathering_id_detail(gid)
        for name, value in CHANGED.items():
            assert getattr(after, name) == value, name
        for name in others:
            assert getattr(after, name) == getattr(before, name), name
        assert after.param.param["mine"] == Variant.of("new")
        # What the server wrote into it stays.
        assert after.param.param["@SR"] == Variant.of(value=True)


async def test_an_update_that_is_out_of_bounds_changes_nothing() -> None:
    async with piped(NEX_4) as rooms, rooms.console(1000) as one:
        gid = (await one.extension.create_matchmake_session(room(), "", 1)).gid
        before = await rooms.get(gid)
        for bad in (
            {"description": "x" * 257},
            {"attribs": [0] * 7},
            {"progress_score": 101},
            {"application_data": b"x" * 513},
            {"user_password": "x" * 33},
            {"codeword": "x" * 257},
            {"max_participants": 257},
            {"max_participants": 1, "min_participants": 2},
            {"param": MatchmakeParam({str(number): Variant(0) for number in range(65)})},
        ):
            call = one.extension.update_matchmake_session(room(**{"id": gid, **CHANGED, **bad}))
            assert await refused(call) == INVALID
        assert await rooms.get(gid) == before


# -- in parts ----------------------------------------------------------------------------

PARTS: list[tuple[int, dict[str, Any], dict[str, Any]]] = [
    (0x1, {"attributes": [1, 2, 3, 4, 5, 6]}, {"attributes": (1, 2, 3, 4, 5, 6)}),
    (0x2, {"open_participation": False}, {"open_participation": False}),
    (0x4, {"application_buffer": b"x"}, {"application_data": b"x"}),
    (0x8, {"progress_score": 50}, {"progress_score": 50}),
    (0x10, {}, {}),
    (0x80, {"started_time": DateTime.make(2020)}, {"started_time": DateTime.make(2020)}),
    (0x100, {"user_password": "x"}, {"user_password": "x", "user_password_enabled": True}),
    (0x200, {"game_mode": 3}, {"game_mode": 3}),
    (0x400, {"description": "x"}, {"description": "x"}),
    (0x800, {"min_participants": 2}, {"min_participants": 2}),
    (0x1000, {"max_participants": 4}, {"max_participants": 4}),
    (0x2000, {"matchmake_system": 2}, {"matchmake_system": 2}),
    (0x4000, {"codeword": "x"}, {"codeword": "x"}),
    (0xFFFF8000, {}, {}),
]


@pytest.mark.parametrize(("flag", "wanted", "changes"), PARTS, ids=lambda part: str(part)[:12])
async def test_a_flag_changes_its_part_only(
    flag: int, wanted: dict[str, Any], changes: dict[str, Any]
) -> None:
    everything = {name: value for _, fields, _ in PARTS for name, value in fields.items()}
    async with piped(NEX_4) as rooms, rooms.console(1000) as one:
        gid = (await one.extension.create_matchmake_session(room(), "", 1)).gid
        before: MatchmakeSession = await rooms.get(gid)
        await one.extension.update_matchmake_session_part(update_param(gid, 0, **everything))
        assert await rooms.get(gid) == before
        await one.extension.update_matchmake_session_part(
            update_param(gid, flag, **{**everything, **wanted})
        )
        assert await rooms.get(gid) == replace(before, **changes)


async def test_parameters_are_replaced_or_merged() -> None:
    one_, two = Variant.of(1), Variant.of(2)
    async with piped(NEX_4) as rooms, rooms.console(1000) as one:
        template = room(param=MatchmakeParam({"a": one_, "b": one_}))
        gid = (await one.extension.create_matchmake_session(template, "", 1)).gid
        own = {name: (await rooms.get(gid)).param[name] for name in ("@SR", "@GIR")}

        async def update(flags: int, param: dict[str, Variant]) -> dict[str, object]:
            await one.extension.update_matchmake_session_part(
                update_param(gid, flags, param=MatchmakeParam(param))
            )
            return dict((await rooms.get(gid)).param)

        assert await update(0x40, {"b": two, "c": two}) == {**own, "a": one_, "b": two, "c": two}
        assert await update(0x20, {"d": two}) == {**own, "d": two}
        before = await rooms.get(gid)
        assert await refused(update(0x60, {"e": two})) == INVALID
        many = {str(number): two for number in range(64)}
        assert await refused(update(0x40, many)) == INVALID
        assert await rooms.get(gid) == before


@pytest.mark.parametrize(
    ("flag", "bad"),
    [
        (0x1, {"attributes": [0] * 7}),
        (0x4, {"application_buffer": b"x" * 513}),
        (0x8, {"progress_score": 101}),
        (0x100, {"user_password": "x" * 33}),
        (0x400, {"description": "x" * 257}),
        (0x800, {"min_participants": 13}),
        (0x1000, {"max_participants": 257}),
        (0x4000, {"codeword": "x" * 257}),
    ],
)
async def test_a_part_out_of_bounds_changes_nothing(flag: int, bad: dict[str, Any]) -> None:
    async with piped(NEX_4) as rooms, rooms.console(1000) as one:
        gid = (await one.extension.create_matchmake_session(room(), "", 1)).gid
        before = await rooms.get(gid)
        fields = {"game_mode": 4, **bad}
        call = one.extension.update_matchmake_session_part(
            update_param(gid, flag | 0x200, **fields)
        )
        assert await refused(call) == INVALID
        assert await rooms.get(gid) == before
        # What is out of bounds does not matter where it does not count.
        await one.extension.update_matchmake_session_part(update_param(gid, 0x200, **fields))
        assert (await rooms.get(gid)).game_mode == 4


async def test_a_password_is_taken_away() -> None:
    template = room(user_password="x", user_password_enabled=True)
    async with piped(NEX_4) as rooms, rooms.consoles(2) as (a, b):
        gid = (await a.extension.create_matchmake_session(template, "", 1)).gid
        await a.extension.update_matchmake_session_part(update_param(gid, 0x100))
        assert not (await rooms.get(gid)).has_password
        await b.extension.join_matchmake_session(gid, "")


async def test_fewer_places_than_are_taken() -> None:
    async with piped(NEX_4) as rooms, rooms.consoles(2) as (a, b):
        gid = (await a.extension.create_matchmake_session(room(), "", 4)).gid
        await a.extension.update_matchmake_session_part(
            update_param(gid, 0x1000, max_participants=2)
        )
        assert (await rooms.get(gid)).places_taken == 4
        call = b.extension.join_matchmake_session(gid, "")
        assert await refused(call) == "RendezVous::SessionFull"


async def test_hooks_have_a_say() -> None:
    class Hooks(MatchmakingHooks):
        def validate(self, player: Player, gathering: Any) -> bool:
            return bool(gathering.max_participants <= 12)

    async with piped(NEX_4, hooks=Hooks()) as rooms, rooms.console(1000) as one:
        stub = one.extension
        gid = (await stub.create_matchmake_session(room(), "", 1)).gid
        before = await rooms.snapshot()
        many = room(id=gid, max_participants=13)
        for call in (
            stub.create_matchmake_session(many, "", 1),
            stub.create_matchmake_session_with_param(create_param(many)),
            stub.update_matchmake_session(many),
            stub.update_matchmake_session_part(update_param(gid, 0x1000, max_participants=13)),
        ):
            assert await refused(call) == INVALID
        assert await rooms.snapshot() == before
        assert await refused(stub.auto_matchmake_postpone(many, "")) == INVALID
