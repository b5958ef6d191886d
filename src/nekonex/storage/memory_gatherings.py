"""Gatherings in memory: where sessions live, and communities in tests and trials.

No method awaits anything, so each is atomic on its event loop, and so are several that a caller
awaits one after the other with nothing else in between.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_left, bisect_right, insort
from collections.abc import Collection, Hashable, Iterable, Sequence
from dataclasses import replace
from random import Random
from typing import Final, Generic, TypeVar

from nekonex.domain.matchmaking.model import (
    LAST_COMMUNITY_GID,
    Community,
    CommunityType,
    Gathering,
    MatchmakeSession,
    ParticipationPolicy,
)
from nekonex.domain.matchmaking.ports import Accept, Change, Transition
from nekonex.domain.matchmaking.refusals import MatchmakingError, Refusal
from nekonex.domain.matchmaking.search.index import SessionIndex
from nekonex.domain.matchmaking.search.query import SessionQuery
from nekonex.values import DateTime

__all__ = ["MemoryCommunityStore", "MemoryLiveStore"]

_FIRST_LIVE_GID: Final = LAST_COMMUNITY_GID + 1
_LIVE_GIDS: Final = 0x4000_0000

G = TypeVar("G", bound=Gathering)
K = TypeVar("K", bound=Hashable)


class _MemoryGatherings(ABC, Generic[G]):
    """`nekonex.domain.matchmaking.ports.GatheringStore` in dictionaries.

    Besides its gid each gathering has a serial number, by which older ones come first.
    """

    def __init__(self) -> None:
        self._serials: dict[int, int] = {}
        self._gatherings: dict[int, G] = {}
        """By serial number."""
        self._gids: list[int] = []
        """In their order."""
        self._of_owner: _SerialLists[int] = _SerialLists()
        self._of_participant: _SerialLists[int] = _SerialLists()

    async def create(
        self, gathering: G, *, max_owned: int | None = None, max_joined: int | None = None
    ) -> G:
        """Store a gathering under a new gid and return it with that."""
        owned = len(self._of_owner.of(gathering.owner))
        if max_owned is not None and owned >= max_owned:
            raise MatchmakingError(Refusal.TOO_MANY_OWNED, f"{owned}, at most {max_owned} may be")
        if max_joined is not None:
            self._check_joined(gathering.pids, max_joined)
        serial, gid = self._new_number()
        stored = replace(gathering, gid=gid)
        self._serials[gid] = serial
        self._replace(serial, None, stored)
        return stored

    async def get(self, gid: int) -> G | None:
        """Return a gathering."""
        serial = self._serials.get(gid)
        return None if serial is None else self._gatherings[serial]

    async def change(
        self, gid: int, transition: Transition[G], *, max_joined: int | None = None
    ) -> Change[G]:
        """Apply a transition to a gathering and return what became of it.

        Raises ValueError if the transition changes the gid.
        """
        serial = self._serials.get(gid)
        if serial is None:
            raise MatchmakingError(Refusal.UNKNOWN_GATHERING, f"gid {gid}")
        before = self._gatherings[serial]
        outcome = transition(before)
        after = outcome.after
        if after is None:
            del self._serials[gid]
        elif after.gid != gid:
            raise ValueError(f"a transition made gathering {after.gid} out of gathering {gid}")
        elif max_joined is not None:
            self._check_joined(set(after.pids).difference(before.pids), max_joined)
        self._replace(serial, before, after)
        return Change(before, outcome)

    async def of_owner(self, pid: int, offset: int, limit: int) -> Sequence[G]:
        """Return what a player owns, the oldest first."""
        return self._with(self._of_owner.of(pid)[offset : offset + limit])

    async def of_participant(self, pid: int) -> Sequence[G]:
        """Return what a player takes part in, the oldest gathering first."""
        return self._with(self._of_participant.of(pid))

    async def page(self, after: int, limit: int) -> Sequence[G]:
        """Return up to ``limit`` gatherings with larger gids, in their order."""
        start = bisect_right(self._gids, after)
        return self._with(self._serials[gid] for gid in self._gids[start : start + limit])

    async def count(self) -> int:
        """Return how many gatherings there are."""
        return len(self._gatherings)

    @abstractmethod
    def _new_number(self) -> tuple[int, int]:
        """Return the serial number and the gid of a new gathering, or raise TOO_MANY."""

    def _with(self, serials: Iterable[int]) -> list[G]:
        return [self._gatherings[serial] for serial in serials]

    def _check_joined(self, pids: Iterable[int], limit: int) -> None:
        for pid in pids:
            joined = len(self._of_participant.of(pid))
            if joined >= limit:
                raise MatchmakingError(
                    Refusal.TOO_MANY_JOINED, f"PID {pid} is in {joined}, at most {limit} may be"
                )

    def _replace(self, serial: int, before: G | None, after: G | None) -> None:
        """Put a gathering in place of another wherever it is kept; None stands for none."""
        if after is None:
            del self._gatherings[serial]
        else:
            self._gatherings[serial] = after
        if before is None and after is not None:
            insort(self._gids, after.gid)
        if before is not None and after is None:
            del self._gids[bisect_left(self._gids, before.gid)]
        self._of_owner.move(
            serial, (before.owner,) if before else (), (after.owner,) if after else ()
        )
        self._of_participant.move(
            serial, before.pids if before else (), after.pids if after else ()
        )


class MemoryLiveStore(_MemoryGatherings[Gathering]):
    """`nekonex.domain.matchmaking.ports.LiveStore` in dictionaries and an index of sessions.

    ``random`` chooses among sessions, and the first gid, so that a server that was restarted does
    not give those that consoles remember. Creating more than ``max_gatherings`` is refused.
    """

    def __init__(self, random: Random, *, max_gatherings: int = 65_536) -> None:
        super().__init__()
        self._random = random
        self._max_gatherings = max_gatherings
        self._next_serial = random.randrange(_LIVE_GIDS)
        self._described: _SerialLists[str] = _SerialLists()
        self._index = SessionIndex()
        self._friends_only = 0

    async def search(
        self, query: SessionQuery, accept: Accept, *, offset: int, limit: int
    ) -> Sequence[MatchmakeSession]:
        """Return up to ``limit`` sessions that match and are accepted, in the query's order."""
        return self._index.find(query, accept, offset=offset, limit=limit, random=self._random)

    async def count_sessions(self, query: SessionQuery) -> int:
        """Return how many sessions match."""
        return self._index.count(query)

    async def described(self, description: str, offset: int, limit: int) -> Sequence[Gathering]:
        """Return gatherings with exactly this description, the oldest first."""
        return self._with(self._described.of(description)[offset : offset + limit])

    async def has_friends_only(self) -> bool:
        """Tell whether there are sessions for friends of their owner only."""
        return self._friends_only > 0

    def _new_number(self) -> tuple[int, int]:
        if len(self._gatherings) >= self._max_gatherings:
            raise MatchmakingError(Refusal.TOO_MANY, f"at most {self._max_gatherings} may be")
        while True:
            serial = self._next_serial
            self._next_serial += 1
            gid = _FIRST_LIVE_GID + serial % _LIVE_GIDS
            if gid not in self._serials:
                return serial, gid

    def _replace(self, serial: int, before: Gathering | None, after: Gathering | None) -> None:
        super()._replace(serial, before, after)
        self._described.move(
            serial,
            (before.description,) if before else (),
            (after.description,) if after else (),
        )
        if isinstance(after, MatchmakeSession):
            self._index.put(after)
        elif before is not None:
            self._index.discard(before.gid)
        self._friends_only += _is_friends_only(after) - _is_friends_only(before)


