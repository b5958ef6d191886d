"""Dates as operators write them."""

from __future__ import annotations

import pytest

from nekonex.cli._common import CommandError
from nekonex.cli._times import parse_time, show_time

NOW = 1_700_000_000.0


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("90s", NOW + 90),
        ("+5m", NOW + 300),
        ("2h", NOW + 7200),
        ("3d", NOW + 3 * 86400),
        ("1w", NOW + 7 * 86400),
        ("2026-01-02T03:04:05Z", 1767323045.0),
        ("2026-01-02T03:04:05+01:00", 1767319445.0),
    ],
)
def test_dates_and_times_from_now(text: str, seconds: float) -> None:
    assert parse_time(text, "--until", now=NOW) == seconds


def test_a_date_without_zone_is_of_this_machine() -> None:
    local = parse_time("2026-01-02T03:04", "--until")
    assert local is not None
    assert abs(local - 1767323040.0) <= 14 * 3600


@pytest.mark.parametrize(
    "text", ["", "soon", "5", "-1h", "2h30m", "2026-13-01", "9999999d", "999999w"]
)
def test_anything_else_is_refused(text: str) -> None:
    with pytest.raises(CommandError, match="--until is") as caught:
        parse_time(text, "--until", now=NOW)
    assert caught.value.code == 2


def test_no_time_is_none() -> None:
    assert parse_time(None, "--until") is None
    assert show_time(None) == ""
    assert show_time(1767323045.9) == "2026-01-02T03:04:05Z"
