from __future__ import annotations

import pytest

from nekonex.domain.datastore import (
    NO_SLOT,
    Caller,
    DataStoreError,
    Level,
    ObjectTarget,
    Permission,
    Refusal,
    Status,
    StoredObject,
)
from nekonex.domain.datastore.services.leftovers import MOST_AT_ONCE
from nekonex.events import ObjectDeleted
from tests.support.datastore import DAY, Shop, refused


async def holder(shop: Shop, slot: int) -> int:
    return (await shop.data.slots.get(Caller(2), 1, slot)).data_id


@pytest.mark.parametrize("delete_last", [True, False])
async def test_an_object_is_put_into_a_slot(delete_last: bool) -> None:
    shop = Shop()
    old, new = await shop.post(1, b"old!", slot=3, period=2), await shop.post(1, b"new")
    shop.clock.now += DAY
    await shop.data.slots.perpetuate(Caller(1), 3, new, delete_last=delete_last)
    assert await holder(shop, 3) == new
    stored = await shop.meta(1, new)
    assert (stored.slot, stored.expires) == (3, None)
    assert await shop.get(2, new) == b"new"
    if delete_last:
        assert await refused(shop.meta(1, old)) is Refusal.NOT_FOUND
        assert shop.told(ObjectDeleted) == [ObjectDeleted("test", old, 1)]
        assert await shop.keys() == [f"objects/{new}.bin"]
    else:
        freed = await shop.meta(1, old)
        assert (freed.slot, freed.expires) == (NO_SLOT, shop.now + 2 * DAY)
        assert await shop.get(2, old) == b"old!"
        assert not shop.told(ObjectDeleted)


async def test_an_object_moves_from_slot_to_slot_and_stays_where_it_is() -> None:
    shop = Shop()
    data_id = await shop.post(1, slot=3)
    for slot in (5, 5):
        await shop.data.slots.perpetuate(Caller(1), slot, data_id, delete_last=True)
        assert await holder(shop, 5) == data_id
        assert await refused(shop.data.slots.get(Caller(1), 1, 3)) is Refusal.NOT_FOUND
    assert await shop.get(2, data_id) == b"data"
    assert not shop.told(ObjectDeleted)


async def test_what_cannot_be_put_into_a_slot() -> None:
    shop = Shop()
    put = shop.data.slots.perpetuate
    foreign = await shop.post(2, update=Permission(Level.PUBLIC))
    waits, _ = await shop.prepare(1)
    mine = await shop.post(3, period=1)
    for slot in (16, NO_SLOT, -1):
        assert await refused(put(Caller(3), slot, mine, delete_last=True)) is Refusal.INVALID
    assert await refused(put(Caller(1), 0, mine, delete_last=True)) is Refusal.NOT_ALLOWED
    assert await refused(put(Caller(1), 0, foreign, delete_last=True)) is Refusal.NOT_ALLOWED
    for data_id in (waits, 5):
        assert await refused(put(Caller(1), 0, data_id, delete_last=True)) is Refusal.NOT_FOUND
    shop.clock.now += DAY
    assert await refused(put(Caller(3), 0, mine, delete_last=True)) is Refusal.NOT_FOUND


@pytest.mark.parametrize("delete_last", [True, False])
async def test_a_slot_is_emptied(delete_last: bool) -> None:
    shop = Shop()
    data_id = await shop.post(1, slot=3, period=2)
    await shop.data.slots.unperpetuate(Caller(1), 3, delete_last=delete_last)
    assert await refused(shop.data.slots.get(Caller(1), 1, 3)) is Refusal.NOT_FOUND
    if delete_last:
        assert await shop.snapshot() == ([], {})
    else:
        assert (await shop.meta(1, data_id)).expires == shop.now + 2 * DAY
        assert await shop.get(2, data_id) == b"data"
    again = shop.data.slots.unperpetuate(Caller(1), 3, delete_last=delete_last)
    assert await refused(again) is Refusal.NOT_FOUND


async def test_nobody_empties_the_slots_of_another() -> None:
    shop = Shop()
    await shop.post(1, slot=3)
    emptied = shop.data.slots.unperpetuate(Caller(2), 3, delete_last=True)
    assert await refused(emptied) is Refusal.NOT_FOUND
    for slot in (16, NO_SLOT, -1):
        emptied = shop.data.slots.unperpetuate(Caller(1), slot, delete_last=True)
        assert await refused(emptied) is Refusal.INVALID


async def test_what_is_in_slots() -> None:
    shop = Shop()
    private = await shop.post(1, slot=0, access=Permission(Level.PRIVATE))
    rejected = await shop.post(1, slot=15)
    await shop.data.upkeep.moderate(rejected, Status.REJECTED)
    await shop.prepare(1, slot=4)

    async def get(pid: int) -> list[int | Refusal]:
        found = await shop.data.slots.get_many(Caller(pid), 1, [15, 0, 4, 0])
        return [
            each.refusal if isinstance(each, DataStoreError) else each.data_id for each in found
        ]

    assert await get(1) == [rejected, private, Refusal.NOT_FOUND, private]
    assert await get(2) == [Refusal.NOT_FOUND, private, Refusal.NOT_FOUND, private]
    many = shop.data.slots.get_many
    assert await many(Caller(2), 1, []) == []
    for slots in ([0] * 17, [16], [NO_SLOT], [0, -1]):
        assert await refused(many(Caller(2), 1, slots)) is Refusal.INVALID
    assert await refused(shop.data.slots.get(Caller(2), 1, 16)) is Refusal.INVALID


async def test_what_is_in_a_slot_never_expires() -> None:
    shop = Shop()
    data_id = await shop.post(1, slot=3, period=1)
    shop.clock.now += 10_000 * DAY
    await shop.data.upkeep.sweep()
    found: StoredObject = await shop.data.reading.meta(Caller(2), ObjectTarget(owner=1, slot=3))
    assert found.data_id == data_id


async def test_a_request_looks_for_a_few_of_what_may_have_come() -> None:
    shop = Shop()
    for _ in range(2 * MOST_AT_ONCE):
        await shop.prepare(1, flags=0)
    newest, form = await shop.prepare(1, flags=0, slot=3)
    shop.files.upload(form, b"data")
    asked: list[str] = []
    size = shop.files.size

    async def counting(key: str) -> int | None:
        asked.append(key)
        return await size(key)

    shop.files.size = counting  # type: ignore[method-assign]
    assert await holder(shop, 3) == newest
    assert len(asked) == MOST_AT_ONCE
    # A sweep looks for all that is left.
    asked.clear()
    await shop.data.upkeep.sweep()
    assert len(asked) == 2 * MOST_AT_ONCE
