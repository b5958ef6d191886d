"""How what is known of an object changes, and when it is not as a player believes."""

from __future__ import annotations

from dataclasses import replace

from nekonex.domain.datastore.drafts import Compare, MetaChange, MetaComparison, Modify
from nekonex.domain.datastore.model import Flag, Permission, StoredObject
from nekonex.domain.datastore.refusals import DataStoreError, Refusal
from nekonex.domain.datastore.rules.lifetimes import expiry
from nekonex.domain.datastore.rules.validation import (
    check_data_type,
    check_meta_binary,
    check_name,
    check_period,
    check_permission,
    check_tags,
)

__all__ = ["change", "check_change", "check_equal"]


def check_change(wanted: MetaChange) -> None:
    """Refuse new values that are out of bounds, of those that count. Raises INVALID."""
    flags = wanted.flags
    if flags & Modify.NAME:
        check_name(wanted.name)
    if flags & Modify.ACCESS:
        check_permission(wanted.access)
    if flags & Modify.UPDATE:
        check_permission(wanted.update)
    if flags & Modify.PERIOD:
        check_period(wanted.period)
    if flags & Modify.META_BINARY:
        check_meta_binary(wanted.meta_binary)
    if flags & Modify.TAGS:
        check_tags(wanted.tags)
    if flags & Modify.DATA_TYPE:
        check_data_type(wanted.data_type)


def check_equal(stored: StoredObject, believed: MetaComparison) -> None:
    """Refuse if an object is not as believed, in what counts. Raises NOT_EQUAL."""
    pairs: dict[Compare, tuple[object, object]] = {
        Compare.NAME: (stored.name, believed.name),
        Compare.ACCESS: (_essence(stored.access), _essence(believed.access)),
        Compare.UPDATE: (_essence(stored.update), _essence(believed.update)),
        Compare.PERIOD: (stored.period, believed.period),
        Compare.META_BINARY: (stored.meta_binary, believed.meta_binary),
        Compare.TAGS: (frozenset(stored.tags), frozenset(believed.tags)),
        Compare.DATA_TYPE: (stored.data_type, believed.data_type),
        Compare.REFERRED_COUNT: (stored.referred_count, believed.referred_count),
        Compare.STATUS: (stored.status, believed.status),
    }
    for flag, (is_so, is_believed) in pairs.items():
        if believed.flags & flag and is_so != is_believed:
            raise DataStoreError(Refusal.NOT_EQUAL, f"{flag.name} of object {stored.data_id}")


def change(stored: StoredObject, wanted: MetaChange, now: int) -> StoredObject:
    """Return an object with new values, if it is as the player believes.

    Raises DataStoreError: NOT_EQUAL, and NOT_ALLOWED for another status: that is the operator's.
    """
    check_equal(stored, wanted.compare)
    flags = wanted.flags
    if flags & Modify.STATUS and wanted.status != stored.status:
        raise DataStoreError(Refusal.NOT_ALLOWED, "players do not review objects")
    after = replace(
        stored,
        name=wanted.name if flags & Modify.NAME else stored.name,
        access=wanted.access if flags & Modify.ACCESS else stored.access,
        update=wanted.update if flags & Modify.UPDATE else stored.update,
        period=wanted.period if flags & Modify.PERIOD else stored.period,
        meta_binary=wanted.meta_binary if flags & Modify.META_BINARY else stored.meta_binary,
        tags=wanted.tags if flags & Modify.TAGS else stored.tags,
        data_type=wanted.data_type if flags & Modify.DATA_TYPE else stored.data_type,
        updated=now if flags & Modify.UPDATED_TIME else stored.updated,
    )
    if flags & Modify.REFERRED_COUNT:
        after = replace(after, referred_count=wanted.referred_count)
    if flags & (Modify.PERIOD | Modify.UPDATED_TIME):
        after = replace(after, expires=expiry(after, _period_begins(after)))
    return after


def _period_begins(stored: StoredObject) -> int:
    if stored.flags & Flag.PERIOD_FROM_LAST_REFERENCE:
        return max(stored.referred, stored.updated)
    return stored.updated


def _essence(permission: Permission) -> tuple[int, frozenset[int]]:
    """Return what of a permission counts: in which order people are named does not."""
    return permission.level, frozenset(permission.recipients)
