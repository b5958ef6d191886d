"""What players do with gatherings of any kind, whether they play in them or not."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Final

from nekonex.domain.matchmaking.limits import MAX_TEXT
from nekonex.domain.matchmaking.model import Community, CommunityType, Gathering, Participant
from nekonex.domain.matchmaking.ports import GatheringStore, Outcome
from nekonex.domain.matchmaking.refusals import MatchmakingError, Refusal
from nekonex.domain.matchmaking.rules import changes
from nekonex.domain.matchmaking.rules.admission import Credentials
from nekonex.domain.matchmaking.rules.validation import check_length, check_places
from nekonex.domain.matchmaking.service import Matchmaking
from nekonex.domain.players import Player

__all__ = ["GeneralGatherings"]

_PAGE: Final = 100
"""Gatherings that are looked at without a break."""

_CHANGEABLE: Final = (
    "min_participants",
    "max_participants",
    "policy",
    "policy_argument",
    "flags",
    "description",
)


class GeneralGatherings:
    """The services of one game's matchmaking, put together for gatherings in general.

    Methods raise MatchmakingError, and then nothing has changed; RMCError of the game's hooks;
    and ServiceUnavailable. UNKNOWN_GATHERING is among the refusals of all that have a gid.
    """

    def __init__(self, matchmaking: Matchmaking) -> None:
        self._matchmaking = matchmaking
        self._gatherings = matchmaking.gatherings

    # -- making and changing ---------------------------------------------------------

    async def register(self, player: Player, template: Gathering) -> Gathering:
        """Make a gathering that a player owns.

        The player is not in it, unless it is a community: those begin with their founder.

        Raises MatchmakingError: INVALID, TOO_MANY, TOO_MANY_OWNED.
        """
        if isinstance(template, Community):
            return await self._matchmaking.communities.create(player, template, "")
        return await self._matchmaking.matchmaker.register(player, template)

    async def update(self, player: Player, changed: Gathering) -> None:
        """Let the owner change what all kinds of gatherings have, apart from who heads them.

        Nobody has to leave because of a new maximum.

        Raises MatchmakingError: NOT_OWNER, INVALID, NOT_ALLOWED for an official community.
        """
        check_length("description", changed.description)
        check_places(changed.min_participants, changed.max_participants)

        def change(gathering: Gathering) -> dict[str, Any]:
            if isinstance(gathering, Community) and gathering.type == CommunityType.OFFICIAL:
                raise MatchmakingError(Refusal.NOT_ALLOWED, "an official community")
            return {name: getattr(changed, name) for name in _CHANGEABLE}

        await self._gatherings.update(player, changed.gid, Gathering, change)

    async def set_state(self, player: Player, gid: int, state: int) -> None:
        """Let the owner say how far things are. Raises MatchmakingError: NOT_OWNER."""
        await self._gatherings.update(player, gid, Gathering, lambda _: {"state": state})

    # -- coming ----------------------------------------------------------------------

    async def participate(self, player: Player, gid: int, message: str) -> None:
        """Let a player in, alone on its console, where that takes no password.

        Raises MatchmakingError: INVALID and whatever `GatheringService.join` raises.
        """
        arrivals = self._gatherings.arrivals(player, 1, message)
        if isinstance(await self._gatherings.get(gid), Community):
            # Members need no connection.
            arrivals = [Participant(player.pid, message=message)]
        await self._gatherings.join(player, gid, arrivals, Credentials(), kind=Gathering)

    async def accept_invitation(self, player: Player, gid: int, message: str) -> None:
        """Let in who was invited. Raises MatchmakingError: NOT_ALLOWED and as `participate`."""
        invitations = self._matchmaking.invitations
        await self._gatherings.get(gid)
        invitations.check_invited(player.pid, gid)
        await self.participate(player, gid, message)
        with suppress(MatchmakingError):
            # It may have been taken back meanwhile.
            invitations.answer(player.pid, gid)

    # -- heading ---------------------------------------------------------------------

    async def launch(self, player: Player, gid: int, url: str) -> None:
        """Let the owner start the session.

        Raises MatchmakingError: NOT_OWNER, INVALID, INVALID_OPERATION.
        """
        check_length("URL", url, MAX_TEXT)
        await self._gatherings.change(gid, lambda old: changes.launch(old, player.pid, url))

    async def move_session(self, player: Player, gid: int, url: str) -> None:
        """Let a participant become host, and say where the session is from now on.

        Raises MatchmakingError: NOT_ALLOWED, INVALID, INVALID_OPERATION.
        """
        check_length("URL", url, MAX_TEXT)
        await self._gatherings.change(
            gid, lambda old: changes.set_session_url(old, player.pid, url)
        )

    async def become_host(self, player: Player, gid: int, *, and_owner: bool | None) -> None:
        """Let a participant become host; see `changes.change_host`."""
        await self._gatherings.change(
            gid, lambda old: changes.change_host(old, player.pid, and_owner=and_owner)
        )

    async def take_ownership(self, player: Player, gid: int) -> None:
        """Let a participant become owner; see `changes.take_ownership`."""
        await self._gatherings.change(gid, lambda old: changes.take_ownership(old, player.pid))

    async def migrate_ownership(
        self, player: Player, gid: int, candidates: Sequence[int], *, participants_only: bool
    ) -> None:
        """Let the owner hand over to the first candidate who is connected.

        Passed over is who owns as many gatherings as it may already, so that nobody can be kept
        from making its own. Communities go to members only.

        Raises MatchmakingError: NOT_OWNER, NOT_PARTICIPATING, OFFLINE.
        """
        found = await self._gatherings.get(gid)
        if found.owner != player.pid:
            raise MatchmakingError(Refusal.NOT_OWNER, f"that is PID {found.owner}")
        members_only = participants_only or isinstance(found, Community)
        able = [
            pid for pid in candidates if pid == player.pid or await self._may_own_more(found, pid)
        ]

        def transition(gathering: Gathering) -> Outcome[Gathering]:
            return changes.migrate_owner(
                gathering,
                player.pid,
                able,
                participants_only=members_only,
                online=self._gatherings.online,
            )

        await self._gatherings.change(gid, transition)

    async def _may_own_more(self, gathering: Gathering, pid: int) -> bool:
        service, limits = self._gatherings, self._gatherings.limits
        store: GatheringStore[Any] = service.live
        limit = limits.max_owned
        if isinstance(gathering, Community):
            store, limit = service.communities, limits.max_owned_communities
        return len(await store.of_owner(pid, 0, limit)) < limit

    async def add_local_urls(self, player: Player, gid: int, urls: Sequence[str]) -> None:
        """Remember where else a participant can be reached; see `changes.add_local_urls`."""
        if len(urls) > changes.MAX_LOCAL_URLS:
            raise MatchmakingError(Refusal.INVALID, f"{len(urls)} URLs")
        await self._gatherings.change(
            gid, lambda old: changes.add_local_urls(old, player.pid, urls)
        )

    # -- finding ---------------------------------------------------------------------

    async def of_participants(self, player: Player, pids: Sequence[int]) -> list[Gathering]:
        """Return what any of these players takes part in, as far as others may know that.

        Each gathering once, and no more than ``max_results``.
        """
        limit = self._gatherings.limits.max_results
        found: dict[int, Gathering] = {}
        for pid in pids:
            for gathering in await self._gatherings.live.of_participant(pid):
                found[gathering.gid] = gathering
            views = await self._matchmaking.communities.of_participant(player, pid, 0, limit)
            found.update((view.community.gid, view.community) for view in views)
            if len(found) >= limit:
                break
        return list(found.values())[:limit]

    async def matching(
        self, accept: Callable[[Gathering], bool], offset: int, limit: int, *, of: int
    ) -> list[Gathering]:
        """Return gatherings that live in memory and are accepted, in the order of their gids.

        ``of`` is how many are looked at; more of them are not found.
        """
        found: list[Gathering] = []
        after = looked_at = 0
        while limit and len(found) < offset + limit and looked_at < of:
            page = await self._gatherings.live.page(after, min(_PAGE, of - looked_at))
            if not page:
                break
            found += filter(accept, page)
            after = page[-1].gid
            looked_at += len(page)
            await asyncio.sleep(0)
        return found[offset : offset + limit]
