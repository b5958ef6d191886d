"""Communities: gatherings that players belong to for good."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from nekonex.domain.matchmaking.model import Community, CommunityType, MatchmakeSystem, Participant
from nekonex.domain.matchmaking.ports import PreferenceStore
from nekonex.domain.matchmaking.refusals import MatchmakingError, Refusal
from nekonex.domain.matchmaking.rules.admission import Credentials
from nekonex.domain.matchmaking.rules.validation import check_community, check_length
from nekonex.domain.matchmaking.search.query import ANY_ATTRIBUTES, NumberFilter, SessionQuery
from nekonex.domain.matchmaking.services.gatherings import GatheringService
from nekonex.domain.players import Player

__all__ = ["CommunityService", "CommunityView"]


@dataclass(frozen=True, slots=True)
class CommunityView:
    """A community as one player sees it."""

    community: Community
    sessions: int
    """How many open sessions belong to it."""
    visits: int
    """How often this player joined one of them."""


class CommunityService:
    """Makes communities and lets players join them for good.

    Methods raise MatchmakingError, and then nothing has changed, and ServiceUnavailable.
    """

    def __init__(self, gatherings: GatheringService, preferences: PreferenceStore) -> None:
        self._gatherings = gatherings
        self._preferences = preferences

    async def create(self, player: Player, template: Community, message: str) -> Community:
        """Make a community, whose owner is its first member.

        Raises MatchmakingError: INVALID, TOO_MANY_OWNED, TOO_MANY_JOINED.
        """
        check_community(template, self._gatherings.now())
        return await self._gatherings.create(player, template, [self._member(player, message)])

    async def join(self, player: Player, gid: int, message: str, password: str) -> Community:
        """Join a community for good.

        Raises MatchmakingError: UNKNOWN_GATHERING, OUTSIDE_PERIOD, WRONG_COMMUNITY_PASSWORD,
        NOT_FRIEND, ALREADY_PARTICIPATING, FULL, TOO_MANY_JOINED.
        """
        return await self._gatherings.join(
            player,
            gid,
            [self._member(player, message)],
            Credentials(community_password=password),
            kind=Community,
        )

    async def update(self, player: Player, changed: Community) -> None:
        """Replace what the owner of a community may change; members stay."""
        check_community(changed, self._gatherings.now())

        def change(community: Community) -> dict[str, Any]:
            if community.type == CommunityType.OFFICIAL:
                raise MatchmakingError(Refusal.NOT_ALLOWED, "an official community")
            return {name: getattr(changed, name) for name in _CHANGEABLE}

        await self._gatherings.update(player, changed.gid, Community, change)

    async def find(self, player: Player, gids: Sequence[int]) -> list[CommunityView]:
        """Return those of these communities that exist."""
        found = await self._gatherings.get_many(gids)
        return await self._views(player, [each for each in found if isinstance(each, Community)])

    async def official(
        self, player: Player, offset: int, limit: int, *, available_only: bool
    ) -> list[CommunityView]:
        """Return official communities, all or those that can be joined now."""
        at = self._gatherings.now() if available_only else None
        found = await self._gatherings.communities.official(offset, limit, at=at)
        return await self._views(player, found)

    async def of_participant(
        self, player: Player, pid: int, offset: int, limit: int
    ) -> list[CommunityView]:
        """Return the communities that somebody belongs to, if others may know that."""
        if pid != player.pid:
            privacy = await self._preferences.privacy(pid)
            if not privacy.community_participation:
                return []
        found = await self._gatherings.communities.of_participant(pid)
        return await self._views(player, found[offset : offset + limit])

    async def of_owner(
        self, player: Player, pid: int, offset: int, limit: int
    ) -> list[CommunityView]:
        """Return the communities that somebody owns."""
        found = await self._gatherings.communities.of_owner(pid, offset, limit)
        return await self._views(player, found)

    async def session_count(self, gid: int) -> int:
        """Return how many open sessions belong to a community."""
        attributes = (NumberFilter.of(gid), *ANY_ATTRIBUTES[1:])
        return await self._gatherings.live.count_sessions(
            SessionQuery(
                matchmake_system=NumberFilter.of(MatchmakeSystem.COMMUNITY), attributes=attributes
            )
        )

    async def view(self, player: Player, community: Community) -> CommunityView:
        """Return a community as a player sees it."""
        member = community.participant(player.pid)
        visits = 0 if member is None else member.visits
        return CommunityView(community, await self.session_count(community.gid), visits)

    async def _views(self, player: Player, communities: Sequence[Community]) -> list[CommunityView]:
        return [await self.view(player, community) for community in communities]

    def _member(self, player: Player, message: str) -> Participant:
        check_length("message", message)
        return Participant(player.pid, message=message)


_CHANGEABLE = (
    "min_participants",
    "max_participants",
    "policy",
    "policy_argument",
    "flags",
    "description",
    "type",
    "password",
    "attributes",
    "application_data",
    "participation_start",
    "participation_end",
)
