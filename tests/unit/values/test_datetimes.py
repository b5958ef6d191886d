"""The bit field of dates."""

from __future__ import annotations

import copy
import datetime as dt
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nekonex.values import DateTime


def test_golden_bits() -> None:
    # 2014-05-30 12:34:56 by hand: 2014<<26 | 5<<22 | 30<<17 | 12<<12 | 34<<6 | 56.
    value = 135157252096 + 20971520 + 3932160 + 49152 + 2176 + 56
    moment = DateTime.make(2014, 5, 30, 12, 34, 56)
    assert moment.value == value
    assert (moment.year, moment.month, moment.day) == (2014, 5, 30)
    assert (moment.hour, moment.minute, moment.second) == (12, 34, 56)
    assert str(moment) == "2014-05-30 12:34:56"
    assert repr(moment) == f"DateTime({value}, '2014-05-30 12:34:56')"


def test_named_values() -> None:
    assert DateTime.never() == DateTime(0)
    assert str(DateTime.future()) == "9999-12-31 23:59:59"


@pytest.mark.parametrize("value", [-1, 1 << 64])
def test_64_bits(value: int) -> None:
    with pytest.raises(ValueError, match="64 bits"):
        DateTime(value)


@pytest.mark.parametrize(
    "part", [{"month": 16}, {"day": 32}, {"hour": 32}, {"minute": 64}, {"second": -1}]
)
def test_parts_must_fit(part: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="does not fit its bits"):
        DateTime.make(2000, **part)


def test_year_must_fit() -> None:
    assert DateTime.make((1 << 38) - 1).year == (1 << 38) - 1
    with pytest.raises(ValueError, match="does not fit its bits"):
        DateTime.make(1 << 38)


@given(
    st.datetimes(
        min_value=dt.datetime(1, 1, 1),  # noqa: DTZ001
        timezones=st.sampled_from([dt.UTC, dt.timezone(dt.timedelta(hours=9))]),
    ).filter(lambda moment: 2 <= moment.year <= 9998)
)
def test_datetimes_survive(moment: dt.datetime) -> None:
    expected = moment.astimezone(dt.UTC).replace(microsecond=0)
    converted = DateTime.from_datetime(moment)
    assert converted.to_datetime() == expected
    assert converted.timestamp() == int(expected.timestamp())


def test_naive_datetimes_are_refused() -> None:
    with pytest.raises(ValueError, match="without a time zone"):
        DateTime.from_datetime(dt.datetime(2020, 1, 1))  # noqa: DTZ001


def test_timestamps() -> None:
    assert DateTime.from_timestamp(0) == DateTime.make(1970)
    assert DateTime.from_timestamp(86399.9) == DateTime.make(1970, 1, 1, 23, 59, 59)
    assert DateTime.make(2001, 9, 9, 1, 46, 40).timestamp() == 1_000_000_000


@pytest.mark.parametrize("moment", [DateTime.never(), DateTime.make(2020, 2, 30)])
def test_what_is_no_date(moment: DateTime) -> None:
    with pytest.raises(ValueError, match=r"out of range|must be in"):
        moment.to_datetime()


@given(st.integers(0, 2**64 - 1), st.integers(0, 2**64 - 1))
def test_order_is_that_of_the_value(left: int, right: int) -> None:
    a, b = DateTime(left), DateTime(right)
    assert (a < b, a <= b, a == b, a >= b, a > b) == (
        left < right,
        left <= right,
        left == right,
        left >= right,
        left > right,
    )


def test_it_is_a_value() -> None:
    moment = DateTime(5)
    assert hash(moment) == hash(DateTime(5))
    assert moment != 5
    assert copy.copy(moment) is moment
    assert copy.deepcopy(moment) is moment
    assert pickle.loads(pickle.dumps(moment)) == moment
    with pytest.raises(AttributeError, match="immutable"):
        moment.value = 6
    with pytest.raises(AttributeError, match="immutable"):
        del moment.value
    assert not hasattr(moment, "__dict__")
    with pytest.raises(TypeError):
        assert moment < 5  # type: ignore[operator]


@pytest.mark.parametrize("value", [2**64 - 1, DateTime.make(9999).value + (1 << 26), 1])
def test_bits_that_are_no_date_are_a_value_error(value: int) -> None:
    with pytest.raises(ValueError, match=r"year|month|day"):
        DateTime(value).timestamp()
