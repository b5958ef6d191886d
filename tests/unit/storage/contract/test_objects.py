from __future__ import annotations

import asyncio
from collections.abc import Iterable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from nekonex.domain.datastore.model import (
    FIRST_DATA_ID,
    NO_SLOT,
    Flag,
    Level,
    Permission,
    Rating,
    RatingRules,
    Status,
    StoredObject,
    Upload,
)
from nekonex.domain.datastore.ports import (
    Change,
    FileOperation,
    ObjectStore,
    Outcome,
    Quota,
    StoredOperation,
    Transition,
    Usage,
)
from nekonex.domain.datastore.refusals import DataStoreError, Refusal
from nekonex.domain.datastore.rules.settling import settle
from tests.support.object_stores import (
    ADAPTERS,
    PLENTY,
    Adapter,
    deleting,
    making,
    post,
    refusal,
    refusing,
    setting,
)


@dataclass(frozen=True)
class Opener:
    """An adapter, and a directory for it."""

    adapter: Adapter
    directory: Path

    def __call__(self) -> AbstractAsyncContextManager[ObjectStore]:
        return self.adapter.open(self.directory)


@pytest.fixture(params=ADAPTERS)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    return Opener(ADAPTERS[request.param], tmp_path / "data")


def ids(objects: Iterable[StoredObject | None]) -> list[int]:
    return [0 if each is None else each.data_id for each in objects]


def everything(data_id: int, owner: int = 2**64 - 1) -> StoredObject:
    """Return an object that has something in every field, and numbers as large as they may be."""
    rules = RatingRules(0x1C, 6, 2, -(2**63), -(2**31), 2**31 - 1, 23, -17)
    return StoredObject(
        owner=owner,
        data_id=data_id,
        name="néko \U0001f431",
        data_type=65534,
        size=2**32 - 1,
        version=2**32 - 1,
        meta_binary=bytes(range(256)) * 4,
        access=Permission(Level.SPECIFIED, (7, 2**64 - 1, 5, 7)),
        update=Permission(Level.SPECIFIED_FRIENDS, (9,)),
        access_password=2**64 - 1,
        update_password=2**63,
        flags=2**32 - 1 - Flag.NO_FILE,
        period=365,
        refer_data_id=2**64 - 1,
        tags=("z", "é", "a", ""),
        status=Status.REJECTED,
        slot=15,
        replaces=False,
        key="ghosts/é/0.bin",
        complete=True,
        upload=Upload(2**32 - 1, 2**32 - 2, 1_700_000_000),
        created=253402300799,
        updated=1,
        referred=2,
        referred_count=2**32 - 1,
        expires=253402300799,
        ratings=(Rating(0, RatingRules(), 0), Rating(15, rules, 2**63 - 1, 3)),
    )


async def test_what_was_created_is_found_as_it_was(opened: Opener) -> None:
    async with opened() as store:
        for owner in (2**64 - 1, 2**63, 1):
            (data_id,) = await store.new_ids(1)
            new = everything(data_id, owner)
            change = await store.create(Outcome(new), PLENTY)
            assert change == Change(new, new)
            assert await store.get(data_id) == new
            assert await store.get_many([5, data_id, data_id]) == [None, new, new]
            assert list(await store.of_owner(owner, 9)) == [new]
            assert await store.in_slot(owner, 15) == new
        assert await store.count() == 3


async def test_an_object_with_nothing_in_it(opened: Opener) -> None:
    async with opened() as store:
        (data_id,) = await store.new_ids(1)
        new = StoredObject(owner=5, data_id=data_id)
        await store.create(Outcome(new), PLENTY)
        assert await store.get(data_id) == new


