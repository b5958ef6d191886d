"""Bounds of matchmaking, each with a name and a default."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import Final

__all__ = [
    "MAX_ATTRIBUTE_VALUE",
    "MAX_BUFFER",
    "MAX_PARAMS",
    "MAX_PARAM_TEXT",
    "MAX_PARAM_TOTAL",
    "MAX_PARTICIPANTS",
    "MAX_PROGRESS",
    "MAX_SESSION_KEY",
    "MAX_TEXT",
    "MAX_USER_PASSWORD",
    "SESSION_KEY_SIZE",
    "SYSTEM_PASSWORD_SIZE",
    "MatchmakingLimits",
]

# The protocol's own, as nex-protocols-go has them; those of parameters and participants are
# this server's.
MAX_TEXT: Final = 256
"""Characters of descriptions, messages, codewords and URLs."""
MAX_USER_PASSWORD: Final = 32
"""Characters of a session's user password."""
MAX_BUFFER: Final = 512
"""Bytes of an application buffer."""
MAX_SESSION_KEY: Final = 512
"""Bytes of a session key that a console sends."""
MAX_PROGRESS: Final = 100
MAX_PARAMS: Final = 64
"""Free parameters of a session; together with the next, what keeps them from being a store."""
MAX_PARAM_TEXT: Final = 512
"""Characters of one parameter's name, and of its value as a person reads it."""
MAX_PARAM_TOTAL: Final = 4096
"""Characters of all of them: whoever browses is sent those of a hundred sessions at once, and a
connection that has too much to send is closed."""
SESSION_KEY_SIZE: Final = 32
"""Bytes of the keys that are made for sessions."""
SYSTEM_PASSWORD_SIZE: Final = 16
"""Letters and digits of the system passwords that are made."""
MAX_ATTRIBUTE_VALUE: Final = 0xFFFFFFFF
MAX_PARTICIPANTS: Final = 256
"""Places of a gathering that has a maximum at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchmakingLimits:
    """What one game's matchmaking lets its players use."""

    max_gatherings: int = 65_536
    """Sessions and other gatherings that are open at a time."""
    max_owned: int = 16
    """Of those, how many one player may own."""
    max_joined: int = 16
    """Of those, how many one player may be in."""
    max_owned_communities: int = 4
    """Communities that one player may own."""
    max_joined_communities: int = 16
    """Communities that one player may be a member of."""
    max_members: int = 2000
    """Members of a community, whatever maximum it has itself."""
    max_players_per_console: int = 16
    """Places that one console may ask for."""
    max_extra_participants: int = 4
    """Places that a console may ask for besides those of its players."""
    max_additional_participants: int = 64
    """Players whom a console may bring with it."""
    max_criteria: int = 2
    """Criteria of one search."""
    max_browse: int = 100
    """Sessions that one call to browse returns."""
    max_results: int = 1000
    """Gatherings that any other call to find returns."""
    max_offset: int = 10_000
    """How far into a list of results a range may begin; there is nothing beyond."""
    max_pids: int = 300
    """Principal ids, or gids, in one list of a request."""
    max_blocked: int = 100
    """Players whom one player may block."""
    max_invitations: int = 100
    """Invitations that one gathering may have out."""
    max_abandoned: int = 1024
    """Gatherings that outlive their players and have none connected; the oldest is dropped."""
    friends_seconds: float = 10.0
    """How long a list of friends is believed."""
    friends_timeout: float = 5.0
    """How long it is waited for; a player whose friends cannot be found has none."""
    max_friends: int = 300
    """Friends of a player that count."""
    remembered_players: int = 4096
    """Players whose friends, block list and last search are remembered."""
    max_candidates: int = 8
    """Sessions that a search for one to join looks at before it searches again."""
    max_tries: int = 64
    """Sessions that turn a player away before one is made for it, whatever else there is."""

    def __post_init__(self) -> None:
        for each in fields(self):
            if getattr(self, each.name) <= 0:
                raise ValueError(f"{each.name} of matchmaking is more than 0")
