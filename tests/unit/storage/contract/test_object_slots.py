from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest

from nekonex.domain.datastore.model import (
    NO_SLOT,
    StoredObject,
    Upload,
)
from nekonex.domain.datastore.ports import (
    FileOperation,
    ObjectStore,
    Outcome,
    Transition,
)
from nekonex.domain.datastore.rules.settling import settle
from tests.support.object_stores import (
    ADAPTERS,
    PLENTY,
    Opener,
    ids,
    making,
    post,
    setting,
)


@pytest.fixture(params=ADAPTERS)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    return ADAPTERS[request.param].opener(tmp_path / "data")


def taking(slot: int, *, keep: bool = False, target: str | None = None) -> Transition:
    """Return a transition to a complete object in a slot, with a file of this key."""

    def release(holder: StoredObject) -> StoredObject | None:
        return replace(holder, slot=NO_SLOT, expires=50) if keep else None

    def take(stored: StoredObject) -> Outcome:
        after = replace(stored, complete=True, slot=slot, upload=None)
        files = () if target is None else (FileOperation(stored.staging_key, target),)
        return Outcome(after, release, files)

    return take


async def waiting(store: ObjectStore, owner: int, key: str, slot: int = NO_SLOT) -> StoredObject:
    """Store an object that waits for its file."""
    upload = Upload(1, 10, 0)
    return await post(
        store, owner, complete=False, slot=slot, key=key, flags=0, upload=upload, size=10
    )


async def test_a_slot_has_the_complete_object(opened: Opener) -> None:
    async with opened() as store:
        coming = await waiting(store, 5, "a", slot=3)
        other = await post(store, 6, slot=3)
        await post(store, 5)
        assert await store.in_slot(5, 3) is None
        assert await store.in_slot(5, NO_SLOT) is None
        await store.change(coming.data_id, setting(complete=True))
        found = await store.in_slots(5, [4, 3, 3, NO_SLOT])
        assert ids(found) == [0, coming.data_id, coming.data_id, 0]
        assert await store.in_slot(6, 3) == other
        await store.change(coming.data_id, setting(slot=4))
        assert ids(await store.in_slots(5, [3, 4])) == [0, coming.data_id]
        assert list(await store.in_slots(5, [])) == []


@pytest.mark.parametrize("keep", [False, True])
async def test_whose_slot_is_taken_goes_or_is_released(opened: Opener, keep: bool) -> None:
    async with opened() as store:
        holder = await post(
            store, 5, slot=3, flags=0, key="old", tags=("t",), upload=Upload(2, 9, 0)
        )
        await store.change(holder.data_id, lambda one: Outcome(one, notify=(7,)))
        neighbours = [await post(store, 5, slot=4), await post(store, 6, slot=3)]
        coming = await waiting(store, 5, "new")
        take = taking(3, keep=keep, target="new")
        change = await store.change(coming.data_id, take)
        files = [FileOperation(coming.staging_key, "new")]
        left: StoredObject | None = replace(holder, slot=NO_SLOT, expires=50)
        if not keep:
            files = [FileOperation("old"), FileOperation(holder.staging_key), *files]
            left = None
        assert [each.operation for each in change.operations] == files
        assert list(await store.operations(9)) == list(change.operations)
        assert await store.get(holder.data_id) == left
        assert await store.in_slot(5, 3) == change.after
        assert list(await store.get_many(ids(neighbours))) == neighbours
        assert (await store.last_notification(7) is None) is not keep
        # Taking it again displaces nobody.
        again = await store.change(coming.data_id, setting(slot=3))
        assert again.operations == ()
        assert await store.in_slot(5, 3) == change.after


async def test_a_new_object_may_take_a_slot_too(opened: Opener) -> None:
    async with opened() as store:
        holder = await post(store, 5, slot=3)
        (data_id,) = await store.new_ids(1)
        change = await store.create(Outcome(making(5, data_id, slot=3)), PLENTY)
        assert await store.in_slot(5, 3) == change.after
        assert await store.get(holder.data_id) is None


async def test_who_takes_a_slot_without_releasing_it(opened: Opener) -> None:
    async with opened() as store:
        holder = await post(store, 5, slot=3, name="a")
        coming = await post(store, 5)

        def take(stored: StoredObject) -> Outcome:
            return Outcome(replace(stored, slot=3), lambda one: replace(one, name="b"))

        with pytest.raises(ValueError, match="was not released"):
            await store.change(coming.data_id, take)
        assert list(await store.page(0, 9)) == [holder, coming]


async def test_two_takers_of_one_slot(opened: Opener) -> None:
    async with opened() as store:
        objects = [await waiting(store, 5, "ghosts/5/3.bin") for _ in range(10)]
        take = taking(3, keep=True, target="ghosts/5/3.bin")
        await asyncio.gather(*[store.change(one.data_id, take) for one in objects])
        left = list(await store.page(0, 20))
        winners = [each for each in left if each.slot == 3]
        assert winners == [await store.in_slot(5, 3)]
        assert len(left) == 10
        # Each content is under a key of its own, and the taken one is the winner's.
        assert len({each.key for each in left}) == 10
        assert winners[0].key == "ghosts/5/3.bin"
        operations = [each.operation for each in await store.operations(100)]
        assert len(operations) == 19
        content = {one.staging_key: one.data_id for one in objects}
        for one in operations:
            assert one.target is not None
            content[one.target] = content.pop(one.source)
        assert {each.key: each.data_id for each in left} == content


async def test_whose_key_is_taken_keeps_its_content_elsewhere(opened: Opener) -> None:
    async with opened() as store:
        sharer = await post(store, 5, key="k", flags=0, version=4, upload=Upload(5, 9, 0))
        metas = await post(store, 5, key="k")
        unfinished = await waiting(store, 5, "k")
        strangers = await post(store, 5, key="K", flags=0)
        coming = await waiting(store, 6, "k")
        take = taking(NO_SLOT, target="k")
        change = await store.change(coming.data_id, take)
        expected = settle(take(coming), holder=None, sharers=[sharer])
        assert [each.operation for each in change.operations] == list(expected.files)
        assert [await store.get(sharer.data_id)] == list(expected.changed)
        assert expected.changed[0].key != "k"
        others = [metas, unfinished, strangers]
        assert list(await store.get_many(ids(others))) == others


async def test_whose_slot_and_key_are_taken_both(opened: Opener) -> None:
    async with opened() as store:
        holder = await post(store, 5, key="k", flags=0, slot=3)
        coming = await waiting(store, 5, "k")
        take = taking(3, keep=True, target="k")
        change = await store.change(coming.data_id, take)
        expected = settle(take(coming), holder=holder, sharers=[holder])
        assert [each.operation for each in change.operations] == list(expected.files)
        assert [await store.get(holder.data_id)] == list(expected.changed)
        assert expected.changed[0].slot == NO_SLOT
        assert expected.changed[0].key != "k"
