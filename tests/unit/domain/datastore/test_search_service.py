"""What a search asks the store for, what it refuses, and what it says of how much there is."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields, replace
from pathlib import Path
from typing import Any

import pytest

from nekonex.domain.datastore.callers import Caller
from nekonex.domain.datastore.hooks import DataStoreHooks
from nekonex.domain.datastore.limits import DataStoreLimits
from nekonex.domain.datastore.model import (
    ANY_TYPE,
    Flag,
    Level,
    Permission,
    RatingRules,
    Status,
    StoredObject,
)
from nekonex.domain.datastore.ports import SearchPage
from nekonex.domain.datastore.query import ObjectQuery, OrderColumn, OwnerType, Target
from nekonex.domain.datastore.refusals import Refusal
from nekonex.domain.datastore.requests import (
    RANDOM_OFFSET,
    CountType,
    Found,
    GivenRating,
    RatingTarget,
    SearchRequest,
)
from nekonex.domain.datastore.services.searching import query_of
from nekonex.domain.datastore.services.shelf import DataStoreRules
from tests.support.datastore import DAY, Shop, refused
from tests.support.object_stores import ADAPTERS

OWNER, FRIEND, STRANGER = 10, 20, 30

EVERY_ADAPTER = pytest.mark.parametrize("adapter", ADAPTERS.values(), ids=ADAPTERS.keys())


async def search(shop: Shop, pid: int = STRANGER, **request: Any) -> Found:
    return await shop.data.searching.search(Caller(pid), SearchRequest(**request))


async def names(shop: Shop, pid: int = STRANGER, **request: Any) -> list[str]:
    """Return the names of what somebody finds."""
    return [each.name for each in (await search(shop, pid, **request)).objects]


def query(limits: DataStoreLimits | None = None, **request: Any) -> ObjectQuery:
    return query_of(
        SearchRequest(**request),
        viewer=STRANGER,
        friends=frozenset({FRIEND}),
        now=77,
        limits=limits or DataStoreLimits(),
    )


# -- translation ------------------------------------------------------------------------------


def test_a_search_for_nothing_in_particular() -> None:
    assert query() == ObjectQuery(
        viewer=STRANGER, now=77, friends=frozenset({FRIEND}), max_total=10_000
    )


def test_everything_that_can_be_asked_for() -> None:
    asked = query(
        target=Target.RECEIVED,
        owners=[3, 1, 3],
        owner_type=OwnerType.EXCEPT,
        recipients=[8, 9],
        data_type=4,
        created_after=1,
        created_before=2,
        updated_after=3,
        updated_before=4,
        refer_data_id=5,
        tags=["b", "a", "b"],
        order=OrderColumn.NAME,
        descending=1,
        offset=6,
        limit=7,
        minimum_ratings=8,
        count=False,
    )
    assert asked == ObjectQuery(
        viewer=STRANGER,
        now=77,
        friends=frozenset({FRIEND}),
        target=Target.RECEIVED,
        owner_type=OwnerType.EXCEPT,
        owners=frozenset({1, 3}),
        recipients=frozenset({8, 9}),
        data_types=frozenset({4}),
        created_from=1,
        created_to=2,
        updated_from=3,
        updated_to=4,
        refer_data_id=5,
        tags=frozenset({"a", "b"}),
        order=OrderColumn.NAME,
        descending=True,
        offset=6,
        limit=7,
        minimum_ratings=8,
        max_total=0,
    )
    untouched = {each.name for each in fields(asked) if getattr(asked, each.name) == each.default}
    assert untouched == {"random", "max_total"}


@pytest.mark.parametrize(
    ("data_type", "data_types", "wanted"),
    [
        (ANY_TYPE, [], set()),
        (0, [], {0}),
        (5, [6, 7], {6, 7}),
        (ANY_TYPE, [6], {6}),
        (5, [6, ANY_TYPE], set()),
    ],
)
def test_a_list_of_types_wins(data_type: int, data_types: list[int], wanted: set[int]) -> None:
    assert query(data_type=data_type, data_types=data_types).data_types == wanted


def test_target_0_is_public() -> None:
    assert query(target=0).target == Target.PUBLIC


def test_a_sample_instead_of_a_range() -> None:
    asked = query(offset=RANDOM_OFFSET, limit=5)
    assert (asked.random, asked.offset, asked.limit) == (True, 0, 5)


def test_nothing_is_far_behind() -> None:
    limits = DataStoreLimits(max_offset=50, max_counted=9)
    last, beyond = query(limits, offset=50, limit=5), query(limits, offset=51, limit=5)
    assert (last.offset, last.limit, last.max_total) == (50, 5, 9)
    assert (beyond.offset, beyond.limit, beyond.max_total) == (0, 0, 9)
    assert not beyond.random


# -- refusals ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "request_",
    [
        {"target": 15},
        {"target": -1},
        {"target": 255},
        {"owner_type": 3},
        {"order": 7},
        {"order": 63},
        {"order": 80},
        {"order": 95},
        {"order": 112},
        {"order": 255},
        {"descending": 2},
        {"limit": 101},
        {"limit": -1},
        {"limit": 0xFFFFFFFF},
        {"offset": -1},
        {"offset": RANDOM_OFFSET + 1},
        {"owners": [1] * 301},
        {"recipients": [1] * 301},
        {"data_types": [1] * 11},
        {"tags": ["a"] * 17},
        {"tags": ["a" * 25]},
    ],
    ids=str,
)
async def test_what_is_out_of_bounds_is_refused(request_: dict[str, Any]) -> None:
    assert await refused(search(Shop(), **request_)) is Refusal.INVALID


@EVERY_ADAPTER
async def test_what_is_at_the_bounds_is_not(adapter: Any, tmp_path: Path) -> None:
    async with adapter.open(tmp_path) as store:
        shop = Shop(store=store, friends={STRANGER: [OWNER, 2**64 - 1]})
        await shop.post_meta(OWNER, rating_rules=((15, RatingRules()),))
        big = 2**64 - 1
        lists: dict[str, Any] = {
            "owners": [big, OWNER, *range(1000, 1298)],
            "data_types": [ANY_TYPE - 1, 1, *range(100, 108)],
        }
        for target in (0, *Target):
            for owner_type in OwnerType:
                await search(shop, target=target, owner_type=owner_type, **lists)
        for order in (*OrderColumn, *range(64, 80), *range(96, 112)):
            for descending in (0, 1):
                found = await search(shop, order=order, descending=descending, limit=100, **lists)
                assert len(found.objects) == 1
        nothing: dict[str, Any] = {
            "recipients": [big] * 300,
            "refer_data_id": 2**32 - 1,
            "tags": [f"{'t' * 22}{number:02}" for number in range(16)],
            "minimum_ratings": 2**32 - 1,
            "created_after": 2**40,
            "created_before": -(2**40),
            "updated_after": -(2**62),
            "updated_before": 2**62,
        }
        for name, value in nothing.items():
            expected = 1 if name == "updated_before" else 0
            expected = 1 if name == "updated_after" else expected
            assert len((await search(shop, **{name: value})).objects) == expected, name
        assert (await search(shop, **nothing, **lists)).objects == []


# -- what is found ----------------------------------------------------------------------------


@EVERY_ADAPTER
async def test_nothing_found_is_no_error(adapter: Any, tmp_path: Path) -> None:
    async with adapter.open(tmp_path) as store:
        found = await search(Shop(store=store))
    assert (list(found.objects), found.total, found.count_type) == ([], 0, CountType.EXACT)


@EVERY_ADAPTER
async def test_who_finds_what(adapter: Any, tmp_path: Path) -> None:
    async with adapter.open(tmp_path) as store:
        shop = Shop(store=store, friends={FRIEND: [OWNER], OWNER: [FRIEND]})
        both = (FRIEND, STRANGER)
        permissions = {
            "public": Permission(Level.PUBLIC),
            "friends": Permission(Level.FRIENDS),
            "named": Permission(Level.SPECIFIED, both),
            "private": Permission(Level.PRIVATE),
            "named friends": Permission(Level.SPECIFIED_FRIENDS, both),
        }
        for name, access in permissions.items():
            await shop.post_meta(OWNER, name=name, access=access)
        found = {
            target: [await names(shop, pid, target=target) for pid in (OWNER, FRIEND, STRANGER)]
            for target in Target
        }
        of_friends = await names(shop, FRIEND, owner_type=OwnerType.FRIENDS)
        of_no_friends = await names(shop, STRANGER, owner_type=OwnerType.FRIENDS)
    sent = ["friends", "named", "named friends"]
    everything = ["public", "friends", "named", "private", "named friends"]
    assert found == {
        Target.PUBLIC: [["public"]] * 3,
        Target.SENT_TO_FRIENDS: [["friends"], [], []],
        Target.SENT_TO_SPECIFIED: [["named"], [], []],
        Target.SENT_TO_SPECIFIED_FRIENDS: [["named friends"], [], []],
        Target.SENT: [sent, [], []],
        Target.FRIENDS: [[], ["friends"], []],
        Target.RECEIVED_SPECIFIED: [[], ["named", "named friends"], ["named"]],
        Target.RECEIVED: [[], sent, ["named"]],
        Target.PRIVATE: [["private"], [], []],
        Target.OWN: [everything, [], []],
        Target.PUBLIC_OF_STRANGERS: [[], [], ["public"]],
        Target.OWN_PENDING: [[], [], []],
        Target.OWN_REJECTED: [[], [], []],
        Target.OWN_ALL: [everything, [], []],
    }
    assert (of_friends, of_no_friends) == (["public"], [])


async def test_friends_are_asked_for_only_where_they_matter() -> None:
    shop = Shop()
    for target in Target:
        await search(shop, target=target)
    assert len(shop.friends.asked) == 4
    await search(shop, owner_type=OwnerType.FRIENDS)
    await search(shop, owner_type=OwnerType.EXCEPT)
    assert shop.friends.asked == [STRANGER] * 5


@EVERY_ADAPTER
async def test_what_is_not_there_for_others_is_not_found(adapter: Any, tmp_path: Path) -> None:
    async with adapter.open(tmp_path) as store:
        shop = Shop(store=store, rules=DataStoreRules(review=True))
        await shop.prepare(OWNER, name="unfinished")
        await shop.post_meta(OWNER, name="expired", period=1)
        await shop.post_meta(OWNER, name="there", period=2)
        await shop.post_meta(OWNER, name="pending", flags=Flag.NEEDS_REVIEW)
        rejected = await shop.post_meta(OWNER, name="rejected", flags=Flag.NEEDS_REVIEW)
        await shop.data.upkeep.moderate(rejected, Status.REJECTED)
        shop.clock.now += DAY
        assert await names(shop) == ["there"]
        assert await names(shop, OWNER) == ["there"]
        assert await names(shop, OWNER, target=Target.OWN_PENDING) == ["pending"]
        assert await names(shop, OWNER, target=Target.OWN_REJECTED) == ["rejected"]
        assert await names(shop, target=Target.OWN_PENDING) == []


@EVERY_ADAPTER
async def test_pages_and_counts(adapter: Any, tmp_path: Path) -> None:
    async with adapter.open(tmp_path) as store:
        shop = Shop(store=store, limits=DataStoreLimits(max_counted=5, max_offset=4))
        for number in range(5):
            await shop.post_meta(OWNER, name=f"{number}")
        first = await search(shop, limit=2, order=OrderColumn.NAME, descending=1)
        assert [each.name for each in first.objects] == ["4", "3"]
        assert (first.total, first.count_type) == (5, CountType.EXACT)
        assert await names(shop, offset=4, limit=2) == ["4"]
        assert await names(shop, offset=5, limit=2) == []
        only_counted = await search(shop, limit=0)
        assert (list(only_counted.objects), only_counted.total) == ([], 5)
        uncounted = await search(shop, limit=1, count=False)
        assert (uncounted.total, uncounted.count_type) == (0, CountType.DISABLED)
        await shop.post_meta(OWNER)
        more = await search(shop, limit=1)
        assert (more.total, more.count_type) == (5, CountType.MINIMUM)


@EVERY_ADAPTER
async def test_a_sample_is_of_what_fits(adapter: Any, tmp_path: Path) -> None:
    async with adapter.open(tmp_path) as store:
        shop = Shop(store=store)
        for number in range(30):
            await shop.post_meta(OWNER, name=str(number), data_type=number % 2)
        samples = [await names(shop, data_type=1, offset=RANDOM_OFFSET, limit=5) for _ in range(8)]
        everything = await names(shop, data_type=1, offset=RANDOM_OFFSET, limit=100)
    odd = {str(number) for number in range(1, 30, 2)}
    assert all(len(set(sample)) == 5 and set(sample) <= odd for sample in samples)
    assert len({tuple(sample) for sample in samples}) > 1
    assert sorted(everything) == sorted(odd)


@EVERY_ADAPTER
async def test_ratings_order_what_is_found(adapter: Any, tmp_path: Path) -> None:
    async with adapter.open(tmp_path) as store:
        shop = Shop(store=store)
        slots = ((2, RatingRules()),)
        ids = [
            await shop.post_meta(OWNER, name=name, rating_rules=slots)
            for name in ("often", "well", "never")
        ]
        for pid, (data_id, value) in enumerate(
            [(ids[0], 2), (ids[0], 2), (ids[0], 2), (ids[1], 5)]
        ):
            target, given = RatingTarget(data_id, 2), GivenRating(value)
            await shop.data.ratings.rate(Caller(100 + pid), target, given)
        by_total = await names(shop, order=66, descending=1)
        by_average = await names(shop, order=98, descending=1)
        rated_twice = await names(shop, minimum_ratings=2)
    assert by_total == ["often", "well", "never"]
    assert by_average == ["well", "often", "never"]
    assert rated_twice == ["often"]


async def test_the_game_may_hide_what_it_finds() -> None:
    class Hooks(DataStoreHooks):
        async def may_read(self, pid: int, stored: StoredObject) -> bool:
            return pid == OWNER or stored.name != "hidden"

    shop = Shop(hooks=Hooks())
    for name in ("one", "hidden", "two"):
        await shop.post_meta(OWNER, name=name)
    found = await search(shop)
    assert [each.name for each in found.objects] == ["one", "two"]
    assert (found.total, found.count_type) == (3, CountType.ESTIMATE)
    assert (await search(shop, OWNER)).count_type == CountType.EXACT
    assert (await search(shop, limit=1)).count_type == CountType.EXACT
    uncounted = await search(shop, count=False)
    assert (uncounted.total, uncounted.count_type) == (0, CountType.DISABLED)


async def test_whoever_searches_searches_at_the_present_time() -> None:
    asked: list[ObjectQuery] = []
    shop = Shop()
    original = shop.store.search

    async def spy(query: ObjectQuery) -> SearchPage:
        asked.append(query)
        return await original(query)

    shop.store.search = spy  # type: ignore[method-assign]
    await search(shop, FRIEND)
    shop.clock.now += 5
    await search(shop, FRIEND)
    expected: Sequence[ObjectQuery] = [
        replace(query(), viewer=FRIEND, friends=frozenset(), now=now)
        for now in (shop.now - 5, shop.now)
    ]
    assert asked == expected


async def test_what_completes_itself_is_found_by_its_owner_at_once() -> None:
    shop = Shop()
    _, form = await shop.prepare(OWNER, name="mine", flags=0)
    assert await names(shop, OWNER) == []
    shop.files.upload(form, b"data")
    # Others find it when the next sweep has looked.
    assert await names(shop) == []
    assert await names(shop, OWNER) == ["mine"]
    assert await names(shop) == ["mine"]
