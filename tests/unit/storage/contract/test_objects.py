from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from nekonex.domain.datastore.model import (
    FIRST_DATA_ID,
    NO_SLOT,
    Status,
    StoredObject,
    Upload,
)
from nekonex.domain.datastore.ports import (
    Change,
    FileOperation,
    Outcome,
    Quota,
    Transition,
    Usage,
)
from nekonex.domain.datastore.refusals import DataStoreError, Refusal
from tests.support.object_stores import (
    ADAPTERS,
    PLENTY,
    Opener,
    deleting,
    everything,
    making,
    post,
    refusal,
    refusing,
    setting,
)


@pytest.fixture(params=ADAPTERS)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    return ADAPTERS[request.param].opener(tmp_path / "data")


async def test_what_was_created_is_found_as_it_was(opened: Opener) -> None:
    async with opened() as store:
        for owner in (2**64 - 1, 2**63, 1):
            (data_id,) = await store.new_ids(1)
            new = everything(data_id, owner)
            change = await store.create(Outcome(new), PLENTY)
            assert change == Change(new, new)
            assert await store.get(data_id) == new
            assert await store.get_many([5, data_id, data_id]) == [None, new, new]
            assert list(await store.of_owner(owner, 9)) == [new]
            assert await store.in_slot(owner, 15) == new
        assert await store.count() == 3


async def test_an_object_with_nothing_in_it(opened: Opener) -> None:
    async with opened() as store:
        (data_id,) = await store.new_ids(1)
        new = StoredObject(owner=5, data_id=data_id)
        await store.create(Outcome(new), PLENTY)
        assert await store.get(data_id) == new


async def test_data_ids_are_never_given_twice(opened: Opener) -> None:
    async with opened() as store:
        first = list(await store.new_ids(3))
        assert first[0] == FIRST_DATA_ID
        assert list(await store.new_ids(0)) == []
        several = await asyncio.gather(*[store.new_ids(number) for number in (1, 150, 2, 70)])
        given = first + [each for one in several for each in one]
        assert [len(one) for one in several] == [1, 150, 2, 70]
        assert len(set(given)) == 226
        assert all(each >= FIRST_DATA_ID for each in given)
        # One that came from elsewhere.
        await store.create(Outcome(making(5, max(given) + 1000)), PLENTY)
        later = await store.new_ids(500)
        assert len(set(later)) == 500
        assert not set(later) & {*given, max(given) + 1000}
    if opened.adapter.durable:
        async with opened() as store:
            assert not {*await store.new_ids(200)} & {*given, *later}


async def test_there_is_one_object_of_an_id(opened: Opener) -> None:
    async with opened() as store:
        known = await post(store, 5, name="one")
        again = making(6, known.data_id, name="two")
        assert await refusal(store.create(Outcome(again), PLENTY)) is Refusal.NOT_ALLOWED
        assert await store.get(known.data_id) == known
        assert await store.usage(6) == Usage(0, 0)


@pytest.mark.parametrize("data_id", [0, -1, 2**63, 2**64])
async def test_an_id_that_is_none(opened: Opener, data_id: int) -> None:
    async with opened() as store:
        with pytest.raises(ValueError, match="cannot be the data id"):
            await store.create(Outcome(making(5, data_id)), PLENTY)
        with pytest.raises(ValueError, match="nothing to create"):
            await store.create(Outcome(None), PLENTY)
        assert await store.count() == 0


@pytest.mark.parametrize("data_id", [0, 1, 2**32, 2**63, 2**64 - 1])
async def test_an_unknown_object(opened: Opener, data_id: int) -> None:
    async with opened() as store:
        await post(store, 1)
        assert await store.get(data_id) is None
        assert list(await store.get_many([data_id])) == [None]
        assert await refusal(store.change(data_id, deleting)) is Refusal.NOT_FOUND
        assert await store.rating_log(data_id, 0, 1) is None
        assert list(await store.of_owner(7, 9)) == []
        assert await store.count() == 1


async def test_a_change_is_stored_and_returned(opened: Opener) -> None:
    async with opened() as store:
        before = await post(store, 5, name="a", tags=("x", "y"), status=2)
        after = replace(
            everything(before.data_id, 5), slot=NO_SLOT, tags=("y", "z"), status=Status.NORMAL
        )
        change = await store.change(before.data_id, lambda _: Outcome(after))
        assert change == Change(before, after)
        assert await store.get(before.data_id) == after
        back = await store.change(before.data_id, lambda _: Outcome(before))
        assert back == Change(after, before)
        assert await store.get(before.data_id) == before
        same = await store.change(before.data_id, Outcome)
        assert same == Change(before, before)
        gone = await store.change(before.data_id, deleting)
        assert gone == Change(before, None)
        assert await store.get(before.data_id) is None
        assert await refusal(store.change(before.data_id, deleting)) is Refusal.NOT_FOUND
        assert await store.usage(5) == Usage(0, 0)


async def test_what_a_transition_refuses_changes_nothing(opened: Opener) -> None:
    async with opened() as store:
        stored = await post(store, 5, name="a")
        assert await refusal(store.change(stored.data_id, refusing)) is Refusal.NOT_EQUAL
        for data_id in (stored.data_id + 1, 0):
            with pytest.raises(ValueError, match="made object"):
                await store.change(stored.data_id, setting(data_id=data_id))
        with pytest.raises(ZeroDivisionError):
            await store.change(stored.data_id, failing)
        assert await store.get(stored.data_id) == stored
        assert await store.count() == 1


