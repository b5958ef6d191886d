"""Finding sessions for a player: who looks, what it may find, and why it found nothing."""

from __future__ import annotations

import asyncio
import logging
from collections import OrderedDict
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from nekonex.domain.matchmaking.logs import logger
from nekonex.domain.matchmaking.model import MatchmakeSession
from nekonex.domain.matchmaking.reasons import Reason
from nekonex.domain.matchmaking.relations.unreachable import UnreachablePairs
from nekonex.domain.matchmaking.search.query import SessionQuery
from nekonex.domain.matchmaking.services.gatherings import GatheringService
from nekonex.domain.players import Player

__all__ = ["LastSearch", "SearchService", "Searcher", "fewest_reasons", "for_joining"]

_LOGGED_CANDIDATES = 5


@dataclass(frozen=True, slots=True)
class LastSearch:
    """What a player looked for last, and how many sessions it was given."""

    time: float
    queries: tuple[SessionQuery, ...]
    joining: bool
    """Whether it was to join what it finds."""
    found: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Searcher:
    """A player who looks for sessions, and all that decides which it may find."""

    player: Player
    service: GatheringService
    joined: Collection[int] = ()
    """Gids of gatherings that the player, or somebody it brings, is in."""
    friends: frozenset[int] = frozenset()
    blocked: frozenset[int] = frozenset()
    unreachable: Collection[int] = ()
    """Players with whom a connection failed a short while ago."""
    tried: set[int] = field(default_factory=set)
    """Gids of sessions that the search has returned before."""

    def own(self, query: SessionQuery) -> SessionQuery:
        """Return a query that finds nothing that is for others' friends only."""
        return replace(query, friends=self.friends)

    def accepts(self, session: MatchmakeSession) -> bool:
        """Tell whether the player may find a session that matches its criteria."""
        return session.gid not in self.tried and next(self.objections(session), None) is None

    def objections(self, session: MatchmakeSession) -> Iterator[Reason]:
        """Say what else than the criteria keeps a session from being found."""
        if session.gid in self.joined:
            yield Reason("already in", "the player is in it already")
        if not session.host:
            yield Reason("host", "it has no host")
        elif not self.service.online(session.host):
            yield Reason("host offline", f"its host, PID {session.host}, is offline")
        if session.owner in self.blocked:
            yield Reason("blocked", f"the player blocked its owner, PID {session.owner}")
        if self.unreachable:
            for pid in session.pids:
                if pid in self.unreachable:
                    yield Reason(
                        "unreachable", f"a connection with PID {pid} failed a short while ago"
                    )
        if not self.service.hooks.accepts(self.player, session):
            yield Reason("game", "the game's own filter passes over it")


