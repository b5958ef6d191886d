"""The adapters of the object store, for the suites that hold each to the same contract."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from nekonex.domain.datastore.model import (
    Flag,
    Level,
    Permission,
    Rating,
    RatingLog,
    RatingRules,
    Status,
    StoredObject,
    Upload,
)
from nekonex.domain.datastore.ports import (
    ObjectStore,
    Outcome,
    Quota,
    RatingOutcome,
    RatingTransition,
    Transition,
)
from nekonex.domain.datastore.refusals import DataStoreError, Refusal
from nekonex.storage import memory_stores, open_local

__all__ = [
    "ADAPTERS",
    "GAME",
    "PLENTY",
    "Adapter",
    "Opener",
    "becoming",
    "deleting",
    "everything",
    "ids",
    "making",
    "post",
    "rated_by",
    "rating_slots",
    "refusal",
    "refusing",
    "setting",
]

GAME = "mk8"

PLENTY = Quota(1_000_000, 1 << 60)


@dataclass(frozen=True)
class Adapter:
    """How one kind of store is opened."""

    open: Callable[[Path], AbstractAsyncContextManager[ObjectStore]]
    """Opens the store whose files are in a directory, empty the first time."""
    durable: bool = False

    def opener(self, directory: Path) -> Opener:
        """Return what opens it in this directory."""
        return Opener(self, directory)


@dataclass(frozen=True)
class Opener:
    """An adapter, and a directory for it."""

    adapter: Adapter
    directory: Path

    def __call__(self) -> AbstractAsyncContextManager[ObjectStore]:
        return self.adapter.open(self.directory)


@asynccontextmanager
async def _in_memory(_: Path) -> AsyncIterator[ObjectStore]:
    yield memory_stores().objects(GAME)


@asynccontextmanager
async def _in_sqlite(directory: Path) -> AsyncIterator[ObjectStore]:
    async with open_local(directory) as stores:
        yield stores.objects(GAME)


ADAPTERS: Mapping[str, Adapter] = {
    "memory": Adapter(_in_memory),
    "sqlite": Adapter(_in_sqlite, durable=True),
}


def making(owner: int, data_id: int, **values: Any) -> StoredObject:
    """Return a complete object without a file, unless the values say otherwise."""
    defaults = {"complete": True, "flags": Flag.NO_FILE, "key": ""}
    return StoredObject(owner=owner, data_id=data_id, **{**defaults, **values})


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


def ids(objects: Iterable[StoredObject | None]) -> list[int]:
    """Return data ids; 0 for what is missing."""
    return [0 if each is None else each.data_id for each in objects]


async def post(store: ObjectStore, owner: int, **values: Any) -> StoredObject:
    """Store a new object and return it."""
    (data_id,) = await store.new_ids(1)
    change = await store.create(Outcome(making(owner, data_id, **values)), PLENTY)
    assert change.after is not None
    return change.after


async def refusal(doing: Awaitable[object]) -> Refusal | None:
    """Return what something was refused for; None if it was done."""
    try:
        await doing
    except DataStoreError as error:
        return error.refusal
    return None


def setting(**values: Any) -> Transition:
    """Return a transition that gives fields of an object other values."""
    return lambda stored: Outcome(replace(stored, **values))


def becoming(outcome: Outcome) -> Transition:
    """Return a transition to this outcome, whatever is there."""
    return lambda _: outcome


def deleting(_: StoredObject) -> Outcome:
    """Delete an object."""
    return Outcome(None)


def refusing(_: StoredObject) -> Outcome:
    """Refuse."""
    raise DataStoreError(Refusal.NOT_EQUAL)


def rating_slots(*slots: int, initial: int = 0) -> tuple[Rating, ...]:
    """Return rating slots that nobody has rated."""
    return tuple(Rating(slot, RatingRules(initial_value=initial), initial) for slot in slots)


def rated_by(pid: int, slot: int, value: int, *, once: bool = False) -> RatingTransition:
    """Return a transition by which a player rates; ``once``: LOCKED for who did already."""

    def rate(stored: StoredObject, log: RatingLog | None) -> RatingOutcome:
        rating = stored.rating(slot)
        if rating is None:
            raise DataStoreError(Refusal.NOT_FOUND)
        if once and log is not None:
            raise DataStoreError(Refusal.LOCKED)
        total = rating.total + value
        rated = replace(rating, total=total, count=rating.count + 1)
        return RatingOutcome(rated, RatingLog(pid, value, 100 + rated.count))

    return rate
