"""The best of boards, made once in a while for everybody."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable

from nekonex.domain.ports import Clock
from nekonex.domain.ranking.limits import RankingLimits
from nekonex.domain.ranking.model import CachedTop, RankingPage, RankQuery

__all__ = ["CachedTops"]

_Make = Callable[[RankQuery], Awaitable[RankingPage]]


class CachedTops:
    """Keeps a page for each query, for as long as the limits say.

    ``make`` returns the page as it is; it is asked once for all who wait for the same.
    """

    def __init__(self, make: _Make, limits: RankingLimits, clock: Clock) -> None:
        self._make = make
        self._limits = limits
        self._clock = clock
        self._tops: OrderedDict[RankQuery, CachedTop] = OrderedDict()
        self._making: dict[RankQuery, asyncio.Lock] = {}
        self._cleared = 0

    async def get(self, query: RankQuery) -> CachedTop:
        """Return what is kept, or make it; an empty page is not kept."""
        lock = self._making.setdefault(query, asyncio.Lock())
        try:
            async with lock:
                kept = self._tops.get(query)
                # One that was made in the future was made before the clock was set back.
                if kept is not None and kept.created <= self._clock() < kept.expires:
                    self._tops.move_to_end(query)
                    return kept
                return await self._renew(query)
        finally:
            if not lock.locked():
                self._making.pop(query, None)

    def clear(self) -> None:
        """Forget all: somebody's scores must not be shown any more."""
        self._tops.clear()
        self._cleared += 1

    async def _renew(self, query: RankQuery) -> CachedTop:
        created, cleared = self._clock(), self._cleared
        page = await self._make(query)
        limits = self._limits
        top = CachedTop(page, created, created + limits.cached_seconds, limits.cached_length)
        self._tops.pop(query, None)
        if page.entries and cleared == self._cleared:
            self._tops[query] = top
            if len(self._tops) > limits.max_cached_tops:
                self._tops.popitem(last=False)
        return top
