from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nekonex.domain.datastore import (
    Caller,
    DataStoreError,
    DataStoreHooks,
    Flag,
    Level,
    ObjectDownload,
    ObjectTarget,
    Passwords,
    Permission,
    Refusal,
    Status,
    StoredObject,
)
from nekonex.domain.datastore.files import TransferError
from nekonex.values import RMCError
from tests.support.datastore import DAY, Shop, fetch, refused

PRIVATE = Permission(Level.PRIVATE)


def names(found: list[Any]) -> list[Any]:
    return [
        each.refusal if isinstance(each, DataStoreError) else getattr(each, "data_id", each)
        for each in found
    ]


async def test_the_data_id_wins_over_the_slot() -> None:
    shop = Shop()
    one, two = await shop.post(1, slot=3), await shop.post(2)
    meta = shop.data.reading.meta
    assert (await meta(Caller(9), ObjectTarget(two, 1, 3))).data_id == two
    assert (await meta(Caller(9), ObjectTarget(0, 1, 3))).data_id == one
    assert await refused(meta(Caller(9), ObjectTarget(5, 1, 3))) is Refusal.NOT_FOUND
    for target in (ObjectTarget(), ObjectTarget(owner=1), ObjectTarget(slot=3)):
        assert await refused(meta(Caller(9), target)) is Refusal.INVALID
    assert await refused(meta(Caller(9), ObjectTarget(owner=1, slot=17))) is Refusal.INVALID


async def test_permissions_and_passwords_guard_all_that_reads() -> None:
    shop = Shop()
    data_id = await shop.post(1, access=PRIVATE)
    password = (await shop.stored(data_id)).access_password
    reading, target = shop.data.reading, ObjectTarget(data_id)
    calls: list[Any] = [
        lambda who, secret: reading.meta(who, target, secret),
        lambda who, secret: reading.prepare_get(who, target, secret),
        lambda who, secret: reading.prepare_get_or_meta(who, target, secret),
        lambda who, secret: reading.touch(who, data_id, secret),
    ]
    for call in calls:
        assert await refused(call(Caller(2), 0)) is Refusal.NOT_PERMITTED
        assert await refused(call(Caller(2), password ^ 1)) is Refusal.WRONG_PASSWORD
        await call(Caller(2), password)
        await call(Caller(1), 0)
    for secret, expected in ((0, Refusal.NOT_PERMITTED), (password, data_id)):
        assert names(await reading.metas(Caller(2), [data_id], secret)) == [expected]
        assert names(await reading.metas_of(Caller(2), [(target, secret)])) == [expected]
    assert names(await reading.object_infos(Caller(2), [data_id])) == [Refusal.NOT_PERMITTED]
    assert await reading.specific(Caller(2), [data_id]) == []


async def test_friends_are_asked_for_only_where_it_matters() -> None:
    shop = Shop(friends={2: [1]})
    friends = await shop.post(1, access=Permission(Level.FRIENDS))
    public = await shop.post(1)
    await shop.meta(2, public)
    await shop.meta(1, friends)
    assert shop.friends.asked == []
    await shop.meta(2, friends)
    assert shop.friends.asked == [2]
    assert await refused(shop.meta(3, friends)) is Refusal.NOT_PERMITTED


async def test_lists_have_refusals_in_their_places() -> None:
    shop = Shop()
    one, private, meta = await shop.post(1), await shop.post(1, access=PRIVATE), 0
    waits, _ = await shop.prepare(2)
    pending = await shop.post(1)
    await shop.data.upkeep.moderate(pending, Status.PENDING)
    meta = await shop.post_meta(1)
    ids = [one, 5, private, waits, pending, meta, one, 0]
    expected = [
        one,
        Refusal.NOT_FOUND,
        Refusal.NOT_PERMITTED,
        Refusal.NOT_FOUND,
        Refusal.UNDER_REVIEW,
        meta,
        one,
    ]
    reading = shop.data.reading
    assert names(await reading.metas(Caller(2), ids)) == [*expected, Refusal.NOT_FOUND]
    targets = [(ObjectTarget(each), 0) for each in ids]
    assert names(await reading.metas_of(Caller(2), targets)) == [*expected, Refusal.INVALID]
    infos = await reading.object_infos(Caller(2), ids)
    expected[5] = Refusal.NOT_ALLOWED
    assert names(infos) == [*expected, Refusal.NOT_FOUND]
    assert isinstance(infos[0], ObjectDownload)
    assert fetch(shop.files, infos[0]) == b"data"
    assert names(await reading.specific(Caller(2), ids)) == [one, meta, one]


