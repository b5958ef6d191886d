from __future__ import annotations

from dataclasses import fields, replace
from typing import Any

import pytest

from nekonex.domain.datastore import (
    Compare,
    DataStoreError,
    Flag,
    MetaChange,
    MetaComparison,
    Modify,
    Permission,
    Refusal,
    Status,
    StoredObject,
)
from nekonex.domain.datastore.drafts import COMPARE_ALL
from nekonex.domain.datastore.rules import changes
from tests.support.datastore import DAY

STORED = StoredObject(
    owner=1,
    data_id=5,
    complete=True,
    name="old",
    data_type=3,
    access=Permission(2, (4, 5)),
    update=Permission(3),
    meta_binary=b"old",
    tags=("a", "b"),
    period=10,
    referred_count=7,
    created=100,
    updated=200,
    referred=300,
    expires=200 + 10 * DAY,
)
NOW = 1000
NEW: dict[Modify, dict[str, Any]] = {
    Modify.NAME: {"name": "new"},
    Modify.ACCESS: {"access": Permission(0)},
    Modify.UPDATE: {"update": Permission(1)},
    Modify.META_BINARY: {"meta_binary": b"new"},
    Modify.TAGS: {"tags": ("c",)},
    Modify.DATA_TYPE: {"data_type": 9},
    Modify.REFERRED_COUNT: {"referred_count": 0},
}
EVERYTHING = {name: value for values in NEW.values() for name, value in values.items()}


def why_not(wanted: MetaChange, stored: StoredObject = STORED) -> Refusal:
    with pytest.raises(DataStoreError) as caught:
        changes.change(stored, wanted, NOW)
    return caught.value.refusal


@pytest.mark.parametrize("flag", NEW)
def test_only_what_the_flags_name_changes(flag: Modify) -> None:
    wanted = MetaChange(flags=flag, period=1, status=5, **EVERYTHING)
    assert changes.change(STORED, wanted, NOW) == replace(STORED, **NEW[flag])


def test_all_at_once_and_nothing_at_all() -> None:
    flags = 0
    for flag in NEW:
        flags |= flag
    wanted = MetaChange(flags=flags, **EVERYTHING)
    assert changes.change(STORED, wanted, NOW) == replace(STORED, **EVERYTHING)
    assert changes.change(STORED, replace(wanted, flags=0), NOW) == STORED
    assert changes.change(STORED, replace(wanted, flags=0xFFFFFC00), NOW) == STORED


def test_a_period_counts_from_the_update_and_the_update_may_be_now() -> None:
    period = MetaChange(flags=Modify.PERIOD, period=2)
    after = changes.change(STORED, period, NOW)
    assert (after.period, after.updated, after.expires) == (2, 200, 200 + 2 * DAY)
    both = replace(period, flags=Modify.PERIOD | Modify.UPDATED_TIME)
    after = changes.change(STORED, both, NOW)
    assert (after.updated, after.expires) == (NOW, NOW + 2 * DAY)
    refreshed = changes.change(STORED, MetaChange(flags=Modify.UPDATED_TIME), NOW)
    assert (refreshed.updated, refreshed.expires) == (NOW, NOW + 10 * DAY)


def test_a_period_may_count_from_the_last_reference() -> None:
    stored = replace(STORED, flags=int(Flag.PERIOD_FROM_LAST_REFERENCE))
    assert changes.change(stored, MetaChange(flags=Modify.PERIOD, period=2), NOW).expires == (
        300 + 2 * DAY
    )


def test_a_period_of_what_is_in_a_slot_does_not_begin() -> None:
    stored = replace(STORED, slot=2, expires=None)
    after = changes.change(stored, MetaChange(flags=Modify.PERIOD, period=2), NOW)
    assert (after.period, after.expires) == (2, None)


def test_players_do_not_review() -> None:
    for status in (Status.PENDING, Status.REJECTED, 1):
        assert why_not(MetaChange(flags=Modify.STATUS, status=status)) is Refusal.NOT_ALLOWED
    rejected = replace(STORED, status=Status.REJECTED)
    approved = MetaChange(flags=Modify.STATUS, status=Status.NORMAL)
    assert why_not(approved, rejected) is Refusal.NOT_ALLOWED
    # Games send all flags where nothing else has changed.
    assert changes.change(STORED, approved, NOW) == STORED


BELIEVED = MetaComparison(
    flags=COMPARE_ALL,
    **{
        each.name: getattr(STORED, each.name)
        for each in fields(MetaComparison)
        if each.name != "flags"
    },
)
OTHERS: dict[Compare, dict[str, Any]] = {
    Compare.NAME: {"name": "other"},
    Compare.ACCESS: {"access": Permission(2, (4,))},
    Compare.UPDATE: {"update": Permission(2)},
    Compare.PERIOD: {"period": 11},
    Compare.META_BINARY: {"meta_binary": b""},
    Compare.TAGS: {"tags": ("a",)},
    Compare.DATA_TYPE: {"data_type": 4},
    Compare.REFERRED_COUNT: {"referred_count": 8},
    Compare.STATUS: {"status": 2},
}


@pytest.mark.parametrize("flag", Compare)
def test_nothing_changes_that_is_not_as_believed(flag: Compare) -> None:
    wanted = MetaChange(flags=Modify.NAME, name="new", compare=BELIEVED)
    assert changes.change(STORED, wanted, NOW).name == "new"
    other = replace(BELIEVED, **OTHERS[flag])
    assert why_not(replace(wanted, compare=other)) is Refusal.NOT_EQUAL
    assert why_not(replace(wanted, compare=replace(other, flags=int(flag)))) is Refusal.NOT_EQUAL
    rest = replace(other, flags=COMPARE_ALL & ~flag)
    assert changes.change(STORED, replace(wanted, compare=rest), NOW).name == "new"


def test_in_which_order_people_and_tags_are_named_does_not_count() -> None:
    believed = replace(BELIEVED, access=Permission(2, (5, 4)), tags=("b", "a"))
    changes.check_equal(STORED, believed)


@pytest.mark.parametrize(
    ("flag", "values"),
    [
        (Modify.NAME, {"name": "x" * 65}),
        (Modify.ACCESS, {"access": Permission(5)}),
        (Modify.UPDATE, {"update": Permission(2, (1,) * 101)}),
        (Modify.PERIOD, {"period": 0}),
        (Modify.PERIOD, {"period": 366}),
        (Modify.META_BINARY, {"meta_binary": bytes(1025)}),
        (Modify.TAGS, {"tags": ("a", "a")}),
        (Modify.DATA_TYPE, {"data_type": 65535}),
    ],
)
def test_new_values_have_the_bounds_of_drafts_if_they_count(
    flag: Modify, values: dict[str, Any]
) -> None:
    with pytest.raises(DataStoreError) as caught:
        changes.check_change(MetaChange(flags=flag, **values))
    assert caught.value.refusal is Refusal.INVALID
    changes.check_change(MetaChange(flags=0x3FF & ~flag, **{"period": 1, **values}))
