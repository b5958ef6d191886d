from __future__ import annotations

import asyncio
from dataclasses import replace
from random import Random
from typing import Any

import pytest

from nekonex.domain.matchmaking import (
    Gathering,
    MatchmakeSession,
    MatchmakingHooks,
    MatchmakingLimits,
    NumberFilter,
    ParticipationPolicy,
    Refusal,
    SessionQuery,
    SessionRule,
    TitleRules,
    parse_filter,
)
from nekonex.domain.players import Player
from nekonex.values import RMCError
from tests.support.crowd import Dawdling
from tests.support.matchmaking import World, refused, session

MIGRATE, ALL = 0x010, 0x400


def rated(rating: int, game_mode: int = 0, **fields: Any) -> MatchmakeSession:
    return session(game_mode=game_mode, attributes=(0, rating, 0, 0, 0, 0), **fields)


async def test_who_finds_nothing_makes_a_session_that_the_next_one_finds() -> None:
    world = World()
    one, two = world.consoles(2)
    made = await world.auto(one, message="first")
    joined = await world.auto(two, message="second")
    assert joined.gid == made.gid
    assert [(each.pid, each.message) for each in joined.participants] == [
        (1, "first"),
        (2, "second"),
    ]


@pytest.mark.parametrize(
    "other",
    [
        {"game_mode": 1},
        {"matchmake_system": 2},
        {"min_participants": 2},
        {"max_participants": 8},
        *[{"attributes": tuple(int(at == index) for at in range(6))} for index in (0, 2, 3, 4, 5)],
        {"codeword": "secret"},
        {"open_participation": False},
        {"user_password_enabled": True},
        {"policy": ParticipationPolicy.FRIENDS},
    ],
)
async def test_sessions_unlike_the_template_are_not_joined(other: dict[str, Any]) -> None:
    world = World()
    one, two = world.consoles(2)
    made = await world.create(one, session(**other))
    assert (await world.auto(two)).gid != made.gid


async def test_a_session_with_a_system_password_is_not_joined() -> None:
    world = World()
    one, two = world.consoles(2)
    made = await world.create(one)
    await world.service.set_system_password(one, made.gid, "x")
    assert (await world.auto(two)).gid != made.gid


async def test_the_nearest_rating_is_joined_whatever_it_is() -> None:
    world = World()
    near, far, one, two = world.consoles(4)
    await world.create(far, rated(9000))
    nearest = await world.create(near, rated(1000))
    assert (await world.auto(one, rated(1500))).gid == nearest.gid
    await world.vanish(near)
    await world.vanish(one)
    assert (await world.auto(two, rated(0))).pids == (2, 4)


async def test_the_session_is_left_before_another_is_looked_for() -> None:
    world = World()
    one, two = world.consoles(2)
    old = await world.create(one, session(flags=MIGRATE))
    await world.join(two, old.gid)
    assert (await world.auto(one)).pids == (2, 1)
    assert (await world.auto(one)).pids == (2, 1)
    alone = await world.auto(two, session(game_mode=7))
    again = await world.auto(two, session(game_mode=7))
    assert alone.pids == again.pids == (2,)
    assert len(await world.all()) == 2


async def test_criteria_say_what_is_joined_not_the_template() -> None:
    world = World()
    one, two, three = world.consoles(3)
    made = await world.create(one, session(game_mode=5, max_participants=4))
    query = SessionQuery(game_mode=parse_filter("3,6"))
    joined = await world.auto(two, session(game_mode=1), queries=[query], count=2)
    assert (joined.gid, joined.places_taken) == (made.gid, 3)
    new = await world.auto(three, session(game_mode=1), queries=[query], count=2)
    assert (new.gid == made.gid, new.game_mode, new.places_taken) == (False, 1, 2)


async def test_the_second_criterion_is_looked_at_after_the_first() -> None:
    world = World()
    consoles = world.consoles(4)
    second = await world.create(consoles[0], session(game_mode=2))
    wanted = [SessionQuery(game_mode=NumberFilter.of(mode)) for mode in (1, 2)]
    assert (await world.auto(consoles[1], queries=wanted)).gid == second.gid
    first = await world.create(consoles[2], session(game_mode=1))
    assert (await world.auto(consoles[3], queries=wanted)).gid == first.gid


async def test_only_so_many_criteria_are_read() -> None:
    world = World()
    one = world.connect(1)
    before = await world.snapshot()
    three = [SessionQuery()] * 3
    assert await refused(world.auto(one, queries=three)) is Refusal.INVALID
    assert await refused(world.matchmaker.browse(one, three, 0, 10)) is Refusal.INVALID
    assert await world.snapshot() == before
    await world.auto(one, queries=three[:2])


