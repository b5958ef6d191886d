from __future__ import annotations

import asyncio

import pytest

from nekonex.storage.sqlite.admission import Admission


class Visits:
    """Enter one after the other, and stay until they are told to leave."""

    def __init__(self, limit: int) -> None:
        self.inside: list[int] = []
        self.tasks: list[asyncio.Task[None]] = []
        self._admission = Admission(limit)
        self._leaving: list[asyncio.Event] = []

    async def arrive(self, *sizes: int) -> None:
        for size in sizes:
            self._leaving.append(asyncio.Event())
            self.tasks.append(asyncio.create_task(self._visit(len(self.tasks), size)))
        await self.settle()

    async def leave(self, *visitors: int) -> None:
        for visitor in visitors:
            self._leaving[visitor].set()
        await self.settle()
        await asyncio.gather(*[self.tasks[visitor] for visitor in visitors])

    async def settle(self) -> None:
        for _ in range(5):
            await asyncio.sleep(0)

    async def _visit(self, visitor: int, size: int) -> None:
        async with self._admission.admitted(size):
            self.inside.append(visitor)
            await self._leaving[visitor].wait()
            self.inside.remove(visitor)


async def test_first_come_first_served() -> None:
    visits = Visits(10)
    await visits.arrive(4, 6, 5, 0, 5)
    assert visits.inside == [0, 1]
    await visits.leave(0)
    # Neither 3, which would fit, nor 4 goes in before 2.
    assert visits.inside == [1]
    await visits.leave(1)
    assert visits.inside == [2, 3, 4]
    await visits.leave(2, 3, 4)


async def test_what_is_larger_than_the_limit_goes_alone() -> None:
    visits = Visits(10)
    await visits.arrive(1, 99, 1)
    assert visits.inside == [0]
    await visits.leave(0)
    assert visits.inside == [1]
    await visits.leave(1)
    assert visits.inside == [2]
    await visits.leave(2)


async def test_who_gives_up_waiting_holds_up_nobody() -> None:
    visits = Visits(10)
    await visits.arrive(5, 9, 9, 5, 5)
    assert visits.inside == [0]
    visits.tasks[2].cancel()
    await visits.settle()
    assert visits.inside == [0]
    visits.tasks[1].cancel()
    await visits.settle()
    assert visits.inside == [0, 3]
    await visits.leave(0)
    assert visits.inside == [3, 4]
    await visits.leave(3, 4)
    assert [task.cancelled() for task in visits.tasks] == [False, True, True, False, False]


async def test_who_gives_up_just_when_let_in_makes_room_again() -> None:
    admission = Admission(10)
    visits: list[int] = []

    async def visit(number: int) -> None:
        async with admission.admitted(10):
            visits.append(number)

    async with admission.admitted(10):
        tasks = [asyncio.create_task(visit(number)) for number in range(3)]
        await asyncio.sleep(0)
    # The first has been let in, and has not run since.
    tasks[0].cancel()
    with pytest.raises(asyncio.CancelledError):
        await tasks[0]
    await asyncio.gather(*tasks[1:])
    assert visits == [1, 2]
    async with admission.admitted(10):
        pass


async def test_an_error_inside_makes_room_again() -> None:
    admission = Admission(10)
    for _ in range(2):
        with pytest.raises(KeyError):
            async with admission.admitted(10):
                raise KeyError
