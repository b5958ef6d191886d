from __future__ import annotations

from random import Random
from typing import Any

from nekonex.domain.matchmaking import (
    MatchmakeSession,
    MatchmakingLimits,
    NumberFilter,
    ParticipationPolicy,
    Selection,
    SessionQuery,
)
from nekonex.domain.matchmaking.search.searching import for_joining
from tests.support.matchmaking import World, session

MIGRATE, ALL = 0x010, 0x400


def rated(rating: int, game_mode: int = 0, **fields: Any) -> MatchmakeSession:
    return session(game_mode=game_mode, attributes=(0, rating, 0, 0, 0, 0), **fields)


async def test_browsing_joins_and_makes_nothing() -> None:
    world = World()
    one = world.connect(1)
    assert await world.browse(one) == []
    assert await world.all() == []


async def test_neither_what_one_is_in_nor_what_has_no_host_is_found() -> None:
    world = World()
    one, two, three = world.consoles(3)
    mine = await world.create(one)
    empty = await world.service.create(two, session(flags=0x080))
    assert {each.gid for each in await world.browse(three)} == {mine.gid, empty.gid}
    assert {each.gid for each in await world.browse(one)} == {empty.gid}
    await world.vanish(two)
    assert {each.gid for each in await world.browse(three)} == {mine.gid}
    world.players.unregister(one.connection_id)
    assert await world.browse(three) == []


async def test_browsing_finds_full_and_closed_sessions_unless_told_not_to() -> None:
    world = World()
    one, two, three = world.consoles(3)
    full = await world.create(one, session(max_participants=1))
    closed = await world.create(two, session(open_participation=False))
    assert {each.gid for each in await world.browse(three)} == {full.gid, closed.gid}
    found = await world.browse(three, SessionQuery(places=1))
    assert [each.gid for each in found] == [closed.gid]
    found = await world.browse(three, SessionQuery(open_only=True))
    assert [each.gid for each in found] == [full.gid]


async def test_pages_of_several_criteria_follow_each_other() -> None:
    world = World()
    consoles = world.consoles(10)
    searcher = world.connect(11)
    made = [
        await world.create(console, rated(10 * at, game_mode=at % 3))
        for at, console in enumerate(consoles)
    ]
    first, second = (
        SessionQuery(game_mode=NumberFilter.of(*modes), selection=Selection.NEAREST, rating=0)
        for modes in ((1,), (0, 1))
    )
    expected = [each.gid for each in made if each.game_mode == 1]
    expected += [each.gid for each in made if each.game_mode == 0]
    for offset in range(9):
        for limit in (1, 2, 3, 100):
            found = await world.browse(searcher, first, second, offset=offset, limit=limit)
            assert [each.gid for each in found] == expected[offset : offset + limit]


async def test_no_criteria_find_nothing() -> None:
    world = World()
    one, two = world.consoles(2)
    await world.create(one)
    assert await world.matchmaker.browse(two, [], 0, 10) == []


async def test_every_session_that_was_not_found_has_its_reasons() -> None:
    world = World(friends={})
    consoles = world.consoles(9)
    searcher = world.connect(10)
    templates = [
        session(game_mode=1),
        session(max_participants=1),
        session(open_participation=False, user_password_enabled=True),
        session(policy=ParticipationPolicy.FRIENDS),
        session(),
        session(),
        session(codeword="c"),
        session(flags=0x080),
        session(),
    ]
    made = [
        await world.create(console, template)
        for console, template in zip(consoles, templates, strict=True)
    ]
    await world.matchmaking.blocking.add(10, [5])
    world.unreachable.failed(10, 6)
    await world.vanish(consoles[7])
    await world.join(searcher, made[8].gid)

    searching = world.matchmaking.searching
    query = for_joining(SessionQuery(game_mode=NumberFilter.of(0)), 1)
    explained = await searching.explain(await searching.searcher(searcher), [query])
    reasons = {found.owner: [str(reason) for reason in why] for found, why in explained}

    assert reasons[1] == ["game mode is 1, not 0"]
    assert reasons[2] == ["0 places are free, not 1"]
    assert reasons[3] == ["participation is closed", "it has a user password"]
    assert reasons[4] == ["it is for friends of PID 4 only"]
    assert reasons[5] == ["the player blocked its owner, PID 5"]
    assert reasons[6] == ["a connection with PID 6 failed a short while ago"]
    assert reasons[7] == []
    assert reasons[8] == ["it has no host"]
    assert reasons[9] == ["the player is in it already"]
    assert [len(why) for _, why in explained] == sorted(len(why) for _, why in explained)
    assert [each.owner for each in await world.browse(searcher, query)] == [7]


async def test_what_is_explained_is_exactly_what_is_not_found() -> None:
    world = World(seed=3)
    random = Random(3)
    for console in world.consoles(40):
        template = session(
            game_mode=random.randrange(2),
            open_participation=random.random() < 0.7,
            max_participants=random.randrange(1, 4),
            policy=random.choice([1, 1, 1, 98]),
        )
        await world.create(console, template, count=1)
    searcher = world.connect(50)
    searching = world.matchmaking.searching
    queries = [
        for_joining(SessionQuery(game_mode=NumberFilter.of(1)), 2),
        for_joining(SessionQuery(game_mode=NumberFilter.of(0)), 1),
    ]
    who = await searching.searcher(searcher)
    found = await searching.search(who, queries, limit=1000)
    explained = await searching.explain(who, queries)
    assert len(explained) == 40
    assert {each.gid for each in found} == {each.gid for each, why in explained if not why}


async def test_the_last_search_is_remembered() -> None:
    world = World(limits=MatchmakingLimits(remembered_players=2))
    searching = world.matchmaking.searching
    one, two, three = world.consoles(3)
    assert searching.last_search(1) is None
    await world.browse(one)
    await world.browse(two)
    last = searching.last_search(1)
    assert last is not None
    assert (last.time, last.joining, last.found) == (world.clock.now, False, 0)
    assert last.queries == (SessionQuery(friends=frozenset()),)
    await world.auto(three)
    assert searching.last_search(1) is None
    last = searching.last_search(3)
    assert last is not None
    assert (last.joining, last.found) == (True, 0)
