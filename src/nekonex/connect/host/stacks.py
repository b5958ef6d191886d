"""Where a plugin is, for the report that it is stuck."""

from __future__ import annotations

import sys
import traceback
from types import CoroutineType, FrameType, GeneratorType
from typing import Any

from nekonex.connect.host.calls import Call

__all__ = ["stack_of", "stack_of_thread"]


def stack_of(call: Call) -> str:
    """Return the lines of code that a call is in, the innermost last."""
    if call.thread is not None:
        return stack_of_thread(call.thread)
    frames: list[FrameType] = []
    coroutine: Any = None if call.runner is None else call.runner.get_coro()
    # What they wait for in the end may be any object of an author's, and raise at any touch.
    while isinstance(coroutine, CoroutineType | GeneratorType):
        if isinstance(coroutine, CoroutineType):
            frame, coroutine = coroutine.cr_frame, coroutine.cr_await
        else:
            frame, coroutine = coroutine.gi_frame, coroutine.gi_yieldfrom
        if frame is not None:
            frames.append(frame)
    lines = traceback.StackSummary.extract((frame, frame.f_lineno) for frame in frames)
    return "".join(lines.format()).rstrip()


def stack_of_thread(thread: int) -> str:
    """Return the lines of code that a thread is in."""
    frame = sys._current_frames().get(thread)  # noqa: SLF001 - there is no other way
    return "" if frame is None else "".join(traceback.format_stack(frame)).rstrip()
