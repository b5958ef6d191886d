"""Notices when something blocks the event loop, and says what: only a thread still can."""

from __future__ import annotations

import asyncio
import logging
import threading
from typing import Final

from nekonex.connect.host.stacks import stack_of_thread

__all__ = ["BLOCKED_SECONDS", "LoopWatchdog"]

logger = logging.getLogger(__name__)

BLOCKED_SECONDS: Final = 2.0
"""How long the event loop may not come round until that is reported."""


class LoopWatchdog:
    """A thread that asks the event loop for a sign of life, from `start` until `stop`.

    A coroutine of a plugin that computes for long, or calls what blocks, holds up everybody. It
    cannot be stopped from outside, but it can be named.
    """

    def __init__(self, seconds: float = BLOCKED_SECONDS) -> None:
        self._seconds = seconds
        self._stopping = threading.Event()
        self._alive = threading.Event()
        self._thread: threading.Thread | None = None
        self.reports = 0
        """How often the loop was found blocked."""

    def start(self) -> None:
        """Begin to watch the loop that runs."""
        self._thread = threading.Thread(
            target=self._watch,
            args=(asyncio.get_running_loop(), threading.get_ident()),
            name="nekonex-loop-watchdog",
            daemon=True,
        )
        self._thread.start()

    def stop(self) -> None:
        """Watch no more."""
        self._stopping.set()
        self._alive.set()
        if self._thread is not None:
            self._thread.join()

    def _watch(self, loop: asyncio.AbstractEventLoop, thread: int) -> None:
        while not self._stopping.wait(self._seconds):
            self._alive.clear()
            # Looked at only now: `stop` sets both, and while it waits for us the loop is blocked.
            if self._stopping.is_set():
                return
            try:
                loop.call_soon_threadsafe(self._alive.set)
            except RuntimeError:
                return  # the loop has ended
            if not self._alive.wait(self._seconds):
                self.reports += 1
                stack = stack_of_thread(thread)
                logger.error("something blocks the event loop", extra={"stack": stack})
                self._alive.wait()
