"""Finds sessions by criteria without looking at all of them.

A search first rules out whole pools of sessions (`pools`), then walks along sorted lists of what is
left in the order that it wants (`selection`) until it has enough. What it costs depends on how many
sessions it returns and hardly on how many there are. `SessionQuery.matches` says what is found.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import islice
from random import Random
from typing import Final

from nekonex.domain.matchmaking.model import MAX_GID, RATING_ATTRIBUTE, MatchmakeSession
from nekonex.domain.matchmaking.ports import Accept
from nekonex.domain.matchmaking.search.pools import (
    PLACES,
    Directory,
    Pool,
    level_of,
    new_shelves,
    signature_of,
)
from nekonex.domain.matchmaking.search.query import NumberFilter, Selection, SessionQuery
from nekonex.domain.matchmaking.search.selection import (
    Ranks,
    Shelf,
    in_spans,
    order_of,
    shuffled,
    spans_of,
)

__all__ = ["SessionIndex"]

_FEW_POOLS: Final = 64
"""How many pools a search opens without trying all sessions first."""
_STEPS_PER_POOL: Final = 4
"""How many sessions can be looked at in the time that opening one more pool takes."""


class _Entry:
    """A session and where it is."""

    __slots__ = ("level", "pool", "ranks", "session")

    def __init__(self, session: MatchmakeSession, pool: Pool, ranks: Ranks) -> None:
        self.session = session
        self.pool = pool
        self.ranks = ranks
        self.level = -1
        """The highest level whose shelf it is on; it is on all below too."""


_Check = Callable[[_Entry], bool]


class SessionIndex:
    """All sessions that can be found. Not for use by several threads."""

    def __init__(self) -> None:
        self._entries: dict[int, _Entry] = {}
        self._directory = Directory()
        self._shelves = new_shelves()
        """All sessions, of whatever pool."""

    def __len__(self) -> int:
        return len(self._entries)

    def put(self, session: MatchmakeSession) -> None:
        """Add a session, in place of what had its gid."""
        signature = signature_of(session)
        ranks = Ranks.of(session)
        entry = self._entries.get(session.gid)
        if entry is None or entry.pool.signature != signature or entry.ranks != ranks:
            self.discard(session.gid)
            entry = _Entry(session, self._directory.pool(signature), ranks)
            self._entries[session.gid] = entry
        entry.session = session
        self._move(entry, level_of(session.places_free))

    def discard(self, gid: int) -> None:
        """Remove a session if it is there."""
        entry = self._entries.pop(gid, None)
        if entry is not None:
            self._move(entry, -1)

    def find(
        self, query: SessionQuery, accept: Accept, *, offset: int, limit: int, random: Random
    ) -> list[MatchmakeSession]:
        """Return up to ``limit`` sessions that match and are accepted, in the query's order.

        ``offset`` accepted sessions are passed over first. A random selection without an offset
        is a new random choice each time, any being equally likely; with an offset it is part of
        an order that stays the same while sessions do: by rating, of equals the newest first.
        """
        if limit <= 0 or query.lacks_rating:
            return []
        chance = random if query.selection is Selection.RANDOM and not offset else None
        found = (
            self._search(query, offset + limit, chance)
            if query.gids is None
            else self._among(query, query.gids, chance)
        )
        accepted = (entry.session for entry in found if accept(entry.session))
        return list(islice(accepted, offset, offset + limit))

    def count(self, query: SessionQuery) -> int:
        """Return how many sessions match."""
        if query.lacks_rating:
            return 0
        if query.gids is not None:
            return len(self._matching(query, query.gids))
        level = level_of(query.places)
        shelves = [pool.shelves[level] for pool in self._directory.select(query, level)]
        spans = spans_of(shelves, _rating_filter(query))
        if query.places in PLACES:
            return sum([stop - start for _, start, stop in spans])
        entries = self._entries_of(in_spans(spans))
        return sum([entry.session.places_free >= query.places for entry in entries])

    def _move(self, entry: _Entry, level: int) -> None:
        for higher in range(entry.level + 1, level + 1):
            self._shelves[higher].add(entry.ranks)
            self._directory.put(entry.pool, higher, entry.ranks)
        for lower in range(entry.level, level, -1):
            self._shelves[lower].remove(entry.ranks)
            self._directory.take(entry.pool, lower, entry.ranks)
        entry.level = level

    def _matching(self, query: SessionQuery, gids: Iterable[int]) -> list[_Entry]:
        entries = [self._entries[gid] for gid in sorted(gids) if gid in self._entries]
        return [entry for entry in entries if query.matches(entry.session)]

    def _among(
        self, query: SessionQuery, gids: Iterable[int], chance: Random | None
    ) -> Iterator[_Entry]:
        entries = self._matching(query, gids)
        if chance is not None:
            yield from chance.sample(entries, len(entries))
        else:
            yield from _in_order(entries, query)

    def _search(self, query: SessionQuery, need: int, chance: Random | None) -> Iterator[_Entry]:
        """Find sessions: in the pools if they are few, else among all sessions first.

        A walk along all sessions soon finds something that matches if there is much of it, in
        however many pools. But what matches may be all at the end of the way (in these pools
        are the players of other ratings). So after as many steps as opening the pools is worth
        the search goes on in the pools; it takes twice as long as it must at most.
        """
        level = level_of(query.places)
        pools = self._directory.select(query, level)
        check = _check(query)
        tried: set[_Entry] = set()
        if len(pools) > _FEW_POOLS:
            walk = _walk(query, [self._shelves[level]], chance)
            for entry in self._entries_of(islice(walk, len(pools) * _STEPS_PER_POOL + need)):
                tried.add(entry)
                if entry.pool in pools and (check is None or check(entry)):
                    yield entry
            if next(walk, None) is None:
                return
        shelves = [pool.shelves[level] for pool in pools]
        for entry in self._search_shelves(query, shelves, need, chance):
            if entry not in tried and (check is None or check(entry)):
                yield entry

    def _search_shelves(
        self, query: SessionQuery, shelves: Sequence[Shelf], need: int, chance: Random | None
    ) -> Iterable[_Entry]:
        """Find the sessions on the shelves of pools.

        To sort all that have the right rating costs about as much as there are. To merge the
        lists of the shelves costs something for each, and then a step for each session until the
        right ones among them are enough.
        """
        if chance is None:
            spans = spans_of(shelves, _rating_filter(query))
            right = sum([stop - start for _, start, stop in spans])
            steps = need * sum([len(shelf) for shelf in shelves]) // max(right, 1)
            if right <= len(shelves) * _STEPS_PER_POOL + steps:
                return _in_order(self._entries_of(in_spans(spans)), query)
        return self._entries_of(_walk(query, shelves, chance))

    def _entries_of(self, ranks: Iterable[int]) -> Iterator[_Entry]:
        entries = self._entries
        return (entries[MAX_GID - (rank & MAX_GID)] for rank in ranks)


def _walk(query: SessionQuery, shelves: Sequence[Shelf], chance: Random | None) -> Iterator[int]:
    """Yield the ranks of sessions on shelves in the query's order, or in a random one."""
    if chance is not None:
        return shuffled(spans_of(shelves, _rating_filter(query)), chance)
    return order_of(query).walk(shelves)


def _in_order(entries: Iterable[_Entry], query: SessionQuery) -> list[_Entry]:
    rank = order_of(query).rank
    return sorted(entries, key=lambda entry: rank(entry.ranks))


def _rating_filter(query: SessionQuery) -> NumberFilter | None:
    return None if query.selection.by_rating else query.attributes[RATING_ATTRIBUTE]


def _check(query: SessionQuery) -> _Check | None:
    """Return what tells whether a session matches that is on a right shelf; None if all do."""
    places = query.places if query.places not in PLACES else 0
    rating = _rating_filter(query)
    if rating is None and not places:
        return None

    def check(entry: _Entry) -> bool:
        session = entry.session
        return (not places or session.places_free >= places) and (
            rating is None or session.rating in rating
        )

    return check
