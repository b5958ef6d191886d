"""The data store's objects in SQLite: among 10,000 and among 1,000,000, without a network.

    python -m benchmarks.datastore [--quick]

The larger database takes two minutes to make, and 800 MB for as long as it is measured.

Two of three objects are of one data type, the others of 30. Each has 200 bytes of meta binary, a
tag that 50 have, half of all have a further one, and two rating slots that some have rated. 20
belong to each player, the first of them in a persistence slot. Each call waits for the one before
it, and what changes something waits until it is on the disk.
"""

from __future__ import annotations

import argparse
import asyncio
import tempfile
import time
from collections.abc import Awaitable, Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from random import Random
from statistics import median
from typing import Any

from nekonex.domain.datastore.model import (
    FIRST_DATA_ID,
    NO_SLOT,
    Flag,
    Level,
    Permission,
    Rating,
    RatingLog,
    RatingRules,
    StoredObject,
    Upload,
)
from nekonex.domain.datastore.ports import (
    FileOperation,
    ObjectStore,
    Outcome,
    Quota,
    RatingOutcome,
    RatingRequest,
)
from nekonex.domain.datastore.query import FIRST_TOTAL_COLUMN, ObjectQuery, OrderColumn
from nekonex.storage.sqlite import Database, SqliteObjectStore, connect
from nekonex.storage.sqlite.object_tables import ObjectTransaction
from nekonex.storage.sqlite.schema.objects import STEP

GAME = "mk8"
SIZES = (10_000, 1_000_000)
QUICK_SIZES = (2_000, 20_000)
COMMON_TYPE = 1
RARE_TYPES = range(100, 130)
PER_OWNER = 20
NOW = 1_700_000_000
YEAR = 365 * 86_400
QUOTA = Quota(1000, 512 * 1024 * 1024)

Call = Callable[[], Awaitable[object]]


def make_object(number: int, size: int, random: Random) -> StoredObject:
    owner, place = divmod(number, PER_OWNER)
    created = NOW - random.randrange(YEAR)
    kind = COMMON_TYPE if random.randrange(3) else random.choice(RARE_TYPES)
    data_id = FIRST_DATA_ID + number
    return StoredObject(
        owner=owner + 1,
        data_id=data_id,
        name=f"object {number}",
        data_type=kind,
        size=random.choice((1024, 2048, random.randrange(100_000))),
        meta_binary=random.randbytes(200),
        access=Permission(Level.PUBLIC),
        access_password=random.getrandbits(64),
        update_password=random.getrandbits(64),
        flags=Flag.NEEDS_COMPLETION,
        tags=(*(("common",) * (number % 2)), rare_tag(size, random)),
        slot=0 if place == 0 else NO_SLOT,
        key=f"objects/{data_id}.bin",
        complete=True,
        created=created,
        updated=created + random.randrange(86_400),
        referred=created,
        # Half of all were never looked at.
        referred_count=max(0, round(random.gauss(0, 100))),
        expires=None if place == 0 else NOW + random.randrange(90) * 86_400 + 1,
        ratings=tuple(make_rating(slot, random) for slot in (0, 1)),
    )


def rare_tag(size: int, random: Random) -> str:
    """Return a tag that 50 of so many objects have."""
    return f"tag{random.randrange(size // 50)}"


def make_rating(slot: int, random: Random) -> Rating:
    count = max(0, round(random.gauss(0, 20)))
    return Rating(slot, RatingRules(), sum(random.choices(range(1, 6), k=count)), count)


def load(path: Path, size: int) -> None:
    """Store many objects quickly: without their indexes, which are made at the end."""
    random = Random(1)
    with closing(connect(path)) as connection:
        connection.execute("PRAGMA synchronous = OFF")
        connection.execute("PRAGMA cache_size = -400000")
        indexes = [each for each in STEP if each.startswith("CREATE INDEX")]
        for each in indexes:
            connection.execute(f"DROP INDEX {each.split()[2]}")
        connection.execute("BEGIN IMMEDIATE")
        tables = ObjectTransaction(connection, GAME, 100)
        for number in range(size):
            tables.put(None, make_object(number, size, random))
        for each in indexes:
            connection.execute(each)
        connection.execute("COMMIT")
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


