"""The adapters of the gathering stores, for the suites that hold each to the same contract."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from random import Random
from typing import Any

from nekonex.domain.matchmaking.model import Community, Gathering, MatchmakeSession, Participant
from nekonex.domain.matchmaking.ports import GatheringStore, Outcome, Transition
from nekonex.domain.matchmaking.refusals import MatchmakingError, Refusal
from nekonex.storage import memory_stores, open_local
from nekonex.storage.memory_gatherings import MemoryLiveStore

__all__ = ["ADAPTERS", "Adapter", "joining", "leaving", "refusal", "setting"]

GAME = "mk8"


@dataclass(frozen=True)
class Adapter:
    """How one kind of store is opened, and what it keeps."""

    open: Callable[[Path], AbstractAsyncContextManager[GatheringStore[Any]]]
    """Opens the store whose files are in a directory, empty the first time."""
    make: Callable[..., Any]
    """Makes a gathering of its kind."""
    gids: range
    durable: bool = False


@asynccontextmanager
async def _live_in_memory(_: Path) -> AsyncIterator[GatheringStore[Gathering]]:
    yield MemoryLiveStore(Random(4))


@asynccontextmanager
async def _communities_in_memory(_: Path) -> AsyncIterator[GatheringStore[Community]]:
    yield memory_stores().communities(GAME)


@asynccontextmanager
async def _communities_in_sqlite(directory: Path) -> AsyncIterator[GatheringStore[Community]]:
    async with open_local(directory) as stores:
        yield stores.communities(GAME)


_OF_COMMUNITIES = range(1, 0x40000000)
_OF_LIVE_GATHERINGS = range(0x40000000, 0x80000000)

ADAPTERS: Mapping[str, Adapter] = {
    "live-memory": Adapter(_live_in_memory, MatchmakeSession, _OF_LIVE_GATHERINGS),
    "communities-memory": Adapter(_communities_in_memory, Community, _OF_COMMUNITIES),
    "communities-sqlite": Adapter(_communities_in_sqlite, Community, _OF_COMMUNITIES, durable=True),
}


async def refusal(doing: Awaitable[object]) -> Refusal | None:
    """Return what something was refused for; None if it was done."""
    try:
        await doing
    except MatchmakingError as error:
        return error.refusal
    return None


def joining(pid: int, count: int = 1) -> Transition[Any]:
    """Return a transition by which a player comes in, if there is room."""

    def join(gathering: Gathering) -> Outcome[Gathering]:
        if gathering.participant(pid):
            raise MatchmakingError(Refusal.ALREADY_PARTICIPATING)
        if count > gathering.places_free:
            raise MatchmakingError(Refusal.FULL)
        arrival = Participant(pid, count=count)
        return Outcome(replace(gathering, participants=(*gathering.participants, arrival)))

    return join


def leaving(pid: int) -> Transition[Any]:
    """Return a transition by which a player leaves; the gathering ends with its last one."""

    def leave(gathering: Gathering) -> Outcome[Gathering]:
        staying = tuple(known for known in gathering.participants if known.pid != pid)
        if len(staying) == len(gathering.participants):
            raise MatchmakingError(Refusal.NOT_PARTICIPATING)
        return Outcome(replace(gathering, participants=staying) if staying else None)

    return leave


def setting(**values: Any) -> Transition[Any]:
    """Return a transition that gives fields of a gathering other values."""
    return lambda gathering: Outcome(replace(gathering, **values))
