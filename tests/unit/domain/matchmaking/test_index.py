from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import replace
from random import Random

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from nekonex.domain.matchmaking import (
    MatchmakeSession,
    NumberFilter,
    Participant,
    Selection,
    SessionQuery,
)
from nekonex.domain.matchmaking.search.index import SessionIndex


def accept_all(session: MatchmakeSession) -> bool:
    return True


def accept_even(session: MatchmakeSession) -> bool:
    return session.gid % 2 == 0


def index_of(sessions: Iterable[MatchmakeSession]) -> SessionIndex:
    index = SessionIndex()
    for session in sessions:
        index.put(session)
    return index


def rated(gid: int, rating: int, progress: int = 0) -> MatchmakeSession:
    return MatchmakeSession(
        gid=gid, attributes=(0, rating, 0, 0, 0, 0), progress_score=progress, max_participants=2
    )


def find(index: SessionIndex, query: SessionQuery, limit: int = 100) -> list[int]:
    found = index.find(query, accept_all, offset=0, limit=limit, random=Random(1))
    return [session.gid for session in found]


# The definition to compare with: every session, one after the other.

BANDS = [(0, 1099)] + [(low, low + 99) for low in range(1100, 2000, 100)]
BANDS += [(2000, 2199), (2200, 2**32)]


def band(rating: int) -> int:
    return next(number for number, (low, high) in enumerate(BANDS) if low <= rating <= high)


def sort_key(query: SessionQuery, session: MatchmakeSession) -> tuple[int, ...]:
    rating = query.rating or 0
    distance = abs(session.rating - rating)
    bands = abs(band(session.rating) - band(rating))
    match query.selection:
        case Selection.RANDOM:
            return (session.rating, -session.gid)
        case Selection.NEAREST:
            return (distance, -session.gid)
        case Selection.BROADEN:
            return (bands, distance, -session.gid)
        case Selection.PROGRESS:
            return (-session.progress_score, -session.gid)
        case Selection.BROADEN_PROGRESS:
            return (bands, -session.progress_score, -session.gid)


def scan(sessions: Iterable[MatchmakeSession], query: SessionQuery) -> list[MatchmakeSession]:
    found = [session for session in sessions if query.matches(session)]
    return sorted(found, key=lambda session: sort_key(query, session))


def check(index: SessionIndex, sessions: dict[int, MatchmakeSession], query: SessionQuery) -> None:
    expected = scan(sessions.values(), query)
    assert index.count(query) == len(expected)
    for accept in (accept_all, accept_even):
        wanted = [session for session in expected if accept(session)]
        for offset, limit in ((0, 1), (0, 1000), (1, 2), (3, 1000)):
            found = index.find(query, accept, offset=offset, limit=limit, random=Random(limit))
            page = wanted[offset : offset + limit]
            if query.selection is Selection.RANDOM and not offset:
                assert len(found) == len(page)
                assert len({session.gid for session in found}) == len(found)
                assert all(session in wanted for session in found)
            else:
                assert found == page


small = st.integers(0, 2)
ratings = st.one_of(
    st.sampled_from([0, 1, 1099, 1100, 1199, 1200, 1500, 1999, 2000, 2199, 2200, 0xFFFFFFFF]),
    st.integers(1480, 1520),
)


@st.composite
def sessions_(draw: st.DrawFn, gid: st.SearchStrategy[int]) -> MatchmakeSession:
    return MatchmakeSession(
        gid=draw(gid),
        owner=draw(small),
        host=draw(small),
        policy=draw(st.sampled_from([95, 98])),
        min_participants=draw(small),
        max_participants=draw(st.sampled_from([0, 2, 4, 12])),
        participants=tuple(Participant(pid, count=draw(small)) for pid in range(draw(small))),
        game_mode=draw(small),
        attributes=(draw(small), draw(ratings), draw(small), 7, draw(small), 9),
        open_participation=draw(st.booleans()),
        matchmake_system=draw(small),
        progress_score=draw(st.sampled_from([0, 1, 50, 100, 255])),
        user_password_enabled=draw(st.booleans()),
        system_password=draw(st.sampled_from(["", "x"])),
        refer_gid=draw(small),
        codeword=draw(st.sampled_from(["", "a", "b"])),
    )


def filters(numbers: st.SearchStrategy[int]) -> st.SearchStrategy[NumberFilter | None]:
    range_ = st.tuples(numbers, numbers).map(lambda ends: NumberFilter(((min(ends), max(ends)),)))
    list_ = st.lists(numbers, max_size=4).map(lambda these: NumberFilter.of(*these))
    return st.one_of(st.none(), st.none(), st.none(), st.none(), range_, list_)


