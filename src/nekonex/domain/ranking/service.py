"""The rankings of one game."""

from __future__ import annotations

import time
from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import Final

from nekonex.domain.ports import Clock
from nekonex.domain.ranking.cached import CachedTops
from nekonex.domain.ranking.hooks import RankingHooks
from nekonex.domain.ranking.limits import RankingLimits
from nekonex.domain.ranking.model import (
    ALL_TIME,
    AttributeChange,
    Board,
    CachedTop,
    RankCalculation,
    RankedScore,
    RankingMode,
    RankingPage,
    RankQuery,
    Score,
    ScoreKey,
    ScoreUpload,
    Statistics,
)
from nekonex.domain.ranking.ports import (
    CategorySummary,
    Friends,
    PlayerKey,
    Ranks,
    ScoreStore,
)
from nekonex.domain.ranking.refusals import RankingError, Refusal
from nekonex.domain.ranking.rules import (
    MICROSECONDS,
    SINCE_EVER,
    RankingRules,
    changing,
    deleting,
    removing,
    uploading,
)
from nekonex.events import EventBus, ScoreUploaded

__all__ = ["Rankings"]

_OF_FRIENDS: Final = frozenset({RankingMode.FRIENDS_RANGE, RankingMode.FRIENDS_NEAR})
_ANY_NUMBER: Final = 1 << 31


