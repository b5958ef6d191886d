from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nekonex.domain.ports import UniqueIdStore
from nekonex.domain.unique_ids import (
    Refusal,
    UniqueId,
    UniqueIdError,
    UniqueIdLimits,
    check_association,
)
from nekonex.storage import Stores, memory_stores, open_local

OpenStores = Callable[[], AbstractAsyncContextManager[Stores]]

LIMITS = UniqueIdLimits(
    max_acquired=3, max_acquired_in_all=5, max_released=2, acquired_seconds=100.0
)
BIG = 2**64 - 1


async def create(
    store: UniqueIdStore, value: int, pid: int, now: float, *, password: int = 0
) -> bool:
    return await store.create(UniqueId(value, password), pid, now=now, limits=LIMITS)


async def associate(
    store: UniqueIdStore, pid: int, values: list[int], now: float, *, password: int = 0
) -> Refusal | None:
    """Associate ids that have one password; return why not."""
    check = check_association(pid, [UniqueId(value, password) for value in values], now)
    try:
        await store.associate(pid, values, check, now=now, limits=LIMITS)
    except UniqueIdError as error:
        return error.refusal
    return None


async def of(store: UniqueIdStore, pid: int) -> list[int]:
    return [each.value for each in await store.of(pid)]


async def test_an_id_is_made_once_and_its_players_when_it_is_associated(
    open_stores: OpenStores,
) -> None:
    async with open_stores() as stores:
        store = stores.unique_ids("mk8")
        assert await create(store, BIG, BIG, 1, password=BIG - 1)
        assert not await create(store, BIG, 7, 2)
        assert await store.of(BIG) == []
        assert await associate(store, 7, [BIG], 3) is Refusal.DENIED
        assert await associate(store, 7, [BIG, 1], 3, password=BIG - 1) is Refusal.UNKNOWN
        assert await associate(store, 7, [BIG], 3, password=BIG - 1) is None
        assert await store.of(7) == [UniqueId(BIG, BIG - 1)]
        assert not await create(store, BIG, 7, 4)
        assert await associate(store, BIG, [BIG], 5, password=BIG - 1) is Refusal.DENIED
        assert (await of(store, 7), await of(store, BIG), await store.count()) == ([BIG], [], 1)


