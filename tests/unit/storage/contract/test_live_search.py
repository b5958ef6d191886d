from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import replace
from pathlib import Path
from random import Random
from typing import cast

import pytest

from nekonex.domain.matchmaking import (
    Gathering,
    MatchmakeSession,
    NumberFilter,
    Participant,
    ParticipationPolicy,
    Selection,
    SessionQuery,
)
from nekonex.domain.matchmaking.ports import LiveStore, Outcome
from nekonex.domain.matchmaking.refusals import Refusal
from nekonex.storage.memory_gatherings import MemoryLiveStore
from tests.support.gathering_stores import ADAPTERS, joining, leaving, refusal, setting

OpenLive = Callable[[], AbstractAsyncContextManager[LiveStore]]

LIVE = [name for name in ADAPTERS if name.startswith("live")]


@pytest.fixture(params=LIVE)
def open_live(request: pytest.FixtureRequest, tmp_path: Path) -> OpenLive:
    """Return a function that opens one adapter of the store, empty."""
    adapter = ADAPTERS[request.param]
    return lambda: cast("AbstractAsyncContextManager[LiveStore]", adapter.open(tmp_path / "data"))


def accept_all(session: MatchmakeSession) -> bool:
    return True


async def find(
    store: LiveStore, query: SessionQuery, offset: int = 0, limit: int = 100
) -> list[int]:
    found = await store.search(query, accept_all, offset=offset, limit=limit)
    return [session.gid for session in found]


async def make_rated(store: LiveStore, *ratings: int) -> list[int]:
    """Create sessions with these ratings and return their gids."""
    sessions = [MatchmakeSession(attributes=(0, rating, 0, 0, 0, 0)) for rating in ratings]
    return [(await store.create(session)).gid for session in sessions]


def gids(gatherings: Iterable[Gathering]) -> list[int]:
    return [gathering.gid for gathering in gatherings]


async def test_a_search_finds_what_matches_as_it_is_stored(open_live: OpenLive) -> None:
    async with open_live() as store:
        stored = await store.create(MatchmakeSession(game_mode=3, application_data=b"data"))
        await store.create(MatchmakeSession(game_mode=4))
        query = SessionQuery(game_mode=NumberFilter.of(3))
        assert list(await store.search(query, accept_all, offset=0, limit=9)) == [stored]
        assert await store.count_sessions(query) == 1
        assert await store.count_sessions(SessionQuery()) == 2
        assert await find(store, SessionQuery(game_mode=NumberFilter.of(5))) == []


async def test_gatherings_that_are_no_sessions_are_not_found(open_live: OpenLive) -> None:
    async with open_live() as store:
        await store.create(Gathering(max_participants=4))
        assert await find(store, SessionQuery()) == []
        assert await store.count_sessions(SessionQuery()) == 0
        assert await store.count() == 1


async def test_a_search_sees_every_change_at_once(open_live: OpenLive) -> None:
    async with open_live() as store:
        session = MatchmakeSession(max_participants=2, participants=(Participant(1),))
        gid = (await store.create(session)).gid
        free, closed = SessionQuery(places=1), SessionQuery(open_only=True)
        assert await find(store, free) == [gid]
        await store.change(gid, joining(2))
        assert await find(store, free) == []
        assert await find(store, SessionQuery()) == [gid]
        await store.change(gid, leaving(1))
        assert await find(store, free) == [gid]
        await store.change(gid, setting(open_participation=False))
        assert await find(store, closed) == []
        await store.change(gid, leaving(2))
        assert await find(store, SessionQuery()) == []
        assert await store.count_sessions(SessionQuery()) == 0


async def test_a_change_that_is_refused_changes_no_search(open_live: OpenLive) -> None:
    async with open_live() as store:
        session = MatchmakeSession(max_participants=1, participants=(Participant(1),))
        gid = (await store.create(session)).gid
        assert await refusal(store.change(gid, joining(2))) is Refusal.FULL
        assert await find(store, SessionQuery(places=1)) == []
        assert await find(store, SessionQuery()) == [gid]


async def test_what_is_not_accepted_is_passed_over_before_pages_are_counted(
    open_live: OpenLive,
) -> None:
    async with open_live() as store:
        made = await make_rated(store, 1, 2, 3, 4, 5, 6)
        query = SessionQuery(selection=Selection.NEAREST, rating=0)
        refused = {made[0], made[2]}
        for offset, expected in ((0, made[1:2] + made[3:4]), (2, made[4:]), (4, [])):
            found = await store.search(
                query, lambda session: session.gid not in refused, offset=offset, limit=2
            )
            assert gids(found) == expected


@pytest.mark.parametrize(
    ("selection", "expected"),
    [
        (Selection.NEAREST, [1150, 1240, 1000]),
        (Selection.BROADEN, [1150, 1240, 1000]),
        (Selection.PROGRESS, [1000, 1240, 1150]),
        (Selection.BROADEN_PROGRESS, [1150, 1000, 1240]),
    ],
)
async def test_each_selection_has_its_order(
    open_live: OpenLive, selection: Selection, expected: Sequence[int]
) -> None:
    async with open_live() as store:
        for rating, progress in ((1150, 10), (1000, 30), (1240, 20)):
            attributes = (0, rating, 0, 0, 0, 0)
            await store.create(MatchmakeSession(attributes=attributes, progress_score=progress))
        query = SessionQuery(selection=selection, rating=1190)
        found = await store.search(query, accept_all, offset=0, limit=9)
        assert [session.rating for session in found] == expected


