"""What players decided about others, in memory. No method awaits anything, so each is atomic."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from nekonex.domain.matchmaking.ports import Privacy
from nekonex.storage.block_lists import changed_block_list

__all__ = ["MemoryPreferenceStore"]

_SHOWS_EVERYTHING = Privacy()


class MemoryPreferenceStore:
    """`nekonex.domain.matchmaking.ports.PreferenceStore` of one game in two dictionaries."""

    def __init__(self) -> None:
        self._block_lists: dict[int, list[int]] = {}
        self._privacy: dict[int, Privacy] = {}

    async def block_list(self, pid: int) -> Sequence[int]:
        """Return whom a player blocked, in the order of blocking."""
        return list(self._block_lists.get(pid, ()))

    async def change_block_list(
        self, pid: int, *, add: Collection[int] = (), remove: Collection[int] = (), limit: int
    ) -> Sequence[int]:
        """Block players and unblock others, and return the list; MatchmakingError: INVALID."""
        after = changed_block_list(self._block_lists.get(pid, ()), add, remove, limit)
        self._block_lists[pid] = after
        return list(after)

    async def clear_block_list(self, pid: int) -> None:
        """Unblock everybody."""
        self._block_lists.pop(pid, None)

    async def privacy(self, pid: int) -> Privacy:
        """Return what a player shows; who never said so shows everything."""
        return self._privacy.get(pid, _SHOWS_EVERYTHING)

    async def set_privacy(self, pid: int, privacy: Privacy) -> None:
        """Store what a player shows."""
        self._privacy[pid] = privacy
