"""Unique ids in memory. No method awaits anything, so each is atomic."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice

from nekonex.domain.unique_ids import AssociationCheck, KnownUniqueId, UniqueId, UniqueIdLimits

__all__ = ["MemoryUniqueIdStore"]


@dataclass(frozen=True, slots=True)
class _Loose:
    """An id that is associated with nobody: who acquired or had it, and since when it is loose."""

    unique_id: UniqueId
    pid: int
    since: float


class MemoryUniqueIdStore:
    """`nekonex.domain.ports.UniqueIdStore` of one game. Dictionaries are in the order of time."""

    def __init__(self) -> None:
        self._acquired: dict[int, _Loose] = {}
        self._released: dict[int, _Loose] = {}
        self._associated: dict[int, list[UniqueId]] = {}
        self._owners: dict[int, int] = {}

    async def create(
        self, unique_id: UniqueId, pid: int, *, now: float, limits: UniqueIdLimits
    ) -> bool:
        """Store an id that a player acquired; False if there is one already."""
        value = unique_id.value
        if value in self._acquired or value in self._released or value in self._owners:
            return False
        acquired = self._acquired
        acquired[value] = _Loose(unique_id, pid, now)
        oldest = now - limits.acquired_seconds
        _drop(acquired, [key for key, each in acquired.items() if each.since <= oldest])
        _drop_first(acquired, [*_of(acquired, pid)], limits.max_acquired)
        _drop_first(acquired, [*acquired], limits.max_acquired_in_all)
        return True

    async def associate(
        self,
        pid: int,
        values: Sequence[int],
        check: AssociationCheck,
        *,
        now: float,
        limits: UniqueIdLimits,
    ) -> None:
        """Let a player have these ids and no others; raises what ``check`` raises."""
        known = {
            value: found
            for value in values
            if (found := self._known(value, limits.acquired_seconds)) is not None
        }
        check(known)
        for former in self._associated.pop(pid, ()):
            self._owners.pop(former.value)
            self._released[former.value] = _Loose(former, pid, now)
        for value in values:
            self._acquired.pop(value, None)
            self._released.pop(value, None)
            self._owners[value] = pid
        if values:
            self._associated[pid] = [known[value].unique_id for value in values]
        _drop_first(self._released, [*_of(self._released, pid)], limits.max_released)

    async def of(self, pid: int) -> Sequence[UniqueId]:
        """Return the ids that are associated with a player, in the order of associating."""
        return list(self._associated.get(pid, ()))

    async def remove_of(self, pid: int) -> int:
        """Remove all ids that a player acquired or has or had last; return how many there were."""
        before = await self.count()
        for loose in (self._acquired, self._released):
            _drop(loose, [*_of(loose, pid)])
        for each in self._associated.pop(pid, ()):
            self._owners.pop(each.value)
        return before - await self.count()

    async def count(self) -> int:
        """Return how many ids there are, whosever they are."""
        return len(self._acquired) + len(self._released) + len(self._owners)

    def _known(self, value: int, acquired_seconds: float) -> KnownUniqueId | None:
        owner = self._owners.get(value)
        if owner is not None:
            [unique_id] = [each for each in self._associated[owner] if each.value == value]
            return KnownUniqueId(unique_id, owner, None)
        if found := self._acquired.get(value):
            return KnownUniqueId(found.unique_id, None, found.since + acquired_seconds)
        released = self._released.get(value)
        return None if released is None else KnownUniqueId(released.unique_id, None, None)


def _of(loose: dict[int, _Loose], pid: int) -> list[int]:
    return [value for value, each in loose.items() if each.pid == pid]


def _drop(loose: dict[int, _Loose], values: Sequence[int]) -> None:
    for value in values:
        del loose[value]


def _drop_first(loose: dict[int, _Loose], values: Sequence[int], keep: int) -> None:
    """Drop the first of ``values``, so that ``keep`` of them stay."""
    _drop(loose, list(islice(values, max(0, len(values) - keep))))
