from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from nekonex.domain.datastore.model import (
    NO_SLOT,
    Level,
    Permission,
    RatingLog,
    StoredObject,
    Upload,
)
from nekonex.domain.datastore.ports import (
    Change,
    ObjectStore,
    Outcome,
    Quota,
    RatingChange,
    RatingRequest,
    Transition,
    Usage,
)
from nekonex.domain.datastore.query import FIRST_AVERAGE_COLUMN, FIRST_TOTAL_COLUMN, ObjectQuery
from nekonex.domain.datastore.refusals import DataStoreError, Refusal
from tests.support.object_stores import (
    ADAPTERS,
    PLENTY,
    Adapter,
    deleting,
    making,
    post,
    rated_by,
    rating_slots,
    refusal,
    refusing,
    setting,
)

pytestmark = pytest.mark.parametrize("adapter", ADAPTERS.values(), ids=ADAPTERS)


def keeping(holder: StoredObject) -> StoredObject | None:
    """Release who is of the data type 1, and delete others."""
    return replace(holder, slot=NO_SLOT) if holder.data_type == 1 else None


def request_of(
    stored: StoredObject,
    slot: int,
    pid: int,
    value: int,
    *,
    once: bool = False,
    posting: StoredObject | None = None,
) -> RatingRequest:
    rate = rated_by(pid, slot, value, once=once)
    new = None if posting is None else Outcome(posting, release=keeping)
    return RatingRequest(stored.data_id, slot, pid, rate, new)


async def given(store: ObjectStore, stored: StoredObject, slot: int = 0) -> tuple[int, int]:
    """Return the total of a slot and how many rated it."""
    found = await store.get(stored.data_id)
    rating = None if found is None else found.rating(slot)
    assert rating is not None
    return rating.total, rating.count


async def test_rating_is_stored_with_who_rated(adapter: Adapter, tmp_path: Path) -> None:
    async with adapter.open(tmp_path) as store:
        stored = await post(store, 5, ratings=rating_slots(0, 15, initial=-4))
        pid = 2**64 - 1
        (change,) = await store.rate_all([request_of(stored, 15, pid, 7)], PLENTY)
        rating = replace(stored.ratings[1], total=3, count=1)
        assert change == RatingChange(rating)
        after = replace(stored, ratings=(stored.ratings[0], rating))
        assert await store.get(stored.data_id) == after
        assert await store.rating_log(stored.data_id, 15, pid) == RatingLog(pid, 7, 101)
        assert await store.rating_log(stored.data_id, 0, pid) is None
        assert await store.rating_log(stored.data_id, 15, 5) is None
        await store.rate_all([request_of(stored, 15, pid, -9)], PLENTY)
        assert await store.rating_log(stored.data_id, 15, pid) == RatingLog(pid, -9, 102)
        assert await given(store, stored, 15) == (-6, 2)


async def test_a_hundred_rate_at_once(adapter: Adapter, tmp_path: Path) -> None:
    async with adapter.open(tmp_path) as store:
        stored = await post(store, 5, ratings=rating_slots(0))
        results = await asyncio.gather(
            *[
                store.rate_each([request_of(stored, 0, 1 + pid % 80, 3, once=True)], PLENTY)
                for pid in range(100)
            ]
        )
        done = [each for (each,) in results if isinstance(each, RatingChange)]
        locked = [each for (each,) in results if isinstance(each, DataStoreError)]
        assert (len(done), len(locked)) == (80, 20)
        assert {each.refusal for each in locked} == {Refusal.LOCKED}
        assert sorted(each.rating.total for each in done) == [3 * n for n in range(1, 81)]
        assert await given(store, stored) == (240, 80)


async def test_rating_each_for_itself(adapter: Adapter, tmp_path: Path) -> None:
    async with adapter.open(tmp_path) as store:
        one, two = [await post(store, 5, ratings=rating_slots(0)) for _ in range(2)]
        results = await store.rate_each(
            [
                request_of(one, 0, 7, 1, once=True),
                request_of(one, 0, 7, 1, once=True),
                request_of(two, 1, 7, 1),
                request_of(replace(two, data_id=9), 0, 7, 1),
                request_of(two, 0, 7, 5),
                request_of(two, 0, 8, 5),
            ],
            PLENTY,
        )
        assert [
            each.refusal if isinstance(each, DataStoreError) else each.rating.total
            for each in results
        ] == [1, Refusal.LOCKED, Refusal.NOT_FOUND, Refusal.NOT_FOUND, 5, 10]
        assert await given(store, one) == (1, 1)
        assert await given(store, two) == (10, 2)


