"""What every test of the suite gets: hypothesis profiles, an asyncio runner, leak guards."""

from __future__ import annotations

import asyncio
import functools
import gc
import inspect
import multiprocessing
import os
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar

import pytest
from hypothesis import HealthCheck, settings

_T = TypeVar("_T")

ASYNC_TIMEOUT = 60.0
"""Seconds an `async def` test may take before it fails instead of hanging the suite."""

LEAK_GRACE = 2.0
"""Seconds that tasks, threads and processes get to finish after their test has returned."""

_SLOW_MACHINE = [HealthCheck.too_slow]

settings.register_profile("dev", deadline=None, suppress_health_check=_SLOW_MACHINE)
settings.register_profile(
    "ci",
    deadline=None,
    derandomize=True,
    print_blob=True,
    suppress_health_check=_SLOW_MACHINE,
)
settings.load_profile("ci" if os.environ.get("CI") else "dev")


# The suite tells by itself what is configured: nothing from outside may get in, into the servers
# that tests start neither.
for _name in [name for name in os.environ if name.startswith("NEKONEX_")]:
    del os.environ[_name]


def pytest_configure(config: pytest.Config) -> None:
    config.addinivalue_line(
        "markers", f"async_timeout(seconds): limit of an async test, instead of {ASYNC_TIMEOUT:g}"
    )
    config.addinivalue_line(
        "markers", "allow_leaks: threads and child processes may outlive this test"
    )


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Return one worker more than there are cores: tests wait for others a quarter of the time."""
    return (os.cpu_count() or 1) + 1


def pytest_collection_finish() -> None:
    # Thousands of tests stay until the end: no collection of garbage needs to look at them again.
    gc.collect()
    gc.freeze()


async def _run_guarded(test: Awaitable[None], limit: float) -> None:
    async with asyncio.timeout(limit):
        await test
    # Runner.close() would cancel what is left without a word, and hide a missing clean-up.
    current = asyncio.current_task()
    deadline = time.monotonic() + LEAK_GRACE
    while leaked := [task for task in asyncio.all_tasks() if task is not current]:
        if time.monotonic() > deadline:
            pytest.fail(f"the test left asyncio tasks behind: {leaked}", pytrace=False)
        await asyncio.sleep(0.005)


def _synchronous(function: Callable[..., Awaitable[None]], limit: float) -> Callable[..., None]:
    @functools.wraps(function)
    def run(*args: Any, **kwargs: Any) -> None:
        with asyncio.Runner() as runner:
            try:
                runner.run(_run_guarded(function(*args, **kwargs), limit))
            finally:
                # What the collector finds later, it would report in the log of another test.
                runner.get_loop().set_exception_handler(lambda *_: None)

    return run


@pytest.hookimpl(tryfirst=True)
def pytest_pyfunc_call(pyfuncitem: pytest.Function) -> bool | None:
    """Run `async def` tests, under `@given` too, each call in an event loop of its own."""
    marker = pyfuncitem.get_closest_marker("async_timeout")
    limit = float(marker.args[0]) if marker else ASYNC_TIMEOUT
    test = pyfuncitem.obj
    handle = getattr(test, "hypothesis", None)
    if handle is not None:
        if inspect.iscoroutinefunction(handle.inner_test):
            handle.inner_test = _synchronous(handle.inner_test, limit)
        return None
    if not inspect.iscoroutinefunction(test):
        return None
    names = pyfuncitem._fixtureinfo.argnames
    _synchronous(test, limit)(**{name: pyfuncitem.funcargs[name] for name in names})
    return True


def _eventually_empty(leaked: Callable[[], list[_T]]) -> list[_T]:
    deadline = time.monotonic() + LEAK_GRACE
    while (left := leaked()) and time.monotonic() < deadline:
        time.sleep(0.005)
    return left


@pytest.fixture(autouse=True)
def _no_leaks(request: pytest.FixtureRequest) -> Iterator[None]:
    """Fail a test that leaves a thread or a `multiprocessing` child running.

    What fixtures of a wider scope start counts as there before. A `subprocess` that nobody
    waited for warns when it is collected, and warnings are errors here.
    """
    threads = set(threading.enumerate())
    children = set(multiprocessing.active_children())
    yield
    if request.node.get_closest_marker("allow_leaks"):
        return
    left_threads = _eventually_empty(lambda: list(set(threading.enumerate()) - threads))
    left_children = _eventually_empty(
        lambda: list(set(multiprocessing.active_children()) - children)
    )
    if left_threads or left_children:
        pytest.fail(
            f"the test left threads {left_threads} and processes {left_children} behind",
            pytrace=False,
        )
