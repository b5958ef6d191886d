"""What consoles are told when something is refused."""

from __future__ import annotations

import pytest

from nekonex.domain.matchmaking import MatchmakingError, Refusal
from nekonex.nex.matchmaking import REFUSAL_NAMES, translated_refusals
from nekonex.values import RMCError
from nekonex.values.errors import ERROR_CODES


def test_every_refusal_has_the_name_of_an_error() -> None:
    assert set(REFUSAL_NAMES) == set(Refusal)
    assert set(REFUSAL_NAMES.values()) <= set(ERROR_CODES)


@pytest.mark.parametrize("refusal", Refusal, ids=lambda refusal: refusal.name)
def test_a_refusal_is_answered_with_its_error(refusal: Refusal) -> None:
    with pytest.raises(RMCError) as caught, translated_refusals():
        raise MatchmakingError(refusal, "a detail")
    assert caught.value.name == REFUSAL_NAMES[refusal]
    assert isinstance(caught.value.__cause__, MatchmakingError)


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
    with pytest.raises(RMCError) as caught, translated_refusals():
        raise MatchmakingError(refusal)
    assert caught.value.code == code


def test_what_is_no_refusal_passes() -> None:
    with translated_refusals():
        done = True
    assert done
    with pytest.raises(ZeroDivisionError), translated_refusals():
        raise ZeroDivisionError
    with pytest.raises(RMCError, match="Core::AccessDenied"), translated_refusals():
        raise RMCError("Core::AccessDenied")
