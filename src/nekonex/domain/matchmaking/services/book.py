"""One game's gatherings: where each is kept, and how a change of one is stored and told."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable
from typing import Any, Final, TypeVar

from nekonex.domain.matchmaking.limits import MatchmakingLimits
from nekonex.domain.matchmaking.model import LAST_COMMUNITY_GID, Gathering, MatchmakeSession
from nekonex.domain.matchmaking.ports import (
    Change,
    CommunityStore,
    GatheringStore,
    LiveStore,
    Outcome,
    Transition,
)
from nekonex.domain.matchmaking.refusals import MatchmakingError, Refusal
from nekonex.domain.matchmaking.rules.participation import stays_when_empty
from nekonex.domain.matchmaking.services.messenger import Messenger
from nekonex.domain.players import PlayerRegistry
from nekonex.domain.ports import Clock
from nekonex.values import DateTime

__all__ = ["TOO_MANY", "GatheringBook", "expect"]

G = TypeVar("G", bound=Gathering)

TOO_MANY: Final = frozenset({Refusal.TOO_MANY_OWNED, Refusal.TOO_MANY_JOINED})
"""Refusals of stores that have codes of their own only where communities are meant."""


class GatheringBook:
    """Finds gatherings in the store that has them, applies transitions, and tells of them.

    Methods raise MatchmakingError, and then nothing has changed, and ServiceUnavailable.
    """

    def __init__(
        self,
        *,
        live: LiveStore,
        communities: CommunityStore,
        players: PlayerRegistry,
        messenger: Messenger,
        limits: MatchmakingLimits,
        clock: Clock,
    ) -> None:
        self.live = live
        self.communities = communities
        self.players = players
        self.messenger = messenger
        self.limits = limits
        self.clock = clock
        self._abandoned: OrderedDict[int, None] = OrderedDict()

    def online(self, pid: int) -> bool:
        """Tell whether a player is connected."""
        return self.players.newest(pid) is not None

    def now(self) -> DateTime:
        """Return the present time."""
        return DateTime.from_timestamp(self.clock())

    async def find(self, gid: int) -> Gathering | None:
        """Return a gathering of any kind."""
        return await self._store(gid).get(gid)

    async def get(self, gid: int) -> Gathering:
        """Return a gathering of any kind. Raises MatchmakingError: UNKNOWN_GATHERING."""
        found = await self.find(gid)
        if found is None:
            raise MatchmakingError(Refusal.UNKNOWN_GATHERING, f"gid {gid}")
        return found

    async def get_session(self, gid: int) -> MatchmakeSession:
        """Return a session. Raises MatchmakingError: UNKNOWN_GATHERING."""
        return expect(MatchmakeSession, await self.get(gid))

    async def get_many(self, gids: Iterable[int]) -> list[Gathering]:
        """Return those of these gatherings that exist, in this order."""
        found = [await self.find(gid) for gid in dict.fromkeys(gids)]
        return [gathering for gathering in found if gathering is not None]

    async def of_owner(self, pid: int, offset: int, limit: int) -> list[Gathering]:
        """Return what a player owns: gatherings that live in memory, then communities."""
        reach = offset + limit
        owned: list[Gathering] = [*await self.live.of_owner(pid, 0, reach)]
        owned += await self.communities.of_owner(pid, 0, reach)
        return owned[offset:reach]

    async def participating(self, gid: int, pid: int) -> Gathering:
        """Return a gathering to one of its participants.

        Raises MatchmakingError: UNKNOWN_GATHERING, NOT_ALLOWED for others.
        """
        found = await self.get(gid)
        if found.participant(pid) is None:
            raise MatchmakingError(Refusal.NOT_ALLOWED, "only participants may ask that")
        return found

    async def share_gathering(self, pid: int, other: int) -> bool:
        """Tell whether two players take part in the same gathering, communities apart."""
        return any(
            gathering.participant(other) for gathering in await self.live.of_participant(pid)
        )

    async def change(
        self, gid: int, transition: Transition[Any], *, joining: bool = False
    ) -> Gathering | None:
        """Apply a transition, tell of it, and return what became of the gathering.

        Raises MatchmakingError: UNKNOWN_GATHERING, what the transition raises, and, if by it
        players join, TOO_MANY_JOINED.
        """
        store, limits = self._store(gid), self.limits
        max_joined = None
        if joining:
            is_live = store is self.live
            max_joined = limits.max_joined if is_live else limits.max_joined_communities
        try:
            change: Change[Gathering] = await store.change(gid, transition, max_joined=max_joined)
        except MatchmakingError as error:
            if error.refusal in TOO_MANY and store is self.live:
                raise MatchmakingError(Refusal.TOO_MANY, str(error)) from None
            raise
        self.messenger.changed(change)
        after = change.outcome.after
        if after is None:
            self._abandoned.pop(gid, None)
        elif store is self.live and not self._in_use(after):
            self._abandoned.setdefault(gid)
        return after

    async def try_change(self, gid: int, transition: Transition[Any]) -> None:
        """Apply a transition, if the gathering is still there and permits it."""
        try:
            await self.change(gid, transition)
        except MatchmakingError:
            return

    def _in_use(self, gathering: Gathering) -> bool:
        return any(map(self.online, (gathering.owner, *gathering.pids)))

    async def drop_abandoned(self) -> None:
        """End the oldest of the gatherings that outlived their players, if those are too many."""
        while len(self._abandoned) > self.limits.max_abandoned:
            gid, _ = self._abandoned.popitem(last=False)
            await self.try_change(gid, lambda old: Outcome(old if self._in_use(old) else None))

    async def make_room_for(self, owner: int) -> None:
        """End the oldest gathering of a player in which nobody plays, if it owns all it may.

        Its flags keep it, but not at the price that its owner can make no other one.
        """
        owned = await self.live.of_owner(owner, 0, self.limits.max_owned)
        if len(owned) < self.limits.max_owned:
            return
        deserted = next(filter(self._is_deserted, owned), None)
        if deserted is not None:
            await self.try_change(
                deserted.gid, lambda old: Outcome(None if self._is_deserted(old) else old)
            )

    def _is_deserted(self, gathering: Gathering) -> bool:
        return stays_when_empty(gathering) and not any(map(self.online, gathering.pids))

    def _store(self, gid: int) -> GatheringStore[Any]:
        return self.communities if gid <= LAST_COMMUNITY_GID else self.live


def expect(kind: type[G], gathering: Gathering) -> G:
    """Return a gathering of this kind. Raises MatchmakingError: UNKNOWN_GATHERING for others."""
    if not isinstance(gathering, kind):
        raise MatchmakingError(Refusal.UNKNOWN_GATHERING, f"gid {gathering.gid} is another kind")
    return gathering