async def test_rating_all_or_nothing(adapter: Adapter, tmp_path: Path) -> None:
    async with adapter.open(tmp_path) as store:
        one, two = [await post(store, 5, ratings=rating_slots(0)) for _ in range(2)]
        (data_id,) = await store.new_ids(1)
        posting = making(7, data_id)
        requests = [
            request_of(one, 0, 7, 1, once=True),
            request_of(two, 0, 7, 2, posting=posting),
            request_of(one, 0, 7, 1, once=True),
        ]
        assert await refusal(store.rate_all(requests, PLENTY)) is Refusal.LOCKED
        assert list(await store.page(0, 9)) == [one, two]
        assert await store.rating_log(one.data_id, 0, 7) is None
        changes = await store.rate_all(requests[:2], PLENTY)
        assert [each.rating.total for each in changes] == [1, 2]
        assert changes[1].posted == Change(posting, posting)


async def test_who_rates_another_slot_than_it_says(adapter: Adapter, tmp_path: Path) -> None:
    async with adapter.open(tmp_path) as store:
        stored = await post(store, 5, ratings=rating_slots(0, 1))
        wrong = RatingRequest(stored.data_id, 0, 7, rated_by(7, 1, 5))
        with pytest.raises(ValueError, match="slot 1 was rated instead of slot 0"):
            await store.rate_each([wrong], PLENTY)
        assert await store.get(stored.data_id) == stored


@pytest.mark.parametrize("together", [False, True])
async def test_what_is_posted_with_a_rating(
    adapter: Adapter, together: bool, tmp_path: Path
) -> None:
    async with adapter.open(tmp_path) as store:
        stored = await post(store, 5, ratings=rating_slots(0))
        first, second = await store.new_ids(2)
        quota = Quota(1, 100)

        async def rate(posting: StoredObject, *, once: bool = False) -> RatingChange | Refusal:
            requests = [request_of(stored, 0, 7, 1, once=once, posting=posting)]
            if not together:
                (result,) = await store.rate_each(requests, quota)
                return result.refusal if isinstance(result, DataStoreError) else result
            try:
                (change,) = await store.rate_all(requests, quota)
            except DataStoreError as error:
                return error.refusal
            return change

        new = making(7, first, tags=("reply",), refer_data_id=stored.data_id)
        assert await rate(replace(new, size=101)) is Refusal.OVER_CAPACITY
        assert await rate(replace(new, data_id=stored.data_id)) is Refusal.NOT_ALLOWED
        assert await given(store, stored) == (0, 0)
        assert await store.rating_log(stored.data_id, 0, 7) is None
        assert await store.get(first) is None
        done = await rate(new)
        assert isinstance(done, RatingChange)
        assert done.posted == Change(new, new)
        assert await store.get(first) == new
        assert await rate(replace(new, data_id=second)) is Refusal.OVER_CAPACITY
        assert await rate(replace(new, owner=8, data_id=second), once=True) is Refusal.LOCKED
        assert await store.get(second) is None
        assert await given(store, stored) == (1, 1)
        assert await store.usage(7) == Usage(1, 0)


@pytest.mark.parametrize("data_type", [0, 1])
async def test_what_is_posted_takes_its_slot(
    adapter: Adapter, data_type: int, tmp_path: Path
) -> None:
    async with adapter.open(tmp_path) as store:
        # The one that is rated is itself in the way.
        stored = await post(store, 5, ratings=rating_slots(0), slot=3, data_type=data_type)
        (data_id,) = await store.new_ids(1)
        posting = making(5, data_id, slot=3)
        await store.rate_all([request_of(stored, 0, 7, 1, posting=posting)], PLENTY)
        assert await store.in_slot(5, 3) == posting
        left = await store.get(stored.data_id)
        if data_type == 0:
            assert left is None
        else:
            assert left is not None
            assert left.slot == NO_SLOT
            assert left.ratings[0].total == 1


def resetting(stored: StoredObject) -> Outcome:
    """Set all ratings back."""
    fresh = [replace(each, total=each.rules.initial_value, count=0) for each in stored.ratings]
    return Outcome(replace(stored, ratings=tuple(fresh)))


def resetting_one(stored: StoredObject) -> Outcome:
    """Set the first slot's rating back."""
    first = replace(stored.ratings[0], total=0, count=0)
    return Outcome(replace(stored, ratings=(first, *stored.ratings[1:])))


