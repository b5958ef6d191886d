"""Gatherings between the wire and the rules: nothing is lost, and no secret gets out."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.domain.matchmaking import (
    Community,
    Gathering,
    MatchmakeSession,
    MatchmakingError,
    NumberFilter,
    Participant,
    Refusal,
    Selection,
    SessionQuery,
)
from nekonex.nex import structures as wire
from nekonex.nex.matchmaking import (
    community_of,
    community_to_wire,
    gathering_of,
    gathering_to_wire,
    participant_to_wire,
    plain_of,
    plain_to_wire,
    query_of,
    session_of,
    session_to_wire,
)
from nekonex.values import DateTime
from nekonex.wire import UnknownData, Variant, WireContext

OLD = WireContext("3.5.4", holders=wire.default_holders())
FLAGGED = WireContext("3.8.3", holders=wire.default_holders())
NEW = WireContext("4.0", holders=wire.default_holders())

U16 = st.integers(0, 2**16 - 1)
U32 = st.integers(0, 2**32 - 1)
TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)
TIMES = st.builds(DateTime, st.integers(0, 2**64 - 1))
VARIANTS = st.one_of(
    st.builds(Variant, st.just(6), st.integers(0, 2**64 - 1)),
    st.builds(Variant, st.just(1), st.integers(-(2**63), 2**63 - 1)),
    st.builds(Variant, st.just(4), TEXT),
    st.builds(Variant, st.just(5), TIMES),
)

COMMON: dict[str, st.SearchStrategy[Any]] = {
    "gid": U32,
    "owner": U32,
    "host": U32,
    "min_participants": U16,
    "max_participants": U16,
    "policy": U32,
    "policy_argument": U32,
    "flags": U32,
    "state": U32,
    "description": TEXT,
}
PLAIN = st.builds(Gathering, **COMMON)
SESSIONS = st.builds(
    MatchmakeSession,
    **COMMON,
    game_mode=U32,
    attributes=st.lists(U32, max_size=9).map(tuple),
    open_participation=st.booleans(),
    matchmake_system=U32,
    application_data=st.binary(max_size=8),
    progress_score=st.integers(0, 255),
    session_key=st.binary(max_size=8),
    option=U32,
    param=st.dictionaries(TEXT, VARIANTS, max_size=3),
    started_time=TIMES,
    user_password=TEXT,
    user_password_enabled=st.booleans(),
    refer_gid=U32,
    codeword=TEXT,
)
COMMUNITIES = st.builds(
    Community,
    **COMMON,
    type=U32,
    password=TEXT,
    attributes=st.lists(U32, max_size=9).map(tuple),
    application_data=st.binary(max_size=8),
    participation_start=TIMES,
    participation_end=TIMES,
)
SIX = (0,) * 6
PEOPLE = (
    Participant(1000, 1, 2, "hi"),
    Participant(1001, 2, 1, ""),
)


@given(PLAIN)
def test_plain_gatherings_go_there_and_back(gathering: Gathering) -> None:
    structure = plain_to_wire(gathering)
    assert plain_of(structure) == gathering
    assert NEW.codec(wire.Gathering).decode(NEW.codec(wire.Gathering).encode(structure)) == (
        structure
    )


@given(SESSIONS)
def test_sessions_go_there_and_back(session: MatchmakeSession) -> None:
    structure = session_to_wire(session, secrets=True)
    assert session_of(structure, NEW) == session
    codec = NEW.codec(wire.MatchmakeSession)
    assert codec.decode(codec.encode(structure)) == structure


@given(COMMUNITIES)
def test_communities_go_there_and_back(community: Community) -> None:
    structure = community_to_wire(community, secrets=True)
    assert community_of(structure) == community
    codec = NEW.codec(wire.PersistentGathering)
    assert codec.decode(codec.encode(structure)) == structure


@given(st.one_of(PLAIN, SESSIONS, COMMUNITIES))
def test_every_kind_goes_there_and_back(gathering: Gathering) -> None:
    structure = gathering_to_wire(gathering, secrets=True)
    assert type(structure).__name__ in NEW.holders
    assert gathering_of(structure, NEW) == gathering


@given(SESSIONS)
def test_without_secrets_only_key_and_password_are_missing(session: MatchmakeSession) -> None:
    blanked = replace(session, session_key=b"", user_password="")
    assert session_to_wire(session, secrets=False) == session_to_wire(blanked, secrets=True)
    assert gathering_to_wire(session, secrets=False) == session_to_wire(session, secrets=False)


@given(COMMUNITIES)
def test_without_secrets_only_a_communitys_password_is_missing(community: Community) -> None:
    blanked = replace(community, password="")
    assert community_to_wire(community, secrets=False) == community_to_wire(blanked, secrets=True)
    assert gathering_to_wire(community, secrets=False) == (
        community_to_wire(community, secrets=False)
    )


def test_participants_are_counted_by_the_places_that_they_take() -> None:
    session = MatchmakeSession(gid=1, participants=PEOPLE)
    assert session_to_wire(session, secrets=False).num_participants == 3
    assert session_of(session_to_wire(session, secrets=True), NEW).participants == ()


def test_the_system_password_is_never_told_but_that_there_is_one() -> None:
    session = MatchmakeSession(gid=1, system_password="ABCDEFGHIJKLMNOP")
    for secrets in (False, True):
        structure = session_to_wire(session, secrets=secrets)
        assert structure.system_password_enabled
        assert b"ABCDEFGH" not in NEW.codec(wire.MatchmakeSession).encode(structure)
    assert not session_to_wire(MatchmakeSession(gid=1), secrets=True).system_password_enabled
    template = wire.MatchmakeSession(system_password_enabled=True)
    assert not session_of(template, NEW).has_password


@pytest.mark.parametrize("password", ["", "secret"])
@pytest.mark.parametrize("flag", [False, True])
def test_who_says_that_there_is_a_user_password(password: str, flag: bool) -> None:
    template = wire.MatchmakeSession(user_password=password, user_password_enabled=flag)
    for context in (FLAGGED, NEW, WireContext("3.7", versions={"matchmaking": "3.8"})):
        assert session_of(template, context).user_password_enabled is flag
    for context in (OLD, WireContext("3.7"), WireContext("4.0", versions={"matchmaking": "3.7"})):
        assert session_of(template, context).user_password_enabled is bool(password)


def test_the_counts_of_a_community_come_from_elsewhere() -> None:
    structure = community_to_wire(
        Community(gid=1, participants=PEOPLE),
        secrets=False,
        matchmake_session_count=4,
        num_participants=5,
    )
    assert (structure.matchmake_session_count, structure.num_participants) == (4, 5)
    without = gathering_to_wire(Community(gid=1, participants=PEOPLE), secrets=False)
    assert isinstance(without, wire.PersistentGathering)
    assert (without.matchmake_session_count, without.num_participants) == (0, 0)


def test_a_participant() -> None:
    assert participant_to_wire(PEOPLE[0], "Mia") == wire.ParticipantDetails(1000, "Mia", "hi", 2)


def test_what_is_no_gathering_is_refused() -> None:
    for value in (UnknownData("Session" * 1000, b""), wire.NullData(), wire.ResultRange()):
        with pytest.raises(MatchmakingError) as caught:
            gathering_of(value, NEW)
        assert caught.value.refusal is Refusal.INVALID
        assert len(str(caught.value)) < 200


def test_a_game_may_have_a_longer_session() -> None:
    class Longer(wire.MatchmakeSession):
        more: str = ""

    found = gathering_of(Longer(game_mode=3), NEW)
    assert isinstance(found, MatchmakeSession)
    assert found.game_mode == 3


def test_the_parameters_of_a_session_are_a_copy() -> None:
    template = wire.MatchmakeSession(param=wire.MatchmakeParam({"a": Variant(6, 1)}))
    session = session_of(template, NEW)
    template.param.param.clear()
    assert session.param == {"a": Variant(6, 1)}
    session_to_wire(session, secrets=True).param.param.clear()
    assert session.param == {"a": Variant(6, 1)}


# Criteria


def criteria(**values: Any) -> wire.MatchmakeSessionSearchCriteria:
    """Return criteria that want nothing but what is given."""
    return wire.MatchmakeSessionSearchCriteria(
        **{"vacant_only": False, "exclude_locked": False, **values}
    )


def test_empty_criteria_want_anything() -> None:
    assert query_of(criteria()) == SessionQuery()


def test_the_defaults_are_what_a_console_joins() -> None:
    assert query_of(wire.MatchmakeSessionSearchCriteria()) == SessionQuery(places=1, open_only=True)


@pytest.mark.parametrize(
    ("given_values", "expected"),
    [
        ({"game_mode": "3"}, {"game_mode": NumberFilter.of(3)}),
        ({"matchmake_system": "1,2"}, {"matchmake_system": NumberFilter(((1, 2),))}),
        ({"min_participants": "2"}, {"min_participants": NumberFilter.of(2)}),
        ({"max_participants": "4,8"}, {"max_participants": NumberFilter(((4, 8),))}),
        ({"game_mode": "junk"}, {"game_mode": NumberFilter(())}),
        ({"vacant_only": True, "vacant_participants": 3}, {"places": 3}),
        ({"vacant_only": True, "vacant_participants": 0}, {"places": 1}),
        ({"vacant_participants": 3}, {"places": 0}),
        ({"exclude_locked": True}, {"open_only": True}),
        ({"exclude_non_host_pid": True}, {"hosted_only": True}),
        ({"exclude_user_password": True}, {"without_user_password": True}),
        ({"exclude_system_password": True}, {"without_system_password": True}),
        ({"refer_gid": 7}, {"refer_gid": 7}),
        ({"codeword": "word"}, {"codeword": "word"}),
        ({"selection_method": 3}, {"selection": Selection.PROGRESS}),
        ({"selection_method": 5}, {}),
        ({"selection_method": 99}, {}),
    ],
)
def test_each_criterion(given_values: dict[str, Any], expected: dict[str, Any]) -> None:
    assert query_of(criteria(**given_values)) == SessionQuery(**expected)


def test_attributes() -> None:
    wanted = query_of(criteria(attribs=["", "5", "1,3", "x", "1,2,9", "0"])).attributes
    assert wanted == (
        None,
        NumberFilter.of(5),
        NumberFilter(((1, 3),)),
        NumberFilter(()),
        NumberFilter.of(1, 2, 9),
        NumberFilter.of(0),
    )
    assert query_of(criteria(attribs=[])).attributes == (None,) * 6
    assert query_of(criteria(attribs=["4"])).attributes == (NumberFilter.of(4), *(None,) * 5)


def test_attributes_that_sessions_do_not_have() -> None:
    session = MatchmakeSession(gid=1)
    assert query_of(criteria(attribs=[""] * 9)).matches(session)
    assert not query_of(criteria(attribs=[*[""] * 6, "0"])).matches(session)


@pytest.mark.parametrize(
    ("number", "selection"),
    [(1, Selection.NEAREST), (2, Selection.BROADEN), (4, Selection.BROADEN_PROGRESS)],
)
def test_searches_by_rating_need_a_rating(number: int, selection: Selection) -> None:
    near = query_of(criteria(selection_method=number, attribs=["", "1500", "", "", "", ""]))
    assert (near.selection, near.rating) == (selection, 1500)
    session = MatchmakeSession(gid=1, attributes=(0, 1700, 0, 0, 0, 0))
    assert near.matches(session)
    for rating in ("", "1400,1600", "5,5", "1,2,3", "x", "-1"):
        bad = criteria(selection_method=number, attribs=["", rating, "", "", "", ""])
        assert not query_of(bad).matches(session), rating
        assert not query_of(bad, [1]).matches(session), rating
    assert not query_of(criteria(selection_method=number, attribs=[""])).matches(session)


def test_searches_in_another_order_filter_by_the_rating_attribute() -> None:
    for number in (0, 3):
        query = query_of(criteria(selection_method=number, attribs=["", "1,5"]))
        assert query.rating == 0
        assert query.matches(MatchmakeSession(gid=1, attributes=(0, 5, 0, 0, 0, 0)))
        assert not query.matches(MatchmakeSession(gid=1, attributes=(0, 6, 0, 0, 0, 0)))


def test_only_among_some_gatherings() -> None:
    assert query_of(criteria(), [3, 1, 3]).gids == frozenset({1, 3})
    assert query_of(criteria(), []).gids == frozenset()
    assert query_of(criteria()).gids is None


@given(
    st.builds(
        wire.MatchmakeSessionSearchCriteria,
        attribs=st.lists(st.one_of(TEXT, st.from_regex(r"\d{0,11}(,\d{0,3})*")), max_size=9),
        game_mode=TEXT,
        min_participants=TEXT,
        max_participants=TEXT,
        matchmake_system=TEXT,
        selection_method=U32,
        vacant_participants=U16,
    ),
    SESSIONS.map(lambda session: replace(session, attributes=(*session.attributes, *SIX)[:6])),
)
def test_no_criteria_break_a_search(
    wanted: wire.MatchmakeSessionSearchCriteria, session: MatchmakeSession
) -> None:
    query = query_of(wanted)
    assert query.matches(session) is (list(query.mismatches(session)) == [])
