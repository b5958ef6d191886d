from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from nekonex.domain.matchmaking import (
    Community,
    Gathering,
    MatchmakeSession,
    MatchmakingError,
    MatchmakingLimits,
    Refusal,
)
from nekonex.domain.matchmaking.rules import validation as v
from nekonex.values import DateTime

NOW = DateTime.make(2024, 5, 6, 12)
SIX = (0,) * 6


def is_refused(check: Callable[..., None], *args: Any) -> bool:
    try:
        check(*args)
    except MatchmakingError as error:
        return error.refusal is Refusal.INVALID
    return False


OF_ALL: dict[str, Any] = {
    "description": ("x" * 256, "x" * 257),
    "max_participants": (256, 257),
}
OF_SESSIONS = {
    "application_data": (bytes(512), bytes(513)),
    "session_key": (bytes(512), bytes(513)),
    "user_password": ("x" * 32, "x" * 33),
    "codeword": ("x" * 256, "x" * 257),
    "progress_score": (100, 101),
    "attributes": (SIX, (*SIX, 0)),
    "param": (dict.fromkeys(map(str, range(64)), 0), dict.fromkeys(map(str, range(65)), 0)),
}
OF_COMMUNITIES = {
    "application_data": (bytes(512), bytes(513)),
    "password": ("x" * 32, "x" * 33),
    "attributes": (SIX, SIX[:5]),
    "type": (1, 2),
    "participation_start": (NOW, DateTime.make(2024, 5, 6, 12, 0, 1)),
    "participation_end": (NOW, DateTime.make(2024, 5, 6, 11, 59, 59)),
}


@pytest.mark.parametrize("kind", [Gathering, MatchmakeSession])
@pytest.mark.parametrize("field", OF_ALL)
def test_bounds_of_every_gathering(kind: type[Gathering], field: str) -> None:
    within, beyond = OF_ALL[field]
    assert not is_refused(v.check_gathering, replace(kind(), **{field: within}))
    assert is_refused(v.check_gathering, replace(kind(), **{field: beyond}))


@pytest.mark.parametrize("field", OF_SESSIONS)
def test_bounds_of_sessions(field: str) -> None:
    within, beyond = OF_SESSIONS[field]
    fields: dict[str, Any] = {field: within}
    assert not is_refused(v.check_gathering, MatchmakeSession(**fields))
    fields = {field: beyond}
    assert is_refused(v.check_gathering, MatchmakeSession(**fields))
    assert is_refused(v.check_session, MatchmakeSession(**fields))


@pytest.mark.parametrize("field", [*OF_ALL, *OF_COMMUNITIES])
def test_bounds_of_communities(field: str) -> None:
    within, beyond = {**OF_ALL, **OF_COMMUNITIES}[field]
    fields: dict[str, Any] = {field: within}
    assert not is_refused(v.check_community, Community(**fields), NOW)
    fields = {field: beyond}
    assert is_refused(v.check_community, Community(**fields), NOW)


@pytest.mark.parametrize(
    ("minimum", "maximum", "refused"),
    [
        (0, 0, False),
        (5, 0, False),
        (65535, 0, False),
        (1, 1, False),
        (2, 1, True),
        (0, 1, False),
        (256, 256, False),
        (257, 257, True),
    ],
)
def test_the_minimum_is_not_above_the_maximum(minimum: int, maximum: int, refused: bool) -> None:
    assert is_refused(v.check_places, minimum, maximum) is refused


@pytest.mark.parametrize(("score", "refused"), [(-1, True), (0, False), (100, False), (101, True)])
def test_progress_is_a_percentage(score: int, refused: bool) -> None:
    assert is_refused(v.check_progress, score) is refused


@pytest.mark.parametrize("kind", [-1, 2, 3, 2**32 - 1])
def test_clients_make_open_and_password_communities(kind: int) -> None:
    assert is_refused(v.check_community, Community(type=kind), NOW)


def test_communities_need_no_period() -> None:
    v.check_community(Community(type=0), NOW)


def test_lengths_are_those_of_characters() -> None:
    assert not is_refused(v.check_length, "message", "\U0001f600" * 256)
    assert is_refused(v.check_length, "message", "\U0001f600" * 257)
    assert not is_refused(v.check_length, "list", [1, 2], 2)
    assert is_refused(v.check_length, "list", [1, 2, 3], 2)


def test_limits_are_more_than_nothing() -> None:
    with pytest.raises(ValueError, match="max_joined"):
        MatchmakingLimits(max_joined=0)
    with pytest.raises(ValueError, match="friends_seconds"):
        MatchmakingLimits(friends_seconds=-1)
