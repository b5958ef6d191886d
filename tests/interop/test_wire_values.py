"""Our values against NintendoClients': the same codes, names, bits and texts."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st
from nintendo.nex import common, errors

from nekonex.values import ERROR_CODES, ERROR_NAMES, DateTime, Result, StationURL
from tests.interop.wire_twins import URLS


def test_error_tables() -> None:
    assert errors.error_codes == ERROR_CODES
    assert errors.error_names == ERROR_NAMES


@given(st.integers(0, 2**32 - 1) | st.sampled_from(sorted(ERROR_NAMES)))
def test_results(code: int) -> None:
    theirs = common.Result(code)
    ours = Result(code)
    assert ours.name == theirs.name()
    assert ours.is_error == theirs.is_error()
    assert Result.error(code).code == common.Result.error(code).code()
    assert Result.success(code).code == common.Result.success(code).code()


@given(st.integers(0, 2**64 - 1))
def test_dates(value: int) -> None:
    ours, theirs = DateTime(value), common.DateTime(value)
    assert (ours.year, ours.month, ours.day) == (theirs.year(), theirs.month(), theirs.day())
    assert (ours.hour, ours.minute, ours.second) == (
        theirs.hour(),
        theirs.minute(),
        theirs.second(),
    )


@given(st.integers(0, 2**33))
def test_timestamps(timestamp: int) -> None:
    assert (
        DateTime.from_timestamp(timestamp).value == common.DateTime.fromtimestamp(timestamp).value()
    )


@given(URLS)
def test_station_urls(url: StationURL) -> None:
    theirs = common.StationURL.parse(str(url))
    assert repr(theirs) == str(url)
    assert theirs.address() == url.address
    assert theirs.is_public() == url.is_public
    assert theirs.is_behind_nat() == url.is_behind_nat
    for key in ("natm", "sid", "RVCID", "PID", "Uri"):
        assert theirs[key] == url[key]
