"""The one place that changes gatherings: makes them, lets players in, hands them over."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Any, TypeVar, cast

from nekonex.domain.matchmaking.hooks import MatchmakingHooks
from nekonex.domain.matchmaking.limits import MatchmakingLimits
from nekonex.domain.matchmaking.logs import logged_refusals
from nekonex.domain.matchmaking.model import (
    Community,
    Gathering,
    MatchmakeSession,
    Participant,
    ParticipationPolicy,
)
from nekonex.domain.matchmaking.ports import (
    CommunityStore,
    GatheringStore,
    LiveStore,
    Outcome,
)
from nekonex.domain.matchmaking.refusals import MatchmakingError, Refusal
from nekonex.domain.matchmaking.relations.blocking import BlockLists
from nekonex.domain.matchmaking.relations.friends import FriendBook
from nekonex.domain.matchmaking.rules import changes, participation
from nekonex.domain.matchmaking.rules.admission import Credentials, Relations, admit
from nekonex.domain.matchmaking.rules.validation import check_gathering, check_length
from nekonex.domain.matchmaking.services.book import TOO_MANY, expect
from nekonex.domain.matchmaking.services.departures import Departures
from nekonex.domain.matchmaking.services.messenger import Messenger
from nekonex.domain.players import Player, PlayerRegistry
from nekonex.domain.ports import Clock
from nekonex.values import ServiceUnavailable

__all__ = ["GatheringService"]

G = TypeVar("G", bound=Gathering)

_logger = logging.getLogger(__name__)


class GatheringService(Departures):
    """Applies the rules to one game's gatherings, and tells who is to be told.

    Methods raise MatchmakingError, and then nothing has changed, and ServiceUnavailable.
    """

    def __init__(
        self,
        *,
        live: LiveStore,
        communities: CommunityStore,
        players: PlayerRegistry,
        messenger: Messenger,
        friends: FriendBook,
        blocking: BlockLists,
        hooks: MatchmakingHooks,
        limits: MatchmakingLimits,
        clock: Clock,
    ) -> None:
        super().__init__(
            live=live,
            communities=communities,
            players=players,
            messenger=messenger,
            limits=limits,
            clock=clock,
        )
        self.friends = friends
        self.blocking = blocking
        self.hooks = hooks

    # -- coming ----------------------------------------------------------------------

    def arrivals(
        self, player: Player, count: int, message: str, additional: Sequence[int] = ()
    ) -> list[Participant]:
        """Return a player, with everybody on its console, and those it brings, as participants.

        A ``count`` of 0 is 1; those it brings take one place each.

        Raises MatchmakingError: INVALID, and OFFLINE for somebody who is not connected.
        """
        check_length("message", message)
        if not 0 <= count <= self.limits.max_players_per_console:
            raise MatchmakingError(Refusal.INVALID, f"{count} players on a console")
        return [
            Participant(player.pid, player.connection_id, max(count, 1), message),
            *self.brought(player, additional, message),
        ]

    def brought(self, player: Player, additional: Sequence[int], message: str) -> list[Participant]:
        """Return those whom a player brings as participants; see `arrivals`."""
        if len(additional) > self.limits.max_additional_participants:
            raise MatchmakingError(Refusal.INVALID, f"{len(additional)} additional participants")
        brought = []
        for pid in dict.fromkeys(additional):
            if pid == player.pid:
                continue
            other = self.players.newest(pid)
            if other is None:
                raise MatchmakingError(Refusal.OFFLINE, f"PID {pid}")
            brought.append(Participant(pid, other.connection_id, 1, message))
        return brought

    async def create(self, player: Player, template: G, arrivals: Sequence[Participant] = ()) -> G:
        """Store a new gathering that belongs to a player, with its first participants.

        Raises MatchmakingError: INVALID if the hooks say so, FULL, TOO_MANY.
        """
        self.validate(player, template)
        empty = replace(
            template,
            gid=0,
            owner=player.pid,
            host=0 if isinstance(template, Community) else player.pid,
            state=0,
            participants=(),
            session_url="",
            registered=self.clock(),
        )
        joined = participation.join(empty, arrivals, caller=player.pid, returning=_nobody)
        first = empty if joined.after is None else joined.after
        limits = self.limits
        store: GatheringStore[Any] = self.live
        max_owned, max_joined = limits.max_owned, limits.max_joined
        if isinstance(template, Community):
            store = self.communities
            max_owned, max_joined = limits.max_owned_communities, limits.max_joined_communities
        else:
            self._check_connected([Participant(player.pid, player.connection_id), *arrivals])
            await self.make_room_for(player.pid)
        try:
            created = cast(
                "G", await store.create(first, max_owned=max_owned, max_joined=max_joined)
            )
        except MatchmakingError as error:
            if error.refusal in TOO_MANY and store is self.live:
                raise MatchmakingError(Refusal.TOO_MANY, str(error)) from None
            raise
        notices = participation.joined_notices(created, arrivals, caller=player.pid)
        self.messenger.created(created, notices)
        if isinstance(created, MatchmakeSession):
            await self._count_visits(created, arrivals)
        await self._let_go_of_vanished(
            [Participant(player.pid, player.connection_id), *created.participants]
        )
        return created

    def validate(self, player: Player, gathering: Gathering) -> None:
        """Refuse what the hooks do not permit. Raises MatchmakingError: INVALID."""
        if not self.hooks.validate(player, gathering):
            raise MatchmakingError(Refusal.INVALID, "the game does not permit it")

    async def relations(self, player: Player, gathering: Gathering) -> Relations:
        """Return what is known of a player's relations to those in a gathering."""
        pid = player.pid
        friends: frozenset[int] = frozenset()
        if gathering.policy == ParticipationPolicy.FRIENDS and gathering.owner != pid:
            friends = await self.friends.friends_of(pid)
        if isinstance(gathering, Community):
            # Members are many, and do not meet by being members.
            return Relations(friends=friends)
        return Relations(
            friends=friends,
            blocked=frozenset(await self.blocking.of(pid)),
            blocked_by_participant=await self.blocking.blockers(gathering.pids, pid),
        )

    async def join(
        self,
        player: Player,
        gid: int,
        arrivals: Sequence[Participant],
        shown: Credentials,
        *,
        kind: type[G],
        already_in: bool = False,
    ) -> G:
        """Let players into a gathering of a kind, if all that is checked before permits it.

        With ``already_in`` the player itself takes part already, and only brings others.

        Raises MatchmakingError, and RMCError of the game's hooks.
        """
        with logged_refusals(self.players.game, player.pid, gid):
            found = expect(kind, await self.get(gid))
            relations = await self.relations(player, found)
            if not await self.hooks.can_join(player, found):
                raise MatchmakingError(Refusal.NOT_ALLOWED, "the game does not permit it")
            now, limit = self.now(), self.limits.max_members

            def transition(gathering: Any) -> Outcome[Any]:
                current = expect(kind, gathering)
                if already_in and current.participant(player.pid) is None:
                    raise MatchmakingError(Refusal.NOT_PARTICIPATING, f"PID {player.pid}")
                self._check_connected(arrivals)
                admit(current, player.pid, shown, self._updated(relations, player, current), now)
                if isinstance(current, Community) and len(current.participants) >= limit:
                    raise MatchmakingError(Refusal.FULL, f"{limit} members")
                return participation.join(
                    current, arrivals, caller=player.pid, returning=self.is_lost
                )

            try:
                joined = await self.change(gid, transition, joining=True)
            except MatchmakingError as error:
                if error.refusal is not Refusal.TOO_MANY or not await self.let_go(player.pid):
                    raise
                joined = await self.change(gid, transition, joining=True)
            if isinstance(joined, MatchmakeSession):
                await self._count_visits(joined, arrivals)
            await self._let_go_of_vanished(arrivals)
            return cast("G", joined)

    def _updated(self, relations: Relations, player: Player, gathering: Gathering) -> Relations:
        """Return relations with those to who came in since they were looked up."""
        if isinstance(gathering, Community):
            return relations
        known = self.blocking.known_blockers(gathering.pids, player.pid)
        return replace(relations, blocked_by_participant=relations.blocked_by_participant or known)

    async def bring(self, player: Player, gid: int, pids: Sequence[int], message: str) -> None:
        """Let the owner of a gathering bring others in, whom no password or closed door keeps out.

        Only those whom it shares another gathering with: participants learn each other's
        addresses, and nobody is in more than so many gatherings.

        Raises MatchmakingError: UNKNOWN_GATHERING, NOT_OWNER, NOT_ALLOWED for a community, OFFLINE,
        NOT_PARTICIPATING, BLOCKED_BY_PARTICIPANT, ALREADY_PARTICIPATING, FULL, TOO_MANY, INVALID.
        """
        check_length("message", message)

        def check(gathering: Gathering) -> None:
            if gathering.owner != player.pid:
                raise MatchmakingError(Refusal.NOT_OWNER, f"gid {gid}")
            if isinstance(gathering, Community):
                raise MatchmakingError(Refusal.NOT_ALLOWED, "members join for themselves")

        check(await self.get(gid))
        arrivals = self.brought(player, pids, message)

        def transition(gathering: Gathering) -> Outcome[Gathering]:
            check(gathering)
            self._check_connected(arrivals)
            return participation.join(
                gathering, arrivals, caller=player.pid, returning=self.is_lost
            )

        for arrival in arrivals:
            if not await self.share_gathering(player.pid, arrival.pid):
                raise MatchmakingError(Refusal.NOT_PARTICIPATING, f"PID {arrival.pid}")
        if await self.blocking.blockers((each.pid for each in arrivals), player.pid):
            raise MatchmakingError(Refusal.BLOCKED_BY_PARTICIPANT)
        joined = await self.change(gid, transition, joining=True) if arrivals else None
        if isinstance(joined, MatchmakeSession):
            await self._count_visits(joined, arrivals)
        await self._let_go_of_vanished(arrivals)

    def _check_connected(self, arrivals: Iterable[Participant]) -> None:
        """Refuse who has vanished since it asked: nobody would ever take it out again."""
        for arrival in arrivals:
            if self.is_lost(arrival):
                raise MatchmakingError(Refusal.OFFLINE, f"PID {arrival.pid}")

    async def _let_go_of_vanished(self, participants: Iterable[Participant]) -> None:
        """Take out who vanished while the store was at work: `vanish` was too early for it."""
        for participant in participants:
            if self.is_lost(participant):
                await self.vanish(participant.pid, participant.connection_id)

    async def _count_visits(
        self, session: MatchmakeSession, arrivals: Sequence[Participant]
    ) -> None:
        """Count, for members of the community that a session belongs to, that they came."""
        gid = session.community_gid
        if not gid:
            return
        try:
            await self.communities.count_visits(gid, [arrival.pid for arrival in arrivals])
        except ServiceUnavailable:
            _logger.warning("visits of community %d are not counted: its store is down", gid)

    # -- handing over and changing -----------------------------------------------------

    async def unregister(self, pid: int, gids: Iterable[int]) -> None:
        """End gatherings of a player: all, or none if one of them is not.

        Raises MatchmakingError: UNKNOWN_GATHERING, NOT_OWNER.
        """
        gids = dict.fromkeys(gids)
        for gid in gids:
            if (await self.get(gid)).owner != pid:
                raise MatchmakingError(Refusal.NOT_OWNER, f"gid {gid}")
        for gid in gids:
            await self.change(gid, lambda gathering: changes.unregister(gathering, pid))

    async def update(
        self, player: Player, gid: int, kind: type[G], change: Callable[[G], dict[str, Any]]
    ) -> G:
        """Let the owner change fields; ``change`` returns them by name, or refuses.

        Raises MatchmakingError: UNKNOWN_GATHERING, NOT_OWNER, and INVALID for what would be out
        of bounds, or if the hooks say so.
        """

        def transition(gathering: Any) -> Outcome[Any]:
            outcome = changes.update(expect(kind, gathering), player.pid, change)
            if outcome.after is None:
                return outcome
            check_gathering(outcome.after)
            self.validate(player, outcome.after)
            return outcome

        return cast("G", await self.change(gid, transition))

    async def set_system_password(self, player: Player, gid: int, password: str) -> None:
        """Set the system password of a session, or clear it with "", and tell who is in it.

        Raises MatchmakingError: UNKNOWN_GATHERING, NOT_OWNER.
        """
        await self.change(
            gid,
            lambda gathering: changes.set_system_password(
                expect(MatchmakeSession, gathering), player.pid, password
            ),
        )

    async def amend(self, gid: int, change: Callable[[MatchmakeSession], MatchmakeSession]) -> None:
        """Change a session on the server's own behalf, if it is still there."""
        await self.try_change(gid, lambda gathering: Outcome(change(gathering)))


def _nobody(_: Participant) -> bool:
    return False
