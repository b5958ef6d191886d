from __future__ import annotations

import sqlite3
from contextlib import closing

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from nekonex.storage.sqlite.integers import from_sql, to_sql


@example(0)
@example(2**63 - 1)
@example(2**63)
@example(2**64 - 1)
@given(st.integers(0, 2**64 - 1))
def test_every_unsigned_number_survives_sqlite(value: int) -> None:
    with closing(sqlite3.connect(":memory:")) as connection:
        (stored,) = connection.execute("SELECT ?", (to_sql(value),)).fetchone()
    assert from_sql(stored) == value


@given(st.integers(0, 2**63 - 1), st.integers(0, 2**63 - 1))
def test_smaller_numbers_keep_their_order(one: int, two: int) -> None:
    assert (one < two) is (to_sql(one) < to_sql(two))


@pytest.mark.parametrize("value", [-1, 2**64])
def test_other_numbers_are_refused(value: int) -> None:
    with pytest.raises(ValueError, match="unsigned 64-bit"):
        to_sql(value)