seldom = st.sampled_from([False, False, False, True])
queries = st.builds(
    SessionQuery,
    game_mode=filters(small),
    matchmake_system=filters(small),
    min_participants=filters(small),
    max_participants=filters(st.integers(0, 13)),
    attributes=st.tuples(
        filters(small), filters(ratings), filters(small), filters(small), st.none(), st.none()
    ),
    places=st.sampled_from([0, 0, 1, 2, 3, 4, 5, 11, 13]),
    open_only=seldom,
    hosted_only=seldom,
    without_user_password=seldom,
    without_system_password=seldom,
    refer_gid=st.sampled_from([0, 0, 0, 1]),
    codeword=st.sampled_from(["", "", "", "a", "c"]),
    gids=st.one_of(st.none(), st.none(), st.frozensets(st.integers(0, 30))),
    friends=st.one_of(st.none(), st.none(), st.frozensets(small)),
    selection=st.sampled_from(Selection),
    rating=st.one_of(ratings, ratings, st.none()),
)


class IndexMachine(RuleBasedStateMachine):
    """Sessions come, change and go, and every search finds what a scan of all does."""

    def __init__(self) -> None:
        super().__init__()
        self.index = SessionIndex()
        self.sessions: dict[int, MatchmakeSession] = {}

    @rule(sessions=st.lists(sessions_(st.integers(1, 30)), max_size=12))
    def put(self, sessions: list[MatchmakeSession]) -> None:
        for session in sessions:
            self.index.put(session)
            self.sessions[session.gid] = session

    @rule(gid=st.integers(1, 30), others=st.lists(st.integers(1, 3), max_size=5))
    def change_participants(self, gid: int, others: list[int]) -> None:
        if gid in self.sessions:
            people = tuple(Participant(90 + n, count=count) for n, count in enumerate(others))
            self.sessions[gid] = replace(self.sessions[gid], participants=people)
            self.index.put(self.sessions[gid])

    @rule(gids=st.lists(st.integers(0, 31), max_size=5))
    def discard(self, gids: list[int]) -> None:
        for gid in gids:
            self.index.discard(gid)
            self.sessions.pop(gid, None)

    @rule(query=queries)
    def search(self, query: SessionQuery) -> None:
        check(self.index, self.sessions, query)

    @rule(selection=st.sampled_from(Selection), rating=ratings, places=st.integers(0, 6))
    def search_widely(self, selection: Selection, rating: int, places: int) -> None:
        query = SessionQuery(selection=selection, rating=rating, places=places)
        check(self.index, self.sessions, query)

    @invariant()
    def all_are_there(self) -> None:
        assert len(self.index) == len(self.sessions)
        assert self.index.count(SessionQuery()) == len(self.sessions)


TestIndex = IndexMachine.TestCase
TestIndex.settings = settings(max_examples=40, stateful_step_count=15)


# Among few sessions there are few pools. So many that all ways of searching are taken:

COUNT = 2000


def make_many(distinct: int) -> dict[int, MatchmakeSession]:
    """Make sessions whose ratings depend on their mode; attribute 3 has so many values."""
    random = Random(distinct)
    sessions = {}
    for gid in range(1, COUNT + 1):
        mode = random.randrange(4)
        sessions[gid] = MatchmakeSession(
            gid=gid,
            host=random.randrange(2),
            max_participants=random.choice([0, 2, 6, 12]),
            participants=tuple([Participant(pid) for pid in range(random.randrange(12))]),
            game_mode=mode,
            attributes=(
                random.randrange(3),
                1000 + 300 * mode + random.randrange(200),
                0,
                random.randrange(distinct) * 7,
                0,
                0,
            ),
            progress_score=random.randrange(101),
        )
    return sessions


@pytest.mark.parametrize("distinct", [1, 100, COUNT * 50])
def test_among_many_sessions_it_finds_what_a_scan_does(distinct: int) -> None:
    sessions = make_many(distinct)
    index = index_of(sessions.values())
    random = Random(7)
    for selection in Selection:
        for _ in range(6):
            attributes: list[NumberFilter | None] = [None] * 6
            if random.random() < 0.3:
                attributes[0] = NumberFilter.of(random.randrange(3))
            if random.random() < 0.3:
                low = random.randrange(900, 2200)
                attributes[1] = NumberFilter(((low, low + random.choice([0, 30, 600])),))
            if random.random() < 0.3:
                low = random.randrange(distinct * 7)
                attributes[3] = NumberFilter(((low, low + random.choice([0, 500, 10**6])),))
            query = SessionQuery(
                selection=selection,
                game_mode=NumberFilter.of(random.randrange(4)) if random.random() < 0.8 else None,
                attributes=tuple(attributes),
                places=random.choice([0, 1, 3, 5]),
                hosted_only=random.random() < 0.5,
                rating=random.randrange(900, 2300),
            )
            check(index, sessions, query)


@pytest.mark.parametrize("distinct", [1, 100, COUNT * 50])
def test_what_is_found_is_looked_at_one_by_one(distinct: int) -> None:
    sessions = make_many(distinct)
    index = index_of(sessions.values())
    asked = []

    def accept(session: MatchmakeSession) -> bool:
        asked.append(session.gid)
        return len(asked) > 3

    for selection in Selection:
        asked.clear()
        query = SessionQuery(selection=selection, places=1, rating=1200)
        found = index.find(query, accept, offset=1, limit=2, random=Random(1))
        assert len(found) == 2
        assert len(asked) == len(set(asked)) == 3 + 1 + 2


