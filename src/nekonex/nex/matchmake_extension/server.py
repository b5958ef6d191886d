"""The matchmake extension's server: sessions."""

from __future__ import annotations

import secrets
import string
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import Any, Final

from nekonex.domain.matchmaking import (
    Company,
    Credentials,
    MatchmakeSession,
    Matchmaking,
    MatchmakingError,
    Refusal,
    SessionQuery,
    changes,
)
from nekonex.domain.matchmaking.limits import SYSTEM_PASSWORD_SIZE
from nekonex.nex import structures as wire
from nekonex.nex.matchmake_extension.definition import (
    CreateSessionReply,
    GatheringsWithHostsReply,
    MatchmakeExtension,
    SessionsWithHostsReply,
)
from nekonex.nex.matchmake_extension.social_server import SocialServer
from nekonex.nex.matchmake_extension.updates import part_changes, whole_changes
from nekonex.nex.matchmaking.translate import query_of, session_of, session_to_wire
from nekonex.nex.secure import SecureConnectionServer
from nekonex.nex.structures import (
    AutoMatchmakeParam,
    CreateMatchmakeSessionParam,
    FindMatchmakeSessionByParticipantParam,
    FindMatchmakeSessionByParticipantResult,
    GatheringURLs,
    JoinMatchmakeSessionParam,
    MatchmakeSessionSearchCriteria,
    ResultRange,
    UpdateMatchmakeSessionParam,
)
from nekonex.rmc import Session
from nekonex.settings import Settings, SettingsSource
from nekonex.wire import PID, AnyData, Buffer, String, UInt8, UInt32, Variant

__all__ = ["MatchmakeExtensionServer"]

_ALPHABET = string.ascii_letters + string.digits
_JOIN, _ALREADY_IN = range(2)
_SERVER_PARAM: Final = {"@SR": Variant.of(value=True), "@GIR": Variant.of(3)}
"""What nex-protocols-common-go puts into each new session; consoles see it from NEX 3.6 on."""
_INCLUDE_BUFFER, _INCLUDE_PARAM = 1, 2


