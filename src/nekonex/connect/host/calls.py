"""Calls of a plugin's methods, and how long each has worked."""

from __future__ import annotations

import asyncio
import contextlib
import threading
import time
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from enum import Enum, auto
from typing import TYPE_CHECKING, Any, Final, NamedTuple

if TYPE_CHECKING:
    from nekonex.connect.host.link import Link

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
        *("_clock", "given_up", "link", "pause", "plugin", "resume", "runner", "thread", "what"),
    )

    def __init__(self, what: str, link: Link | None = None) -> None:
        self.what = what
        """The method's name, for the log."""
        self.link = link
        """The connection whose frame is handled, if it is one's."""
        self.plugin = ""
        """The greeter of its plugin, as soon as it is invoked; for what it begins, too."""
        self.given_up: GivenUp | None = None
        """Why nobody waits for its end any more."""
        self.pause: Callable[[], None] | None = None
        self.resume: Callable[[], None] | None = None
        self.runner: asyncio.Task[Any] | None = asyncio.current_task()
        """The task that waits for its end; a coroutine runs in it."""
        self.thread: int | None = None
        """The thread that does the work, if one does."""
        # Seconds that it has worked, and since when it works. One value, because the event loop
        # reads what a thread writes.
        self._clock: tuple[float, float | None] = (0.0, time.monotonic())

    def is_here(self) -> bool:
        """Return whether it is this call that runs now, and not something that it has begun."""
        if self.thread is not None:
            return threading.get_ident() == self.thread
        try:
            return self.runner is not None and asyncio.current_task() is self.runner
        except RuntimeError:
            return False  # a thread that a coroutine waits for

    def worked(self, now: float) -> float:
        """Return how many seconds it has worked."""
        worked, since = self._clock
        return worked if since is None else worked + now - since

    def stop_clock(self) -> None:
        """Let the time not count from now on."""
        self._clock = (self.worked(time.monotonic()), None)

    def start_clock(self) -> None:
        """Let the time count again."""
        worked, _ = self._clock
        self._clock = (worked, time.monotonic())

    def forget(self) -> None:
        """Hold on to nothing any more: tasks that it has begun know it for as long as they live."""
        self.link = self.runner = None

    def move_to_loop(self) -> None:
        """Let the rest of a call that a thread has begun run in the task that waits for it."""
        self.thread = self.pause = self.resume = None
        self.start_clock()


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
