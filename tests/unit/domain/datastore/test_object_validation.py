from __future__ import annotations

from typing import Any

import pytest

from nekonex.domain.datastore import DataStoreError, LockType, Permission, RatingRules, Refusal
from nekonex.domain.datastore.rules import validation as v
from tests.support.datastore import draft


def is_refused(wanted: Any, max_size: int = 100) -> bool:
    try:
        v.check_draft(wanted, max_size)
    except DataStoreError as error:
        return error.refusal is Refusal.INVALID
    return False


def slots(*numbers: int) -> tuple[tuple[int, RatingRules], ...]:
    return tuple((number, RatingRules()) for number in numbers)


WITHIN_AND_BEYOND: list[tuple[str, Any, Any]] = [
    ("size", 100, 101),
    ("size", 0, -1),
    ("name", "x" * 64, "x" * 65),
    ("name", "\U0001f600" * 64, "\U0001f600" * 65),
    ("meta_binary", bytes(1024), bytes(1025)),
    ("data_type", 65534, 65535),
    ("data_type", 0, -1),
    ("access", Permission(4), Permission(5)),
    ("update", Permission(0), Permission(-1)),
    ("access", Permission(2, (1,) * 100), Permission(2, (1,) * 101)),
    ("update", Permission(0, (1,) * 100), Permission(0, (1,) * 101)),
    ("period", 1, 0),
    ("period", 365, 366),
    ("tags", tuple(map(str, range(16))), tuple(map(str, range(17)))),
    ("tags", ("x" * 24,), ("x" * 25,)),
    ("tags", ("a", "b", "A"), ("a", "b", "a")),
    ("slot", 15, 16),
    ("slot", 65535, 65534),
    ("slot", 0, -1),
    ("extra_data", (), ("WUP",)),
    ("extra_data", ("WUP", "4", "EUR", "97", "DE", ""), ("",) * 7),
    ("rating_rules", slots(*range(16)), slots(16)),
    ("rating_rules", slots(0), slots(-1)),
    ("rating_rules", slots(3, 1), slots(1, 1)),
]


@pytest.mark.parametrize(("field", "within", "beyond"), WITHIN_AND_BEYOND)
def test_bounds_of_drafts(field: str, within: Any, beyond: Any) -> None:
    assert not is_refused(draft(**{field: within}))
    assert is_refused(draft(**{field: beyond}))


@pytest.mark.parametrize(
    ("rules", "refused"),
    [
        ({"lock_type": 3}, False),
        ({"lock_type": 4}, True),
        ({"lock_type": -1}, True),
        ({"lock_type": LockType.INTERVAL, "period_duration": 0}, False),
        ({"lock_type": LockType.INTERVAL, "period_duration": -1}, True),
        ({"lock_type": LockType.PERIOD, "period_duration": -1}, False),
        ({"lock_type": LockType.PERIOD, "period_duration": -7, "period_hour": 23}, False),
        ({"lock_type": LockType.PERIOD, "period_duration": -17}, False),
        ({"lock_type": LockType.PERIOD, "period_duration": 0}, True),
        ({"lock_type": LockType.PERIOD, "period_duration": -8}, True),
        ({"lock_type": LockType.PERIOD, "period_duration": -1, "period_hour": 24}, True),
        ({"lock_type": LockType.PERIOD, "period_duration": -1, "period_hour": -1}, True),
        ({"lock_type": LockType.NONE, "period_duration": 5, "period_hour": 99}, False),
        ({"internal_flags": 6, "minimum": 1, "maximum": 1}, False),
        ({"internal_flags": 6, "minimum": 2, "maximum": 1}, True),
        ({"internal_flags": 2, "minimum": 2, "maximum": 1}, False),
        ({"internal_flags": 4, "minimum": 2, "maximum": 1}, False),
    ],
)
def test_rating_rules_can_be_followed(rules: dict[str, int], refused: bool) -> None:
    assert is_refused(draft(rating_rules=((0, RatingRules(**rules)),))) is refused


@pytest.mark.parametrize(("slot", "refused"), [(0, False), (15, False), (16, True), (65535, True)])
def test_slots_that_are_asked_for(slot: int, refused: bool) -> None:
    if refused:
        with pytest.raises(DataStoreError):
            v.check_slot(slot)
    else:
        v.check_slot(slot)
