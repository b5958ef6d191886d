"""Any calls of the data store's methods: mostly such as mean something, now and then anything."""

from __future__ import annotations

import asyncio
import struct
from collections.abc import Iterable, Iterator, Sequence
from inspect import iscoroutinefunction
from random import Random
from typing import Any

from nekonex.domain.datastore.files import TransferError, UploadForm
from nekonex.domain.datastore.model import (
    NO_SLOT,
    Rating,
    RatingFlag,
    Status,
    StoredObject,
)
from nekonex.domain.datastore.services.verification import Kind
from nekonex.nex.structures import (
    DataStoreReqPostInfo,
    DataStoreReqPostInfoV1,
    DataStoreReqUpdateInfo,
)
from nekonex.rmc.codecs import MethodCodec
from nekonex.storage.memory_objects import MemoryObjectStore
from nekonex.storage.objects import MemoryFileStore
from nekonex.values import DateTime, RMCError
from nekonex.wire import Structure
from nekonex.wire.layout import concrete, layout_of
from nekonex.wire.types import Blob, ListOf, Pid, Scalar, StructOf, Text, Wire, resolve
from tests.support.nexlab import Clock
from tests.support.objectlab import ObjectConsole, ObjectLab

__all__ = ["ObjectCalls", "SlowFileStore", "SlowObjectStore", "ask", "objects_of", "problems"]

PIDS = [1000, 1001, 1002, 1003]
SMALL = [0, 0, 1, 1, 2, 3]
EDGES: dict[str, list[int]] = {
    "?": [True],
    "b": [-1, 127, -128],
    "B": [2**8 - 1],
    "h": [-1, 2**15 - 1, -(2**15)],
    "H": [2**16 - 1],
    "i": [-1, 2**31 - 1, -(2**31)],
    "I": [2**32 - 1],
    "q": [-1, 2**63 - 1, -(2**63)],
    "Q": [2**63, 2**64 - 1],
}
FORMS = (DataStoreReqPostInfo, DataStoreReqPostInfoV1, DataStoreReqUpdateInfo)
MAX_SIZE = 100
"""Bytes of the largest file that is uploaded."""
ODD = 0.03
"""How often a value is one that is out of bounds, or at them."""

Choices = tuple[Sequence[Any], Sequence[Any]]
"""Values that mean something, and odd ones."""

DATES: Choices = ([DateTime.future()], [DateTime.never(), DateTime(1), DateTime(2**64 - 1)])
NUMBERS: dict[str, Choices] = {
    "size": ([0, 10, 10, 10, 100], [2**24 + 1, 2**32 - 1]),
    "offset": ([0, 0, 0, 1, 2**32 - 1], [20_000]),
    "data_type": ([0, 1, 7], [65535]),
    "data_types": ([0, 1, 7], [65535]),
    "period": ([1, 30, 30, 90, 365], [0, 366]),
    "flag": ([0, 0x40, 0x40, 0x48, 0x42, 0x41, 0x5E], [0x20, 2**32 - 1]),
    "refer_data_id": ([0, 0, 0, 1_000_000], [4711]),
    "permission": ([0, 0, 0, 0, 1, 2, 3, 4], [5, 255]),
    "persistence_id": ([65535, 65535, 0, 0, 1, 15], [16]),
    "slot_id": ([0, 0, 1, 15], [16, 65535]),
    "slot_ids": ([0, 1, 1, 15], [16]),
    "persistence_slot_id": ([0, 0, 1, 15], [16]),
    "result_option": ([0, 1, 2, 4, 8, 15], [255]),
    "search_target": (range(15), [15, 255]),
    "owner_type": ([0, 0, 1, 2], [3]),
    "result_order_column": ([*range(7), 64, 65, 79, 96, 111], [7, 80, 112, 255]),
    "result_order": ([0, 0, 1], [2]),
    "minimal_rating_frequency": ([0, 0, 0, 1], [2**32 - 1]),
    "version": ([1, 2, 2, 2, 3, 3, 4], [65535]),
    "lock_type": ([0, 0, 0, 3], [1, 2, 4]),
    "period_hour": ([0, 5, 23], [24, -1]),
    "period_duration": ([-1, -7, -17], [60, 2**15 - 1, -(2**15)]),
    "internal_flag": ([0, 0, 2, 4, 6], [255]),
    "rating_value": ([1, 1, 5, -1], [2**31 - 1, -(2**31)]),
    "initial_value": ([0, 0, 5], [2**63 - 1, -(2**63)]),
    "range_min": ([-5, 0, 1], [-(2**31)]),
    "range_max": ([5, 1], [-1, 2**31 - 1]),
    "comparison_flag": ([0, 0, 0, 0, 1], [0x1FF, 2**32 - 1]),
    "referred_count": ([0, 1], [2**32 - 1]),
    "status": ([0], [2, 5, 255]),
    "last_notification_id": ([0, 0, 1, 5], [2**64 - 1]),
    "limit": ([100, 1, 0], [101, 65535]),
}
TEXTS: Choices = (["", "a", "b", "\U0001f408", "x" * 24, "a\0b", "Ä%_"], ["x" * 25, "x" * 65])
BLOBS: Choices = ([b"", b"meta", b"x" * 1024], [b"x" * 1025])
LENGTHS: Choices = ([0, 0, 1, 1, 2], [3])


