"""An event loop in a thread of its own, for tests that have none."""

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Callable, Coroutine
from contextlib import AbstractAsyncContextManager
from typing import Any, Final, Generic, TypeVar

__all__ = ["START_SECONDS", "STOP_SECONDS", "ServerThread"]

START_SECONDS: Final = 20.0
"""How long a server may take to start."""
STOP_SECONDS: Final = 20.0
"""How long it may take to stop."""

_T = TypeVar("_T")
_R = TypeVar("_R")


class ServerThread(Generic[_T]):
    """Holds an asynchronous context open, from `start` until `stop`."""

    def __init__(self, make: Callable[[], AbstractAsyncContextManager[_T]]) -> None:
        self._make = make
        self._started: concurrent.futures.Future[_T] = concurrent.futures.Future()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_over: asyncio.Event | None = None
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="nekonex-testing", daemon=True)

    def start(self) -> _T:
        """Enter the context and return its value; raises what it raises, and TimeoutError."""
        self._thread.start()
        return self._started.result(START_SECONDS)

    def run(self, coroutine: Coroutine[Any, Any, _R], timeout: float | None = None) -> _R:
        """Return what a coroutine returns that is awaited in the thread."""
        if self._loop is None:
            raise RuntimeError("the thread does not run")
        future = asyncio.run_coroutine_threadsafe(coroutine, self._loop)
        try:
            return future.result(timeout)
        except TimeoutError:
            future.cancel()
            raise

    def stop(self) -> None:
        """Leave the context; raises what that raises, and TimeoutError. Harmless if repeated."""
        if self._loop is not None and self._is_over is not None:
            with contextlib.suppress(RuntimeError):  # the loop has ended by itself
                self._loop.call_soon_threadsafe(self._is_over.set)
        self._thread.join(STOP_SECONDS)
        if self._thread.is_alive():
            raise TimeoutError(f"the server has not stopped within {STOP_SECONDS:g} s")
        error, self._error = self._error, None
        if error is not None:
            raise error

    def _run(self) -> None:
        try:
            asyncio.run(self._hold())
        except BaseException as error:  # noqa: BLE001 - whoever waits in the other thread gets it
            if self._started.done():
                self._error = error
            else:
                self._started.set_exception(error)

    async def _hold(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._is_over = asyncio.Event()
        async with self._make() as value:
            self._started.set_result(value)
            await self._is_over.wait()
