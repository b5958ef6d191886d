from __future__ import annotations

from collections.abc import Iterator

import pytest

from nekonex.domain.unique_ids import (
    Refusal,
    UniqueId,
    UniqueIdError,
    UniqueIdLimits,
    UniqueIds,
)
from nekonex.storage.memory_unique_ids import MemoryUniqueIdStore
from nekonex.values.unavailable import ServiceUnavailable

DAY = 86_400.0


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


async def refusal(ids: UniqueIds, pid: int, *wanted: UniqueId) -> Refusal | None:
    try:
        await ids.associate(pid, wanted)
    except UniqueIdError as error:
        return error.refusal
    return None


def drawing(*numbers: int) -> Iterator[int]:
    return iter(numbers)


async def test_numbers_are_never_0() -> None:
    draw = drawing(0, 5, 0, 0, 6, 0, 7).__next__
    ids = UniqueIds(MemoryUniqueIdStore(), draw=draw)
    assert await ids.acquire(1, with_password=True) == UniqueId(5, 6)
    assert await ids.acquire(1, with_password=False) == UniqueId(7, 0)


async def test_a_number_that_is_in_use_is_drawn_again() -> None:
    draw = drawing(5, 6, 5, 8, 9, 9).__next__
    ids = UniqueIds(MemoryUniqueIdStore(), draw=draw)
    await ids.acquire(1, with_password=True)
    assert await ids.acquire(2, with_password=True) == UniqueId(9, 9)


@pytest.mark.parametrize("number", [0, 5])
async def test_without_any_chance_there_is_none(number: int) -> None:
    store = MemoryUniqueIdStore()
    await UniqueIds(store, draw=lambda: 5).acquire(1, with_password=False)
    with pytest.raises(ServiceUnavailable):
        await UniqueIds(store, draw=lambda: number).acquire(1, with_password=False)


async def test_numbers_of_64_bits_that_differ() -> None:
    ids = UniqueIds(MemoryUniqueIdStore(), limits=UniqueIdLimits(max_acquired=64))
    made = [await ids.acquire(1, with_password=True) for _ in range(64)]
    numbers = {number for each in made for number in (each.value, each.password)}
    assert len(numbers) == 128
    assert max(numbers) > 2**60


async def test_acquiring_does_not_associate() -> None:
    ids = UniqueIds(MemoryUniqueIdStore())
    made = await ids.acquire(1, with_password=True)
    assert await ids.of(1) == []
    await ids.associate(1, [made])
    assert await ids.of(1) == [made]
    await ids.associate(1, [])
    assert await ids.of(1) == []


async def test_number_0_means_no_id() -> None:
    ids = UniqueIds(MemoryUniqueIdStore())
    one, two = [await ids.acquire(1, with_password=True) for _ in range(2)]
    await ids.associate(1, [UniqueId(0), one, UniqueId(0, 3), two])
    assert await ids.of(1) == [one, two]
    await ids.associate(1, [UniqueId(0)])
    assert await ids.of(1) == []


async def test_who_may_have_an_id() -> None:
    ids = UniqueIds(MemoryUniqueIdStore())
    made, other = [await ids.acquire(1, with_password=True) for _ in range(2)]
    wrong = UniqueId(made.value, made.password ^ 1)
    assert await refusal(ids, 1, wrong) is Refusal.DENIED
    assert await refusal(ids, 1, UniqueId(made.value)) is Refusal.DENIED
    assert await refusal(ids, 1, UniqueId(made.value ^ 1, made.password)) is Refusal.UNKNOWN
    assert await refusal(ids, 2, made) is None
    assert await refusal(ids, 1, made) is Refusal.DENIED
    assert await refusal(ids, 1, other, made) is Refusal.DENIED
    assert await ids.of(1) == []
    assert await refusal(ids, 2) is None
    assert await refusal(ids, 1, other, made) is None
    assert await ids.of(1) == [other, made]


async def test_lists_have_a_limit_and_no_doubles() -> None:
    ids = UniqueIds(MemoryUniqueIdStore(), limits=UniqueIdLimits(max_associated=2))
    one, two, three = [await ids.acquire(1, with_password=False) for _ in range(3)]
    assert await refusal(ids, 1, one, two, three) is Refusal.INVALID
    assert await refusal(ids, 1, one, one) is Refusal.INVALID
    assert await refusal(ids, 1, one, two) is None
    assert await refusal(ids, 1, *[UniqueId(0)] * 3) is Refusal.INVALID
    assert await ids.of(1) == [one, two]


async def test_an_id_that_is_not_associated_for_too_long_is_forgotten() -> None:
    clock = Clock()
    ids = UniqueIds(MemoryUniqueIdStore(), clock=clock)
    early, late = [await ids.acquire(1, with_password=True) for _ in range(2)]
    clock.now += 30 * DAY - 1
    assert await refusal(ids, 1, late) is None
    clock.now += 1
    assert await refusal(ids, 1, early) is Refusal.UNKNOWN
    # What was associated once stays.
    assert await refusal(ids, 1) is None
    clock.now += 1000 * DAY
    assert await refusal(ids, 1, late) is None


async def test_what_is_left_of_a_player_can_be_forgotten() -> None:
    store = MemoryUniqueIdStore()
    ids = UniqueIds(store)
    first, second, _ = [await ids.acquire(1, with_password=True) for _ in range(3)]
    await ids.associate(1, [first])
    await ids.associate(1, [second])
    other = await ids.acquire(2, with_password=True)
    assert await ids.forget(1) == 3
    assert await ids.of(1) == []
    assert await refusal(ids, 3, first) is Refusal.UNKNOWN
    assert await refusal(ids, 2, other) is None


def test_passwords_are_in_no_repr() -> None:
    assert "1337" not in repr(UniqueId(5, 1337))
