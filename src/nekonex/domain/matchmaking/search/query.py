"""What is looked for: criteria as numbers, and what a session lacks for one.

`SessionQuery.mismatches` is the definition of a search; indexes are quicker ways to the same
answer. Facts from the nintendo-wiki and nex-protocols-common-go; where they differ it says so.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Final

from nekonex.domain.matchmaking.model import (
    ATTRIBUTE_COUNT,
    RATING_ATTRIBUTE,
    MatchmakeSession,
)
from nekonex.domain.matchmaking.reasons import Reason

__all__ = [
    "ANY_ATTRIBUTES",
    "MAX_VALUES",
    "NumberFilter",
    "Selection",
    "SessionQuery",
    "parse_filter",
    "parse_number",
]

MAX_VALUES: Final = 100
"""How many numbers one criterion may list."""
_MAX_DIGITS: Final = 10


class Selection(Enum):
    """In which order sessions are found."""

    RANDOM = "random"
    NEAREST = "nearest"
    """The nearest rating first; of equals the newest (the highest gid)."""
    BROADEN = "broaden"
    """The searcher's own rating pool first, then wider ones; inside a pool the nearest."""
    PROGRESS = "progress"
    """The highest progress score first; of equals the newest."""
    BROADEN_PROGRESS = "broaden-progress"
    """By pool as `BROADEN`, inside by progress as `PROGRESS`."""

    @property
    def by_rating(self) -> bool:
        """Whether the rating attribute orders, and therefore does not filter."""
        return self in {Selection.NEAREST, Selection.BROADEN, Selection.BROADEN_PROGRESS}


@dataclass(frozen=True, slots=True)
class NumberFilter:
    """Which numbers are wanted: ascending ranges that do not touch, both ends included."""

    ranges: tuple[tuple[int, int], ...]

    @classmethod
    def of(cls, *numbers: int) -> NumberFilter:
        """Make a filter for these numbers only."""
        return cls(_merged([(number, number) for number in numbers]))

    def __contains__(self, number: int) -> bool:
        """Tell whether a number is wanted."""
        return any(low <= number <= high for low, high in self.ranges)

    def __str__(self) -> str:
        """Return it as a person reads it: ``1..8``, or ``1, 5..6``."""
        return ", ".join(str(a) if a == b else f"{a}..{b}" for a, b in self.ranges) or "nothing"


def parse_filter(text: str) -> NumberFilter | None:
    """Read a criterion as consoles write it.

    "" is any (None), "5" that number, "1,8" a range with both ends, and three or more numbers
    are a list: any of them. What is none of these ("x,y", "9,1") wants nothing, so that a search
    for it finds nothing.
    """
    if not text:
        return None
    numbers = _numbers(text.split(","))
    if numbers is None:
        return NumberFilter(())
    if len(numbers) == 2:
        low, high = numbers
        return NumberFilter(((low, high),) if low <= high else ())
    return NumberFilter.of(*numbers)


def parse_number(text: str) -> int | None:
    """Read a criterion that is to be one number; None for anything else."""
    numbers = _numbers([text])
    return None if numbers is None else numbers[0]


def _numbers(parts: Sequence[str]) -> list[int] | None:
    if len(parts) > MAX_VALUES:
        return None
    # str.isdecimal alone lets through the digits of other scripts.
    good = all(part.isascii() and part.isdecimal() and len(part) <= _MAX_DIGITS for part in parts)
    return [int(part) for part in parts] if good else None


def _merged(ranges: Sequence[tuple[int, int]]) -> tuple[tuple[int, int], ...]:
    merged: list[tuple[int, int]] = []
    for low, high in sorted(ranges):
        if merged and low <= merged[-1][1] + 1:
            merged[-1] = (merged[-1][0], max(high, merged[-1][1]))
        else:
            merged.append((low, high))
    return tuple(merged)


