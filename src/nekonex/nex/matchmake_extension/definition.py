"""Matchmake extension (protocol 109): sessions that are searched for, and communities.

Methods and fields as in NintendoClients' ``matchmaking.py``; what depends on the version as in
nex-protocols-go. "Postpone" in names means nothing to a server. Titles with methods of their own
(Mario Kart 8 has six from 36 on) subclass this.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

from nekonex.nex.matchmake_extension.social import SocialMethods
from nekonex.nex.structures import (
    LATE_MATCHMAKING,
    AutoMatchmakeParam,
    CreateMatchmakeSessionParam,
    FindMatchmakeSessionByParticipantParam,
    FindMatchmakeSessionByParticipantResult,
    GatheringURLs,
    JoinMatchmakeSessionParam,
    MatchmakeSession,
    MatchmakeSessionSearchCriteria,
    ResultRange,
    UpdateMatchmakeSessionParam,
)
from nekonex.rmc import Session, method
from nekonex.wire import (
    PID,
    AnyData,
    Buffer,
    String,
    UInt8,
    UInt16,
    UInt32,
    UInt64,
    V,
)

__all__ = [
    "CreateSessionReply",
    "GatheringsWithHostsReply",
    "MatchmakeExtension",
    "SessionsWithHostsReply",
]

SessionKey = Annotated[Buffer, V("3.0")]
"""What participants sign their traffic with; earlier versions have none."""


class CreateSessionReply(NamedTuple):
    """A new session."""

    gid: UInt32
    session_key: SessionKey = b""


class GatheringsWithHostsReply(NamedTuple):
    """Sessions in data holders, and how their hosts can be reached."""

    gatherings: list[AnyData]
    urls: list[GatheringURLs]


class SessionsWithHostsReply(NamedTuple):
    """Sessions, and how their hosts can be reached."""

    sessions: list[MatchmakeSession]
    urls: list[GatheringURLs]


class MatchmakeExtension(SocialMethods, id=109, key="matchmaking"):
    """The protocol; here are its methods about sessions."""

    @method(1)
    async def close_participation(self, client: Session, gid: UInt32) -> None:
        """Let nobody join any more."""
        raise NotImplementedError

    @method(2)
    async def open_participation(self, client: Session, gid: UInt32) -> None:
        """Let players join again."""
        raise NotImplementedError

    @method(3)
    async def auto_matchmake_postpone(
        self, client: Session, gathering: AnyData, message: String
    ) -> AnyData:
        """Join a session like the given one, or create it."""
        raise NotImplementedError

    @method(4)
    async def browse_matchmake_session(
        self,
        client: Session,
        search_criteria: MatchmakeSessionSearchCriteria,
        result_range: ResultRange,
    ) -> list[AnyData]:
        """Find sessions."""
        raise NotImplementedError

    @method(5)
    async def browse_matchmake_session_with_host_urls(
        self,
        client: Session,
        search_criteria: MatchmakeSessionSearchCriteria,
        result_range: ResultRange,
    ) -> GatheringsWithHostsReply:
        """Find sessions, and how their hosts can be reached."""
        raise NotImplementedError

    @method(6)
    async def create_matchmake_session(
        self,
        client: Session,
        gathering: AnyData,
        message: String,
        num_participants: Annotated[UInt16, LATE_MATCHMAKING] = 1,
    ) -> CreateSessionReply:
        """Create a session and join it.

        The message is that of joining (NintendoClients calls it description), and the number
        how many places the caller takes.
        """
        raise NotImplementedError

    @method(7)
    async def join_matchmake_session(
        self, client: Session, gid: UInt32, message: String
    ) -> SessionKey:
        """Join a session."""
        raise NotImplementedError

    @method(8)
    async def modify_current_game_attribute(
        self, client: Session, gid: UInt32, attrib: UInt32, value: UInt32
    ) -> None:
        """Set one attribute of a session, by its index."""
        raise NotImplementedError

    @method(11)
    async def update_application_buffer(self, client: Session, gid: UInt32, buffer: Buffer) -> None:
        """Replace the game's own data of a session."""
        raise NotImplementedError

    @method(12)
    async def update_matchmake_session_attribute(
        self, client: Session, gid: UInt32, attribs: list[UInt32]
    ) -> None:
        """Replace all attributes of a session."""
        raise NotImplementedError

    @method(14)
    async def update_matchmake_session(self, client: Session, gathering: AnyData) -> None:
        """Replace what may change of the session with the same id."""
        raise NotImplementedError

    @method(15)
    async def auto_matchmake_with_search_criteria_postpone(
        self,
        client: Session,
        search_criteria: list[MatchmakeSessionSearchCriteria],
        gathering: AnyData,
        message: String,
    ) -> AnyData:
        """Join a session that one of the criteria finds, or create the given one."""
        raise NotImplementedError

    @method(30)
    async def join_matchmake_session_ex(
        self,
        client: Session,
        gid: UInt32,
        message: String,
        ignore_block_list: bool,
        num_participants: Annotated[UInt16, LATE_MATCHMAKING] = 1,
    ) -> SessionKey:
        """Join a session; the number is how many places the caller takes."""
        raise NotImplementedError

    @method(33)
    async def auto_matchmake_with_gathering_id_postpone(
        self, client: Session, gids: list[UInt32], gathering: AnyData, message: String
    ) -> AnyData:
        """Join one of these sessions, or create the given one."""
        raise NotImplementedError

    @method(34)
    async def update_progress_score(self, client: Session, gid: UInt32, score: UInt8) -> None:
        """Say how far the game is, in percent."""
        raise NotImplementedError

    @method(36)
    async def generate_matchmake_session_system_password(
        self, client: Session, gid: UInt32
    ) -> String:
        """Let the server make a password for a session."""
        raise NotImplementedError

    @method(37)
    async def clear_matchmake_session_system_password(self, client: Session, gid: UInt32) -> None:
        """Drop the password that the server made."""
        raise NotImplementedError

    @method(38)
    async def create_matchmake_session_with_param(
        self, client: Session, param: CreateMatchmakeSessionParam
    ) -> MatchmakeSession:
        """Create a session and join it, alone or together with others."""
        raise NotImplementedError

    @method(39)
    async def join_matchmake_session_with_param(
        self, client: Session, param: JoinMatchmakeSessionParam
    ) -> MatchmakeSession:
        """Join a session, alone or together with others."""
        raise NotImplementedError

    @method(40)
    async def auto_matchmake_with_param_postpone(
        self, client: Session, param: AutoMatchmakeParam
    ) -> MatchmakeSession:
        """Join a session that one of the criteria finds, or create the given one."""
        raise NotImplementedError

    @method(41)
    async def find_matchmake_session_by_gathering_id_detail(
        self, client: Session, gid: UInt32
    ) -> MatchmakeSession:
        """Ask for a session with all there is to it."""
        raise NotImplementedError

    @method(42)
    async def browse_matchmake_session_no_holder(
        self,
        client: Session,
        search_criteria: MatchmakeSessionSearchCriteria,
        result_range: ResultRange,
    ) -> list[MatchmakeSession]:
        """Find sessions."""
        raise NotImplementedError

    @method(43)
    async def browse_matchmake_session_with_host_urls_no_holder(
        self,
        client: Session,
        search_criteria: MatchmakeSessionSearchCriteria,
        result_range: ResultRange,
    ) -> SessionsWithHostsReply:
        """Find sessions, and how their hosts can be reached."""
        raise NotImplementedError

    @method(44)
    async def update_matchmake_session_part(
        self, client: Session, param: UpdateMatchmakeSessionParam
    ) -> None:
        """Replace parts of a session."""
        raise NotImplementedError

    @method(45, when=V("4.0"))
    async def request_matchmaking(self, client: Session, param: AutoMatchmakeParam) -> UInt64:
        """Let the server look for a session; the reply is the number of the request."""
        raise NotImplementedError

    @method(46, when=V("4.0"))
    async def withdraw_matchmaking(self, client: Session, request_id: UInt64) -> None:
        """Let the server look no more."""
        raise NotImplementedError

    @method(47, when=V("4.0"))
    async def withdraw_matchmaking_all(self, client: Session) -> None:
        """Withdraw all requests of the caller."""
        raise NotImplementedError

    @method(48)
    async def find_matchmake_session_by_gathering_id(
        self, client: Session, gids: list[UInt32]
    ) -> list[MatchmakeSession]:
        """Ask for sessions; the reply lacks those that do not exist."""
        raise NotImplementedError

    @method(49)
    async def find_matchmake_session_by_single_gathering_id(
        self, client: Session, gid: UInt32
    ) -> MatchmakeSession:
        """Ask for a session."""
        raise NotImplementedError

    @method(50)
    async def find_matchmake_session_by_owner(
        self, client: Session, pid: PID, result_range: ResultRange
    ) -> list[MatchmakeSession]:
        """Find the sessions that a player owns."""
        raise NotImplementedError

    @method(51)
    async def find_matchmake_session_by_participant(
        self, client: Session, param: FindMatchmakeSessionByParticipantParam
    ) -> list[FindMatchmakeSessionByParticipantResult]:
        """Find the sessions that players are in."""
        raise NotImplementedError

    @method(52)
    async def browse_matchmake_session_no_holder_no_result_range(
        self, client: Session, search_criteria: MatchmakeSessionSearchCriteria
    ) -> list[MatchmakeSession]:
        """Find sessions; the range is in the criteria."""
        raise NotImplementedError

    @method(53)
    async def browse_matchmake_session_with_host_urls_no_holder_no_result_range(
        self, client: Session, search_criteria: MatchmakeSessionSearchCriteria
    ) -> SessionsWithHostsReply:
        """Find sessions, and how their hosts can be reached; the range is in the criteria."""
        raise NotImplementedError
