"""Who could not reach whom: pairs of players who are better not matched for a while."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

__all__ = ["UnreachableLimits", "UnreachablePairs"]

_NOBODY: Final[frozenset[int]] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class UnreachableLimits:
    """Bounds of what is remembered about players who could not reach each other."""

    seconds: float = 600.0
    """How long a failure counts."""
    pairs_per_player: int = 64
    """Failures of one player that are remembered; the oldest is forgotten first."""
    pairs: int = 65_536
    """Failures of all players together; the oldest is forgotten first."""

    def __post_init__(self) -> None:
        if not self.seconds > 0 or self.pairs_per_player < 1 or self.pairs < 1:
            raise ValueError("limits of unreachable pairs are more than 0")


class _Player:
    """Whom a player could not reach, oldest failure first, and until when that counts."""

    __slots__ = ("others", "pids")

    def __init__(self) -> None:
        self.others: dict[int, float] = {}
        self.pids: frozenset[int] | None = None
        """The keys, once somebody asked for them; None again when they change."""


class UnreachablePairs:
    """Remembers for a while that two players, by principal id, could not reach each other.

    ``clock`` is any clock that only goes forward, in seconds. No call takes longer because many
    pairs are remembered, or because many of them expire at once: each looks at the pairs of the
    players it is about, and at two of the oldest ones.
    """

    def __init__(
        self,
        limits: UnreachableLimits | None = None,
        *,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._limits = limits or UnreachableLimits()
        self._clock = clock
        # All pairs with the smaller id first, oldest failure first, and until when they count.
        self._pairs: OrderedDict[tuple[int, int], float] = OrderedDict()
        self._players: dict[int, _Player] = {}

    def __len__(self) -> int:
        """Return how many pairs take up memory; a few of them may have expired."""
        return len(self._pairs)

    def failed(self, one: int, other: int) -> None:
        """Remember that two players could not reach each other; the time starts anew.

        Raises ValueError if they are the same.
        """
        if one == other:
            raise ValueError("a player is no pair")
        now = self._clock()
        self._forget_expired(now)
        until = now + self._limits.seconds
        pair = _pair(one, other)
        self._forget(pair)
        self._pairs[pair] = until
        for pid, partner in ((one, other), (other, one)):
            player = self._players.setdefault(pid, _Player())
            player.others[partner] = until
            player.pids = None
        for pid in (one, other):
            others = self._players[pid].others
            if len(others) > self._limits.pairs_per_player:
                self._forget(_pair(pid, next(iter(others))))
        if len(self._pairs) > self._limits.pairs:
            self._forget(next(iter(self._pairs)))

    def succeeded(self, one: int, other: int) -> None:
        """Forget that two players could not reach each other, if they could not."""
        self._forget(_pair(one, other))

    def failed_with(self, pid: int) -> frozenset[int]:
        """Return the players whom this one could not reach, or who could not reach it."""
        if not self._pairs:
            return _NOBODY
        now = self._clock()
        self._forget_expired(now)
        player = self._players.get(pid)
        if player is None:
            return _NOBODY
        others = player.others
        while others:
            oldest = next(iter(others))
            if others[oldest] > now:
                break
            self._forget(_pair(pid, oldest))
        if player.pids is None:
            player.pids = frozenset(others) if others else _NOBODY
        return player.pids

    def _forget_expired(self, now: float) -> None:
        """Forget up to two pairs that have expired: more than a new failure adds."""
        for _ in range(2):
            pair = next(iter(self._pairs), None)
            if pair is None or self._pairs[pair] > now:
                return
            self._forget(pair)

    def _forget(self, pair: tuple[int, int]) -> None:
        if self._pairs.pop(pair, None) is None:
            return
        one, other = pair
        for pid, partner in ((one, other), (other, one)):
            player = self._players[pid]
            del player.others[partner]
            player.pids = None
            if not player.others:
                del self._players[pid]


def _pair(one: int, other: int) -> tuple[int, int]:
    return (one, other) if one < other else (other, one)
