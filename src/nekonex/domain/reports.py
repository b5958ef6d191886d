"""Reports that consoles send about their connections, kept for whoever can read them."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

from nekonex.domain.ports import Clock, ReportStore
from nekonex.events import EventBus, ReportReceived

__all__ = ["REPORTS_PER_PLAYER", "REPORT_SIZE_LIMIT", "Report", "ReportService"]

_logger = logging.getLogger(__name__)

REPORT_SIZE_LIMIT = 64 * 1024
"""Most bytes of a report that is stored."""

REPORTS_PER_PLAYER = 32
"""Most reports kept of one player, the newest ones: 2 MiB at the most."""

_PAGE = 32


@dataclass(frozen=True, slots=True)
class Report:
    """One report: ``data`` as it came (its format is not known), ``created`` in POSIX seconds."""

    pid: int
    report_id: int
    data: bytes = field(repr=False)
    created: float
    game: str = ""
    number: int = 0


class ReportService:
    """Stores reports within limits. A console is always told that all went well.

    A console repeats a report that fails, so a limit is never an error. What is too large is
    dropped and logged. Above the quota a player's oldest report makes room: the newest ones are
    those about the trouble that somebody is looking into, and a flood displaces only its own.
    """

    def __init__(
        self,
        store: ReportStore,
        *,
        events: EventBus | None = None,
        clock: Clock = time.time,
        size_limit: int = REPORT_SIZE_LIMIT,
        quota: int = REPORTS_PER_PLAYER,
    ) -> None:
        if quota < 1:
            raise ValueError("the quota of reports is at least 1")
        self._store = store
        self._events = events
        self._clock = clock
        self._size_limit = size_limit
        self._quota = quota

    async def submit(self, pid: int, report_id: int, data: bytes, *, game: str = "") -> bool:
        """Store a report; False if it was too large and dropped.

        Raises ServiceUnavailable if the store is out of order.
        """
        stored = len(data) <= self._size_limit
        if stored:
            report = Report(pid, report_id, bytes(data), self._clock(), game)
            await self._store.add(report, self._quota)
        else:
            _logger.warning("dropped a report of %d bytes from PID %d", len(data), pid)
        if self._events is not None:
            self._events.publish(ReportReceived(game, pid, report_id, len(data), stored))
        return stored

    async def reports(self, pid: int | None = None) -> AsyncIterator[Report]:
        """Go through the reports of one player or of all, oldest first, some at a time."""
        after = 0
        while page := await self._store.page(after, _PAGE, pid):
            for report in page:
                yield report
            after = page[-1].number

    async def count(self, pid: int | None = None) -> int:
        """Return how many reports there are, of one player or of all."""
        return await self._store.count(pid)

    async def forget(self, pid: int) -> int:
        """Remove all reports of a player and return how many there were."""
        return await self._store.remove_of(pid)
