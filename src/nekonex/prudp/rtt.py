"""Round-trip estimate of one connection, after RFC 6298, section 2.

Unlike there (Karn's rule, section 3), a packet that was sent again is measured
too, from its first send. Left out, a line that suddenly gets slower than the
estimate would never be measured again, and everything would be sent twice for
ever: a thousand consoles on a busy machine drowned in that. What is measured too
long does no harm, because the estimate only ever makes resends faster than the
game's setting.
"""

from typing import Final

__all__ = ["MINIMUM_TIMEOUT", "RoundTrip"]

MINIMUM_TIMEOUT: Final = 0.2
"""Seconds. A console acknowledges from its frame loop, so a resend sooner is mostly wasted."""


class RoundTrip:
    """Smoothed round-trip time and the resend timeout that follows from it."""

    __slots__ = ("deviation", "smoothed")

    def __init__(self) -> None:
        self.smoothed = 0.0
        self.deviation = 0.0

    def sample(self, seconds: float) -> None:
        """Take one measurement: from the first send of a packet to its acknowledgement."""
        if self.smoothed:
            error = seconds - self.smoothed
            self.smoothed += error / 8
            self.deviation += (abs(error) - self.deviation) / 4
        else:
            self.smoothed = seconds or 1e-6
            self.deviation = seconds / 2

    def timeout(self, ceiling: float) -> float:
        """Return the seconds to wait before a first resend, never more than *ceiling*."""
        if not self.smoothed:
            return ceiling
        return min(ceiling, max(MINIMUM_TIMEOUT, self.smoothed + 4 * self.deviation))
