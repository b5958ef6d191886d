from __future__ import annotations

import asyncio
from typing import Any

import pytest

from nekonex.domain.datastore import (
    Caller,
    DataStoreLimits,
    Flag,
    Refusal,
    Status,
)
from nekonex.events import ObjectDeleted
from nekonex.values import ServiceUnavailable
from tests.support.datastore import DAY, Shop, refused


async def test_what_has_expired_is_deleted() -> None:
    shop = Shop(limits=DataStoreLimits(upkeep_batch=2))
    gone = [await shop.post(1, period=1) for _ in range(5)]
    meta = await shop.post_meta(1, period=1)
    kept = await shop.post(1, period=2)
    shop.clock.now += DAY - 1
    await shop.data.upkeep.sweep()
    assert await shop.store.count() == 7
    shop.clock.now += 1
    await shop.data.upkeep.sweep()
    assert await shop.keys() == [f"objects/{kept}.bin"]
    assert sorted(each.data_id for each in shop.told(ObjectDeleted)) == [*gone, meta]


@pytest.mark.parametrize("flags", [0, int(Flag.NEEDS_COMPLETION)])
async def test_what_was_never_finished_is_dropped(flags: int) -> None:
    shop = Shop(limits=DataStoreLimits(upkeep_batch=2))
    updated = await shop.post(1)
    update = await shop.data.updating.prepare_update(Caller(1), updated, 3)
    shop.files.upload(update.form, b"new")
    for _ in range(5):
        await shop.prepare(1, flags=flags)
    await shop.files.put((await shop.stored(updated + 1)).staging_key, b"wrong")
    shop.clock.now += shop.data.limits.unfinished_seconds
    await shop.data.upkeep.sweep()
    assert await shop.store.count() == 6
    shop.clock.now += 1
    await shop.data.upkeep.sweep()
    assert await shop.keys() == [f"objects/{updated}.bin"]
    assert (await shop.stored(updated)).upload is None
    assert await shop.get(2, updated) == b"data"
    assert not shop.told(ObjectDeleted)


async def test_what_arrived_late_but_did_arrive_is_completed() -> None:
    shop = Shop()
    data_id, form = await shop.prepare(1, flags=0)
    shop.files.upload(form, b"data")
    shop.restart()
    shop.clock.now += 2 * shop.data.limits.unfinished_seconds
    await shop.data.upkeep.sweep()
    assert await shop.get(2, data_id) == b"data"


async def test_uploads_that_nobody_waits_for_are_removed() -> None:
    shop = Shop()
    data_id, form = await shop.prepare(1)
    shop.files.upload(form, b"data")
    await shop.data.posting.complete_post(Caller(1), data_id, success=True)
    update = await shop.data.updating.prepare_update(Caller(1), data_id, 3)
    await shop.data.updating.prepare_update(Caller(1), data_id, 3)
    await shop.data.updating.delete(Caller(1), data_id)
    shop.files.upload(form, b"more")
    shop.files.upload(update.form, b"new")
    await shop.data.upkeep.sweep()
    assert len(await shop.keys()) == 2
    shop.clock.now += 2 * shop.data.limits.url_seconds + 1
    await shop.data.upkeep.sweep()
    assert await shop.keys() == []


async def test_forms_of_uploads_that_nobody_waits_for_are_withdrawn() -> None:
    shop = Shop()
    withdrawn: list[str] = []

    def withdraw(key: str) -> None:
        withdrawn.append(key)

    shop.files.withdraw = withdraw  # type: ignore[method-assign]
    posting, updating = shop.data.posting, shop.data.updating

    async def update(data_id: int) -> int:
        return (await updating.prepare_update(Caller(1), data_id, 3)).version

    def taken() -> list[str]:
        keys = [key.removeprefix("objects/") for key in withdrawn]
        withdrawn.clear()
        return keys

    posted = await shop.post(1, slot=0)
    assert taken() == [f"{posted}.bin~{posted}.1"]
    failed, _ = await shop.prepare(1)
    await posting.complete_post(Caller(1), failed, success=False)
    assert taken() == [f"{failed}.bin~{failed}.1"]
    deleted, _ = await shop.prepare(1)
    await updating.delete(Caller(1), deleted)
    assert taken() == [f"{deleted}.bin~{deleted}.1"]
    await update(posted)
    assert taken() == []
    superseding = await update(posted)
    assert taken() == [f"{posted}.bin~{posted}.2"]
    await updating.complete_update(Caller(1), posted, superseding, success=False)
    assert taken() == [f"{posted}.bin~{posted}.3"]
    await update(posted)
    displacing = await shop.post(1, slot=0)
    assert sorted(taken()) == [f"{posted}.bin~{posted}.2", f"{displacing}.bin~{displacing}.1"]
    await shop.prepare(1)
    await updating.delete(Caller(1), displacing)
    shop.clock.now += shop.data.limits.unfinished_seconds + 1
    assert taken() == []
    await shop.data.upkeep.sweep()
    assert len(taken()) == 1


