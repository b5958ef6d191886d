"""The matchmaking of one game: everything that its protocol servers share."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable

from nekonex.domain.matchmaking.hooks import MatchmakingHooks
from nekonex.domain.matchmaking.limits import MatchmakingLimits
from nekonex.domain.matchmaking.ports import (
    CommunityStore,
    LiveStore,
    PreferenceStore,
    Privacy,
)
from nekonex.domain.matchmaking.relations.blocking import BlockLists
from nekonex.domain.matchmaking.relations.friends import FriendBook, GetFriendPids
from nekonex.domain.matchmaking.relations.invitations import Invitations
from nekonex.domain.matchmaking.relations.status import StatusBoard
from nekonex.domain.matchmaking.relations.unreachable import UnreachablePairs
from nekonex.domain.matchmaking.search.searching import SearchService
from nekonex.domain.matchmaking.services.communities import CommunityService
from nekonex.domain.matchmaking.services.gatherings import GatheringService
from nekonex.domain.matchmaking.services.matchmaker import Matchmaker
from nekonex.domain.matchmaking.services.messenger import Messenger
from nekonex.domain.matchmaking.titles import TitleRules
from nekonex.domain.players import PlayerRegistry
from nekonex.domain.ports import Clock
from nekonex.events import EventBus, GatheringClosed
from nekonex.values import ServiceUnavailable

__all__ = ["Matchmaking"]

_logger = logging.getLogger(__name__)


class Matchmaking:
    """One game's gatherings, and all services that work on them.

    ``clock`` is the time in POSIX seconds, ``monotonic`` any clock that only goes forward;
    ``token_bytes(n)`` makes unguessable bytes.
    """

    def __init__(
        self,
        *,
        players: PlayerRegistry,
        live: LiveStore,
        communities: CommunityStore,
        preferences: PreferenceStore,
        get_friend_pids: GetFriendPids | None = None,
        hooks: MatchmakingHooks | None = None,
        rules: TitleRules | None = None,
        limits: MatchmakingLimits | None = None,
        unreachable: UnreachablePairs | None = None,
        events: EventBus | None = None,
        clock: Clock = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        token_bytes: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        events = events or EventBus()
        self.limits = limits or MatchmakingLimits()
        self.rules = rules or TitleRules()
        self.players = players
        self.preferences = preferences
        self.token_bytes = token_bytes
        self.friends = FriendBook(get_friend_pids, limits=self.limits, clock=monotonic)
        self.blocking = BlockLists(preferences, self.limits)
        messenger = Messenger(players, events)
        self.gatherings = GatheringService(
            live=live,
            communities=communities,
            players=players,
            messenger=messenger,
            friends=self.friends,
            blocking=self.blocking,
            hooks=hooks or MatchmakingHooks(),
            limits=self.limits,
            clock=clock,
        )
        # Not "or": one without pairs is false.
        self.unreachable = UnreachablePairs(clock=monotonic) if unreachable is None else unreachable
        self.searching = SearchService(self.gatherings, self.unreachable)
        self.matchmaker = Matchmaker(self.gatherings, self.searching, self.rules, token_bytes)
        self.communities = CommunityService(self.gatherings, preferences)
        self.status = StatusBoard(self.friends, messenger)
        self.invitations = Invitations(self.gatherings)
        game = players.game

        def closed(event: GatheringClosed) -> None:
            if event.game == game:
                self.invitations.gathering_closed(event.gid)

        events.subscribe(GatheringClosed, closed)

    def extend(
        self,
        *,
        hooks: MatchmakingHooks | None = None,
        get_friend_pids: GetFriendPids | None = None,
        unreachable: UnreachablePairs | None = None,
    ) -> None:
        """Give it what is known only when it is there, before it is used; None changes nothing."""
        if hooks is not None:
            self.gatherings.hooks = hooks
        if get_friend_pids is not None:
            self.friends.ask(get_friend_pids)
        if unreachable is not None:
            self.unreachable = self.searching.unreachable = unreachable

    async def forget(self, pid: int) -> int:
        """Remove what a player decided and what it belongs to; return how many communities.

        What it owns ends, and it leaves the rest. Raises ServiceUnavailable; repeating it removes
        what is left then.
        """
        self.blocking.forget(pid)
        await self.preferences.clear_block_list(pid)
        if await self.preferences.privacy(pid) != Privacy():
            await self.preferences.set_privacy(pid, Privacy())
        return await self.gatherings.forget(pid)

    async def player_gone(self, pid: int, connection_id: int) -> None:
        """Take a player out of everything, when its connection has ended; twice is harmless."""
        try:
            await self.gatherings.vanish(pid, connection_id)
        except ServiceUnavailable:
            _logger.warning("PID %d may still be in communities: their store is down", pid)
        if self.players.newest(pid) is None:
            self.blocking.forget(pid)
            self.invitations.player_gone(pid)
            await self.status.forget(pid)
