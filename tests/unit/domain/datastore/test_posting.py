from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nekonex.domain.datastore import (
    Caller,
    DataStoreHooks,
    DataStoreLimits,
    DataStoreRules,
    Flag,
    Level,
    ObjectKeys,
    ObjectTarget,
    Permission,
    Refusal,
    Status,
    StoredObject,
)
from nekonex.domain.datastore.files import TransferError
from nekonex.events import ObjectDeleted, ObjectPosted
from nekonex.values import RMCError, ServiceUnavailable
from tests.support.datastore import DAY, PUBLIC, Shop, draft, refused

AT_ONCE = 0
"""Flags of an object that completes itself."""


def by_slot(database: object, pid: int, slot: int, data_id: int) -> str:
    return f"ghosts/{pid}/{slot}.bin"


async def test_an_object_is_there_when_its_content_is_complete() -> None:
    shop = Shop()
    data_id, form = await shop.prepare(1, size=4, name="n", tags=("a",), period=5)
    assert data_id >= 1_000_000
    for pid in (1, 2):
        assert await refused(shop.meta(pid, data_id)) is Refusal.NOT_FOUND
    shop.files.upload(form, b"data")
    shop.clock.now += 10
    await shop.data.posting.complete_post(Caller(1), data_id, success=True)
    stored = await shop.meta(2, data_id)
    assert (stored.name, stored.tags, stored.size, stored.version) == ("n", ("a",), 4, 1)
    assert (stored.created, stored.updated, stored.referred) == (shop.now,) * 3
    assert stored.expires == shop.now + 5 * DAY
    assert await shop.get(2, data_id) == b"data"
    assert await shop.keys() == [f"objects/{data_id}.bin"]
    assert shop.told(ObjectPosted) == [ObjectPosted("test", data_id, 1, 1, "n")]


async def test_a_form_takes_exactly_what_was_announced() -> None:
    shop = Shop()
    _, form = await shop.prepare(1, size=4)
    for content in (b"", b"dat", b"data!"):
        with pytest.raises(TransferError):
            shop.files.upload(form, content)
    shop.clock.now += shop.data.limits.url_seconds + 1
    with pytest.raises(TransferError):
        shop.files.upload(form, b"data")


async def test_objects_may_be_empty() -> None:
    shop = Shop()
    assert await shop.get(2, await shop.post(1, b"")) == b""


async def test_a_failed_upload_is_as_if_never_posted() -> None:
    shop = Shop()
    before = await shop.snapshot()
    data_id, form = await shop.prepare(1)
    shop.files.upload(form, b"data")
    await shop.data.posting.complete_post(Caller(1), data_id, success=False)
    assert await shop.snapshot() == before
    assert await refused(shop.meta(1, data_id)) is Refusal.NOT_FOUND
    assert not shop.published


async def test_success_without_content_is_none() -> None:
    shop = Shop()
    before = await shop.snapshot()
    missing, _ = await shop.prepare(1)
    other, _ = await shop.prepare(1, size=4)
    await shop.files.put((await shop.stored(other)).staging_key, b"five!")
    for data_id in (missing, other):
        completed = shop.data.posting.complete_post(Caller(1), data_id, success=True)
        assert await refused(completed) is Refusal.NOT_FOUND
    assert await shop.snapshot() == before


async def test_who_may_complete_what() -> None:
    shop = Shop()
    complete = shop.data.posting.complete_post
    data_id, form = await shop.prepare(1)
    shop.files.upload(form, b"data")
    for success in (True, False):
        assert await refused(complete(Caller(2), data_id, success)) is Refusal.NOT_PERMITTED
        assert await refused(complete(Caller(1), 5, success)) is Refusal.NOT_FOUND
    await complete(Caller(1), data_id, success=True)
    meta = await shop.post_meta(1)
    for success in (True, False):
        assert await refused(complete(Caller(1), data_id, success)) is Refusal.NOT_ALLOWED
        assert await refused(complete(Caller(1), meta, success)) is Refusal.NOT_ALLOWED
    assert await shop.get(1, data_id) == b"data"


async def test_what_waited_for_too_long_cannot_be_completed() -> None:
    shop = Shop()
    first, form = await shop.prepare(1)
    shop.files.upload(form, b"data")
    shop.clock.now += shop.data.limits.unfinished_seconds
    second, _ = await shop.prepare(1)
    await shop.data.posting.complete_post(Caller(1), first, success=True)
    shop.clock.now += shop.data.limits.unfinished_seconds + 1
    completed = shop.data.posting.complete_post(Caller(1), second, success=True)
    assert await refused(completed) is Refusal.NOT_FOUND