async def test_uploads_for_what_is_deleted_with_others_are_removed_too() -> None:
    shop = Shop()
    forms, ids = [], []
    for slot in (0, 1, 2):
        ids.append(await shop.post(1, slot=slot))
        update = await shop.data.updating.prepare_update(Caller(1), ids[-1], 3)
        forms.append(update.form)
    await shop.data.updating.delete_many(Caller(1), [(ids[0], 0)], transactional=True)
    await shop.data.updating.delete_many(Caller(1), [(ids[1], 0)], transactional=False)
    kept = await shop.post(1, slot=2)
    for form in forms:
        shop.files.upload(form, b"new")
    assert len(await shop.keys()) == 4
    shop.clock.now += 2 * shop.data.limits.url_seconds + 1
    await shop.data.upkeep.sweep()
    assert await shop.keys() == [f"objects/{kept}.bin"]


async def test_who_waits_for_an_upload_again_gets_it() -> None:
    shop = Shop()
    data_id = await shop.post(1)
    first = await shop.data.updating.prepare_update(Caller(1), data_id, 3)
    await shop.data.updating.complete_update(Caller(1), data_id, first.version, success=False)
    shop.clock.now += 2 * shop.data.limits.url_seconds + 1
    second = await shop.data.updating.prepare_update(Caller(1), data_id, 3)
    shop.files.upload(second.form, b"new")
    await shop.data.upkeep.sweep()
    await shop.data.updating.complete_update(Caller(1), data_id, second.version, success=True)
    assert await shop.get(2, data_id) == b"new"


async def test_the_operator_reviews_and_removes() -> None:
    shop = Shop()
    data_id, waits = await shop.post(2), (await shop.prepare(1))[0]
    upkeep = shop.data.upkeep
    assert (await upkeep.moderate(data_id, Status.REJECTED)).status == Status.REJECTED
    assert await refused(shop.meta(3, data_id)) is Refusal.NOT_FOUND
    await upkeep.moderate(data_id, Status.NORMAL)
    assert await shop.get(3, data_id) == b"data"
    await upkeep.remove(data_id)
    await upkeep.remove(waits)
    assert await shop.snapshot() == ([], {})
    assert await refused(upkeep.remove(data_id)) is Refusal.NOT_FOUND
    assert await refused(upkeep.moderate(data_id, Status.NORMAL)) is Refusal.NOT_FOUND


async def test_what_a_player_leaves_is_removed() -> None:
    shop = Shop(limits=DataStoreLimits(upkeep_batch=2))
    for _ in range(5):
        await shop.post(1)
    await shop.prepare(1)
    await shop.post_meta(1, slot=3)
    other = await shop.post(3)
    assert await shop.data.upkeep.remove_of(1) == 7
    assert await shop.keys() == [f"objects/{other}.bin"]
    assert await shop.data.upkeep.remove_of(1) == 0


class Outage:
    """Files that are out of order as long as ``broken``."""

    def __init__(self, files: Any) -> None:
        self._files = files
        self.broken = False

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._files, name)

        async def call(*args: Any, **kwargs: Any) -> Any:
            if self.broken:
                raise ServiceUnavailable("the disk is gone")
            return await method(*args, **kwargs)

        return call if asyncio.iscoroutinefunction(method) else method


async def test_an_outage_of_files_is_made_up_for() -> None:
    shop = Shop()
    outage = shop.files = Outage(shop.files)  # type: ignore[assignment]
    shop.restart()
    data_id, form = await shop.prepare(1)
    shop.files.upload(form, b"data")
    other = await shop.post(1, b"other")
    outage.broken = True
    with pytest.raises(ServiceUnavailable):
        await shop.data.posting.complete_post(Caller(1), data_id, success=True)
    with pytest.raises(ServiceUnavailable):
        await shop.data.updating.delete(Caller(1), other)
    assert await shop.store.get(other) is None
    shop.clock.now += 400 * DAY
    expired = await shop.post_meta(1, period=1)
    shop.clock.now += DAY
    with pytest.raises(ServiceUnavailable):
        await shop.data.upkeep.sweep()
    # What needs no files is done all the same.
    assert await shop.store.get(expired) is None
    outage.broken = False
    await shop.data.upkeep.sweep()
    assert await shop.snapshot() == ([], {})