@pytest.mark.parametrize("count", [1, 12, 200])
@pytest.mark.parametrize("pools", [1, 3, 100])
def test_a_random_selection_takes_all_equally_often(count: int, pools: int) -> None:
    index = index_of(
        MatchmakeSession(gid=gid, attributes=(0, gid % 5, gid % pools, 0, 0, 0))
        for gid in range(1, count + 1)
    )
    index.put(MatchmakeSession(gid=999, game_mode=5))
    query = SessionQuery(game_mode=NumberFilter.of(0))
    random = Random(3)
    rounds = 30 * count
    for limit in (1, 2):
        taken: Counter[int] = Counter()
        for _ in range(rounds // limit):
            found = index.find(query, accept_all, offset=0, limit=limit, random=random)
            taken[found[-1].gid] += 1
        assert len(taken) == count
        mean = rounds / limit / count
        # Six standard deviations of a Poisson distribution, so the seed hardly matters.
        assert all(abs(often - mean) < 6 * mean**0.5 + 1 for often in taken.values())


def test_of_equally_near_scoresthe_newest_is_first() -> None:
    index = index_of([rated(1, 10), rated(2, 12), rated(3, 10), rated(4, 11), rated(5, 12)])
    near = SessionQuery(selection=Selection.NEAREST, rating=11)
    assert find(index, near) == find(index, near, 5) == [4, 5, 3, 2, 1]
    assert find(index, near, 1) == [4]
    assert find(index, near, 3) == [4, 5, 3]


def test_a_broadening_search_leaves_its_rating_pool_last() -> None:
    index = index_of(
        [rated(1, 1100, 90), rated(2, 1199, 10), rated(3, 1205, 95), rated(4, 900, 99)]
    )
    by_distance = SessionQuery(selection=Selection.BROADEN, rating=1198)
    assert find(index, by_distance) == [2, 1, 3, 4]
    by_progress = SessionQuery(selection=Selection.BROADEN_PROGRESS, rating=1198)
    assert find(index, by_progress) == [1, 2, 4, 3]
    assert find(index, SessionQuery(selection=Selection.PROGRESS)) == [4, 3, 1, 2]


def test_the_rating_filters_where_it_does_not_order() -> None:
    index = index_of([rated(1, 10), rated(2, 20), rated(3, 30)])
    wanted = (None, NumberFilter(((20, 30),)), None, None, None, None)
    for selection in Selection:
        query = SessionQuery(selection=selection, attributes=wanted, rating=10)
        assert set(find(index, query)) == ({1, 2, 3} if selection.by_rating else {2, 3})
        assert index.count(query) == (3 if selection.by_rating else 2)


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (NumberFilter.of(2, 4, 9), [2, 4, 9]),
        (NumberFilter(((1, 2), (5, 7), (9, 99))), [1, 2, 5, 6, 7, 9]),
        (NumberFilter(((0, 99),)), list(range(1, 10))),
        (NumberFilter(()), []),
        (NumberFilter.of(0, 10), []),
    ],
)
def test_criteria_may_be_ranges_and_lists(wanted: NumberFilter, expected: list[int]) -> None:
    index = index_of(
        MatchmakeSession(gid=gid, max_participants=gid, attributes=(0, gid, 0, gid, 0, 0))
        for gid in range(1, 10)
    )
    for query in (
        SessionQuery(max_participants=wanted),
        SessionQuery(attributes=(None, None, None, wanted, None, None)),
        SessionQuery(attributes=(None, wanted, None, None, None, None)),
    ):
        assert sorted(find(index, query)) == expected
        assert index.count(query) == len(expected)


@pytest.mark.parametrize("limit", [0, -1])
def test_nothing_is_found_where_nothing_is_wanted(limit: int) -> None:
    assert find(index_of([rated(1, 1)]), SessionQuery(), limit) == []


def test_what_came_and_went_leaves_nothing_behind() -> None:
    index = SessionIndex()
    for start in range(0, 500, 100):
        for gid in range(start + 1, start + 101):
            session = MatchmakeSession(gid=gid, game_mode=gid, codeword=str(gid))
            index.put(session)
            index.put(replace(session, host=3))
        assert len(index) == index.count(SessionQuery(hosted_only=True)) == 100
        assert find(index, SessionQuery(codeword=str(start + 7))) == [start + 7]
        for gid in range(start + 1, start + 101):
            index.discard(gid)
        index.discard(start + 1)
        assert len(index) == 0
        assert find(index, SessionQuery()) == []


def test_pools_that_are_gone_are_not_taken_for_others() -> None:
    index = SessionIndex()
    for mode in (1, 2):
        for gid in range(1, 81):
            session = MatchmakeSession(gid=gid, game_mode=mode, codeword=str(gid))
            index.put(session)
        assert index.count(SessionQuery(game_mode=NumberFilter.of(mode))) == 80
        assert index.count(SessionQuery(game_mode=NumberFilter.of(3 - mode))) == 0
    index.put(MatchmakeSession(gid=80, game_mode=1))
    assert find(index, SessionQuery(game_mode=NumberFilter.of(1))) == [80]
