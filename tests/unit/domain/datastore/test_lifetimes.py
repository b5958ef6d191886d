from __future__ import annotations

from dataclasses import replace

from nekonex.domain.datastore import NO_SLOT, Flag, StoredObject
from nekonex.domain.datastore.rules import lifetimes
from tests.support.datastore import DAY

STORED = StoredObject(owner=1, data_id=5, complete=True, period=3, expires=1000)


def test_an_object_expires_after_its_period() -> None:
    assert lifetimes.expiry(STORED, 50) == 50 + 3 * DAY
    assert not lifetimes.is_expired(STORED, 999)
    assert lifetimes.is_expired(STORED, 1000)
    assert not lifetimes.is_expired(replace(STORED, expires=None), 10**12)
    assert not lifetimes.is_expired(replace(STORED, complete=False), 1000)


def test_what_is_in_a_slot_never_expires() -> None:
    assert lifetimes.expiry(replace(STORED, slot=0), 50) is None


def test_a_reference_is_counted_and_may_prolong() -> None:
    used = lifetimes.refer(STORED, 70)
    assert (used.referred, used.referred_count, used.expires) == (70, 1, 1000)
    longer = replace(STORED, flags=int(Flag.PERIOD_FROM_LAST_REFERENCE))
    assert lifetimes.refer(longer, 70).expires == 70 + 3 * DAY
    assert lifetimes.refer(replace(longer, slot=3, expires=None), 70).expires is None
    most = replace(STORED, referred_count=2**32 - 1)
    assert lifetimes.refer(most, 70).referred_count == 2**32 - 1


def test_what_loses_its_slot_is_kept_for_its_period_from_then_on() -> None:
    freed = lifetimes.release(replace(STORED, slot=3, expires=None), 70)
    assert (freed.slot, freed.expires) == (NO_SLOT, 70 + 3 * DAY)