async def test_nobody_is_given_a_file_that_is_not_in_its_place() -> None:
    shop = Shop()
    data_id, other = await shop.post(1, b"old!"), await shop.post(1, b"other")
    update = await shop.data.updating.prepare_update(Caller(1), data_id, 3)
    shop.files.upload(update.form, b"new")
    move, moved = shop.files.move, []

    async def broken(source: str, target: str) -> bool:
        moved.append(source)
        raise ServiceUnavailable("the disk is full")

    shop.files.move = broken  # type: ignore[method-assign]
    with pytest.raises(ServiceUnavailable):
        await shop.data.updating.complete_update(Caller(1), data_id, update.version, success=True)
    for _ in range(2):
        with pytest.raises(ServiceUnavailable):
            await shop.get(2, data_id)
        assert await shop.get(2, other) == b"other"
        # A new process knows as well as the old.
        await shop.restart().start()
    shop.files.move = move  # type: ignore[method-assign]
    await shop.data.upkeep.sweep()
    assert await shop.get(2, data_id) == b"new"
    assert len(moved) == 3


async def test_upkeep_goes_on_whatever_happens() -> None:
    shop = Shop(limits=DataStoreLimits(upkeep_seconds=0.001))
    calls, enough = 0, asyncio.Event()
    operations = shop.store.operations

    async def failing(limit: int) -> Any:
        nonlocal calls
        calls += 1
        if calls == 1:
            raise ServiceUnavailable("the disk is gone")
        if calls == 2:
            raise RuntimeError("an error of ours")
        if calls == 4:
            enough.set()
        return await operations(limit)

    shop.store.operations = failing  # type: ignore[method-assign]
    data_id = await shop.post_meta(1, period=1)
    shop.clock.now += DAY
    task = asyncio.create_task(shop.data.run_upkeep())
    await enough.wait()
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)
    assert await shop.store.get(data_id) is None


async def test_who_is_cancelled_leaves_nothing_undone() -> None:
    shop = Shop()
    data_id, form = await shop.prepare(1)
    shop.files.upload(form, b"data")
    move = shop.files.move
    reached, go_on = asyncio.Event(), asyncio.Event()

    async def slow(source: str, target: str) -> bool:
        reached.set()
        await go_on.wait()
        return await move(source, target)

    shop.files.move = slow  # type: ignore[method-assign]
    call = asyncio.create_task(shop.data.posting.complete_post(Caller(1), data_id, success=True))
    await reached.wait()
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    # Whoever reads meanwhile waits, and then gets it.
    reader = asyncio.create_task(shop.get(2, data_id))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert not reader.done()
    go_on.set()
    await shop.data.aclose()
    assert await reader == b"data"
    assert list(await shop.store.operations(10)) == []


async def test_who_read_an_object_that_changed_since_is_told_of_the_new() -> None:
    shop = Shop()
    data_id = await shop.post(1, b"old!")
    update = await shop.data.updating.prepare_update(Caller(1), data_id, 6)
    shop.files.upload(update.form, b"newer!")
    change, read, go_on = shop.store.change, asyncio.Event(), asyncio.Event()

    async def slow(*args: Any) -> Any:
        result = await change(*args)
        if not read.is_set():
            read.set()
            await go_on.wait()
        return result

    shop.store.change = slow  # type: ignore[method-assign, assignment]
    # `fetch` compares what comes with the size that was told.
    reader = asyncio.create_task(shop.get(2, data_id))
    await read.wait()
    await shop.data.updating.complete_update(Caller(1), data_id, update.version, success=True)
    go_on.set()
    assert await reader == b"newer!"


async def test_who_read_an_object_that_was_deleted_since_is_told_so() -> None:
    shop = Shop()
    data_id = await shop.post(1, b"old!")
    change, read, go_on = shop.store.change, asyncio.Event(), asyncio.Event()

    async def slow(*args: Any) -> Any:
        result = await change(*args)
        if not read.is_set():
            read.set()
            await go_on.wait()
        return result

    shop.store.change = slow  # type: ignore[method-assign, assignment]
    reader = asyncio.create_task(refused(shop.get(2, data_id)))
    await read.wait()
    await shop.data.updating.delete(Caller(1), data_id)
    go_on.set()
    assert await reader is Refusal.NOT_FOUND
