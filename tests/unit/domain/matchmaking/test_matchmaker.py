from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from nekonex.domain.matchmaking import (
    Credentials,
    Gathering,
    MatchmakeSession,
    MatchmakingHooks,
    Refusal,
)
from nekonex.domain.matchmaking.notices import Event
from nekonex.domain.players import Player
from tests.support.matchmaking import World, problems, refused, session

MIGRATE, ALL = 0x010, 0x400


def rated(rating: int, game_mode: int = 0, **fields: Any) -> MatchmakeSession:
    return session(game_mode=game_mode, attributes=(0, rating, 0, 0, 0, 0), **fields)


async def test_a_session_begins_with_who_makes_it() -> None:
    world = World()
    one = world.connect(1)
    template = session(
        session_key=b"mine",
        system_password="mine",
        user_password="u",
        user_password_enabled=True,
        matchmake_system=3,
        progress_score=77,
        option=5,
        param={"@X": 1},
        codeword="word",
    )
    made = await world.create(one, template, count=3, message="hello")

    assert made.places_taken == 3
    assert [(each.pid, each.message) for each in made.participants] == [(1, "hello")]
    assert len(made.session_key) == 32
    assert made.session_key != b"mine"
    assert made.started_time == world.service.now()
    assert (made.system_password, made.user_password, made.user_password_enabled) == ("", "u", True)
    assert (made.matchmake_system, made.progress_score, made.option) == (3, 77, 5)
    assert (made.param, made.codeword) == ({"@X": 1}, "word")
    other = await world.create(world.connect(2))
    assert other.session_key != made.session_key


async def test_who_makes_a_session_leaves_the_others_it_is_in() -> None:
    world = World()
    one, two = world.consoles(2)
    old = await world.create(one, session(flags=MIGRATE))
    await world.join(two, old.gid)
    new = await world.create(one)
    assert {each.gid: each.pids for each in await world.all()} == {old.gid: (2,), new.gid: (1,)}


async def test_too_many_for_a_session_have_not_left_the_old_one() -> None:
    world = World()
    one = world.connect(1)
    await world.create(one)
    before = await world.snapshot()
    too_many = world.create(one, session(max_participants=3), count=4)
    assert await refused(too_many) is Refusal.FULL
    assert await world.snapshot() == before
    made = await world.create(one, session(max_participants=3), count=3)
    assert made.places_free == 0


@pytest.mark.parametrize(
    "wrong",
    [
        {"description": "x" * 257},
        {"attributes": (0,) * 5},
        {"max_participants": 257},
        {"application_data": bytes(513)},
    ],
)
async def test_a_template_out_of_bounds_changes_nothing(wrong: dict[str, Any]) -> None:
    world = World()
    one, two = world.consoles(2)
    made = await world.create(one)
    await world.join(two, made.gid)
    before = await world.snapshot()
    template = replace(session(), **wrong)
    for call in (
        world.create(two, template),
        world.auto(two, template),
        world.matchmaker.register(two, template),
    ):
        assert await refused(call) is Refusal.INVALID
    assert await world.snapshot() == before


async def company(world: World, number: int) -> tuple[list[Any], int]:
    """Return consoles that are in one gathering, and its gid."""
    consoles = world.consoles(number)
    made = await world.create(consoles[0], session(flags=MIGRATE | ALL, game_mode=99))
    for console in consoles[1:]:
        await world.join(console, made.gid)
    for console in consoles:
        console.told.clear()
    return consoles, made.gid


@pytest.mark.parametrize("call", ["create", "auto", "join"])
async def test_nobody_is_brought_who_is_not_in_the_same_gathering(call: str) -> None:
    world = World()
    (one, _), gid = await company(world, 2)
    three, four = world.consoles(2, first=3)
    target = await world.create(four, session(game_mode=5))
    calls: dict[str, Callable[..., Any]] = {
        "create": world.create,
        "auto": world.auto,
        "join": lambda who, **brought: world.join(who, target.gid, **brought),
    }
    before = await world.snapshot()
    for who, brought in (
        (one, {"additional": (3,), "from_gid": gid}),
        (one, {"additional": (2, 3), "from_gid": gid}),
        (one, {"additional": (2,)}),
        (one, {"additional": (2,), "from_gid": 77}),
        (one, {"additional": (2,), "from_gid": target.gid}),
        (three, {"additional": (2,), "from_gid": gid}),
        (three, {"from_gid": gid}),
    ):
        refusal = await refused(calls[call](who, **brought))
        assert refusal is Refusal.NOT_PARTICIPATING, brought
        assert await world.snapshot() == before
    assert (await calls[call](one, additional=(1,))).participant(1)


