"""The part of the matchmake extension's server that looks for sessions, and joins none."""

from __future__ import annotations

from collections.abc import Sequence

from nekonex.domain.matchmaking import MatchmakeSession, SessionQuery
from nekonex.nex import structures as wire
from nekonex.nex.matchmake_extension.definition import (
    GatheringsWithHostsReply,
    MatchmakeExtension,
    SessionsWithHostsReply,
)
from nekonex.nex.matchmake_extension.social_server import SocialServer
from nekonex.nex.matchmaking.translate import query_of, session_to_wire
from nekonex.nex.structures import (
    FindMatchmakeSessionByParticipantParam,
    FindMatchmakeSessionByParticipantResult,
    GatheringURLs,
    MatchmakeSessionSearchCriteria,
    ResultRange,
)
from nekonex.rmc import Session
from nekonex.wire import PID, AnyData, UInt32

__all__ = ["FindingServer"]

_INCLUDE_BUFFER, _INCLUDE_PARAM = 1, 2


class FindingServer(SocialServer, MatchmakeExtension):
    """Sessions for those who look around, or ask for certain ones."""

    # -- looking around -------------------------------------------------------------------

    async def browse_matchmake_session(
        self,
        client: Session,
        search_criteria: MatchmakeSessionSearchCriteria,
        result_range: ResultRange,
    ) -> list[AnyData]:
        """Find sessions."""
        found = await self._browse(client, search_criteria, result_range)
        return [session_to_wire(session, secrets=False) for session in found]

    async def browse_matchmake_session_with_host_urls(
        self,
        client: Session,
        search_criteria: MatchmakeSessionSearchCriteria,
        result_range: ResultRange,
    ) -> GatheringsWithHostsReply:
        """Find sessions, and how the hosts of those that can be joined are reached."""
        found = await self._browse(client, search_criteria, result_range)
        sessions: list[AnyData] = [session_to_wire(each, secrets=False) for each in found]
        return GatheringsWithHostsReply(sessions, self._host_urls(found))

    async def browse_matchmake_session_no_holder(
        self,
        client: Session,
        search_criteria: MatchmakeSessionSearchCriteria,
        result_range: ResultRange,
    ) -> list[wire.MatchmakeSession]:
        """Find sessions."""
        found = await self._browse(client, search_criteria, result_range)
        return [session_to_wire(session, secrets=False) for session in found]

    async def browse_matchmake_session_with_host_urls_no_holder(
        self,
        client: Session,
        search_criteria: MatchmakeSessionSearchCriteria,
        result_range: ResultRange,
    ) -> SessionsWithHostsReply:
        """Find sessions, and how the hosts of those that can be joined are reached."""
        found = await self._browse(client, search_criteria, result_range)
        sessions = [session_to_wire(session, secrets=False) for session in found]
        return SessionsWithHostsReply(sessions, self._host_urls(found))

    async def browse_matchmake_session_no_holder_no_result_range(
        self, client: Session, search_criteria: MatchmakeSessionSearchCriteria
    ) -> list[wire.MatchmakeSession]:
        """Find sessions in the range that the criteria name."""
        return await self.browse_matchmake_session_no_holder(
            client, search_criteria, search_criteria.range
        )

    async def browse_matchmake_session_with_host_urls_no_holder_no_result_range(
        self, client: Session, search_criteria: MatchmakeSessionSearchCriteria
    ) -> SessionsWithHostsReply:
        """Find sessions in the range that the criteria name, and how their hosts are reached."""
        return await self.browse_matchmake_session_with_host_urls_no_holder(
            client, search_criteria, search_criteria.range
        )

    async def _browse(
        self, client: Session, criteria: MatchmakeSessionSearchCriteria, result_range: ResultRange
    ) -> list[MatchmakeSession]:
        offset, limit = self.result_range(result_range, at_most=self.matchmaking.limits.max_browse)
        return await self.matchmaking.matchmaker.browse(
            self.player_of(client), [query_of(criteria)], offset, limit
        )

    def _host_urls(self, sessions: Sequence[MatchmakeSession]) -> list[GatheringURLs]:
        joinable = SessionQuery(
            places=1, open_only=True, without_user_password=True, without_system_password=True
        )
        return [
            GatheringURLs(each.gid, self.host_urls(each) if joinable.matches(each) else [])
            for each in sessions
        ]

    # -- asking for certain sessions ------------------------------------------------------

    async def find_matchmake_session_by_gathering_id_detail(
        self, client: Session, gid: UInt32
    ) -> wire.MatchmakeSession:
        """Return a session, to its participants with its secrets."""
        player = self.player_of(client)
        session = await self.matchmaking.gatherings.get_session(gid)
        inside = session.participant(player.pid) is not None
        return session_to_wire(session, secrets=inside)

    async def find_matchmake_session_by_single_gathering_id(
        self, client: Session, gid: UInt32
    ) -> wire.MatchmakeSession:
        """Return a session."""
        self.player_of(client)
        session = await self.matchmaking.gatherings.get_session(gid)
        return session_to_wire(session, secrets=False)

    async def find_matchmake_session_by_gathering_id(
        self, client: Session, gids: list[UInt32]
    ) -> list[wire.MatchmakeSession]:
        """Return those of these sessions that exist."""
        self.player_of(client)
        self.check_list(gids)
        found = await self.matchmaking.gatherings.get_many(gids)
        return _sessions(found)

    async def find_matchmake_session_by_owner(
        self, client: Session, pid: PID, result_range: ResultRange
    ) -> list[wire.MatchmakeSession]:
        """Return the sessions that a player owns."""
        self.player_of(client)
        offset, limit = self.result_range(result_range)
        return _sessions(await self.matchmaking.gatherings.of_owner(pid, offset, limit))

    async def find_matchmake_session_by_participant(
        self, client: Session, param: FindMatchmakeSessionByParticipantParam
    ) -> list[FindMatchmakeSessionByParticipantResult]:
        """Return the sessions that players are in, with as much as the options ask for."""
        self.player_of(client)
        self.check_list(param.pids)
        results = []
        for pid, session in await self.playing(param.pids):
            found = session_to_wire(session, secrets=False)
            if not param.options & _INCLUDE_BUFFER:
                found.application_data = b""
            if not param.options & _INCLUDE_PARAM:
                found.param = wire.MatchmakeParam()
            results.append(FindMatchmakeSessionByParticipantResult(pid, found))
        return results


def _sessions(gatherings: Sequence[object]) -> list[wire.MatchmakeSession]:
    return [
        session_to_wire(gathering, secrets=False)
        for gathering in gatherings
        if isinstance(gathering, MatchmakeSession)
    ]
