"""Whom players blocked."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Collection, Iterable, Sequence

from nekonex.domain.matchmaking.limits import MatchmakingLimits
from nekonex.domain.matchmaking.ports import PreferenceStore

__all__ = ["BlockLists"]


class BlockLists:
    """The block lists of one game's players, kept in memory for those who asked last."""

    def __init__(self, store: PreferenceStore, limits: MatchmakingLimits) -> None:
        self._store = store
        self._limits = limits
        self._known: OrderedDict[int, tuple[int, ...]] = OrderedDict()
        self._changes = 0

    async def of(self, pid: int) -> Sequence[int]:
        """Return whom a player blocked, in that order."""
        known = self._known.get(pid)
        if known is not None:
            self._known.move_to_end(pid)
            return known
        changes = self._changes
        known = tuple(await self._store.block_list(pid))
        if changes == self._changes:
            self._remember(pid, known)
        return known

    async def add(self, pid: int, pids: Collection[int]) -> None:
        """Block players. Raises MatchmakingError (INVALID) if those are too many."""
        await self._change(pid, add=pids)

    async def remove(self, pid: int, pids: Collection[int]) -> None:
        """Unblock players."""
        await self._change(pid, remove=pids)

    async def clear(self, pid: int) -> None:
        """Unblock everybody."""
        try:
            await self._store.clear_block_list(pid)
        finally:
            self._changed(pid)

    async def blockers(self, pids: Iterable[int], blocked: int) -> bool:
        """Tell whether any of these players has blocked a certain one."""
        for pid in pids:
            if blocked in await self.of(pid):
                return True
        return False

    def known_blockers(self, pids: Iterable[int], blocked: int) -> bool:
        """Do as `blockers`, with what is in memory: the lists of those who joined a while ago."""
        return any(blocked in self._known.get(pid, ()) for pid in pids)

    def forget(self, pid: int) -> None:
        """Drop from memory the list of a player who is gone; what is stored stays."""
        self._known.pop(pid, None)

    async def _change(
        self, pid: int, *, add: Collection[int] = (), remove: Collection[int] = ()
    ) -> None:
        limit = self._limits.max_blocked
        try:
            await self._store.change_block_list(pid, add=add, remove=remove, limit=limit)
        finally:
            self._changed(pid)

    def _changed(self, pid: int) -> None:
        """Drop what is in memory, and what is being read now: it may be the old list."""
        self._known.pop(pid, None)
        self._changes += 1

    def _remember(self, pid: int, blocked: tuple[int, ...]) -> None:
        self._known[pid] = blocked
        if len(self._known) > self._limits.remembered_players:
            self._known.popitem(last=False)