class ObjectCalls:
    """Draws calls, and has the consoles upload and time pass in between.

    What has one of the words ``often`` in its name is called more often.
    """

    def __init__(self, lab: ObjectLab, seed: int, *, often: Iterable[str] = ("post",)) -> None:
        self._lab = lab
        self.random = Random(seed)
        self._traits = lab.pipe.context._traits
        self._codecs = list(type(lab.server).codecs(lab.pipe.context).values())
        frequent = [each for each in self._codecs if any(word in each.name for word in often)]
        self._calls = [*self._codecs * 2, *frequent * 3]
        completing = [each for each in self._codecs if each.name.startswith("complete")]
        self._completing = [*self._codecs, *frequent, *completing * 12]
        self._no_file = False
        self._known: list[int] = []
        self.passwords = [0]
        self._forms: list[Any] = []

    def pick(self, choices: Sequence[Any]) -> Any:
        """Return one of several."""
        return self.random.choice(choices)

    def _mostly(self, choices: Choices) -> Any:
        return self.pick(choices[self.random.random() < ODD])

    async def step(self, console: ObjectConsole) -> tuple[str, Any]:
        """Let a console call any method, and see what came of it."""
        stored = await self._lab.store.page(0, 1000)
        waiting = [each for each in stored if each.upload is not None and each.owner == console.pid]
        codec = self.pick(self._completing if waiting else self._calls)
        if "delete" in codec.name:
            codec = self.pick(self._calls)
        if codec.name.startswith("complete"):
            stored = waiting or stored
        self._known = [each.data_id for each in stored]
        self._no_file = "meta_binar" in codec.name or "posting" in codec.name
        arguments = [
            self.value(parameter.name, concrete(resolve(parameter.annotation), self._traits))
            for parameter in codec._signature.parameters
        ]
        reply = await ask(console, codec, arguments)
        self._learn(reply)
        if isinstance(reply, FORMS) and self.random.random() < 0.8:
            self._upload(reply)
        return codec.name, reply

    def upload(self) -> None:
        """Upload to some form that was given out: all of it, or not."""
        if not self._forms:
            return
        self._upload(self._forms.pop(self.random.randrange(len(self._forms))))

    def _upload(self, info: Any) -> None:
        form = UploadForm(info.url, tuple((each.key, each.value) for each in info.form))
        version = dict(form.fields)["key"].rpartition("~")[2]
        for size in self.pick([(10, 100, 0), (10, 100, 0), (10,)]):
            try:
                self._lab.files.upload(form, content_of(version, size))
            except TransferError:
                continue
            return

    async def pass_time(self) -> None:
        """Let time pass, and what is done about it."""
        self._lab.clock.now += self.pick([1, 60, 60, 3600, 3600, 4 * 3600, 86_400])
        await self._lab.service.upkeep.sweep()

    # -- values ---------------------------------------------------------------------------

    def value(self, name: str, wire: Wire) -> Any:
        """Return a value for what has this name."""
        match wire:
            case Scalar(wrap=None):
                return self._number(name, wire.code)
            case Scalar():
                return self._date()
            case Pid():
                return self.pick([*PIDS, 0, 4711])
            case Text():
                return self._mostly(TEXTS)
            case Blob():
                return self._mostly(BLOBS)
            case ListOf(item=item):
                return self._list(name, item)
            case StructOf(cls=cls):
                return self.structure(cls)
            case _:
                raise AssertionError(wire)

    def structure(self, cls: type[Structure]) -> Structure:
        """Return a structure whose fields are all there."""
        fields = {
            field.name: self.value(field.name, field.wire)
            for level in layout_of(cls, self._traits).levels
            for field in level.fields
            if field.present
        }
        return cls(**fields)

    def _number(self, name: str, code: str) -> Any:
        if code == "?":
            return self.pick([True] * 4 + [False] if name == "success" else [False, True])
        if name in {"data_id", "data_ids"}:
            known = self._known or [0]
            if self.random.random() < 5 * ODD:
                return self.pick([0, 1, 2, 4711, 900_000, 1_000_000, *EDGES[code]])
            return self.pick([*known[:4], *known[-6:] * 2, self.pick(known)])
        if name == "size" and self._no_file:
            return self._mostly(([0], [1]))
        if "password" in name:
            return self.pick([0, 0, 0, 5, *self.passwords[-3:]])
        if name in {"owner_id", "owner_ids", "destination_ids", "recipients"}:
            return self.pick([*PIDS, 0, 4711])
        if name == "modifies_flag":
            return self.pick([*(1 << bit for bit in range(11)), 0x1FF, 0x3FF, 2**32 - 1])
        if name == "slot":
            return self._mostly(([0, 0, 0, 1, 15], [16, EDGES[code][0]]))
        choices: Choices = (SMALL, EDGES[code])
        usual, odd = NUMBERS.get(name, choices)
        good = [each for each in usual if fits(each, code)] or SMALL
        return self._mostly((good, [each for each in odd if fits(each, code)] or EDGES[code]))

    def _date(self) -> DateTime:
        if self.random.random() < 0.1:
            return DateTime.from_timestamp(self._lab.clock.now - self.pick([0, 60, 86_400]))
        value: DateTime = self._mostly(DATES)
        return value

    def _list(self, name: str, item: Wire) -> list[Any]:
        if name == "extra_data":
            return [""] * self._mostly(([0, 6], [5]))
        if self.random.random() < ODD / 4:
            return [self.value(name, item)] * self.pick([17, 101, 301])
        return [self.value(name, item) for _ in range(self._mostly(LENGTHS))]

    def _learn(self, reply: Any) -> None:
        if isinstance(reply, FORMS):
            self._forms.append(reply)
        if isinstance(reply, list | tuple):
            for each in reply:
                self._learn(each)
            return
        for name in ("access_password", "update_password"):
            value = getattr(reply, name, 0)
            if value and value not in self.passwords:
                self.passwords.append(value)


