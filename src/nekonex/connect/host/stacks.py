"""Where a plugin is, for the report that it is stuck."""

from __future__ import annotations

import sys
import traceback
from types import FrameType
from typing import Any

from nekonex.connect.host.calls import Call

__all__ = ["stack_of", "stack_of_thread"]


def stack_of(call: Call) -> str:
    """Return the lines of code that a call is in, the innermost last."""
    if call.thread is not None:
        return stack_of_thread(call.thread)
    frames: list[FrameType] = []
    coroutine: Any = None if call.runner is None else call.runner.get_coro()
    while coroutine is not None:
        frame = getattr(coroutine, "cr_frame", None) or getattr(coroutine, "gi_frame", None)
        if frame is not None:
            frames.append(frame)
        coroutine = getattr(coroutine, "cr_await", None) or getattr(coroutine, "gi_yieldfrom", None)
    lines = traceback.StackSummary.extract((frame, frame.f_lineno) for frame in frames)
    return "".join(lines.format()).rstrip()


def stack_of_thread(thread: int) -> str:
    """Return the lines of code that a thread is in."""
    frame = sys._current_frames().get(thread)  # noqa: SLF001 - there is no other way
    return "" if frame is None else "".join(traceback.format_stack(frame)).rstrip()
