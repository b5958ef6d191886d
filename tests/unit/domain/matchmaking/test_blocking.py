from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nekonex.domain.matchmaking import MatchmakingError, MatchmakingLimits, Refusal
from nekonex.domain.matchmaking.relations.blocking import BlockLists
from nekonex.storage.memory_preferences import MemoryPreferenceStore
from tests.support.waiting import until


class Slow:
    """A store that answers with what it read when it was asked, but only when told to."""

    def __init__(self) -> None:
        self.store = MemoryPreferenceStore()
        self.reads = 0
        self.answer = asyncio.Event()
        self.answer.set()

    async def block_list(self, pid: int) -> Any:
        self.reads += 1
        read = await self.store.block_list(pid)
        await self.answer.wait()
        return read

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


def lists(store: Any = None, **limits: Any) -> BlockLists:
    return BlockLists(store or MemoryPreferenceStore(), MatchmakingLimits(**limits))


async def test_players_are_blocked_and_unblocked() -> None:
    blocking = lists()
    assert await blocking.of(1) == ()
    await blocking.add(1, [5, 3, 5])
    await blocking.add(1, [4, 3])
    assert await blocking.of(1) == (5, 3, 4)
    await blocking.remove(1, [3, 99])
    assert await blocking.of(1) == (5, 4)
    await blocking.clear(1)
    assert await blocking.of(1) == ()
    assert await blocking.of(2) == ()


async def test_only_so_many_are_blocked() -> None:
    blocking = lists(max_blocked=3)
    await blocking.add(1, [1, 2, 3])
    with pytest.raises(MatchmakingError) as caught:
        await blocking.add(1, [3, 4])
    assert caught.value.refusal is Refusal.INVALID
    assert await blocking.of(1) == (1, 2, 3)
    await blocking.add(1, [3])


async def test_any_of_several_may_have_blocked() -> None:
    blocking = lists()
    await blocking.add(2, [9])
    assert await blocking.blockers([1, 2, 3], 9)
    assert not await blocking.blockers([1, 3], 9)
    assert not await blocking.blockers([], 9)
    assert not await blocking.blockers([9], 2)


async def test_what_is_in_memory_tells_as_well() -> None:
    blocking = lists()
    await blocking.add(2, [9])
    assert not blocking.known_blockers([2], 9)
    await blocking.of(2)
    assert blocking.known_blockers([1, 2], 9)
    assert not blocking.known_blockers([1, 2], 8)


async def test_a_list_is_read_once() -> None:
    store = Slow()
    blocking = lists(store)
    for _ in range(3):
        await blocking.of(1)
    assert store.reads == 1
    blocking.forget(1)
    await blocking.of(1)
    assert store.reads == 2


async def test_the_lists_of_those_who_asked_last_are_remembered() -> None:
    store = Slow()
    blocking = lists(store, remembered_players=2)
    for pid in (1, 2, 1, 3, 1):
        await blocking.of(pid)
    assert store.reads == 3
    await blocking.of(2)
    assert store.reads == 4


@pytest.mark.parametrize("change", ["add", "remove", "clear"])
async def test_what_was_read_before_a_change_is_not_remembered_after_it(change: str) -> None:
    store = Slow()
    blocking = lists(store)
    await blocking.add(1, [5])
    store.answer.clear()
    reading = asyncio.ensure_future(blocking.of(1))
    await until(lambda: store.reads)

    if change == "add":
        await blocking.add(1, [6])
    elif change == "remove":
        await blocking.remove(1, [5])
    else:
        await blocking.clear(1)
    store.answer.set()
    assert await reading == (5,)

    assert await blocking.of(1) == ((5, 6) if change == "add" else ())
