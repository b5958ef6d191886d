"""Boards, which know the best scores of a category, and watches, which tell a client of them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Sequence
from typing import Final

from nekonex.connect.context import (
    AsyncApp,
    AsyncContext,
    ConnectionClosed,
    DatabaseError,
    TopScore,
)

MAX_COUNT: Final = 100
"""Scores of a board."""
PAUSE_SECONDS: Final = 0.1
"""The least time between two looks at the scores of a category, however many come in."""
LONGEST_SECONDS: Final = 30.0
"""The most, even if none comes in: what an operator removes is not announced."""

BoardKey = tuple[str, int]
"""A game and a category."""


class Board:
    """The best scores of a category. Its task looks at them whenever there may be others."""

    def __init__(self, app: AsyncApp, game: str, category: int) -> None:
        self.game = game
        self.category = category
        self.scores: Sequence[TopScore] | None = None
        """The best first; None until they are known."""
        self.watches: set[Watch] = set()
        self._app = app
        self._is_stale = asyncio.Event()
        self._task = asyncio.create_task(self._keep_fresh())

    def look_again(self) -> None:
        """Hear that there may be other scores."""
        self._is_stale.set()

    async def end(self) -> None:
        """Look no more."""
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _keep_fresh(self) -> None:
        while True:
            # Before the scores are read: what comes in meanwhile makes them stale again.
            self._is_stale.clear()
            try:
                scores = await self._app.top_scores(self.game, self.category, MAX_COUNT)
            except DatabaseError as error:
                self._app.warn(f"the scores of {self.game} cannot be read: {error}")
            else:
                self._show(scores)
            await asyncio.sleep(PAUSE_SECONDS)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(LONGEST_SECONDS):
                    await self._is_stale.wait()

    def _show(self, scores: Sequence[TopScore]) -> None:
        self.scores = scores
        for watch in self.watches:
            watch.look_again()


class Watch:
    """A client that is told of a board, now and whenever what it sees of it changes.

    Each has a task of its own, so that a client that is slow to read holds up no other. It is
    told of the scores as they are when it can be told, and not of all that were in between.
    """

    def __init__(self, ctx: AsyncContext, board: Board, count: int, op: int) -> None:
        self.board = board
        self._ctx = ctx
        self._count = count
        self._op = op
        self._is_stale = asyncio.Event()
        self._is_stale.set()
        board.watches.add(self)
        self._task = asyncio.create_task(self._follow())

    def look_again(self) -> None:
        """Hear that the board may have other scores."""
        self._is_stale.set()

    async def end(self) -> None:
        """Tell no more."""
        self.board.watches.discard(self)
        self._task.cancel()
        await asyncio.wait([self._task])

    async def _follow(self) -> None:
        told: Sequence[TopScore] | None = None
        with contextlib.suppress(ConnectionClosed):
            while True:
                await self._is_stale.wait()
                self._is_stale.clear()
                scores = self.board.scores
                if scores is not None and scores[: self._count] != told:
                    told = scores[: self._count]
                    await self._ctx.send(self._shown(told), self._op)

    def _shown(self, scores: Sequence[TopScore]) -> bytes:
        board = {"game": self.board.game, "category": self.board.category}
        rows = [
            {"rank": each.rank, "pid": each.pid, "name": each.name, "score": each.score}
            for each in scores
        ]
        return json.dumps({**board, "scores": rows}).encode()
