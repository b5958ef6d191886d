"""One object for both kinds of authors: what is awaited on the event loop blocks in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import CancelledError, Future
from typing import Any, Final, TypeVar

from nekonex.connect.context import ConnectionClosed
from nekonex.connect.host.calls import waiting
from nekonex.connect.host.posts import Posts

__all__ = ["Bridge"]

_T = TypeVar("_T")
_STOPPED: Final = "the server has stopped"


class Bridge:
    """Knows the event loop, and whether the code that runs is in its thread. Made on the loop.

    Threads that plugins have left behind may outlive the loop: they get ConnectionClosed from
    `close` on.
    """

    __slots__ = ("_is_closed", "_loop", "_pending", "_thread", "posts")

    def __init__(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._thread = threading.get_ident()
        self._pending: set[Future[Any]] = set()
        self.posts = Posts()
        """What threads have the event loop do, in its order."""
        self._is_closed = False

    @property
    def is_here(self) -> bool:
        """Whether the code that asks runs on the event loop."""
        return threading.get_ident() == self._thread

    def wait(self, coroutine: Coroutine[Any, Any, _T], *, keeps_place: bool = False) -> Any:
        """Return a coroutine to whoever can await it; to others return what comes of it.

        See `nekonex.connect.host.calls.waiting` for who is to keep its place.
        """
        if self.is_here:
            return coroutine
        with waiting(keeps_place=keeps_place):
            return self._result(coroutine)

    def call(self, function: Callable[..., _T], *arguments: object) -> _T:
        """Call a function on the event loop and return what it returns; it never waits for long."""
        if self.is_here:
            return function(*arguments)

        async def do() -> _T:
            return function(*arguments)

        return self._result(do())

    def post(self, function: Callable[..., object], *arguments: object) -> None:
        """Have a function called on the event loop soon, in the order of the posts."""
        if self._is_closed:
            raise ConnectionClosed(_STOPPED)
        try:
            self.posts.add(function, *arguments)
        except RuntimeError:  # it has ended just now
            raise ConnectionClosed(_STOPPED) from None

    def close(self) -> None:
        """Let no thread wait for the event loop any more, because that may end now."""
        self._is_closed = True
        for future in list(self._pending):
            future.cancel()

    def _result(self, coroutine: Coroutine[Any, Any, _T]) -> _T:
        if self._is_closed:
            coroutine.close()
            raise ConnectionClosed(_STOPPED)
        try:
            self.posts.hurry()  # what this thread has posted comes first
            future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        except RuntimeError:  # it has ended just now
            coroutine.close()
            raise ConnectionClosed(_STOPPED) from None
        self._pending.add(future)
        if self._is_closed:  # since it was looked at above: `close` may have missed this one
            future.cancel()
        try:
            return future.result()
        except CancelledError:
            raise ConnectionClosed(_STOPPED) from None
        finally:
            self._pending.discard(future)
