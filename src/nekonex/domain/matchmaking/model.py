"""What gatherings are: immutable values that say who came together, and for what.

A gathering changes by being replaced (`nekonex.domain.matchmaking.rules`), so whoever holds one
holds a moment of it. Numbers and flags are those of the protocol, as nex-protocols-go and the
nintendo-wiki list them; what the domain does with them is told beside each.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import IntEnum, IntFlag
from typing import Final

from nekonex.values import DateTime

__all__ = [
    "ATTRIBUTE_COUNT",
    "LAST_COMMUNITY_GID",
    "MAX_GID",
    "NO_LIMIT",
    "RATING_ATTRIBUTE",
    "Community",
    "CommunityType",
    "Gathering",
    "GatheringFlag",
    "MatchmakeSession",
    "MatchmakeSystem",
    "Participant",
    "ParticipationPolicy",
]

ATTRIBUTE_COUNT: Final = 6
"""How many attributes a session and a community have."""
RATING_ATTRIBUTE: Final = 1
"""Which attribute is the players' rating, where a search orders by distance."""
MAX_GID: Final = 0xFFFFFFFF
LAST_COMMUNITY_GID: Final = 0x3FFFFFFF
"""Gids up to this are communities', those above are of gatherings that live in memory."""
NO_LIMIT: Final = 0xFFFF
"""Free places of a gathering without a maximum."""


class GatheringFlag(IntFlag):
    """What becomes of a gathering when people leave, and who is told."""

    PERSISTENT = 0x001
    """It survives the logout of its owner and participants."""
    MIGRATE_OWNER = 0x010
    """When the owner leaves, another participant becomes owner; without it the gathering ends."""
    NO_PERSISTENT_PARTICIPATION = 0x040
    """Members of a persistent gathering leave it when they disconnect."""
    MAY_BE_EMPTY = 0x080
    """It may have no participants."""
    CHANGE_OWNER_WITH_HOST = 0x200
    """Who becomes host may become owner as well."""
    NOTIFY_ALL = 0x400
    """Who comes and goes is told to all participants, not only to the owner."""
    NOTIFY_ALL_REPRODUCIBLY = 0x800
    """As `NOTIFY_ALL`; and who comes is told who is there already."""


_NO_TIME: Final = DateTime(0)


class ParticipationPolicy(IntEnum):
    """Who may join; numbers that are not listed mean everybody."""

    PASSWORD = 4
    OPEN = 8
    ANYBODY = 95
    INVITED = 96
    COMMUNITY = 97
    FRIENDS = 98
    """Friends of the owner."""


class MatchmakeSystem(IntEnum):
    """How the players of a session find each other, as its creator says."""

    ANYBODY = 1
    FRIENDS = 2
    FRIEND_INVITATION = 3
    INVITATION = 4
    COMMUNITY = 5
    """The session belongs to the community whose gid is its attribute 0."""


class CommunityType(IntEnum):
    """Kinds of communities; official ones are made by the operator only."""

    OPEN = 0
    PASSWORD = 1
    OFFICIAL = 2


@dataclass(frozen=True, slots=True)
class Participant:
    """A console in a gathering."""

    pid: int
    connection_id: int = 0
    """The connection that it takes part with; 0 for members who need none."""
    count: int = 1
    """How many places it takes: the players in front of it."""
    message: str = ""
    """What it said when it joined."""
    visits: int = 0
    """Of a community's member: how often it joined one of the community's sessions."""
    local_urls: tuple[str, ...] = ()
    """Where else, than its connection knows, the others in this gathering can reach it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gathering:
    """Players who came together, in general. Participants are in the order of their coming."""

    gid: int = 0
    """Its number; 0 until it is stored."""
    owner: int = 0
    host: int = 0
    """Whose station URLs joiners are given; 0 for nobody's."""
    min_participants: int = 0
    max_participants: int = 0
    """How many places there are; 0 for any number."""
    policy: int = 1
    """See `ParticipationPolicy`."""
    policy_argument: int = 0
    flags: int = 0
    """See `GatheringFlag`; a plain number, because consoles may set any bits."""
    state: int = 0
    description: str = ""
    participants: tuple[Participant, ...] = ()
    session_url: str = ""
    """Where a launched session is, if a participant said so."""
    registered: float = 0.0
    """When it was made, in POSIX seconds."""

    @property
    def places_taken(self) -> int:
        """How many places the participants take."""
        return sum([participant.count for participant in self.participants])

    @property
    def places_free(self) -> int:
        """How many places are left, never less than 0; `NO_LIMIT` without a maximum."""
        if not self.max_participants:
            return NO_LIMIT
        return max(self.max_participants - self.places_taken, 0)

    @property
    def pids(self) -> tuple[int, ...]:
        """The principal ids of the participants."""
        return tuple([participant.pid for participant in self.participants])

    def participant(self, pid: int) -> Participant | None:
        """Return the participant with this principal id."""
        for participant in self.participants:
            if participant.pid == pid:
                return participant
        return None

    def has(self, flags: GatheringFlag) -> bool:
        """Tell whether any of these flags is set."""
        return self.flags & flags.value != 0


@dataclass(frozen=True, slots=True, kw_only=True)
class MatchmakeSession(Gathering):
    """A game that players can join: what searches find."""

    game_mode: int = 0
    attributes: tuple[int, ...] = (0,) * ATTRIBUTE_COUNT
    """Six numbers that mean what the game wants, but see `RATING_ATTRIBUTE`."""
    open_participation: bool = True
    matchmake_system: int = MatchmakeSystem.ANYBODY
    application_data: bytes = b""
    progress_score: int = 0
    """How far the game is, in percent."""
    session_key: bytes = field(default=b"", repr=False)
    """What participants sign their traffic among each other with."""
    option: int = 0
    param: Mapping[str, object] = field(default_factory=dict)
    """Free parameters by name; their values are the wire's and nothing to the domain."""
    started_time: DateTime = _NO_TIME
    user_password: str = field(default="", repr=False)
    user_password_enabled: bool = False
    system_password: str = field(default="", repr=False)
    """Made by the server; "" while there is none."""
    refer_gid: int = 0
    codeword: str = ""

    @property
    def rating(self) -> int:
        """The attribute that searches may order by."""
        return self.attributes[RATING_ATTRIBUTE]

    @property
    def community_gid(self) -> int:
        """The community that the session belongs to; 0 for none."""
        return self.attributes[0] if self.matchmake_system == MatchmakeSystem.COMMUNITY else 0

    @property
    def for_friends_of(self) -> int:
        """Whose friends only may join; 0 for nobody's."""
        return self.owner if self.policy == ParticipationPolicy.FRIENDS else 0

    @property
    def has_password(self) -> bool:
        """Whether joining takes a password."""
        return self.user_password_enabled or bool(self.system_password)


@dataclass(frozen=True, slots=True, kw_only=True)
class Community(Gathering):
    """A persistent gathering: its members stay when they are offline."""

    type: int = CommunityType.OPEN
    password: str = field(default="", repr=False)
    attributes: tuple[int, ...] = (0,) * ATTRIBUTE_COUNT
    application_data: bytes = b""
    participation_start: DateTime = _NO_TIME
    """From when on it can be joined; 0 for always."""
    participation_end: DateTime = _NO_TIME
    """Until when it can be joined; 0 for always."""

    def is_open_at(self, moment: DateTime) -> bool:
        """Tell whether it can be joined at a time; its period includes both ends."""
        end = self.participation_end
        return self.participation_start <= moment and (not end.value or moment <= end)
