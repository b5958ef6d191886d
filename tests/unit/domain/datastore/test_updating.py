from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nekonex.domain.datastore import (
    Caller,
    Compare,
    DataStoreLimits,
    DataStoreRules,
    Flag,
    Level,
    MetaChange,
    MetaComparison,
    Modify,
    ObjectTarget,
    Permission,
    Refusal,
    Status,
)
from nekonex.events import ObjectDeleted, ObjectUpdated
from tests.support.datastore import DAY, PUBLIC, Shop, refused

WORLD = Permission(Level.PUBLIC)


async def begin(shop: Shop, pid: int, data_id: int, size: int, password: int = 0) -> Any:
    return await shop.data.updating.prepare_update(Caller(pid), data_id, size, password)


async def complete(shop: Shop, pid: int, data_id: int, version: int, success: bool = True) -> None:
    await shop.data.updating.complete_update(Caller(pid), data_id, version, success)


async def test_the_old_content_is_served_until_the_new_is_complete() -> None:
    shop = Shop()
    data_id = await shop.post(1, b"old!", period=5)
    shop.clock.now += DAY
    update = await begin(shop, 1, data_id, 3)
    assert update.version == 2
    shop.files.upload(update.form, b"new")
    assert await shop.get(2, data_id) == b"old!"
    assert (await shop.meta(2, data_id)).version == 1
    shop.clock.now += 10
    await complete(shop, 1, data_id, 2)
    assert await shop.get(2, data_id) == b"new"
    stored = await shop.meta(2, data_id)
    assert (stored.version, stored.size, stored.updated) == (2, 3, shop.now)
    assert stored.created < stored.updated
    assert stored.expires == shop.now + 5 * DAY
    assert await shop.keys() == [f"objects/{data_id}.bin"]
    assert shop.told(ObjectUpdated) == [ObjectUpdated("test", data_id, 1, 2)]
    assert await shop.update(1, data_id, b"newer") == 3


@pytest.mark.parametrize("success", [True, False])
@pytest.mark.parametrize("uploaded", [None, b"five!"])
async def test_an_update_that_fails_destroys_nothing(success: bool, uploaded: bytes | None) -> None:
    shop = Shop()
    data_id = await shop.post(1, b"old!")
    before = await shop.snapshot()
    update = await begin(shop, 1, data_id, 4)
    if uploaded is not None:
        await shop.files.put((await shop.stored(data_id)).staging_key, uploaded)
    if success:
        completed = complete(shop, 1, data_id, update.version)
        assert await refused(completed) is Refusal.NOT_FOUND
    else:
        await complete(shop, 1, data_id, update.version, success=False)
    assert await shop.snapshot() == before
    assert await shop.get(2, data_id) == b"old!"
    assert not shop.told(ObjectUpdated)


async def test_only_the_update_that_was_announced_last_is_completed() -> None:
    shop = Shop()
    data_id = await shop.post(1, b"old!", update=WORLD)
    first = await begin(shop, 1, data_id, 3)
    shop.files.upload(first.form, b"one")
    second = await begin(shop, 2, data_id, 3)
    assert second.version != first.version
    assert await shop.keys() == [f"objects/{data_id}.bin"]
    shop.files.upload(second.form, b"two")
    for version in (first.version, 0, 1, second.version + 1):
        for success in (True, False):
            completed = complete(shop, 1, data_id, version, success)
            assert await refused(completed) is Refusal.NOT_ALLOWED
    await complete(shop, 2, data_id, second.version)
    assert await shop.get(3, data_id) == b"two"
    again = complete(shop, 2, data_id, second.version)
    assert await refused(again) is Refusal.NOT_ALLOWED


async def test_updates_that_are_announced_at_once_do_not_share_a_version() -> None:
    shop = Shop()
    data_id = await shop.post(1)
    updates = await asyncio.gather(*[begin(shop, 1, data_id, 3) for _ in range(5)])
    assert len({update.version for update in updates}) == 5
    shop.files.upload(updates[-1].form, b"new")
    await complete(shop, 1, data_id, updates[-1].version)
    assert await shop.get(1, data_id) == b"new"


