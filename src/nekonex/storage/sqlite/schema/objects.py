"""Stored objects, their ratings, and what is to become of their files.

Searches that anybody may make find what is complete, was not objected to, and is for everybody:
the indexes of their orders hold nothing else. Each begins with the data type, and those of other
orders end with the data id, by which equal objects are ordered.
"""

from __future__ import annotations

from typing import Final

__all__ = ["LISTED", "STEP", "listed"]

LISTED: Final = "complete = 1 AND status = 0 AND access_level = 0"
"""What anybody may find: 0 is Status.NORMAL and Level.PUBLIC."""

STEP: Final[tuple[str, ...]] = (
    # What most searches look at comes first, and what is long last.
    """CREATE TABLE objects (
        id INTEGER PRIMARY KEY,
        game TEXT NOT NULL,
        data_id INTEGER NOT NULL,
        owner INTEGER NOT NULL,
        data_type INTEGER NOT NULL,
        complete INTEGER NOT NULL,
        status INTEGER NOT NULL,
        access_level INTEGER NOT NULL,
        update_level INTEGER NOT NULL,
        size INTEGER NOT NULL,
        version INTEGER NOT NULL,
        access_password INTEGER NOT NULL,
        update_password INTEGER NOT NULL,
        flags INTEGER NOT NULL,
        period INTEGER NOT NULL,
        refer_data_id INTEGER NOT NULL,
        slot INTEGER NOT NULL,
        replaces INTEGER NOT NULL,
        upload_version INTEGER,
        upload_size INTEGER,
        upload_started INTEGER,
        created INTEGER NOT NULL,
        updated INTEGER NOT NULL,
        referred INTEGER NOT NULL,
        referred_count INTEGER NOT NULL,
        expires INTEGER,
        rating_slots INTEGER NOT NULL,
        name TEXT NOT NULL,
        key TEXT NOT NULL,
        tags TEXT NOT NULL,
        access_recipients TEXT NOT NULL,
        update_recipients TEXT NOT NULL,
        meta_binary BLOB NOT NULL
    ) STRICT""",
    "CREATE UNIQUE INDEX objects_by_id ON objects (game, data_id)",
    # With the sizes, so that how much a player stores is read from the index alone.
    """CREATE INDEX objects_of_owner
        ON objects (game, owner, data_id, complete, size, upload_size)""",
    # 65535 is NO_SLOT.
    """CREATE UNIQUE INDEX objects_in_slots ON objects (game, owner, slot)
        WHERE complete = 1 AND slot <> 65535""",
    "CREATE INDEX objects_by_key ON objects (game, key) WHERE complete = 1 AND key <> ''",
    """CREATE INDEX objects_referring ON objects (game, refer_data_id, data_id)
        WHERE refer_data_id <> 0""",
    """CREATE INDEX objects_to_expire ON objects (game, expires, data_id)
        WHERE complete = 1 AND expires IS NOT NULL""",
    """CREATE INDEX objects_unfinished ON objects (game, upload_started, data_id)
        WHERE upload_started IS NOT NULL""",
    f"CREATE INDEX listed_by_id ON objects (game, data_type, data_id) WHERE {LISTED}",
    f"CREATE INDEX listed_by_size ON objects (game, data_type, size, data_id) WHERE {LISTED}",
    f"CREATE INDEX listed_by_name ON objects (game, data_type, name, data_id) WHERE {LISTED}",
    f"""CREATE INDEX listed_by_referred_count
        ON objects (game, data_type, referred_count, data_id) WHERE {LISTED}""",
    f"CREATE INDEX listed_by_created ON objects (game, data_type, created, data_id) WHERE {LISTED}",
    f"CREATE INDEX listed_by_updated ON objects (game, data_type, updated, data_id) WHERE {LISTED}",
    # To count what is there without looking at the objects.
    f"CREATE INDEX listed_by_expiry ON objects (game, data_type, expires) WHERE {LISTED}",
    # To find those that have no such rating slot; the slots are the bits of a number.
    f"""CREATE INDEX listed_by_rating_slots
        ON objects (game, data_type, rating_slots, data_id) WHERE {LISTED}""",
    # The data type, and whether it is listed, are those of the object.
    """CREATE TABLE object_ratings (
        game TEXT NOT NULL,
        data_id INTEGER NOT NULL,
        slot INTEGER NOT NULL,
        data_type INTEGER NOT NULL,
        listed INTEGER NOT NULL,
        flags INTEGER NOT NULL,
        internal_flags INTEGER NOT NULL,
        lock_type INTEGER NOT NULL,
        initial_value INTEGER NOT NULL,
        minimum INTEGER NOT NULL,
        maximum INTEGER NOT NULL,
        period_hour INTEGER NOT NULL,
        period_duration INTEGER NOT NULL,
        total INTEGER NOT NULL,
        count INTEGER NOT NULL,
        average REAL NOT NULL,
        PRIMARY KEY (game, data_id, slot)
    ) STRICT, WITHOUT ROWID""",
    """CREATE INDEX listed_by_total
        ON object_ratings (game, data_type, slot, total, data_id) WHERE listed = 1""",
    """CREATE INDEX listed_by_average
        ON object_ratings (game, data_type, slot, average, data_id) WHERE listed = 1""",
    """CREATE TABLE rating_logs (
        game TEXT NOT NULL,
        data_id INTEGER NOT NULL,
        slot INTEGER NOT NULL,
        pid INTEGER NOT NULL,
        value INTEGER NOT NULL,
        rated INTEGER NOT NULL,
        locked_until INTEGER NOT NULL,
        PRIMARY KEY (game, data_id, slot, pid)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX rating_logs_of_player ON rating_logs (game, pid)",
    # These two are for searching: the objects themselves have both in their order. They have the
    # row of the object, which is found more quickly than by its data id.
    """CREATE TABLE object_tags (
        game TEXT NOT NULL,
        tag TEXT NOT NULL,
        object INTEGER NOT NULL,
        PRIMARY KEY (game, tag, object)
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE object_recipients (
        game TEXT NOT NULL,
        pid INTEGER NOT NULL,
        object INTEGER NOT NULL,
        PRIMARY KEY (game, pid, object)
    ) STRICT, WITHOUT ROWID""",
    # The next data id: consoles remember data ids, so none is given twice.
    """CREATE TABLE object_ids (
        game TEXT NOT NULL PRIMARY KEY,
        next INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TABLE object_operations (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        game TEXT NOT NULL,
        source TEXT NOT NULL,
        target TEXT
    ) STRICT""",
    "CREATE INDEX object_operations_of_game ON object_operations (game, number)",
    """CREATE TABLE object_notifications (
        number INTEGER PRIMARY KEY AUTOINCREMENT,
        game TEXT NOT NULL,
        pid INTEGER NOT NULL,
        data_id INTEGER NOT NULL
    ) STRICT""",
    "CREATE INDEX object_notifications_of_player ON object_notifications (game, pid, number)",
    "CREATE INDEX object_notifications_of_object ON object_notifications (game, data_id)",
)


def listed(table: str) -> str:
    """Return `LISTED` for a table that a query has given another name."""
    return " AND ".join(f"{table}.{each}" for each in LISTED.split(" AND "))
