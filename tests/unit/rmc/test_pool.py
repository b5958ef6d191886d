"""The tasks that turns run in."""

import asyncio
import contextlib
import logging
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from nekonex.rmc import TaskPool
from tests.unit.rmc.fakes import settle


class Job:
    def __init__(self, work: Callable[[], Awaitable[None]]) -> None:
        self._work = work

    async def turn(self, task: asyncio.Task[Any]) -> None:
        assert task is asyncio.current_task()
        await self._work()


async def no_work() -> None:
    pass


async def test_turns_that_do_not_wait_share_one_task() -> None:
    pool = TaskPool()
    seen = []

    async def work() -> None:
        seen.append(asyncio.current_task())

    for _ in range(3):
        for _ in range(50):
            pool.submit(Job(work))
        await settle()
    assert len(seen) == 150
    assert len(set(seen)) == 1
    assert pool.tasks == 1
    pool.close()
    await settle()
    assert pool.tasks == 0


async def test_where_every_turn_waits_all_begin_within_a_few_passes_of_the_loop() -> None:
    pool, gate, running = TaskPool(), asyncio.Event(), 0

    async def work() -> None:
        nonlocal running
        running += 1
        await gate.wait()

    for _ in range(300):
        pool.submit(Job(work))
    for _ in range(11):
        await asyncio.sleep(0)
    assert running == 300
    assert pool.tasks == 300
    gate.set()
    await settle()
    assert pool.tasks == 256
    for _ in range(10):
        pool.trim()
    await settle()
    assert pool.tasks == 0
    done = asyncio.Event()

    async def finish() -> None:
        done.set()

    pool.submit(Job(finish))
    await done.wait()
    pool.close()


async def test_a_closed_pool_still_finishes_what_it_is_given() -> None:
    pool, gate, done = TaskPool(), asyncio.Event(), []

    async def work() -> None:
        await gate.wait()
        done.append(1)

    pool.submit(Job(work))
    await settle()
    pool.close()
    pool.submit(Job(work))
    gate.set()
    await settle()
    assert done == [1, 1]
    assert pool.tasks == 0


async def test_a_turn_that_raises_is_logged_and_the_queue_goes_on(
    caplog: pytest.LogCaptureFixture,
) -> None:
    pool, done = TaskPool(), []

    async def fail() -> None:
        raise ZeroDivisionError

    async def work() -> None:
        done.append(1)

    with caplog.at_level(logging.CRITICAL, "nekonex.rmc"):
        for job in (fail, work, fail, work):
            pool.submit(Job(job))
        await settle()
    assert done == [1, 1]
    assert caplog.text.count("ZeroDivisionError") >= 2
    pool.submit(Job(work))
    await settle()
    assert done == [1, 1, 1]
    pool.close()


async def test_cancelling_an_idle_task_loses_nothing() -> None:
    pool, done = TaskPool(), []

    async def work() -> None:
        done.append(1)

    pool.submit(Job(no_work))
    await settle()
    (task,) = pool._tasks
    pool.submit(Job(work))
    task.cancel()  # between its wake-up and its run
    await settle()
    assert done == [1]
    (task,) = pool._tasks
    task.cancel()
    await settle()
    assert pool.tasks == 0
    assert pool._idle == {}
    pool.submit(Job(work))
    (task,) = pool._tasks
    task.cancel()  # before its first step
    await settle()
    assert done == [1, 1]
    pool.close()


async def test_a_task_that_others_cancel_ends_even_if_its_turn_does_not_care() -> None:
    pool, release = TaskPool(), asyncio.Event()

    async def stubborn() -> None:
        while not release.is_set():
            with contextlib.suppress(asyncio.CancelledError):
                await release.wait()

    pool.submit(Job(stubborn))
    await settle()
    (task,) = pool._tasks
    task.cancel()
    await settle()
    assert not task.done()
    release.set()
    await settle()
    assert task.done()
    assert pool.tasks == 0


async def test_values_and_errors_reach_a_waiting_turn() -> None:
    pool, seen = TaskPool(), []
    loop = asyncio.get_running_loop()
    good: asyncio.Future[str] = loop.create_future()
    bad: asyncio.Future[str] = loop.create_future()

    async def work() -> None:
        seen.append(await good)
        try:
            await bad
        except OSError as error:
            seen.append(str(error))

    pool.submit(Job(work))
    await settle()
    good.set_result("good")
    await settle()
    bad.set_exception(OSError("bad"))
    await settle()
    assert seen == ["good", "bad"]
    pool.close()
