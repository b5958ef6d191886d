"""Communities with their members, and what players decided about others."""

from __future__ import annotations

from typing import Final

__all__ = ["STEP"]

STEP: Final[tuple[str, ...]] = (
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
)
