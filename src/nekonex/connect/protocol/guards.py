"""What a server remembers of clients, so that none can try or send as much as it likes."""

from __future__ import annotations

from collections import OrderedDict, deque

__all__ = ["FailedLogins", "FrameRate", "ReplayGuard"]


class ReplayGuard:
    """The randoms of accepted first frames: one that comes again is a copy."""

    def __init__(self, *, most: int, seconds: float) -> None:
        self._most = most
        self._seconds = seconds
        self._seen: OrderedDict[str, float] = OrderedDict()

    def __len__(self) -> int:
        return len(self._seen)

    def accept(self, random: str, now: float) -> bool:
        """Remember a random; False if it was accepted a while ago."""
        while self._seen and next(iter(self._seen.values())) <= now - self._seconds:
            self._seen.popitem(last=False)
        if random in self._seen:
            return False
        if len(self._seen) >= self._most:
            self._seen.popitem(last=False)
        self._seen[random] = now
        return True


class FailedLogins:
    """Wrong passwords by address: who has sent too many may not try for a while."""

    def __init__(self, *, most: int, seconds: float, addresses: int) -> None:
        self._most = most
        self._seconds = seconds
        self._addresses = addresses
        self._failures: OrderedDict[str, deque[float]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._failures)

    def note(self, address: str, now: float) -> None:
        """Count a wrong password."""
        times = self._failures.get(address)
        if times is None:
            if len(self._failures) >= self._addresses:
                self._failures.popitem(last=False)
            times = self._failures[address] = deque(maxlen=self._most)
        times.append(now)
        self._failures.move_to_end(address)

    def exceeded(self, address: str, now: float) -> bool:
        """Return whether an address has sent too many wrong passwords lately."""
        times = self._failures.get(address)
        if times is None:
            return False
        while times and times[0] <= now - self._seconds:
            times.popleft()
        if not times:
            del self._failures[address]
        return len(times) >= self._most


class FrameRate:
    """How many frames a connection may still send: so many a second, and as many at once."""

    __slots__ = ("_allowed", "_rate", "_since")

    def __init__(self, rate: int, now: float) -> None:
        self._rate = rate
        self._allowed = float(rate)
        self._since = now

    def take(self, now: float) -> bool:
        """Count a frame; False if it is one too many."""
        self._allowed = min(self._rate, self._allowed + (now - self._since) * self._rate)
        self._since = now
        if self._allowed < 1:
            return False
        self._allowed -= 1
        return True