async def test_random_choices_differ_and_their_further_pages_do_not(open_live: OpenLive) -> None:
    async with open_live() as store:
        made = await make_rated(store, *range(40))
        first = [tuple(await find(store, SessionQuery(), limit=5)) for _ in range(10)]
        assert len(set(first)) > 1
        assert all(len(set(page)) == 5 for page in first)
        assert set(await find(store, SessionQuery())) == set(made)
        pages = [await find(store, SessionQuery(), offset, 13) for offset in (1, 14, 27)]
        assert pages == [await find(store, SessionQuery(), offset, 13) for offset in (1, 14, 27)]
        assert len(set().union(*pages)) == 39


async def test_only_the_gatherings_asked_for_are_found(open_live: OpenLive) -> None:
    async with open_live() as store:
        made = await make_rated(store, 1, 2, 3)
        query = SessionQuery(gids=frozenset({made[2], made[0], 5}), selection=Selection.NEAREST)
        assert await find(store, query) == [made[0], made[2]]
        assert await store.count_sessions(query) == 2
        assert await find(store, replace(query, gids=frozenset())) == []


async def test_all_gatherings_are_listed_page_by_page(open_live: OpenLive) -> None:
    async with open_live() as store:
        made = sorted(await make_rated(store, 1, 2, 3))
        made.append((await store.create(Gathering(owner=4))).gid)
        made.sort()
        assert gids(await store.page(0, 3)) == made[:3]
        assert gids(await store.page(made[1], 3)) == made[2:]
        await store.change(made[2], setting(state=1))
        await store.change(made[1], setting(description="other"))
        assert gids(await store.page(0, 9)) == made
        assert gids(await store.page(made[3], 9)) == []


async def test_gatherings_are_found_by_their_whole_description(open_live: OpenLive) -> None:
    async with open_live() as store:
        texts = ("room", "room", "", "Room", "room")
        made = [(await store.create(Gathering(description=text))).gid for text in texts]
        assert gids(await store.described("room", 0, 9)) == [made[0], made[1], made[4]]
        assert gids(await store.described("room", 1, 1)) == [made[1]]
        assert gids(await store.described("", 0, 9)) == [made[2]]
        await store.change(made[3], setting(description="room"))
        await store.change(made[0], setting(description="old"))
        await store.change(made[4], lambda gathering: Outcome(None))
        assert gids(await store.described("room", 0, 9)) == [made[1], made[3]]
        assert gids(await store.described("none", 0, 9)) == []


async def test_it_tells_whether_sessions_are_for_friends_only(open_live: OpenLive) -> None:
    async with open_live() as store:
        await store.create(Gathering(policy=ParticipationPolicy.FRIENDS))
        assert not await store.has_friends_only()
        session = MatchmakeSession(policy=ParticipationPolicy.FRIENDS)
        made = [(await store.create(session)).gid for _ in range(2)]
        await store.change(made[0], setting(state=1))
        assert await store.has_friends_only()
        await store.change(made[0], setting(policy=ParticipationPolicy.ANYBODY))
        assert await store.has_friends_only()
        await store.change(made[1], lambda gathering: Outcome(None))
        assert not await store.has_friends_only()


# What only the store in memory promises.


async def test_a_full_store_refuses_more_until_something_ends() -> None:
    store = MemoryLiveStore(Random(1), max_gatherings=2)
    made = await make_rated(store, 1, 2)
    assert await refusal(store.create(Gathering())) is Refusal.TOO_MANY
    await store.change(made[0], lambda gathering: Outcome(None))
    await store.create(Gathering())
    assert await store.count() == 2


class _LateStart(Random):
    """Starts gids a few before the last one."""

    def randrange(self, start: int, stop: int | None = None, step: int = 1) -> int:
        return 0x3FFF_FFFE


async def test_gids_start_anywhere_and_go_around() -> None:
    store = MemoryLiveStore(_LateStart())
    made = await make_rated(store, 1, 2, 3)
    assert made == [0x7FFF_FFFE, 0x7FFF_FFFF, 0x4000_0000]
    assert gids(await store.described("", 0, 9)) == made
    assert gids(await store.page(0, 9)) == sorted(made)
    starts = {(await MemoryLiveStore(Random(seed)).create(Gathering())).gid for seed in range(5)}
    assert len(starts) == 5
    assert all(0x4000_0000 <= gid <= 0x7FFF_FFFF for gid in starts)


async def test_a_gid_in_use_is_skipped() -> None:
    store = MemoryLiveStore(_LateStart())
    (old,) = await make_rated(store, 1)
    # As if as many gatherings had come and gone as there are gids.
    store._next_serial += 0x4000_0000 - 1
    assert await make_rated(store, 2, 3) == [old + 1, 0x4000_0000]
    assert gids(await store.described("", 0, 9)) == [old, old + 1, 0x4000_0000]


async def test_a_transition_cannot_change_the_gid() -> None:
    store = MemoryLiveStore(Random(1))
    (gid,) = await make_rated(store, 1)
    with pytest.raises(ValueError, match="transition"):
        await store.change(gid, setting(gid=gid + 1))
    assert await find(store, SessionQuery()) == [gid]
