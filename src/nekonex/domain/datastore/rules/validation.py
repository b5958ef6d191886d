"""What players may ask for: bounds of texts, lists and numbers.

Bounds as in nex-protocols-go. What is out of bounds raises DataStoreError: INVALID.
"""

from __future__ import annotations

from collections.abc import Sequence, Sized
from typing import Final

from nekonex.domain.datastore.drafts import Draft
from nekonex.domain.datastore.limits import (
    MAX_EXTRA_DATA,
    MAX_META_BINARY,
    MAX_NAME,
    MAX_PERIOD,
    MAX_RATING_SLOTS,
    MAX_RECIPIENTS,
    MAX_TAG,
    MAX_TAGS,
)
from nekonex.domain.datastore.model import (
    ANY_TYPE,
    NO_SLOT,
    SLOTS,
    Level,
    LockType,
    Permission,
    RatingInternalFlag,
    RatingRules,
)
from nekonex.domain.datastore.refusals import DataStoreError, Refusal

__all__ = [
    "FIRST_OF_MONTH",
    "WEEKDAYS",
    "check_batch",
    "check_data_type",
    "check_draft",
    "check_extra_data",
    "check_length",
    "check_meta_binary",
    "check_name",
    "check_period",
    "check_permission",
    "check_rating_rules",
    "check_size",
    "check_slot",
    "check_tags",
]

WEEKDAYS: Final = range(-7, 0)
"""The durations of `LockType.PERIOD` that mean Sunday to Monday."""
FIRST_OF_MONTH: Final = -17
"""The duration of `LockType.PERIOD` that means the first of the month."""
_HOURS: Final = range(24)


def check_length(what: str, value: Sized, limit: int) -> None:
    """Refuse what is longer than ``limit``; ``what`` names it."""
    if len(value) > limit:
        raise DataStoreError(Refusal.INVALID, f"{what} has {len(value)} of {limit}")


def check_batch(values: Sized, limit: int) -> None:
    """Refuse a request that names more objects than ``limit``."""
    check_length("the request", values, limit)


def check_size(size: int, limit: int) -> None:
    """Refuse contents of more bytes than ``limit``."""
    _check("size", size, 0 <= size <= limit)


def check_name(name: str) -> None:
    """Refuse a name that is too long."""
    check_length("the name", name, MAX_NAME)


def check_meta_binary(content: bytes) -> None:
    """Refuse a meta binary that is too long."""
    check_length("the meta binary", content, MAX_META_BINARY)


def check_permission(permission: Permission) -> None:
    """Refuse a level that is none, and too many recipients."""
    _check("permission", permission.level, permission.level in set(Level))
    check_length("the permission", permission.recipients, MAX_RECIPIENTS)


def check_period(period: int) -> None:
    """Refuse a number of days for which nothing is kept."""
    _check("period", period, 1 <= period <= MAX_PERIOD)


def check_data_type(data_type: int) -> None:
    """Refuse the type that means every type."""
    _check("data type", data_type, 0 <= data_type < ANY_TYPE)


def check_tags(tags: Sequence[str]) -> None:
    """Refuse too many tags, those that are too long, and one that is there twice."""
    check_length("the list of tags", tags, MAX_TAGS)
    for tag in tags:
        check_length("a tag", tag, MAX_TAG)
    _check("tags", tags, len(set(tags)) == len(tags))


def check_slot(slot: int) -> None:
    """Refuse a persistence slot that nobody has."""
    _check("persistence slot", slot, slot in SLOTS)


def check_extra_data(extra_data: Sized) -> None:
    """Refuse another number of texts than the protocol's."""
    _check("extra data", len(extra_data), len(extra_data) in {0, MAX_EXTRA_DATA})


def check_rating_rules(rules: Sequence[tuple[int, RatingRules]]) -> None:
    """Refuse rating slots that nobody has or that are there twice, and rules nobody can follow."""
    check_length("the list of rating slots", rules, MAX_RATING_SLOTS)
    slots = [slot for slot, _ in rules]
    _check("rating slots", slots, len(set(slots)) == len(slots))
    for slot, each in rules:
        _check("rating slot", slot, 0 <= slot < MAX_RATING_SLOTS)
        _check_range(each)
        _check_lock(each)


def check_draft(draft: Draft, max_size: int) -> None:
    """Refuse a draft with anything out of bounds; ``max_size`` is 0 where it has no file."""
    check_size(draft.size, max_size)
    check_name(draft.name)
    check_data_type(draft.data_type)
    check_meta_binary(draft.meta_binary)
    check_permission(draft.access)
    check_permission(draft.update)
    check_period(draft.period)
    check_tags(draft.tags)
    check_rating_rules(draft.rating_rules)
    if draft.slot != NO_SLOT:
        check_slot(draft.slot)
    check_extra_data(draft.extra_data)


def _check_range(rules: RatingRules) -> None:
    both = RatingInternalFlag.HAS_MINIMUM | RatingInternalFlag.HAS_MAXIMUM
    if rules.internal_flags & both == both:
        _check("range", (rules.minimum, rules.maximum), valid=rules.minimum <= rules.maximum)


def _check_lock(rules: RatingRules) -> None:
    lock, duration = rules.lock_type, rules.period_duration
    _check("lock type", lock, lock in set(LockType))
    if lock == LockType.INTERVAL:
        _check("lock interval", duration, duration >= 0)
    elif lock == LockType.PERIOD:
        _check("lock period", duration, duration in WEEKDAYS or duration == FIRST_OF_MONTH)
        _check("lock hour", rules.period_hour, rules.period_hour in _HOURS)


def _check(what: str, value: object, valid: bool) -> None:
    if not valid:
        raise DataStoreError(Refusal.INVALID, f"{what} {value}")
