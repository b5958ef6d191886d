from __future__ import annotations

import asyncio
from typing import cast

import pytest

from nekonex.domain.datastore.files import FileStore
from nekonex.domain.datastore.ports import FileOperation, ObjectStore, StoredOperation
from nekonex.domain.datastore.services.journal import FileJournal, root_of
from nekonex.storage.objects.memory import MemoryFileStore
from nekonex.values import ServiceUnavailable


class Operations:
    """The part of a store that keeps file operations."""

    def __init__(self) -> None:
        self.kept: dict[int, FileOperation] = {}
        self.last = 0
        self.broken = False

    def add(self, source: str, target: str | None = None) -> StoredOperation:
        self.last += 1
        self.kept[self.last] = FileOperation(source, target)
        return StoredOperation(self.last, self.kept[self.last])

    async def operations(self, limit: int) -> list[StoredOperation]:
        return [StoredOperation(*each) for each in sorted(self.kept.items())[:limit]]

    async def operation_done(self, number: int) -> None:
        if self.broken:
            raise ServiceUnavailable("the store is gone")
        self.kept.pop(number, None)


class Files(MemoryFileStore):
    """Files of which some cannot be moved; it notes what was done."""

    def __init__(self) -> None:
        super().__init__()
        self.stuck: set[str] = set()
        self.done: list[str] = []

    async def move(self, source: str, target: str) -> bool:
        await asyncio.sleep(0)
        if source in self.stuck:
            raise ServiceUnavailable("it is stuck")
        self.done.append(f"{source} to {target}")
        return await super().move(source, target)

    async def remove(self, key: str) -> bool:
        await asyncio.sleep(0)
        self.done.append(f"no {key}")
        return await super().remove(key)


class Bench:
    def __init__(self) -> None:
        self.store = Operations()
        self.files = Files()
        self.journal = self.over(self.files)

    def over(self, files: FileStore | None) -> FileJournal:
        return FileJournal(cast("ObjectStore", self.store), files)


def test_all_keys_of_an_object_have_one_root() -> None:
    assert {root_of(key) for key in ("a/b.bin", "a/b.bin~5.1", "a/b.bin~5.1-kept")} == {"a/b.bin"}


async def test_operations_are_carried_out_in_the_order_in_which_they_were_committed() -> None:
    bench = Bench()
    await bench.files.put("new", b"new")
    await bench.files.put("key", b"old")
    first = bench.store.add("key")
    second = bench.store.add("new", "key")
    # Whoever committed later may be the first to come.
    await asyncio.gather(bench.journal.carry_out([second]), bench.journal.carry_out([first]))
    assert bench.files.done == ["no key", "new to key"]
    assert await bench.files.read("key", 9) == b"new"
    assert not bench.store.kept


async def test_what_cannot_be_carried_out_keeps_back_what_follows_and_nothing_else() -> None:
    bench = Bench()
    bench.files.stuck.add("key~1.1")
    stuck = bench.store.add("key~1.1", "key")
    later = bench.store.add("key")
    other = bench.store.add("other")
    for operation in (stuck, later):
        with pytest.raises(ServiceUnavailable):
            await bench.journal.carry_out([operation])
    await bench.journal.carry_out([other])
    assert bench.files.done == ["no other"]
    with pytest.raises(ServiceUnavailable):
        await bench.journal.settled("key")
    await bench.journal.settled("other")
    assert await bench.journal.retry() == 2
    bench.files.stuck.clear()
    assert await bench.journal.retry() == 0
    assert bench.files.done == ["no other", "key~1.1 to key", "no key"]
    await bench.journal.settled("key")


async def test_what_was_carried_out_is_not_repeated_because_the_store_was_away() -> None:
    bench = Bench()
    removal = bench.store.add("key")
    bench.store.broken = True
    with pytest.raises(ServiceUnavailable):
        await bench.journal.carry_out([removal])
    bench.store.broken = False
    await bench.files.put("key", b"new")
    assert await bench.journal.retry() == 0
    assert await bench.files.read("key", 9) == b"new"


async def test_what_is_no_key_is_given_up() -> None:
    bench = Bench()
    await bench.journal.carry_out([bench.store.add("../x"), bench.store.add("a", "/")])
    assert not bench.store.kept


async def test_without_files_operations_wait() -> None:
    bench = Bench()
    journal = bench.over(None)
    with pytest.raises(ServiceUnavailable):
        await journal.carry_out([bench.store.add("key")])
    assert await bench.journal.retry() == 0


async def test_more_than_a_batch_is_carried_out() -> None:
    bench = Bench()
    operations = [bench.store.add(f"key{number}") for number in range(2100)]
    await bench.journal.carry_out(operations[-1:])
    assert not bench.store.kept


async def test_readers_wait_for_changes_of_the_same_root_only() -> None:
    bench = Bench()
    ended = asyncio.Event()

    async def change() -> str:
        await ended.wait()
        return "done"

    running = asyncio.create_task(bench.journal.run(["a/b~1.2"], change))
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    await bench.journal.settled("a")
    with bench.journal.reading("a/b") as reading, bench.journal.reading("c") as other:
        waiting = asyncio.create_task(reading.settle())
        await asyncio.sleep(0)
        assert not waiting.done()
        assert not await other.settle()
        ended.set()
        assert await running == "done"
        assert await waiting
        assert not await reading.settle()
    assert not bench.journal._readers
    assert not bench.journal._busy


async def test_a_change_runs_to_its_end_although_nobody_waits_for_it() -> None:
    bench = Bench()
    ended: list[str] = []

    async def change() -> None:
        await asyncio.sleep(0)
        ended.append("it")
        raise ValueError("nobody hears this")

    call = asyncio.create_task(bench.journal.run(["a"], change))
    await asyncio.sleep(0)
    call.cancel()
    with pytest.raises(asyncio.CancelledError):
        await call
    await bench.journal.aclose()
    assert ended == ["it"]
    assert not bench.journal._busy


async def test_however_much_is_stuck_the_rest_is_carried_out() -> None:
    bench = Bench()
    for number in range(1500):
        bench.files.stuck.add(f"key{number}~1.1")
        bench.store.add(f"key{number}~1.1", f"key{number}")
    await bench.journal.carry_out([bench.store.add("other")])
    assert len(bench.store.kept) == 1500
    with pytest.raises(ServiceUnavailable):
        await bench.journal.settled("key1499")