async def test_completing_twice_at_once_posts_once() -> None:
    shop = Shop()
    data_id, form = await shop.prepare(1)
    shop.files.upload(form, b"data")
    calls = [shop.data.posting.complete_post(Caller(1), data_id, success=True) for _ in range(5)]
    await asyncio.gather(*calls, return_exceptions=True)
    assert len(shop.told(ObjectPosted)) == 1
    assert await shop.get(2, data_id) == b"data"


# -- objects that nobody completes -----------------------------------------------------


async def test_an_object_without_the_flag_is_there_with_its_content() -> None:
    shop = Shop()
    data_id, form = await shop.prepare(1, flags=AT_ONCE)
    assert await refused(shop.meta(2, data_id)) is Refusal.NOT_FOUND
    shop.files.upload(form, b"data")
    assert await shop.get(2, data_id) == b"data"
    assert len(shop.told(ObjectPosted)) == 1
    # Its owner does not know that somebody looked already.
    await shop.data.posting.complete_post(Caller(1), data_id, success=True)
    failed = shop.data.posting.complete_post(Caller(1), data_id, success=False)
    assert await refused(failed) is Refusal.NOT_ALLOWED
    assert len(shop.told(ObjectPosted)) == 1


async def test_upkeep_completes_what_nobody_has_looked_at() -> None:
    shop = Shop()
    data_id, form = await shop.prepare(1, flags=AT_ONCE)
    await shop.data.upkeep.sweep()
    assert not (await shop.stored(data_id)).complete
    shop.files.upload(form, b"data")
    await shop.data.upkeep.sweep()
    assert (await shop.stored(data_id)).complete


async def test_who_looks_into_the_slot_finds_what_has_come() -> None:
    shop = Shop()
    target = ObjectTarget(owner=1, slot=3)
    looks: list[Any] = [
        lambda: shop.data.reading.meta(Caller(2), target),
        lambda: shop.data.slots.get(Caller(2), 1, 3),
    ]
    for look in looks:
        data_id, form = await shop.prepare(1, flags=AT_ONCE, slot=3)
        other, _ = await shop.prepare(4, flags=AT_ONCE, slot=3)
        shop.files.upload(form, b"data")
        assert (await look()).data_id == data_id
        assert not (await shop.stored(other)).complete
    assert len(shop.told(ObjectDeleted)) == 1


async def test_upkeep_completes_what_was_posted_before_a_restart() -> None:
    shop = Shop()
    data_id, form = await shop.prepare(1, flags=AT_ONCE)
    waits, other = await shop.prepare(1)
    await shop.restart().start()
    shop.files.upload(form, b"data")
    shop.files.upload(other, b"data")
    await shop.data.upkeep.sweep()
    assert (await shop.stored(data_id)).complete
    assert not (await shop.stored(waits)).complete


async def test_everybody_who_looks_at_once_sees_it() -> None:
    shop = Shop()
    data_id, form = await shop.prepare(1, flags=AT_ONCE)
    shop.files.upload(form, b"data")
    assert await asyncio.gather(*[shop.get(pid, data_id) for pid in range(2, 9)]) == [b"data"] * 7
    assert len(shop.told(ObjectPosted)) == 1


# -- what is refused -------------------------------------------------------------------


@pytest.mark.parametrize(
    "wrong",
    [
        {"size": 17 * 1024 * 1024},
        {"size": -1},
        {"name": "x" * 65},
        {"period": 0},
        {"slot": 16},
        {"extra_data": ("a",)},
        {"flags": int(Flag.NO_FILE)},
    ],
)
async def test_what_is_out_of_bounds_is_not_posted(wrong: dict[str, Any]) -> None:
    shop = Shop()
    assert await refused(shop.prepare(1, **wrong)) is Refusal.INVALID
    assert await shop.snapshot() == ([], {})


async def test_what_an_object_refers_to_is_there() -> None:
    shop = Shop()
    assert await refused(shop.prepare(1, refer_data_id=5)) is Refusal.NOT_FOUND
    waits, _ = await shop.prepare(1)
    assert await refused(shop.prepare(1, refer_data_id=waits)) is Refusal.NOT_FOUND
    referred = await shop.post(1, period=1)
    data_id = await shop.post(2, refer_data_id=referred)
    assert (await shop.meta(2, data_id)).refer_data_id == referred
    shop.clock.now += DAY
    assert await refused(shop.prepare(1, refer_data_id=referred)) is Refusal.NOT_FOUND
    assert await refused(shop.post_meta(1, refer_data_id=referred)) is Refusal.NOT_FOUND


