"""Scores, and what is asked about them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from enum import IntEnum, IntFlag
from typing import Final, NamedTuple

__all__ = [
    "ALL_TIME",
    "NO_GROUP",
    "AttributeChange",
    "AttributeFlag",
    "Board",
    "CachedTop",
    "GroupFilter",
    "RankCalculation",
    "RankQuery",
    "RankedScore",
    "RankingMode",
    "RankingPage",
    "Score",
    "ScoreKey",
    "ScoreUpload",
    "Statistics",
    "StatisticsFlag",
    "UpdateMode",
    "group_filter",
    "two_groups",
]

ALL_TIME: Final = 2
"""The time scope in which every score counts; 0 and 1 are windows that a title defines."""

NO_GROUP: Final = 255
"""The group index on the wire that stands for no filter."""


class UpdateMode(IntEnum):
    """Whether an upload replaces a score that the player has already."""

    BEST = 0
    """Only a worse one."""
    ALWAYS = 1


class RankCalculation(IntEnum):
    """What ranks equal scores have."""

    STANDARD = 0
    """The same, and the next is as much worse as there are equals: 1, 2, 2, 4."""
    ORDINAL = 1
    """Each its own, the earlier update first: 1, 2, 3, 4."""


class RankingMode(IntEnum):
    """Whom a ranking is of, and which part of it is wanted."""

    RANGE = 0
    """Of all, from an offset on."""
    NEAR = 1
    """Of all, around a player."""
    FRIENDS_RANGE = 2
    """Of the caller and its friends, from an offset on."""
    FRIENDS_NEAR = 3
    """Of the caller and its friends, around a player."""
    OWN = 4
    """Of all, only the scores of a player."""


class AttributeFlag(IntFlag):
    """Which attributes of a score a change is of; 4 and 8 are without meaning."""

    GROUP_0 = 0x01
    GROUP_1 = 0x02
    PARAM = 0x10


class StatisticsFlag(IntFlag):
    """Which statistics are wanted."""

    COUNT = 0x01
    SUM = 0x02
    MINIMUM = 0x04
    MAXIMUM = 0x08
    AVERAGE = 0x10


@dataclass(frozen=True, slots=True, kw_only=True)
class ScoreUpload:
    """A score as a player uploads it."""

    category: int
    score: int
    descending: bool
    """Whether larger scores are better, as the console says."""
    update: UpdateMode = UpdateMode.BEST
    groups: tuple[int, int] = (0, 0)
    """Two bytes by which rankings can be filtered."""
    param: int = 0
    """64 bits that mean something to the game."""


class ScoreKey(NamedTuple):
    """What there is at most one score for."""

    category: int
    pid: int
    unique_id: int = 0
    """A save slot or a profile of the player; 0 is one like any other."""


class Score(NamedTuple):
    """A score as it is kept."""

    category: int
    pid: int
    unique_id: int
    score: int
    groups: tuple[int, int]
    param: int
    updated: int
    """When it was uploaded, in microseconds since 1970: of equal scores the earlier is better."""

    @property
    def key(self) -> ScoreKey:
        """What there is only this score for."""
        return ScoreKey(self.category, self.pid, self.unique_id)


class RankedScore(NamedTuple):
    """A score, its rank and what its player wants shown with it."""

    score: Score
    rank: int
    """1 is the best."""
    common_data: bytes
    """Empty if the player uploaded none."""


@dataclass(frozen=True, slots=True)
class GroupFilter:
    """Counts only scores whose group ``index``, 0 or 1, is ``value``."""

    index: int
    value: int


@dataclass(frozen=True, slots=True)
class Board:
    """What is ranked: the scores of a category, or those of a group or of a time among them."""

    category: int
    group: GroupFilter | None = None
    time_scope: int = ALL_TIME
    since: int = 0
    """In a scope other than `ALL_TIME`, the time from which on scores count, in microseconds
    since 1970. The service knows it by the title's rules; whoever asks the service leaves it 0."""


@dataclass(frozen=True, slots=True)
class RankQuery:
    """A part of a ranking."""

    board: Board
    calculation: RankCalculation = RankCalculation.STANDARD
    offset: int = 0
    """How many are passed over."""
    count: int = 10
    """How many are wanted at most."""


@dataclass(frozen=True, slots=True)
class RankingPage:
    """A part of a ranking, the best first."""

    entries: Sequence[RankedScore]
    total: int
    """How many are ranked in all."""
    since: int
    """From when on scores count, in microseconds since 1970."""


@dataclass(frozen=True, slots=True)
class CachedTop:
    """The best of a board as they were a while ago; times in POSIX seconds."""

    page: RankingPage
    created: float
    expires: float
    max_length: int
    """How many are kept at most."""


@dataclass(frozen=True, slots=True)
class AttributeChange:
    """New groups and a new param for scores, as far as the flags say so."""

    flags: AttributeFlag
    groups: tuple[int, int] = (0, 0)
    param: int = 0

    def applied(self, score: Score) -> Score:
        """Return the score with the new attributes; its time stays, and with it its rank."""
        groups = (
            self.groups[0] if AttributeFlag.GROUP_0 in self.flags else score.groups[0],
            self.groups[1] if AttributeFlag.GROUP_1 in self.flags else score.groups[1],
        )
        param = self.param if AttributeFlag.PARAM in self.flags else score.param
        return score._replace(groups=groups, param=param)


@dataclass(frozen=True, slots=True)
class Statistics:
    """Numbers about all scores of a board."""

    count: int = 0
    total: int = 0
    minimum: int = 0
    maximum: int = 0

    @property
    def average(self) -> float:
        """The mean score; 0 where there is none."""
        return self.total / self.count if self.count else 0.0

    def selected(self, flags: StatisticsFlag) -> tuple[float, float, float, float, float]:
        """Return count, sum, minimum, maximum and average, 0 for what is not wanted."""
        return (
            float(self.count) if StatisticsFlag.COUNT in flags else 0.0,
            float(self.total) if StatisticsFlag.SUM in flags else 0.0,
            float(self.minimum) if StatisticsFlag.MINIMUM in flags else 0.0,
            float(self.maximum) if StatisticsFlag.MAXIMUM in flags else 0.0,
            self.average if StatisticsFlag.AVERAGE in flags else 0.0,
        )


def two_groups(values: Iterable[int]) -> tuple[int, int]:
    """Return the groups of a score: the first two of ``values``, 0 for what is missing."""
    first, second, *_ = (*values, 0, 0)
    return first, second


def group_filter(index: int, value: int) -> GroupFilter | None:
    """Return the filter that a group index and number on the wire stand for.

    Whether there is such a group is for the service to say.
    """
    return None if index == NO_GROUP else GroupFilter(index, value)
