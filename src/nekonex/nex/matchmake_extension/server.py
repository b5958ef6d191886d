"""The matchmake extension's server: sessions."""

from __future__ import annotations

import secrets
import string
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
)
from nekonex.domain.matchmaking.limits import SYSTEM_PASSWORD_SIZE
from nekonex.domain.matchmaking.rules import changes
from nekonex.nex import structures as wire
from nekonex.nex.matchmake_extension.definition import CreateSessionReply
from nekonex.nex.matchmake_extension.finding_server import FindingServer
from nekonex.nex.matchmake_extension.updates import part_changes, whole_changes
from nekonex.nex.matchmaking.translate import query_of, session_of, session_to_wire
from nekonex.nex.secure import SecureConnectionServer
from nekonex.nex.structures import (
    AutoMatchmakeParam,
    CreateMatchmakeSessionParam,
    JoinMatchmakeSessionParam,
    MatchmakeSessionSearchCriteria,
    UpdateMatchmakeSessionParam,
)
from nekonex.rmc import Session
from nekonex.settings import Settings, SettingsSource
from nekonex.wire import AnyData, Buffer, String, UInt8, UInt32, Variant

__all__ = ["MatchmakeExtensionServer"]

_ALPHABET = string.ascii_letters + string.digits
_JOIN, _ALREADY_IN = range(2)
_SERVER_PARAM: Final = {"@SR": Variant.of(value=True), "@GIR": Variant.of(3)}
"""What nex-protocols-common-go puts into each new session; consoles see it from NEX 3.6 on."""


class MatchmakeExtensionServer(FindingServer):
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

    # -- changing one's own ------------------------------------------------------------------

    async def close_participation(self, client: Session, gid: UInt32) -> None:
        """Let nobody join any more; the title's rules may want others than the owner ignored."""
        try:
            await self._set(client, gid, open_participation=False)
        except MatchmakingError as error:
            ignored = self.matchmaking.rules.ignore_closing_by_others
            if error.refusal is not Refusal.NOT_OWNER or not ignored:
                raise

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