async def test_data_ids_are_never_given_twice(opened: Opener) -> None:
    async with opened() as store:
        first = list(await store.new_ids(3))
        assert first[0] == FIRST_DATA_ID
        assert list(await store.new_ids(0)) == []
        several = await asyncio.gather(*[store.new_ids(number) for number in (1, 150, 2, 70)])
        given = first + [each for one in several for each in one]
        assert [len(one) for one in several] == [1, 150, 2, 70]
        assert len(set(given)) == 226
        assert all(each >= FIRST_DATA_ID for each in given)
        # One that came from elsewhere.
        await store.create(Outcome(making(5, max(given) + 1000)), PLENTY)
        later = await store.new_ids(500)
        assert len(set(later)) == 500
        assert not set(later) & {*given, max(given) + 1000}
    if opened.adapter.durable:
        async with opened() as store:
            assert not {*await store.new_ids(200)} & {*given, *later}


async def test_there_is_one_object_of_an_id(opened: Opener) -> None:
    async with opened() as store:
        known = await post(store, 5, name="one")
        again = making(6, known.data_id, name="two")
        assert await refusal(store.create(Outcome(again), PLENTY)) is Refusal.NOT_ALLOWED
        assert await store.get(known.data_id) == known
        assert await store.usage(6) == Usage(0, 0)


@pytest.mark.parametrize("data_id", [0, -1, 2**63, 2**64])
async def test_an_id_that_is_none(opened: Opener, data_id: int) -> None:
    async with opened() as store:
        with pytest.raises(ValueError, match="cannot be the data id"):
            await store.create(Outcome(making(5, data_id)), PLENTY)
        with pytest.raises(ValueError, match="nothing to create"):
            await store.create(Outcome(None), PLENTY)
        assert await store.count() == 0


@pytest.mark.parametrize("data_id", [0, 1, 2**32, 2**63, 2**64 - 1])
async def test_an_unknown_object(opened: Opener, data_id: int) -> None:
    async with opened() as store:
        await post(store, 1)
        assert await store.get(data_id) is None
        assert list(await store.get_many([data_id])) == [None]
        assert await refusal(store.change(data_id, deleting)) is Refusal.NOT_FOUND
        assert await store.rating_log(data_id, 0, 1) is None
        assert list(await store.of_owner(data_id + 9, 9)) == [] if data_id < 2**63 else True
        assert await store.count() == 1


async def test_a_change_is_stored_and_returned(opened: Opener) -> None:
    async with opened() as store:
        before = await post(store, 5, name="a", tags=("x", "y"), status=2)
        after = replace(
            everything(before.data_id, 5), slot=NO_SLOT, tags=("y", "z"), status=Status.NORMAL
        )
        change = await store.change(before.data_id, lambda _: Outcome(after))
        assert change == Change(before, after)
        assert await store.get(before.data_id) == after
        back = await store.change(before.data_id, lambda _: Outcome(before))
        assert back == Change(after, before)
        assert await store.get(before.data_id) == before
        same = await store.change(before.data_id, Outcome)
        assert same == Change(before, before)
        gone = await store.change(before.data_id, deleting)
        assert gone == Change(before, None)
        assert await store.get(before.data_id) is None
        assert await refusal(store.change(before.data_id, deleting)) is Refusal.NOT_FOUND
        assert await store.usage(5) == Usage(0, 0)


async def test_what_a_transition_refuses_changes_nothing(opened: Opener) -> None:
    async with opened() as store:
        stored = await post(store, 5, name="a")
        assert await refusal(store.change(stored.data_id, refusing)) is Refusal.NOT_EQUAL
        for data_id in (stored.data_id + 1, 0):
            with pytest.raises(ValueError, match="made object"):
                await store.change(stored.data_id, setting(data_id=data_id))
        with pytest.raises(ZeroDivisionError):
            await store.change(stored.data_id, failing)
        assert await store.get(stored.data_id) == stored
        assert await store.count() == 1


async def test_many_change_one_object_at_the_same_time(opened: Opener) -> None:
    async with opened() as store:
        stored = await post(store, 5)

        def count(found: StoredObject) -> Outcome:
            return Outcome(replace(found, referred_count=found.referred_count + 1))

        await asyncio.gather(*[store.change(stored.data_id, count) for _ in range(100)])
        found = await store.get(stored.data_id)
        assert found is not None
        assert found.referred_count == 100


