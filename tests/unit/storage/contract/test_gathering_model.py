"""Every adapter against a naive model: a dictionary, and one look through all of it for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from nekonex.domain.matchmaking.model import Gathering, Participant
from nekonex.domain.matchmaking.ports import GatheringStore, Outcome, Transition
from nekonex.domain.matchmaking.refusals import MatchmakingError, Refusal
from tests.support.gathering_stores import (
    ADAPTERS,
    Adapter,
    joining,
    leaving,
    refusal,
    setting,
)

PIDS = [1, 2, 3, 2**32 - 1]


@dataclass
class Model:
    """What a store must do."""

    gatherings: dict[int, Any] = field(default_factory=dict)
    """In the order of their creation."""

    def of_owner(self, pid: int) -> list[Any]:
        return [one for one in self.gatherings.values() if one.owner == pid]

    def of_participant(self, pid: int) -> list[Any]:
        return [one for one in self.gatherings.values() if pid in one.pids]

    def may_create(self, owner: int, max_owned: int | None) -> None:
        if max_owned is not None and len(self.of_owner(owner)) >= max_owned:
            raise MatchmakingError(Refusal.TOO_MANY_OWNED)

    def change(self, gid: int, transition: Transition[Any], max_joined: int | None) -> None:
        before = self.gatherings.get(gid)
        if before is None:
            raise MatchmakingError(Refusal.UNKNOWN_GATHERING)
        after = transition(before).after
        if after is None:
            del self.gatherings[gid]
            return
        for pid in set(after.pids) - set(before.pids):
            if max_joined is not None and len(self.of_participant(pid)) >= max_joined:
                raise MatchmakingError(Refusal.TOO_MANY_JOINED)
        self.gatherings[gid] = after


@dataclass(frozen=True)
class Create:
    owner: int
    pids: tuple[int, ...]
    max_owned: int | None


@dataclass(frozen=True)
class Alter:
    which: int
    """The gathering, as the number of its creation."""
    name: str
    transition: Transition[Any] = field(repr=False)
    max_joined: int | None = None


def ending(_: Gathering) -> Outcome[Any]:
    return Outcome(None)


def refusing(_: Gathering) -> Outcome[Any]:
    raise MatchmakingError(Refusal.CLOSED)


def shuffled(order: list[int]) -> Transition[Any]:
    """Return a transition to just these participants, some new and some old perhaps."""

    def shuffle(gathering: Gathering) -> Outcome[Any]:
        known = [gathering.participant(pid) or Participant(pid, visits=pid) for pid in order]
        return Outcome(replace(gathering, participants=tuple(known)))

    return shuffle


_pids = st.sampled_from(PIDS)
_pid_lists = st.lists(_pids, unique=True)
_bounds = st.none() | st.integers(1, 3)


def _alter(name: str, transitions: st.SearchStrategy[Transition[Any]]) -> st.SearchStrategy[Alter]:
    return st.builds(Alter, st.integers(0, 3), st.just(name), transitions, _bounds)


_STEPS = st.one_of(
    st.builds(Create, _pids, _pid_lists.map(tuple), _bounds),
    _alter("join", _pids.map(joining)),
    _alter("leave", _pids.map(leaving)),
    _alter("own", _pids.map(lambda pid: setting(owner=pid))),
    _alter("shuffle", _pid_lists.map(shuffled)),
    _alter("state", st.integers(0, 2**32 - 1).map(lambda state: setting(state=state))),
    _alter("end", st.just(ending)),
    _alter("refuse", st.just(refusing)),
)


def expected(change: Callable[[], None]) -> Refusal | None:
    """Return what the model refuses; None if it does as it is told."""
    try:
        change()
    except MatchmakingError as error:
        return error.refusal
    return None


@dataclass
class Comparison:
    """A store and the model of it, which are told to do the same."""

    adapter: Adapter
    store: GatheringStore[Any]
    model: Model = field(default_factory=Model)
    created: list[int] = field(default_factory=list)

    async def step(self, step: Create | Alter) -> None:
        if isinstance(step, Create):
            refused = expected(lambda: self.model.may_create(step.owner, step.max_owned))
            assert await refusal(self._create(step)) is refused
        else:
            gid = self.created[step.which] if step.which < len(self.created) else 0
            refused = expected(lambda: self.model.change(gid, step.transition, step.max_joined))
            assert await refusal(self._alter(gid, step)) is refused

    async def _alter(self, gid: int, step: Alter) -> None:
        change = await self.store.change(gid, step.transition, max_joined=step.max_joined)
        assert change.outcome.after == self.model.gatherings.get(gid)

    async def _create(self, step: Create) -> None:
        participants = tuple(Participant(pid) for pid in step.pids)
        new = self.adapter.make(owner=step.owner, max_participants=3, participants=participants)
        stored = await self.store.create(new, max_owned=step.max_owned)
        assert stored == replace(new, gid=stored.gid)
        assert stored.gid not in self.created
        self.created.append(stored.gid)
        self.model.gatherings[stored.gid] = stored

    async def check(self, store: GatheringStore[Any]) -> None:
        """Compare all that can be asked."""
        assert await store.count() == len(self.model.gatherings)
        in_order = sorted(self.model.gatherings.values(), key=lambda one: one.gid)
        assert list(await store.page(0, 100)) == in_order
        for gid in self.created:
            assert await store.get(gid) == self.model.gatherings.get(gid)
        for pid in PIDS:
            owned = self.model.of_owner(pid)
            assert list(await store.of_owner(pid, 0, 100)) == owned
            assert list(await store.of_owner(pid, 1, 1)) == owned[1:2]
            assert list(await store.of_participant(pid)) == self.model.of_participant(pid)


@pytest.mark.parametrize("name", ADAPTERS)
@settings(max_examples=25)
@given(steps=st.lists(_STEPS, max_size=25))
async def test_a_store_does_what_the_model_does(name: str, steps: list[Create | Alter]) -> None:
    adapter = ADAPTERS[name]
    with TemporaryDirectory() as directory:
        async with adapter.open(Path(directory)) as store:
            comparison = Comparison(adapter, store)
            for step in steps:
                await comparison.step(step)
            await comparison.check(store)
        if adapter.durable:
            async with adapter.open(Path(directory)) as store:
                await comparison.check(store)
