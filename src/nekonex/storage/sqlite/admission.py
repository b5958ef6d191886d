"""So many bytes at a time, in order: what keeps one plugin's writes from delaying everybody's."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

__all__ = ["Admission"]


class Admission:
    """Lets in up to ``limit`` bytes, first come, first served; what is larger goes alone."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._inside = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @asynccontextmanager
    async def admitted(self, size: int) -> AsyncIterator[None]:
        """Wait until ``size`` bytes may go in, and count them until the block is left."""
        if self._waiting or not self._fits(size):
            await self._wait(size)
        else:
            self._inside += size
        try:
            yield
        finally:
            self._leave(size)

    async def _wait(self, size: int) -> None:
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._leave(size)  # it was let in just before it gave up
            else:
                self._admit_next()  # those behind it may be smaller
            raise

    def _leave(self, size: int) -> None:
        self._inside -= size
        self._admit_next()

    def _admit_next(self) -> None:
        while self._waiting:
            size, turn = self._waiting[0]
            if not turn.cancelled():
                if not self._fits(size):
                    return
                self._inside += size
                turn.set_result(None)
            self._waiting.popleft()

    def _fits(self, size: int) -> bool:
        return not self._inside or self._inside + size <= self._limit