async def test_players_store_so_much_and_no_more() -> None:
    shop = Shop(limits=DataStoreLimits(max_objects=3, max_stored=10))
    await shop.post(1, b"1234")
    await shop.prepare(1, size=6)
    assert await refused(shop.prepare(1, size=1)) is Refusal.OVER_CAPACITY
    await shop.post_meta(1)
    assert await refused(shop.post_meta(1)) is Refusal.OVER_CAPACITY
    await shop.post(2, b"1234")


async def test_a_game_says_what_may_be_posted() -> None:
    class Hooks(DataStoreHooks):
        async def may_post(self, pid: int, stored: StoredObject) -> bool:
            if stored.name == "worse":
                raise RMCError("Core::AccessDenied")
            return stored.name != "bad"

    shop = Shop(hooks=Hooks())
    assert await refused(shop.prepare(1, name="bad")) is Refusal.NOT_ALLOWED
    assert await refused(shop.post_meta(1, name="bad")) is Refusal.NOT_ALLOWED
    with pytest.raises(RMCError, match="AccessDenied"):
        await shop.prepare(1, name="worse")
    await shop.post(1, name="good")
    assert await shop.store.count() == 1


async def test_a_game_says_under_which_key() -> None:
    shop = Shop(keys=ObjectKeys(by_player=by_slot))
    await shop.post(7, slot=3)
    assert await shop.keys() == ["ghosts/7/3.bin"]


@pytest.mark.parametrize(
    "key",
    [
        "",
        "/a",
        "a/../b",
        "a~1",
        "notifications/1.bin",
        "Notifications/a",
        5,
        "x" * 150 + "/" + "y" * 190,
    ],
)
async def test_a_key_that_is_none_is_an_outage(key: Any) -> None:
    shop = Shop(keys=ObjectKeys(by_player=lambda *_: key))
    with pytest.raises(ServiceUnavailable):
        await shop.prepare(1)
    assert await shop.store.count() == 0


async def test_a_callback_that_fails_is_an_outage_unless_it_says_what_to_tell() -> None:
    def fails(*_: object) -> str:
        raise KeyError("x")

    def tells(*_: object) -> str:
        raise RMCError("Core::AccessDenied")

    shop = Shop(keys=ObjectKeys(by_player=fails))
    with pytest.raises(ServiceUnavailable):
        await shop.prepare(1)
    shop.data.extend(keys=ObjectKeys(by_player=tells))
    with pytest.raises(RMCError, match="AccessDenied"):
        await shop.prepare(1)


async def test_without_a_store_for_files_only_meta_binaries_are_posted() -> None:
    shop = Shop()
    shop.files = None  # type: ignore[assignment]
    shop.restart()
    with pytest.raises(ServiceUnavailable):
        await shop.prepare(1)
    data_id = await shop.post_meta(1, meta_binary=b"m")
    assert (await shop.meta(2, data_id)).meta_binary == b"m"
    await shop.data.updating.delete(Caller(1), data_id)
    assert await shop.store.count() == 0


# -- review, passwords, notifications --------------------------------------------------


@pytest.mark.parametrize(
    ("review", "flags", "status"),
    [
        (False, Flag.NEEDS_REVIEW, Status.NORMAL),
        (True, Flag.NEEDS_REVIEW, Status.PENDING),
        (True, 0, Status.NORMAL),
    ],
)
async def test_objects_wait_for_a_review_where_there_is_one(
    review: bool, flags: int, status: Status
) -> None:
    shop = Shop(rules=DataStoreRules(review=review))
    posted = await shop.post(1, flags=int(Flag.NEEDS_COMPLETION | flags))
    meta = await shop.post_meta(1, flags=flags)
    for data_id in (posted, meta):
        assert (await shop.meta(1, data_id)).status == status
        if status == Status.PENDING:
            assert await refused(shop.meta(2, data_id)) is Refusal.UNDER_REVIEW
        else:
            await shop.meta(2, data_id)


async def test_passwords_are_never_nothing_and_differ() -> None:
    tokens = iter([0, 0, *range(5, 100)])
    shop = Shop()
    shop.random.getrandbits = lambda _: next(tokens)  # type: ignore[method-assign]
    first = await shop.stored(await shop.post_meta(1))
    second = await shop.stored(await shop.post_meta(1))
    assert (first.access_password, first.update_password) == (1, 1)
    assert (second.access_password, second.update_password) == (5, 6)
    assert "5" not in repr(second).split("meta_binary")[1].split("flags")[0]


