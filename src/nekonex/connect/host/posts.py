"""What threads have the event loop do."""

from __future__ import annotations

import asyncio
import contextvars
from collections import deque
from collections.abc import Callable

__all__ = ["Posts"]


class Posts:
    """Calls from threads, in their order; the event loop is woken once for all that wait.

    Waking it is a write to a socket, during which the thread gives up the interpreter and then
    has to wait for it again: with many threads that takes longer than all they do. Made on the
    loop.
    """

    __slots__ = ("_calls", "_context", "_is_woken", "_loop")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._calls: deque[tuple[Callable[..., object], tuple[object, ...]]] = deque()
        # Of its own, because what runs is not the doing of the one who happened to wake it.
        self._context = contextvars.Context()
        self._is_woken = False

    def add(self, function: Callable[..., object], *arguments: object) -> None:
        """Have a function called soon, from any thread; RuntimeError if the loop has ended."""
        self._calls.append((function, arguments))
        if not self._is_woken:
            self._is_woken = True
            try:
                self._loop.call_soon_threadsafe(self._run, context=self._context)
            except RuntimeError:
                self._is_woken = False
                raise

    def hurry(self) -> None:
        """Have what was added so far called before all that the loop is asked for from now on.

        Whoever is to wake it may have been suspended just before that, in another thread.
        """
        if self._calls:
            self._loop.call_soon_threadsafe(self._run, context=self._context)

    def _run(self) -> None:
        # First of all: who adds something from now on wakes the loop again.
        self._is_woken = False
        calls = self._calls
        try:
            for _ in range(len(calls)):
                function, arguments = calls.popleft()
                function(*arguments)
        finally:
            if calls and not self._is_woken:  # one has raised, which says the loop
                self._is_woken = True
                self._loop.call_soon(self._run, context=self._context)