async def test_ids_are_in_the_order_of_associating(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        store = stores.unique_ids("mk8")
        for value in (5, BIG, 4):
            assert await create(store, value, 7, 1)
        for order in ([BIG, 4, 5], [4, BIG], [5, 4, BIG], []):
            assert await associate(store, 7, order, 4) is None
            assert await of(store, 7) == order
        assert await store.count() == 2  # two may be released


async def test_a_refusal_changes_nothing(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        store = stores.unique_ids("mk8")
        for value in (1, 2, 3):
            assert await create(store, value, 7, value)
        assert await associate(store, 7, [2, 1], 4) is None
        assert await associate(store, 7, [3, 9], 5) is Refusal.UNKNOWN
        assert await of(store, 7) == [2, 1]
        assert await associate(store, 8, [3], 6) is None
        assert await associate(store, 7, [1, 3], 7) is Refusal.DENIED
        assert (await of(store, 7), await of(store, 8)) == ([2, 1], [3])


async def test_what_was_released_may_be_associated_by_whoever_knows_it(
    open_stores: OpenStores,
) -> None:
    async with open_stores() as stores:
        store = stores.unique_ids("mk8")
        for value in (1, 2, 3):
            assert await create(store, value, 7, 1, password=99)
        assert await associate(store, 7, [1], 2, password=99) is None
        assert await associate(store, 7, [2], 3, password=99) is None
        assert await associate(store, 8, [1], 1e9, password=99) is None
        assert (await of(store, 7), await of(store, 8)) == ([2], [1])
        # It is of the one who had it last: with that one it goes.
        assert await associate(store, 8, [], 1e9) is None
        assert await store.remove_of(8) == 1
        assert await store.remove_of(7) == 2
        assert await store.count() == 0


async def test_of_the_released_the_newest_stay(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        store = stores.unique_ids("mk8")
        for value in (1, 2, 3, 4):
            assert await create(store, value, 7, value)
            assert await associate(store, 7, [value], value) is None
        assert await associate(store, 7, [1], 5) is Refusal.UNKNOWN
        assert await associate(store, 7, [2], 5) is None
        assert await associate(store, 7, [3, 4, 2], 6) is None


async def test_acquired_ids_make_room_for_newer_ones(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        store = stores.unique_ids("mk8")
        for value in range(1, 5):
            assert await create(store, value, 7, value)
        assert await associate(store, 7, [1], 5) is Refusal.UNKNOWN
        assert await associate(store, 7, [2], 5) is None
        assert await store.count() == 3
        for value in range(5, 9):
            assert await create(store, value, value, value)
        # Five of all players: the oldest, 3, was forgotten, and the associated one does not count.
        assert await associate(store, 7, [3], 9) is Refusal.UNKNOWN
        assert await of(store, 7) == [2]
        assert await store.count() == 6


async def test_acquired_ids_expire(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        store = stores.unique_ids("mk8")
        assert await create(store, 1, 7, 0)
        assert await create(store, 2, 7, 50)
        assert await associate(store, 7, [2], 99) is None
        assert await associate(store, 7, [1], 100) is Refusal.UNKNOWN
        assert await associate(store, 7, [1, 2], 99) is None
        assert await create(store, 3, 8, 100)
        assert await create(store, 4, 9, 200)
        assert await store.count() == 3
        assert await of(store, 7) == [1, 2]


async def test_a_clock_that_was_set_back_does_not_make_the_newest_the_oldest(
    open_stores: OpenStores,
) -> None:
    async with open_stores() as stores:
        store = stores.unique_ids("mk8")
        for value in range(1, 5):
            assert await create(store, value, 7, 50 - value)
        assert await associate(store, 7, [1], 46) is Refusal.UNKNOWN
        assert await associate(store, 7, [4, 3, 2], 46) is None


async def test_games_know_nothing_of_each_other(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        mk8, splatoon = stores.unique_ids("mk8"), stores.unique_ids("splatoon")
        assert await create(mk8, 1, 7, 1)
        assert await associate(splatoon, 7, [1], 2) is Refusal.UNKNOWN
        assert await create(splatoon, 1, 8, 1)
        assert await associate(splatoon, 8, [1], 2) is None
        assert await associate(mk8, 7, [1], 2) is None
        assert await splatoon.remove_of(7) == 0
        assert await mk8.remove_of(7) == 1
        assert (await mk8.count(), await splatoon.count()) == (0, 1)


async def test_of_many_who_want_one_id_one_has_it(open_stores: OpenStores) -> None:
    async with open_stores() as stores:
        store = stores.unique_ids("mk8")
        assert await create(store, 1, 7, 1)
        refusals = await asyncio.gather(*[associate(store, pid, [1], 2) for pid in range(1, 21)])
        assert refusals.count(None) == 1
        assert refusals.count(Refusal.DENIED) == 19
        winner = refusals.index(None) + 1
        assert await of(store, winner) == [1]


async def test_all_is_there_after_a_restart(tmp_path: Path) -> None:
    async with open_local(tmp_path) as stores:
        store = stores.unique_ids("mk8")
        for value in (1, 2, 3):
            assert await create(store, value, 7, 1, password=9)
        assert await associate(store, 7, [2, 1], 2, password=9) is None
        assert await associate(store, 7, [1], 3, password=9) is None
    async with open_local(tmp_path) as stores:
        store = stores.unique_ids("mk8")
        assert list(await store.of(7)) == [UniqueId(1, 9)]
        assert await associate(store, 8, [2, 3], 4, password=9) is None


_values = st.integers(1, 8)
_pids = st.integers(1, 3)
_steps = st.lists(
    st.one_of(
        st.tuples(st.just("create"), _values, _pids),
        st.tuples(st.just("associate"), st.lists(_values, max_size=3, unique=True), _pids),
        st.tuples(st.just("remove"), st.none(), _pids),
    ),
    max_size=30,
)


@settings(max_examples=25)
@given(steps=_steps, pace=st.sampled_from([1, 10, 40]))
async def test_both_adapters_do_the_same(
    steps: list[tuple[str, int | list[int] | None, int]], pace: int
) -> None:
    async with AsyncExitStack() as stack:
        directory = stack.enter_context(TemporaryDirectory())
        local = await stack.enter_async_context(open_local(Path(directory)))
        both = [memory_stores().unique_ids("mk8"), local.unique_ids("mk8")]
        for number, (kind, what, pid) in enumerate(steps):
            now = float(number * pace)
            results: list[object] = []
            for store in both:
                match kind, what:
                    case "create", int(value):
                        results.append(await create(store, value, pid, now))
                    case "associate", list(values):
                        results.append(await associate(store, pid, values, now))
                    case _:
                        results.append(await store.remove_of(pid))
            assert results[0] == results[1], (number, kind)
            for player in (1, 2, 3):
                assert await of(both[0], player) == await of(both[1], player)
            assert await both[0].count() == await both[1].count()


@pytest.mark.parametrize(
    "changes",
    [
        {"max_associated": 0},
        {"max_acquired": 0},
        {"max_acquired_in_all": 0},
        {"max_released": 0},
        {"acquired_seconds": 0},
        {"acquired_seconds": float("nan")},
    ],
)
def test_limits_are_above_0(changes: dict[str, float]) -> None:
    with pytest.raises(ValueError, match="above 0"):
        UniqueIdLimits(**changes)  # type: ignore[arg-type]
