"""Round-trip estimate of one connection (RFC 6298, sections 2, 3 and 5)."""

from typing import Final

__all__ = ["MINIMUM_TIMEOUT", "RoundTrip"]

MINIMUM_TIMEOUT: Final = 0.2
"""Seconds. A console acknowledges from its frame loop, so a resend sooner is mostly wasted."""


class RoundTrip:
    """Smoothed round-trip time and the resend timeout that follows from it.

    A packet that was sent again says nothing about the round trip (Karn's rule).
    But a resend backs the timeout off, and it stays so until a packet is
    acknowledged that was sent once: or a line that gets slower than the timeout
    would never be measured again, and everything would be sent twice for ever. A
    thousand consoles on one busy machine drowned in that.
    """

    __slots__ = ("_backed_off_until", "_factor", "deviation", "smoothed")

    def __init__(self) -> None:
        self.smoothed = 0.0
        self.deviation = 0.0
        self._factor = 1
        self._backed_off_until = 0.0

    def sample(self, seconds: float) -> None:
        """Take one measurement, of a packet that was sent once only."""
        self._factor = 1
        if self.smoothed:
            error = seconds - self.smoothed
            self.smoothed += error / 8
            self.deviation += (abs(error) - self.deviation) / 4
        else:
            self.smoothed = seconds or 1e-6
            self.deviation = seconds / 2

    def back_off(self, now: float, ceiling: float) -> None:
        """Take note that a packet had to be sent again at *now*.

        All that is lost in one timeout counts as one, as it does where one timer
        serves the whole connection.
        """
        timeout = self.timeout(ceiling)
        if now >= self._backed_off_until and timeout < ceiling:
            self._factor *= 2
            self._backed_off_until = now + timeout

    def timeout(self, ceiling: float) -> float:
        """Return the seconds to wait before a first resend, never more than *ceiling*."""
        if not self.smoothed:
            return ceiling
        estimate = max(MINIMUM_TIMEOUT, self.smoothed + 4 * self.deviation)
        return min(ceiling, estimate * self._factor)
