"""Where gatherings are kept, as `typing.Protocol`s; `nekonex.storage` has the adapters.

Gatherings change by *transitions*: pure functions of the rules that take a gathering and return
an `Outcome`. A store applies them one at a time to each gathering, so nothing that a transition
checked (a free place, who is owner) can change before its outcome is stored, and no lock is
held for longer than that. An adapter for which that takes several attempts (compare and swap)
calls a transition several times; only the last outcome counts.

Two kinds of stores share the protocol: one for what lives as long as its players are connected,
one for communities, which must have committed when a method returns. An outage is
`nekonex.values.unavailable.ServiceUnavailable`, never an empty answer.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from nekonex.domain.matchmaking.model import Community, Gathering, MatchmakeSession
from nekonex.domain.matchmaking.notices import Notice
from nekonex.domain.matchmaking.search.query import SessionQuery
from nekonex.values import DateTime

__all__ = [
    "Accept",
    "Change",
    "CommunityStore",
    "GatheringStore",
    "LiveStore",
    "Outcome",
    "PreferenceStore",
    "Privacy",
    "Transition",
]

G = TypeVar("G", bound=Gathering)
G_co = TypeVar("G_co", bound=Gathering, covariant=True)


@dataclass(frozen=True, slots=True)
class Outcome(Generic[G_co]):
    """What a transition makes of a gathering."""

    after: G_co | None
    """The gathering from now on; None if it is gone."""
    notices: tuple[Notice, ...] = ()
    """What participants are to be told, once the outcome is stored."""


Transition = Callable[[G], Outcome[G]]
"""Makes an outcome of a gathering, or raises MatchmakingError.

It has no side effects and waits for nothing, and asks others no more than whether somebody is
connected: a store may call it in a thread of its own.
"""

Accept = Callable[[MatchmakeSession], bool]
"""What a search asks about each session that matches; False passes over it. Quick and plain."""


@dataclass(frozen=True, slots=True)
class Change(Generic[G_co]):
    """A gathering before and after a transition."""

    before: G_co
    outcome: Outcome[G_co]


class GatheringStore(Protocol[G]):
    """Gatherings by gid, owner and participant."""

    async def create(
        self, gathering: G, *, max_owned: int | None = None, max_joined: int | None = None
    ) -> G:
        """Store a gathering under a new gid and return it with that.

        Gids are not used again while consoles may remember them, and those of two stores differ.
        Raises MatchmakingError: TOO_MANY_OWNED if its owner owns ``max_owned`` gatherings of
        this store already, TOO_MANY_JOINED as `change` does, TOO_MANY if the store is full.
        """

    async def get(self, gid: int) -> G | None:
        """Return a gathering."""

    async def change(
        self, gid: int, transition: Transition[G], *, max_joined: int | None = None
    ) -> Change[G]:
        """Apply a transition to a gathering, atomically, and return what became of it.

        Raises MatchmakingError, and changes nothing: UNKNOWN_GATHERING, what the transition
        raises, and TOO_MANY_JOINED if by it somebody would take part in more than ``max_joined``
        gatherings of this store.
        """

    async def of_owner(self, pid: int, offset: int, limit: int) -> Sequence[G]:
        """Return what a player owns, the oldest first."""

    async def of_participant(self, pid: int) -> Sequence[G]:
        """Return what a player takes part in, the oldest gathering first."""

    async def page(self, after: int, limit: int) -> Sequence[G]:
        """Return up to ``limit`` gatherings with larger gids, in their order."""

    async def count(self) -> int:
        """Return how many gatherings there are."""


class LiveStore(GatheringStore[Gathering], Protocol):
    """Gatherings of players who are connected; sessions among them can be searched."""

    async def search(
        self, query: SessionQuery, accept: Accept, *, offset: int, limit: int
    ) -> Sequence[MatchmakeSession]:
        """Return up to ``limit`` sessions that match and are accepted, in the query's order.

        ``offset`` of them are passed over first; with `Selection.RANDOM` an offset asks for a
        further page of an order that stays the same, and none for a random choice.
        """

    async def count_sessions(self, query: SessionQuery) -> int:
        """Return how many sessions match."""

    async def described(self, description: str, offset: int, limit: int) -> Sequence[Gathering]:
        """Return gatherings with exactly this description, the oldest first."""

    async def has_friends_only(self) -> bool:
        """Tell whether there may be sessions for friends of their owner only."""


class CommunityStore(GatheringStore[Community], Protocol):
    """Communities of one game, and their members, who stay when they are offline."""

    async def official(
        self, offset: int, limit: int, *, at: DateTime | None = None
    ) -> Sequence[Community]:
        """Return official communities, the oldest first; with ``at`` those open at that time.

        A start or end of 0 is no bound.
        """

    async def count_visits(self, gid: int, pids: Collection[int]) -> None:
        """Add 1 to the visits of those of these players who are members of a community."""


@dataclass(frozen=True, slots=True)
class Privacy:
    """What a player shows to others."""

    online_status: bool = True
    community_participation: bool = True


class PreferenceStore(Protocol):
    """What players of one game decided about others: durable."""

    async def block_list(self, pid: int) -> Sequence[int]:
        """Return whom a player blocked, in the order of blocking."""

    async def change_block_list(
        self, pid: int, *, add: Collection[int] = (), remove: Collection[int] = (), limit: int
    ) -> Sequence[int]:
        """Block players and unblock others, and return the list as it is now.

        Raises MatchmakingError (INVALID), and changes nothing, if more than ``limit`` would be
        blocked.
        """

    async def clear_block_list(self, pid: int) -> None:
        """Unblock everybody."""

    async def privacy(self, pid: int) -> Privacy:
        """Return what a player shows; who never said so shows everything."""

    async def set_privacy(self, pid: int, privacy: Privacy) -> None:
        """Store what a player shows."""
