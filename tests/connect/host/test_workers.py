"""The places of a plugin's threads, however its calls work, wait and are given up."""

from __future__ import annotations

import asyncio
import threading
import time
from collections.abc import Callable
from functools import partial
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nekonex.connect.host import workers as module
from nekonex.connect.host.calls import Call, waiting
from nekonex.connect.host.posts import Posts
from nekonex.connect.host.workers import StuckError, Workers
from tests.support.waiting import until

STEPS = st.lists(st.sampled_from(["work", "wait", "nap"]), max_size=5)


class Meter:
    """Counts the calls that are at work and were not given up."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._working: set[int] = set()
        self._given_up: set[int] = set()
        self.most = 0

    def enter(self, number: int) -> None:
        with self._lock:
            if number not in self._given_up:
                self._working.add(number)
            self.most = max(self.most, len(self._working))

    def leave(self, number: int) -> None:
        with self._lock:
            self._working.discard(number)

    def give_up(self, number: int) -> None:
        with self._lock:
            self._given_up.add(number)
            self._working.discard(number)


def at_rest(workers: Workers) -> bool:
    return (workers._free, workers._waiting, workers._written_off) == (workers._places, 0, 0)


@settings(max_examples=40)
@given(
    places=st.integers(1, 3),
    max_waiting=st.integers(1, 4),
    programs=st.lists(STEPS, min_size=1, max_size=10),
    given_up=st.lists(st.tuples(st.integers(0, 9), st.integers(0, 6)), max_size=5),
)
async def test_no_more_calls_work_than_there_are_places_and_nobody_starves(
    places: int, max_waiting: int, programs: list[list[str]], given_up: list[tuple[int, int]]
) -> None:
    workers, meter = Workers("test", places, max_waiting, Posts()), Meter()

    def work(number: int, steps: list[str]) -> int:
        meter.enter(number)
        for step in steps:
            if step == "nap":
                time.sleep(0.0005)
            elif step == "wait":
                meter.leave(number)
                with waiting():
                    time.sleep(0.0005)
                meter.enter(number)
        meter.leave(number)
        return number

    async def call(number: int, steps: list[str]) -> int:
        result: int = await workers.run(Call("work"), work, number, steps)
        return result

    tasks = [asyncio.create_task(call(n, steps)) for n, steps in enumerate(programs)]
    for number, turns in given_up:
        for _ in range(turns):
            await asyncio.sleep(0)
        if number < len(tasks) and not tasks[number].done():
            meter.give_up(number)
            tasks[number].cancel()
    async with asyncio.timeout(10):
        results = await asyncio.gather(*tasks, return_exceptions=True)
    refusals = (asyncio.CancelledError, StuckError) if given_up else ()
    for number, result in enumerate(results):
        assert result == number or isinstance(result, refusals)
    # Places that calls keep while they wait are not counted by the meter, so this is exact.
    assert meter.most <= places
    await until(lambda: at_rest(workers))
    workers.close()


def stuck_call(workers: Workers, work: Callable[[], Any]) -> asyncio.Task[Any]:
    async def call() -> Any:
        return await workers.run(Call("work"), work)

    return asyncio.create_task(call())


class Gate:
    """A call that works, then waits in a method of ours, then works again, as a test says."""

    def __init__(self) -> None:
        self.begun, self.waits, self.back = (threading.Event() for _ in range(3))
        self.may_wait, self.may_return, self.may_end = (threading.Event() for _ in range(3))

    def __call__(self) -> str:
        self.begun.set()
        self.may_wait.wait(5)
        with waiting():
            self.waits.set()
            self.may_return.wait(5)
        self.back.set()
        self.may_end.wait(5)
        return "done"

    def open(self) -> None:
        for each in (self.may_wait, self.may_return, self.may_end):
            each.set()


@pytest.mark.parametrize("state", ["queued", "working", "waiting", "returning"])
async def test_a_call_that_is_given_up_leaves_its_place_to_others_in_every_state(
    state: str,
) -> None:
    workers = Workers("test", 2, 10, Posts())
    holder, gate = Gate(), Gate()
    holding = stuck_call(workers, holder)
    await asyncio.to_thread(holder.begun.wait, 5)
    other = Gate()
    if state == "queued":
        filling = stuck_call(workers, other)
    task = stuck_call(workers, gate)
    if state != "queued":
        await asyncio.to_thread(gate.begun.wait, 5)
    if state in {"waiting", "returning"}:
        gate.may_wait.set()
        await asyncio.to_thread(gate.waits.wait, 5)
    if state != "queued":
        filling = stuck_call(workers, other)
    if state in {"waiting", "returning"}:
        await asyncio.to_thread(other.begun.wait, 5)
    if state == "returning":
        gate.may_return.set()
        await until(lambda: workers._returning)
    task.cancel()
    await asyncio.wait([task])
    assert task.cancelled()
    await asyncio.to_thread(other.begun.wait, 5)
    for each in (holder, other, gate):
        each.open()
    assert await holding == await filling == "done"
    await until(lambda: at_rest(workers))
    assert gate.back.is_set() == (state != "queued")
    workers.close()


async def test_a_call_that_was_given_up_may_wait_again_without_a_place() -> None:
    workers = Workers("test", 1, 10, Posts())
    rounds = 0
    first, go_on = threading.Event(), threading.Event()

    def work() -> None:
        nonlocal rounds
        for _ in range(3):
            with waiting():
                first.set()
                go_on.wait(5)
            rounds += 1

    task = stuck_call(workers, work)
    await asyncio.to_thread(first.wait, 5)
    task.cancel()
    await asyncio.wait([task])
    assert workers._waiting == 1
    go_on.set()
    await until(lambda: rounds == 3)
    await until(lambda: at_rest(workers))
    workers.close()


def in_turn(*steps: Callable[[], Any]) -> Callable[[], None]:
    def run() -> None:
        for step in steps:
            step()

    return run


async def test_those_who_return_come_before_those_who_begin() -> None:
    workers = Workers("test", 1, 10, Posts())
    order: list[str] = []
    first = Gate()
    returning = stuck_call(workers, in_turn(first, partial(order.append, "returned")))
    await asyncio.to_thread(first.begun.wait, 5)
    second = Gate()
    working = stuck_call(workers, in_turn(second, partial(order.append, "worked")))
    first.may_wait.set()
    await asyncio.to_thread(second.begun.wait, 5)
    new = stuck_call(workers, partial(order.append, "began"))
    first.may_return.set()
    await until(lambda: workers._returning)
    first.open()
    second.open()
    await asyncio.gather(returning, working, new)
    assert order.index("returned") < order.index("began")
    workers.close()


async def test_only_so_many_give_their_places_back() -> None:
    workers = Workers("test", 2, 1, Posts())
    gates = [Gate(), Gate(), Gate()]
    tasks = [stuck_call(workers, gate) for gate in gates]
    for gate in gates[:2]:
        await asyncio.to_thread(gate.begun.wait, 5)
        gate.may_wait.set()
        await asyncio.to_thread(gate.waits.wait, 5)
    await asyncio.to_thread(gates[2].begun.wait, 5)
    assert (workers._waiting, workers._free) == (1, 0)
    for gate in gates:
        gate.open()
    assert await asyncio.gather(*tasks) == ["done"] * 3
    await until(lambda: at_rest(workers))
    workers.close()


async def test_a_system_without_threads_fails_the_call_and_not_the_pool(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    workers = Workers("test", 2, 10, Posts())

    class NoThread(threading.Thread):
        def start(self) -> None:
            raise RuntimeError("can't start new thread")

    with monkeypatch.context() as patch:
        patch.setattr(threading, "Thread", NoThread)
        with pytest.raises(RuntimeError, match="can't start new thread"):
            await workers.run(Call("work"), lambda: 1)
    assert await workers.run(Call("work"), lambda: 2) == 2
    await until(lambda: at_rest(workers))
    workers.close()


async def test_threads_end_when_nothing_is_to_be_done(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "IDLE_SECONDS", 0.01)
    workers = Workers("idle-test", 2, 10, Posts())

    def alive() -> list[str]:
        return [each.name for each in threading.enumerate() if "idle-test" in each.name]

    for _ in range(5):
        assert await workers.run(Call("work"), lambda: 1) == 1
        await until(lambda: not alive())
    workers.close()


async def test_a_pool_that_is_closed_begins_nothing() -> None:
    workers = Workers("test", 1, 10, Posts())
    gate = Gate()
    task = stuck_call(workers, gate)
    await asyncio.to_thread(gate.begun.wait, 5)
    queued = stuck_call(workers, lambda: 1)
    await asyncio.sleep(0)
    workers.close()
    with pytest.raises(RuntimeError, match="stopped"):
        await workers.run(Call("work"), lambda: 1)
    gate.open()
    assert await task == "done"
    queued.cancel()
    await asyncio.wait([queued])


async def test_a_result_comes_with_its_thread_s_exception_of_any_kind() -> None:
    workers = Workers("test", 1, 10, Posts())

    def fail(error: BaseException) -> None:
        raise error

    for error in (ValueError(), SystemExit(2), KeyboardInterrupt(), asyncio.CancelledError()):
        with pytest.raises(type(error)) as raised:
            await workers.run(Call("work"), fail, error)
        assert raised.value is error
        assert raised.traceback[-1].name == "fail"
    await until(lambda: at_rest(workers))
    workers.close()