class Rankings:
    """Scores that players upload, and what anybody asks about them.

    `start` comes first. ``clock`` is the time in POSIX seconds. Nobody has friends without
    ``friends``; ``events`` is told of scores under the name ``game``. All methods raise
    RankingError for what is against a rule and ServiceUnavailable where the store is out of order.
    """

    def __init__(
        self,
        store: ScoreStore,
        *,
        friends: Friends | None = None,
        hooks: RankingHooks | None = None,
        rules: RankingRules | None = None,
        limits: RankingLimits | None = None,
        events: EventBus | None = None,
        game: str = "",
        clock: Clock = time.time,
    ) -> None:
        self.store = store
        self.friends = friends
        self.hooks = hooks or RankingHooks()
        self.rules = rules or RankingRules()
        self.limits = limits or RankingLimits()
        self._events = events or EventBus()
        self._game = game
        self._clock = clock
        self._tops = CachedTops(self._make_top, self.limits, clock)

    def extend(self, *, hooks: RankingHooks | None = None) -> None:
        """Give it what is known only when it is there, before it is used; None changes nothing."""
        if hooks is not None:
            self.hooks = hooks

    async def start(self) -> None:
        """Load what the store needs to answer; it may take seconds."""
        await self.store.load(self.rules.order_of)

    async def upload(self, pid: int, upload: ScoreUpload, unique_id: int = 0) -> None:
        """Store a score, if it is better than the one there is or is to replace it anyway.

        Raises RankingError: INVALID if the category has the other order, unless that is
        configured, INVALID_SCORE, NOT_ALLOWED if there are too many categories or unique ids.
        """
        if not await self.hooks.validate_score(pid, upload, unique_id):
            raise RankingError(Refusal.INVALID_SCORE)
        descending = await self._order_for(upload)
        key = ScoreKey(upload.category, pid, unique_id)
        score = Score(*key, upload.score, upload.groups, upload.param, self._now())
        transition = uploading(score, upload.update, descending=descending)
        limit = self.limits.max_unique_ids
        change = await self.store.change(key, transition, max_unique_ids=limit)
        if change.after == score:
            event = ScoreUploaded(self._game, pid, unique_id, score.category, score.score)
            self._events.publish(event)

    async def delete(self, pid: int, category: int, unique_id: int = 0) -> None:
        """Remove a score; raises RankingError (NOT_FOUND)."""
        await self.store.change(ScoreKey(category, pid, unique_id), deleting)

    async def delete_all(self, pid: int, unique_id: int = 0) -> None:
        """Remove the scores of a unique id in all categories; raises RankingError (NOT_FOUND)."""
        if not await self.store.change_all(pid, unique_id, deleting):
            raise RankingError(Refusal.NOT_FOUND, "the player has no score")

    async def change_attributes(
        self, pid: int, category: int, change: AttributeChange, unique_id: int = 0
    ) -> None:
        """Change groups or param of a score; raises RankingError (NOT_FOUND)."""
        await self.store.change(ScoreKey(category, pid, unique_id), changing(change))

    async def change_all_attributes(
        self, pid: int, change: AttributeChange, unique_id: int = 0
    ) -> None:
        """Change groups or param in all categories; raises RankingError (NOT_FOUND)."""
        if not await self.store.change_all(pid, unique_id, changing(change)):
            raise RankingError(Refusal.NOT_FOUND, "the player has no score")

    async def put_common_data(self, pid: int, data: bytes, unique_id: int = 0) -> None:
        """Store what is shown with a player's scores.

        Raises RankingError: INVALID_SIZE, NOT_ALLOWED if the player has it for too many others.
        """
        self.rules.check_common_data(data)
        data = await self.hooks.common_data(pid, unique_id, data)
        if not isinstance(data, bytes):
            raise TypeError(f"the hook common_data returned no bytes but {type(data).__name__}")
        await self.store.put_common_data(
            PlayerKey(pid, unique_id), data, max_unique_ids=self.limits.max_unique_ids
        )

    async def delete_common_data(self, pid: int, unique_id: int = 0) -> None:
        """Remove what is shown with a player's scores; harmless if there is nothing."""
        await self.store.delete_common_data(pid, unique_id)

    async def common_data(self, pid: int, unique_id: int = 0) -> bytes:
        """Return what is shown with a player's scores; raises RankingError (NOT_FOUND)."""
        key = PlayerKey(pid, unique_id)
        data = (await self.store.common_data([key])).get(key)
        if data is None:
            raise RankingError(Refusal.NOT_FOUND, "the player has no common data")
        return data

    async def ranking(
        self, caller_pid: int, mode: int, query: RankQuery, unique_id: int = 0, pid: int = 0
    ) -> RankingPage:
        """Return the part of a ranking that a mode stands for, see `RankingMode`.

        ``pid`` is the player around whom or of whom it is, 0 the caller; ``unique_id`` says by
        which of that player's scores: 0 stands for all where they are listed, and for the best
        where there is none of exactly 0. The offset counts in modes of a range only. Raises
        RankingError: INVALID, and NOT_FOUND if the part is empty.
        """
        chosen = self._mode(mode)
        query = self._checked(query)
        board, calculation, count = query.board, query.calculation, query.count
        target = pid or caller_pid
        among = await self._friends_of(caller_pid) if chosen in _OF_FRIENDS else None
        match chosen:
            case RankingMode.RANGE | RankingMode.FRIENDS_RANGE:
                self._check_offset(query.offset)
                ranks = await self.store.page(board, calculation, query.offset, count, among=among)
            case RankingMode.NEAR | RankingMode.FRIENDS_NEAR:
                ranks = await self.store.around(
                    board, calculation, target, unique_id, count, among=among
                )
            case RankingMode.OWN:
                ranks = await self.store.of_players(
                    board, calculation, [target], unique_id or None, count
                )
        return await self._filled(ranks, board)

    async def by_pids(
        self, pids: Collection[int], mode: int, query: RankQuery, unique_id: int = 0
    ) -> RankingPage:
        """Return the scores of players, the best first, with their ranks among all.

        ``unique_id`` says which, 0 stands for all. Offset and count are without meaning; mode
        need only be one. Raises RankingError: INVALID, NOT_FOUND if there are none.
        """
        self._mode(mode)
        self._check_list(pids)
        query = self._checked(query)
        ranks = await self.store.of_players(
            query.board, query.calculation, pids, unique_id or None, self.limits.max_count
        )
        return await self._filled(ranks, query.board)

    async def by_unique_ids(
        self, unique_ids: Collection[int], mode: int, query: RankQuery
    ) -> RankingPage:
        """Return the scores of unique ids, whosever they are; otherwise as `by_pids`."""
        self._mode(mode)
        self._check_list(unique_ids)
        query = self._checked(query)
        ranks = await self.store.of_unique_ids(
            query.board, query.calculation, unique_ids, self.limits.max_count
        )
        return await self._filled(ranks, query.board)

    async def approximate_order(self, board: Board, score: int) -> int:
        """Return the rank that a score would have; it is exact."""
        return 1 + await self.store.count_better(self._resolved(board), score)

    async def statistics(self, board: Board) -> Statistics:
        """Return numbers about all scores of a board; raises RankingError (NOT_FOUND)."""
        found = await self.store.statistics(self._resolved(board))
        if not found.count:
            raise RankingError(Refusal.NOT_FOUND, "there is no score")
        return found

    async def cached_top(self, query: RankQuery) -> CachedTop:
        """Return the best of a board as they were up to some minutes ago, whatever the offset.

        Raises RankingError: INVALID, NOT_FOUND if there are none.
        """
        top = await self._cached(query)
        if not top.page.entries:
            raise RankingError(Refusal.NOT_FOUND, "there is no score")
        return top

    async def cached_tops(self, queries: Sequence[RankQuery]) -> Sequence[CachedTop]:
        """Return the best of several boards, one for each query, some of them empty perhaps.

        Raises RankingError: INVALID, NOT_FOUND if all are empty.
        """
        self._check_list(queries)
        tops = [await self._cached(query) for query in queries]
        if not any(top.page.entries for top in tops):
            raise RankingError(Refusal.NOT_FOUND, "there is no score")
        return tops

    async def top(self, category: int, count: int) -> Sequence[RankedScore]:
        """Return the best of a category, an empty list if there are none: for people to look at."""
        ranks = await self.store.page(Board(category), RankCalculation.STANDARD, 0, count)
        return await self._with_common_data(ranks)

    async def categories(self) -> Sequence[CategorySummary]:
        """Return what there are scores of, or were, by the numbers of the categories."""
        return await self.store.categories()

    async def remove(
        self, pid: int, category: int, unique_id: int | None = None
    ) -> Sequence[Score]:
        """Remove a player's scores from a category, of one unique id or of all; return them.

        No ranking has them any more, however recently it was made for everybody. Raises
        RankingError (NOT_FOUND) if there are none.
        """
        found = await self.store.of_players(
            Board(category), RankCalculation.ORDINAL, [pid], unique_id, _ANY_NUMBER
        )
        changes = [await self.store.change(score.key, removing) for _, score in found.entries]
        self._tops.clear()
        removed = [change.before for change in changes if change.before is not None]
        if not removed:
            raise RankingError(Refusal.NOT_FOUND, "there is no such score")
        return removed

    async def forget(self, pid: int) -> int:
        """Remove all that there is of a player; return how many scores that were."""
        changes = await self.store.change_all(pid, None, deleting)
        await self.store.delete_common_data(pid, None)
        self._tops.clear()
        return len(changes)

    async def _order_for(self, upload: ScoreUpload) -> bool:
        """Return whether larger scores are better where an upload goes, new or not."""
        descending = await self.store.order_of(upload.category)
        if descending is None:
            is_known = upload.category in self.rules.categories
            descending = await self.store.fix_order(
                upload.category,
                descending=upload.descending,
                max_categories=None if is_known else self.limits.max_categories,
            )
        configured = self.rules.order_of(upload.category) is not None
        if descending != upload.descending and not configured:
            kind = "larger" if descending else "smaller"
            raise RankingError(
                Refusal.INVALID, f"{kind} scores are better in category {upload.category}"
            )
        return descending

    async def _friends_of(self, pid: int) -> Collection[int]:
        """Return a player and its friends."""
        return {pid} if self.friends is None else {pid, *await self.friends.friends_of(pid)}

    async def _make_top(self, query: RankQuery) -> RankingPage:
        board = self._resolved(query.board)
        ranks = await self.store.page(board, query.calculation, query.offset, query.count)
        return self._page(await self._with_common_data(ranks), ranks.total, board)

    async def _cached(self, query: RankQuery) -> CachedTop:
        self._checked(query)
        count = min(query.count, self.limits.cached_length)
        return await self._tops.get(replace(query, offset=0, count=count))

    async def _filled(self, ranks: Ranks, board: Board) -> RankingPage:
        if not ranks.entries:
            raise RankingError(Refusal.NOT_FOUND, "there is no score")
        return self._page(await self._with_common_data(ranks), ranks.total, board)

    async def _with_common_data(self, ranks: Ranks) -> list[RankedScore]:
        keys = [PlayerKey(score.pid, score.unique_id) for _, score in ranks.entries]
        data = await self.store.common_data(keys)
        return [
            RankedScore(score, rank, data.get(key, b""))
            for (rank, score), key in zip(ranks.entries, keys, strict=True)
        ]

    @staticmethod
    def _page(entries: Sequence[RankedScore], total: int, board: Board) -> RankingPage:
        since = SINCE_EVER if board.time_scope == ALL_TIME else board.since
        return RankingPage(entries, total, since)

    @staticmethod
    def _mode(mode: int) -> RankingMode:
        try:
            return RankingMode(mode)
        except ValueError:
            raise RankingError(Refusal.INVALID, f"there is no mode {mode}") from None

    def _checked(self, query: RankQuery) -> RankQuery:
        """Return a query whose board says since when scores count."""
        if not 0 <= query.count <= self.limits.max_count:
            raise RankingError(Refusal.INVALID, f"count {query.count}")
        return replace(query, board=self._resolved(query.board))

    def _check_offset(self, offset: int) -> None:
        if not 0 <= offset <= self.limits.max_offset:
            raise RankingError(Refusal.INVALID, f"offset {offset}")

    def _check_list(self, items: Collection[object]) -> None:
        if len(items) > self.limits.max_list:
            raise RankingError(
                Refusal.INVALID, f"{len(items)} in a list, at most {self.limits.max_list} may be"
            )

    def _resolved(self, board: Board) -> Board:
        """Return a board that says since when scores count."""
        if board.group is not None and board.group.index not in {0, 1}:
            raise RankingError(Refusal.INVALID, f"there is no group {board.group.index}")
        if not 0 <= board.time_scope <= ALL_TIME:
            raise RankingError(Refusal.INVALID, f"there is no time scope {board.time_scope}")
        since = self.rules.since(board.time_scope, self._now())
        if since is None:
            return replace(board, time_scope=ALL_TIME, since=0)
        return replace(board, since=since)

    def _now(self) -> int:
        return int(self._clock() * MICROSECONDS)