async def test_who_has_the_password_completes_what_it_announced() -> None:
    shop = Shop()
    data_id = await shop.post(1, b"old!")
    password = (await shop.stored(data_id)).update_password
    assert await refused(begin(shop, 2, data_id, 3)) is Refusal.NOT_PERMITTED
    assert await refused(begin(shop, 2, data_id, 3, password ^ 1)) is Refusal.WRONG_PASSWORD
    update = await begin(shop, 2, data_id, 3, password)
    shop.files.upload(update.form, b"new")
    other = complete(shop, 3, data_id, update.version)
    assert await refused(other) is Refusal.NOT_PERMITTED
    await complete(shop, 2, data_id, update.version)
    assert await shop.get(2, data_id) == b"new"
    # Having been let in once is no permission for ever.
    again = await begin(shop, 1, data_id, 3)
    assert await refused(complete(shop, 2, data_id, again.version)) is Refusal.NOT_PERMITTED


async def test_what_cannot_be_updated() -> None:
    shop = Shop()
    meta = await shop.post_meta(1)
    waits, _ = await shop.prepare(1)
    gone = await shop.post(1, period=1)
    shop.clock.now += DAY
    there = await shop.post(1)
    assert await refused(begin(shop, 1, meta, 3)) is Refusal.NOT_ALLOWED
    for data_id in (waits, gone, 5):
        assert await refused(begin(shop, 1, data_id, 3)) is Refusal.NOT_FOUND
        assert await refused(complete(shop, 1, data_id, 2)) in {
            Refusal.NOT_FOUND,
            Refusal.NOT_ALLOWED,
        }
    assert await refused(begin(shop, 1, 0, 3)) is Refusal.INVALID
    for size in (-1, shop.data.limits.max_object_size + 1):
        assert await refused(begin(shop, 1, there, size)) is Refusal.INVALID
    extra = shop.data.updating.prepare_update(Caller(1), there, 3, 0, ("a",))
    assert await refused(extra) is Refusal.INVALID


async def test_updates_count_for_the_quota_of_the_owner() -> None:
    shop = Shop(limits=DataStoreLimits(max_stored=10))
    data_id = await shop.post(1, b"1234", update=WORLD)
    assert await refused(begin(shop, 2, data_id, 7)) is Refusal.OVER_CAPACITY
    await begin(shop, 2, data_id, 6)
    # What is replaced counts no more.
    await begin(shop, 2, data_id, 6)
    assert await refused(shop.prepare(1, size=1)) is Refusal.OVER_CAPACITY
    many = [begin(shop, 2, data_id, 6), shop.prepare(1, size=1)]
    await asyncio.gather(*many, return_exceptions=True)
    assert (await shop.store.usage(1)).size <= 10


async def test_new_content_is_reviewed_again() -> None:
    shop = Shop(rules=DataStoreRules(review=True))
    data_id = await shop.post(1, flags=int(Flag.NEEDS_COMPLETION | Flag.NEEDS_REVIEW))
    await shop.data.upkeep.moderate(data_id, Status.NORMAL)
    await shop.get(2, data_id)
    await shop.update(1, data_id, b"worse")
    assert (await shop.meta(1, data_id)).status == Status.PENDING
    assert await refused(shop.get(2, data_id)) is Refusal.UNDER_REVIEW


async def test_who_is_told_of_an_update() -> None:
    shop = Shop()
    flags = int(Flag.NEEDS_COMPLETION | Flag.NOTIFY_ON_UPDATE)
    data_id = await shop.post(1, flags=flags, access=Permission(Level.SPECIFIED, (2,)))
    assert await shop.store.notifications(2, 0, 10) == ([], False)
    await shop.update(1, data_id, b"new")
    (notification,), _ = await shop.store.notifications(2, 0, 10)
    assert notification.data_id == data_id


# -- what is known of objects ----------------------------------------------------------


async def change(shop: Shop, pid: int, data_id: int, **fields: Any) -> None:
    wanted = MetaChange(target=ObjectTarget(data_id), **fields)
    await shop.data.updating.change_meta(Caller(pid), wanted)