def failing(stored: StoredObject) -> Outcome:
    return Outcome(replace(stored, size=1 // 0))


# -- several at once -----------------------------------------------------------------------


async def test_changing_each_for_itself(opened: Opener) -> None:
    async with opened() as store:
        one, two, three = [await post(store, 5, name=name) for name in "abc"]
        results = await store.change_each(
            [
                (one.data_id, setting(name="A")),
                (two.data_id, refusing),
                (7, deleting),
                (one.data_id, lambda found: Outcome(replace(found, name=found.name + "!"))),
                (three.data_id, deleting),
                (three.data_id, deleting),
            ]
        )
        outcomes = [
            each.refusal if isinstance(each, DataStoreError) else each.after for each in results
        ]
        assert outcomes == [
            replace(one, name="A"),
            Refusal.NOT_EQUAL,
            Refusal.NOT_FOUND,
            replace(one, name="A!"),
            None,
            Refusal.NOT_FOUND,
        ]
        assert list(await store.page(0, 9)) == [replace(one, name="A!"), two]
        assert list(await store.change_each([])) == []


@pytest.mark.parametrize("last", [refusing, deleting])
async def test_changing_all_or_none(opened: Opener, last: Transition) -> None:
    async with opened() as store:
        one, two = [await post(store, 5, name=name) for name in "ab"]
        requests = [
            (one.data_id, setting(name="A", tags=("t",))),
            (two.data_id, deleting),
            (two.data_id, last),
        ]
        assert await refusal(store.change_all(requests)) is Refusal.NOT_FOUND
        assert list(await store.page(0, 9)) == [one, two]
        changes = await store.change_all(requests[:2])
        assert [each.after for each in changes] == [replace(one, name="A", tags=("t",)), None]
        assert list(await store.change_all([])) == []


async def test_of_all_or_none_nothing_is_left_of_slots_files_and_messages(opened: Opener) -> None:
    async with opened() as store:
        holder = await post(store, 5, slot=3, flags=0, key="k", size=4)
        other = await post(store, 5)
        taking = replace(other, slot=3, flags=0, key="k")
        outcome = Outcome(taking, files=(FileOperation("k~", "k"),), notify=(7,))
        requests: list[tuple[int, Transition]] = [
            (other.data_id, lambda _: outcome),
            (other.data_id, refusing),
        ]
        assert await refusal(store.change_all(requests)) is Refusal.NOT_EQUAL
        assert list(await store.page(0, 9)) == [holder, other]
        assert await store.in_slot(5, 3) == holder
        assert list(await store.operations(9)) == []
        assert await store.last_notification(7) is None
        await store.change_all(requests[:1])
        assert await store.in_slot(5, 3) == taking
        assert [each.operation for each in await store.operations(9)] == list(outcome.files)
        assert await store.last_notification(7) is not None


# -- how much a player stores --------------------------------------------------------------


async def test_usage_is_what_is_served_and_what_is_announced(opened: Opener) -> None:
    async with opened() as store:
        assert await store.usage(5) == Usage(0, 0)
        waiting = await post(store, 5, complete=False, size=7, upload=Upload(1, 100, 0))
        assert await store.usage(5) == Usage(1, 100)
        done = setting(complete=True, size=100, upload=None)
        await store.change(waiting.data_id, done)
        assert await store.usage(5) == Usage(1, 100)
        await store.change(waiting.data_id, setting(upload=Upload(2, 2**32 - 1, 0)))
        await post(store, 5)
        await post(store, 6, size=50)
        assert await store.usage(5) == Usage(2, 100 + 2**32 - 1)
        await store.change(waiting.data_id, setting(owner=6))
        assert await store.usage(5) == Usage(1, 0)
        assert await store.usage(6) == Usage(2, 150 + 2**32 - 1)


@pytest.mark.parametrize(
    ("quota", "fits"),
    [(Quota(3, 1000), 3), (Quota(100, 250), 2), (Quota(100, 300), 3), (Quota(100, 99), 0)],
)
async def test_nobody_stores_more_than_the_quota(opened: Opener, quota: Quota, fits: int) -> None:
    async with opened() as store:
        data_ids = await store.new_ids(8)
        new = [making(5, data_id, complete=False, upload=Upload(1, 100, 0)) for data_id in data_ids]
        refusals = await asyncio.gather(
            *[refusal(store.create(Outcome(each, notify=(7,)), quota)) for each in new]
        )
        assert refusals.count(None) == fits
        assert refusals.count(Refusal.OVER_CAPACITY) == 8 - fits
        assert await store.usage(5) == Usage(fits, 100 * fits)
        assert len((await store.notifications(7, 0, 100))[0]) == fits
        assert await refusal(store.create(Outcome(making(6, 10)), quota)) is None


# -- slots and keys ------------------------------------------------------------------------


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


# -- what is left to do --------------------------------------------------------------------


async def test_file_operations_wait_in_their_order(opened: Opener) -> None:
    async with opened() as store:
        operations = [FileOperation("a", "b"), FileOperation("b"), FileOperation("é", "c")]
        one = await post(store, 5)
        first = await store.change(one.data_id, lambda _: Outcome(one, files=tuple(operations)))
        (data_id,) = await store.new_ids(1)
        new = Outcome(making(5, data_id), files=(FileOperation("x"),))
        second = await store.create(new, PLENTY)
        third = await store.change(one.data_id, lambda _: Outcome(None, files=(operations[1],)))
        known = [*first.operations, *second.operations, *third.operations]
        assert [each.operation for each in known] == [
            *operations,
            FileOperation("x"),
            operations[1],
        ]
        numbers = [each.number for each in known]
        assert numbers == sorted(set(numbers))
        assert list(await store.operations(9)) == known
        assert list(await store.operations(2)) == known[:2]
        await store.operation_done(numbers[1])
        await store.operation_done(numbers[1])
        await store.operation_done(10**6)
        left = [known[0], *known[2:]]
        assert list(await store.operations(9)) == left
    if opened.adapter.durable:
        async with opened() as store:
            assert list(await store.operations(9)) == left
            for each in left:
                await store.operation_done(each.number)
            again = await store.change(data_id, lambda one: Outcome(one, files=tuple(operations)))
            assert all(each.number > max(numbers) for each in again.operations)


async def test_a_refused_change_leaves_no_operations(opened: Opener) -> None:
    async with opened() as store:
        new = Outcome(making(5, 10, size=9), files=(FileOperation("x"),), notify=(7,))
        assert await refusal(store.create(new, Quota(5, 1))) is Refusal.OVER_CAPACITY
        assert list(await store.operations(9)) == []
        assert await store.last_notification(7) is None


async def test_notifications_are_read_once(opened: Opener) -> None:
    async with opened() as store:
        objects = [await post(store, 5) for _ in range(3)]
        for one in objects:
            change = await store.change(
                one.data_id, lambda found: Outcome(found, notify=(7, 2**64 - 1, 7))
            )
            assert change.notified == (7, 2**64 - 1)
        found, more = await store.notifications(7, 0, 2)
        assert ids([await store.get(each.data_id) for each in found]) == ids(objects[:2])
        assert more
        assert found[0].number < found[1].number
        rest, more = await store.notifications(7, found[0].number, 2)
        assert [each.data_id for each in rest] == ids(objects[1:])
        assert not more
        # Those up to the number are gone.
        assert await store.notifications(7, 0, 9) == (rest, False)
        assert await store.last_notification(7) == rest[-1]
        assert len((await store.notifications(2**64 - 1, 0, 9))[0]) == 3
        await store.change(objects[1].data_id, deleting)
        assert await store.notifications(7, 0, 9) == (rest[1:], False)
        assert await store.notifications(7, 2**64 - 1, 9) == ([], False)
        assert await store.last_notification(7) is None
        assert await store.notifications(8, 0, 9) == ([], False)


async def test_the_oldest_notifications_give_way(opened: Opener) -> None:
    async with opened() as store:
        one = await post(store, 5)
        for _ in range(103):
            await store.change(one.data_id, lambda found: Outcome(found, notify=(7, 8)))
        for pid in (7, 8):
            found, more = await store.notifications(pid, 0, 200)
            assert len(found) == 100
            assert not more
            assert found[-1] == await store.last_notification(pid)


async def test_who_is_deleted_tells_nobody(opened: Opener) -> None:
    async with opened() as store:
        one = await post(store, 5)
        change = await store.change(one.data_id, lambda _: Outcome(None, notify=(7,)))
        assert change.notified == ()
        assert await store.last_notification(7) is None


# -- lists ---------------------------------------------------------------------------------


async def test_all_of_them_in_pages(opened: Opener) -> None:
    async with opened() as store:
        made = [
            await post(store, 5 + number % 2, complete=number % 3 > 0, status=number % 3)
            for number in range(7)
        ]
        assert list(await store.page(0, 3)) == made[:3]
        assert list(await store.page(made[2].data_id, 9)) == made[3:]
        assert list(await store.page(made[6].data_id, 9)) == []
        assert list(await store.page(2**64 - 1, 9)) == []
        assert list(await store.page(0, 0)) == []
        assert list(await store.of_owner(5, 9)) == made[::2]
        assert list(await store.of_owner(6, 2)) == made[1:5:2]
        await store.change(made[0].data_id, deleting)
        assert list(await store.page(0, 1)) == made[1:2]
        assert await store.count() == 6


async def test_whose_time_is_over(opened: Opener) -> None:
    async with opened() as store:
        made = [
            await post(store, 5, expires=expires, complete=complete)
            for expires, complete in [
                (100, True),
                (99, True),
                (50, False),
                (None, True),
                (101, True),
                (-5, True),
            ]
        ]
        in_order = ids([made[5], made[1], made[0]])
        assert list(await store.expired(100, 9)) == in_order
        assert list(await store.expired(100, 2)) == in_order[:2]
        assert list(await store.expired(98, 9)) == in_order[:1]
        await store.change(made[1].data_id, setting(expires=500))
        assert list(await store.expired(100, 9)) == ids([made[5], made[0]])


async def test_who_has_not_uploaded(opened: Opener) -> None:
    async with opened() as store:
        made = [
            await post(store, 5, upload=started and Upload(1, 9, started), complete=complete)
            for started, complete in [(100, False), (99, True), (None, True), (98, False)]
        ]
        assert list(await store.unfinished(100, 9)) == ids([made[3], made[1]])
        assert list(await store.unfinished(101, 9)) == ids([made[3], made[1], made[0]])
        assert list(await store.unfinished(101, 1)) == ids([made[3]])
        await store.change(made[3].data_id, setting(upload=None, complete=True))
        assert list(await store.unfinished(101, 9)) == ids([made[1], made[0]])


async def test_reopening_keeps_everything(opened: Opener) -> None:
    if not opened.adapter.durable:
        pytest.skip("what is in memory only is gone")
    async with opened() as store:
        (data_id,) = await store.new_ids(1)
        new = everything(data_id)
        await store.create(Outcome(new, files=(FileOperation("a"),), notify=(7,)), PLENTY)
        known = await store.last_notification(7)
    async with opened() as store:
        assert await store.get(data_id) == new
        assert await store.in_slot(new.owner, 15) == new
        assert await store.last_notification(7) == known
        assert [each.operation for each in await store.operations(9)] == [FileOperation("a")]
        assert (await store.usage(new.owner)).objects == 1
        assert isinstance((await store.operations(1))[0], StoredOperation)