async def test_a_company_moves_together() -> None:
    world = World()
    (one, two, three), gid = await company(world, 3)
    made = await world.auto(one, session(flags=ALL), additional=(2, 3), from_gid=gid, count=2)

    assert made.gid != gid
    assert [(each.pid, each.count) for each in made.participants] == [(1, 2), (2, 1), (3, 1)]
    assert [
        (each.kind, each.source_pid, each.param1, each.param2)
        for each in three.told
        if each.param1 == made.gid
    ] == [
        (Event.SWITCH_GATHERING, 1, made.gid, 3),
        (Event.JOINED, 1, made.gid, 1),
        (Event.JOINED, 2, made.gid, 2),
        (Event.JOINED, 3, made.gid, 3),
    ]
    await world.consistent(views=[one.view, two.view, three.view], unheard={gid})


async def test_a_company_does_not_end_up_where_it_came_from() -> None:
    """Those it brings are there still, so the session would seem to have room for them again."""
    world = World()
    (one, _), gid = await company(world, 2)
    made = await world.auto(one, session(game_mode=99), additional=(2,), from_gid=gid)
    assert made.gid != gid
    assert made.pids == (1, 2)


async def test_a_company_passes_over_what_one_of_it_joined_meanwhile() -> None:
    class Joining(MatchmakingHooks):
        async def can_join(self, player: Player, gathering: Gathering) -> bool:
            if player.pid == 1 and not joined:
                joined.append(await world.join(two, gathering.gid))
            return True

    joined: list[MatchmakeSession] = []
    world = World()
    (one, two), gid = await company(world, 2)
    await world.create(world.connect(3), session(game_mode=5))
    world.matchmaking.extend(hooks=Joining())
    made = await world.auto(one, session(game_mode=5), additional=(2,), from_gid=gid)
    assert joined
    assert made.pids == (1, 2)


async def test_a_company_needs_room_for_all() -> None:
    world = World()
    (one, *_), gid = await company(world, 3)
    four, five = world.consoles(2, first=4)
    await world.create(four, session(max_participants=4), count=2)
    roomy = await world.create(five, session(max_participants=4))
    made = await world.auto(
        one, session(max_participants=4), additional=(2, 3), from_gid=gid, count=1
    )
    assert made.gid == roomy.gid
    assert made.places_free == 0


async def test_those_brought_do_not_meet_whom_they_cannot_reach() -> None:
    world = World()
    (one, _), gid = await company(world, 2)
    four = world.connect(4)
    unreachable = await world.create(four)
    world.unreachable.failed(2, 4)
    made = await world.auto(one, additional=(2,), from_gid=gid)
    assert made.gid != unreachable.gid


async def test_passwords_open_what_they_belong_to() -> None:
    world = World()
    one, two, three = world.consoles(3)
    made = await world.create(one, session(user_password="pässword", user_password_enabled=True))
    await world.service.set_system_password(one, made.gid, "system")
    for shown, refusal in (
        (Credentials(), Refusal.NEEDS_PASSWORD),
        (Credentials(user_password="pässword"), Refusal.NEEDS_PASSWORD),
        (Credentials(user_password="", system_password=""), Refusal.WRONG_USER_PASSWORD),
        (
            Credentials(user_password="pässword", system_password="x"),
            Refusal.WRONG_SYSTEM_PASSWORD,
        ),
    ):
        before = await world.snapshot()
        assert await refused(world.join(two, made.gid, shown)) is refusal
        assert await world.snapshot() == before
    right = Credentials(user_password="pässword", system_password="system")
    assert (await world.join(two, made.gid, right)).pids == (1, 2)
    await world.service.set_system_password(one, made.gid, "")
    right = Credentials(user_password="pässword", system_password="")
    assert (await world.join(three, made.gid, right, count=2)).places_taken == 4
    assert one.kinds() == [
        Event.SYSTEM_PASSWORD_SET,
        Event.JOINED,
        Event.SYSTEM_PASSWORD_CLEARED,
        Event.JOINED,
    ]


async def test_joining_by_gid_leaves_no_other_session() -> None:
    world = World()
    one, two = world.consoles(2)
    mine = await world.create(one)
    other = await world.create(two)
    await world.join(one, other.gid)
    assert [(await world.get(each.gid)).pids for each in (mine, other)] == [(1,), (2, 1)]
    assert await problems(world.matchmaking) == []