@pytest.mark.parametrize(
    ("flags", "access", "told"),
    [
        (Flag.NOTIFY_ON_POST, Permission(Level.SPECIFIED, (2, 3, 1, 2)), [2, 3]),
        (Flag.NOTIFY_ON_POST, Permission(Level.SPECIFIED_FRIENDS, (2, 3)), [3]),
        (Flag.NOTIFY_ON_POST, Permission(Level.PUBLIC, (2, 3)), []),
        (Flag.NOTIFY_ON_UPDATE, Permission(Level.SPECIFIED, (2, 3)), []),
    ],
)
async def test_who_is_told_of_a_new_object(flags: int, access: Permission, told: list[int]) -> None:
    shop = Shop(friends={1: [3, 4], 3: [1]})
    await shop.post(1, access=access, flags=int(Flag.NEEDS_COMPLETION | flags))
    await shop.post_meta(1, access=access, flags=int(flags))
    for pid in (1, 2, 3, 4):
        notifications, _ = await shop.store.notifications(pid, 0, 10)
        assert len(notifications) == (2 if pid in told else 0)


# -- meta binaries ---------------------------------------------------------------------


async def test_a_meta_binary_is_there_at_once() -> None:
    shop = Shop()
    data_id = await shop.post_meta(1, meta_binary=b"m", slot=3)
    stored = await shop.meta(2, data_id)
    assert (stored.meta_binary, stored.size, stored.key) == (b"m", 0, "")
    assert stored.flags & Flag.NO_FILE
    assert (stored.slot, stored.expires) == (3, None)
    assert len(shop.told(ObjectPosted)) == 1
    assert await refused(shop.post_meta(1, size=1)) is Refusal.INVALID
    newer = await shop.post_meta(1, slot=3)
    assert shop.told(ObjectDeleted) == [ObjectDeleted("test", data_id, 1)]
    target = ObjectTarget(owner=1, slot=3)
    assert (await shop.data.reading.meta(Caller(2), target)).data_id == newer
    assert await shop.keys() == []


@pytest.mark.parametrize(
    ("data_id", "refusal"),
    [
        (1, None),
        (899_999, None),
        (900_000, Refusal.NOT_ALLOWED),
        (999_999, Refusal.NOT_ALLOWED),
        (1_000_000, Refusal.NOT_ALLOWED),
        (2**64 - 1, Refusal.NOT_ALLOWED),
        (0, Refusal.INVALID),
    ],
)
async def test_which_data_ids_may_be_chosen(data_id: int, refusal: Refusal | None) -> None:
    shop = Shop()
    wanted = draft(size=0, meta_binary=b"m")
    post = shop.data.posting.post_meta_binary_with_id
    if refusal is not None:
        assert await refused(post(Caller(1), data_id, wanted)) is refusal
        return
    await post(Caller(1), data_id, wanted)
    assert (await shop.meta(2, data_id)).meta_binary == b"m"
    assert await refused(post(Caller(1), data_id, wanted)) is Refusal.NOT_ALLOWED


async def test_many_meta_binaries_are_posted_each_for_itself() -> None:
    shop = Shop()
    post = shop.data.posting.post_meta_binaries_with_ids
    drafts = [draft(size=0, name=name) for name in ("a", "b" * 65, "c", "d")]
    results = await post(Caller(1), [1, 2, 900_000, 4], drafts, transactional=False)
    assert [each and each.refusal for each in results] == [
        None,
        Refusal.INVALID,
        Refusal.NOT_ALLOWED,
        None,
    ]
    assert await shop.store.count() == 2


@pytest.mark.parametrize("wrong", [[1, 900_000], [1, 5], [1, 2, 1]])
async def test_many_meta_binaries_are_posted_together_or_not_at_all(wrong: list[int]) -> None:
    shop = Shop()
    post = shop.data.posting.post_meta_binaries_with_ids
    await post(Caller(1), [5], [draft(size=0)], transactional=True)
    before = await shop.snapshot()
    drafts = [draft(size=0)] * len(wrong)
    posted = post(Caller(1), wrong, drafts, transactional=True)
    assert await refused(posted) is Refusal.NOT_ALLOWED
    assert await shop.snapshot() == before
    shop.published.clear()
    results = await post(Caller(1), [6, 7], [draft(size=0, slot=2)] * 2, transactional=True)
    assert results == [None, None]
    assert (await shop.meta(2, 7)).slot == 2
    assert [each.data_id for each in shop.told(ObjectPosted)] == [6, 7]
    assert [each.data_id for each in shop.told(ObjectDeleted)] == [6]


