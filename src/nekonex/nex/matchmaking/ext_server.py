"""The server of what was added to match making."""

from __future__ import annotations

from nekonex.domain.matchmaking.rules.validation import check_length
from nekonex.domain.matchmaking.service import Matchmaking
from nekonex.nex.matchmaking.common import MatchmakingServant, ParticipantNames
from nekonex.nex.matchmaking.definition import MatchMakingExt
from nekonex.nex.secure import SecureConnectionServer
from nekonex.nex.structures import GatheringURLs, ParticipantDetails
from nekonex.rmc import Session
from nekonex.settings import Settings, SettingsSource
from nekonex.wire import PID, String, UInt32

__all__ = ["MatchMakingExtServer"]


class MatchMakingExtServer(MatchmakingServant, MatchMakingExt):
    """Serves how gatherings are left; see `nekonex.nex.matchmaking.MatchMakingServer`."""

    def __init__(
        self,
        settings: SettingsSource,
        *,
        matchmaking: Matchmaking,
        secure: SecureConnectionServer | None = None,
        names: ParticipantNames | None = None,
    ) -> None:
        Settings.from_mapping(settings).transport()
        super().__init__(matchmaking, secure)
        self._names = names

    async def end_participation(self, client: Session, gid: UInt32, message: String) -> bool:
        """Leave a gathering."""
        player = self.player_of(client)
        await self.matchmaking.gatherings.leave(player.pid, gid, message=message)
        return True

    async def get_participants(self, client: Session, gid: UInt32, only_active: bool) -> list[PID]:
        """Return who takes part, or who of them is connected."""
        gathering = await self.joined(client, gid)
        active = self.matchmaking.gatherings.online
        return [pid for pid in gathering.pids if not only_active or active(pid)]

    async def get_detailed_participants(
        self, client: Session, gid: UInt32, only_active: bool
    ) -> list[ParticipantDetails]:
        """Return the same, with names, messages and places."""
        gathering = await self.joined(client, gid)
        active = self.matchmaking.gatherings.online
        wanted = [each for each in gathering.participants if not only_active or active(each.pid)]
        return await self.participant_details(wanted, self._names)

    async def get_participants_urls(
        self, client: Session, gids: list[UInt32]
    ) -> list[GatheringURLs]:
        """Return how participants are reached, of those gatherings that the caller is in.

        Others are left out without a word: one may have ended a moment ago. All have no more
        than ``max_results`` URLs together.
        """
        player = self.player_of(client)
        found = await self.matchmaking.gatherings.get_many(self.check_list(gids))
        reached, left = [], self.matchmaking.limits.max_results
        for gathering in found:
            if gathering.participant(player.pid):
                urls = self.participants_urls(gathering)[:left]
                left -= len(urls)
                reached.append(GatheringURLs(gathering.gid, urls))
        return reached

    async def get_gathering_relations(
        self, client: Session, gid: UInt32, description: String
    ) -> String:
        """Return that a gathering is not related to others."""
        self.player_of(client)
        check_length("description", description)
        await self.matchmaking.gatherings.get(gid)
        return ""

    async def delete_from_deletions(
        self, client: Session, deletions: list[UInt32], pid: PID
    ) -> None:
        """Do nothing: there are no deletions to forget."""
        self.player_of(client)
