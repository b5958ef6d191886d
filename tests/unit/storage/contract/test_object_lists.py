from __future__ import annotations

from pathlib import Path

import pytest

from nekonex.domain.datastore.model import (
    Upload,
)
from nekonex.domain.datastore.ports import (
    FileOperation,
    Outcome,
    Quota,
    StoredOperation,
)
from nekonex.domain.datastore.refusals import Refusal
from tests.support.object_stores import (
    ADAPTERS,
    PLENTY,
    Opener,
    deleting,
    everything,
    ids,
    making,
    post,
    refusal,
    setting,
)


@pytest.fixture(params=ADAPTERS)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    return ADAPTERS[request.param].opener(tmp_path / "data")


# -- what is left to do --------------------------------------------------------------------


async def test_file_operations_wait_in_their_order(opened: Opener) -> None:
    async with opened() as store:
        operations = [FileOperation("a", "b"), FileOperation("b"), FileOperation("é", "c")]
        one = await post(store, 5)
        first = await store.change(one.data_id, lambda _: Outcome(one, files=tuple(operations)))
        (data_id,) = await store.new_ids(1)
        new = Outcome(making(5, data_id), files=(FileOperation("x"),))
        second = await store.create(new, PLENTY)
        third = await store.change(one.data_id, lambda _: Outcome(None, files=(operations[1],)))
        known = [*first.operations, *second.operations, *third.operations]
        assert [each.operation for each in known] == [
            *operations,
            FileOperation("x"),
            operations[1],
        ]
        numbers = [each.number for each in known]
        assert numbers == sorted(set(numbers))
        assert list(await store.operations(9)) == known
        assert list(await store.operations(2)) == known[:2]
        await store.operation_done(numbers[1])
        await store.operation_done(numbers[1])
        await store.operation_done(10**6)
        left = [known[0], *known[2:]]
        assert list(await store.operations(9)) == left
    if opened.adapter.durable:
        async with opened() as store:
            assert list(await store.operations(9)) == left
            for each in left:
                await store.operation_done(each.number)
            again = await store.change(data_id, lambda one: Outcome(one, files=tuple(operations)))
            assert all(each.number > max(numbers) for each in again.operations)


async def test_a_refused_change_leaves_no_operations(opened: Opener) -> None:
    async with opened() as store:
        new = Outcome(making(5, 10, size=9), files=(FileOperation("x"),), notify=(7,))
        assert await refusal(store.create(new, Quota(5, 1))) is Refusal.OVER_CAPACITY
        assert list(await store.operations(9)) == []
        assert await store.last_notification(7) is None


async def test_notifications_are_read_once(opened: Opener) -> None:
    async with opened() as store:
        objects = [await post(store, 5) for _ in range(3)]
        for one in objects:
            change = await store.change(
                one.data_id, lambda found: Outcome(found, notify=(7, 2**64 - 1, 7))
            )
            assert change.notified == (7, 2**64 - 1)
        found, more = await store.notifications(7, 0, 2)
        assert ids([await store.get(each.data_id) for each in found]) == ids(objects[:2])
        assert more
        assert found[0].number < found[1].number
        rest, more = await store.notifications(7, found[0].number, 2)
        assert [each.data_id for each in rest] == ids(objects[1:])
        assert not more
        # Those up to the number are gone.
        assert await store.notifications(7, 0, 9) == (rest, False)
        assert await store.last_notification(7) == rest[-1]
        assert len((await store.notifications(2**64 - 1, 0, 9))[0]) == 3
        await store.change(objects[1].data_id, deleting)
        assert await store.notifications(7, 0, 9) == (rest[1:], False)
        assert await store.notifications(7, 2**64 - 1, 9) == ([], False)
        assert await store.last_notification(7) is None
        assert await store.notifications(8, 0, 9) == ([], False)


async def test_the_oldest_notifications_give_way(opened: Opener) -> None:
    async with opened() as store:
        one = await post(store, 5)
        for _ in range(103):
            await store.change(one.data_id, lambda found: Outcome(found, notify=(7, 8)))
        for pid in (7, 8):
            found, more = await store.notifications(pid, 0, 200)
            assert len(found) == 100
            assert not more
            assert found[-1] == await store.last_notification(pid)


async def test_who_is_deleted_tells_nobody(opened: Opener) -> None:
    async with opened() as store:
        one = await post(store, 5)
        change = await store.change(one.data_id, lambda _: Outcome(None, notify=(7,)))
        assert change.notified == ()
        assert await store.last_notification(7) is None


# -- lists ---------------------------------------------------------------------------------


async def test_all_of_them_in_pages(opened: Opener) -> None:
    async with opened() as store:
        made = [
            await post(store, 5 + number % 2, complete=number % 3 > 0, status=number % 3)
            for number in range(7)
        ]
        assert list(await store.page(0, 3)) == made[:3]
        assert list(await store.page(made[2].data_id, 9)) == made[3:]
        assert list(await store.page(made[6].data_id, 9)) == []
        assert list(await store.page(2**64 - 1, 9)) == []
        assert list(await store.page(0, 0)) == []
        assert list(await store.of_owner(5, 9)) == made[::2]
        assert list(await store.of_owner(6, 2)) == made[1:5:2]
        await store.change(made[0].data_id, deleting)
        assert list(await store.page(0, 1)) == made[1:2]
        assert await store.count() == 6


async def test_whose_time_is_over(opened: Opener) -> None:
    async with opened() as store:
        made = [
            await post(store, 5, expires=expires, complete=complete)
            for expires, complete in [
                (100, True),
                (99, True),
                (50, False),
                (None, True),
                (101, True),
                (-5, True),
            ]
        ]
        in_order = ids([made[5], made[1], made[0]])
        assert list(await store.expired(100, 9)) == in_order
        assert list(await store.expired(100, 2)) == in_order[:2]
        assert list(await store.expired(98, 9)) == in_order[:1]
        await store.change(made[1].data_id, setting(expires=500))
        assert list(await store.expired(100, 9)) == ids([made[5], made[0]])


async def test_who_has_not_uploaded(opened: Opener) -> None:
    async with opened() as store:
        made = [
            await post(store, 5, upload=started and Upload(1, 9, started), complete=complete)
            for started, complete in [(100, False), (99, True), (None, True), (98, False)]
        ]
        assert list(await store.unfinished(100, 9)) == ids([made[3], made[1]])
        assert list(await store.unfinished(101, 9)) == ids([made[3], made[1], made[0]])
        assert list(await store.unfinished(101, 1)) == ids([made[3]])
        await store.change(made[3].data_id, setting(upload=None, complete=True))
        assert list(await store.unfinished(101, 9)) == ids([made[1], made[0]])


DURABLE = [name for name, adapter in ADAPTERS.items() if adapter.durable]


@pytest.mark.parametrize("opened", DURABLE, indirect=True)
async def test_reopening_keeps_everything(opened: Opener) -> None:
    async with opened() as store:
        (data_id,) = await store.new_ids(1)
        new = everything(data_id)
        await store.create(Outcome(new, files=(FileOperation("a"),), notify=(7,)), PLENTY)
        known = await store.last_notification(7)
    async with opened() as store:
        assert await store.get(data_id) == new
        assert await store.in_slot(new.owner, 15) == new
        assert await store.last_notification(7) == known
        assert [each.operation for each in await store.operations(9)] == [FileOperation("a")]
        assert (await store.usage(new.owner)).objects == 1
        assert isinstance((await store.operations(1))[0], StoredOperation)
