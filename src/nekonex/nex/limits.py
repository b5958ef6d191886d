"""How often one address may ask for what is dear, or is a chance to guess."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from nekonex.prudp.gate import RateLimiter, is_loopback

__all__ = ["AddressLimiter", "LoginLimits"]


@dataclass(frozen=True, slots=True, kw_only=True)
class LoginLimits:
    """Bounds of an authentication server.

    A ticket is sealed with the key of its owner's password, so whoever asks for another
    player's ticket may try passwords on it at home: that is what the first bound slows down.
    """

    requests_per_second: int = 20
    """Logins, ticket requests and look-ups of one address, after a second's worth at once."""
    tracked_addresses: int = 65_536
    """Addresses whose rate is remembered; the one seen longest ago is forgotten first."""
    limit_loopback: bool = False
    """Whether the rate counts for 127.0.0.0/8 and ::1 too."""

    def __post_init__(self) -> None:
        if self.requests_per_second < 1 or self.tracked_addresses < 1:
            raise ValueError("limits of logins are at least 1")


class AddressLimiter:
    """Applies `LoginLimits`. ``clock`` is any clock that only goes forward, in seconds."""

    def __init__(self, limits: LoginLimits, clock: Callable[[], float] = time.monotonic) -> None:
        self._rate = RateLimiter(limits.requests_per_second, limits.tracked_addresses)
        self._limit_loopback = limits.limit_loopback
        self._clock = clock

    def allow(self, host: str) -> bool:
        """Count a request of an address; False if it had too many."""
        if not self._limit_loopback and is_loopback(host):
            return True
        return self._rate.allow(host, self._clock())
