"""The adapters of the score store, for the suites that hold each to the same contract."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from pathlib import Path

from nekonex.domain.ranking import RankingError, Rankings, Refusal, ScoreStore, ScoreUpload
from nekonex.domain.ranking.model import UpdateMode
from nekonex.storage.ranking import MemoryScoreStore
from nekonex.storage.sqlite import Database
from nekonex.storage.sqlite.scores import SqliteScoreStore

__all__ = ["ADAPTERS", "GAME", "FriendsOf", "Time", "loaded", "refusal", "uploaded"]

GAME = "mk8"


class Time:
    """A clock that is set by hand, in POSIX seconds."""

    def __init__(self, now: float = 1_700_000_000.0) -> None:
        self.now = now

    def __call__(self) -> float:
        return self.now


class FriendsOf:
    """Friends as a dictionary."""

    def __init__(self, friends: Mapping[int, Collection[int]]) -> None:
        self._friends = friends

    async def friends_of(self, pid: int) -> Collection[int]:
        return self._friends.get(pid, ())


@asynccontextmanager
async def _in_memory(_: Path) -> AsyncIterator[ScoreStore]:
    yield MemoryScoreStore(max_windows=3)


@asynccontextmanager
async def _in_sqlite(directory: Path) -> AsyncIterator[ScoreStore]:
    database = await Database.open(directory / "nekonex.db")
    try:
        yield SqliteScoreStore(database, GAME, max_windows=3)
    finally:
        await database.close()


Open = Callable[[Path], AbstractAsyncContextManager[ScoreStore]]

ADAPTERS: Mapping[str, Open] = {"memory": _in_memory, "sqlite": _in_sqlite}
"""Open the store whose files are in a directory, empty the first time; few windows are kept."""


async def loaded(store: ScoreStore) -> ScoreStore:
    """Return a store that leaves the order of categories to uploads, ready for use."""
    await store.load(lambda _: None)
    return store


async def refusal(doing: Awaitable[object]) -> Refusal | None:
    """Return what something was refused for; None if it was done."""
    try:
        await doing
    except RankingError as error:
        return error.refusal
    return None


async def uploaded(
    rankings: Rankings,
    pid: int,
    score: int,
    *,
    category: int = 1,
    unique_id: int = 0,
    descending: bool = False,
    update: UpdateMode = UpdateMode.ALWAYS,
    groups: tuple[int, int] = (0, 0),
    param: int = 0,
) -> None:
    """Upload a score."""
    upload = ScoreUpload(
        category=category,
        score=score,
        descending=descending,
        update=update,
        groups=groups,
        param=param,
    )
    await rankings.upload(pid, upload, unique_id)
