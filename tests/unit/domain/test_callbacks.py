from __future__ import annotations

import contextvars
import functools
import threading
from collections.abc import Awaitable

import pytest

from nekonex.domain import call_user, on_loop


def thread_name(_: object = None) -> str:
    return threading.current_thread().name


async def async_thread_name(_: object = None) -> str:
    return threading.current_thread().name


@on_loop
def quick_thread_name(_: object = None) -> str:
    return threading.current_thread().name


class Callable:
    async def __call__(self, _: object) -> str:
        return threading.current_thread().name


async def test_plain_functions_run_in_a_worker_thread() -> None:
    assert await call_user(thread_name) != thread_name()
    assert await call_user(functools.partial(thread_name, 1)) != thread_name()


async def test_coroutines_and_marked_functions_run_on_the_loop() -> None:
    assert await call_user(async_thread_name) == thread_name()
    assert await call_user(functools.partial(async_thread_name, 1)) == thread_name()
    assert await call_user(quick_thread_name) == thread_name()
    assert await call_user(functools.partial(quick_thread_name, 1)) == thread_name()
    assert await call_user(Callable(), 1) == thread_name()


async def test_a_plain_function_may_return_something_to_await() -> None:
    def returns_coroutine(argument: int) -> Awaitable[str]:
        return async_thread_name(argument)

    assert await call_user(returns_coroutine, 1) == thread_name()
    assert await call_user(on_loop(lambda: async_thread_name(5))) == thread_name()


async def test_arguments_context_and_errors_pass_through() -> None:
    variable: contextvars.ContextVar[int] = contextvars.ContextVar("variable")
    variable.set(5)
    assert await call_user(lambda one, two: (one, two, variable.get()), 1, 2) == (1, 2, 5)

    def fails() -> None:
        raise KeyError("mine")

    with pytest.raises(KeyError, match="mine"):
        await call_user(fails)


async def test_stop_iteration_does_not_hang_whoever_waits() -> None:
    def first_of_nothing() -> int:
        return next(iter(()))

    with pytest.raises(RuntimeError, match="StopIteration"):
        await call_user(first_of_nothing)
