"""Letting players out of gatherings: those who leave, and those whose connection ended."""

from __future__ import annotations

from typing import Any, Final

from nekonex.domain.matchmaking.limits import MAX_TEXT
from nekonex.domain.matchmaking.model import Gathering, MatchmakeSession, Participant
from nekonex.domain.matchmaking.notices import Event
from nekonex.domain.matchmaking.ports import GatheringStore, Outcome
from nekonex.domain.matchmaking.rules import changes, participation
from nekonex.domain.matchmaking.rules.validation import check_length
from nekonex.domain.matchmaking.services.book import GatheringBook
from nekonex.domain.players import Player

__all__ = ["Departures"]

_EVERYTHING: Final = 1 << 31


class Departures(GatheringBook):
    """The part of `GatheringService` by which players go."""

    async def leave(
        self, pid: int, gid: int, *, message: str = "", event: Event = Event.ENDED
    ) -> None:
        """Let a participant go.

        Raises MatchmakingError: UNKNOWN_GATHERING, NOT_PARTICIPATING, INVALID.
        """
        check_length("message", message, MAX_TEXT)
        await self.change(
            gid,
            lambda gathering: participation.leave(
                gathering, pid, online=self.online, event=event, message=message
            ),
        )

    async def leave_sessions(self, player: Player) -> None:
        """Let a player go from every session it is in, as consoles vanish without a goodbye.

        Guests share a principal id: what another one of them is in, it stays in.
        """
        pid, connection = player.pid, player.connection_id
        for gathering in await self.live.of_participant(pid):
            known = gathering.participant(pid)
            if (
                isinstance(gathering, MatchmakeSession)
                and known is not None
                and (known.connection_id == connection or self.is_lost(known))
            ):
                await self.try_change(
                    gathering.gid, lambda old: participation.leave(old, pid, online=self.online)
                )

    async def let_go(self, pid: int) -> bool:
        """Let a player go from the oldest gathering that kept it when its connection ended.

        Only if it is in all that it may be in: what keeps the absent must not keep them out of
        everything else. Returns whether there was such a gathering.
        """
        joined = await self.live.of_participant(pid)
        if len(joined) < self.limits.max_joined:
            return False
        for gathering in joined:
            known = gathering.participant(pid)
            if known is not None and self.is_lost(known):
                await self.try_change(
                    gathering.gid, lambda old: participation.leave(old, pid, online=self.online)
                )
                return True
        return False

    async def vanish(self, pid: int, connection_id: int) -> None:
        """Let a player go from everything that it took part in with a connection that ended."""
        online = self.online

        def vanished(gathering: Gathering) -> Outcome[Gathering]:
            participant = gathering.participant(pid)
            if participant is None:
                return Outcome(gathering)
            if participant.connection_id != connection_id and online(pid):
                # It is back already, and takes part with the new connection.
                return Outcome(gathering)
            return participation.vanish(gathering, pid, online=online)

        for gathering in await self.live.of_participant(pid):
            await self.try_change(gathering.gid, vanished)
        if self.online(pid):
            return
        await self._lose_owner(pid)
        await self.drop_abandoned()
        for community in await self.communities.of_participant(pid):
            if not participation.keeps_absent(community):
                await self.try_change(
                    community.gid, lambda old: participation.vanish(old, pid, online=online)
                )

    async def forget(self, pid: int) -> int:
        """End what a player owns and let it go from the rest; return how many communities."""
        await self._forget_in(self.live, pid)
        return await self._forget_in(self.communities, pid)

    async def _forget_in(self, store: GatheringStore[Any], pid: int) -> int:
        owned = await store.of_owner(pid, 0, _EVERYTHING)
        joined = [each for each in await store.of_participant(pid) if each.owner != pid]
        for gathering in owned:
            await self.try_change(gathering.gid, lambda old: changes.unregister(old, pid))
        for gathering in joined:
            await self.try_change(
                gathering.gid, lambda old: participation.leave(old, pid, online=self.online)
            )
        return len(owned) + len(joined)

    async def _lose_owner(self, pid: int) -> None:
        """Let a player go from what it owns without taking part."""

        def lost(gathering: Gathering) -> Outcome[Gathering]:
            if self.online(pid):
                return Outcome(gathering)
            return participation.lose_owner(gathering, pid, online=self.online)

        for gathering in await self.live.of_owner(pid, 0, self.limits.max_results):
            await self.try_change(gathering.gid, lost)

    def is_lost(self, participant: Participant) -> bool:
        """Tell whether a participant took part with a connection that has ended since."""
        connection = participant.connection_id
        return bool(connection) and self.players.get(connection) is None