async def test_who_may_change_what_is_known() -> None:
    shop = Shop()
    data_id = await shop.post(1, update=Permission(Level.SPECIFIED, (3,)))
    password = (await shop.stored(data_id)).update_password
    new: dict[str, Any] = {"flags": Modify.NAME}
    await change(shop, 1, data_id, name="by owner", **new)
    await change(shop, 3, data_id, name="by recipient", **new)
    await change(shop, 2, data_id, name="by password", password=password, **new)
    denied = change(shop, 2, data_id, name="no", **new)
    assert await refused(denied) is Refusal.NOT_PERMITTED
    wrong = change(shop, 2, data_id, name="no", password=password ^ 1, **new)
    assert await refused(wrong) is Refusal.WRONG_PASSWORD
    unequal = change(
        shop,
        1,
        data_id,
        name="no",
        compare=MetaComparison(flags=Compare.NAME, name="by owner"),
        **new,
    )
    assert await refused(unequal) is Refusal.NOT_EQUAL
    assert await refused(change(shop, 1, data_id, name="x" * 65, **new)) is Refusal.INVALID
    assert (await shop.meta(1, data_id)).name == "by password"
    assert await refused(change(shop, 1, 5, **new)) is Refusal.NOT_FOUND
    waits, _ = await shop.prepare(1)
    assert await refused(change(shop, 1, waits, **new)) is Refusal.NOT_FOUND


async def test_an_object_is_changed_by_its_slot_too() -> None:
    shop = Shop()
    data_id = await shop.post(1, slot=3)
    wanted = MetaChange(target=ObjectTarget(owner=1, slot=3), flags=Modify.NAME, name="new")
    await shop.data.updating.change_meta(Caller(1), wanted)
    assert (await shop.meta(1, data_id)).name == "new"
    for target, refusal in (
        (ObjectTarget(), Refusal.INVALID),
        (ObjectTarget(owner=1), Refusal.INVALID),
        (ObjectTarget(owner=1, slot=16), Refusal.INVALID),
        (ObjectTarget(owner=1, slot=4), Refusal.NOT_FOUND),
    ):
        call = shop.data.updating.change_meta(Caller(1), MetaChange(target=target))
        assert await refused(call) is refusal


async def test_objects_of_the_game_stay_as_they_are() -> None:
    shop = Shop()
    data_id = await shop.post(2, update=WORLD, slot=1)
    for pid in (1, 2):
        calls = [
            change(shop, pid, data_id, flags=Modify.NAME, name="x"),
            shop.data.updating.delete(Caller(pid), data_id),
            begin(shop, pid, data_id, 3),
            shop.data.slots.perpetuate(Caller(pid), 2, data_id, delete_last=True),
        ]
        for call in calls:
            assert await refused(call) is Refusal.NOT_ALLOWED
    emptied = shop.data.slots.unperpetuate(Caller(2), 1, delete_last=True)
    assert await refused(emptied) is Refusal.NOT_ALLOWED
    assert await shop.get(1, data_id) == b"data"


async def test_many_are_changed_each_for_itself() -> None:
    shop = Shop()
    ids = [await shop.post(1), 5, await shop.post(8), await shop.post(1)]
    wanted = [MetaChange(flags=Modify.NAME, name=f"{index}") for index in range(4)]
    results = await shop.data.updating.change_metas(Caller(1), ids, wanted, transactional=False)
    assert [each and each.refusal for each in results] == [
        None,
        Refusal.NOT_FOUND,
        Refusal.NOT_PERMITTED,
        None,
    ]
    assert [(await shop.meta(2, each)).name for each in (ids[0], ids[2], ids[3])] == ["0", "", "3"]


async def test_many_are_changed_together_or_not_at_all() -> None:
    shop = Shop()
    mine = [await shop.post(1), await shop.post(1)]
    foreign = await shop.post(8)
    before = await shop.snapshot()
    wanted = [MetaChange(flags=Modify.NAME, name="new")]
    changes = shop.data.updating.change_metas
    for bad, refusal in ((foreign, Refusal.NOT_PERMITTED), (5, Refusal.NOT_FOUND)):
        call = changes(Caller(1), [*mine, bad], wanted, transactional=True)
        assert await refused(call) is refusal
        assert await shop.snapshot() == before
    assert await changes(Caller(1), mine, wanted, transactional=True) == [None, None]
    for data_id in mine:
        assert (await shop.meta(2, data_id)).name == "new"


