"""The events that a plugin asked for: one at a time, in their order, never too many."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Awaitable, Callable
from typing import Any, Final

from nekonex.connect.host.calls import Method
from nekonex.connect.stats import ConnectStats
from nekonex.events import Event, EventBus

__all__ = ["EventQueue"]

_logger: Final = logging.getLogger(__name__)

Handle = Callable[[Method, Event], Awaitable[object]]
"""Has a method called with an event; never raises."""


class _Subscription:
    """What a plugin has asked for once."""

    __slots__ = ("is_over", "method")

    def __init__(self, method: Method) -> None:
        self.method = method
        self.is_over = False
        """Whether it wants no more, not even what waits already."""


class EventQueue:
    """Between the event bus, whose publishers never wait, and one plugin, which may be slow."""

    def __init__(
        self, bus: EventBus, handle: Handle, greeter: str, most: int, stats: ConnectStats
    ) -> None:
        self._bus = bus
        self._stats = stats
        self._handle = handle
        self._greeter = greeter
        self._most = most
        self._waiting: deque[tuple[_Subscription, Event]] = deque()
        self._ends: set[Callable[[], None]] = set()
        self._runner: asyncio.Task[None] | None = None
        self._is_closed = False
        self.dropped = 0
        """Events that were never told, because too many waited."""

    def subscribe(self, kind: type[Event], method: Method) -> Callable[[], None]:
        """Have a method called with every event of a kind; the returned function ends that."""
        if self._is_closed:
            raise RuntimeError("the plugin has stopped")
        subscription = _Subscription(method)

        def note(event: Any) -> None:
            self._put(subscription, event)

        def end() -> None:
            subscription.is_over = True
            unsubscribe()
            self._ends.discard(end)

        unsubscribe = self._bus.subscribe(kind, note)
        self._ends.add(end)
        return end

    def close(self) -> None:
        """Take no more events, and forget those that wait; one may still be told, see `runner`."""
        self._is_closed = True
        for end in list(self._ends):
            end()
        self._waiting.clear()

    @property
    def runner(self) -> asyncio.Task[None] | None:
        """The task that tells events, while there are some."""
        return self._runner

    def _put(self, subscription: _Subscription, event: Event) -> None:
        if subscription.is_over:
            return
        if len(self._waiting) >= self._most:
            self._waiting.popleft()
            if not self.dropped:
                _logger.warning(
                    "events are dropped: the plugin is too slow", extra={"plugin": self._greeter}
                )
            self.dropped += 1
            self._stats.dropped_events += 1
        self._waiting.append((subscription, event))
        if self._runner is None:
            self._runner = asyncio.create_task(self._tell())

    async def _tell(self) -> None:
        try:
            while self._waiting:
                subscription, event = self._waiting.popleft()
                if not subscription.is_over:
                    await self._handle(subscription.method, event)
        finally:
            self._runner = None
