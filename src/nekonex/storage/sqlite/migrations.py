"""The schema, as numbered steps that bring any earlier database up to date.

A step that was released is never changed: what a later version needs is a further step.
``PRAGMA user_version`` holds the number of the last step that a database has seen.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from nekonex.storage.errors import SchemaTooNewError

__all__ = ["MIGRATIONS", "migrate"]

Migration = tuple[str, ...]
"""The SQL statements of one step."""

MIGRATIONS: tuple[Migration, ...] = (
    (
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
    ),
    (
        # AUTOINCREMENT: consoles remember gids, so none is given twice, not to another game either.
        """CREATE TABLE communities (
            gid INTEGER PRIMARY KEY AUTOINCREMENT,
            game TEXT NOT NULL,
            owner INTEGER NOT NULL,
            host INTEGER NOT NULL,
            min_participants INTEGER NOT NULL,
            max_participants INTEGER NOT NULL,
            policy INTEGER NOT NULL,
            policy_argument INTEGER NOT NULL,
            flags INTEGER NOT NULL,
            state INTEGER NOT NULL,
            description TEXT NOT NULL,
            session_url TEXT NOT NULL,
            registered REAL NOT NULL,
            type INTEGER NOT NULL,
            password TEXT NOT NULL,
            attributes TEXT NOT NULL,
            application_data BLOB NOT NULL,
            participation_start INTEGER NOT NULL,
            participation_end INTEGER NOT NULL
        ) STRICT""",
        "CREATE INDEX communities_of_owner ON communities (game, owner, gid)",
        # 2 is CommunityType.OFFICIAL.
        """CREATE INDEX official_communities
            ON communities (game, gid, participation_start, participation_end) WHERE type = 2""",
        # Members are in the order of their positions, which need not be without gaps.
        """CREATE TABLE community_members (
            gid INTEGER NOT NULL REFERENCES communities ON DELETE CASCADE,
            pid INTEGER NOT NULL,
            position INTEGER NOT NULL,
            connection_id INTEGER NOT NULL,
            places INTEGER NOT NULL,
            message TEXT NOT NULL,
            visits INTEGER NOT NULL,
            PRIMARY KEY (gid, pid)
        ) STRICT, WITHOUT ROWID""",
        "CREATE INDEX communities_of_member ON community_members (pid, gid)",
        """CREATE TABLE block_lists (
            game TEXT NOT NULL,
            pid INTEGER NOT NULL,
            position INTEGER NOT NULL,
            blocked INTEGER NOT NULL,
            PRIMARY KEY (game, pid, position)
        ) STRICT, WITHOUT ROWID""",
        """CREATE TABLE privacy (
            game TEXT NOT NULL,
            pid INTEGER NOT NULL,
            online_status INTEGER NOT NULL,
            community_participation INTEGER NOT NULL,
            PRIMARY KEY (game, pid)
        ) STRICT, WITHOUT ROWID""",
    ),
)


def migrate(
    connection: sqlite3.Connection, name: str, migrations: Sequence[Migration] = MIGRATIONS
) -> None:
    """Apply the steps that the database has not seen, all of them or none.

    ``name`` is what an error calls the database. Raises SchemaTooNewError if it has seen more
    steps than there are. Processes that start together wait for each other.
    """
    if _version(connection, name, migrations) == len(migrations):
        return
    connection.execute("BEGIN IMMEDIATE")
    try:
        for step in migrations[_version(connection, name, migrations) :]:
            for statement in step:
                connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(migrations)}")
        connection.execute("COMMIT")
    except BaseException:
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise


def _version(connection: sqlite3.Connection, name: str, migrations: Sequence[Migration]) -> int:
    version = int(connection.execute("PRAGMA user_version").fetchone()[0])
    if version > len(migrations):
        raise SchemaTooNewError(
            f"the database {name} has schema {version} and this version of nekonex knows up to"
            f" {len(migrations)}: use the later version that wrote it"
        )
    return version