class Calls:
    """What is measured, with arguments that are drawn anew for each call."""

    def __init__(self, store: ObjectStore, size: int) -> None:
        self.store = store
        self.size = size
        self.random = Random(2)

    def any_id(self) -> int:
        return FIRST_DATA_ID + self.random.randrange(self.size)

    async def create_and_complete(self) -> None:
        (data_id,) = await self.store.new_ids(1)
        new = replace(
            make_object(self.size, self.size, self.random), data_id=data_id, owner=2**31 + data_id
        )
        key = f"objects/{data_id}.bin"
        waiting = replace(new, complete=False, upload=Upload(1, 1024, NOW), key=key, slot=3)

        def complete(stored: StoredObject) -> Outcome:
            done = replace(stored, complete=True, upload=None, size=1024, created=NOW)
            return Outcome(done, files=(FileOperation(stored.staging_key, stored.key),))

        await self.store.create(Outcome(waiting), QUOTA)
        change = await self.store.change(data_id, complete)
        await self.store.operation_done(change.operations[0].number)

    async def get(self) -> None:
        assert await self.store.get(self.any_id())

    async def metas(self) -> None:
        assert all(await self.store.get_many([self.any_id() for _ in range(100)]))

    async def in_slot(self) -> None:
        await self.store.in_slot(1 + self.random.randrange(self.size // PER_OWNER), 0)

    async def touch(self) -> None:
        def refer(stored: StoredObject) -> Outcome:
            after = replace(stored, referred=NOW, referred_count=stored.referred_count + 1)
            return Outcome(after)

        await self.store.change(self.any_id(), refer)

    async def rate(self) -> None:
        def give(stored: StoredObject, log: RatingLog | None) -> RatingOutcome:
            rating = stored.ratings[0]
            rated = replace(rating, total=rating.total + 5, count=rating.count + 1)
            return RatingOutcome(rated, RatingLog(pid, 5, NOW))

        pid = self.random.randrange(1, 2**31)
        await self.store.rate_all([RatingRequest(self.any_id(), 0, pid, give)], QUOTA)

    async def delete(self) -> None:
        def gone(stored: StoredObject) -> Outcome:
            return Outcome(None, files=(FileOperation(stored.key),))

        while True:
            data_id = self.any_id()
            if await self.store.get(data_id):
                await self.store.change(data_id, gone)
                return

    def search(self, **values: Any) -> Call:
        async def search() -> None:
            drawn = {
                name: each(self.random) if callable(each) else each for name, each in values.items()
            }
            await self.store.search(ObjectQuery(viewer=1, now=NOW, limit=20, **drawn))

        return search


def owner_of(size: int) -> Callable[[Random], frozenset[int]]:
    return lambda random: frozenset({1 + random.randrange(size // PER_OWNER)})


def searches(calls: Calls) -> dict[str, Call]:
    """Return the searches that are measured."""
    common: dict[str, Any] = {"data_types": frozenset({COMMON_TYPE})}
    rare: dict[str, Any] = {"data_types": lambda random: frozenset({random.choice(RARE_TYPES)})}
    orders: dict[str, dict[str, Any]] = {
        "newest": {"order": OrderColumn.CREATED, "descending": True},
        "oldest": {"order": OrderColumn.CREATED},
        "last updated": {"order": OrderColumn.UPDATED, "descending": True},
        "largest": {"order": OrderColumn.SIZE, "descending": True},
        "most referred": {"order": OrderColumn.REFERRED_COUNT, "descending": True},
        "least referred": {"order": OrderColumn.REFERRED_COUNT},
        "best rated": {"order": FIRST_TOTAL_COLUMN, "descending": True},
        "by data id": {},
        "at random": {"random": True},
    }
    found = {
        f"search type, {name}": calls.search(**common, **order) for name, order in orders.items()
    }
    newest = orders["newest"]
    found |= {
        "search rare type, newest": calls.search(**rare, **newest),
        "search all types, newest": calls.search(**newest),
        "search type, newest, 500th": calls.search(**common, **newest, offset=10_000),
        "search type and total": calls.search(**common, **newest, max_total=10_000),
        "search owner": calls.search(owners=owner_of(calls.size), **newest),
        "search own": calls.search(target=10, **newest),
        "search 100 friends": calls.search(
            owner_type=1,
            friends=lambda random: frozenset(random.choices(range(1, calls.size // 20), k=100)),
            **newest,
        ),
        "search rare tag": calls.search(
            tags=lambda random: frozenset({rare_tag(calls.size, random)}), **newest
        ),
        "search common tag": calls.search(**common, tags=frozenset({"common"}), **newest),
        "search both tags": calls.search(
            **common,
            tags=lambda random: frozenset({"common", rare_tag(calls.size, random)}),
            **newest,
        ),
        "search newest 500, best rated": calls.search(
            **common, created_from=NOW - 750 * YEAR // calls.size, **orders["best rated"]
        ),
    }
    return found


async def measure(call: Call, rounds: int) -> list[float]:
    """Return how many milliseconds each call took, ascending."""
    times = []
    for _ in range(rounds):
        start = time.perf_counter()
        await call()
        times.append((time.perf_counter() - start) * 1e3)
    return sorted(times)


async def crowd(call: Call, rounds: int, clients: int = 64) -> float:
    """Return how many calls are done in a second if many wait at the same time."""

    async def client() -> None:
        for _ in range(rounds):
            await call()

    start = time.perf_counter()
    await asyncio.gather(*[client() for _ in range(clients)])
    return clients * rounds / (time.perf_counter() - start)


async def run(path: Path, size: int, rounds: int) -> dict[str, list[float]]:
    """Measure everything among so many objects."""
    database = await Database.open(path)
    try:
        calls = Calls(SqliteObjectStore(database, GAME), size)
        kinds: dict[str, Call] = {
            "create, complete, move done": calls.create_and_complete,
            "get": calls.get,
            "metas of 100": calls.metas,
            "in slot": calls.in_slot,
            "touch": calls.touch,
            "rate": calls.rate,
            **searches(calls),
        }
        results = {}
        for name, call in kinds.items():
            await measure(call, max(3, rounds // 20))
            results[name] = await measure(call, rounds)
        for name, call in (("rate", calls.rate), ("create", calls.create_and_complete)):
            rate = await crowd(call, max(2, rounds // 40))
            print(f"  {size:9,} objects: {rate:8,.0f} a second, 64 at a time: {name}")
        results["delete"] = await measure(calls.delete, rounds)
        return results
    finally:
        await database.close()


def report(runs: dict[int, dict[str, list[float]]], rounds: int) -> None:
    """Print what was measured, by the number of objects."""
    print("Milliseconds a call, median and 99th percentile")
    print(f"  {'':30}" + "".join(f"{f'of {size:,}':>18}" for size in runs) + "   ratio")
    few, many = runs.values()
    for name in few:
        times = [few[name], many[name]]
        cells = [f"{median(each):9.2f}{each[int(rounds * 0.99)]:9.2f}" for each in times]
        print(f"  {name:30}{''.join(cells)}{median(times[1]) / median(times[0]):8.2f}")


def compare(*, sizes: tuple[int, int], rounds: int) -> None:
    """Measure everything and print it."""
    runs = {}
    with tempfile.TemporaryDirectory() as directory:
        for size in sizes:
            path = Path(directory) / f"{size}.db"
            start = time.perf_counter()
            load(path, size)
            seconds = time.perf_counter() - start
            each = path.stat().st_size / size
            print(f"  {size:9,} objects: {each:6,.0f} bytes each, loaded in {seconds:.0f} s")
            runs[size] = asyncio.run(run(path, size, rounds))
    report(runs, rounds)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--quick", action="store_true", help="fewer objects and rounds")
    quick: bool = parser.parse_args().quick
    compare(sizes=QUICK_SIZES if quick else SIZES, rounds=100 if quick else 1000)


if __name__ == "__main__":
    main()
