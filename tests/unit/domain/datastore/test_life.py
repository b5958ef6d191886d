"""The whole life of objects in any order, with a process that may die between any two steps."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from nekonex.domain.datastore import (
    NO_SLOT,
    Caller,
    DataStoreError,
    Flag,
    ObjectKeys,
    StoredObject,
)
from nekonex.domain.datastore.files import TransferError
from nekonex.domain.datastore.ports import ObjectStore
from nekonex.domain.datastore.rules.lifetimes import is_expired
from nekonex.domain.datastore.services.verification import Kind
from nekonex.storage.memory_objects import MemoryObjectStore
from nekonex.storage.objects.memory import MemoryFileStore
from tests.support.datastore import Shop

OWNERS = st.sampled_from([1, 3])
SLOTS = st.sampled_from([0, 1, NO_SLOT])
CONTENTS = st.binary(min_size=1, max_size=3)
FORMS = st.integers(0, 4)
"""Of the forms that were given last."""
DEATHS = st.none() | st.integers(0, 8)
"""Before which step of a call the process dies, if it does."""


class Death(BaseException):
    """The process is dead."""


class Fate:
    """Counts the steps of a process, and ends it; the dead do nothing more."""

    def __init__(self) -> None:
        self.steps: int | None = None
        self.dead = False

    def step(self) -> None:
        if self.steps is not None:
            self.dead |= self.steps == 0
            self.steps -= 1
        if self.dead:
            raise Death


class Mortal:
    """A store whose every method is a step of a process."""

    def __init__(self, store: Any, fate: Fate) -> None:
        self._store = store
        self._fate = fate

    def __getattr__(self, name: str) -> Any:
        method = getattr(self._store, name)
        if not inspect.iscoroutinefunction(method):
            return method

        async def call(*args: Any, **kwargs: Any) -> Any:
            self._fate.step()
            return await method(*args, **kwargs)

        return call


@dataclass
class Told:
    """A form that a console was given."""

    owner: int
    data_id: int
    version: int
    size: int
    form: Any


class Life(RuleBasedStateMachine):
    @initialize(shared=st.booleans())
    def begin(self, shared: bool) -> None:
        self.runner = asyncio.Runner()
        self.fate = Fate()
        self.forms: list[Told] = []
        self.contents: dict[tuple[int, int], bytes] = {}
        """What of each version of an object was uploaded last while it was waited for."""
        self.alive: dict[int, StoredObject] = {}
        """The objects that were complete after the last call."""
        shop = Shop()
        store, files = self.open_store(), MemoryFileStore(clock=shop.clock)
        keys = ObjectKeys(by_player=self._by_slot if shared else None)
        self.plain = Shop(store=store, files=files, clock=shop.clock, keys=keys)
        self.shop = Shop(
            store=Mortal(store, self.fate),
            files=Mortal(files, self.fate),
            clock=shop.clock,
            keys=keys,
        )

    def open_store(self) -> ObjectStore:
        return MemoryObjectStore()

    @staticmethod
    async def _by_slot(database: object, pid: int, slot: int, data_id: int) -> str:
        return f"ghosts/{pid}/{slot}.bin"

    def teardown(self) -> None:
        if hasattr(self, "runner"):
            self.runner.close()

    # -- calls -------------------------------------------------------------------------

    def call(
        self,
        calling: Callable[[], Awaitable[Any]],
        death: int | None = None,
        may_go: set[int] | None = None,
        may_change: int = 0,
    ) -> Any:
        """Call, and die; return what is answered, None if nothing was.

        Only ``may_go`` may be gone afterwards, and whatever has expired, and only ``may_change``
        may have another version.
        """
        self.fate.steps = death

        async def guarded() -> Any:
            try:
                return await calling()
            except (DataStoreError, Death):
                return None

        answer = self.runner.run(guarded())
        self.fate.steps = None
        if self.fate.dead:
            self.fate.dead = False
            answer = None
            self.runner.run(self.shop.restart().start())
        objects = {each.data_id: each for each in self.objects()}
        for data_id, known in self.alive.items():
            now = objects.get(data_id)
            if now is None:
                assert data_id in (may_go or ()) or is_expired(known, self.shop.now), known
            else:
                assert now.complete
                assert now.version == known.version or data_id == may_change
        self.alive = {data_id: each for data_id, each in objects.items() if each.complete}
        return answer

    def objects(self) -> list[StoredObject]:
        return list(self.run(self.plain.store.page(0, 10_000)))

    def run(self, calling: Coroutine[Any, Any, Any]) -> Any:
        return self.runner.run(calling)

    def holders(self, owner: int, slot: int) -> set[int]:
        """Return what may go when a slot is taken."""
        return {
            each.data_id
            for each in self.alive.values()
            if (each.owner, each.slot) == (owner, slot) and slot != NO_SLOT
        }

    def some(self, index: int) -> StoredObject:
        objects = self.objects()
        return objects[index % len(objects)]

    # -- rules -------------------------------------------------------------------------

    @rule(
        owner=OWNERS,
        slot=SLOTS,
        size=st.integers(1, 3),
        told=st.booleans(),
        delete=st.booleans(),
        period=st.integers(1, 3),
        death=DEATHS,
    )
    def prepare_post(
        self,
        owner: int,
        slot: int,
        size: int,
        told: bool,
        delete: bool,
        period: int,
        death: int | None,
    ) -> None:
        fields = {
            "size": size,
            "slot": slot,
            "delete_last_object": delete,
            "period": period,
            "flags": int(Flag.NEEDS_COMPLETION) if told else 0,
        }
        answer = self.call(lambda: self.shop.prepare(owner, **fields), death)
        if answer is not None:
            data_id, form = answer
            self.forms.append(Told(owner, data_id, 1, size, form))

    @rule(
        owner=OWNERS,
        slot=SLOTS,
        content=CONTENTS,
        told=st.booleans(),
        delete=st.booleans(),
        death=DEATHS,
    )
    def post(
        self, owner: int, slot: int, content: bytes, told: bool, delete: bool, death: int | None
    ) -> None:
        self.prepare_post(owner, slot, len(content), told, delete, period=1, death=None)
        self.upload(0, content)
        self.complete(0, success=True, death=death)
        if death is None:
            assert self.alive[self.forms[-1].data_id].version == 1

    @precondition(lambda self: self.alive)
    @rule(index=st.integers(0, 99), content=CONTENTS, death=DEATHS)
    def update(self, index: int, content: bytes, death: int | None) -> None:
        stored = self.some(index)
        before = len(self.forms)
        self.prepare_update(index, len(content), death=None)
        if len(self.forms) == before:
            return
        self.upload(0, content)
        self.complete(0, success=True, death=death)
        if death is None:
            assert self.alive[stored.data_id].version == self.forms[-1].version

    @precondition(lambda self: self.forms)
    @rule(index=FORMS, content=CONTENTS)
    def upload(self, index: int, content: bytes) -> None:
        told = self.forms[-1 - index % len(self.forms)]
        content = content.ljust(told.size, b"x")[: told.size]
        stored = self.run(self.plain.store.get(told.data_id))
        try:
            self.plain.files.upload(told.form, content)
        except TransferError:
            return
        upload = None if stored is None else stored.upload
        if upload is not None and upload.version == told.version:
            self.contents[told.data_id, told.version] = content

    @precondition(lambda self: self.forms)
    @rule(index=FORMS, success=st.booleans(), death=DEATHS)
    def complete(self, index: int, success: bool, death: int | None) -> None:
        told = self.forms[-1 - index % len(self.forms)]
        stored = self.run(self.plain.store.get(told.data_id))
        may_go = set()
        if stored is not None and not stored.complete and stored.replaces:
            may_go = self.holders(stored.owner, stored.slot)
        who, posting, updating = Caller(told.owner), self.shop.data.posting, self.shop.data.updating
        if told.version == 1:
            self.call(lambda: posting.complete_post(who, told.data_id, success), death, may_go)
        else:
            self.call(
                lambda: updating.complete_update(who, told.data_id, told.version, success),
                death,
                may_change=told.data_id,
            )

    @precondition(lambda self: self.alive)
    @rule(index=st.integers(0, 99), size=st.integers(1, 3), death=DEATHS)
    def prepare_update(self, index: int, size: int, death: int | None) -> None:
        stored = self.some(index)
        may_go = self.holders(stored.owner, stored.slot) if not stored.complete else None
        updating = self.shop.data.updating
        answer = self.call(
            lambda: updating.prepare_update(Caller(stored.owner), stored.data_id, size),
            death,
            may_go,
        )
        if answer is not None:
            self.forms.append(Told(stored.owner, stored.data_id, answer.version, size, answer.form))

    @precondition(lambda self: self.objects())
    @rule(index=st.integers(0, 99), death=DEATHS)
    def delete(self, index: int, death: int | None) -> None:
        stored = self.some(index)
        may_go = {stored.data_id} | self.holders(stored.owner, stored.slot)
        updating = self.shop.data.updating
        self.call(lambda: updating.delete(Caller(stored.owner), stored.data_id), death, may_go)

    @precondition(lambda self: self.alive)
    @rule(index=st.integers(0, 99), slot=st.integers(0, 1), delete=st.booleans(), death=DEATHS)
    def perpetuate(self, index: int, slot: int, delete: bool, death: int | None) -> None:
        stored = list(self.alive.values())[index % len(self.alive)]
        may_go = self.holders(stored.owner, slot) - {stored.data_id} if delete else None
        slots, who = self.shop.data.slots, Caller(stored.owner)
        self.call(lambda: slots.perpetuate(who, slot, stored.data_id, delete), death, may_go)

    @rule(owner=OWNERS, slot=st.integers(0, 1), delete=st.booleans(), death=DEATHS)
    def unperpetuate(self, owner: int, slot: int, delete: bool, death: int | None) -> None:
        # What completes itself takes its slot before.
        may_go = self.holders(owner, 0) | self.holders(owner, 1)
        slots = self.shop.data.slots
        self.call(lambda: slots.unperpetuate(Caller(owner), slot, delete), death, may_go)

    @rule(death=DEATHS)
    def sweep(self, death: int | None) -> None:
        # What completes itself takes its slot.
        may_go = {each for owner in (1, 3) for slot in (0, 1) for each in self.holders(owner, slot)}
        self.call(self.shop.data.upkeep.sweep, death, may_go)

    @rule(minutes=st.sampled_from([1, 20, 60, 200, 2000]))
    def wait(self, minutes: int) -> None:
        self.shop.clock.now += minutes * 60

    @rule()
    def clean(self) -> None:
        self.shop.clock.now += 4 * 3600
        self.sweep(death=None)
        self.call(lambda: self.shop.data.verification.verify(mend=True))
        keys = {each.key for each in self.objects()}
        assert set(self.run(self.plain.keys())) == keys
        assert all(each.complete and each.upload is None for each in self.objects())

    # -- what must always be true ------------------------------------------------------

    @invariant()
    def who_reads_gets_what_the_store_says(self) -> None:
        if not hasattr(self, "runner"):
            return
        for stored in self.alive.values():
            if not is_expired(stored, self.shop.now):
                content = self.run(self.shop.get(9, stored.data_id))
                now = self.run(self.plain.store.get(stored.data_id))
                assert content == self.contents[stored.data_id, now.version]
                assert len(content) == now.size

    @invariant()
    def nothing_is_missing(self) -> None:
        if hasattr(self, "runner"):
            report = self.run(self.shop.data.verification.verify())
            found = {each.kind for each in report.disagreements}
            assert found <= {Kind.UNKNOWN_FILE, Kind.UNFINISHED}
            slots = [
                (each.owner, each.slot) for each in self.alive.values() if each.slot != NO_SLOT
            ]
            assert len(slots) == len(set(slots))


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=40, stateful_step_count=25)