class SearchService:
    """Searches for players, and remembers what each looked for last."""

    def __init__(self, gatherings: GatheringService, unreachable: UnreachablePairs) -> None:
        self.unreachable = unreachable
        self._gatherings = gatherings
        self._last: OrderedDict[int, LastSearch] = OrderedDict()

    def last_search(self, pid: int) -> LastSearch | None:
        """Return what a player looked for last, if that is remembered."""
        return self._last.get(pid)

    async def searcher(self, player: Player, brought: Iterable[int] = ()) -> Searcher:
        """Return a player with all that decides what it may find, as it is now.

        With those whom it brings it finds only what suits them all.
        """
        service, pid = self._gatherings, player.pid
        friends: frozenset[int] = frozenset()
        if await service.live.has_friends_only():
            friends = await service.friends.friends_of(pid) | {pid}
        blocked = frozenset(await service.blocking.of(pid))
        joined: set[int] = set()
        unreachable: frozenset[int] = frozenset()
        for each in (pid, *brought):
            joined |= {gathering.gid for gathering in await service.live.of_participant(each)}
            unreachable |= self.unreachable.failed_with(each)
        return Searcher(
            player=player,
            service=service,
            joined=joined,
            friends=friends,
            blocked=blocked,
            unreachable=unreachable,
        )

    async def search(
        self,
        searcher: Searcher,
        queries: Sequence[SessionQuery],
        *,
        offset: int = 0,
        limit: int,
        joining: bool = False,
    ) -> list[MatchmakeSession]:
        """Return what the first query finds, then what the next ones find besides."""
        found: dict[int, MatchmakeSession] = {}

        def accept(session: MatchmakeSession) -> bool:
            return session.gid not in found and searcher.accepts(session)

        live = self._gatherings.live
        queries = [searcher.own(query) for query in queries]
        result: list[MatchmakeSession] = []
        try:
            if len(queries) == 1:
                result += await live.search(
                    queries[0], searcher.accepts, offset=offset, limit=limit
                )
            else:
                for query in queries:
                    wanted = offset + limit - len(found)
                    if wanted > 0:
                        for session in await live.search(query, accept, offset=0, limit=wanted):
                            found[session.gid] = session
                result += list(found.values())[offset:]
        finally:
            # Also if the game's own filter raises: somebody may ask why nothing was found.
            self._remember(searcher, tuple(queries), joining=joining, found=len(result))
        if not result and not searcher.tried and logger.isEnabledFor(logging.DEBUG):
            await self._log(searcher, queries)
        return result

    async def explain(
        self, searcher: Searcher, queries: Sequence[SessionQuery], *, in_turns: bool = False
    ) -> list[tuple[MatchmakeSession, list[Reason]]]:
        """Say of every session what keeps it from being found; the nearest misses first.

        Of several queries the one counts that a session fails least. It looks at all sessions:
        for people, not for the play, which gets its turns meanwhile with ``in_turns``.
        """
        queries = [searcher.own(query) for query in queries]
        explained = []
        after = 0
        while page := await self._gatherings.live.page(after, self._gatherings.limits.max_results):
            after = page[-1].gid
            for session in page:
                if isinstance(session, MatchmakeSession):
                    misses = [list(query.mismatches(session)) for query in queries] or [[]]
                    reasons = [*min(misses, key=len), *_told(searcher.objections(session))]
                    # What a query demands and every search does is told once.
                    explained.append((session, list(dict.fromkeys(reasons))))
            if in_turns:
                await asyncio.sleep(0)
        explained.sort(key=fewest_reasons)
        return explained

    async def _log(self, searcher: Searcher, queries: Sequence[SessionQuery]) -> None:
        explained = await self.explain(searcher, queries)
        who = {"game": self._gatherings.players.game, "pid": searcher.player.pid}
        logger.debug("no session found", extra={**who, "sessions": len(explained)})
        for session, reasons in explained[:_LOGGED_CANDIDATES]:
            why = {**who, "gid": session.gid, "reason": "; ".join(reasons)}
            logger.debug("session passed over", extra=why)

    def _remember(
        self, searcher: Searcher, queries: tuple[SessionQuery, ...], *, joining: bool, found: int
    ) -> None:
        pid = searcher.player.pid
        self._last[pid] = LastSearch(self._gatherings.clock(), queries, joining, found)
        self._last.move_to_end(pid)
        if len(self._last) > self._gatherings.limits.remembered_players:
            self._last.popitem(last=False)


def _told(objections: Iterator[Reason]) -> Iterator[Reason]:
    """Yield objections, and what is wrong with the game's own filter if that raises."""
    try:
        yield from objections
    except Exception as error:  # noqa: BLE001 - whatever a game's code raises is the reason
        yield Reason("game", f"the game's own filter fails: {type(error).__name__}: {error}")


def fewest_reasons(explained: tuple[MatchmakeSession, list[Reason]]) -> tuple[int, int]:
    """Return a key that sorts explained sessions: the nearest misses first, then by gid."""
    session, reasons = explained
    return len(reasons), session.gid


def for_joining(query: SessionQuery, places: int) -> SessionQuery:
    """Return a search that finds only what its searcher can join without a password."""
    return replace(
        query,
        places=max(query.places, places),
        open_only=True,
        hosted_only=True,
        without_user_password=True,
        without_system_password=True,
    )
