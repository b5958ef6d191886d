"""Boards that know the place of each score without looking through the others."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from itertools import islice

from sortedcontainers import SortedList

from nekonex.domain.ranking.model import RankCalculation
from nekonex.storage.ranking.entries import Entry

__all__ = ["SortedBoard"]


class SortedBoard:
    """Entries in their order."""

    __slots__ = ("_entries", "sum")

    def __init__(self, entries: Iterable[Entry] = ()) -> None:
        self._entries: SortedList[Entry] = SortedList(entries)
        self.sum = sum(entry[0] for entry in self._entries)
        """The sum of all keys."""

    def __len__(self) -> int:
        return len(self._entries)

    def __contains__(self, entry: Entry) -> bool:
        return entry in self._entries

    def add(self, entry: Entry) -> None:
        """Add an entry that is not there yet."""
        self._entries.add(entry)
        self.sum += entry[0]

    def remove(self, entry: Entry) -> None:
        """Remove an entry; ValueError if it is not there."""
        self._entries.remove(entry)
        self.sum -= entry[0]

    def pop(self) -> Entry:
        """Remove the last entry and return it."""
        entry = self._entries.pop()
        self.sum -= entry[0]
        return entry

    def place(self, entry: Entry) -> int:
        """Return how many entries are before this one."""
        return self._entries.bisect_left(entry)

    def better(self, key: int) -> int:
        """Return how many entries have a better key."""
        return self._entries.bisect_left((key, -1, -1, -1, -1, -1))

    def rank(self, entry: Entry, calculation: RankCalculation) -> int:
        """Return the rank of an entry."""
        if calculation is RankCalculation.ORDINAL:
            return 1 + self.place(entry)
        return 1 + self.better(entry[0])

    def page(
        self, calculation: RankCalculation, offset: int, count: int
    ) -> list[tuple[int, Entry]]:
        """Return up to ``count`` entries from an offset on, with their ranks."""
        entries = self.islice(offset, count)
        if calculation is RankCalculation.ORDINAL or not entries:
            return list(enumerate(entries, offset + 1))
        result = []
        key, rank = entries[0][0], 1 + self.better(entries[0][0])
        for place, entry in enumerate(entries, offset + 1):
            if entry[0] != key:
                key, rank = entry[0], place
            result.append((rank, entry))
        return result

    def islice(self, offset: int, count: int) -> Sequence[Entry]:
        """Return up to ``count`` entries from an offset on."""
        return list(self._entries.islice(offset, offset + count))

    def after(self, entry: Entry | None, count: int) -> Sequence[Entry]:
        """Return up to ``count`` entries that come after one, which need not be there."""
        if entry is None:
            return self.islice(0, count)
        return list(islice(self._entries.irange(entry, inclusive=(False, True)), count))