ANY_ATTRIBUTES: Final[tuple[NumberFilter | None, ...]] = (None,) * ATTRIBUTE_COUNT


@dataclass(frozen=True, slots=True, kw_only=True)
class SessionQuery:
    """A search for sessions. A filter that is None, and what is left at its default, is any."""

    game_mode: NumberFilter | None = None
    matchmake_system: NumberFilter | None = None
    min_participants: NumberFilter | None = None
    max_participants: NumberFilter | None = None
    attributes: tuple[NumberFilter | None, ...] = ANY_ATTRIBUTES
    """Of each of the six attributes; not of the rating where `selection` orders by it."""
    places: int = 0
    """How many free places there must be."""
    open_only: bool = False
    hosted_only: bool = False
    without_user_password: bool = False
    without_system_password: bool = False
    refer_gid: int = 0
    codeword: str = ""
    without_codeword: bool = False
    """Where `codeword` is "": whether there must be none; otherwise it is any."""
    gids: frozenset[int] | None = None
    """Only these gatherings."""
    friends: frozenset[int] | None = None
    """Whose sessions for friends only may be found; None for everybody's."""
    selection: Selection = Selection.RANDOM
    rating: int | None = 0
    """Where `selection` measures ratings from; None: nowhere, and where it orders by them nothing
    is found."""

    @property
    def lacks_rating(self) -> bool:
        """Whether it orders by distance from a rating that it does not say: it finds nothing."""
        return self.rating is None and self.selection.by_rating

    def matches(self, session: MatchmakeSession) -> bool:
        """Tell whether a session is what is looked for."""
        return next(self.mismatches(session), None) is None

    def mismatches(self, session: MatchmakeSession) -> Iterator[Reason]:
        """Say what a session lacks, a short text for each criterion that it fails."""
        filters: list[tuple[str, NumberFilter | None, int]] = [
            ("game mode", self.game_mode, session.game_mode),
            ("matchmake system", self.matchmake_system, session.matchmake_system),
            ("min participants", self.min_participants, session.min_participants),
            ("max participants", self.max_participants, session.max_participants),
        ]
        filters += [
            (f"attribute {index}", wanted, session.attributes[index])
            for index, wanted in enumerate(self.attributes)
            if not (index == RATING_ATTRIBUTE and self.selection.by_rating)
        ]
        if self.lacks_rating:
            yield Reason("rating", "the search names no rating to start from")
        for name, wanted, found in filters:
            if wanted is None or found in wanted:
                continue
            if wanted.ranges:
                yield Reason(name, f"{name} is {found}, not {wanted}")
            else:
                yield Reason(name, f"what the search says of {name} is no number, range or list")
        yield from self._other_mismatches(session)

    def _other_mismatches(self, session: MatchmakeSession) -> Iterator[Reason]:
        if self.gids is not None and session.gid not in self.gids:
            yield Reason("gathering", "it is not among the gatherings asked for")
        if self.friends is not None and session.for_friends_of not in {0, *self.friends}:
            yield Reason("friends only", f"it is for friends of PID {session.owner} only")
        if self.places > session.places_free:
            yield Reason("free places", f"{session.places_free} places are free, not {self.places}")
        if self.open_only and not session.open_participation:
            yield Reason("open participation", "participation is closed")
        if self.hosted_only and not session.host:
            yield Reason("host", "it has no host")
        if self.without_user_password and session.user_password_enabled:
            yield Reason("user password", "it has a user password")
        if self.without_system_password and session.system_password:
            yield Reason("system password", "it has a system password")
        if self.refer_gid and session.refer_gid != self.refer_gid:
            yield Reason(
                "refer gid", f"it refers to gathering {session.refer_gid}, not {self.refer_gid}"
            )
        wanted = self.codeword or (None if not self.without_codeword else "")
        if wanted is not None and session.codeword != wanted:
            # Reasons are logged, and a codeword is a kind of password.
            yield Reason("codeword", "its codeword is another")
