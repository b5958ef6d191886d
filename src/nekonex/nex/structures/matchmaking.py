"""Matchmake sessions, the criteria that find them, and the parameters of later methods.

From NEX 3.6 to 3.8 each minor version raised the structure revision; 4.0 went back to
revision 0 with everything in it.
"""

from __future__ import annotations

from typing import Final

from nekonex.nex.structures.common import LATE_MATCHMAKING, ResultRange
from nekonex.nex.structures.gathering import Gathering
from nekonex.values import DateTime
from nekonex.wire import (
    PID,
    Buffer,
    Condition,
    Rev,
    String,
    Structure,
    UInt8,
    UInt16,
    UInt32,
    V,
    Variant,
    field,
)

__all__ = [
    "AutoMatchmakeParam",
    "CreateMatchmakeSessionParam",
    "FindMatchmakeSessionByParticipantParam",
    "FindMatchmakeSessionByParticipantResult",
    "JoinMatchmakeSessionParam",
    "MatchmakeBlockListParam",
    "MatchmakeParam",
    "MatchmakeSession",
    "MatchmakeSessionSearchCriteria",
    "UpdateMatchmakeSessionParam",
]

_REVISION_1: Final[Condition] = (V("3.6") & Rev(1)) | V("4.0")
_REVISION_2: Final[Condition] = (V("3.7") & Rev(2)) | V("4.0")
_REVISION_3: Final[Condition] = (V("3.8") & Rev(3)) | V("4.0")


class MatchmakeParam(Structure, key="matchmaking"):
    """Free parameters of a session, by name."""

    param: dict[String, Variant] = field(default={})


class MatchmakeSession(Gathering):
    """A game that players can join."""

    game_mode: UInt32 = 0
    attribs: list[UInt32] = field(default=[0, 0, 0, 0, 0, 0])
    open_participation: bool = True
    matchmake_system: UInt32 = 0
    application_data: Buffer = b""
    num_participants: UInt32 = 0
    progress_score: UInt8 = field(default=100, when=LATE_MATCHMAKING)
    session_key: Buffer = field(default=b"", when=V("3.0"), secret=True)
    option: UInt32 = field(default=0, when=V("3.5"))
    param: MatchmakeParam = field(default=MatchmakeParam(), when=_REVISION_1)
    started_time: DateTime = field(default=DateTime(0), when=_REVISION_1)
    user_password: String = field(default="", when=_REVISION_2, secret=True)
    refer_gid: UInt32 = field(default=0, when=_REVISION_3)
    user_password_enabled: bool = field(default=False, when=_REVISION_3)
    system_password_enabled: bool = field(default=False, when=_REVISION_3)
    codeword: String = field(default="", when=V("4.0"))


class MatchmakeSessionSearchCriteria(Structure, key="matchmaking"):
    """Which sessions are wanted. Text fields hold numbers, ranges "a,b", or nothing for any."""

    attribs: list[String] = field(default=["", "", "", "", "", ""])
    game_mode: String = ""
    min_participants: String = field(default="", when=V("2.0"))
    max_participants: String = field(default="", when=V("2.0"))
    matchmake_system: String = ""
    vacant_only: bool = True
    exclude_locked: bool = True
    exclude_non_host_pid: bool = False
    selection_method: UInt32 = field(default=0, when=V("3.0"))
    vacant_participants: UInt16 = field(default=1, when=LATE_MATCHMAKING)
    param: MatchmakeParam = field(default=MatchmakeParam(), when=_REVISION_1)
    exclude_user_password: bool = field(default=False, when=_REVISION_2)
    exclude_system_password: bool = field(default=False, when=_REVISION_2)
    refer_gid: UInt32 = field(default=0, when=_REVISION_3)
    codeword: String = field(default="", when=V("4.0"))
    range: ResultRange = field(default=ResultRange(), when=V("4.0"))


class MatchmakeBlockListParam(Structure, key="matchmaking"):
    """Which block lists count."""

    options: UInt32 = 0


class CreateMatchmakeSessionParam(Structure, key="matchmaking"):
    """A session to create, and who joins it at once."""

    session: MatchmakeSession
    additional_participants: list[PID]
    gid_for_participation_check: UInt32
    options: UInt32
    join_message: String
    num_participants: UInt16


class JoinMatchmakeSessionParam(Structure, key="matchmaking"):
    """A session to join, and who joins it."""

    gid: UInt32
    participants: list[PID]
    gid_for_participation_check: UInt32
    options: UInt32
    behavior: UInt8
    user_password: String = field(default="", secret=True)
    system_password: String = field(default="", secret=True)
    join_message: String = ""
    num_participants: UInt16 = 1
    extra_participants: UInt16 = field(default=0, when=Rev(1) | V("4.0"))
    block_list: MatchmakeBlockListParam = field(default=MatchmakeBlockListParam(), when=V("4.0"))


class UpdateMatchmakeSessionParam(Structure, key="matchmaking"):
    """New values for a session; the flags say which of them count."""

    gid: UInt32
    modification_flags: UInt32
    attributes: list[UInt32] = field(default=[])
    open_participation: bool = True
    application_buffer: Buffer = b""
    progress_score: UInt8 = 0
    param: MatchmakeParam = field(default=MatchmakeParam())
    started_time: DateTime = field(default=DateTime(0))
    user_password: String = field(default="", secret=True)
    game_mode: UInt32 = 0
    description: String = ""
    min_participants: UInt16 = 0
    max_participants: UInt16 = 0
    matchmake_system: UInt32 = 0
    participation_policy: UInt32 = 0
    policy_argument: UInt32 = 0
    codeword: String = field(default="", when=V("4.0"))


class AutoMatchmakeParam(Structure, key="matchmaking"):
    """Find a session by criteria, or create this one."""

    session: MatchmakeSession
    participants: list[PID]
    gid_for_participation_check: UInt32
    options: UInt32
    join_message: String
    num_participants: UInt16
    search_criteria: list[MatchmakeSessionSearchCriteria]
    target_gids: list[UInt32]
    block_list: MatchmakeBlockListParam = field(default=MatchmakeBlockListParam(), when=V("4.0"))


class FindMatchmakeSessionByParticipantParam(Structure, key="matchmaking"):
    """Whose sessions are wanted."""

    pids: list[PID]
    options: UInt32
    block_list: MatchmakeBlockListParam = field(default=MatchmakeBlockListParam())


class FindMatchmakeSessionByParticipantResult(Structure, key="matchmaking"):
    """The session that somebody is in."""

    pid: PID
    session: MatchmakeSession
