"""The stores of a server as one object, however they are kept."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

from nekonex.domain.ports import AccessStore, AccountStore, ReportStore, SecretStore
from nekonex.storage.errors import StorageError
from nekonex.storage.layout import DATABASE_NAME, SECRETS_NAME
from nekonex.storage.memory import (
    MemoryAccessStore,
    MemoryAccountStore,
    MemoryReportStore,
    MemorySecretStore,
)
from nekonex.storage.secrets import FileSecretStore
from nekonex.storage.sqlite import (
    Database,
    SqliteAccessStore,
    SqliteAccountStore,
    SqliteReportStore,
)

__all__ = ["Stores", "memory_stores", "open_local"]


@dataclass(frozen=True, slots=True)
class Stores:
    """What a server keeps, behind the ports of `nekonex.domain.ports`."""

    accounts: AccountStore
    access: AccessStore
    reports: ReportStore
    secrets: SecretStore


def memory_stores() -> Stores:
    """Return empty stores that live as long as the process: for tests and trials."""
    return Stores(
        MemoryAccountStore(), MemoryAccessStore(), MemoryReportStore(), MemorySecretStore()
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
        )
    finally:
        await database.close()