async def test_lists_have_bounds() -> None:
    shop = Shop()
    reading, caller = shop.data.reading, Caller(1)
    ids = [5] * 101
    for call in (
        reading.metas(caller, ids),
        reading.metas_of(caller, [(ObjectTarget(5), 0)] * 101),
        reading.object_infos(caller, ids),
        reading.specific(caller, ids),
        reading.passwords(caller, ids),
    ):
        assert await refused(call) is Refusal.INVALID
    assert len(await reading.metas(caller, ids[:100])) == 100
    assert await reading.metas(caller, []) == []


async def test_references_are_counted_and_may_prolong() -> None:
    shop = Shop()
    flags = int(Flag.NEEDS_COMPLETION | Flag.PERIOD_FROM_LAST_REFERENCE)
    data_id = await shop.post(1, period=5, flags=flags)
    plain = await shop.post(1, period=5)
    first = (await shop.meta(2, plain)).expires
    reading, target = shop.data.reading, ObjectTarget(data_id)
    calls: list[Any] = [
        lambda: reading.prepare_get(Caller(2), target),
        lambda: reading.prepare_get_or_meta(Caller(2), target),
        lambda: reading.object_infos(Caller(2), [data_id]),
        lambda: reading.touch(Caller(2), data_id),
    ]
    for number, call in enumerate(calls, 1):
        shop.clock.now += 100
        await call()
        stored = await shop.meta(2, data_id)
        assert (stored.referred, stored.referred_count) == (shop.now, number)
        assert stored.expires == shop.now + 5 * DAY
    await shop.get(2, plain)
    assert (await shop.meta(2, plain)).expires == first


async def test_a_hundred_references_at_once_are_a_hundred() -> None:
    shop = Shop()
    data_id = await shop.post(1)
    await asyncio.gather(*[shop.data.reading.touch(Caller(2), data_id) for _ in range(100)])
    assert (await shop.meta(2, data_id)).referred_count == 100


async def test_an_object_without_a_file_has_nothing_to_get_but_its_meta_binary() -> None:
    shop = Shop()
    data_id = await shop.post_meta(1, meta_binary=b"m")
    target = ObjectTarget(data_id)
    got = shop.data.reading.prepare_get(Caller(2), target)
    assert await refused(got) is Refusal.NOT_ALLOWED
    download, stored = await shop.data.reading.prepare_get_or_meta(Caller(2), target)
    assert (download, stored.meta_binary, stored.referred_count) == (None, b"m", 1)
    other = await shop.post(1, meta_binary=b"o")
    download, stored = await shop.data.reading.prepare_get_or_meta(Caller(2), ObjectTarget(other))
    assert stored.meta_binary == b"o"
    assert download is not None
    assert fetch(shop.files, download) == b"data"


async def test_extra_data_has_its_form() -> None:
    shop = Shop()
    target = ObjectTarget(await shop.post(1))
    reading = shop.data.reading
    await reading.prepare_get(Caller(2), target, 0, ("",) * 6)
    for get in (reading.prepare_get, reading.prepare_get_or_meta):
        assert await refused(get(Caller(2), target, 0, ("",))) is Refusal.INVALID


async def test_a_url_is_good_for_a_while() -> None:
    shop = Shop()
    data_id = await shop.post(1)
    download = await shop.data.reading.prepare_get(Caller(2), ObjectTarget(data_id))
    shop.clock.now += shop.data.limits.url_seconds + 1
    with pytest.raises(TransferError):
        fetch(shop.files, download)


async def test_passwords_are_for_the_owner() -> None:
    shop = Shop()
    one, two, other = await shop.post(1), await shop.post_meta(1), await shop.post(2)
    waits, _ = await shop.prepare(1)
    found = await shop.data.reading.passwords(Caller(1), [two, other, 5, waits, one])
    stored = await shop.stored(one)
    assert found[4] == Passwords(one, stored.access_password, stored.update_password)
    assert names(found) == [two, Refusal.NOT_ALLOWED, Refusal.NOT_FOUND, Refusal.NOT_FOUND, one]


async def test_what_has_expired_is_not_there_although_nobody_cleared_it_away() -> None:
    shop = Shop()
    data_id = await shop.post(1, period=1)
    shop.clock.now += DAY - 1
    await shop.get(2, data_id)
    shop.clock.now += 1
    assert await refused(shop.get(2, data_id)) is Refusal.NOT_FOUND
    assert await refused(shop.meta(1, data_id)) is Refusal.NOT_FOUND


async def test_a_game_says_what_may_be_read() -> None:
    class Hooks(DataStoreHooks):
        async def may_read(self, pid: int, stored: StoredObject) -> bool:
            if pid == 4:
                raise RMCError("Core::AccessDenied")
            return pid != 3

    shop = Shop(hooks=Hooks())
    data_id = await shop.post(1)
    assert await shop.get(2, data_id) == b"data"
    assert await refused(shop.get(3, data_id)) is Refusal.NOT_FOUND
    with pytest.raises(RMCError, match="AccessDenied"):
        await shop.meta(4, data_id)
