from __future__ import annotations

import re
from dataclasses import replace
from random import Random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.domain.matchmaking import (
    MatchmakeSession,
    NumberFilter,
    Participant,
    Selection,
    SessionQuery,
    parse_filter,
)
from nekonex.domain.matchmaking.search.index import SessionIndex
from nekonex.domain.matchmaking.search.query import ANY_ATTRIBUTES, MAX_VALUES

NUMBERS = st.integers(0, 2**32 - 1)


def test_nothing_said_is_anything() -> None:
    assert parse_filter("") is None


@pytest.mark.parametrize(
    ("text", "within", "without"),
    [
        ("5", [5], [4, 6, 55]),
        ("0", [0], [1]),
        ("4294967295", [2**32 - 1], [2**32 - 2]),
        ("9999999999", [9_999_999_999], [0]),
        ("007", [7], [0, 70]),
        ("1,8", [1, 2, 7, 8], [0, 9]),
        ("5,5", [5], [4, 6]),
        ("1,3,9", [1, 3, 9], [0, 2, 4, 8, 10]),
        ("9,3,1", [1, 3, 9], [2]),
        ("1,2,3", [1, 2, 3], [0, 4]),
        ("4,4,4", [4], [3, 5]),
    ],
)
def test_numbers_ranges_and_lists(text: str, within: list[int], without: list[int]) -> None:
    wanted = parse_filter(text)
    assert wanted is not None
    assert [number for number in within + without if number in wanted] == within


@pytest.mark.parametrize(
    "text",
    [
        *["x,y", "9,1", ",", "1,", ",1", "1,,2", "1,2,x", " ", " 1", "1 ", "1, 8", "-1", "-1,1"],
        *["+1", "1.0", "1e3", "0x10", "1_000", "\u0661", "\u0661,8", "\uff11", "\xb2", "1\n"],
        *["1\x00", "12345678901", "1,12345678901", "1;8", "1-8", "\ud800"],
        ",".join(["1"] * (MAX_VALUES + 1)),
    ],
)
def test_what_is_none_of_these_wants_nothing(text: str) -> None:
    wanted = parse_filter(text)
    assert wanted == NumberFilter(())
    assert 0 not in wanted
    assert 1 not in wanted
    assert str(wanted) == "nothing"


def test_so_many_numbers_may_be_listed() -> None:
    wanted = parse_filter(",".join(str(2 * number) for number in range(MAX_VALUES)))
    assert wanted is not None
    assert wanted.ranges == tuple((2 * number, 2 * number) for number in range(MAX_VALUES))


@given(st.text(st.sampled_from("0123456789,- x\u0661"), max_size=25) | st.text(max_size=12))
def test_criteria_are_read_as_the_rules_say(text: str) -> None:
    wanted = parse_filter(text)
    if not text:
        assert wanted is None
        return
    assert wanted is not None
    if not re.fullmatch(r"[0-9]{1,10}(,[0-9]{1,10})*", text):
        assert wanted.ranges == ()
        return
    numbers = [int(part) for part in text.split(",")]
    for number in {each + by for each in numbers for by in (-1, 0, 1)}:
        if len(numbers) == 2:
            assert (number in wanted) is (numbers[0] <= number <= numbers[1])
        else:
            assert (number in wanted) is (number in numbers)


@given(st.lists(NUMBERS, max_size=12))
def test_ranges_ascend_and_do_not_touch(numbers: list[int]) -> None:
    wanted = NumberFilter.of(*numbers)
    assert all(low <= high for low, high in wanted.ranges)
    gaps = zip(wanted.ranges, wanted.ranges[1:], strict=False)
    assert all(before[1] + 1 < after[0] for before, after in gaps)
    assert all(number in wanted for number in numbers)
    assert sum(high - low + 1 for low, high in wanted.ranges) == len(set(numbers))


def test_a_filter_is_readable() -> None:
    assert str(parse_filter("1,8")) == "1..8"
    assert str(parse_filter("7,1,6")) == "1, 6..7"


