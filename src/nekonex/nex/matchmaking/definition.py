"""Match making (protocols 21 and 50): gatherings in general, and who takes part in them.

Methods and fields as in NintendoClients' ``matchmaking.py``. Methods 36 and 40 are the older
forms of 44 and 42, which came with NEX 3.7; all four exist in every version here, because no
title is known whose library has another method under their numbers.
"""

from __future__ import annotations

from typing import NamedTuple

from nekonex.nex.structures import (
    DeletionEntry,
    GatheringStats,
    GatheringURLs,
    Invitation,
    ParticipantDetails,
    ResultRange,
)
from nekonex.rmc import Protocol, Session, method
from nekonex.values import StationURL
from nekonex.wire import PID, AnyData, String, UInt8, UInt32

__all__ = [
    "GatheringReply",
    "MatchMaking",
    "MatchMakingExt",
    "PendingDeletionsReply",
    "SessionURLReply",
    "StateReply",
    "StatsReply",
]


class GatheringReply(NamedTuple):
    """A gathering of whatever kind it is."""

    result: bool
    gathering: AnyData


class SessionURLReply(NamedTuple):
    """Where the session of a gathering is."""

    result: bool
    url: String


class StateReply(NamedTuple):
    """The state of a gathering: 0 until somebody sets another; games choose the meaning."""

    result: bool
    state: UInt32


class StatsReply(NamedTuple):
    """What participants reported about a gathering."""

    result: bool
    stats: list[GatheringStats]


class PendingDeletionsReply(NamedTuple):
    """From which gatherings players were removed that do not know it yet."""

    result: bool
    deletions: list[DeletionEntry]


