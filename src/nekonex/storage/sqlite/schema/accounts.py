"""Accounts, who may log in, and reports."""

from __future__ import annotations

from typing import Final

__all__ = ["STEP"]

STEP: Final[tuple[str, ...]] = (
    """CREATE TABLE accounts (
        pid INTEGER PRIMARY KEY,
        name TEXT NOT NULL,
        name_key TEXT NOT NULL UNIQUE,
        key0 BLOB,
        key1 BLOB,
        created REAL NOT NULL
    ) STRICT""",
    "CREATE TABLE retired_pids (pid INTEGER PRIMARY KEY) STRICT",
    """CREATE TABLE access_revision (
        only_row INTEGER PRIMARY KEY CHECK (only_row = 1),
        revision INTEGER NOT NULL
    ) STRICT""",
    "INSERT INTO access_revision VALUES (1, 0)",
    "CREATE TABLE maintenance (scope TEXT PRIMARY KEY, start REAL, end REAL) STRICT",
    "CREATE TABLE whitelists (scope TEXT PRIMARY KEY, enabled INTEGER NOT NULL) STRICT",
    """CREATE TABLE whitelisted (
        scope TEXT NOT NULL, pid INTEGER NOT NULL, PRIMARY KEY (scope, pid)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE bans (
        pid INTEGER NOT NULL,
        scope TEXT NOT NULL,
        reason TEXT NOT NULL,
        until REAL,
        created REAL NOT NULL,
        PRIMARY KEY (pid, scope)
    ) STRICT, WITHOUT ROWID""",
    # AUTOINCREMENT: a number that was given to a report is never given to another.
    """CREATE TABLE reports (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        pid INTEGER NOT NULL,
        game TEXT NOT NULL,
        report_id INTEGER NOT NULL,
        created REAL NOT NULL,
        data BLOB NOT NULL
    ) STRICT""",
    "CREATE INDEX reports_of_player ON reports (pid, number)",
)
