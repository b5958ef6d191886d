"""Sessions grouped by what searches compare, so that a search rules them out by the group.

Sessions that agree in everything that a criterion compares, save their rating and how many
places are free, form a *pool*. Each pool has a number, and a set of pools is an integer with these
bits set. For each value of each *facet* (the game mode is one, attribute 3 another) the directory
keeps the set of the pools with this value; what all criteria of a search leave is the
bitwise *and* of such sets, which takes well under a microsecond for thousands of pools.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Iterator
from heapq import heappop, heappush
from operator import attrgetter
from typing import Final, Generic, TypeVar

from nekonex.domain.matchmaking.model import RATING_ATTRIBUTE, MatchmakeSession
from nekonex.domain.matchmaking.search.query import NumberFilter, SessionQuery
from nekonex.domain.matchmaking.search.selection import Ranks, Shelf

__all__ = [
    "PLACES",
    "Directory",
    "Pool",
    "Selected",
    "Signature",
    "level_of",
    "new_shelves",
    "signature_of",
]

PLACES: Final = (0, 1, 2, 3, 4, 6, 8, 12)
"""The levels of shelves: number n is of all sessions with at least so many free places. Searches
hardly ever want more than the players of one console; for other numbers the level below does."""

_MAX_FEW: Final = 32
"""How many pools a set lists by number before it becomes a mask of bits."""
_MAX_VALUES: Final = 128
"""How many values of a facet a range may span for pools to be looked up by it."""

Signature = tuple[str, tuple[int, ...]]
"""What the sessions of a pool have in common: the codeword, and the numbers."""

_fields: Final = attrgetter(
    "game_mode",
    "matchmake_system",
    "min_participants",
    "max_participants",
    "open_participation",
    "user_password_enabled",
    "refer_gid",
    "for_friends_of",
)
_YES: Final = NumberFilter.of(1)
_NO: Final = NumberFilter.of(0)


def signature_of(session: MatchmakeSession) -> Signature:
    """Return what a session has in common with others of its pool."""
    attributes = session.attributes
    numbers = (
        *_fields(session),
        bool(session.host),
        bool(session.system_password),
        *attributes[:RATING_ATTRIBUTE],
        *attributes[RATING_ATTRIBUTE + 1 :],
    )
    return session.codeword, numbers


def _wanted(query: SessionQuery) -> tuple[NumberFilter | None, ...]:
    """Return what a search wants of each number of a signature."""
    attributes = query.attributes
    return (
        query.game_mode,
        query.matchmake_system,
        query.min_participants,
        query.max_participants,
        _YES if query.open_only else None,
        _NO if query.without_user_password else None,
        NumberFilter.of(query.refer_gid) if query.refer_gid else None,
        NumberFilter.of(0, *query.friends) if query.friends is not None else None,
        _YES if query.hosted_only else None,
        _NO if query.without_system_password else None,
        *attributes[:RATING_ATTRIBUTE],
        *attributes[RATING_ATTRIBUTE + 1 :],
    )


def level_of(places: int) -> int:
    """Return the highest level for so many places."""
    return bisect_right(PLACES, places, 1) - 1


def new_shelves() -> tuple[Shelf, ...]:
    """Return empty shelves, one for each level."""
    return tuple([Shelf() for _ in PLACES])


class Pool:
    """Sessions with one signature."""

    __slots__ = ("number", "shelves", "signature")

    def __init__(self, number: int, signature: Signature) -> None:
        self.number = number
        self.signature = signature
        self.shelves = new_shelves()


class Selected:
    """The pools that may have what a search looks for."""

    __slots__ = ("_bits", "_mask", "_pools", "_undecided")

    def __init__(
        self, mask: int, undecided: list[tuple[int, NumberFilter]], pools: dict[int, Pool]
    ) -> None:
        self._mask = mask
        self._bits = b""
        self._undecided = undecided
        self._pools = pools

    def __len__(self) -> int:
        """Return how many they are, or more if some criteria are compared only in `__iter__`."""
        return self._mask.bit_count()

    def __contains__(self, pool: Pool) -> bool:
        if not self._bits:
            self._bits = self._mask.to_bytes(self._mask.bit_length() // 8 + 1, "little")
        number = pool.number
        byte = number >> 3
        return (
            byte < len(self._bits)
            and self._bits[byte] >> (number & 7) & 1 == 1
            and (not self._undecided or self._suits(pool))
        )

    def __iter__(self) -> Iterator[Pool]:
        digits = f"{self._mask:b}"[::-1]
        number = digits.find("1")
        while number >= 0:
            pool = self._pools[number]
            if not self._undecided or self._suits(pool):
                yield pool
            number = digits.find("1", number + 1)

    def _suits(self, pool: Pool) -> bool:
        numbers = pool.signature[1]
        return all(numbers[index] in wanted for index, wanted in self._undecided)


class Directory:
    """All pools, and which of them a search is about."""

    def __init__(self) -> None:
        self._pools: dict[int, Pool] = {}
        self._by_signature: dict[Signature, Pool] = {}
        self._free_numbers: list[int] = []
        self._codewords: _Facet[str] = _Facet()
        self._numbers: tuple[_Facet[int], ...] = tuple([_Facet() for _ in _wanted(SessionQuery())])
        self._occupied = [0] * len(PLACES)

    def __len__(self) -> int:
        return len(self._pools)

    def pool(self, signature: Signature) -> Pool:
        """Return the pool of a signature, a new one if there is none."""
        pool = self._by_signature.get(signature)
        if pool is None:
            # The smallest number that is free, to keep masks short.
            number = heappop(self._free_numbers) if self._free_numbers else len(self._pools)
            pool = Pool(number, signature)
            self._pools[number] = self._by_signature[signature] = pool
            codeword, numbers = signature
            self._codewords.add(codeword, number)
            for facet, value in zip(self._numbers, numbers, strict=True):
                facet.add(value, number)
        return pool

    def put(self, pool: Pool, level: int, ranks: Ranks) -> None:
        """Add a session to a shelf of a pool."""
        shelf = pool.shelves[level]
        if not shelf:
            self._occupied[level] |= 1 << pool.number
        shelf.add(ranks)

    def take(self, pool: Pool, level: int, ranks: Ranks) -> None:
        """Remove a session from a shelf; a pool without sessions is forgotten."""
        shelf = pool.shelves[level]
        shelf.remove(ranks)
        if not shelf:
            self._occupied[level] ^= 1 << pool.number
            if level == 0:
                self._forget(pool)

    def select(self, query: SessionQuery, level: int) -> Selected:
        """Return the pools that may have what a search looks for on their shelf ``level``."""
        mask = self._occupied[level]
        if query.codeword:
            mask &= self._codewords.having(query.codeword)
        elif query.without_codeword:
            mask &= self._codewords.having("")
        undecided = []
        for index, wanted in enumerate(_wanted(query)):
            if wanted is not None:
                found = self._numbers[index].within(wanted)
                if found is None:
                    undecided.append((index, wanted))
                else:
                    mask &= found
        return Selected(mask, undecided, self._pools)

    def _forget(self, pool: Pool) -> None:
        del self._pools[pool.number]
        del self._by_signature[pool.signature]
        heappush(self._free_numbers, pool.number)
        codeword, numbers = pool.signature
        self._codewords.remove(codeword, pool.number)
        for facet, value in zip(self._numbers, numbers, strict=True):
            facet.remove(value, pool.number)


V = TypeVar("V", int, str)


class _Facet(Generic[V]):
    """One thing that signatures tell, and which pools have which value of it."""

    def __init__(self) -> None:
        self._pools: dict[V, _PoolSet] = {}
        self._values: list[V] = []

    def add(self, value: V, number: int) -> None:
        """Add a pool with this value."""
        if value not in self._pools:
            self._pools[value] = _PoolSet()
            insort(self._values, value)
        self._pools[value].add(number)

    def remove(self, value: V, number: int) -> None:
        """Remove a pool with this value."""
        pools = self._pools[value]
        pools.remove(number)
        if not pools:
            del self._pools[value]
            del self._values[bisect_left(self._values, value)]

    def having(self, value: V) -> int:
        """Return the mask of the pools with this value."""
        pools = self._pools.get(value)
        return pools.mask() if pools is not None else 0

    def within(self: _Facet[int], wanted: NumberFilter) -> int | None:
        """Return the mask of the pools whose value is wanted; None if that takes long."""
        mask = 0
        for low, high in wanted.ranges:
            if low == high:
                mask |= self.having(low)
                continue
            start = bisect_left(self._values, low)
            stop = bisect_right(self._values, high, start)
            if stop - start == len(self._values):
                return -1  # Nothing is ruled out: all bits.
            if stop - start > _MAX_VALUES:
                return None
            for value in self._values[start:stop]:
                mask |= self.having(value)
        return mask


class _PoolSet:
    """A set of pools. A mask of bits takes room up to the highest, so few pools are a list."""

    __slots__ = ("_few", "_mask")

    def __init__(self) -> None:
        self._few: list[int] | None = []
        self._mask = 0

    def __bool__(self) -> bool:
        return bool(self._mask if self._few is None else self._few)

    def add(self, number: int) -> None:
        """Add a pool that is not in it."""
        if self._few is None:
            self._mask |= 1 << number
            return
        self._few.append(number)
        if len(self._few) > _MAX_FEW:
            self._mask = self.mask()
            self._few = None

    def remove(self, number: int) -> None:
        """Remove a pool that is in it."""
        if self._few is None:
            self._mask ^= 1 << number
        else:
            self._few.remove(number)

    def mask(self) -> int:
        """Return it as a mask."""
        if self._few is None:
            return self._mask
        mask = 0
        for number in self._few:
            mask |= 1 << number
        return mask
