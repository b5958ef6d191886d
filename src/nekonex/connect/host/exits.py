"""Keeps SystemExit and KeyboardInterrupt of what plugins begin by themselves from ending the loop.

asyncio passes these two on to whoever runs the event loop, out of every task and callback, and that
would be the end of the server. Methods that are called have `CallSupervisor.invoke` around them;
tasks of a plugin's own, timers, callbacks of futures and sockets have nothing. So the guard is
around one turn of the loop: it costs tasks nothing, and nothing gets past it. A turn that ends
early leaves what is due to the next one.
"""

from __future__ import annotations

import asyncio
import functools
import logging
import signal
import threading
from asyncio import events
from collections.abc import Callable, Iterator
from contextvars import Context
from types import CodeType, FrameType
from typing import Any, Final

from nekonex.connect.host.calls import CURRENT
from nekonex.connect.plugins import plugin_of_module

__all__ = ["guard_loop"]

logger = logging.getLogger(__name__)

_TURN: Final = "_run_once"
_RUN_HANDLE: Final = events.Handle._run.__code__  # noqa: SLF001
_WHAT: Final = "a task or callback of its own"


def guard_loop(loop: asyncio.AbstractEventLoop) -> None:
    """Let a loop go on whatever plugins raise, for as long as it lives. Harmless if repeated.

    A loop that is not one of asyncio's own is left as it is.
    """
    # Nothing public is called once a turn; all versions of asyncio look this up in each.
    turn: Callable[[], None] | None = getattr(loop, _TURN, None)
    if turn is None or _TURN in vars(loop):
        return

    def guarded_turn() -> None:
        try:
            turn()
        except (SystemExit, KeyboardInterrupt) as error:
            frames = list(_frames(error))
            plugin = None if _is_of_signal(error, frames) else _culprit(frames)
            if plugin is None:
                raise
            logger.exception("the plugin failed", extra={"plugin": plugin, "method": _WHAT})

    setattr(loop, _TURN, guarded_turn)


def _frames(error: BaseException) -> Iterator[FrameType]:
    trace = error.__traceback__
    while trace is not None:
        yield trace.tb_frame
        trace = trace.tb_next


def _culprit(frames: list[FrameType]) -> str | None:
    """Return the plugin that has begun what has raised, or whose code that is; None for others."""
    for frame in frames:
        if frame.f_code is _RUN_HANDLE:
            context: Context | None = getattr(frame.f_locals.get("self"), "_context", None)
            call = None if context is None else context.get(CURRENT)
            if call is not None and call.plugin:
                return call.plugin
    # What a thread of the plugin's own has begun knows of no call.
    names = (str(frame.f_globals.get("__name__", "")) for frame in reversed(frames))
    return next(filter(None, map(plugin_of_module, names)), None)


def _is_of_signal(error: BaseException, frames: list[FrameType]) -> bool:
    """Return whether a handler of signals has raised something: that is the operator's wish.

    It may come in the midst of a plugin's code.
    """
    handlers = [signal.getsignal(number) for number in signal.valid_signals()]
    is_main = threading.current_thread() is threading.main_thread()
    if isinstance(error, KeyboardInterrupt) and is_main and signal.default_int_handler in handlers:
        return True  # it leaves no frame, so nobody can tell
    codes = set(filter(None, map(_code_of, handlers)))
    return any(frame.f_code in codes for frame in frames)


def _code_of(handler: Any) -> CodeType | None:
    while isinstance(handler, functools.partial):
        handler = handler.func
    function = getattr(handler, "__func__", handler)
    code = getattr(function, "__code__", None)
    return code if isinstance(code, CodeType) else None
