"""Which of several committed changes is the last, whatever order they are heard of in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

from nekonex.domain.ranking.model import ScoreKey

__all__ = ["CommitOrder"]


@dataclass(slots=True)
class _Player:
    changing: int = 0
    """How many changes have begun and not ended."""
    latest: dict[ScoreKey, int] = field(default_factory=dict)
    """The serial number of the last known change of each score."""


class CommitOrder:
    """Tells whether a change of a score is news.

    Each change takes a serial number while it alone may change the database, so that the numbers
    are in the order of the commits. They are remembered as long as a change of the same player is
    under way: only that can be heard of late.
    """

    def __init__(self) -> None:
        self._players: dict[int, _Player] = {}

    def begin(self, pid: int) -> None:
        """Note that a change of a player's scores begins."""
        self._players.setdefault(pid, _Player()).changing += 1

    def end(self, pid: int) -> None:
        """Note that a change has ended, well or not, and was heard of."""
        player = self._players[pid]
        player.changing -= 1
        if not player.changing:
            del self._players[pid]

    def news(self, pid: int, keys: Iterable[ScoreKey], serial: int) -> list[ScoreKey]:
        """Return those of the scores of a change in progress that no later one has changed."""
        latest = self._players[pid].latest
        found = [key for key in keys if latest.get(key, -1) < serial]
        latest.update(dict.fromkeys(found, serial))
        return found
