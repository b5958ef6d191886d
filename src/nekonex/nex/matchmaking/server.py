"""The match making server: gatherings of every kind, whoever made them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from nekonex.domain import Player
from nekonex.domain.matchmaking import Gathering
from nekonex.domain.matchmaking.notices import Event
from nekonex.domain.matchmaking.service import Matchmaking
from nekonex.nex.matchmaking.common import ParticipantNames
from nekonex.nex.matchmaking.definition import (
    PendingDeletionsReply,
    SessionURLReply,
    StateReply,
    StatsReply,
)
from nekonex.nex.matchmaking.finding import FindingMethods
from nekonex.nex.matchmaking.translate import gathering_of
from nekonex.nex.secure import SecureConnectionServer
from nekonex.nex.structures import GatheringStats, ParticipantDetails, ResultRange
from nekonex.rmc import Session
from nekonex.settings import Settings, SettingsSource
from nekonex.values import RMCError, StationURL
from nekonex.wire import PID, AnyData, String, UInt8, UInt32

__all__ = ["MatchMakingServer"]


class MatchMakingServer(FindingMethods):
    """Serves gatherings to consoles that registered at the secure connection server.

    It belongs behind that server in the list of servants. Who takes part, and how they are
    reached, is told to participants only; without ``secure`` nobody is reached. ``names`` says
    what players are called; without it, or where it knows none, by their principal ids.
    """

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

    # -- making and ending -----------------------------------------------------------

    async def register_gathering(self, client: Session, gathering: AnyData) -> UInt32:
        """Make a gathering that the caller owns and hosts, but is not in."""
        player = self.player_of(client)
        template = gathering_of(gathering, client.context)
        return (await self.general.register(player, template)).gid

    async def unregister_gathering(self, client: Session, gid: UInt32) -> bool:
        """End a gathering that the caller owns."""
        return await self.unregister_gatherings(client, [gid])

    async def unregister_gatherings(self, client: Session, gids: list[UInt32]) -> bool:
        """End gatherings that the caller owns: all of them or none."""
        player = self.player_of(client)
        await self.gatherings.unregister(player.pid, self.check_list(gids))
        return True

    async def delete_gathering(self, client: Session, gid: UInt32) -> bool:
        """End a gathering that the caller owns."""
        return await self.unregister_gatherings(client, [gid])

    async def update_gathering(self, client: Session, gathering: AnyData) -> bool:
        """Replace what all gatherings have and their owner may change."""
        player = self.player_of(client)
        await self.general.update(player, gathering_of(gathering, client.context))
        return True

    # -- coming and going --------------------------------------------------------------

    async def participate(self, client: Session, gid: UInt32, message: String) -> bool:
        """Take part in a gathering that needs no password."""
        player = self.player_of(client)
        await self.general.participate(player, gid, message)
        return True

    async def cancel_participation(self, client: Session, gid: UInt32, message: String) -> bool:
        """Leave a gathering; the others learn that the participation was cancelled."""
        player = self.player_of(client)
        await self.gatherings.leave(player.pid, gid, message=message, event=Event.CANCELLED)
        return True

    async def add_participants(
        self, client: Session, gid: UInt32, pids: list[PID], message: String
    ) -> bool:
        """Bring players into a gathering of the caller, who share another one with it."""
        player = self.player_of(client)
        await self.gatherings.bring(player, gid, self.check_list(pids), message)
        return True

    # -- those who are there -------------------------------------------------------------

    async def get_participants(self, client: Session, gid: UInt32) -> list[PID]:
        """Return who takes part."""
        return list((await self.joined(client, gid)).pids)

    async def get_detailed_participants(
        self, client: Session, gid: UInt32
    ) -> list[ParticipantDetails]:
        """Return who takes part, with names, messages and places."""
        gathering = await self.joined(client, gid)
        return await self.participant_details(gathering.participants, self._names)

    async def get_participants_urls(self, client: Session, gid: UInt32) -> list[StationURL]:
        """Return how those participants are reached who are connected."""
        return self.participants_urls(await self.joined(client, gid))

    # -- where they play -------------------------------------------------------------------

    async def launch_session(self, client: Session, gid: UInt32, url: String) -> bool:
        """Begin the session of a gathering that the caller owns."""
        player = self.player_of(client)
        await self.general.launch(player, gid, url)
        return True

    async def update_session_url(self, client: Session, gid: UInt32, url: String) -> bool:
        """Become host, with the session at another URL."""
        player = self.player_of(client)
        await self.general.move_session(player, gid, url)
        return True

    async def get_session_url(self, client: Session, gid: UInt32) -> SessionURLReply:
        """Return the URL that was said last, or else the host's public one; False for none."""
        gathering = await self.joined(client, gid)
        url = gathering.session_url
        if not url:
            public = self.public_host_url(gathering)
            url = "" if public is None else str(public)
        return SessionURLReply(result=bool(url), url=url)

    async def get_session_urls(self, client: Session, gid: UInt32) -> list[StationURL]:
        """Return how the host is reached; nothing if it is offline."""
        return self.host_urls(await self.joined(client, gid))

    async def register_local_url(self, client: Session, gid: UInt32, url: StationURL) -> None:
        """Remember where else the caller is reached in this gathering."""
        await self.register_local_urls(client, gid, [url])

    async def register_local_urls(
        self, client: Session, gid: UInt32, urls: list[StationURL]
    ) -> None:
        """Remember where else the caller is reached in this gathering; the last 8 of them."""
        player = self.player_of(client)
        await self.general.add_local_urls(player, gid, _stamped(player, urls))

    # -- who heads them ----------------------------------------------------------------------

    async def update_session_host_v1(self, client: Session, gid: UInt32) -> None:
        """Become host, and owner too if the flags permit it."""
        await self._become_host(client, gid, and_owner=None)

    async def update_session_host(
        self, client: Session, gid: UInt32, is_migrate_owner: bool
    ) -> None:
        """Become host, and owner too if asked for, which the flags must permit then."""
        await self._become_host(client, gid, and_owner=is_migrate_owner)

    async def update_gathering_ownership(
        self, client: Session, gid: UInt32, participants_only: bool
    ) -> bool:
        """Become owner, if the flags permit it; others than participants never may."""
        player = self.player_of(client)
        await self.general.take_ownership(player, gid)
        return True

    async def migrate_gathering_ownership(
        self, client: Session, gid: UInt32, potential_owners: list[PID], participants_only: bool
    ) -> None:
        """Make the first of these players owner who is connected, and takes part if asked for."""
        player = self.player_of(client)
        await self.general.migrate_ownership(
            player,
            gid,
            self.check_list(potential_owners),
            participants_only=participants_only,
        )

    async def migrate_gathering_ownership_v1(
        self, client: Session, gid: UInt32, potential_owners: list[PID]
    ) -> bool:
        """Make the first of these participants owner who is connected."""
        await self.migrate_gathering_ownership(
            client, gid, potential_owners, participants_only=True
        )
        return True

    # -- how far they are ------------------------------------------------------------------

    async def get_state(self, client: Session, gid: UInt32) -> StateReply:
        """Return the state, which anybody may know."""
        return StateReply(result=True, state=(await self._known(client, gid)).state)

    async def set_state(self, client: Session, gid: UInt32, state: UInt32) -> bool:
        """Set the state of a gathering that the caller owns."""
        player = self.player_of(client)
        await self.general.set_state(player, gid, state)
        return True

    async def report_stats(self, client: Session, gid: UInt32, stats: list[GatheringStats]) -> bool:
        """Take what a console reports, and keep none of it."""
        await self._known(client, gid)
        return True

    async def get_stats(
        self, client: Session, gid: UInt32, pids: list[PID], columns: list[UInt8]
    ) -> StatsReply:
        """Return nothing: no statistics are kept."""
        await self._known(client, gid)
        return StatsReply(result=True, stats=[])

    async def get_pending_deletions(
        self, client: Session, reason: UInt32, result_range: ResultRange
    ) -> PendingDeletionsReply:
        """Return nothing: who is removed from a gathering is told at once."""
        self.player_of(client)
        return PendingDeletionsReply(result=True, deletions=[])

    async def delete_from_deletions(self, client: Session, deletions: list[UInt32]) -> bool:
        """Do nothing: there are no deletions to forget."""
        self.player_of(client)
        return True

    async def _become_host(self, client: Session, gid: int, *, and_owner: bool | None) -> None:
        player = self.player_of(client)
        await self.general.become_host(player, gid, and_owner=and_owner)

    async def _known(self, client: Session, gid: int) -> Gathering:
        self.player_of(client)
        return await self.gatherings.get(gid)


def _stamped(player: Player, urls: Iterable[StationURL]) -> Sequence[str]:
    """Return URLs as those of a player, whatever they say about whose they are.

    Raises RMCError("Core::InvalidArgument") for one that gets too long.
    """
    stamped = []
    for url in urls:
        copy = url.copy()
        try:
            copy["PID"] = player.pid
            copy["RVCID"] = player.connection_id
        except ValueError:
            raise RMCError("Core::InvalidArgument") from None
        stamped.append(str(copy))
    return stamped
