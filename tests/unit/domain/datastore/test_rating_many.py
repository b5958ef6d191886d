"""Rating many objects at once, by many players at once, and with posting."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from nekonex.domain.datastore.callers import Caller, ObjectTarget
from nekonex.domain.datastore.hooks import DataStoreHooks
from nekonex.domain.datastore.limits import DataStoreLimits
from nekonex.domain.datastore.model import (
    Flag,
    Level,
    LockType,
    Permission,
    RatingFlag,
    RatingInternalFlag,
    StoredObject,
)
from nekonex.domain.datastore.refusals import DataStoreError, Refusal
from nekonex.domain.datastore.requests import GivenRating, RatingTarget
from nekonex.events import ObjectDeleted, ObjectPosted, ObjectRated
from nekonex.values import RMCError, ServiceUnavailable
from tests.support.datastore import Shop, refused
from tests.support.object_stores import ADAPTERS
from tests.support.ratings import OTHER, RATER, comment, outcomes, post, rate, rating, slots

EVERY_ADAPTER = pytest.mark.parametrize("adapter", ADAPTERS.values(), ids=ADAPTERS.keys())


# -- many at once -----------------------------------------------------------------------------


async def test_many_each_for_itself() -> None:
    shop = Shop()
    rules = slots(lock_type=LockType.PERMANENT)
    first, second = [await post(shop, rating_rules=rules) for _ in range(2)]
    targets = [RatingTarget(each) for each in (first, 999, first, second)]
    given = [GivenRating(each) for each in (1, 2, 3, 4)]
    results = await shop.data.ratings.rate_many(Caller(RATER), targets, given, transactional=False)
    assert outcomes(results) == [1, Refusal.NOT_FOUND, Refusal.LOCKED, 4]
    assert [(each.data_id, each.total) for each in shop.told(ObjectRated)] == [
        (first, 1),
        (second, 4),
    ]


@pytest.mark.parametrize("bad", [999, "locked"])
async def test_many_or_none(bad: int | str) -> None:
    shop = Shop()
    rules = slots(lock_type=LockType.PERMANENT)
    first, second = [await post(shop, rating_rules=rules) for _ in range(2)]
    ids = [first, second, first if bad == "locked" else 999]
    targets = [RatingTarget(each) for each in ids]
    ratings = shop.data.ratings
    rating_all = ratings.rate_many(Caller(RATER), targets, [GivenRating(1)], transactional=True)
    assert await refused(rating_all) is (Refusal.LOCKED if bad == "locked" else Refusal.NOT_FOUND)
    assert [(await rating(shop, each)).count for each in (first, second)] == [0, 0]
    assert shop.told(ObjectRated) == []
    results = await ratings.rate_many(
        Caller(RATER), targets[:2], [GivenRating(1)], transactional=True
    )
    assert outcomes(results) == [1, 1]


@EVERY_ADAPTER
@pytest.mark.parametrize("flags", [0, RatingFlag.MODIFIABLE])
async def test_nothing_is_lost_when_a_hundred_rate_at_once(
    adapter: Any, flags: int, tmp_path: Path
) -> None:
    async with adapter.open(tmp_path) as store:
        shop = Shop(store=store)
        data_id = await post(shop, rating_rules=slots(flags=flags))
        pids = range(100, 200)
        rated = await asyncio.gather(*(rate(shop, pid, data_id, pid) for pid in pids))
        again = await asyncio.gather(*(rate(shop, pid, data_id, 1) for pid in pids))
        found = await rating(shop, data_id)
    assert sorted(each.count for each in rated) == list(range(1, 101))
    assert max(each.total for each in rated) == sum(pids)
    assert (found.total, found.count) == ((100, 100) if flags else (sum(pids) + 100, 200))
    assert {each.count for each in again} == ({100} if flags else set(range(101, 201)))


@EVERY_ADAPTER
async def test_a_lock_lets_one_of_many_through(adapter: Any, tmp_path: Path) -> None:
    async with adapter.open(tmp_path) as store:
        shop = Shop(store=store)
        data_id = await post(shop, rating_rules=slots(lock_type=LockType.PERMANENT))
        results = await asyncio.gather(
            *(rate(shop, RATER, data_id) for _ in range(20)), return_exceptions=True
        )
        found = await rating(shop, data_id)
    refusals = [each.refusal for each in results if isinstance(each, DataStoreError)]
    assert refusals == [Refusal.LOCKED] * 19
    assert (found.total, found.count) == (1, 1)


@EVERY_ADAPTER
async def test_ids_of_64_bits_are_only_not_found(adapter: Any, tmp_path: Path) -> None:
    async with adapter.open(tmp_path) as store:
        shop = Shop(store=store)
        for data_id in (2**63 - 1, 2**63, 2**64 - 1):
            assert await refused(rate(shop, RATER, data_id)) is Refusal.NOT_FOUND
            resetting = shop.data.ratings.reset(Caller(RATER), RatingTarget(data_id))
            assert await refused(resetting) is Refusal.NOT_FOUND


# -- with posting -----------------------------------------------------------------------------


@EVERY_ADAPTER
async def test_rating_with_posting_does_both(adapter: Any, tmp_path: Path) -> None:
    async with adapter.open(tmp_path) as store:
        shop = Shop(store=store)
        data_id = await post(shop)
        rated = await shop.data.ratings.rate_with_posting(
            Caller(RATER),
            RatingTarget(data_id),
            GivenRating(3),
            comment(refer_data_id=data_id, name="well done", meta_binary=b"!"),
        )
        assert (rated.total, rated.count) == (3, 1)
        (posted,) = await store.of_owner(RATER, 10)
        seen = await shop.meta(OTHER, posted.data_id)
    assert (seen.name, seen.meta_binary, seen.refer_data_id) == ("well done", b"!", data_id)
    assert not seen.has_file
    assert seen.access_password
    assert seen.created == shop.now
    assert seen.expires == shop.now + 90 * 86_400
    assert [each.data_id for each in shop.told(ObjectPosted)] == [data_id, posted.data_id]
    assert shop.told(ObjectRated) == [ObjectRated("test", data_id, 0, RATER, 3)]


@EVERY_ADAPTER
@pytest.mark.parametrize(
    ("value", "fields", "refusal"),
    [
        (6, {}, Refusal.INVALID),
        (1, {"name": "n" * 65}, Refusal.INVALID),
        (1, {"refer_data_id": 7}, Refusal.NOT_FOUND),
        (1, {"slot": 16}, Refusal.INVALID),
    ],
)
async def test_rating_with_posting_does_both_or_neither(
    adapter: Any, value: int, fields: dict[str, Any], refusal: Refusal, tmp_path: Path
) -> None:
    async with adapter.open(tmp_path) as store:
        shop = Shop(store=store)
        rules = slots(internal_flags=RatingInternalFlag.HAS_MAXIMUM, maximum=5)
        data_id = await post(shop, rating_rules=rules)
        before = await shop.snapshot()
        doing = shop.data.ratings.rate_with_posting(
            Caller(RATER), RatingTarget(data_id), GivenRating(value), comment(**fields)
        )
        assert await refused(doing) is refusal
        assert await shop.snapshot() == before
        assert await store.rating_log(data_id, 0, RATER) is None
    assert shop.told(ObjectRated) == []


@EVERY_ADAPTER
async def test_whoever_stores_too_much_cannot_rate_with_posting(
    adapter: Any, tmp_path: Path
) -> None:
    async with adapter.open(tmp_path) as store:
        shop = Shop(store=store, limits=DataStoreLimits(max_objects=2))
        data_id = await post(shop)
        await post(shop, RATER)
        ratings, caller = shop.data.ratings, Caller(RATER)
        targets, given = [RatingTarget(data_id)] * 2, [GivenRating(1)]
        drafts = [comment(), comment()]
        doing = ratings.rate_many_with_posting(caller, targets, given, drafts, transactional=True)
        assert await refused(doing) is Refusal.OVER_CAPACITY
        assert (await rating(shop, data_id)).count == 0
        results = await ratings.rate_many_with_posting(
            caller, targets, given, drafts, transactional=False
        )
        assert outcomes(results) == [1, Refusal.OVER_CAPACITY]
        assert (await rating(shop, data_id)).count == 1
        assert len(await store.of_owner(RATER, 10)) == 2


async def test_many_with_posting_or_none() -> None:
    shop = Shop()
    data_id = await post(shop, rating_rules=slots(lock_type=LockType.PERMANENT))
    another = await post(shop)
    ratings, caller = shop.data.ratings, Caller(RATER)
    drafts = [comment(name="one"), comment(name="two")]
    twice = [RatingTarget(data_id)] * 2
    doing = ratings.rate_many_with_posting(
        caller, twice, [GivenRating(1)], drafts, transactional=True
    )
    assert await refused(doing) is Refusal.LOCKED
    assert await shop.store.of_owner(RATER, 10) == []
    results = await ratings.rate_many_with_posting(
        caller,
        [RatingTarget(data_id), RatingTarget(another)],
        [GivenRating(1), GivenRating(2)],
        drafts,
        transactional=True,
    )
    assert outcomes(results) == [1, 2]
    assert [each.name for each in await shop.store.of_owner(RATER, 10)] == ["one", "two"]


async def test_many_with_posting_each_for_itself() -> None:
    shop = Shop()
    data_id = await post(shop)
    drafts = [comment(name=name) for name in ("one", "n" * 65, "three", "four")]
    results = await shop.data.ratings.rate_many_with_posting(
        Caller(RATER),
        [RatingTarget(each) for each in (data_id, data_id, 999, data_id)],
        [GivenRating(each) for each in (1, 2, 4, 8)],
        drafts,
        transactional=False,
    )
    assert outcomes(results) == [1, Refusal.INVALID, Refusal.NOT_FOUND, 9]
    assert [each.name for each in await shop.store.of_owner(RATER, 10)] == ["one", "four"]


@pytest.mark.parametrize("transactional", [True, False])
async def test_what_the_game_raises_leaves_nothing_half_done(transactional: bool) -> None:
    class Hooks(DataStoreHooks):
        async def may_post(self, pid: int, stored: StoredObject) -> bool:
            if stored.name == "never":
                raise RMCError("DataStore::OverCapacity")
            return True

    shop = Shop(hooks=Hooks())
    data_id = await post(shop)
    drafts = [comment(), comment(name="never")]
    with pytest.raises(RMCError, match="OverCapacity"):
        await shop.data.ratings.rate_many_with_posting(
            Caller(RATER),
            [RatingTarget(data_id)] * 2,
            [GivenRating(1)],
            drafts,
            transactional=transactional,
        )
    assert (await rating(shop, data_id)).count == 0
    assert await shop.store.of_owner(RATER, 10) == []


@EVERY_ADAPTER
@pytest.mark.parametrize("delete", [True, False])
async def test_what_is_posted_takes_its_slot(adapter: Any, delete: bool, tmp_path: Path) -> None:
    async with adapter.open(tmp_path) as store:
        shop = Shop(store=store)
        data_id = await post(shop)
        earlier = await shop.post(RATER, b"ghost", slot=4)
        await shop.data.ratings.rate_with_posting(
            Caller(RATER),
            RatingTarget(data_id),
            GivenRating(1),
            comment(slot=4, delete_last_object=delete),
        )
        holder = await shop.data.reading.meta(Caller(OTHER), ObjectTarget(owner=RATER, slot=4))
        kept = await store.get(earlier)
        files = await shop.keys()
    assert holder.data_id != earlier
    assert holder.expires is None
    assert (kept is None) is delete
    assert files == ([] if delete else [f"objects/{earlier}.bin"])
    gone = [each.data_id for each in shop.told(ObjectDeleted)]
    assert gone == ([earlier] if delete else [])


async def test_who_is_meant_by_what_is_posted_is_notified() -> None:
    shop = Shop()
    data_id = await post(shop)
    await shop.data.ratings.rate_with_posting(
        Caller(RATER),
        RatingTarget(data_id),
        GivenRating(1),
        comment(access=Permission(Level.SPECIFIED, (OTHER,)), flags=int(Flag.NOTIFY_ON_POST)),
    )
    (posted,) = await shop.store.of_owner(RATER, 10)
    notifications, _ = await shop.data.notifications.arrived(Caller(OTHER), 0, 10)
    assert [each.data_id for each in notifications] == [posted.data_id]


async def test_a_rating_is_told_even_if_files_are_out_of_order() -> None:
    class Broken:
        async def remove(self, key: str) -> bool:
            raise ServiceUnavailable(key)

    shop = Shop()
    data_id = await post(shop)
    await shop.post(RATER, b"ghost", slot=4)
    shop.files = Broken()  # type: ignore[assignment]
    shop.restart()
    doing = shop.data.ratings.rate_with_posting(
        Caller(RATER), RatingTarget(data_id), GivenRating(1), comment(slot=4)
    )
    with pytest.raises(ServiceUnavailable):
        await doing
    assert (await rating(shop, data_id)).count == 1
    assert len(shop.told(ObjectRated)) == 1
