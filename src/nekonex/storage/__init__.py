"""Adapters for the ports of `nekonex.domain.ports`: in memory, and in SQLite and files."""

from __future__ import annotations

from nekonex.storage.backup import backup, restore, take_snapshot
from nekonex.storage.errors import SchemaTooNewError, StorageError
from nekonex.storage.layout import DATABASE_NAME, OBJECTS_NAME, SECRETS_NAME
from nekonex.storage.matchmaking import memory_matchmaking
from nekonex.storage.stores import Stores, memory_stores, open_local

__all__ = [
    "DATABASE_NAME",
    "OBJECTS_NAME",
    "SECRETS_NAME",
    "SchemaTooNewError",
    "StorageError",
    "Stores",
    "backup",
    "memory_matchmaking",
    "memory_stores",
    "open_local",
    "restore",
    "take_snapshot",
]