async def test_who_rated_is_forgotten_where_ratings_are_set_back(
    adapter: Adapter, tmp_path: Path
) -> None:
    async with adapter.open(tmp_path) as store:
        one, two = [await post(store, 5, ratings=rating_slots(0, 1)) for _ in range(2)]
        for stored in (one, two):
            for slot in (0, 1):
                await store.rate_all([request_of(stored, slot, 7, 3, once=True)], PLENTY)
        refused: list[tuple[int, Transition]] = [
            (one.data_id, resetting),
            (two.data_id, refusing),
        ]
        assert await refusal(store.reset_ratings(refused, together=True)) is Refusal.NOT_EQUAL
        assert await given(store, one) == (3, 1)
        assert await store.rating_log(one.data_id, 0, 7) is not None

        results = await store.reset_ratings([*refused, (9, resetting)], together=False)
        assert [
            each.refusal if isinstance(each, DataStoreError) else each.after for each in results
        ] == [one, Refusal.NOT_EQUAL, Refusal.NOT_FOUND]
        assert await store.get(one.data_id) == one
        assert [await store.rating_log(one.data_id, slot, 7) for slot in (0, 1)] == [None, None]

        (change,) = await store.reset_ratings([(two.data_id, resetting_one)], together=True)
        assert isinstance(change, Change)
        assert (await given(store, two, 0), await given(store, two, 1)) == ((0, 0), (3, 1))
        assert await store.rating_log(two.data_id, 0, 7) is None
        assert await store.rating_log(two.data_id, 1, 7) is not None
        again = [request_of(two, 0, 7, 3, once=True)]
        await store.rate_all(again, PLENTY)
        assert await refusal(store.rate_all(again, PLENTY)) is Refusal.LOCKED


async def test_a_slot_that_goes_takes_its_raters_with_it(adapter: Adapter, tmp_path: Path) -> None:
    async with adapter.open(tmp_path) as store:
        stored = await post(store, 5, ratings=rating_slots(0, 1))
        for slot in (0, 1):
            await store.rate_all([request_of(stored, slot, 7, 3)], PLENTY)
        await store.change(
            stored.data_id, lambda one: Outcome(replace(one, ratings=one.ratings[1:]))
        )
        await store.change(
            stored.data_id,
            lambda one: Outcome(replace(one, ratings=(*rating_slots(0), *one.ratings))),
        )
        assert await store.rating_log(stored.data_id, 0, 7) is None
        assert await store.rating_log(stored.data_id, 1, 7) is not None
        await store.change(stored.data_id, deleting)
        await store.create(Outcome(stored), PLENTY)
        assert await store.rating_log(stored.data_id, 1, 7) is None


async def test_a_forgotten_rater_leaves_the_rating(adapter: Adapter, tmp_path: Path) -> None:
    async with adapter.open(tmp_path) as store:
        one, two = [await post(store, 5, ratings=rating_slots(0)) for _ in range(2)]
        for stored in (one, two):
            for pid in (7, 8):
                await store.rate_all([request_of(stored, 0, pid, 3)], PLENTY)
        assert await store.forget_rater(7) == 2
        assert await store.forget_rater(7) == 0
        assert await store.rating_log(one.data_id, 0, 7) is None
        assert await store.rating_log(one.data_id, 0, 8) is not None
        assert await given(store, one) == (6, 2)


@pytest.mark.parametrize("column", [FIRST_TOTAL_COLUMN, FIRST_AVERAGE_COLUMN])
async def test_the_order_by_ratings_follows_what_happens(
    adapter: Adapter, column: int, tmp_path: Path
) -> None:
    async with adapter.open(tmp_path) as store:
        hidden = Permission(Level.PRIVATE)
        public = Permission(Level.PUBLIC)
        values = {"ratings": rating_slots(0), "data_type": 1, "access": public}
        made = [
            await post(store, 5, **values),
            await post(store, 5, data_type=1, access=public),
            await post(store, 5, **values, complete=False, upload=Upload(1, 9, 0)),
            await post(store, 5, **{**values, "access": hidden}),
            await post(store, 5, **{**values, "data_type": 2}),
        ]
        for times, stored in enumerate(made):
            if stored.ratings:
                await store.rate_all([request_of(stored, 0, 7, times - 2)], PLENTY)

        async def order() -> list[int]:
            query = ObjectQuery(viewer=9, now=0, data_types=frozenset({1}), order=column)
            found = await store.search(query)
            return [places[each.data_id] for each in found.objects]

        places = {one.data_id: place for place, one in enumerate(made)}
        assert await order() == [0, 1]
        await store.change(made[2].data_id, setting(complete=True, upload=None))
        assert await order() == [0, 1, 2]
        await store.change(made[3].data_id, setting(access=public))
        await store.change(made[4].data_id, setting(data_type=1))
        assert await order() == [0, 1, 2, 3, 4]
        await store.rate_all([request_of(made[0], 0, 8, 50)], PLENTY)
        assert await order() == [1, 2, 3, 4, 0]
        await store.change(made[4].data_id, setting(status=2))
        await store.change(made[2].data_id, setting(data_type=3))
        assert await order() == [1, 3, 0]
