"""What players want shown with their scores: in memory all of it, or some where it is too much."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Mapping
from typing import Final

from nekonex.domain.ranking.ports import PlayerKey

__all__ = ["MAX_CACHED_BYTES", "CommonDataCache"]

MAX_CACHED_BYTES: Final = 256 * 1024 * 1024
"""Bytes of common data that are kept in memory for one game: enough for that of half a million
players, of 212 bytes each."""

_OVERHEAD: Final = 200
"""Bytes that an entry takes besides its data, about."""
_MAX_UNSURE: Final = 65_536
"""Players whose data changed and was not read since: with more, it is not believed any more that
all data is known."""


class CommonDataCache:
    """Common data by player, the least recently asked for forgotten first.

    It also knows who has none. What was read while something changed is not taken in: `version`
    says whether that was so.
    """

    def __init__(self, max_bytes: int = MAX_CACHED_BYTES) -> None:
        self._known: OrderedDict[int, bytes | None] = OrderedDict()
        """By pid and unique id as one number: a hundred thousand named tuples would be many for
        the garbage collector."""
        self._size = 0
        self._max_bytes = max_bytes
        self._complete = False
        """Whether who is neither known nor unsure has none."""
        self._unsure: set[int] = set()
        self.version = 0

    def fill(self, rows: Iterable[tuple[int, int, bytes]]) -> None:
        """Take in all that there is: pid, unique id and data; where it is too much, a part.

        Nothing may change meanwhile.
        """
        for pid, unique_id, data in rows:
            if self._size >= self._max_bytes:
                return
            self._known[pid << 64 | unique_id] = data
            self._size += _size(data)
        self._complete = True

    def find(self, keys: Collection[PlayerKey]) -> tuple[dict[PlayerKey, bytes], list[PlayerKey]]:
        """Return the data of those who are known to have some, and who is not known at all."""
        known = self._known
        found: dict[PlayerKey, bytes] = {}
        unknown = []
        for key in keys:
            number = key[0] << 64 | key[1]
            if number in known:
                known.move_to_end(number)
                data = known[number]
                if data is not None:
                    found[key] = data
            elif not self._complete or number in self._unsure:
                unknown.append(key)
        return found, unknown

    def learn(
        self, keys: Collection[PlayerKey], found: Mapping[PlayerKey, bytes], version: int
    ) -> None:
        """Take in what was read for all of these players when the cache had that version."""
        if version != self.version:
            return
        known = self._known
        for key in keys:
            number = key[0] << 64 | key[1]
            self._drop(number)
            self._unsure.discard(number)
            data = found.get(key)
            if data is not None or not self._complete:
                known[number] = data
                self._size += _size(data)
        while self._size > self._max_bytes:
            self._complete = False
            _, data = known.popitem(last=False)
            self._size -= _size(data)

    def forget(self, pid: int, unique_id: int | None) -> None:
        """Something has changed for one unique id of a player, or for all with None."""
        self.version += 1
        if unique_id is not None:
            numbers = [pid << 64 | unique_id]
        else:
            numbers = [number for number in self._known if number >> 64 == pid]
        for number in numbers:
            self._drop(number)
        if self._complete:
            self._unsure.update(numbers)
            if len(self._unsure) > _MAX_UNSURE:
                self._complete = False
        if not self._complete:
            self._unsure.clear()

    def _drop(self, number: int) -> None:
        if number in self._known:
            self._size -= _size(self._known.pop(number))


def _size(data: bytes | None) -> int:
    return _OVERHEAD if data is None else _OVERHEAD + len(data)
