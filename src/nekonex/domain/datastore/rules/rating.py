"""How rating slots count: pure functions.

A slot that may be modified has one rating of each player, which another by it replaces; in others
all ratings of a player count. The total is the initial value and what counts. In both, the log of
a player has what counted of the rating that it gave last.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Final

from nekonex.domain.datastore.model import (
    LockType,
    Rating,
    RatingFlag,
    RatingInternalFlag,
    RatingLog,
    RatingRules,
    StoredObject,
)
from nekonex.domain.datastore.ports import RatingOutcome
from nekonex.domain.datastore.refusals import DataStoreError, Refusal
from nekonex.domain.datastore.rules.validation import FIRST_OF_MONTH

__all__ = [
    "FOREVER",
    "MAX_COUNT",
    "first_rating",
    "locked_until",
    "rate",
    "reset",
    "slot_of",
]

FOREVER: Final = 253_402_300_799
"""When a lock ends that does not: 9999-12-31 23:59:59, in POSIX seconds."""
MAX_COUNT: Final = 2**32 - 1
"""As many ratings of a slot are counted."""

_GIVEN: Final = range(-(2**31), 2**31)
_TOTALS: Final = range(-(2**63), 2**63)
_WEEK: Final = 7


def first_rating(slot: int, rules: RatingRules) -> Rating:
    """Return a slot that nobody has rated."""
    return Rating(slot, rules, _bounded(rules, rules.initial_value))


def slot_of(stored: StoredObject, slot: int) -> Rating:
    """Return a slot of an object. Raises DataStoreError: NOT_FOUND."""
    rating = stored.rating(slot)
    if rating is None:
        raise DataStoreError(Refusal.NOT_FOUND, f"object {stored.data_id} has no slot {slot}")
    return rating


def rate(
    stored: StoredObject, log: RatingLog | None, *, slot: int, pid: int, value: int, now: int
) -> RatingOutcome:
    """Let a player rate a slot, that gave what ``log`` says last.

    Raises DataStoreError: NOT_FOUND for a slot that the object does not have, INVALID for a value
    or a total out of range, NOT_ALLOWED for an owner that may not rate, LOCKED.
    """
    rating = slot_of(stored, slot)
    rules = rating.rules
    _check_value(rules, value)
    if rules.flags & RatingFlag.NOT_BY_OWNER and stored.owner == pid:
        raise DataStoreError(Refusal.NOT_ALLOWED, f"PID {pid} owns object {stored.data_id}")
    if log is not None and log.locked_until > now:
        raise DataStoreError(Refusal.LOCKED, f"PID {pid}, slot {slot} of object {stored.data_id}")
    replaced = log if rules.flags & RatingFlag.MODIFIABLE else None
    others = rating.total - (0 if replaced is None else replaced.value)
    total = _bounded(rules, others + value)
    if total not in _TOTALS:
        raise DataStoreError(Refusal.INVALID, f"the total {total}")
    count = rating.count + (replaced is None)
    return RatingOutcome(
        replace(rating, total=total, count=min(count, MAX_COUNT)),
        RatingLog(pid, _counted(others, total), now, locked_until(rules, now)),
    )


def reset(stored: StoredObject, slot: int | None = None) -> StoredObject:
    """Return an object of which nobody has rated a slot, or any slot at all.

    Raises DataStoreError: NOT_FOUND for a slot that it does not have.
    """
    if slot is not None:
        slot_of(stored, slot)
    ratings = tuple(
        first_rating(each.slot, each.rules) if slot in {None, each.slot} else each
        for each in stored.ratings
    )
    return replace(stored, ratings=ratings)


def locked_until(rules: RatingRules, now: int) -> int:
    """Return when somebody may rate again who rates now; 0: at once.

    Weeks begin on Monday, and the day of a weekly lock is always one of the week after: a lock
    until Tuesday lasts a week and a day if it begins on a Monday.
    """
    match rules.lock_type:
        case LockType.INTERVAL:
            return now + rules.period_duration if rules.period_duration else 0
        case LockType.PERIOD:
            return _period_end(rules, datetime.fromtimestamp(now, UTC))
        case LockType.PERMANENT:
            return FOREVER
    return 0


def _period_end(rules: RatingRules, now: datetime) -> int:
    midnight = now.replace(hour=0, minute=0, second=0, microsecond=0)
    if rules.period_duration == FIRST_OF_MONTH:
        # The longest month has 31 days, so this is in the next one, whichever it is.
        first = (midnight.replace(day=1) + timedelta(days=31)).replace(day=1)
    else:
        weekday = -1 - rules.period_duration
        first = midnight + timedelta(days=_WEEK - midnight.weekday() + weekday)
    return int(first.timestamp()) + rules.period_hour * 3600


def _bounded(rules: RatingRules, total: int) -> int:
    return max(total, 0) if rules.flags & RatingFlag.NOT_NEGATIVE else total


def _counted(others: int, total: int) -> int:
    """Return what a rating counts with which all come to a total, for the player's log.

    Where the total is not to be negative, that may be another number than was given: else who
    rates far below 0, which hardly counts, and then replaces that, would drive the total up.
    """
    return min(max(total - others, _GIVEN[0]), _GIVEN[-1])


def _check_value(rules: RatingRules, value: int) -> None:
    bounds = rules.internal_flags
    too_low = bounds & RatingInternalFlag.HAS_MINIMUM and value < rules.minimum
    too_high = bounds & RatingInternalFlag.HAS_MAXIMUM and value > rules.maximum
    if value not in _GIVEN or too_low or too_high:
        raise DataStoreError(Refusal.INVALID, f"the rating {value}")
