"""What consoles are told when something is refused."""

from __future__ import annotations

import pytest

from nekonex.domain.datastore.refusals import DataStoreError, Refusal
from nekonex.nex.datastore.errors import REFUSAL_NAMES, error_of, results_of
from nekonex.values import RMCError
from nekonex.values.errors import ERROR_CODES


def test_every_refusal_has_the_name_of_an_error() -> None:
    assert set(REFUSAL_NAMES) == set(Refusal)
    assert set(REFUSAL_NAMES.values()) <= set(ERROR_CODES)
    assert all(name.startswith("DataStore::") for name in REFUSAL_NAMES.values())


@pytest.mark.parametrize("refusal", Refusal, ids=lambda refusal: refusal.name)
def test_a_refusal_is_answered_with_its_error(refusal: Refusal) -> None:
    error = error_of(DataStoreError(refusal, "a detail"))
    assert isinstance(error, RMCError)
    assert error.name == REFUSAL_NAMES[refusal]


@pytest.mark.parametrize(
    ("refusal", "code"),
    [
        (Refusal.INVALID, 0x80690002),
        (Refusal.NOT_PERMITTED, 0x80690003),
        (Refusal.NOT_FOUND, 0x80690004),
        (Refusal.UNDER_REVIEW, 0x80690006),
        (Refusal.OVER_CAPACITY, 0x8069000A),
        (Refusal.NOT_ALLOWED, 0x8069000B),
        (Refusal.WRONG_PASSWORD, 0x8069000C),
        (Refusal.NOT_EQUAL, 0x8069000D),
    ],
)
def test_codes_on_the_wire(refusal: Refusal, code: int) -> None:
    error = error_of(DataStoreError(refusal))
    assert isinstance(error, RMCError)
    assert error.code == code


@pytest.mark.parametrize("error", [ZeroDivisionError(), RMCError("Core::AccessDenied")], ids=repr)
def test_what_is_no_refusal_passes(error: Exception) -> None:
    assert error_of(error) is error


def test_each_item_of_a_list_has_a_result() -> None:
    outcomes: list[object] = [
        None,
        DataStoreError(Refusal.NOT_FOUND),
        7,
        [],
        RMCError("Core::AccessDenied"),
        DataStoreError(Refusal.INVALID, "a detail"),
    ]
    assert [each.code for each in results_of(outcomes)] == [
        0x00690001,
        0x80690004,
        0x00690001,
        0x00690001,
        0x80010006,
        0x80690002,
    ]