async def test_many_change_one_object_at_the_same_time(opened: Opener) -> None:
    async with opened() as store:
        stored = await post(store, 5)

        def count(found: StoredObject) -> Outcome:
            return Outcome(replace(found, referred_count=found.referred_count + 1))

        await asyncio.gather(*[store.change(stored.data_id, count) for _ in range(100)])
        found = await store.get(stored.data_id)
        assert found is not None
        assert found.referred_count == 100


def failing(stored: StoredObject) -> Outcome:
    return Outcome(replace(stored, size=1 // 0))


# -- several at once -----------------------------------------------------------------------


async def test_changing_each_for_itself(opened: Opener) -> None:
    async with opened() as store:
        one, two, three = [await post(store, 5, name=name) for name in "abc"]
        results = await store.change_each(
            [
                (one.data_id, setting(name="A")),
                (two.data_id, refusing),
                (7, deleting),
                (one.data_id, lambda found: Outcome(replace(found, name=found.name + "!"))),
                (three.data_id, deleting),
                (three.data_id, deleting),
            ]
        )
        outcomes = [
            each.refusal if isinstance(each, DataStoreError) else each.after for each in results
        ]
        assert outcomes == [
            replace(one, name="A"),
            Refusal.NOT_EQUAL,
            Refusal.NOT_FOUND,
            replace(one, name="A!"),
            None,
            Refusal.NOT_FOUND,
        ]
        assert list(await store.page(0, 9)) == [replace(one, name="A!"), two]
        assert list(await store.change_each([])) == []


@pytest.mark.parametrize("last", [refusing, deleting])
async def test_changing_all_or_none(opened: Opener, last: Transition) -> None:
    async with opened() as store:
        one, two = [await post(store, 5, name=name) for name in "ab"]
        requests = [
            (one.data_id, setting(name="A", tags=("t",))),
            (two.data_id, deleting),
            (two.data_id, last),
        ]
        assert await refusal(store.change_all(requests)) is Refusal.NOT_FOUND
        assert list(await store.page(0, 9)) == [one, two]
        changes = await store.change_all(requests[:2])
        assert [each.after for each in changes] == [replace(one, name="A", tags=("t",)), None]
        assert list(await store.change_all([])) == []


async def test_of_all_or_none_nothing_is_left_of_slots_files_and_messages(opened: Opener) -> None:
    async with opened() as store:
        holder = await post(store, 5, slot=3, flags=0, key="k", size=4)
        other = await post(store, 5)
        taking = replace(other, slot=3, flags=0, key="k")
        outcome = Outcome(taking, files=(FileOperation("k~", "k"),), notify=(7,))
        requests: list[tuple[int, Transition]] = [
            (other.data_id, lambda _: outcome),
            (other.data_id, refusing),
        ]
        assert await refusal(store.change_all(requests)) is Refusal.NOT_EQUAL
        assert list(await store.page(0, 9)) == [holder, other]
        assert await store.in_slot(5, 3) == holder
        assert list(await store.operations(9)) == []
        assert await store.last_notification(7) is None
        await store.change_all(requests[:1])
        assert await store.in_slot(5, 3) == taking
        assert [each.operation for each in await store.operations(9)] == list(outcome.files)
        assert await store.last_notification(7) is not None


# -- how much a player stores --------------------------------------------------------------


async def test_usage_is_what_is_served_and_what_is_announced(opened: Opener) -> None:
    async with opened() as store:
        assert await store.usage(5) == Usage(0, 0)
        waiting = await post(store, 5, complete=False, size=7, upload=Upload(1, 100, 0))
        assert await store.usage(5) == Usage(1, 100)
        done = setting(complete=True, size=100, upload=None)
        await store.change(waiting.data_id, done)
        assert await store.usage(5) == Usage(1, 100)
        await store.change(waiting.data_id, setting(upload=Upload(2, 2**32 - 1, 0)))
        await post(store, 5)
        await post(store, 6, size=50)
        assert await store.usage(5) == Usage(2, 100 + 2**32 - 1)
        await store.change(waiting.data_id, setting(owner=6))
        assert await store.usage(5) == Usage(1, 0)
        assert await store.usage(6) == Usage(2, 150 + 2**32 - 1)


@pytest.mark.parametrize(
    ("quota", "fits"),
    [(Quota(3, 1000), 3), (Quota(100, 250), 2), (Quota(100, 300), 3), (Quota(100, 99), 0)],
)
async def test_nobody_stores_more_than_the_quota(opened: Opener, quota: Quota, fits: int) -> None:
    async with opened() as store:
        data_ids = await store.new_ids(8)
        new = [making(5, data_id, complete=False, upload=Upload(1, 100, 0)) for data_id in data_ids]
        refusals = await asyncio.gather(
            *[refusal(store.create(Outcome(each, notify=(7,)), quota)) for each in new]
        )
        assert refusals.count(None) == fits
        assert refusals.count(Refusal.OVER_CAPACITY) == 8 - fits
        assert await store.usage(5) == Usage(fits, 100 * fits)
        assert len((await store.notifications(7, 0, 100))[0]) == fits
        assert await refusal(store.create(Outcome(making(6, 10)), quota)) is None