SESSION = MatchmakeSession(
    gid=0x40000001,
    host=1,
    participants=(Participant(1, 1, 3),),
    max_participants=8,
    min_participants=2,
    game_mode=5,
    matchmake_system=2,
    attributes=(10, 20, 30, 40, 50, 60),
    refer_gid=9,
    codeword="word",
)
FITTING = SessionQuery(
    game_mode=NumberFilter.of(5),
    matchmake_system=NumberFilter.of(2),
    min_participants=NumberFilter.of(2),
    max_participants=NumberFilter.of(8),
    attributes=tuple(NumberFilter.of(number) for number in SESSION.attributes),
    places=5,
    open_only=True,
    hosted_only=True,
    without_user_password=True,
    without_system_password=True,
    refer_gid=9,
    codeword="word",
    gids=frozenset({SESSION.gid}),
)
OTHER = NumberFilter.of(99)
FAILING = {
    **{
        name: replace(FITTING, **{name: OTHER})  # type: ignore[arg-type]
        for name in ("game_mode", "matchmake_system", "min_participants", "max_participants")
    },
    **{
        f"attribute {at}": replace(
            FITTING,
            attributes=(*FITTING.attributes[:at], OTHER, *FITTING.attributes[at + 1 :]),
        )
        for at in range(6)
    },
    "places": replace(FITTING, places=6),
    "refer_gid": replace(FITTING, refer_gid=8),
    "codeword": replace(FITTING, codeword="other"),
    "gids": replace(FITTING, gids=frozenset()),
}
UNFIT = {
    "closed": replace(SESSION, open_participation=False),
    "without a host": replace(SESSION, host=0),
    "user password": replace(SESSION, user_password_enabled=True),
    "system password": replace(SESSION, system_password="x"),
}


def found(session: MatchmakeSession, query: SessionQuery) -> bool:
    index = SessionIndex()
    index.put(session)
    every = index.find(query, lambda _: True, offset=0, limit=9, random=Random(0))
    assert bool(every) is query.matches(session)
    return bool(every)


@pytest.mark.parametrize("query", [FITTING, SessionQuery()])
def test_what_fits_is_found(query: SessionQuery) -> None:
    assert list(query.mismatches(SESSION)) == []
    assert found(SESSION, query)


@pytest.mark.parametrize("query", FAILING.values(), ids=FAILING)
def test_each_criterion_counts_and_gives_a_reason(query: SessionQuery) -> None:
    assert len(list(query.mismatches(SESSION))) == 1
    assert not found(SESSION, query)


@pytest.mark.parametrize("session", UNFIT.values(), ids=UNFIT)
def test_each_state_counts_and_gives_a_reason(session: MatchmakeSession) -> None:
    assert len(list(FITTING.mismatches(session))) == 1
    assert not found(session, FITTING)
    assert found(session, SessionQuery())


def test_all_that_is_wrong_is_told() -> None:
    assert len(list(FAILING["game_mode"].mismatches(UNFIT["closed"]))) == 2


@pytest.mark.parametrize("selection", list(Selection))
def test_the_rating_filters_unless_it_orders(selection: Selection) -> None:
    attributes = (None, OTHER, None, None, None, None)
    query = SessionQuery(selection=selection, attributes=attributes)
    assert found(SESSION, query) is selection.by_rating
    assert selection.by_rating is (
        selection in {Selection.NEAREST, Selection.BROADEN, Selection.BROADEN_PROGRESS}
    )


def test_a_session_without_a_maximum_has_room() -> None:
    roomy = replace(SESSION, max_participants=0)
    assert found(roomy, SessionQuery(places=300, attributes=ANY_ATTRIBUTES))


def test_a_codeword_may_be_what_is_not_wanted() -> None:
    query = SessionQuery(without_codeword=True)
    assert not found(SESSION, query)
    assert found(replace(SESSION, codeword=""), query)
    assert found(SESSION, replace(query, codeword="word"))
    assert not found(replace(SESSION, codeword=""), replace(query, codeword="word"))


@pytest.mark.parametrize("text", ["x,y", "9,1", "-1"])
def test_a_criterion_that_cannot_be_read_is_told_as_such(text: str) -> None:
    reasons = list(SessionQuery(game_mode=parse_filter(text)).mismatches(SESSION))
    assert reasons == ["what the search says of game mode is no number, range or list"]