@pytest.mark.parametrize("text", ["x,y", "9,1", "1,2,x", "\u0661"])
async def test_criteria_that_are_no_numbers_find_nothing(text: str) -> None:
    world = World()
    one, two = world.consoles(2)
    await world.create(one, session(game_mode=1))
    query = SessionQuery(game_mode=parse_filter(text))
    assert await world.matchmaker.browse(two, [query], 0, 10) == []
    assert (await world.auto(two, session(game_mode=1), queries=[query])).pids == (2,)


async def test_only_the_gatherings_named_are_looked_at() -> None:
    world = World()
    one, two, three, four = world.consoles(4)
    await world.create(one)
    named = await world.create(two)
    assert (await world.auto(three, gids=[77, named.gid])).gid == named.gid
    assert (await world.auto(four, gids=[])).pids == (4,)


async def test_a_session_that_filled_up_meanwhile_is_followed_by_another() -> None:
    world = World(hooks=Dawdling(Random(4)))
    one, two, three, four = world.consoles(4)
    await world.create(one, session(max_participants=2))
    joined = await asyncio.gather(
        *[world.auto(each, session(max_participants=2)) for each in (two, three, four)]
    )
    rooms = {each.gid for each in joined}
    assert len(rooms) == 2
    assert all(each.places_free == 0 for each in await world.all())
    await world.consistent()


async def test_more_sessions_are_tried_than_are_looked_at_together() -> None:
    class Picky(MatchmakingHooks):
        async def can_join(self, player: Player, gathering: Gathering) -> bool:
            tried.append(gathering.gid)
            return gathering.owner == 20

    tried: list[int] = []
    world = World(hooks=Picky(), limits=MatchmakingLimits(max_candidates=3))
    for console in world.consoles(20):
        await world.create(console)
    made = await world.auto(world.connect(21))
    assert made.pids == (20, 21)
    assert len(set(tried)) == len(tried)

    tried.clear()
    none = await world.auto(world.connect(22), rated(0, game_mode=3))
    assert (none.pids, tried) == ((22,), [])


async def test_the_games_filter_and_its_word_count() -> None:
    class Hooks(MatchmakingHooks):
        def accepts(self, player: Player, session: MatchmakeSession) -> bool:
            return session.option != 1

        async def can_join(self, player: Player, gathering: Gathering) -> bool:
            if player.pid == 9 and gathering.owner == 1:
                raise RMCError("RendezVous::SessionClosed")
            return True

    world = World(hooks=Hooks())
    one, two, three = world.consoles(3)
    await world.create(one, session(option=1))
    fits = await world.create(two)
    assert (await world.auto(three)).gid == fits.gid
    plain = await world.create(one)
    nine = world.connect(9)
    with pytest.raises(RMCError, match="SessionClosed"):
        await world.join(nine, plain.gid)
    await world.service.leave(three.pid, fits.gid)
    assert (await world.auto(nine)).gid == fits.gid


async def test_after_so_many_that_turn_a_player_away_it_gets_one_of_its_own() -> None:
    asked = []

    class Hooks(MatchmakingHooks):
        async def can_join(self, player: Player, gathering: Gathering) -> bool:
            asked.append(gathering.gid)
            return False

    world = World(hooks=Hooks(), limits=MatchmakingLimits(max_candidates=2, max_tries=6))
    *owners, guest = world.consoles(11)
    for owner in owners:
        await world.create(owner)
    assert (await world.auto(guest)).owner == guest.pid
    assert len(asked) == len(set(asked)) == 6


async def test_a_guest_takes_no_other_guest_out_of_its_session() -> None:
    world = World()
    first = world.connect(100)
    made = await world.auto(first)
    second = world.connect(100)
    own = await world.auto(second)
    assert own.gid != made.gid
    found = await world.service.get(made.gid)
    assert [known.connection_id for known in found.participants] == [first.connection_id]
    again = await world.auto(second)
    assert again.gid != own.gid
    assert await world.service.find(own.gid) is None


async def test_who_could_not_reach_each_other_are_not_matched_until_that_is_forgotten() -> None:
    world = World()
    one, two, three = world.consoles(3)
    made = await world.create(one)
    await world.join(two, made.gid)
    world.unreachable.failed(2, 3)
    assert (await world.auto(three)).gid != made.gid
    assert made.gid not in [each.gid for each in await world.browse(three)]
    world.clock.now += 599
    assert (await world.auto(three)).gid != made.gid
    world.clock.now += 1
    assert (await world.auto(three)).gid == made.gid


