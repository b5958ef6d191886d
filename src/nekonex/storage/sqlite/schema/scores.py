"""Scores, the orders of their categories, and what is shown with them."""

from __future__ import annotations

from typing import Final

__all__ = ["STEP"]

STEP: Final[tuple[str, ...]] = (
    """CREATE TABLE ranking_categories (
        game TEXT NOT NULL,
        category INTEGER NOT NULL,
        descending INTEGER NOT NULL,
        PRIMARY KEY (game, category)
    ) STRICT, WITHOUT ROWID""",
    # No further index: ranks are kept in memory, and the fewer pages an upload touches the better.
    """CREATE TABLE scores (
        game TEXT NOT NULL,
        category INTEGER NOT NULL,
        pid INTEGER NOT NULL,
        unique_id INTEGER NOT NULL,
        score INTEGER NOT NULL,
        updated INTEGER NOT NULL,
        groups INTEGER NOT NULL,
        param INTEGER NOT NULL,
        PRIMARY KEY (game, category, pid, unique_id)
    ) STRICT, WITHOUT ROWID""",
    # With rowids: its rows are long, and would be in the inner pages of the key's tree too.
    """CREATE TABLE ranking_common_data (
        game TEXT NOT NULL,
        pid INTEGER NOT NULL,
        unique_id INTEGER NOT NULL,
        data BLOB NOT NULL,
        PRIMARY KEY (game, pid, unique_id)
    ) STRICT""",
)
