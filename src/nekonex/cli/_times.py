"""Points in time as people write them, and as they are printed."""

import re
import time
from datetime import UTC, datetime, timedelta
from typing import Final

from nekonex.cli._common import EXIT_USAGE, CommandError

__all__ = ["TIME_HELP", "parse_time", "show_time"]

TIME_HELP: Final = "2026-12-31T18:00 (this machine's time zone, or Z, or +01:00), or 90m, 2h, 3d."

_UNITS: Final = {"s": "seconds", "m": "minutes", "h": "hours", "d": "days", "w": "weeks"}
_DURATION: Final = re.compile(r"\+?([0-9]{1,6})([smhdw])")


def parse_time(text: str | None, option: str, *, now: float | None = None) -> float | None:
    """Return POSIX seconds for a date, or for a time from now; CommandError for anything else."""
    if text is None:
        return None
    now = time.time() if now is None else now
    try:
        if match := _DURATION.fullmatch(text.strip()):
            seconds = now + timedelta(**{_UNITS[match[2]]: int(match[1])}).total_seconds()
        else:
            seconds = datetime.fromisoformat(text).timestamp()
        show_time(seconds)  # what could not be shown is refused now
    except (ValueError, OverflowError, OSError):
        raise CommandError(
            f"{option} is {text!r}; allowed: a date such as {TIME_HELP}", EXIT_USAGE
        ) from None
    return seconds


def show_time(seconds: float | None) -> str:
    """Return POSIX seconds as a date in UTC, for people and programs; "" for None."""
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
