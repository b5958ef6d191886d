"""Who may rate what, what comes of it, and who finds out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nekonex.domain.datastore.callers import Caller
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
from nekonex.events import ObjectRated
from nekonex.values import RMCError
from tests.support.datastore import PUBLIC, Shop, refused
from tests.support.object_stores import ADAPTERS, setting
from tests.support.ratings import OTHER, OWNER, RATER, comment, outcomes, post, rate, rating, slots

EVERY_ADAPTER = pytest.mark.parametrize("adapter", ADAPTERS.values(), ids=ADAPTERS.keys())


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


# -- all of it --------------------------------------------------------------------------------


class NaiveSlot:
    """What a slot without bounds comes to, by the book."""

    def __init__(self, rules: RatingRules) -> None:
        self.rules = rules
        self.total, self.count = rules.initial_value, 0
        self.given: dict[int, tuple[int, int]] = {}

    def rate(self, pid: int, value: int, now: int) -> bool:
        """Rate, unless there is a lock."""
        earlier, rated = self.given.get(pid, (0, -(10**9)))
        if self.rules.lock_type == LockType.INTERVAL and now < rated + self.rules.period_duration:
            return False
        if pid in self.given and self.rules.flags & RatingFlag.MODIFIABLE:
            self.total += value - earlier
        else:
            self.total += value
            self.count += 1
        self.given[pid] = value, now
        return True


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("rate"), st.integers(0, 1), st.integers(1, 3), st.integers(-9, 9)),
        st.tuples(st.just("reset"), st.integers(0, 1), st.just(0), st.just(0)),
        st.tuples(st.just("wait"), st.just(0), st.just(0), st.integers(1, 40)),
    ),
    max_size=30,
)
RULES = st.builds(
    RatingRules,
    flags=st.sampled_from([0, int(RatingFlag.MODIFIABLE)]),
    lock_type=st.sampled_from([LockType.NONE, LockType.INTERVAL]),
    period_duration=st.just(60),
    initial_value=st.integers(-5, 5),
)


@settings(max_examples=40)
@given(STEPS, RULES, RULES)
async def test_slots_are_as_a_naive_count_has_them(
    steps: list[tuple[str, int, int, int]], first: RatingRules, second: RatingRules
) -> None:
    shop = Shop()
    data_id = await post(shop, rating_rules=((0, first), (1, second)))
    model = [NaiveSlot(first), NaiveSlot(second)]
    for what, slot, pid, value in steps:
        if what == "wait":
            shop.clock.now += value
        elif what == "reset":
            await shop.data.ratings.reset(Caller(OWNER), RatingTarget(data_id, slot))
            model[slot] = NaiveSlot(model[slot].rules)
        elif model[slot].rate(pid, value, shop.now):
            await rate(shop, pid, data_id, value, slot=slot)
        else:
            refusal = await refused(rate(shop, pid, data_id, value, slot=slot))
            assert refusal is Refusal.LOCKED
    found = (await shop.stored(data_id)).ratings
    assert [(each.total, each.count) for each in found] == [
        (each.total, each.count) for each in model
    ]
    for slot, naive in enumerate(model):
        for pid, (value, rated) in naive.given.items():
            log = await shop.store.rating_log(data_id, slot, pid)
            assert log is not None
            assert (log.value, log.rated) == (value, rated)
