"""Calls of a plugin's methods, and how long each has worked."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from enum import Enum, auto
from typing import Any, Final, NamedTuple

__all__ = ["CURRENT", "Call", "GivenUp", "Method", "waiting"]


class Method(NamedTuple):
    """A method of a plugin's logic, or a function that it wants to be called back."""

    function: Callable[..., Any]
    is_coroutine: bool
    """Whether it runs on the event loop; else in the plugin's own threads."""


class GivenUp(Enum):
    """Why a call was given up."""

    TOO_SLOW = auto()
    """It has worked for longer than `plugin_timeout`."""
    REPLACED = auto()
    """Its plugin was reloaded or stopped, and it did not come to an end."""


class Call:
    """One call. It works, or it waits in a method of ours, which does not count.

    ``pause`` and ``resume`` of a call in a thread give its place to another and take one again.
    """

    __slots__ = (
        *("_since", "_worked"),
        *("address", "given_up", "pause", "resume", "runner", "thread", "what"),
    )

    def __init__(self, what: str, address: tuple[str, int] | None = None) -> None:
        self.what = what
        """The method's name, for the log."""
        self.address = address
        """That of the client whose frame is handled, if it is one's."""
        self.given_up: GivenUp | None = None
        """Why nobody waits for its end any more."""
        self.pause: Callable[[], None] | None = None
        self.resume: Callable[[], None] | None = None
        self._worked = 0.0
        self._since: float | None = time.monotonic()
        self.runner: asyncio.Task[Any] | None = asyncio.current_task()
        """The task that waits for its end; a coroutine runs in it."""
        self.thread: int | None = None
        """The thread that does the work, if one does."""

    def is_here(self) -> bool:
        """Return whether it is this call that runs now, and not something that it has begun."""
        if self.thread is not None:
            return threading.get_ident() == self.thread
        return asyncio.current_task() is self.runner

    def worked(self, now: float) -> float:
        """Return how many seconds it has worked."""
        since = self._since
        return self._worked if since is None else self._worked + now - since

    def stop_clock(self) -> None:
        """Let the time not count from now on."""
        if self._since is not None:
            self._worked += time.monotonic() - self._since
            self._since = None

    def start_clock(self) -> None:
        """Let the time count again."""
        self._since = time.monotonic()


CURRENT: Final[ContextVar[Call | None]] = ContextVar("nekonex_plugin_call", default=None)
"""The call in which code runs."""


@contextlib.contextmanager
def waiting(*, keeps_place: bool = False) -> Iterator[None]:
    """Let the call that runs now wait meanwhile; nothing happens outside of one.

    What does not wait for a client keeps its place in the threads. Authors hold locks meanwhile,
    to read, change and store: if others took the place and waited for that lock in it, the call
    would never get one again.
    """
    call = CURRENT.get()
    if call is None or not call.is_here():
        yield
        return
    call.stop_clock()
    gives_place = not keeps_place
    if gives_place and call.pause is not None:
        call.pause()
    try:
        yield
    finally:
        if gives_place and call.resume is not None:
            call.resume()
        call.start_clock()
