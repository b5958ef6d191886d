"""The events that a plugin asked for: one at a time, in their order, never too many."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

from nekonex.connect.host.calls import Method
from nekonex.events import Event, EventBus

__all__ = ["EventQueue"]

_logger: Final = logging.getLogger(__name__)

Handle = Callable[[Method, Event], Awaitable[object]]
"""Has a method called with an event; never raises."""


class EventQueue:
    """Between the event bus, whose publishers never wait, and one plugin, which may be slow."""

    def __init__(self, bus: EventBus, handle: Handle, greeter: str, most: int) -> None:
        self._bus = bus
        self._handle = handle
        self._greeter = greeter
        self._most = most
        self._waiting: deque[tuple[Method, Event]] = deque()
        self._ends: list[Callable[[], None]] = []
        self._runner: asyncio.Task[None] | None = None
        self._is_closed = False
        self.dropped = 0
        """Events that were never told, because too many waited."""

    def subscribe(self, kind: type[Event], method: Method) -> Callable[[], None]:
        """Have a method called with every event of a kind; the returned function ends that."""
        if self._is_closed:
            raise RuntimeError("the plugin has stopped")
        is_wanted = True

        def note(event: Any) -> None:
            if is_wanted:
                self._put(method, event)

        def end() -> None:
            nonlocal is_wanted
            is_wanted = False
            unsubscribe()
            if end in self._ends:
                self._ends.remove(end)

        unsubscribe = self._bus.subscribe(kind, note)
        self._ends.append(end)
        return end

    async def close(self) -> None:
        """Take no more events, forget those that wait, and let the one that is told come to an end.

        It is for the caller to cut that short.
        """
        self._is_closed = True
        for end in list(self._ends):
            end()
        self._waiting.clear()
        if self._runner is not None:
            await asyncio.wait([self._runner])

    @property
    def runner(self) -> asyncio.Task[None] | None:
        """The task that tells events, while there are some."""
        return self._runner

    def _put(self, method: Method, event: Event) -> None:
        if len(self._waiting) >= self._most:
            self._waiting.popleft()
            if not self.dropped:
                _logger.warning(
                    "events are dropped: the plugin is too slow", extra={"plugin": self._greeter}
                )
            self.dropped += 1
        self._waiting.append((method, event))
        if self._runner is None:
            self._runner = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        try:
            while self._waiting:
                method, event = self._waiting.popleft()
                await self._handle(method, event)
        finally:
            self._runner = None
