"""The half of the matchmake extension's server that is not about playing now."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence

from nekonex.domain.matchmaking import CommunityView, MatchmakeSession, Privacy
from nekonex.domain.players import Notification, Player
from nekonex.nex.matchmake_extension.social import SocialMethods, ViolationReply
from nekonex.nex.matchmaking.common import MatchmakingServant
from nekonex.nex.matchmaking.translate import community_of, community_to_wire, session_to_wire
from nekonex.nex.notification import event_of
from nekonex.nex.structures import (
    NotificationEvent,
    PersistentGathering,
    PlayingSession,
    ResultRange,
    SimpleCommunity,
    SimplePlayingSession,
)
from nekonex.rmc import Session
from nekonex.values import RMCError
from nekonex.wire import PID, SInt32, String, UInt32, UInt64

__all__ = ["SocialServer"]

_logger = logging.getLogger("nekonex.matchmaking")


class SocialServer(MatchmakingServant, SocialMethods):
    """Communities, block lists, what friends are doing."""

    # -- what friends are doing -----------------------------------------------------------

    async def update_notification_data(
        self,
        client: Session,
        notification_type: UInt32,
        param1: UInt32,
        param2: UInt32,
        param3: String,
    ) -> None:
        """Tell one's friends something, until one leaves or says something else."""
        await self.matchmaking.status.update(
            self.player_of(client), notification_type, param1, param2, param3
        )

    async def get_friend_notification_data(
        self, client: Session, notification_type: SInt32
    ) -> list[NotificationEvent]:
        """Return what friends told last, of one type."""
        return await self.get_friend_notification_data_list(client, [notification_type])

    async def get_friend_notification_data_list(
        self, client: Session, notification_types: list[UInt32]
    ) -> list[NotificationEvent]:
        """Return what friends told last, of several types."""
        told: list[Notification] = await self.matchmaking.status.of_friends(
            self.player_of(client), self.check_list(notification_types)
        )
        return [event_of(notification) for notification in told]

    # -- who plays what -------------------------------------------------------------------

    async def get_playing_session(self, client: Session, pids: list[PID]) -> list[PlayingSession]:
        """Return the sessions that players are in."""
        self.player_of(client)
        self.check_list(pids)
        return [
            PlayingSession(pid, session_to_wire(session, secrets=False))
            for pid, session in await self.playing(pids)
        ]

    async def get_simple_playing_session(
        self, client: Session, pids: list[PID], include_login_user: bool
    ) -> list[SimplePlayingSession]:
        """Return in short which session each player is in, the caller too if asked for."""
        self.check_list(pids)
        own = self.player_of(client).pid
        asked = [pid for pid in pids if pid != own]
        if include_login_user:
            asked.append(own)
        playing: dict[int, SimplePlayingSession] = {}
        for pid, session in await self.playing(asked):
            # Somebody in several sessions came into the last one last.
            playing[pid] = SimplePlayingSession(
                pid, session.gid, session.game_mode, session.attributes[0]
            )
        return list(playing.values())

    async def playing(self, pids: Iterable[int]) -> list[tuple[int, MatchmakeSession]]:
        """Return the sessions that these players are in, up to a limit in all."""
        found: list[tuple[int, MatchmakeSession]] = []
        for pid in dict.fromkeys(pids):
            gatherings = await self.matchmaking.gatherings.live.of_participant(pid)
            found += [(pid, each) for each in gatherings if isinstance(each, MatchmakeSession)]
        return found[: self.matchmaking.limits.max_results]

    # -- communities ----------------------------------------------------------------------

    async def create_community(
        self, client: Session, community: PersistentGathering, message: String
    ) -> UInt32:
        """Found a community, and become its first member."""
        made = await self.matchmaking.communities.create(
            self.player_of(client), community_of(community), message
        )
        return made.gid

    async def update_community(self, client: Session, community: PersistentGathering) -> None:
        """Replace what may change of the community with the same id."""
        await self.matchmaking.communities.update(self.player_of(client), community_of(community))

    async def join_community(
        self, client: Session, gid: UInt32, message: String, password: String
    ) -> None:
        """Become a member."""
        await self.matchmaking.communities.join(self.player_of(client), gid, message, password)

    async def find_community_by_gathering_id(
        self, client: Session, gids: list[UInt32]
    ) -> list[PersistentGathering]:
        """Return those of these communities that exist."""
        self.check_list(gids)
        player = self.player_of(client)
        return _views(await self.matchmaking.communities.find(player, gids), player)

    async def find_official_community(
        self, client: Session, available_only: bool, result_range: ResultRange
    ) -> list[PersistentGathering]:
        """Return the communities that the operator made, or those that can be joined now."""
        player = self.player_of(client)
        offset, limit = self.result_range(result_range)
        found = await self.matchmaking.communities.official(
            player, offset, limit, available_only=available_only
        )
        return _views(found, player)

    async def find_community_by_participant(
        self, client: Session, pid: PID, result_range: ResultRange
    ) -> list[PersistentGathering]:
        """Return the communities that a player is a member of, if others may know."""
        player = self.player_of(client)
        offset, limit = self.result_range(result_range)
        communities = self.matchmaking.communities
        return _views(await communities.of_participant(player, pid, offset, limit), player)

    async def find_community_by_owner(
        self, client: Session, pid: PID, result_range: ResultRange
    ) -> list[PersistentGathering]:
        """Return the communities that a player owns."""
        player = self.player_of(client)
        offset, limit = self.result_range(result_range)
        return _views(
            await self.matchmaking.communities.of_owner(player, pid, offset, limit), player
        )

    async def get_simple_community(
        self, client: Session, gids: list[UInt32]
    ) -> list[SimpleCommunity]:
        """Return how many sessions communities have."""
        if len(gids) > self.matchmaking.limits.max_browse:
            raise RMCError("Core::InvalidArgument")
        found = await self.matchmaking.communities.find(self.player_of(client), gids)
        return [SimpleCommunity(view.community.gid, view.sessions) for view in found]

    async def update_privacy_setting(
        self, client: Session, online_status: bool, community_participation: bool
    ) -> None:
        """Store what others may learn."""
        privacy = Privacy(online_status, community_participation)
        await self.matchmaking.preferences.set_privacy(self.player_of(client).pid, privacy)

    # -- whom one would rather not meet -----------------------------------------------------

    async def get_my_block_list(self, client: Session) -> list[PID]:
        """Return whom the caller blocks."""
        return list(await self.matchmaking.blocking.of(self.player_of(client).pid))

    async def add_to_block_list(self, client: Session, pids: list[PID]) -> None:
        """Block players."""
        self.check_list(pids)
        await self.matchmaking.blocking.add(self.player_of(client).pid, pids)

    async def remove_from_block_list(self, client: Session, pids: list[PID]) -> None:
        """Block players no more."""
        self.check_list(pids)
        await self.matchmaking.blocking.remove(self.player_of(client).pid, pids)

    async def clear_my_block_list(self, client: Session) -> None:
        """Block nobody."""
        await self.matchmaking.blocking.clear(self.player_of(client).pid)

    async def report_violation(
        self,
        client: Session,
        pid: PID,
        username: String,
        violation_code: UInt32,
    ) -> None:
        """Write down in the log that a player was reported."""
        reporter = self.player_of(client).pid
        reported = {"pid": pid, "reporter": reporter, "code": violation_code}
        _logger.info("player reported", extra={"game": self.matchmaking.players.game, **reported})

    async def is_violation_user(self, client: Session) -> ViolationReply:
        """Say that the caller was not reported: what reports mean is for people to decide."""
        self.player_of(client)
        return ViolationReply(flag=False, score=0)

    async def debug_notify_event(
        self,
        client: Session,
        pid: PID,
        main_type: UInt32,
        sub_type: UInt32,
        param1: UInt64,
        param2: UInt64,
        param3: String,
    ) -> None:
        """Refuse: a player could tell others anything in the server's name."""
        raise RMCError("Core::AccessDenied")


def _views(views: Sequence[CommunityView], player: Player) -> list[PersistentGathering]:
    return [
        community_to_wire(
            view.community,
            secrets=view.community.owner == player.pid,
            matchmake_session_count=view.sessions,
            num_participants=view.visits,
        )
        for view in views
    ]
