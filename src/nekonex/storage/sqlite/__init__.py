"""Stores in one SQLite file, which several processes may have open."""

from __future__ import annotations

from nekonex.storage.sqlite.access import SqliteAccessStore
from nekonex.storage.sqlite.accounts import SqliteAccountStore
from nekonex.storage.sqlite.cells import SqliteCellStore
from nekonex.storage.sqlite.communities import SqliteCommunityStore
from nekonex.storage.sqlite.database import Database, connect
from nekonex.storage.sqlite.objects import SqliteObjectStore
from nekonex.storage.sqlite.preferences import SqlitePreferenceStore
from nekonex.storage.sqlite.reports import SqliteReportStore
from nekonex.storage.sqlite.scores import SqliteScoreStore
from nekonex.storage.sqlite.unique_ids import SqliteUniqueIdStore

__all__ = [
    "Database",
    "SqliteAccessStore",
    "SqliteAccountStore",
    "SqliteCellStore",
    "SqliteCommunityStore",
    "SqliteObjectStore",
    "SqlitePreferenceStore",
    "SqliteReportStore",
    "SqliteScoreStore",
    "SqliteUniqueIdStore",
    "connect",
]
