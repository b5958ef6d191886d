"""The half of the matchmake extension that is not about playing now: communities and friends.

Methods and fields as in NintendoClients' ``matchmaking.py``; what depends on the version, and
method 54, as in nex-protocols-go.
"""

from __future__ import annotations

from typing import NamedTuple

from nekonex.nex.structures import (
    NotificationEvent,
    PersistentGathering,
    PlayingSession,
    ResultRange,
    SimpleCommunity,
    SimplePlayingSession,
)
from nekonex.rmc import Protocol, Session, method
from nekonex.wire import PID, SInt32, String, UInt32, UInt64, V

__all__ = ["SocialMethods", "ViolationReply"]


class ViolationReply(NamedTuple):
    """Whether the caller was reported for misbehaving, and how badly."""

    flag: bool
    score: UInt32


class SocialMethods(Protocol):
    """Methods of `MatchmakeExtension`: communities, block lists, what friends are doing."""

    @method(9, until=V("4.0"))
    async def update_notification_data(
        self,
        client: Session,
        notification_type: UInt32,
        param1: UInt32,
        param2: UInt32,
        param3: String,
    ) -> None:
        """Tell one's friends something that is the game's own affair."""
        raise NotImplementedError

    @method(9, when=V("4.0"))
    async def update_notification_data_wide(
        self,
        client: Session,
        notification_type: UInt32,
        param1: UInt64,
        param2: UInt64,
        param3: String,
    ) -> None:
        """Do the same with the wider parameters of NEX 4.

        Calls `update_notification_data`, so that a server has one method for all versions.
        """
        await self.update_notification_data(client, notification_type, param1, param2, param3)

    @method(10)
    async def get_friend_notification_data(
        self, client: Session, notification_type: SInt32
    ) -> list[NotificationEvent]:
        """Ask what friends told last, of one type."""
        raise NotImplementedError

    @method(13)
    async def get_friend_notification_data_list(
        self, client: Session, notification_types: list[UInt32]
    ) -> list[NotificationEvent]:
        """Ask what friends told last, of several types."""
        raise NotImplementedError

    @method(16)
    async def get_playing_session(self, client: Session, pids: list[PID]) -> list[PlayingSession]:
        """Ask which sessions players are in."""
        raise NotImplementedError

    @method(17)
    async def create_community(
        self, client: Session, community: PersistentGathering, message: String
    ) -> UInt32:
        """Found a community; the reply is its gid."""
        raise NotImplementedError

    @method(18)
    async def update_community(self, client: Session, community: PersistentGathering) -> None:
        """Replace what may change of the community with the same id."""
        raise NotImplementedError

    @method(19)
    async def join_community(
        self, client: Session, gid: UInt32, message: String, password: String
    ) -> None:
        """Become a member."""
        raise NotImplementedError

    @method(20)
    async def find_community_by_gathering_id(
        self, client: Session, gids: list[UInt32]
    ) -> list[PersistentGathering]:
        """Ask for communities; the reply lacks those that do not exist."""
        raise NotImplementedError

    @method(21)
    async def find_official_community(
        self, client: Session, available_only: bool, result_range: ResultRange
    ) -> list[PersistentGathering]:
        """Find the communities that the operator made, or those that can be joined now."""
        raise NotImplementedError

    @method(22)
    async def find_community_by_participant(
        self, client: Session, pid: PID, result_range: ResultRange
    ) -> list[PersistentGathering]:
        """Find the communities that a player is a member of."""
        raise NotImplementedError

    @method(23)
    async def update_privacy_setting(
        self, client: Session, online_status: bool, community_participation: bool
    ) -> None:
        """Say what others may learn: whether one is online, and one's communities."""
        raise NotImplementedError

    @method(24)
    async def get_my_block_list(self, client: Session) -> list[PID]:
        """Ask whom the caller blocks."""
        raise NotImplementedError

    @method(25)
    async def add_to_block_list(self, client: Session, pids: list[PID]) -> None:
        """Block players."""
        raise NotImplementedError

    @method(26)
    async def remove_from_block_list(self, client: Session, pids: list[PID]) -> None:
        """Block players no more."""
        raise NotImplementedError

    @method(27)
    async def clear_my_block_list(self, client: Session) -> None:
        """Block nobody."""
        raise NotImplementedError

    @method(28)
    async def report_violation(
        self, client: Session, pid: PID, username: String, violation_code: UInt32
    ) -> None:
        """Report a player who cheats or misbehaves."""
        raise NotImplementedError

    @method(29)
    async def is_violation_user(self, client: Session) -> ViolationReply:
        """Ask whether the caller was reported."""
        raise NotImplementedError

    @method(31)
    async def get_simple_playing_session(
        self, client: Session, pids: list[PID], include_login_user: bool
    ) -> list[SimplePlayingSession]:
        """Ask in short which sessions players are in, the caller too if asked for."""
        raise NotImplementedError

    @method(32)
    async def get_simple_community(
        self, client: Session, gids: list[UInt32]
    ) -> list[SimpleCommunity]:
        """Ask how many sessions communities have."""
        raise NotImplementedError

    @method(35)
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
        """Send somebody a notification of any type; a tool for the makers of games."""
        raise NotImplementedError

    @method(54, when=V("4.0"))
    async def find_community_by_owner(
        self, client: Session, pid: PID, result_range: ResultRange
    ) -> list[PersistentGathering]:
        """Find the communities that a player owns."""
        raise NotImplementedError
