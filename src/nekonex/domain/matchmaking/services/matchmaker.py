"""Sessions: making them, joining them, browsing, and auto-matchmaking, which does all three."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace
from typing import Final

from nekonex.domain.matchmaking.limits import SESSION_KEY_SIZE
from nekonex.domain.matchmaking.model import Gathering, MatchmakeSession, Participant
from nekonex.domain.matchmaking.refusals import MatchmakingError, Refusal
from nekonex.domain.matchmaking.rules.admission import Credentials
from nekonex.domain.matchmaking.rules.validation import check_gathering
from nekonex.domain.matchmaking.search.query import NumberFilter, SessionQuery
from nekonex.domain.matchmaking.search.searching import Searcher, SearchService, for_joining
from nekonex.domain.matchmaking.services.gatherings import GatheringService
from nekonex.domain.matchmaking.titles import TitleRules
from nekonex.domain.players import Player
from nekonex.values import RMCError

__all__ = ["Company", "Matchmaker"]

TokenBytes = Callable[[int], bytes]

_TRY_ANOTHER: Final = frozenset(
    {
        Refusal.UNKNOWN_GATHERING,
        Refusal.ALREADY_PARTICIPATING,
        Refusal.FULL,
        Refusal.CLOSED,
        Refusal.NEEDS_PASSWORD,
        Refusal.NOT_ALLOWED,
        Refusal.NOT_FRIEND,
        Refusal.BLOCKED,
        Refusal.BLOCKED_BY_PARTICIPANT,
    }
)
"""Why a session that was found may not be joined, although another one may."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Company:
    """With whom a player comes: those on its console, and those it brings from a gathering."""

    count: int = 1
    message: str = ""
    additional: tuple[int, ...] = ()
    from_gid: int = 0
    """The gathering that the player and all additional ones are in; needed if there are any."""


