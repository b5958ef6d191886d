from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from nekonex.domain.matchmaking import (
    Community,
    Credentials,
    Gathering,
    MatchmakeSession,
    MatchmakingError,
    Participant,
    ParticipationPolicy,
    Refusal,
)
from nekonex.domain.matchmaking.rules.admission import Relations, admit, objections
from nekonex.values import DateTime

NOW = DateTime.make(2024, 5, 6)
HERE = (Participant(1, 101), Participant(2, 102))
SESSION = MatchmakeSession(owner=1, host=1, participants=HERE)
LOCKED = replace(
    SESSION, user_password="user", user_password_enabled=True, system_password="system"
)


def refusals(
    gathering: Gathering, shown: Credentials | None = None, pid: int = 9, **relations: Any
) -> list[Refusal]:
    shown = shown or Credentials()
    known = Relations(**relations)
    found = [error.refusal for error in objections(gathering, pid, shown, known, NOW)]
    if found:
        with pytest.raises(MatchmakingError) as caught:
            admit(gathering, pid, shown, known, NOW)
        assert caught.value.refusal is found[0]
    else:
        admit(gathering, pid, shown, known, NOW)
    return found


def test_an_open_session_is_open() -> None:
    assert refusals(SESSION) == []


def test_a_closed_session_is_closed_even_to_its_owner() -> None:
    closed = replace(SESSION, open_participation=False)
    assert refusals(closed) == [Refusal.CLOSED]
    assert refusals(closed, pid=1) == [Refusal.CLOSED]


@pytest.mark.parametrize("kind", [Gathering, MatchmakeSession, Community])
def test_friends_and_the_owner_may_join_what_is_for_friends(kind: type[Gathering]) -> None:
    private = kind(owner=1, policy=ParticipationPolicy.FRIENDS)
    assert refusals(private, friends=frozenset({1})) == []
    assert refusals(private, pid=1) == []
    assert refusals(private, friends=frozenset({2})) == [Refusal.NOT_FRIEND]
    assert refusals(private) == [Refusal.NOT_FRIEND]


@pytest.mark.parametrize("policy", [0, 1, 4, 8, 95, 96, 97, 99, 2**32 - 1])
def test_other_policies_keep_nobody_out(policy: int) -> None:
    assert refusals(replace(SESSION, policy=policy)) == []


@pytest.mark.parametrize(
    ("user", "system", "expected"),
    [
        (None, None, [Refusal.NEEDS_PASSWORD]),
        ("user", None, [Refusal.NEEDS_PASSWORD]),
        (None, "system", [Refusal.NEEDS_PASSWORD]),
        ("user", "system", []),
        ("User", "system", [Refusal.WRONG_USER_PASSWORD]),
        ("user", "", [Refusal.WRONG_SYSTEM_PASSWORD]),
        ("", "", [Refusal.WRONG_USER_PASSWORD, Refusal.WRONG_SYSTEM_PASSWORD]),
        ("user\x00", "system ", [Refusal.WRONG_USER_PASSWORD, Refusal.WRONG_SYSTEM_PASSWORD]),
    ],
)
def test_both_passwords_count(
    user: str | None, system: str | None, expected: list[Refusal]
) -> None:
    assert refusals(LOCKED, Credentials(user_password=user, system_password=system)) == expected


def test_passwords_that_nobody_set_or_that_are_switched_off_do_not_count() -> None:
    shown = Credentials(user_password="any", system_password="any")
    assert refusals(SESSION, shown) == []
    switched_off = replace(SESSION, user_password="user")
    assert refusals(switched_off) == []
    assert refusals(switched_off, shown) == []


def test_an_enabled_password_may_be_empty() -> None:
    empty = replace(SESSION, user_password_enabled=True)
    assert refusals(empty) == [Refusal.NEEDS_PASSWORD]
    assert refusals(empty, Credentials(user_password="", system_password="")) == []


def test_passwords_need_not_be_characters_that_can_be_encoded() -> None:
    odd = replace(SESSION, user_password="\ud800", user_password_enabled=True)
    assert refusals(odd, Credentials(user_password="\ud800", system_password="")) == []
    wrong = Credentials(user_password="\udfff", system_password="")
    assert refusals(odd, wrong) == [Refusal.WRONG_USER_PASSWORD]


def test_blocking_counts_in_both_directions() -> None:
    assert refusals(SESSION, blocked=frozenset({2, 3})) == [Refusal.BLOCKED]
    assert refusals(SESSION, blocked=frozenset({3})) == []
    assert refusals(SESSION, blocked_by_participant=True) == [Refusal.BLOCKED_BY_PARTICIPANT]
    both: dict[str, Any] = {"blocked": frozenset({1}), "blocked_by_participant": True}
    assert refusals(SESSION, **both) == [Refusal.BLOCKED, Refusal.BLOCKED_BY_PARTICIPANT]
    assert refusals(SESSION, Credentials(ignore_block_list=True), **both) == []


DAY = DateTime.make(2024, 5, 5)
LATER = DateTime.make(2024, 5, 7)
NEVER = DateTime(0)


@pytest.mark.parametrize(
    ("start", "end", "is_open"),
    [
        (NEVER, NEVER, True),
        (DAY, NEVER, True),
        (NOW, NEVER, True),
        (LATER, NEVER, False),
        (NEVER, LATER, True),
        (NEVER, NOW, True),
        (NEVER, DAY, False),
        (DAY, LATER, True),
        (LATER, DAY, False),
    ],
)
def test_communities_are_joined_in_their_period(
    start: DateTime, end: DateTime, is_open: bool
) -> None:
    community = Community(participation_start=start, participation_end=end)
    assert refusals(community) == ([] if is_open else [Refusal.OUTSIDE_PERIOD])


def test_a_community_with_a_password_takes_that() -> None:
    community = Community(type=1, password="pass")
    assert refusals(community) == [Refusal.WRONG_COMMUNITY_PASSWORD]
    wrong = Credentials(community_password="Pass", user_password="pass", system_password="pass")
    assert refusals(community, wrong) == [Refusal.WRONG_COMMUNITY_PASSWORD]
    assert refusals(community, Credentials(community_password="pass")) == []
    assert refusals(Community(), Credentials(community_password="any")) == []


def test_passwords_are_in_no_text() -> None:
    community = Community(password="hush")
    for gathering in (LOCKED, community, replace(SESSION, session_key=b"hush")):
        for text in (repr(gathering), str(gathering)):
            assert "hush" not in text
            assert "system='" not in text
    error = next(objections(community, 9, Credentials(), Relations(), NOW))
    assert "hush" not in str(error)
