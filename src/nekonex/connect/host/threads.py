"""Threads that nobody has to wait for."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from collections.abc import Callable
from typing import Any, TypeVar

__all__ = ["in_daemon_thread"]

_T = TypeVar("_T")


async def in_daemon_thread(
    function: Callable[..., _T], *arguments: object, too_late: Callable[[_T], object]
) -> _T:
    """Call a function in a thread of its own; raises what it raises.

    Unlike one of the loop's threads, it does not keep the process from ending if it hangs. What
    it returns when nobody waits any more is given to ``too_late``.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[Any] = loop.create_future()

    def finish(result: Any, error: Exception | None) -> None:
        if not future.done():
            if error is None:
                future.set_result(result)
            else:
                future.set_exception(error)
        elif error is None:
            too_late(result)

    def run() -> None:
        result, error = None, None
        try:
            result = function(*arguments)
        except Exception as raised:  # noqa: BLE001 - the caller's
            error = raised
        with contextlib.suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(finish, result, error)

    threading.Thread(target=run, name="nekonex-plugin-loader", daemon=True).start()
    result: _T = await future
    return result