class MatchmakeExtensionServer(SocialServer, MatchmakeExtension):
    """Brings players together: creates, searches and joins sessions, and keeps communities.

    Override methods to differ, or pass a `Matchmaking` with hooks of your own. NEX 4 can have a
    server search in the background (45 to 47): that is not implemented, as nobody knows how
    consoles are told of the result.
    """

    def __init__(
        self,
        settings: SettingsSource,
        *,
        matchmaking: Matchmaking,
        secure: SecureConnectionServer | None = None,
    ) -> None:
        Settings.from_mapping(settings).transport()
        super().__init__(matchmaking, secure)

    # -- joining whatever fits --------------------------------------------------------

    async def auto_matchmake_postpone(
        self, client: Session, gathering: AnyData, message: String
    ) -> AnyData:
        """Join the session most like the given one, or create it."""
        template = _template(_session_in(gathering), client)
        session = await self.matchmaking.matchmaker.auto_matchmake(
            self.player_of(client), template, Company(message=message)
        )
        return session_to_wire(session, secrets=True)

    async def auto_matchmake_with_search_criteria_postpone(
        self,
        client: Session,
        search_criteria: list[MatchmakeSessionSearchCriteria],
        gathering: AnyData,
        message: String,
    ) -> AnyData:
        """Join a session that one of the criteria finds, or create the given one.

        The first criteria's number of vacant places is how many the caller takes.
        """
        template = _template(_session_in(gathering), client)
        count = search_criteria[0].vacant_participants if search_criteria else 1
        session = await self.matchmaking.matchmaker.auto_matchmake(
            self.player_of(client),
            template,
            Company(count=count, message=message),
            queries=[query_of(criteria) for criteria in search_criteria],
        )
        return session_to_wire(session, secrets=True)

    async def auto_matchmake_with_gathering_id_postpone(
        self, client: Session, gids: list[UInt32], gathering: AnyData, message: String
    ) -> AnyData:
        """Join the one of these sessions that is most like the given one, or create that."""
        self.check_list(gids)
        template = _template(_session_in(gathering), client)
        session = await self.matchmaking.matchmaker.auto_matchmake(
            self.player_of(client), template, Company(message=message), gids=gids
        )
        return session_to_wire(session, secrets=True)

    async def auto_matchmake_with_param_postpone(
        self, client: Session, param: AutoMatchmakeParam
    ) -> wire.MatchmakeSession:
        """Join a session that one of the criteria finds, or create the given one."""
        self.check_list(param.target_gids)
        session = await self.matchmaking.matchmaker.auto_matchmake(
            self.player_of(client),
            _template(param.session, client),
            Company(
                count=param.num_participants,
                message=param.join_message,
                additional=tuple(param.participants),
                from_gid=param.gid_for_participation_check,
            ),
            queries=[query_of(criteria) for criteria in param.search_criteria],
            gids=param.target_gids or None,
        )
        return session_to_wire(session, secrets=True)

    # -- creating and joining -----------------------------------------------------------

    async def create_matchmake_session(
        self, client: Session, gathering: AnyData, message: String, num_participants: int = 1
    ) -> CreateSessionReply:
        """Create a session and join it."""
        company = Company(count=num_participants, message=message)
        session = await self.matchmaking.matchmaker.create(
            self.player_of(client), _template(_session_in(gathering), client), company
        )
        return CreateSessionReply(session.gid, session.session_key)

    async def create_matchmake_session_with_param(
        self, client: Session, param: CreateMatchmakeSessionParam
    ) -> wire.MatchmakeSession:
        """Create a session and join it, alone or together with others."""
        session = await self.matchmaking.matchmaker.create(
            self.player_of(client),
            _template(param.session, client),
            Company(
                count=param.num_participants,
                message=param.join_message,
                additional=tuple(param.additional_participants),
                from_gid=param.gid_for_participation_check,
            ),
        )
        return session_to_wire(session, secrets=True)

    async def join_matchmake_session(self, client: Session, gid: UInt32, message: String) -> Buffer:
        """Join a session that has no password."""
        return await self.join_matchmake_session_ex(
            client, gid, message, ignore_block_list=False, num_participants=1
        )

    async def join_matchmake_session_ex(
        self,
        client: Session,
        gid: UInt32,
        message: String,
        ignore_block_list: bool,
        num_participants: int = 1,
    ) -> Buffer:
        """Join a session that has no password, with several players on the console."""
        session = await self.matchmaking.matchmaker.join(
            self.player_of(client),
            gid,
            Company(count=num_participants, message=message),
            Credentials(ignore_block_list=ignore_block_list),
        )
        return session.session_key

    async def join_matchmake_session_with_param(
        self, client: Session, param: JoinMatchmakeSessionParam
    ) -> wire.MatchmakeSession:
        """Join a session, alone or together with others, with the passwords that it takes."""
        if param.behavior not in {_JOIN, _ALREADY_IN}:
            raise MatchmakingError(Refusal.INVALID, f"join behavior {param.behavior}")
        session = await self.matchmaking.matchmaker.join(
            self.player_of(client),
            param.gid,
            Company(
                count=self.places_with(param.num_participants, param.extra_participants),
                message=param.join_message,
                additional=tuple(param.participants),
                from_gid=param.gid_for_participation_check,
            ),
            Credentials(user_password=param.user_password, system_password=param.system_password),
            already_in=param.behavior == _ALREADY_IN,
        )
        return session_to_wire(session, secrets=True)

    def places_with(self, count: int, extra: int) -> int:
        """Return how many places a console takes with ``extra`` players besides the others.

        Raises MatchmakingError (INVALID) for more of those than ``max_extra_participants``.
        """
        if extra > self.matchmaking.limits.max_extra_participants:
            raise MatchmakingError(Refusal.INVALID, f"{extra} extra participants")
        return max(count, 1) + extra

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

    # -- changing one's own ------------------------------------------------------------------

    async def close_participation(self, client: Session, gid: UInt32) -> None:
        """Let nobody join any more."""
        await self._set(client, gid, open_participation=False)

    async def open_participation(self, client: Session, gid: UInt32) -> None:
        """Let players join again."""
        await self._set(client, gid, open_participation=True)

    async def modify_current_game_attribute(
        self, client: Session, gid: UInt32, attrib: UInt32, value: UInt32
    ) -> None:
        """Set one attribute of a session."""
        await self.matchmaking.gatherings.update(
            self.player_of(client),
            gid,
            MatchmakeSession,
            partial(changes.set_attribute, index=attrib, value=value),
        )

    async def update_application_buffer(self, client: Session, gid: UInt32, buffer: Buffer) -> None:
        """Replace the game's own data of a session."""
        await self._set(client, gid, application_data=buffer)

    async def update_matchmake_session_attribute(
        self, client: Session, gid: UInt32, attribs: list[UInt32]
    ) -> None:
        """Replace all attributes of a session."""
        await self._set(client, gid, attributes=tuple(attribs))

    async def update_progress_score(self, client: Session, gid: UInt32, score: UInt8) -> None:
        """Say how far the game is, in percent."""
        await self._set(client, gid, progress_score=score)

    async def update_matchmake_session(self, client: Session, gathering: AnyData) -> None:
        """Replace what may change of the session with the same id."""
        template = session_of(_session_in(gathering), client.context)
        await self.matchmaking.gatherings.update(
            self.player_of(client),
            template.gid,
            MatchmakeSession,
            partial(whole_changes, template=template),
        )

    async def update_matchmake_session_part(
        self, client: Session, param: UpdateMatchmakeSessionParam
    ) -> None:
        """Replace the parts of a session that the flags name."""
        await self.matchmaking.gatherings.update(
            self.player_of(client), param.gid, MatchmakeSession, partial(part_changes, param=param)
        )

    async def generate_matchmake_session_system_password(
        self, client: Session, gid: UInt32
    ) -> String:
        """Make a password for a session, and tell its participants."""
        password = "".join(secrets.choice(_ALPHABET) for _ in range(SYSTEM_PASSWORD_SIZE))
        await self.matchmaking.gatherings.set_system_password(self.player_of(client), gid, password)
        return password

    async def clear_matchmake_session_system_password(self, client: Session, gid: UInt32) -> None:
        """Drop the password that the server made, and tell the participants."""
        await self.matchmaking.gatherings.set_system_password(self.player_of(client), gid, "")

    async def _set(self, client: Session, gid: int, **values: Any) -> None:
        await self.matchmaking.gatherings.update(
            self.player_of(client), gid, MatchmakeSession, lambda _: values
        )


def _session_in(holder: AnyData) -> wire.MatchmakeSession:
    """Return the session in a data holder; MatchmakingError (INVALID) for anything else."""
    if not isinstance(holder, wire.MatchmakeSession):
        raise MatchmakingError(Refusal.INVALID, "that is no MatchmakeSession")
    return holder


def _template(session: wire.MatchmakeSession, client: Session) -> MatchmakeSession:
    """Return what a console wants a session to be like, with the server's own parameters."""
    template = session_of(session, client.context)
    return replace(template, param={**template.param, **_SERVER_PARAM})


def _sessions(gatherings: Sequence[object]) -> list[wire.MatchmakeSession]:
    return [
        session_to_wire(gathering, secrets=False)
        for gathering in gatherings
        if isinstance(gathering, MatchmakeSession)
    ]