async def test_they_are_matched_again_as_soon_as_they_reach_each_other() -> None:
    world = World()
    one, two = world.consoles(2)
    made = await world.create(one)
    world.unreachable.failed(1, 2)
    world.unreachable.succeeded(2, 1)
    assert (await world.auto(two)).gid == made.gid


async def test_the_blocked_do_not_meet() -> None:
    world = World()
    one, two, three = world.consoles(3)
    blocking = world.matchmaking.blocking
    made = await world.create(one)
    await blocking.add(2, [1])
    await blocking.add(1, [3])
    assert await world.browse(two) == []
    assert (await world.auto(two)).gid != made.gid
    await world.vanish(two)
    assert [each.gid for each in await world.browse(three)] == [made.gid]
    assert (await world.auto(three)).gid != made.gid
    await blocking.clear(1)
    await world.vanish(three)
    assert (await world.auto(world.connect(3))).gid == made.gid


async def test_friends_alone_meet_where_friends_are_wanted() -> None:
    world = World(friends={2: [1], 1: [2]})
    one, two, three = world.consoles(3)
    template = session(policy=ParticipationPolicy.FRIENDS)
    made = await world.create(one, template)
    assert await world.browse(three) == []
    assert (await world.auto(three, template)).gid != made.gid
    assert await refused(world.join(three, made.gid)) is Refusal.NOT_FRIEND
    assert (await world.auto(two, template)).gid == made.gid
    assert [each.gid for each in await world.browse(one)] == []


async def test_the_owner_comes_back_to_what_is_for_its_friends() -> None:
    world = World()
    one, two = world.consoles(2)
    made = await world.service.create(one, session(policy=ParticipationPolicy.FRIENDS))
    assert (await world.auto(one)).gid == made.gid
    assert await refused(world.join(two, made.gid)) is Refusal.NOT_FRIEND


async def test_titles_clean_what_is_looked_for_and_what_is_made() -> None:
    rules = TitleRules(
        ignored_attributes=frozenset({3}),
        criteria_attributes={0: "7"},
        template_attributes={0: 7},
        template_game_mode=2,
        clear_param=True,
        clear_application_data=True,
        created=SessionRule(user_password_enabled=False),
        matched=SessionRule(game_mode=2, open_participation=True),
    )
    world = World(rules=rules)
    one, two, three, four = world.consoles(4)
    template = session(
        attributes=(1, 2, 3, 4, 5, 6),
        param={"A": 1, "@B": 2},
        application_data=b"x",
        game_mode=9,
        user_password_enabled=True,
    )
    made = await world.auto(one, template)
    assert (made.attributes, made.game_mode) == ((7, 2, 3, 4, 5, 6), 2)
    assert (made.param, made.application_data) == ({"@B": 2}, b"")
    assert not made.user_password_enabled

    # By template: that is written over too.
    other = session(attributes=(0, 0, 3, 4, 5, 6))
    assert (await world.auto(two, other)).gid == made.gid

    # By criteria: what they say of attributes 0 and 3 is written over, and it is opened first.
    await world.service.amend(made.gid, lambda old: replace(old, open_participation=False))
    query = SessionQuery(
        attributes=(NumberFilter.of(1), None, None, NumberFilter.of(1), None, None)
    )
    found = await world.browse(three, query)
    assert [each.gid for each in found] == [made.gid]
    assert not found[0].open_participation
    assert (await world.auto(three, queries=[query])).gid == made.gid
    elsewhere = await world.create(four, session(open_participation=False))
    assert not elsewhere.open_participation


async def test_what_searches_by_criteria_compare_is_left_as_the_game_wants_it() -> None:
    rules = TitleRules(
        template_attributes={0: 7},
        template_game_mode=2,
        clear_param=True,
        clear_application_data=True,
    )
    world = World(rules=rules)
    one, two = world.consoles(2)
    template = session(game_mode=9, attributes=(1, 2, 3, 4, 5, 6), application_data=b"x")
    query = SessionQuery(
        game_mode=NumberFilter.of(9),
        attributes=(NumberFilter.of(1), None, None, None, None, None),
    )
    made = await world.auto(one, template, queries=[query])
    assert (made.game_mode, made.attributes) == (9, template.attributes)
    assert made.application_data == b"x"
    assert (await world.auto(two, template, queries=[query])).gid == made.gid
