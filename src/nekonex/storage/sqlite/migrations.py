"""The schema, as numbered steps that bring any earlier database up to date.

A step that was released is never changed: what a later version needs is a further step.
``PRAGMA user_version`` holds the number of the last step that a database has seen.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence

from nekonex.storage.errors import SchemaTooNewError
from nekonex.storage.sqlite.schema import accounts, cells, communities, objects, scores, unique_ids

__all__ = ["MIGRATIONS", "migrate"]

Migration = tuple[str, ...]
"""The SQL statements of one step."""

MIGRATIONS: tuple[Migration, ...] = (
    accounts.STEP,
    communities.STEP,
    scores.STEP,
    unique_ids.STEP,
    objects.STEP,
    cells.STEP,
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