def fits(value: int, code: str) -> bool:
    """Tell whether a number of the wire can be this one."""
    try:
        struct.pack(code, value)
    except struct.error:
        return False
    return True


async def ask(console: ObjectConsole, codec: MethodCodec, arguments: list[Any]) -> Any:
    """Call a method; the value is its reply, or the name of the error."""
    body = codec.encode_arguments(arguments)
    try:
        reply = await console.session.call(115, codec.method_id, body)
    except RMCError as error:
        return error.name
    return codec.decode_reply(reply)


# -- what must be true whatever was called ------------------------------------------------


async def objects_of(lab: ObjectLab) -> list[StoredObject]:
    """Return all objects, in any state."""
    found: list[StoredObject] = []
    while page := await lab.store.page(found[-1].data_id if found else 0, 500):
        found += page
    return found


def content_of(version: str, size: int) -> bytes:
    """Return what `ObjectCalls` uploads as a version of an object, ``<data id>.<number>``."""
    return Random(version).randbytes(size)


async def problems(lab: ObjectLab) -> list[str]:
    """Return what contradicts itself among objects, slots and files, when nothing is under way."""
    stored = await objects_of(lab)
    report = await lab.service.verification.verify()
    harmless = {Kind.UNKNOWN_FILE, Kind.UNFINISHED}  # what was uploaded too late, or never
    found = [str(each) for each in report.disagreements if each.kind not in harmless]
    for each in stored:
        found += [f"object {each.data_id}: {problem}" for problem in _wrong(each)]
        if each.complete and each.has_file:
            there = await lab.files.read(each.key, MAX_SIZE + 1)
            if there != content_of(f"{each.data_id}.{each.version}", each.size):
                found.append(f"object {each.data_id} has the content of another")
    slots = [(each.owner, each.slot) for each in stored if each.complete and each.slot != NO_SLOT]
    keys = [each.key for each in stored if each.complete and each.has_file]
    found += [f"{each} is there twice" for each in {*_twice(slots), *_twice(keys)}]
    return found


