"""Scores as boards keep them: plain tuples of numbers, which sort as they rank.

The garbage collector takes no notice of tuples that hold only numbers, and it matters whether it
has to look at a million.
"""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Iterable, Sequence
from typing import Final

from nekonex.domain.ranking.model import Score

__all__ = ["PID", "UNIQUE_ID", "Entry", "EntryMap", "entry_of", "group_of", "score_of"]

Entry = tuple[int, int, int, int, int, int]
"""Key, updated, pid, unique id, packed groups and param of a score; the lesser is the better.

The key is the score, negative where larger ones are better.
"""

PID: Final = 2
UNIQUE_ID: Final = 3

_SHARDS: Final = 256


def entry_of(score: Score, *, descending: bool) -> Entry:
    """Return the entry of a score."""
    return (
        -score.score if descending else score.score,
        score.updated,
        score.pid,
        score.unique_id,
        score.groups[0] | score.groups[1] << 8,
        score.param,
    )


def score_of(entry: Entry, category: int) -> Score:
    """Return the score of an entry."""
    key, updated, pid, unique_id, groups, param = entry
    return Score(category, pid, unique_id, abs(key), (groups & 0xFF, groups >> 8), param, updated)


def group_of(entry: Entry, index: int) -> int:
    """Return group 0 or 1 of an entry."""
    return entry[4] >> 8 * index & 0xFF


class _Shard(dict[int, Entry | list[Entry]]):
    """A part of an `EntryMap`.

    A plain dictionary of tuples of numbers escapes the garbage collector until it gets a new
    one: the next young collection then goes through all of it. One of another class is always
    known to it, and soon gone through no more than anything old.
    """

    __slots__ = ()


_NO_SHARD: Final = _Shard()


class EntryMap:
    """Entries by one of their numbers, `PID` or `UNIQUE_ID`; those of the same are in order.

    It is in shards, because a dictionary that has grown full is copied at once.
    """

    __slots__ = ("_field", "_shards")

    def __init__(self, field: int) -> None:
        self._field = field
        self._shards: dict[int, _Shard] = {}

    def of(self, number: int) -> Sequence[Entry]:
        """Return the entries with this number."""
        found = self._shards.get(number % _SHARDS, _NO_SHARD).get(number)
        if found is None:
            return ()
        return found if isinstance(found, list) else (found,)

    def of_all(self, numbers: Iterable[int]) -> list[Entry]:
        """Return the entries with any of these numbers, no number twice."""
        result: list[Entry] = []
        shards = self._shards
        for number in numbers:
            found = shards.get(number % _SHARDS, _NO_SHARD).get(number)
            if found is None:
                continue
            if isinstance(found, list):
                result += found
            else:
                result.append(found)
        return result

    def add(self, entry: Entry) -> None:
        """Add an entry that is not there yet."""
        number = entry[self._field]
        shard = self._shards.setdefault(number % _SHARDS, _Shard())
        found = shard.get(number)
        if found is None:
            shard[number] = entry
        elif isinstance(found, list):
            insort(found, entry)
        else:
            shard[number] = sorted((found, entry))

    def remove(self, entry: Entry) -> None:
        """Remove an entry that is there."""
        number = entry[self._field]
        shard = self._shards[number % _SHARDS]
        found = shard[number]
        if isinstance(found, list):
            del found[bisect_left(found, entry)]
            if len(found) == 1:
                shard[number] = found[0]
        else:
            del shard[number]
