"""Unique ids, and whose they are."""

from __future__ import annotations

from typing import Final

__all__ = ["STEP"]

STEP: Final[tuple[str, ...]] = (
    # State: 0 acquired, 1 associated, 2 released, see `nekonex.storage.sqlite.unique_ids`. The
    # player is who acquired the id, has it, or had it last. Associated ids are in the order of
    # their places; since when is a time in POSIX seconds.
    """CREATE TABLE unique_ids (
        game TEXT NOT NULL,
        unique_id INTEGER NOT NULL,
        password INTEGER NOT NULL,
        pid INTEGER NOT NULL,
        state INTEGER NOT NULL,
        place INTEGER NOT NULL,
        since REAL NOT NULL,
        PRIMARY KEY (game, unique_id)
    ) STRICT, WITHOUT ROWID""",
    "CREATE INDEX unique_ids_of_player ON unique_ids (game, pid, state)",
    "CREATE INDEX acquired_unique_ids ON unique_ids (game, since) WHERE state = 0",
    # How many ids of state 0 there are: to count them would take longer than all the rest.
    """CREATE TABLE acquired_unique_id_totals (
        game TEXT PRIMARY KEY,
        total INTEGER NOT NULL
    ) STRICT, WITHOUT ROWID""",
    """CREATE TRIGGER unique_id_acquired AFTER INSERT ON unique_ids WHEN new.state = 0 BEGIN
        INSERT INTO acquired_unique_id_totals VALUES (new.game, 1)
        ON CONFLICT (game) DO UPDATE SET total = total + 1;
    END""",
    """CREATE TRIGGER unique_id_associated AFTER UPDATE OF state ON unique_ids
    WHEN old.state = 0 AND new.state <> 0 BEGIN
        UPDATE acquired_unique_id_totals SET total = total - 1 WHERE game = old.game;
    END""",
    """CREATE TRIGGER unique_id_forgotten AFTER DELETE ON unique_ids WHEN old.state = 0 BEGIN
        UPDATE acquired_unique_id_totals SET total = total - 1 WHERE game = old.game;
    END""",
)