class Matchmaker:
    """Brings players together in sessions. ``token_bytes(n)`` makes unguessable bytes.

    Methods raise MatchmakingError, and then nothing has changed but that a player may have left
    the sessions it was in before; RMCError of the game's hooks; and ServiceUnavailable.
    """

    def __init__(
        self,
        gatherings: GatheringService,
        searching: SearchService,
        rules: TitleRules,
        token_bytes: TokenBytes,
    ) -> None:
        self._gatherings = gatherings
        self._searching = searching
        self._rules = rules
        self._token_bytes = token_bytes

    async def create(
        self, player: Player, template: MatchmakeSession, company: Company
    ) -> MatchmakeSession:
        """Make a session and join it, leaving those that the player was in."""
        check_gathering(template)
        await self._check_company(player, company)
        return await self._make(player, template, self._arrivals(player, company))

    async def _make(
        self, player: Player, template: MatchmakeSession, arrivals: Sequence[Participant]
    ) -> MatchmakeSession:
        service = self._gatherings
        made = self._prepared(template)
        needed = sum(arrival.count for arrival in arrivals)
        # Both before the player has left its old sessions for nothing.
        if template.max_participants and needed > template.max_participants:
            raise MatchmakingError(Refusal.FULL, f"{needed} of {template.max_participants}")
        service.validate(player, made)
        await service.leave_sessions(player)
        return await service.create(player, made, arrivals)

    def _prepared(self, template: MatchmakeSession) -> MatchmakeSession:
        """Return a template with what the server and the title's rules write into sessions."""
        return self._rules.created.applied(
            replace(
                template,
                started_time=self._gatherings.now(),
                session_key=self._token_bytes(SESSION_KEY_SIZE),
                system_password="",
            )
        )

    async def register(self, player: Player, template: Gathering) -> Gathering:
        """Make a gathering, a session or a plain one, that the player owns and is not in."""
        check_gathering(template)
        if isinstance(template, MatchmakeSession):
            template = self._prepared(template)
        return await self._gatherings.create(player, template)

    async def join(
        self,
        player: Player,
        gid: int,
        company: Company,
        shown: Credentials,
        *,
        already_in: bool = False,
    ) -> MatchmakeSession:
        """Join a session; with ``already_in`` only those come whom the player brings."""
        await self._check_company(player, company)
        arrivals = self._arrivals(player, company)
        if already_in:
            arrivals = [arrival for arrival in arrivals if arrival.pid != player.pid]
        return await self._gatherings.join(
            player, gid, arrivals, shown, kind=MatchmakeSession, already_in=already_in
        )

    async def browse(
        self, player: Player, queries: Sequence[SessionQuery], offset: int, limit: int
    ) -> list[MatchmakeSession]:
        """Find sessions, and join none."""
        self._check_queries(queries)
        searcher = await self._searching.searcher(player)
        cleaned = [self._rules.clean_query(query) for query in queries]
        return await self._searching.search(searcher, cleaned, offset=offset, limit=limit)

    async def auto_matchmake(
        self,
        player: Player,
        template: MatchmakeSession,
        company: Company,
        *,
        queries: Sequence[SessionQuery] | None = None,
        gids: Collection[int] | None = None,
    ) -> MatchmakeSession:
        """Join the first session that fits, or make one; the player leaves those it was in.

        What fits is what the queries say, or, without any, what is like the template. With
        ``gids`` only these are looked at.
        """
        check_gathering(template)
        self._check_queries(queries or ())
        await self._check_company(player, company)
        arrivals = self._arrivals(player, company)
        places = sum(arrival.count for arrival in arrivals)
        await self._gatherings.leave_sessions(player)
        if queries:
            await self._open_matched()
            wanted = [self._rules.clean_query(query) for query in queries]
        else:
            template = self._rules.clean_template(template)
            wanted = [self._rules.query_of_template(template, places)]
        wanted = [for_joining(query, places) for query in wanted]
        if gids is not None:
            wanted = [replace(query, gids=frozenset(gids)) for query in wanted]
        searcher = await self._searching.searcher(player, company.additional)
        joined = await self._join_any(searcher, wanted, arrivals)
        return joined or await self._make(player, template, arrivals)

    async def _join_any(
        self,
        searcher: Searcher,
        queries: Sequence[SessionQuery],
        arrivals: Sequence[Participant],
    ) -> MatchmakeSession | None:
        """Join what a search finds; search again while it finds what was not tried, to a limit."""
        service = self._gatherings
        limit = service.limits.max_candidates
        tried = searcher.tried
        while len(tried) < service.limits.max_tries and (
            candidates := await self._searching.search(searcher, queries, limit=limit, joining=True)
        ):
            for candidate in candidates:
                tried.add(candidate.gid)
                try:
                    return await service.join(
                        searcher.player,
                        candidate.gid,
                        arrivals,
                        Credentials(),
                        kind=MatchmakeSession,
                    )
                except MatchmakingError as error:
                    if error.refusal not in _TRY_ANOTHER:
                        raise
                except RMCError:
                    # The game's own hook told why not this one; it may let the player into another.
                    continue
        return None

    async def _open_matched(self) -> None:
        """Apply the title's rule for sessions that searches by criteria meet."""
        rule = self._rules.matched
        if not rule.changes:
            return
        service = self._gatherings
        wanted = None if rule.game_mode is None else NumberFilter.of(rule.game_mode)
        sessions = await service.live.search(
            SessionQuery(game_mode=wanted),
            lambda session: rule.applied(session) is not session,
            offset=0,
            limit=service.limits.max_results,
        )
        for session in sessions:
            await service.amend(session.gid, rule.applied)

    def _check_queries(self, queries: Sequence[SessionQuery]) -> None:
        if len(queries) > self._gatherings.limits.max_criteria:
            raise MatchmakingError(Refusal.INVALID, f"{len(queries)} criteria")

    def _arrivals(self, player: Player, company: Company) -> list[Participant]:
        return self._gatherings.arrivals(player, company.count, company.message, company.additional)

    async def _check_company(self, player: Player, company: Company) -> None:
        """Refuse to bring anybody who is not in the same gathering as the player."""
        if not company.from_gid:
            if set(company.additional) - {player.pid}:
                raise MatchmakingError(Refusal.NOT_PARTICIPATING, "no gathering to come from")
            return
        gathering = await self._gatherings.find(company.from_gid)
        for pid in (player.pid, *company.additional):
            if gathering is None or gathering.participant(pid) is None:
                raise MatchmakingError(Refusal.NOT_PARTICIPATING, f"PID {pid}")
