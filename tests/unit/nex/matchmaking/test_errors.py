"""What consoles are told when something is refused."""

from __future__ import annotations

import pytest

from nekonex.domain.matchmaking import MatchmakingError, Refusal
from nekonex.nex.matchmaking import REFUSAL_NAMES, error_of
from nekonex.values import RMCError
from nekonex.values.errors import ERROR_CODES


def test_every_refusal_has_the_name_of_an_error() -> None:
    assert set(REFUSAL_NAMES) == set(Refusal)
    assert set(REFUSAL_NAMES.values()) <= set(ERROR_CODES)


@pytest.mark.parametrize("refusal", Refusal, ids=lambda refusal: refusal.name)
def test_a_refusal_is_answered_with_its_error(refusal: Refusal) -> None:
    error = error_of(MatchmakingError(refusal, "a detail"))
    assert isinstance(error, RMCError)
    assert error.name == REFUSAL_NAMES[refusal]


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (Refusal.UNKNOWN_GATHERING, 0x80030073),
        (Refusal.FULL, 0x800300C8),
        (Refusal.CLOSED, 0x800300D9),
        (Refusal.WRONG_COMMUNITY_PASSWORD, 0x800300C9),
        (Refusal.INVALID, 0x8001000A),
    ],
)
def test_codes_on_the_wire(refusal: Refusal, code: int) -> None:
    error = error_of(MatchmakingError(refusal))
    assert isinstance(error, RMCError)
    assert error.code == code


@pytest.mark.parametrize("error", [ZeroDivisionError(), RMCError("Core::AccessDenied")], ids=repr)
def test_what_is_no_refusal_passes(error: Exception) -> None:
    assert error_of(error) is error
