from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.kerberos import ReplayCache, is_fresh
from nekonex.kerberos.freshness import TICKET_MAX_AGE
from nekonex.values import DateTime

NOW = 1_700_000_000


@pytest.mark.parametrize(
    ("age", "fresh"), [(0, True), (120, True), (121, False), (-120, True), (-121, False)]
)
def test_tickets_are_good_for_two_minutes_either_way(age: int, fresh: bool) -> None:
    assert is_fresh(DateTime.from_timestamp(NOW - age), NOW) is fresh


def test_a_fraction_of_a_second_counts() -> None:
    assert not is_fresh(DateTime.from_timestamp(NOW - 120), NOW + 0.5)


@given(st.integers(0, 2**64 - 1))
def test_any_bits_have_an_answer(value: int) -> None:
    assert is_fresh(DateTime(value), NOW) in (True, False)


def test_what_is_no_date_is_not_fresh() -> None:
    assert not is_fresh(DateTime.never(), NOW)
    assert not is_fresh(DateTime(2**64 - 1), NOW)


def test_a_ticket_is_used_once() -> None:
    cache = ReplayCache()
    assert cache.first_use(5, b"key", 0.0)
    assert not cache.first_use(5, b"key", 1.0)
    assert cache.first_use(6, b"key", 1.0)
    assert cache.first_use(5, b"another", 1.0)


def test_a_ticket_from_the_future_cannot_be_replayed_while_it_is_fresh() -> None:
    cache = ReplayCache()
    issued = DateTime.from_timestamp(NOW + TICKET_MAX_AGE)
    assert cache.first_use(5, b"key", NOW)
    last = NOW + 2 * TICKET_MAX_AGE - 0.001
    assert is_fresh(issued, last)
    assert not cache.first_use(5, b"key", last)


def test_old_tickets_are_forgotten() -> None:
    cache = ReplayCache(lifetime=10)
    for number in range(100):
        cache.first_use(number, b"key", number)
    assert len(cache) == 10
    assert cache.first_use(0, b"key", 100)


def test_a_full_cache_forgets_the_oldest_only() -> None:
    cache = ReplayCache(limit=3)
    for pid in range(4):
        assert cache.first_use(pid, b"key", 0.0)
    assert len(cache) == 3
    assert not cache.first_use(1, b"key", 0.0)
    assert not cache.first_use(3, b"key", 0.0)
    assert cache.first_use(0, b"key", 0.0)


def test_a_cache_for_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="at least one"):
        ReplayCache(limit=0)
