"""A ticket is good for two minutes and for one connection."""

from __future__ import annotations

from nekonex.values import DateTime

__all__ = ["REPLAY_LIMIT", "TICKET_MAX_AGE", "ReplayCache", "is_fresh"]

TICKET_MAX_AGE = 120.0
"""Seconds after which a secure server refuses a ticket, as Nintendo's does."""

REPLAY_LIMIT = 131_072
"""Most tickets remembered: 500 logins a second for as long as a ticket can be good."""


def is_fresh(issued: DateTime, now: float, *, max_age: float = TICKET_MAX_AGE) -> bool:
    """Whether a ticket issued then may be used ``now`` (POSIX seconds).

    One from the future is refused too if it is further away than ``max_age``: the clocks of two
    servers may differ a little, but a ticket must not be good for ever. What is no date is never
    fresh.
    """
    try:
        age = now - issued.timestamp()
    except ValueError:
        return False
    return -max_age <= age <= max_age


class ReplayCache:
    """Remembers the tickets that were used while they could be used again.

    A ticket is known by its player and its session key, which is fresh for each. Times are
    seconds of any clock that does not run backwards, the same for all calls. A ticket from the
    future can be good for twice `TICKET_MAX_AGE`, so each is remembered for that long. When the
    cache is full the oldest ticket is forgotten: whoever could fill it holds as many tickets.
    """

    def __init__(self, *, limit: int = REPLAY_LIMIT, lifetime: float = 2 * TICKET_MAX_AGE) -> None:
        if limit < 1:
            raise ValueError("a replay cache remembers at least one ticket")
        self._limit = limit
        self._lifetime = lifetime
        self._used: dict[tuple[int, bytes], float] = {}

    def __len__(self) -> int:
        return len(self._used)

    def first_use(self, pid: int, session_key: bytes, now: float) -> bool:
        """Note that a ticket is used; False if it was used before.

        A repeated packet of the same handshake is not a second use: recognise it before.
        """
        used = self._used
        while used:
            oldest = next(iter(used))
            if used[oldest] > now:
                break
            del used[oldest]
        key = (pid, session_key)
        if key in used:
            return False
        if len(used) >= self._limit:
            del used[next(iter(used))]
        used[key] = now + self._lifetime
        return True