class MatchMaking(Protocol, id=21, key="matchmaking"):
    """The protocol of gatherings of every kind."""

    @method(1)
    async def register_gathering(self, client: Session, gathering: AnyData) -> UInt32:
        """Make a gathering like the given one; the reply is its gid."""
        raise NotImplementedError

    @method(2)
    async def unregister_gathering(self, client: Session, gid: UInt32) -> bool:
        """End a gathering that the caller owns."""
        raise NotImplementedError

    @method(3)
    async def unregister_gatherings(self, client: Session, gids: list[UInt32]) -> bool:
        """End gatherings that the caller owns."""
        raise NotImplementedError

    @method(4)
    async def update_gathering(self, client: Session, gathering: AnyData) -> bool:
        """Replace what may change of the gathering with the same id."""
        raise NotImplementedError

    @method(5)
    async def invite(self, client: Session, gid: UInt32, pids: list[PID], message: String) -> bool:
        """Invite players."""
        raise NotImplementedError

    @method(6)
    async def accept_invitation(self, client: Session, gid: UInt32, message: String) -> bool:
        """Take part where one was invited."""
        raise NotImplementedError

    @method(7)
    async def decline_invitation(self, client: Session, gid: UInt32, message: String) -> bool:
        """Refuse an invitation."""
        raise NotImplementedError

    @method(8)
    async def cancel_invitation(
        self, client: Session, gid: UInt32, pids: list[PID], message: String
    ) -> bool:
        """Take invitations back."""
        raise NotImplementedError

    @method(9)
    async def get_invitations_sent(self, client: Session, gid: UInt32) -> list[Invitation]:
        """Ask whom the caller invited to a gathering."""
        raise NotImplementedError

    @method(10)
    async def get_invitations_received(self, client: Session) -> list[Invitation]:
        """Ask where the caller is invited."""
        raise NotImplementedError

    @method(11)
    async def participate(self, client: Session, gid: UInt32, message: String) -> bool:
        """Take part in a gathering."""
        raise NotImplementedError

    @method(12)
    async def cancel_participation(self, client: Session, gid: UInt32, message: String) -> bool:
        """Leave a gathering; the others learn that the participation was cancelled."""
        raise NotImplementedError

    @method(13)
    async def get_participants(self, client: Session, gid: UInt32) -> list[PID]:
        """Ask who takes part."""
        raise NotImplementedError

    @method(14)
    async def add_participants(
        self, client: Session, gid: UInt32, pids: list[PID], message: String
    ) -> bool:
        """Let others take part."""
        raise NotImplementedError

    @method(15)
    async def get_detailed_participants(
        self, client: Session, gid: UInt32
    ) -> list[ParticipantDetails]:
        """Ask who takes part, with names, messages and how many places each takes."""
        raise NotImplementedError

    @method(16)
    async def get_participants_urls(self, client: Session, gid: UInt32) -> list[StationURL]:
        """Ask how the participants can be reached."""
        raise NotImplementedError

    @method(17)
    async def find_by_type(
        self, client: Session, gathering_type: String, result_range: ResultRange
    ) -> list[AnyData]:
        """Find gatherings by the name of their structure."""
        raise NotImplementedError

    @method(18)
    async def find_by_description(
        self, client: Session, description: String, result_range: ResultRange
    ) -> list[AnyData]:
        """Find gatherings with exactly this description."""
        raise NotImplementedError

    @method(19)
    async def find_by_description_regex(
        self, client: Session, regex: String, result_range: ResultRange
    ) -> list[AnyData]:
        """Find gatherings whose description a regular expression matches."""
        raise NotImplementedError

    @method(20)
    async def find_by_id(self, client: Session, gids: list[UInt32]) -> list[AnyData]:
        """Ask for gatherings; the reply lacks those that do not exist."""
        raise NotImplementedError

    @method(21)
    async def find_by_single_id(self, client: Session, gid: UInt32) -> GatheringReply:
        """Ask for a gathering."""
        raise NotImplementedError

    @method(22)
    async def find_by_owner(
        self, client: Session, owner: PID, result_range: ResultRange
    ) -> list[AnyData]:
        """Find what a player owns."""
        raise NotImplementedError

    @method(23)
    async def find_by_participants(self, client: Session, pids: list[PID]) -> list[AnyData]:
        """Find what players take part in."""
        raise NotImplementedError

    @method(24)
    async def find_invitations(self, client: Session, result_range: ResultRange) -> list[AnyData]:
        """Find the gatherings that the caller is invited to."""
        raise NotImplementedError

    @method(25)
    async def find_by_sql_query(
        self, client: Session, query: String, result_range: ResultRange
    ) -> list[AnyData]:
        """Find gatherings by a condition in the language of a database."""
        raise NotImplementedError

    @method(26)
    async def launch_session(self, client: Session, gid: UInt32, url: String) -> bool:
        """Say that the session of a gathering begins, and where it is."""
        raise NotImplementedError

    @method(27)
    async def update_session_url(self, client: Session, gid: UInt32, url: String) -> bool:
        """Say that the session is somewhere else now."""
        raise NotImplementedError

    @method(28)
    async def get_session_url(self, client: Session, gid: UInt32) -> SessionURLReply:
        """Ask where the session is."""
        raise NotImplementedError

    @method(29)
    async def get_state(self, client: Session, gid: UInt32) -> StateReply:
        """Ask for the state of a gathering."""
        raise NotImplementedError

    @method(30)
    async def set_state(self, client: Session, gid: UInt32, state: UInt32) -> bool:
        """Set the state of a gathering."""
        raise NotImplementedError

    @method(31)
    async def report_stats(self, client: Session, gid: UInt32, stats: list[GatheringStats]) -> bool:
        """Say how participants did."""
        raise NotImplementedError

    @method(32)
    async def get_stats(
        self, client: Session, gid: UInt32, pids: list[PID], columns: list[UInt8]
    ) -> StatsReply:
        """Ask how participants did; the columns are indexes of the reported values."""
        raise NotImplementedError

    @method(33)
    async def delete_gathering(self, client: Session, gid: UInt32) -> bool:
        """End a gathering that the caller owns."""
        raise NotImplementedError

    @method(34)
    async def get_pending_deletions(
        self, client: Session, reason: UInt32, result_range: ResultRange
    ) -> PendingDeletionsReply:
        """Ask from which gatherings the caller was removed, for one reason."""
        raise NotImplementedError

    @method(35)
    async def delete_from_deletions(self, client: Session, deletions: list[UInt32]) -> bool:
        """Say that the caller has taken note of removals."""
        raise NotImplementedError

    @method(36)
    async def migrate_gathering_ownership_v1(
        self, client: Session, gid: UInt32, potential_owners: list[PID]
    ) -> bool:
        """Make the first possible of the given players the owner."""
        raise NotImplementedError

    @method(37)
    async def find_by_description_like(
        self, client: Session, description: String, result_range: ResultRange
    ) -> list[AnyData]:
        """Find gatherings by a pattern for their description."""
        raise NotImplementedError

    @method(38)
    async def register_local_url(self, client: Session, gid: UInt32, url: StationURL) -> None:
        """Say under which other address the caller can be reached in this gathering."""
        raise NotImplementedError

    @method(39)
    async def register_local_urls(
        self, client: Session, gid: UInt32, urls: list[StationURL]
    ) -> None:
        """Say under which other addresses the caller can be reached in this gathering."""
        raise NotImplementedError

    @method(40)
    async def update_session_host_v1(self, client: Session, gid: UInt32) -> None:
        """Become host, and owner too if the flags of the gathering allow it."""
        raise NotImplementedError

    @method(41)
    async def get_session_urls(self, client: Session, gid: UInt32) -> list[StationURL]:
        """Ask how the host can be reached."""
        raise NotImplementedError

    @method(42)
    async def update_session_host(
        self, client: Session, gid: UInt32, is_migrate_owner: bool
    ) -> None:
        """Become host, and owner too if asked for."""
        raise NotImplementedError

    @method(43)
    async def update_gathering_ownership(
        self, client: Session, gid: UInt32, participants_only: bool
    ) -> bool:
        """Become owner."""
        raise NotImplementedError

    @method(44)
    async def migrate_gathering_ownership(
        self, client: Session, gid: UInt32, potential_owners: list[PID], participants_only: bool
    ) -> None:
        """Make the first possible of the given players the owner."""
        raise NotImplementedError


class MatchMakingExt(Protocol, id=50, key="matchmaking"):
    """What was added to match making: above all, how sessions are left."""

    @method(1)
    async def end_participation(self, client: Session, gid: UInt32, message: String) -> bool:
        """Leave a gathering."""
        raise NotImplementedError

    @method(2)
    async def get_participants(self, client: Session, gid: UInt32, only_active: bool) -> list[PID]:
        """Ask who takes part, or who of them is connected."""
        raise NotImplementedError

    @method(3)
    async def get_detailed_participants(
        self, client: Session, gid: UInt32, only_active: bool
    ) -> list[ParticipantDetails]:
        """Ask the same, with names, messages and how many places each takes."""
        raise NotImplementedError

    @method(4)
    async def get_participants_urls(
        self, client: Session, gids: list[UInt32]
    ) -> list[GatheringURLs]:
        """Ask how the participants of several gatherings can be reached."""
        raise NotImplementedError

    @method(5)
    async def get_gathering_relations(
        self, client: Session, gid: UInt32, description: String
    ) -> String:
        """Ask how a gathering is related to others."""
        raise NotImplementedError

    @method(6)
    async def delete_from_deletions(
        self, client: Session, deletions: list[UInt32], pid: PID
    ) -> None:
        """Say that a player has taken note of removals."""
        raise NotImplementedError
