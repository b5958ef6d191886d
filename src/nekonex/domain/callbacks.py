"""Calling what users of the library hand in: plain functions and coroutines alike."""

from __future__ import annotations

import asyncio
import functools
import inspect
from collections.abc import Awaitable, Callable
from typing import Any, TypeVar, overload

__all__ = ["call_user", "on_loop"]

_F = TypeVar("_F", bound=Callable[..., Any])
_T = TypeVar("_T")

_ON_LOOP = "__nekonex_on_loop__"


def on_loop(function: _F) -> _F:
    """Mark a plain callback as quick: it is called on the event loop, without a worker thread.

    What it marks must never wait for anything. Usable as a decorator.
    """
    setattr(function, _ON_LOOP, True)
    return function


@overload
async def call_user(function: Callable[..., Awaitable[_T]], *args: object) -> _T: ...


@overload
async def call_user(function: Callable[..., Awaitable[_T] | _T], *args: object) -> _T: ...


async def call_user(function: Callable[..., Any], *args: object) -> Any:
    """Call ``function`` and return what it returns, awaited if need be.

    A coroutine function runs on the event loop; a plain function runs in a worker thread, unless
    `on_loop` marks it, because it may wait for a database. Raises what the function raises.
    """
    if _runs_on_loop(function):
        result = function(*args)
    else:
        result = await asyncio.to_thread(_without_stop_iteration, function, args)
    if inspect.isawaitable(result):
        return await result
    return result


def _runs_on_loop(function: Callable[..., Any]) -> bool:
    while isinstance(function, functools.partial):
        function = function.func
    if getattr(function, _ON_LOOP, False) or inspect.iscoroutinefunction(function):
        return True
    return inspect.iscoroutinefunction(type(function).__call__)


def _without_stop_iteration(function: Callable[..., _T], args: tuple[object, ...]) -> _T:
    # A future cannot carry StopIteration: asyncio would never wake whoever waits for it.
    try:
        return function(*args)
    except StopIteration as error:
        raise RuntimeError("a callback raised StopIteration") from error
