"""The stores of a server as one object, however they are kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path

from nekonex.domain.cells import CellStore
from nekonex.domain.datastore.ports import ObjectStore
from nekonex.domain.matchmaking.ports import CommunityStore, PreferenceStore
from nekonex.domain.ports import (
    AccessStore,
    AccountStore,
    ReportStore,
    SecretStore,
    UniqueIdStore,
)
from nekonex.domain.ranking.ports import ScoreStore
from nekonex.storage.errors import StorageError
from nekonex.storage.layout import DATABASE_NAME, SECRETS_NAME
from nekonex.storage.memory import (
    MemoryAccessStore,
    MemoryAccountStore,
    MemoryReportStore,
    MemorySecretStore,
)
from nekonex.storage.memory_cells import MemoryCellStore
from nekonex.storage.memory_gatherings import MemoryCommunityStore
from nekonex.storage.memory_objects import MemoryObjectStore
from nekonex.storage.memory_preferences import MemoryPreferenceStore
from nekonex.storage.memory_unique_ids import MemoryUniqueIdStore
from nekonex.storage.ranking import MemoryScoreStore
from nekonex.storage.secrets import FileSecretStore
from nekonex.storage.sqlite import (
    Database,
    SqliteAccessStore,
    SqliteAccountStore,
    SqliteCellStore,
    SqliteCommunityStore,
    SqliteObjectStore,
    SqlitePreferenceStore,
    SqliteReportStore,
    SqliteScoreStore,
    SqliteUniqueIdStore,
)

__all__ = ["Stores", "memory_stores", "open_local"]


@dataclass(frozen=True, slots=True)
class Stores:
    """What a server keeps, behind ports of the domain."""

    accounts: AccountStore
    access: AccessStore
    reports: ReportStore
    secrets: SecretStore
    cells: CellStore
    communities: Callable[[str], CommunityStore]
    """The communities of a game, by its name."""
    preferences: Callable[[str], PreferenceStore]
    """What the players of a game decided about others, by its name."""
    unique_ids: Callable[[str], UniqueIdStore]
    """The unique ids of a game's players, by its name."""
    objects: Callable[[str], ObjectStore]
    """The stored objects of a game, by its name."""
    scores: Callable[[str], ScoreStore]
    """The scores of a game, by its name: always the same object, because ranks are in memory."""


def memory_stores() -> Stores:
    """Return empty stores that live as long as the process: for tests and trials."""
    return Stores(
        MemoryAccountStore(),
        MemoryAccessStore(),
        MemoryReportStore(),
        MemorySecretStore(),
        MemoryCellStore(),
        cache(lambda _: MemoryCommunityStore()),
        cache(lambda _: MemoryPreferenceStore()),
        cache(lambda _: MemoryUniqueIdStore()),
        cache(lambda _: MemoryObjectStore()),
        cache(lambda _: MemoryScoreStore()),
    )


@asynccontextmanager
async def open_local(data_dir: Path) -> AsyncIterator[Stores]:
    """Open the stores under ``data_dir``: an SQLite database and a directory of secrets.

    Makes what is missing, readable by its owner only. Any number of processes may have the same
    directory open. Raises StorageError if what is there cannot be used.
    """
    try:
        await asyncio.to_thread(data_dir.mkdir, mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise StorageError(
            f"the data directory {data_dir} cannot be used: {error.strerror}"
        ) from error
    database = await Database.open(data_dir / DATABASE_NAME)
    try:
        yield Stores(
            SqliteAccountStore(database),
            SqliteAccessStore(database),
            SqliteReportStore(database),
            FileSecretStore(data_dir / SECRETS_NAME),
            SqliteCellStore(database),
            partial(SqliteCommunityStore, database),
            partial(SqlitePreferenceStore, database),
            partial(SqliteUniqueIdStore, database),
            cache(partial(SqliteObjectStore, database)),
            cache(partial(SqliteScoreStore, database)),
        )
    finally:
        await database.close()
