"""How long objects are kept. What is in a persistence slot never expires."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from nekonex.domain.datastore.model import NO_SLOT, Flag, StoredObject

__all__ = ["DAY", "MAX_REFERRED_COUNT", "expiry", "is_expired", "refer", "release"]

DAY: Final = 86_400
"""Seconds."""
MAX_REFERRED_COUNT: Final = 2**32 - 1


def expiry(stored: StoredObject, since: int) -> int | None:
    """Return when an object expires whose period begins at a time; None: never."""
    return None if stored.slot != NO_SLOT else since + stored.period * DAY


def is_expired(stored: StoredObject, now: int) -> bool:
    """Tell whether the time of a complete object is over."""
    return stored.complete and stored.expires is not None and stored.expires <= now


def refer(stored: StoredObject, now: int) -> StoredObject:
    """Return an object after somebody used it."""
    used = replace(
        stored,
        referred=now,
        referred_count=min(stored.referred_count + 1, MAX_REFERRED_COUNT),
    )
    if stored.flags & Flag.PERIOD_FROM_LAST_REFERENCE:
        return replace(used, expires=expiry(used, now))
    return used


def release(stored: StoredObject, now: int) -> StoredObject:
    """Return an object that has lost its persistence slot: its period begins now.

    That it begins with the loss, not with the last update, is this server's choice: what was
    kept so far would often be gone at once.
    """
    freed = replace(stored, slot=NO_SLOT)
    return replace(freed, expires=expiry(freed, now))