class MemoryCommunityStore(_MemoryGatherings[Community]):
    """`nekonex.domain.matchmaking.ports.CommunityStore` in dictionaries, of one game.

    Gids count up from 1 and are not used again.
    """

    def __init__(self) -> None:
        super().__init__()
        self._last_gid = 0
        self._official: _SerialLists[bool] = _SerialLists()

    async def official(
        self, offset: int, limit: int, *, at: DateTime | None = None
    ) -> Sequence[Community]:
        """Return official communities, the oldest first; with ``at`` those open at that time."""
        found = self._with(self._official.of(True))
        if at is not None:
            found = [community for community in found if community.is_open_at(at)]
        return found[offset : offset + limit]

    async def count_visits(self, gid: int, pids: Collection[int]) -> None:
        """Add 1 to the visits of those of these players who are members of a community."""
        serial = self._serials.get(gid)
        if serial is not None:
            community = self._gatherings[serial]
            members = [
                replace(member, visits=member.visits + 1) if member.pid in pids else member
                for member in community.participants
            ]
            self._gatherings[serial] = replace(community, participants=tuple(members))

    def _new_number(self) -> tuple[int, int]:
        if self._last_gid >= LAST_COMMUNITY_GID:
            raise MatchmakingError(Refusal.TOO_MANY, "no number is left for a community")
        self._last_gid += 1
        return self._last_gid, self._last_gid

    def _replace(self, serial: int, before: Community | None, after: Community | None) -> None:
        super()._replace(serial, before, after)
        self._official.move(
            serial,
            (before.type == CommunityType.OFFICIAL,) if before else (),
            (after.type == CommunityType.OFFICIAL,) if after else (),
        )


def _is_friends_only(gathering: Gathering | None) -> bool:
    return (
        isinstance(gathering, MatchmakeSession) and gathering.policy == ParticipationPolicy.FRIENDS
    )


class _SerialLists(Generic[K]):
    """Lists of serial numbers, each ascending, by what gatherings have in common."""

    def __init__(self) -> None:
        self._lists: dict[K, list[int]] = {}

    def of(self, key: K) -> Sequence[int]:
        """Return the serial numbers under a key."""
        return self._lists.get(key, ())

    def move(self, serial: int, before: tuple[K, ...], after: tuple[K, ...]) -> None:
        """List a serial number under the keys ``after`` instead of ``before``."""
        if before == after:
            return
        for key in set(before).difference(after):
            serials = self._lists[key]
            del serials[bisect_left(serials, serial)]
            if not serials:
                del self._lists[key]
        for key in set(after).difference(before):
            insort(self._lists.setdefault(key, []), serial)
