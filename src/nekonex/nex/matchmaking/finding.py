"""The methods of match making that find gatherings, and the invitations to them.

What is found never has secrets in it: whoever wants the session key joins.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from nekonex.domain import Player
from nekonex.domain.matchmaking import Community, Gathering
from nekonex.domain.matchmaking.relations.invitations import Invitation as Invited
from nekonex.domain.matchmaking.rules.validation import check_length
from nekonex.domain.matchmaking.search.patterns import like
from nekonex.domain.matchmaking.service import Matchmaking
from nekonex.domain.matchmaking.services.general import GeneralGatherings
from nekonex.nex.matchmaking.common import MatchmakingServant
from nekonex.nex.matchmaking.definition import GatheringReply, MatchMaking
from nekonex.nex.matchmaking.translate import community_to_wire, gathering_to_wire
from nekonex.nex.secure import SecureConnectionServer
from nekonex.nex.structures import Invitation, ResultRange
from nekonex.rmc import Session
from nekonex.values import RMCError
from nekonex.wire import PID, AnyData, String, Structure, UInt32

__all__ = ["FindingMethods"]

_COMMUNITY_TYPE: Final = "PersistentGathering"


class FindingMethods(MatchmakingServant, MatchMaking):
    """The part of `nekonex.nex.matchmaking.MatchMakingServer` that changes no gathering."""

    def __init__(
        self, matchmaking: Matchmaking, secure: SecureConnectionServer | None = None
    ) -> None:
        super().__init__(matchmaking, secure)
        self.gatherings = matchmaking.gatherings
        self.general = GeneralGatherings(matchmaking)

    # -- by id -------------------------------------------------------------------

    async def find_by_id(self, client: Session, gids: list[UInt32]) -> list[AnyData]:
        """Return those of these gatherings that exist."""
        player = self.player_of(client)
        found = await self.gatherings.get_many(self.check_list(gids))
        return await self._shown_all(player, found)

    async def find_by_single_id(self, client: Session, gid: UInt32) -> GatheringReply:
        """Return a gathering."""
        player = self.player_of(client)
        found = await self.gatherings.get(gid)
        return GatheringReply(result=True, gathering=await self._shown(player, found))

    # -- by those who are in it ----------------------------------------------------

    async def find_by_owner(
        self, client: Session, owner: PID, result_range: ResultRange
    ) -> list[AnyData]:
        """Return what a player owns: what is going on now, then communities."""
        player = self.player_of(client)
        offset, limit = self.result_range(result_range)
        return await self._shown_all(player, await self.gatherings.of_owner(owner, offset, limit))

    async def find_by_participants(self, client: Session, pids: list[PID]) -> list[AnyData]:
        """Return what any of these players takes part in, but no communities that it hides."""
        player = self.player_of(client)
        found = await self.general.of_participants(player, self.check_list(pids))
        return await self._shown_all(player, found)

    # -- by what it is -------------------------------------------------------------

    async def find_by_type(
        self, client: Session, gathering_type: String, result_range: ResultRange
    ) -> list[AnyData]:
        """Return gatherings whose structure has this name; of communities, the official ones."""
        player = self.player_of(client)
        check_length("type", gathering_type)
        offset, limit = self.result_range(result_range)
        if gathering_type == _COMMUNITY_TYPE:
            views = await self.matchmaking.communities.official(
                player, offset, limit, available_only=False
            )
            return await self._shown_all(player, [view.community for view in views])

        def has_type(gathering: Gathering) -> bool:
            return type(gathering).__name__ == gathering_type

        limits = self.matchmaking.limits
        found = await self.general.matching(
            has_type, offset, limit, of=limits.max_offset + limits.max_results
        )
        return await self._shown_all(player, found)

    async def find_by_description(
        self, client: Session, description: String, result_range: ResultRange
    ) -> list[AnyData]:
        """Return gatherings with exactly this description, communities apart."""
        player = self.player_of(client)
        check_length("description", description)
        offset, limit = self.result_range(result_range)
        found = await self.gatherings.live.described(description, offset, limit)
        return await self._shown_all(player, found)

    async def find_by_description_regex(
        self, client: Session, regex: String, result_range: ResultRange
    ) -> list[AnyData]:
        """Refuse: an expression of a console's making may take for ever."""
        raise RMCError("Core::NotImplemented")

    async def find_by_description_like(
        self, client: Session, description: String, result_range: ResultRange
    ) -> list[AnyData]:
        """Return gatherings whose description is like an SQL pattern, with ``%`` and ``_``.

        Communities apart; only the first ``max_results`` gatherings by gid are looked at.
        """
        player = self.player_of(client)
        check_length("description", description)
        offset, limit = self.result_range(result_range)
        fits = like(description)
        found = await self.general.matching(
            lambda gathering: fits(gathering.description),
            offset,
            limit,
            of=self.matchmaking.limits.max_results,
        )
        return await self._shown_all(player, found)

    async def find_by_sql_query(
        self, client: Session, query: String, result_range: ResultRange
    ) -> list[AnyData]:
        """Refuse: there is no database that a console may question."""
        raise RMCError("Core::NotImplemented")

    # -- invitations ---------------------------------------------------------------

    async def invite(self, client: Session, gid: UInt32, pids: list[PID], message: String) -> bool:
        """Invite players to a gathering that the caller owns or is in."""
        player = self.player_of(client)
        await self.matchmaking.invitations.invite(player.pid, gid, self.check_list(pids), message)
        return True

    async def accept_invitation(self, client: Session, gid: UInt32, message: String) -> bool:
        """Take part where one was invited; whatever keeps others out keeps guests out too."""
        player = self.player_of(client)
        await self.general.accept_invitation(player, gid, message)
        return True

    async def decline_invitation(self, client: Session, gid: UInt32, message: String) -> bool:
        """Refuse an invitation; nobody is told."""
        player = self.player_of(client)
        check_length("message", message)
        await self.gatherings.get(gid)
        self.matchmaking.invitations.answer(player.pid, gid)
        return True

    async def cancel_invitation(
        self, client: Session, gid: UInt32, pids: list[PID], message: String
    ) -> bool:
        """Take back those of these invitations that the caller made; nobody is told."""
        player = self.player_of(client)
        check_length("message", message)
        pids = self.check_list(pids)
        await self.gatherings.get(gid)
        self.matchmaking.invitations.cancel(player.pid, gid, pids)
        return True

    async def get_invitations_sent(self, client: Session, gid: UInt32) -> list[Invitation]:
        """Return the invitations to a gathering that the caller made."""
        player = self.player_of(client)
        await self.gatherings.get(gid)
        return _to_wire(self.matchmaking.invitations.sent(player.pid, gid))

    async def get_invitations_received(self, client: Session) -> list[Invitation]:
        """Return the invitations that the caller received."""
        player = self.player_of(client)
        return _to_wire(self.matchmaking.invitations.received(player.pid))

    async def find_invitations(self, client: Session, result_range: ResultRange) -> list[AnyData]:
        """Return the gatherings that the caller is invited to."""
        player = self.player_of(client)
        offset, limit = self.result_range(result_range)
        received = self.matchmaking.invitations.received(player.pid)
        gids = [invitation.gid for invitation in received][offset : offset + limit]
        return await self._shown_all(player, await self.gatherings.get_many(gids))

    # -- what is shown -------------------------------------------------------------

    async def _shown_all(self, player: Player, found: Iterable[Gathering]) -> list[AnyData]:
        return [await self._shown(player, gathering) for gathering in found]

    async def _shown(self, player: Player, gathering: Gathering) -> Structure:
        if not isinstance(gathering, Community):
            return gathering_to_wire(gathering, secrets=False)
        view = await self.matchmaking.communities.view(player, gathering)
        return community_to_wire(
            gathering,
            secrets=False,
            matchmake_session_count=view.sessions,
            num_participants=view.visits,
        )


def _to_wire(invitations: Iterable[Invited]) -> list[Invitation]:
    return [Invitation(each.gid, each.guest, each.message) for each in invitations]
