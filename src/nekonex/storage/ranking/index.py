"""The ranks of one game's scores, in memory.

Changes are made there and then, so whoever changes nothing in between sees one state. Reads wait
only for what is built when it is first asked for.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence
from heapq import merge
from itertools import islice
from typing import Final

from nekonex.domain.ranking.model import (
    ALL_TIME,
    Board,
    RankCalculation,
    Score,
    ScoreKey,
    Statistics,
)
from nekonex.domain.ranking.ports import CategorySummary, Ranked, Ranks
from nekonex.domain.ranking.refusals import RankingError, Refusal
from nekonex.storage.ranking.boards import SortedBoard
from nekonex.storage.ranking.category import Category, in_group
from nekonex.storage.ranking.derived import Window
from nekonex.storage.ranking.entries import UNIQUE_ID, Entry, entry_of, score_of

__all__ = ["MAX_WINDOWS", "IndexedScores", "too_many_unique_ids"]

MAX_WINDOWS: Final = 64
"""Windows of time of one game that are kept; the least recently asked for goes first."""

_MOST_OF_UNIQUE_ID: Final = 255
"""Entries of one unique id that are looked at: the best ones."""


class IndexedScores:
    """The part of a `ScoreStore` that answers what is asked, from the boards of each category.

    What derives from it keeps the scores, and tells it of each change.
    """

    def __init__(self, *, max_windows: int = MAX_WINDOWS) -> None:
        self._categories: dict[int, Category] = {}
        self._windows: OrderedDict[Board, Window] = OrderedDict()
        """All windows, the least recently asked for first."""
        self._max_windows = max_windows

    async def order_of(self, category: int) -> bool | None:
        """Return whether larger scores are better; None if there is no such category."""
        found = self._categories.get(category)
        return None if found is None else found.descending

    async def categories(self) -> Sequence[CategorySummary]:
        """Return all categories, by their numbers."""
        return [
            CategorySummary(number, category.descending, len(category.board))
            for number, category in sorted(self._categories.items())
        ]

    async def page(
        self,
        board: Board,
        calculation: RankCalculation,
        offset: int,
        count: int,
        *,
        among: Collection[int] | None = None,
    ) -> Ranks:
        """Return up to ``count`` scores from ``offset`` on."""
        entries = await self._board(board) if among is None else self._board_of(board, among)
        return _ranks(board, entries, entries.page(calculation, offset, count))

    async def around(
        self,
        board: Board,
        calculation: RankCalculation,
        pid: int,
        unique_id: int,
        count: int,
        *,
        among: Collection[int] | None = None,
    ) -> Ranks:
        """Return up to ``count`` scores around a player's own."""
        entries = await self._board(board) if among is None else self._board_of(board, among)
        own = self._entries_of(board, [pid] if among is None or pid in among else [])
        exact = [entry for entry in own if entry[UNIQUE_ID] == unique_id]
        middle = exact or ([] if unique_id else own)
        if not middle:
            return Ranks(len(entries), ())
        offset = max(0, entries.place(middle[0]) - count // 2)
        return _ranks(board, entries, entries.page(calculation, offset, count))

    async def of_players(
        self,
        board: Board,
        calculation: RankCalculation,
        pids: Collection[int],
        unique_id: int | None,
        count: int,
    ) -> Ranks:
        """Return the best ``count`` scores of players."""
        entries = await self._board(board)
        found = sorted(
            entry
            for entry in self._entries_of(board, pids)
            if unique_id is None or entry[UNIQUE_ID] == unique_id
        )
        return _ranks(
            board, entries, [(entries.rank(one, calculation), one) for one in found[:count]]
        )

    async def of_unique_ids(
        self, board: Board, calculation: RankCalculation, unique_ids: Collection[int], count: int
    ) -> Ranks:
        """Return the best ``count`` scores of unique ids other than 0."""
        category = self._categories.get(board.category)
        if category is None:
            return Ranks(0, ())
        by_unique_id = await category.unique_ids()
        entries = await self._board(board)
        lists = [
            islice(by_unique_id.of(unique_id), _MOST_OF_UNIQUE_ID) for unique_id in set(unique_ids)
        ]
        found = islice((one for one in merge(*lists) if _matches(one, board)), count)
        return _ranks(board, entries, [(entries.rank(one, calculation), one) for one in found])

    async def count_better(self, board: Board, score: int) -> int:
        """Return how many scores are better than this number."""
        entries = await self._board(board)
        category = self._categories.get(board.category)
        return entries.better(-score if category is not None and category.descending else score)

    async def statistics(self, board: Board) -> Statistics:
        """Return numbers about all scores of a board."""
        entries = await self._board(board)
        count = len(entries)
        if not count:
            return Statistics()
        ends = [abs(entry[0]) for entry in (*entries.islice(0, 1), *entries.islice(count - 1, 1))]
        return Statistics(count, abs(entries.sum), min(ends), max(ends))

    def _get(self, key: ScoreKey) -> Score | None:
        """Return a score."""
        category = self._categories.get(key.category)
        entry = None if category is None else category.entry(key.pid, key.unique_id)
        return None if entry is None else score_of(entry, key.category)

    def _put(self, key: ScoreKey, score: Score | None) -> None:
        """Put a score in place of the one there is; None removes that."""
        category = self._categories.get(key.category)
        if category is not None:
            new = None if score is None else entry_of(score, descending=category.descending)
            category.replace(category.entry(key.pid, key.unique_id), new)

    def _keys_of(self, pid: int, unique_id: int | None) -> list[ScoreKey]:
        """Return the keys of a player's scores, of one unique id or of all."""
        return [
            ScoreKey(number, pid, entry[UNIQUE_ID])
            for number, category in self._categories.items()
            for entry in category.entries(pid, unique_id)
        ]

    def _entries_of(self, board: Board, pids: Collection[int]) -> list[Entry]:
        """Return the entries of players that are on a board, those of each in its order."""
        category = self._categories.get(board.category)
        found = [] if category is None else category.entries_of_all(pids)
        if board.since or board.group is not None:
            found = [entry for entry in found if _matches(entry, board)]
        return found

    def _board_of(self, board: Board, pids: Collection[int]) -> SortedBoard:
        """Return what a board has of these players only."""
        return SortedBoard(self._entries_of(board, pids))

    async def _board(self, board: Board) -> SortedBoard:
        """Return a board as it is now: what it holds may change when somebody waits again."""
        category = self._categories.get(board.category)
        if category is None:
            return SortedBoard()
        entries = await category.of_group(board.group)
        if board.time_scope == ALL_TIME:
            return entries
        key = Board(board.category, board.group, board.time_scope)
        window = self._window(key, category, entries, board.since)
        window.users += 1
        try:
            await window.move(board.since)
        finally:
            window.users -= 1
        return window.board

    def _window(self, key: Board, category: Category, source: SortedBoard, since: int) -> Window:
        window = self._windows.get(key)
        if window is None:
            window = self._windows[key] = Window(source, since)
            category.add_window(key, window)
            self._drop_windows()
        self._windows.move_to_end(key)
        return window

    def _drop_windows(self) -> None:
        """Drop the windows that were not asked for longest, if there are too many."""
        surplus = len(self._windows) - self._max_windows
        idle = [key for key, window in self._windows.items() if not window.users]
        # Not the last: whoever had it made has yet to use it.
        for key in idle[:-1][: max(0, surplus)]:
            del self._windows[key]
            self._categories[key.category].drop_window(key)


def too_many_unique_ids(limit: int) -> RankingError:
    """Return the error of a player who would use more unique ids than may be."""
    return RankingError(Refusal.NOT_ALLOWED, f"at most {limit} unique ids may be")


def _matches(entry: Entry, board: Board) -> bool:
    """Tell whether an entry of the category is on a board."""
    return entry[1] >= board.since and in_group(entry, board.group)


def _ranks(board: Board, entries: SortedBoard, found: Iterable[tuple[int, Entry]]) -> Ranks:
    return Ranks(
        len(entries), [Ranked(rank, score_of(entry, board.category)) for rank, entry in found]
    )
