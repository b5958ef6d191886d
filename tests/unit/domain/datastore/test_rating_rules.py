"""How ratings count, and when somebody may rate again."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.domain.datastore.model import (
    LockType,
    Rating,
    RatingFlag,
    RatingInternalFlag,
    RatingLog,
    RatingRules,
    StoredObject,
)
from nekonex.domain.datastore.refusals import DataStoreError, Refusal
from nekonex.domain.datastore.rules.rating import (
    FOREVER,
    MAX_COUNT,
    first_rating,
    locked_until,
    rate,
    reset,
)

OWNER = 5
NOW = 1_000_000

SMALL = st.integers(-20, 20)
GIVEN = st.lists(st.tuples(st.integers(1, 3), SMALL), max_size=12)


def rated_object(**rules: Any) -> StoredObject:
    """Return an object with slots 2 and 3, of which the rules are about slot 2."""
    slots = (first_rating(2, RatingRules(**rules)), first_rating(3, RatingRules(initial_value=9)))
    return StoredObject(owner=OWNER, data_id=70, complete=True, ratings=slots)


class Slot:
    """Slot 2 of an object, and the logs of those who rated it."""

    def __init__(self, **rules: Any) -> None:
        self.stored = rated_object(**rules)
        self.logs: dict[int, RatingLog] = {}
        self.now = NOW

    @property
    def rating(self) -> Rating:
        found = self.stored.rating(2)
        assert found is not None
        return found

    def rate(self, pid: int, value: int) -> int:
        """Rate and return the total."""
        outcome = rate(self.stored, self.logs.get(pid), slot=2, pid=pid, value=value, now=self.now)
        assert outcome.log.pid == pid
        assert outcome.log.rated == self.now
        self.stored = replaced(self.stored, outcome.rating)
        self.logs[pid] = outcome.log
        return outcome.rating.total

    def refused(self, pid: int, value: int) -> Refusal:
        with pytest.raises(DataStoreError) as caught:
            self.rate(pid, value)
        return caught.value.refusal


def replaced(stored: StoredObject, rating: Rating) -> StoredObject:
    ratings = tuple(rating if each.slot == rating.slot else each for each in stored.ratings)
    return StoredObject(owner=stored.owner, data_id=stored.data_id, complete=True, ratings=ratings)


def at(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp())


# -- totals and counts ------------------------------------------------------------------------


def test_ratings_add_up_to_the_initial_value() -> None:
    slot = Slot(initial_value=100)
    assert slot.rating == Rating(2, RatingRules(initial_value=100), 100, 0)
    assert [slot.rate(1, 5), slot.rate(2, -7), slot.rate(1, 5)] == [105, 98, 103]
    assert slot.rating.count == 3
    assert slot.logs[1].value == 5
    assert slot.stored.ratings[1] == first_rating(3, RatingRules(initial_value=9))


def test_a_modifiable_rating_is_replaced_and_counts_once() -> None:
    slot = Slot(initial_value=100, flags=RatingFlag.MODIFIABLE)
    assert [slot.rate(1, 5), slot.rate(2, 1), slot.rate(1, -5)] == [105, 106, 96]
    assert slot.rating.count == 2
    assert slot.logs[1].value == -5


@given(GIVEN, st.integers(-50, 50))
def test_totals_are_what_a_naive_count_says(given_: Sequence[tuple[int, int]], first: int) -> None:
    adding, modifiable = Slot(initial_value=first), Slot(initial_value=first, flags=4)
    last: dict[int, int] = {}
    for pid, value in given_:
        adding.rate(pid, value)
        modifiable.rate(pid, value)
        last[pid] = value
    assert adding.rating.total == first + sum(value for _, value in given_)
    assert adding.rating.count == len(given_)
    assert modifiable.rating.total == first + sum(last.values())
    assert modifiable.rating.count == len(last)


@given(GIVEN, st.integers(-50, 50), st.booleans())
def test_a_total_that_is_not_to_be_negative_never_is(
    given_: Sequence[tuple[int, int]], first: int, modifiable: bool
) -> None:
    flags = RatingFlag.NOT_NEGATIVE | (RatingFlag.MODIFIABLE if modifiable else 0)
    slot = Slot(initial_value=first, flags=flags)
    begin = slot.rating.total
    assert begin == max(first, 0)
    highest: dict[int, int] = {}
    for pid, value in given_:
        total = slot.rate(pid, value)
        assert total >= 0
        highest[pid] = max(value, highest.get(pid, 0))
        if modifiable:
            assert total == begin + sum(log.value for log in slot.logs.values())
            # Whatever they do, together they are worth no more than the best each ever gave.
            assert total <= begin + sum(highest.values())


def test_taking_back_what_hardly_counted_gains_nothing() -> None:
    slot = Slot(flags=RatingFlag.NOT_NEGATIVE | RatingFlag.MODIFIABLE)
    assert [slot.rate(1, -1000), slot.rate(1, 0), slot.rate(1, -1000), slot.rate(1, 3)] == [
        0,
        0,
        0,
        3,
    ]


@pytest.mark.parametrize("value", [-(2**31), 2**31 - 1])
def test_values_of_32_bits_count(value: int) -> None:
    assert Slot().rate(1, value) == value


@pytest.mark.parametrize("value", [-(2**31) - 1, 2**31])
def test_others_are_refused(value: int) -> None:
    assert Slot().refused(1, value) is Refusal.INVALID


@pytest.mark.parametrize(("first", "value"), [(2**63 - 6, 5), (-(2**63) + 5, -5)])
def test_a_total_has_64_bits(first: int, value: int) -> None:
    slot = Slot(initial_value=first)
    total = slot.rate(1, value)
    assert total == first + value
    assert slot.refused(1, 1 if value > 0 else -1) is Refusal.INVALID
    assert slot.rating.total == total
    assert slot.rate(2, -value) == first


def test_a_count_has_32_bits() -> None:
    slot = Slot()
    slot.stored = replaced(slot.stored, Rating(2, RatingRules(), 0, MAX_COUNT))
    slot.rate(1, 1)
    assert slot.rating.count == MAX_COUNT


# -- bounds -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("bounds", "allowed", "refused"),
    [
        (0, [-100, 100], []),
        (RatingInternalFlag.HAS_MINIMUM, [-3, 100], [-4]),
        (RatingInternalFlag.HAS_MAXIMUM, [-100, 5], [6]),
        (RatingInternalFlag.HAS_MINIMUM | RatingInternalFlag.HAS_MAXIMUM, [-3, 5], [-4, 6]),
    ],
)
def test_bounds_hold_where_they_are_meant(
    bounds: int, allowed: list[int], refused: list[int]
) -> None:
    slot = Slot(internal_flags=bounds, minimum=-3, maximum=5)
    for pid, value in enumerate(allowed):
        slot.rate(pid, value)
    assert [slot.refused(9, value) for value in refused] == [Refusal.INVALID] * len(refused)


def test_an_owner_may_be_kept_from_rating() -> None:
    slot = Slot(flags=RatingFlag.NOT_BY_OWNER)
    assert slot.refused(OWNER, 1) is Refusal.NOT_ALLOWED
    assert slot.rate(OWNER + 1, 1) == 1
    assert Slot().rate(OWNER, 1) == 1


@pytest.mark.parametrize("slot", [-1, 0, 1, 4, 16])
def test_an_unknown_slot_is_not_found(slot: int) -> None:
    with pytest.raises(DataStoreError) as caught:
        rate(rated_object(), None, slot=slot, pid=1, value=1, now=NOW)
    assert caught.value.refusal is Refusal.NOT_FOUND
    with pytest.raises(DataStoreError) as caught:
        reset(rated_object(), slot)
    assert caught.value.refusal is Refusal.NOT_FOUND


# -- locks ------------------------------------------------------------------------------------


def test_without_a_lock_one_rates_again_at_once() -> None:
    slot = Slot()
    slot.rate(1, 1)
    assert slot.logs[1].locked_until == 0
    assert slot.rate(1, 1) == 2


@pytest.mark.parametrize("flags", [0, RatingFlag.MODIFIABLE])
def test_an_interval_begins_with_the_rating(flags: int) -> None:
    slot = Slot(lock_type=LockType.INTERVAL, period_duration=60, flags=flags)
    slot.rate(1, 1)
    assert slot.logs[1].locked_until == NOW + 60
    slot.now += 59
    assert slot.refused(1, 2) is Refusal.LOCKED
    slot.rate(2, 1)
    slot.now += 1
    slot.rate(1, 2)
    assert slot.rating.total == (3 if flags else 4)


def test_an_interval_of_nothing_is_no_lock() -> None:
    assert locked_until(RatingRules(lock_type=LockType.INTERVAL), NOW) == 0


def test_a_permanent_lock_never_ends() -> None:
    slot = Slot(lock_type=LockType.PERMANENT)
    slot.rate(1, 1)
    assert slot.logs[1].locked_until == FOREVER == at("9999-12-31T23:59:59")
    slot.now = FOREVER - 1
    assert slot.refused(1, 1) is Refusal.LOCKED


@pytest.mark.parametrize(
    ("rated", "duration", "hour", "until"),
    [
        # Thursday, 1 January 2015; the week after begins on Monday, 5 January.
        ("2015-01-01T00:00:00", -1, 0, "2015-01-05T00:00:00"),
        ("2015-01-01T23:59:59", -1, 5, "2015-01-05T05:00:00"),
        ("2015-01-01T12:00:00", -4, 9, "2015-01-08T09:00:00"),
        ("2015-01-01T12:00:00", -5, 9, "2015-01-09T09:00:00"),
        ("2015-01-01T12:00:00", -7, 23, "2015-01-11T23:00:00"),
        # A Sunday is the last day of its week, a Monday the first.
        ("2015-01-04T23:59:59", -1, 0, "2015-01-05T00:00:00"),
        ("2015-01-05T00:00:00", -1, 0, "2015-01-12T00:00:00"),
        ("2015-01-05T00:00:00", -2, 0, "2015-01-13T00:00:00"),
        ("2015-12-29T10:00:00", -3, 1, "2016-01-06T01:00:00"),
        # The first of the next month.
        ("2015-01-01T00:00:00", -17, 0, "2015-02-01T00:00:00"),
        ("2015-01-31T23:59:59", -17, 4, "2015-02-01T04:00:00"),
        ("2016-02-29T12:00:00", -17, 0, "2016-03-01T00:00:00"),
        ("2015-12-01T00:00:00", -17, 23, "2016-01-01T23:00:00"),
    ],
)
def test_a_period_ends_on_a_day(rated: str, duration: int, hour: int, until: str) -> None:
    rules = RatingRules(lock_type=LockType.PERIOD, period_duration=duration, period_hour=hour)
    assert locked_until(rules, at(rated)) == at(until)


@given(st.integers(0, 2**32), st.integers(-7, -1), st.integers(0, 23))
def test_a_week_ends_in_the_week_after(now: int, duration: int, hour: int) -> None:
    rules = RatingRules(lock_type=LockType.PERIOD, period_duration=duration, period_hour=hour)
    moment, end = (datetime.fromtimestamp(each, UTC) for each in (now, locked_until(rules, now)))
    assert (end.isoweekday(), end.hour, end.minute, end.second) == (-duration, hour, 0, 0)
    assert timedelta(0) < end - moment <= timedelta(days=14)
    following = (moment + timedelta(days=7)).isocalendar()
    assert end.isocalendar()[:2] == following[:2]


# -- beginning anew ---------------------------------------------------------------------------


def test_resetting_one_slot_leaves_the_others() -> None:
    slot = Slot(initial_value=7)
    slot.rate(1, 3)
    other = rate(slot.stored, None, slot=3, pid=1, value=1, now=NOW).rating
    stored = replaced(slot.stored, other)
    assert reset(stored, 2).ratings == (first_rating(2, RatingRules(initial_value=7)), other)


def test_resetting_all_slots() -> None:
    slot = Slot(initial_value=-7, flags=RatingFlag.NOT_NEGATIVE)
    slot.rate(1, 3)
    slot.stored = replaced(
        slot.stored, rate(slot.stored, None, slot=3, pid=1, value=1, now=NOW).rating
    )
    again = reset(slot.stored)
    assert [(each.total, each.count) for each in again.ratings] == [(0, 0), (9, 0)]
