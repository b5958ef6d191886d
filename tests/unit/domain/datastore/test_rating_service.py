"""Who may rate what, one and many, with and without posting, and who finds out."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from nekonex.domain.datastore.callers import Caller, ObjectTarget
from nekonex.domain.datastore.drafts import Draft
from nekonex.domain.datastore.hooks import DataStoreHooks
from nekonex.domain.datastore.limits import DataStoreLimits
from nekonex.domain.datastore.model import (
    Flag,
    Level,
    LockType,
    Permission,
    Rating,
    RatingFlag,
    RatingInternalFlag,
    RatingLog,
    RatingRules,
    Status,
    StoredObject,
)
from nekonex.domain.datastore.ports import Outcome, Quota
from nekonex.domain.datastore.refusals import DataStoreError, Refusal
from nekonex.domain.datastore.requests import GivenRating, RatingTarget
from nekonex.domain.datastore.rules.rating import FOREVER
from nekonex.domain.datastore.services.shelf import DataStoreRules
from nekonex.events import ObjectDeleted, ObjectPosted, ObjectRated
from nekonex.values import RMCError, ServiceUnavailable
from tests.support.datastore import PUBLIC, Shop, draft, refused
from tests.support.object_stores import ADAPTERS, setting

OWNER, RATER, OTHER = 10, 20, 30

EVERY_ADAPTER = pytest.mark.parametrize("adapter", ADAPTERS.values(), ids=ADAPTERS.keys())


def slots(*numbers: int, **rules: Any) -> tuple[tuple[int, RatingRules], ...]:
    """Return rating slots with the same rules."""
    return tuple((number, RatingRules(**rules)) for number in numbers or (0,))


async def post(shop: Shop, owner: int = OWNER, **fields: Any) -> int:
    """Post an object with one slot, 0, if nothing else is said."""
    return await shop.post_meta(owner, **{"rating_rules": slots(), **fields})


async def rate(
    shop: Shop, pid: int, data_id: int, value: int = 1, *, slot: int = 0, password: int = 0
) -> Rating:
    target, given = RatingTarget(data_id, slot), GivenRating(value, password)
    return await shop.data.ratings.rate(Caller(pid), target, given)


async def rating(shop: Shop, data_id: int, slot: int = 0, pid: int = OWNER) -> Rating:
    return await shop.data.ratings.get(Caller(pid), RatingTarget(data_id, slot))


def comment(**fields: Any) -> Draft:
    """Return the draft of an object without a file."""
    return draft(**{"size": 0, "flags": 0, **fields})


def outcomes(results: list[Any]) -> list[Any]:
    """Return totals and refusals."""
    return [each.refusal if isinstance(each, DataStoreError) else each.total for each in results]


# -- one rating -------------------------------------------------------------------------------


async def test_a_rating_counts_and_is_told() -> None:
    shop = Shop()
    data_id = await post(shop, rating_rules=slots(0, 3, initial_value=5))
    assert (await rate(shop, RATER, data_id, 4, slot=3)).total == 9
    assert (await rate(shop, OTHER, data_id, -1, slot=3)).total == 8
    found = await rating(shop, data_id, 3, pid=OTHER)
    assert (found.slot, found.total, found.count, found.rules.initial_value) == (3, 8, 2, 5)
    assert (await rating(shop, data_id, 0)).total == 5
    assert shop.told(ObjectRated) == [
        ObjectRated("test", data_id, 3, RATER, 9),
        ObjectRated("test", data_id, 3, OTHER, 8),
    ]


async def test_a_refused_rating_changes_nothing_and_is_not_told() -> None:
    shop = Shop()
    rules = slots(internal_flags=RatingInternalFlag.HAS_MAXIMUM, maximum=5)
    data_id = await post(shop, rating_rules=rules)
    before = await shop.snapshot()
    assert await refused(rate(shop, RATER, data_id, 6)) is Refusal.INVALID
    assert await refused(rate(shop, RATER, data_id, 1, slot=1)) is Refusal.NOT_FOUND
    assert await refused(rate(shop, RATER, data_id, 1, slot=-1)) is Refusal.NOT_FOUND
    assert await refused(rate(shop, RATER, data_id + 1)) is Refusal.NOT_FOUND
    assert await refused(rate(shop, RATER, 0)) is Refusal.INVALID
    assert await shop.snapshot() == before
    assert shop.told(ObjectRated) == []
    assert await shop.store.rating_log(data_id, 0, RATER) is None


async def test_who_may_see_an_object_may_rate_it() -> None:
    shop = Shop(friends={RATER: [OWNER]})
    data_id = await post(shop, access=Permission(Level.FRIENDS))
    secret = (await shop.stored(data_id)).access_password
    await rate(shop, RATER, data_id)
    await rate(shop, OWNER, data_id)
    assert await refused(rate(shop, OTHER, data_id)) is Refusal.NOT_PERMITTED
    wrong = rate(shop, OTHER, data_id, password=secret ^ 1)
    assert await refused(wrong) is Refusal.WRONG_PASSWORD
    assert (await rate(shop, OTHER, data_id, password=secret)).count == 3
    ratings = shop.data.ratings
    target = RatingTarget(data_id)
    assert await refused(ratings.get(Caller(OTHER), target)) is Refusal.NOT_PERMITTED
    assert (await ratings.get(Caller(OTHER), target, secret)).count == 3
    assert await refused(ratings.with_log(Caller(OTHER), target)) is Refusal.NOT_PERMITTED
    found = await ratings.get_many(Caller(OTHER), [data_id])
    assert outcomes(found) == [Refusal.NOT_PERMITTED]


async def test_an_object_under_review_is_not_rated_by_others() -> None:
    shop = Shop(rules=DataStoreRules(review=True))
    data_id = await post(shop, flags=Flag.NEEDS_REVIEW)
    assert await refused(rate(shop, RATER, data_id)) is Refusal.UNDER_REVIEW
    await rate(shop, OWNER, data_id)
    await shop.data.upkeep.moderate(data_id, Status.REJECTED)
    assert await refused(rate(shop, RATER, data_id)) is Refusal.NOT_FOUND


async def test_an_incomplete_or_expired_object_is_not_rated() -> None:
    shop = Shop()
    data_id, _ = await shop.prepare(OWNER, rating_rules=slots())
    assert await refused(rate(shop, OWNER, data_id)) is Refusal.NOT_FOUND
    data_id = await post(shop, period=1)
    shop.clock.now += 86_400
    assert await refused(rate(shop, OWNER, data_id)) is Refusal.NOT_FOUND


async def test_owners_may_be_kept_from_rating() -> None:
    shop = Shop()
    data_id = await post(shop, rating_rules=slots(flags=RatingFlag.NOT_BY_OWNER))
    assert await refused(rate(shop, OWNER, data_id)) is Refusal.NOT_ALLOWED
    await rate(shop, RATER, data_id)


async def test_a_lock_is_of_a_player_a_slot_and_an_object() -> None:
    shop = Shop()
    rules = slots(0, 1, lock_type=LockType.INTERVAL, period_duration=60)
    data_id, another = [await post(shop, rating_rules=rules) for _ in range(2)]
    await rate(shop, RATER, data_id)
    assert await refused(rate(shop, RATER, data_id)) is Refusal.LOCKED
    await rate(shop, RATER, data_id, slot=1)
    await rate(shop, RATER, another)
    await rate(shop, OTHER, data_id)
    shop.clock.now += 60
    assert (await rate(shop, RATER, data_id)).total == 3
    assert await refused(rate(shop, RATER, data_id)) is Refusal.LOCKED


async def test_a_total_that_would_need_more_than_64_bits_is_refused() -> None:
    shop = Shop()
    data_id = await post(shop, rating_rules=slots(initial_value=2**63 - 1))
    assert await refused(rate(shop, RATER, data_id)) is Refusal.INVALID
    assert await rating(shop, data_id) == Rating(
        0, RatingRules(initial_value=2**63 - 1), 2**63 - 1, 0
    )


async def test_the_game_may_refuse() -> None:
    asked: list[tuple[int, int, int, int]] = []

    class Hooks(DataStoreHooks):
        async def may_rate(self, pid: int, stored: StoredObject, slot: int, value: int) -> bool:
            asked.append((pid, stored.data_id, slot, value))
            if value == 13:
                raise RMCError("DataStore::OverCapacity")
            return value < 10

    shop = Shop(hooks=Hooks())
    data_id = await post(shop, rating_rules=slots(4))
    await rate(shop, RATER, data_id, 9, slot=4)
    assert await refused(rate(shop, RATER, data_id, 10, slot=4)) is Refusal.NOT_ALLOWED
    with pytest.raises(RMCError, match="OverCapacity"):
        await rate(shop, RATER, data_id, 13, slot=4)
    assert await refused(rate(shop, RATER, data_id, 9, slot=5)) is Refusal.NOT_FOUND
    assert asked == [(RATER, data_id, 4, value) for value in (9, 10, 13)]
    assert (await rating(shop, data_id, 4)).total == 9


@pytest.mark.parametrize(
    ("change", "refusal"),
    [
        ({"status": Status.PENDING}, Refusal.UNDER_REVIEW),
        ({"access": Permission(Level.PRIVATE)}, Refusal.NOT_PERMITTED),
        ({"ratings": ()}, Refusal.NOT_FOUND),
    ],
)
async def test_an_object_is_judged_as_it_is_when_it_is_rated(
    change: dict[str, Any], refusal: Refusal
) -> None:
    shop = Shop()
    data_id = await post(shop)

    class Slow(DataStoreHooks):
        async def may_rate(self, pid: int, stored: StoredObject, slot: int, value: int) -> bool:
            await shop.store.change(data_id, setting(**change))
            return True

    shop.data.extend(hooks=Slow())
    assert await refused(rate(shop, RATER, data_id)) is refusal
    assert await shop.store.rating_log(data_id, 0, RATER) is None


# -- what was given ---------------------------------------------------------------------------


async def test_a_log_tells_what_somebody_gave() -> None:
    shop = Shop()
    data_id = await post(shop, rating_rules=slots(2, lock_type=LockType.PERMANENT))
    await rate(shop, RATER, data_id, 7, slot=2)
    ratings, target = shop.data.ratings, RatingTarget(data_id, 2)
    found, log = await ratings.with_log(Caller(RATER), target)
    assert found.total == 7
    assert log == RatingLog(RATER, 7, shop.now, FOREVER)
    assert await ratings.with_log(Caller(OTHER), target) == (found, None)
    unknown = ratings.with_log(Caller(RATER), RatingTarget(data_id, 0))
    assert await refused(unknown) is Refusal.NOT_FOUND


async def test_there_is_no_log_of_one_slot_of_several() -> None:
    shop = Shop()
    data_id = await post(shop, rating_rules=slots(0, 1))
    asking = shop.data.ratings.with_log(Caller(RATER), RatingTarget(data_id))
    assert await refused(asking) is Refusal.NOT_ALLOWED


async def test_all_ratings_of_objects_in_their_places() -> None:
    shop = Shop()
    first = await post(shop, rating_rules=slots(3, 1))
    second = await post(shop, rating_rules=())
    hidden = await post(shop, access=Permission(Level.PRIVATE))
    await rate(shop, RATER, first, 5, slot=3)
    ids = [second, 999, first, hidden, first]
    found = await shop.data.ratings.get_many(Caller(RATER), ids)
    totals = [
        each.refusal
        if isinstance(each, DataStoreError)
        else [(rated.slot, rated.total) for rated in each]
        for each in found
    ]
    both = [(1, 0), (3, 5)]
    assert totals == [[], Refusal.NOT_FOUND, both, Refusal.NOT_PERMITTED, both]


async def test_bounds_of_lists() -> None:
    shop = Shop(limits=DataStoreLimits(max_batch=3, max_small_batch=2))
    data_id = await post(shop)
    ratings, caller = shop.data.ratings, Caller(RATER)
    targets, given = [RatingTarget(data_id)], [GivenRating(1)]
    drafts = [comment()]
    for transactional in (False, True):
        refusals = [
            ratings.get_many(caller, [data_id] * 4),
            ratings.reset_many(caller, [data_id] * 4, transactional=transactional),
            ratings.rate_many(caller, targets * 3, given, transactional=transactional),
            ratings.rate_many(caller, targets * 2, [], transactional=transactional),
            ratings.rate_many(caller, targets, given * 2, transactional=transactional),
            ratings.rate_many_with_posting(
                caller, targets * 3, given, drafts * 3, transactional=transactional
            ),
            ratings.rate_many_with_posting(
                caller, targets * 2, given, drafts, transactional=transactional
            ),
        ]
        assert [await refused(each) for each in refusals] == [Refusal.INVALID] * 7
        assert await ratings.rate_many(caller, [], [], transactional=transactional) == []
        nothing = ratings.rate_many_with_posting(caller, [], [], [], transactional=transactional)
        assert await nothing == []
        assert await ratings.reset_many(caller, [], transactional=transactional) == []
    assert await ratings.get_many(caller, []) == []
    assert (await rating(shop, data_id)).count == 0


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


# -- beginning anew ---------------------------------------------------------------------------


@EVERY_ADAPTER
async def test_resetting_forgets_who_rated(adapter: Any, tmp_path: Path) -> None:
    async with adapter.open(tmp_path) as store:
        shop = Shop(store=store)
        rules = slots(0, 1, lock_type=LockType.PERMANENT, initial_value=50)
        data_id = await post(shop, rating_rules=rules)
        for slot in (0, 1):
            await rate(shop, RATER, data_id, 5, slot=slot)
        await shop.data.ratings.reset(Caller(OWNER), RatingTarget(data_id, 0))
        first, second = (await shop.stored(data_id)).ratings
        assert [(each.total, each.count) for each in (first, second)] == [(50, 0), (55, 1)]
        assert await store.rating_log(data_id, 0, RATER) is None
        assert await store.rating_log(data_id, 1, RATER) is not None
        assert (await rate(shop, RATER, data_id, 1)).total == 51
        assert await refused(rate(shop, RATER, data_id, 1, slot=1)) is Refusal.LOCKED
        unknown = shop.data.ratings.reset(Caller(OWNER), RatingTarget(data_id, 2))
        assert await refused(unknown) is Refusal.NOT_FOUND


async def test_resetting_needs_the_update_permission() -> None:
    shop = Shop()
    data_id = await post(shop)
    await rate(shop, RATER, data_id)
    secret = (await shop.stored(data_id)).update_password
    ratings, caller, target = shop.data.ratings, Caller(RATER), RatingTarget(data_id)
    assert await refused(ratings.reset(caller, target)) is Refusal.NOT_PERMITTED
    assert await refused(ratings.reset(caller, target, secret ^ 1)) is Refusal.WRONG_PASSWORD
    assert (await rating(shop, data_id)).count == 1
    await ratings.reset(caller, target, secret)
    assert (await rating(shop, data_id)).count == 0
    shared = await post(shop, update=PUBLIC)
    await ratings.reset(caller, RatingTarget(shared))


async def test_objects_of_the_game_are_not_reset() -> None:
    shop = Shop()
    stored = StoredObject(
        owner=2, data_id=900_001, complete=True, update=PUBLIC, flags=Flag.NO_FILE
    )
    await shop.store.create(Outcome(stored), Quota(10, 10))
    doing = shop.data.ratings.reset(Caller(RATER), RatingTarget(900_001))
    assert await refused(doing) is Refusal.NOT_ALLOWED


async def test_resetting_many() -> None:
    shop = Shop()
    first = await post(shop, rating_rules=slots(0, 1))
    second = await post(shop)
    foreign = await post(shop, OTHER)
    for data_id in (first, second, foreign):
        await rate(shop, RATER, data_id)
    await rate(shop, RATER, first, slot=1)
    ratings, caller = shop.data.ratings, Caller(OWNER)
    doing = ratings.reset_many(caller, [first, foreign], transactional=True)
    assert await refused(doing) is Refusal.NOT_PERMITTED
    missing = ratings.reset_many(caller, [first, 999], transactional=True)
    assert await refused(missing) is Refusal.NOT_FOUND
    assert (await rating(shop, first)).count == 1
    results = await ratings.reset_many(caller, [foreign, first, 999, second], transactional=False)
    refusals = [None if each is None else each.refusal for each in results]
    assert refusals == [Refusal.NOT_PERMITTED, None, Refusal.NOT_FOUND, None]
    assert [each.count for each in (await shop.stored(first)).ratings] == [0, 0]
    assert (await rating(shop, foreign)).count == 1
    await rate(shop, RATER, second)
    assert await ratings.reset_many(caller, [first, second], transactional=True) == [None, None]
    assert (await rating(shop, second)).count == 0
