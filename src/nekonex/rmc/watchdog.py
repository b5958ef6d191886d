"""The one timer of all running handlers."""

from typing import Protocol

__all__ = ["Watchdog", "Watched"]


class Watched(Protocol):
    """Something that is busy and must not be so for ever."""

    def check(self, now: float) -> None:
        """Compare the time with when this began; the first call only notes the time."""


class Watchdog:
    """Knows what is busy and looks at it whenever it is told the time.

    Work starts and ends thousands of times a second and hardly ever takes
    long: being in a set costs less than a timer for each.
    """

    __slots__ = ("busy",)

    def __init__(self) -> None:
        self.busy: set[Watched] = set()

    def tick(self, now: float) -> None:
        """Check everything that is busy. ``now`` is any clock that only goes forward, in seconds.

        To be called about once a second.
        """
        for watched in tuple(self.busy):
            watched.check(now)
