"""The rules of rankings: orders, windows of time, and what an upload makes of a score."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import Enum
from typing import Final

from nekonex.domain.ranking.model import (
    ALL_TIME,
    AttributeChange,
    Score,
    UpdateMode,
)
from nekonex.domain.ranking.ports import Transition
from nekonex.domain.ranking.refusals import RankingError, Refusal

__all__ = [
    "MICROSECONDS",
    "SINCE_EVER",
    "Period",
    "RankingRules",
    "changing",
    "deleting",
    "removing",
    "uploading",
    "window_start",
]

MICROSECONDS: Final = 1_000_000

SINCE_EVER: Final = 946_684_800 * MICROSECONDS
"""2000-01-01, which Nintendo's server answers as the beginning of all time."""

_DAY: Final = 86_400 * MICROSECONDS


class Period(Enum):
    """A window that begins anew with the calendar, at 00:00 UTC."""

    DAY = "day"
    WEEK = "week"
    """Weeks begin on Mondays."""
    MONTH = "month"


def window_start(window: Period | float, now: int) -> int:
    """Return when a window began; times in microseconds since 1970.

    A number is a window of that many seconds, which moves on with the time.
    """
    today = now - now % _DAY
    match window:
        case Period.DAY:
            return today
        case Period.WEEK:
            # 1970-01-01 was a Thursday, the fourth day of its week.
            return today - (today // _DAY + 3) % 7 * _DAY
        case Period.MONTH:
            day = datetime.fromtimestamp(today // MICROSECONDS, UTC).day
            return today - (day - 1) * _DAY
        case seconds:
            return now - round(seconds * MICROSECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class RankingRules:
    """What differs from title to title; the default lets the consoles say which order it is."""

    descending: bool | None = None
    """Whether larger scores are better in every category; None: as a category's first upload
    says, and later ones must say the same."""
    categories: Mapping[int, bool] = field(default_factory=dict)
    """Whether larger scores are better in one category, in place of the above."""
    windows: Mapping[int, Period | float] = field(default_factory=dict)
    """The windows of time scopes; a scope without one is all time."""
    common_data_size: int | None = None
    """Bytes that common data must have."""
    max_common_data: int = 255
    """Bytes that it may have, where it need not have exactly so many."""

    def order_of(self, category: int) -> bool | None:
        """Return whether larger scores are better; None if the first upload says so."""
        return self.categories.get(category, self.descending)

    def since(self, time_scope: int, now: int) -> int | None:
        """Return from when on scores count in a time scope, not before 1970; None for all time."""
        window = None if time_scope == ALL_TIME else self.windows.get(time_scope)
        return None if window is None else max(0, window_start(window, now))

    def check_common_data(self, data: bytes) -> None:
        """Raise RankingError (INVALID_SIZE) for data of a size that the title does not upload."""
        exact = self.common_data_size
        if exact is not None and len(data) != exact:
            raise RankingError(Refusal.INVALID_SIZE, f"{len(data)} bytes, not {exact}")
        if exact is None and len(data) > self.max_common_data:
            raise RankingError(
                Refusal.INVALID_SIZE, f"{len(data)} bytes, at most {self.max_common_data} may be"
            )


def uploading(new: Score, update: UpdateMode, *, descending: bool) -> Transition:
    """Return the transition that stores a score if it is to replace what there is.

    One that is not better leaves everything as it was, its attributes too.
    """

    def upload(old: Score | None) -> Score:
        if old is None or update is UpdateMode.ALWAYS:
            return new
        better = new.score > old.score if descending else new.score < old.score
        return new if better else old

    return upload


def changing(change: AttributeChange) -> Transition:
    """Return the transition that gives a score other attributes."""

    def apply(old: Score | None) -> Score:
        return change.applied(_existing(old))

    return apply


def deleting(old: Score | None) -> None:
    """Remove a score; it is a transition."""
    _existing(old)


def removing(_: Score | None) -> None:
    """Remove a score if there is one; it is a transition."""


def _existing(score: Score | None) -> Score:
    if score is None:
        raise RankingError(Refusal.NOT_FOUND, "the player has no such score")
    return score
