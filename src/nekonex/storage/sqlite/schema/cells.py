"""The cells of plugins."""

from __future__ import annotations

from typing import Final

__all__ = ["STEP"]

STEP: Final[tuple[str, ...]] = (
    # With the totals of each plugin: to count them would take longer than all the rest. Who has
    # no greeter was purged, and its cells are to be deleted.
    """CREATE TABLE cell_owners (
        id INTEGER PRIMARY KEY,
        greeter BLOB UNIQUE,
        cells INTEGER NOT NULL,
        size INTEGER NOT NULL
    ) STRICT""",
    # In UTF-8: the length of a TEXT is in characters, and ends at the first NUL. With rowids:
    # without them the text would be in the tree of the key, and of one of 1 MiB the size takes
    # 50 times as long to find, and the name 40 times as long to list (measured).
    """CREATE TABLE cells (
        owner INTEGER NOT NULL REFERENCES cell_owners,
        name BLOB NOT NULL,
        text BLOB NOT NULL,
        PRIMARY KEY (owner, name)
    ) STRICT""",
)