def _wrong(each: StoredObject) -> Iterator[str]:
    if each.status not in set(Status):
        yield f"status {each.status}"
    if each.slot != NO_SLOT and each.slot not in range(16):
        yield f"slot {each.slot}"
    if each.complete and (each.expires is None) != (each.slot != NO_SLOT):
        yield f"expires {each.expires}, slot {each.slot}"
    if not each.complete and each.upload is None and each.has_file:
        yield "waits for nothing"
    if not 1 <= each.period <= 365 or len(each.meta_binary) > 1024 or len(each.name) > 64:
        yield "out of bounds"
    if 0 in {each.access_password, each.update_password}:
        yield "a password of 0"
    yield from (f"rating {rating}" for rating in each.ratings if _is_wrong(rating))


def _is_wrong(rating: Rating) -> bool:
    if rating.count < 0 or not -(2**63) <= rating.total < 2**63:
        return True
    begins = rating.rules.initial_value
    if rating.rules.flags & RatingFlag.NOT_NEGATIVE:
        begins = max(begins, 0)
    return not rating.count and rating.total != begins


def _twice(values: Sequence[Any]) -> set[Any]:
    return {each for each in values if values.count(each) > 1}


# -- stores that take their time ----------------------------------------------------------


class SlowObjectStore(MemoryObjectStore):
    """A store in which something else happens meanwhile; *seed* says how much."""

    def __init__(self, seed: int) -> None:
        super().__init__(Random(seed))
        self._pace = Random(seed)

    def __getattribute__(self, name: str) -> Any:
        return _slow(super().__getattribute__(name), self, name)


class SlowFileStore(MemoryFileStore):
    """Files with which something else happens meanwhile; *seed* says how much."""

    def __init__(self, seed: int, clock: Clock) -> None:
        super().__init__(clock=clock)
        self._pace = Random(seed)

    def __getattribute__(self, name: str) -> Any:
        return _slow(super().__getattribute__(name), self, name)


def _slow(found: Any, store: Any, name: str) -> Any:
    """Return a coroutine function so that others have turns before and after; else what it is."""
    if name.startswith("_") or not iscoroutinefunction(found):
        return found

    async def dawdle(*arguments: Any, **options: Any) -> Any:
        await _wait(store)
        result = await found(*arguments, **options)
        await _wait(store)
        return result

    return dawdle


async def _wait(store: Any) -> None:
    for _ in range(store._pace.randrange(4)):
        await asyncio.sleep(0)
