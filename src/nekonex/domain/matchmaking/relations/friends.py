"""Who is whose friend: asked of whoever knows, and remembered for a moment."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Iterable
from itertools import islice

from nekonex.domain.callbacks import call_user
from nekonex.domain.matchmaking.limits import MatchmakingLimits

__all__ = ["FriendBook", "GetFriendPids"]

_logger = logging.getLogger(__name__)

GetFriendPids = Callable[[int], Awaitable[Iterable[int]] | Iterable[int]]
"""``get_friend_pids(pid)``: the principal ids of a player's friends."""

_NOBODY: frozenset[int] = frozenset()


class FriendBook:
    """Asks ``get_friend_pids``, a plain or a coroutine function, at most once at a time a player.

    Nobody has friends where there is none, and who it fails for has none for the moment.
    ``clock`` is any clock that only goes forward, in seconds.
    """

    def __init__(
        self,
        get_friend_pids: GetFriendPids | None,
        *,
        limits: MatchmakingLimits,
        clock: Callable[[], float],
    ) -> None:
        self._ask = get_friend_pids
        self._limits = limits
        self._clock = clock
        self._known: OrderedDict[int, tuple[float, frozenset[int]]] = OrderedDict()
        self._asking: dict[int, asyncio.Task[frozenset[int]]] = {}

    def ask(self, get_friend_pids: GetFriendPids) -> None:
        """Ask this function from now on."""
        self._ask = get_friend_pids

    async def friends_of(self, pid: int) -> frozenset[int]:
        """Return the friends of a player."""
        if self._ask is None:
            return _NOBODY
        known = self._known.get(pid)
        if known is not None and known[0] > self._clock():
            return known[1]
        asking = self._asking.get(pid)
        if asking is None:
            asking = asyncio.ensure_future(self._find(pid, self._ask))
            self._asking[pid] = asking
            asking.add_done_callback(lambda _: self._asking.pop(pid, None))
        # Whoever else waits for the answer gets it, even if this one is broken off.
        return await asyncio.shield(asking)

    async def _find(self, pid: int, ask: GetFriendPids) -> frozenset[int]:
        try:
            async with asyncio.timeout(self._limits.friends_timeout):
                found = frozenset(islice(await call_user(ask, pid), self._limits.max_friends))
        except (Exception, asyncio.CancelledError):
            task = asyncio.current_task()
            if task is not None and task.cancelling():
                raise
            # A cancellation that is not ours came from something that the function awaited.
            _logger.warning("the friends of PID %d cannot be found", pid, exc_info=True)
            found = _NOBODY
        self._known[pid] = self._clock() + self._limits.friends_seconds, found
        self._known.move_to_end(pid)
        if len(self._known) > self._limits.remembered_players:
            self._known.popitem(last=False)
        return found
