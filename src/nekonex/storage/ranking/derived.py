"""What is made of a board when it is first asked for, and kept with it from then on.

Each is built in slices, between which everybody else goes on: it passes over the board in its
order, and a change at or before the entry that it has reached is made in it too, while any other
will be met. So it needs no lock against changes and is never wrong about what it has passed.
"""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections import defaultdict
from typing import Final

from sortedcontainers import SortedList

from nekonex.storage.ranking.boards import SortedBoard
from nekonex.storage.ranking.entries import UNIQUE_ID, Entry, EntryMap, group_of

__all__ = ["Derived", "GroupBoards", "UniqueIds", "Window"]

_SLICE: Final = 200
"""Entries that are gone through before others have their turn: about half a millisecond."""

_SLICES: Final = 5
"""Slices after which the event loop rests for `_REST` seconds. Without that the database's thread
would hardly ever run: uploads would be answered when all is built."""
_REST: Final = 0.0005

_FREED: Final = 2000
"""Entries that are freed before others have their turn."""

_SET_BACK: Final = 60_000_000
"""Microseconds by which the beginning of a window is earlier than before once the clock was set
back: less is only somebody who had to wait."""

_LEAST: Final[Entry] = (-(1 << 32), 0, 0, 0, 0, 0)
"""Less than any entry."""


class Derived(ABC):
    """Something that holds what a board does, in another way; `build` comes first."""

    def __init__(self, source: SortedBoard) -> None:
        self._source = source
        self._reached: Entry | None = None
        self._complete = False
        self._building = asyncio.Lock()

    async def build(self) -> None:
        """Go through the board to its end; who comes second waits, or goes on in its place."""
        if self._complete:
            return
        slices = 0
        async with self._building:
            while not self._complete:
                self._build_slice()
                slices += 1
                await asyncio.sleep(_REST if slices % _SLICES == 0 else 0)

    def replace(self, old: Entry | None, new: Entry | None) -> None:
        """Do what was done in the board."""
        if old is not None and self._has_passed(old):
            self._remove(old)
        if new is not None and self._has_passed(new):
            self._add(new)

    @abstractmethod
    def _add(self, entry: Entry) -> None:
        """Take an entry in."""

    @abstractmethod
    def _remove(self, entry: Entry) -> None:
        """Drop an entry that was taken in."""

    def _build_slice(self) -> None:
        entries = self._source.after(self._reached, _SLICE)
        for entry in entries:
            self._add(entry)
        if entries:
            self._reached = entries[-1]
        self._complete = len(entries) < _SLICE

    def _has_passed(self, entry: Entry) -> bool:
        return self._complete or (self._reached is not None and entry <= self._reached)


class GroupBoards(Derived):
    """A board for each value of group 0 or 1."""

    def __init__(self, source: SortedBoard, index: int) -> None:
        super().__init__(source)
        self._index = index
        self._boards: defaultdict[int, SortedBoard] = defaultdict(SortedBoard)

    def board(self, value: int) -> SortedBoard:
        """Return the board of a value; it stays the same one."""
        return self._boards[value]

    def _add(self, entry: Entry) -> None:
        self._boards[group_of(entry, self._index)].add(entry)

    def _remove(self, entry: Entry) -> None:
        self._boards[group_of(entry, self._index)].remove(entry)


class UniqueIds(Derived):
    """The entries of each unique id but 0."""

    def __init__(self, source: SortedBoard) -> None:
        super().__init__(source)
        self.entries = EntryMap(UNIQUE_ID)

    def _add(self, entry: Entry) -> None:
        if entry[UNIQUE_ID]:
            self.entries.add(entry)

    def _remove(self, entry: Entry) -> None:
        if entry[UNIQUE_ID]:
            self.entries.remove(entry)


class Window(Derived):
    """The entries from a time on, which moves forward unless the clock is set back."""

    def __init__(self, source: SortedBoard, since: int) -> None:
        super().__init__(source)
        self.board = SortedBoard()
        self.users = 0
        """How many wait for it: as long as that, it must be told of changes."""
        self._since = since
        self._by_age: SortedList[tuple[int, Entry]] = SortedList()
        self._waste: list[SortedList[tuple[int, Entry]] | SortedBoard] = []
        """What is not needed any more: to free a million tuples at once would take a while."""

    async def move(self, since: int) -> None:
        """Build it if need be, and drop what is too old."""
        if since < self._since - _SET_BACK:
            self._begin_anew(since)
        self._since = max(self._since, since)
        await self.build()
        while self._drop_slice() or self._free_slice():
            await asyncio.sleep(0)
            # Somebody may have begun anew.
            await self.build()

    def _begin_anew(self, since: int) -> None:
        """Have it built again: what has left it may belong to it after all."""
        self._waste += (self._by_age, self.board)
        self._by_age = SortedList()
        self.board = SortedBoard()
        self._since = since
        self._reached = None
        self._complete = False

    def _add(self, entry: Entry) -> None:
        if entry[1] >= self._since:
            self.board.add(entry)
            self._by_age.add((entry[1], entry))

    def _remove(self, entry: Entry) -> None:
        aged = (entry[1], entry)
        # It may have left already, being too old.
        if aged in self._by_age:
            self._by_age.remove(aged)
            self.board.remove(entry)

    def _drop_slice(self) -> bool:
        """Drop entries that are too old, a slice at most; tell whether there may be more."""
        kept = len(self._by_age) - self._by_age.bisect_left((self._since, _LEAST))
        if kept <= _SLICE < len(self._by_age):
            # Mostly a new day, week or month: all but the few that are of it are too old.
            self._waste += (self._by_age, self.board)
            self._by_age = SortedList(self._by_age.islice(len(self._by_age) - kept))
            self.board = SortedBoard(entry for _, entry in self._by_age)
            return False
        dropped = list(self._by_age.islice(0, min(_SLICE, len(self._by_age) - kept)))
        del self._by_age[: len(dropped)]
        for _, entry in dropped:
            self.board.remove(entry)
        return len(dropped) == _SLICE

    def _free_slice(self) -> bool:
        """Free a part of what is not needed any more; tell whether there was some."""
        if not self._waste:
            return False
        waste = self._waste[-1]
        for _ in range(min(_FREED, len(waste))):
            waste.pop()
        if not waste:
            self._waste.pop()
        return True