async def test_batches_have_bounds() -> None:
    shop = Shop()
    posting = shop.data.posting
    one = draft(size=0)
    many = posting.post_meta_binaries_with_ids
    for transactional in (True, False):
        wrong: list[tuple[list[int], int]] = [(list(range(1, 18)), 17), ([1, 2], 1), ([], 1)]
        for ids, number in wrong:
            posted = many(Caller(1), ids, [one] * number, transactional=transactional)
            assert await refused(posted) is Refusal.INVALID
        assert await many(Caller(1), [], [], transactional=transactional) == []
    assert await refused(posting.complete_posts(Caller(1), [1] * 101)) is Refusal.INVALID
    assert await shop.store.count() == 0


async def test_many_posts_are_completed_whatever_becomes_of_one() -> None:
    shop = Shop()
    ids = []
    for _ in range(3):
        data_id, form = await shop.prepare(1)
        shop.files.upload(form, b"data")
        ids.append(data_id)
    completed = shop.data.posting.complete_posts(Caller(1), [ids[0], 5, ids[1], ids[2]])
    assert await refused(completed) is Refusal.NOT_FOUND
    for data_id in ids:
        assert await shop.get(2, data_id) == b"data"


# -- slots -----------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [None, by_slot])
async def test_a_slot_is_taken_when_the_upload_is_complete(keys: Any) -> None:
    shop = Shop(keys=ObjectKeys(by_player=keys))
    old = await shop.post(1, b"old!", slot=2)
    new, form = await shop.prepare(1, slot=2, size=3)
    shop.files.upload(form, b"new")
    target = ObjectTarget(owner=1, slot=2)
    assert (await shop.data.reading.meta(Caller(2), target)).data_id == old
    assert await shop.get(2, old) == b"old!"
    await shop.data.posting.complete_post(Caller(1), new, success=True)
    assert (await shop.data.reading.meta(Caller(2), target)).data_id == new
    assert await shop.get(2, new) == b"new"
    assert await refused(shop.meta(1, old)) is Refusal.NOT_FOUND
    assert shop.told(ObjectDeleted) == [ObjectDeleted("test", old, 1)]
    assert len(await shop.keys()) == 1


@pytest.mark.parametrize("keys", [None, by_slot])
async def test_who_only_loses_its_slot_keeps_its_content(keys: Any) -> None:
    shop = Shop(keys=ObjectKeys(by_player=keys))
    old = await shop.post(1, b"old!", slot=2, period=1)
    new = await shop.post(1, b"new", slot=2, delete_last_object=False)
    newest = await shop.post(1, b"newest", slot=2, delete_last_object=False)
    for data_id, content in ((old, b"old!"), (new, b"new"), (newest, b"newest")):
        assert await shop.get(2, data_id) == content
    assert (await shop.meta(1, old)).expires == shop.now + DAY
    assert (await shop.meta(1, newest)).expires is None
    assert not shop.told(ObjectDeleted)
    await shop.update(1, old, b"older")
    assert await shop.get(2, old) == b"older"
    assert await shop.get(2, newest) == b"newest"
    for data_id in (old, new, newest):
        await shop.data.updating.delete(Caller(1), data_id)
    assert await shop.keys() == []


async def test_an_update_that_is_under_way_survives_the_loss_of_the_slot() -> None:
    shop = Shop(keys=ObjectKeys(by_player=by_slot))
    old = await shop.post(1, b"old!", slot=2)
    update = await shop.data.updating.prepare_update(Caller(1), old, 5)
    await shop.post(1, b"new", slot=2, delete_last_object=False)
    shop.files.upload(update.form, b"newer")
    await shop.data.updating.complete_update(Caller(1), old, update.version, success=True)
    assert await shop.get(2, old) == b"newer"


async def test_who_uploads_again_after_completion_changes_nothing() -> None:
    shop = Shop(keys=ObjectKeys(by_player=by_slot))
    data_id, form = await shop.prepare(1, slot=2)
    shop.files.upload(form, b"data")
    await shop.data.posting.complete_post(Caller(1), data_id, success=True)
    await shop.post(1, b"new", slot=2, delete_last_object=False)
    shop.files.upload(form, b"late")
    assert await shop.get(2, data_id) == b"data"
    shop.clock.now += 3 * shop.data.limits.url_seconds
    await shop.data.upkeep.sweep()
    assert len(await shop.keys()) == 2
    assert await shop.get(2, data_id) == b"data"


async def test_public_is_what_its_poster_says() -> None:
    shop = Shop()
    assert (await shop.meta(2, await shop.post(1, access=PUBLIC))).access == PUBLIC
