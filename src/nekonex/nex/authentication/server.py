"""The authentication server."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Mapping
from typing import Final

from nekonex.domain import (
    SPECIAL_PIDS,
    AccessService,
    Identity,
    IdentityService,
)
from nekonex.domain.names import pid_of_name
from nekonex.events import EventBus, LoginFailed
from nekonex.kerberos import TICKET_MAX_AGE, TokenVerifier
from nekonex.nex.authentication.admission import (
    NAME_LIMIT,
    Admission,
    AuthCallback,
    LoginRefusedError,
)
from nekonex.nex.authentication.definition import (
    Authentication,
    ContextLoginReply,
    CrossplayAuthentication,
    KeyedLoginReply,
    LoginReply,
    TicketReply,
)
from nekonex.nex.authentication.tickets import TicketHolder, TicketIssuer
from nekonex.nex.limits import AddressLimiter, LoginLimits
from nekonex.nex.logs import login_logger, where
from nekonex.nex.structures import (
    NullData,
    RVConnectionData,
    ValidateAndRequestTicketParam,
    ValidateAndRequestTicketResult,
)
from nekonex.nex.tokens import register_login_data
from nekonex.rmc import BoundMethod, Session
from nekonex.settings import Settings, SettingsSource
from nekonex.values import DateTime, Result, RMCError, ServiceUnavailable, StationURL
from nekonex.wire import PID, AnyData, String, UInt8, WireContext

__all__ = ["AuthenticationServer", "CrossplayAuthenticationServer", "SecureStation"]

_logger = logging.getLogger(__name__)

SecureStation = StationURL | Callable[[Session], StationURL]
"""Where the secure server is: one address for all, or what a quick function says for a client."""

LOGGED_NAME_LIMIT: Final = 64
"""Characters of an unknown user name that are logged."""

_SUCCESS: Final = Result.success()
_ACCESS_DENIED: Final = Result.error("Core::AccessDenied")
_TOO_OFTEN: Final = Result.error("RendezVous::LimitExceeded")
_SYSTEM_ERROR: Final = Result.error("Core::SystemError")


class _Login:
    """A login on one connection: whose tickets it may ask for, and since when that is checked."""

    __slots__ = ("checked", "holder", "target")

    def __init__(self, holder: TicketHolder, target: int, checked: float) -> None:
        self.holder = holder
        self.target = target
        self.checked = checked


class AuthenticationServer(Authentication):
    """Logs players in and gives them tickets for the secure server.

    Failures are told in the ``result`` of the reply, as Nintendo's servers do. Tickets are
    sealed with the key of the player's password, so a wrong password shows at the console only.
    From NEX 4.0 on, a player whose token was verified gets a key for this login instead, and
    never without: it would let anybody in as anybody.

    Without ``token_verifier`` tokens are accepted unread. ``require_token`` refuses logins that
    have none. ``secure_station`` names the secure server's principal id (``PID``), which must
    be a special user of ``identities``. See `Admission` for ``auth_callback``. ``clock`` returns
    POSIX seconds, ``monotonic`` seconds of a clock that only goes forward.

    Raises ValueError for settings that are out of range and arguments that do not fit together.
    """

    def __init__(
        self,
        settings: SettingsSource,
        *,
        identities: IdentityService,
        secure_station: SecureStation,
        build_string: str = "nekonex",
        game: str = "",
        access: AccessService | None = None,
        auth_callback: AuthCallback | None = None,
        token_verifier: TokenVerifier | None = None,
        require_token: bool = False,
        limits: LoginLimits | None = None,
        events: EventBus | None = None,
        clock: Callable[[], float] = time.time,
        monotonic: Callable[[], float] = time.monotonic,
        random: Callable[[int], bytes] = secrets.token_bytes,
    ) -> None:
        if require_token and token_verifier is None:
            raise ValueError("require_token needs a token_verifier, or nobody could log in")
        if isinstance(secure_station, StationURL):
            _check_station(secure_station)
        transport = Settings.from_mapping(settings).transport()
        self.game = game
        self.build_string = build_string
        self.verifies_tokens = token_verifier is not None
        self.accepts_login_without_token = not require_token
        self._identities = identities
        self._secure_station = secure_station
        self._admission = Admission(
            identities,
            game=game,
            access=access,
            auth_callback=auth_callback,
            token_verifier=token_verifier,
            require_token=require_token,
            clock=clock,
        )
        self._issuer = TicketIssuer(transport, clock=clock, random=random)
        self._limiter = AddressLimiter(limits or LoginLimits(), monotonic)
        self._events = events
        self._clock = clock
        self._targets: dict[int, Identity] = {}
        self._announced = False

    def bind(self, context: WireContext) -> dict[int, BoundMethod]:
        """Return the methods; makes the structures of login data known to the server."""
        register_login_data(context.holders)
        if not self._announced:
            self._announced = True
            for line in self.describe():
                _logger.info("%s", line, extra={"game": self.game})
        return super().bind(context)

    def describe(self) -> list[str]:
        """Return what an operator should know about how players are checked, a sentence each."""
        if not self.verifies_tokens:
            return ["login tokens are not verified: players prove themselves by password alone"]
        if self.accepts_login_without_token:
            return ["login tokens are verified; players may also log in without one"]
        return ["login tokens are verified, and nobody logs in without one"]

    # -- methods 1, 2 and 6 of all versions ----------------------------------

    async def login(self, client: Session, username: String) -> LoginReply:
        """Log a player in by name."""
        return LoginReply(*(await self._answer(client, username, None))[:5])

    async def login_ex(self, client: Session, username: String, extra_data: AnyData) -> LoginReply:
        """Log a player in by name and token."""
        return LoginReply(*(await self._answer(client, username, extra_data))[:5])

    async def login_with_context(self, client: Session, login_data: AnyData) -> ContextLoginReply:
        """Log a player in by token; refused where the verifier cannot tell whose it is."""
        return ContextLoginReply(*(await self._answer(client, None, login_data))[:4])

    async def validate_and_request_ticket(self, client: Session, username: String) -> LoginReply:
        """Log a player in by name."""
        return LoginReply(*(await self._answer(client, username, None))[:5])

    async def validate_and_request_ticket_with_custom_data(
        self, client: Session, username: String, extra_data: AnyData
    ) -> KeyedLoginReply:
        """Log a player in by name and token."""
        return await self._answer(client, username, extra_data, tell_key=True)

    async def validate_and_request_ticket_with_param(
        self, client: Session, param: ValidateAndRequestTicketParam
    ) -> ValidateAndRequestTicketResult:
        """Log a player in by name and token; an empty data holder is none.

        The principal id on the other platform, where a console asks for it, is the same.
        """
        data = None if isinstance(param.data, NullData) else param.data
        reply = await self._answer(client, param.username, data, tell_key=True)
        reply.result.raise_if_error()
        return ValidateAndRequestTicketResult(
            pid=reply.pid,
            ticket=reply.ticket,
            server_url=reply.connection_data.main_station,
            server_time=reply.connection_data.server_time,
            server_name=reply.server_name,
            source_key=reply.source_key,
            platform_pid=reply.pid if param.platform_pid_type else 0,
        )

    # -- methods 3, 4 and 5 ---------------------------------------------------

    async def request_ticket(self, client: Session, source: PID, target: PID) -> TicketReply:
        """Give a ticket for a special user to the player who logged in on this connection.

        For anybody else's, and for other players as targets, it would be a thing to try
        passwords on: ``Core::AccessDenied``.
        """
        try:
            login, identity = await self._may_request(client, source, target)
        except LoginRefusedError as refused:
            self._log_refusal(client, str(source), refused)
            return TicketReply(refused.result, b"")
        except ServiceUnavailable:
            return TicketReply(_SYSTEM_ERROR, b"")
        ticket = self._issuer.issue(login.holder, identity)
        return TicketReply(_SUCCESS, ticket, login.holder.source_key)

    async def get_pid(self, client: Session, username: String) -> PID:
        """Return the principal id of a user name, 0 if there is none."""
        self._limit_look_up(client)
        if len(username.encode()) > NAME_LIMIT:
            return 0
        user = await self._identities.find_user_name(username)
        return 0 if user is None else user.pid

    async def get_name(self, client: Session, pid: PID) -> String:
        """Return the user name of a principal id, empty if there is none."""
        self._limit_look_up(client)
        user = await self._identities.find_pid(pid)
        return "" if user is None else user.name

    # -- the one login ---------------------------------------------------------

    async def _answer(
        self, client: Session, user_name: str | None, data: object | None, *, tell_key: bool = False
    ) -> KeyedLoginReply:
        """Log in and return the reply of any login method, also of a refused login."""
        try:
            return await self._log_in(client, user_name, data, tell_key=tell_key)
        except LoginRefusedError as refused:
            failure = refused
        except ServiceUnavailable as error:
            failure = LoginRefusedError(_SYSTEM_ERROR, str(error))
        self._log_refusal(client, user_name or "", failure)
        return KeyedLoginReply(failure.result, 0, b"", RVConnectionData(), "", "")

    async def _log_in(
        self, client: Session, user_name: str | None, data: object | None, *, tell_key: bool
    ) -> KeyedLoginReply:
        client.state.pop(self, None)
        self._limit(client)
        if user_name is None:
            user_name = self._admission.name_in_token(data)
        identity = await self._admission.identify(user_name)
        proven = await self._admission.admit(identity, data)
        station = self._station(client)
        target = await self._target(station["PID"])
        if target is None:
            raise ValueError(f"the secure server's PID {station['PID']} is no special user")
        holder = self._issuer.holder(identity, tell_key=tell_key and proven)
        client.state[self] = _Login(holder, target.pid, self._clock())
        if login_logger.isEnabledFor(logging.DEBUG):
            login_logger.debug("ticket issued", extra=where(client, self.game, pid=identity.pid))
        return KeyedLoginReply(
            _SUCCESS,
            identity.pid,
            self._issuer.issue(holder, target),
            RVConnectionData(
                main_station=station, server_time=DateTime.from_timestamp(self._clock())
            ),
            self.build_string,
            holder.source_key,
        )

    async def _may_request(
        self, client: Session, source: int, target: int
    ) -> tuple[_Login, Identity]:
        """Return the login and the target of a ticket request; raises LoginRefusedError."""
        self._limit(client)
        login: _Login | None = client.state.get(self)
        if login is None or login.holder.pid != source:
            raise LoginRefusedError(_ACCESS_DENIED, "a ticket of another player")
        identity = None
        if target in SPECIAL_PIDS or target == login.target:
            identity = await self._target(target)
        if identity is None:
            raise LoginRefusedError(_ACCESS_DENIED, f"a ticket for PID {target}")
        now = self._clock()
        # A ticket is good for as long; what has changed since must not be slept through.
        if now - login.checked > TICKET_MAX_AGE:
            known = await self._admission.identify(str(source))
            await self._admission.readmit(known)
            login.checked = now
        return login, identity

    async def _target(self, pid: int) -> Identity | None:
        """Return the special user that a ticket may be for; their keys never change."""
        identity = self._targets.get(pid)
        if identity is None:
            identity = await self._identities.by_pid(pid)
            if identity is None or not identity.special:
                return None
            self._targets[pid] = identity
        return identity

    def _station(self, client: Session) -> StationURL:
        if isinstance(self._secure_station, StationURL):
            return self._secure_station
        return _check_station(self._secure_station(client))

    def _limit(self, client: Session) -> None:
        if not self._limiter.allow(client.remote_address[0]):
            raise LoginRefusedError(_TOO_OFTEN, "too many requests from this address")

    def _limit_look_up(self, client: Session) -> None:
        if not self._limiter.allow(client.remote_address[0]):
            raise RMCError(_TOO_OFTEN.code)

    def _log_refusal(self, client: Session, user_name: str, refused: LoginRefusedError) -> None:
        if refused.result is _TOO_OFTEN:
            # Neither the log nor the subscribers shall be flooded: the rate bounds them too.
            return
        error = refused.result.name
        user = user_name[:LOGGED_NAME_LIMIT]
        pid = pid_of_name(user) if refused.pid is None else refused.pid
        extra: Mapping[str, object] = where(
            client, self.game, pid=pid, user=user, error=error, reason=refused.reason
        )
        login_logger.warning("login refused", extra=extra)
        if self._events is not None:
            self._events.publish(LoginFailed(self.game, user, client.remote_address, error))


class CrossplayAuthenticationServer(AuthenticationServer, CrossplayAuthentication):
    """The server of a title that plays across platforms; principal ids are the same on all."""

    async def request_ticket_for_platform(
        self,
        client: Session,
        platform_type: UInt8,
        source: PID,
        target: PID,
    ) -> TicketReply:
        """Give a ticket as `request_ticket` does, whatever the platform."""
        return await self.request_ticket(client, source, target)


def _check_station(station: StationURL) -> StationURL:
    if not station["PID"] or not all(station.address):
        raise ValueError("the secure server's station URL needs address, port and PID")
    return station