async def test_batches_have_bounds() -> None:
    shop = Shop()
    updating, one = shop.data.updating, MetaChange()
    for transactional in (True, False):
        for ids, wanted in (([1] * 101, [one]), ([1, 2, 3], [one, one]), ([1], [])):
            call = updating.change_metas(Caller(1), ids, wanted, transactional=transactional)
            assert await refused(call) is Refusal.INVALID
        call = updating.delete_many(Caller(1), [(1, 0)] * 101, transactional=transactional)
        assert await refused(call) is Refusal.INVALID
        assert await updating.delete_many(Caller(1), [], transactional=transactional) == []
        assert await updating.change_metas(Caller(1), [], [one], transactional=transactional) == []


# -- deletion --------------------------------------------------------------------------


async def test_what_is_deleted_is_gone_with_its_files() -> None:
    shop = Shop()
    data_id = await shop.post(1)
    update = await begin(shop, 1, data_id, 3)
    shop.files.upload(update.form, b"new")
    await shop.data.updating.delete(Caller(1), data_id)
    assert await shop.snapshot() == ([], {})
    assert shop.told(ObjectDeleted) == [ObjectDeleted("test", data_id, 1)]
    assert await refused(shop.data.updating.delete(Caller(1), data_id)) is Refusal.NOT_FOUND


async def test_the_owner_deletes_what_is_not_complete_and_nobody_else() -> None:
    shop = Shop()
    data_id, form = await shop.prepare(1, update=WORLD)
    shop.files.upload(form, b"data")
    password = (await shop.stored(data_id)).update_password
    denied = shop.data.updating.delete(Caller(2), data_id, password)
    assert await refused(denied) is Refusal.NOT_FOUND
    await shop.data.updating.delete(Caller(1), data_id)
    assert await shop.snapshot() == ([], {})
    assert not shop.published


async def test_who_may_delete() -> None:
    shop = Shop()
    data_id = await shop.post(1)
    password = (await shop.stored(data_id)).update_password
    delete = shop.data.updating.delete
    assert await refused(delete(Caller(2), data_id)) is Refusal.NOT_PERMITTED
    assert await refused(delete(Caller(2), data_id, password ^ 1)) is Refusal.WRONG_PASSWORD
    await delete(Caller(2), data_id, password)
    assert await shop.store.count() == 0


async def test_many_are_deleted_each_for_itself() -> None:
    shop = Shop()
    foreign = await shop.post(8)
    password = (await shop.stored(foreign)).update_password
    wanted = [(await shop.post(1), 0), (5, 0), (foreign, 1), (foreign, password), (foreign, 0)]
    results = await shop.data.updating.delete_many(Caller(1), wanted, transactional=False)
    assert [each and each.refusal for each in results] == [
        None,
        Refusal.NOT_FOUND,
        Refusal.WRONG_PASSWORD,
        None,
        Refusal.NOT_FOUND,
    ]
    assert await shop.snapshot() == ([], {})


async def test_many_are_deleted_together_or_not_at_all() -> None:
    shop = Shop()
    mine, foreign = await shop.post(1), await shop.post(8)
    before = await shop.snapshot()
    many = shop.data.updating.delete_many
    call = many(Caller(1), [(mine, 0), (foreign, 0)], transactional=True)
    assert await refused(call) is Refusal.NOT_PERMITTED
    assert await shop.snapshot() == before
    other = await shop.post(1)
    await many(Caller(1), [(mine, 0), (other, 0)], transactional=True)
    assert await shop.keys() == [f"objects/{foreign}.bin"]


async def test_what_was_posted_as_public_is_read_by_all() -> None:
    shop = Shop()
    assert await shop.get(9, await shop.post(1, access=PUBLIC)) == b"data"
