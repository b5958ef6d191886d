"""The orders that sessions are found in, over sorted lists of integers.

A *rank* is an integer of which the lower 32 bits are ``MAX_GID - gid`` and the bits above say how
good a session is, so that ranks sort as sessions are to be found: the smaller one first, of
equals the newest. Every session has three ranks that do not depend on who searches (`Ranks`), and
sessions that are searched together keep each of the three in a sorted list (`Shelf`). Orders walk
along such lists and stop as soon as nobody asks for more.

Lists are plain: finding a place by bisection takes under a microsecond, and making room in a list
of 50,000 a few, which is less than what a balanced structure needs in Python.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterable, Iterator, Sequence
from heapq import merge
from random import Random
from typing import Final, NamedTuple

from nekonex.domain.matchmaking.model import MAX_GID, MatchmakeSession
from nekonex.domain.matchmaking.search.query import NumberFilter, Selection, SessionQuery

__all__ = [
    "Order",
    "Ranks",
    "Shelf",
    "Span",
    "in_spans",
    "order_of",
    "rating_band",
    "shuffled",
    "spans_of",
]

_BITS: Final = 32
_BAND_BITS: Final = 2 * _BITS

_BAND_STARTS: Final = (1100, 1200, 1300, 1400, 1500, 1600, 1700, 1800, 1900, 2000, 2200)
"""Where the second rating pool starts and each one after it. Nobody has the original's; these
are the guess of the nintendo-wiki. Called bands here, to tell them from pools of sessions."""


def rating_band(rating: int) -> int:
    """Return the number of the rating pool, from 0, that a broadening search puts a rating in."""
    return bisect_right(_BAND_STARTS, rating)


def _bands_by_distance(own: int) -> Iterator[tuple[int, list[int]]]:
    """Yield each distance from a band, the nearest first, and the bands that are as far."""
    for distance in range(len(_BAND_STARTS) + 1):
        bands = [band for band in {own - distance, own + distance} if band >= 0]
        yield distance, [band for band in bands if band <= len(_BAND_STARTS)]


class Ranks(NamedTuple):
    """The ranks of a session that do not depend on who searches."""

    by_rating: int
    by_progress: int
    """The highest progress first."""
    by_band: int
    """By rating band, inside a band by progress."""

    @classmethod
    def of(cls, session: MatchmakeSession) -> Ranks:
        """Work out the ranks of a session."""
        newest_first = MAX_GID - session.gid
        by_progress = (MAX_GID - session.progress_score) << _BITS | newest_first
        rating = session.rating
        return cls(
            rating << _BITS | newest_first,
            by_progress,
            rating_band(rating) << _BAND_BITS | by_progress,
        )


Span = tuple[Sequence[int], int, int]
"""Part of a sorted list: from the first index, to before the second."""


class Shelf:
    """Sessions as three sorted lists, one of each of their ranks."""

    __slots__ = ("by_band", "by_progress", "by_rating")

    def __init__(self) -> None:
        self.by_rating: list[int] = []
        self.by_progress: list[int] = []
        self.by_band: list[int] = []

    def __len__(self) -> int:
        return len(self.by_rating)

    def add(self, ranks: Ranks) -> None:
        """Add a session."""
        insort(self.by_rating, ranks.by_rating)
        insort(self.by_progress, ranks.by_progress)
        insort(self.by_band, ranks.by_band)

    def remove(self, ranks: Ranks) -> None:
        """Remove a session that is there."""
        del self.by_rating[bisect_left(self.by_rating, ranks.by_rating)]
        del self.by_progress[bisect_left(self.by_progress, ranks.by_progress)]
        del self.by_band[bisect_left(self.by_band, ranks.by_band)]


def spans_of(shelves: Iterable[Shelf], rating: NumberFilter | None) -> list[Span]:
    """Return the parts of lists by rating whose rating is wanted."""
    if rating is None:
        return [(shelf.by_rating, 0, len(shelf.by_rating)) for shelf in shelves]
    spans: list[Span] = []
    for shelf in shelves:
        ranks = shelf.by_rating
        for low, high in rating.ranges:
            start = bisect_left(ranks, low << _BITS)
            stop = bisect_left(ranks, (high + 1) << _BITS, start)
            if start < stop:
                spans.append((ranks, start, stop))
    return spans


def in_spans(spans: Iterable[Span]) -> Iterator[int]:
    """Yield what is in the spans."""
    for ranks, start, stop in spans:
        yield from ranks[start:stop]


class Order(ABC):
    """An order that one search finds sessions in."""

    @abstractmethod
    def rank(self, ranks: Ranks) -> int:
        """Return what a session with these ranks sorts by."""

    @abstractmethod
    def walk(self, shelves: Sequence[Shelf]) -> Iterator[int]:
        """Yield what `rank` returns for each session on the shelves, ascending."""


class _Listed(Order):
    """By rating: no order that anybody asks for, but the same for every page."""

    def rank(self, ranks: Ranks) -> int:
        return ranks.by_rating

    def walk(self, shelves: Sequence[Shelf]) -> Iterator[int]:
        return merge(*[shelf.by_rating for shelf in shelves])


class _Progress(Order):
    """The highest progress first."""

    def rank(self, ranks: Ranks) -> int:
        return ranks.by_progress

    def walk(self, shelves: Sequence[Shelf]) -> Iterator[int]:
        return merge(*[shelf.by_progress for shelf in shelves])


class _Nearest(Order):
    """The nearest rating first."""

    def __init__(self, rating: int) -> None:
        self._rating = rating

    def rank(self, ranks: Ranks) -> int:
        distance = abs((ranks.by_rating >> _BITS) - self._rating)
        return distance << _BITS | ranks.by_rating & MAX_GID

    def walk(self, shelves: Sequence[Shelf]) -> Iterator[int]:
        both: list[Iterator[int]] = []
        for shelf in shelves:
            ranks = shelf.by_rating
            middle = bisect_left(ranks, self._rating << _BITS)
            if middle < len(ranks):
                both.append(_above(ranks, self._rating, middle, len(ranks)))
            if middle:
                both.append(_below(ranks, self._rating, 0, middle))
        return merge(*both)


class _Broaden(_Nearest):
    """The own rating band first, then those beside it and so on; inside by distance."""

    def __init__(self, rating: int) -> None:
        super().__init__(rating)
        self._band = rating_band(rating)

    def rank(self, ranks: Ranks) -> int:
        distance = abs((ranks.by_band >> _BAND_BITS) - self._band)
        return distance << _BAND_BITS | super().rank(ranks)

    def walk(self, shelves: Sequence[Shelf]) -> Iterator[int]:
        for distance, bands in _bands_by_distance(self._band):
            parts = [part for shelf in shelves for band in bands for part in self._in(band, shelf)]
            for rank in merge(*parts):
                yield distance << _BAND_BITS | rank

    def _in(self, band: int, shelf: Shelf) -> Iterator[Iterator[int]]:
        ranks = shelf.by_rating
        start = bisect_left(ranks, _BAND_STARTS[band - 1] << _BITS) if band else 0
        last = band == len(_BAND_STARTS)
        stop = len(ranks) if last else bisect_left(ranks, _BAND_STARTS[band] << _BITS, start)
        middle = bisect_left(ranks, self._rating << _BITS, start, stop)
        if middle < stop:
            yield _above(ranks, self._rating, middle, stop)
        if start < middle:
            yield _below(ranks, self._rating, start, middle)


class _BroadenProgress(Order):
    """The own rating band first, then those beside it and so on; inside by progress."""

    def __init__(self, rating: int) -> None:
        self._band = rating_band(rating)

    def rank(self, ranks: Ranks) -> int:
        distance = abs((ranks.by_band >> _BAND_BITS) - self._band)
        return distance << _BAND_BITS | ranks.by_progress

    def walk(self, shelves: Sequence[Shelf]) -> Iterator[int]:
        for distance, bands in _bands_by_distance(self._band):
            parts = [_in_band(shelf.by_band, band) for shelf in shelves for band in bands]
            for rank in merge(*parts):
                yield distance << _BAND_BITS | rank


def order_of(query: SessionQuery) -> Order:
    """Return the order of a search; of a random one, the order of its further pages."""
    rating = query.rating or 0
    match query.selection:
        case Selection.RANDOM:
            return _Listed()
        case Selection.NEAREST:
            return _Nearest(rating)
        case Selection.BROADEN:
            return _Broaden(rating)
        case Selection.PROGRESS:
            return _Progress()
        case Selection.BROADEN_PROGRESS:
            return _BroadenProgress(rating)


def shuffled(spans: Sequence[Span], random: Random) -> Iterator[int]:
    """Yield what is in the spans, each once, all orders being equally likely."""
    ends: list[int] = []
    total = 0
    for _, start, stop in spans:
        total += stop - start
        ends.append(total)
    # A Fisher-Yates shuffle of range(total) that remembers only the places it has changed.
    moved: dict[int, int] = {}
    for left in range(total, 0, -1):
        place = random.randrange(left)
        position = moved.get(place, place)
        moved[place] = moved.pop(left - 1, left - 1)
        number = bisect_right(ends, position)
        ranks, _, stop = spans[number]
        yield ranks[stop - ends[number] + position]


def _above(ranks: Sequence[int], rating: int, start: int, stop: int) -> Iterator[int]:
    """Yield ranks by distance of a part where no rating is below this one."""
    base = rating << _BITS
    for index in range(start, stop):
        yield ranks[index] - base


def _below(ranks: Sequence[int], rating: int, start: int, stop: int) -> Iterator[int]:
    """Yield ranks by distance of a part where all ratings are below this one."""
    while start < stop:
        found = ranks[stop - 1] >> _BITS
        # Distances fall along the list, but among equal ratings the newest still comes first.
        first = bisect_left(ranks, found << _BITS, start, stop)
        distance = (rating - found) << _BITS
        for index in range(first, stop):
            yield distance | ranks[index] & MAX_GID
        stop = first


def _in_band(ranks: Sequence[int], band: int) -> Iterator[int]:
    """Yield the ranks of one band without the band."""
    base = band << _BAND_BITS
    stop = bisect_left(ranks, (band + 1) << _BAND_BITS)
    for index in range(bisect_left(ranks, base, 0, stop), stop):
        yield ranks[index] - base
