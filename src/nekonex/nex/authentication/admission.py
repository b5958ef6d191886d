"""Who may log in: names, tokens, access rules and the operator's callback."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Final

from nekonex.domain import AccessService, AuthenticationUser, Identity, IdentityService, call_user
from nekonex.kerberos import TokenError, TokenVerifier
from nekonex.nex.results import result_of, result_of_error
from nekonex.nex.tokens import VALIDATION_FAILED, pid_of_token, verify_login_data
from nekonex.values import Result, ServiceUnavailable

__all__ = ["NAME_LIMIT", "Admission", "AuthCallback", "LoginRefusedError"]

_logger = logging.getLogger(__name__)

AuthCallback = Callable[[AuthenticationUser], Awaitable[object] | object]
"""``auth_callback(user)``, plain or a coroutine function: see `Admission`."""

NAME_LIMIT: Final = 969
"""Most bytes of a user name: Nintendo's servers hang up on a longer one (nintendo-wiki)."""

INVALID_USERNAME: Final = "RendezVous::InvalidUsername"


class LoginRefusedError(Exception):
    """A login that is refused: ``result`` is what the console is told, the rest is for the log.

    ``pid`` is set for users who are known. The reason never holds anything secret.
    """

    def __init__(self, result: Result | str, reason: str, pid: int | None = None) -> None:
        super().__init__(reason)
        self.result: Result = Result.error(result) if isinstance(result, str) else result
        self.reason = reason
        self.pid = pid


class Admission:
    """Decides about login attempts.

    ``auth_callback(user)`` is called at every attempt for a user who is known and may log in,
    guests too, also if the attempt is refused anyway. It returns a result, None for success, or
    raises an RMC error; anything else that it raises is logged and refuses the login with
    ``Core::Exception``.
    """

    def __init__(
        self,
        identities: IdentityService,
        *,
        game: str,
        access: AccessService | None,
        auth_callback: AuthCallback | None,
        token_verifier: TokenVerifier | None,
        require_token: bool,
        clock: Callable[[], float],
    ) -> None:
        self._identities = identities
        self._game = game
        self._access = access
        self._auth_callback = auth_callback
        self._verifier = token_verifier
        self._require_token = require_token
        self._clock = clock

    async def identify(self, user_name: str) -> Identity:
        """Return who wants to log in; raises LoginRefusedError if nobody of that name may."""
        identity = None
        if len(user_name.encode()) <= NAME_LIMIT:
            identity = await self._identities.by_user_name(user_name)
        if identity is None:
            raise LoginRefusedError(INVALID_USERNAME, "no such user")
        if not identity.may_log_in:
            raise LoginRefusedError(INVALID_USERNAME, "this special user never logs in")
        return identity

    def name_in_token(self, data: object) -> str:
        """Return the user name that a token stands for; raises LoginRefusedError."""
        try:
            return str(pid_of_token(self._verifier, data, now=self._clock()))
        except TokenError as error:
            raise LoginRefusedError(error.result_name, error.reason) from None

    async def admit(self, identity: Identity, data: object | None) -> bool:
        """Let a user in and tell whether a token proved who it is.

        ``data`` is the login data, None for a login that has none. Raises LoginRefusedError
        for who may not come in, and ServiceUnavailable if that cannot be found out.
        """
        refused: LoginRefusedError | None = None
        proven = False
        try:
            proven = await self._check_token(identity, data)
            await self._check_access(identity)
        except LoginRefusedError as error:
            refused = error
        await self._ask_callback(identity, refused)
        return proven

    async def readmit(self, identity: Identity) -> None:
        """Check again who was let in before, all but the token; raises as `admit` does."""
        refused: LoginRefusedError | None = None
        try:
            await self._check_access(identity)
        except LoginRefusedError as error:
            refused = error
        await self._ask_callback(identity, refused)

    async def _check_token(self, identity: Identity, data: object | None) -> bool:
        if self._verifier is None:
            return False
        if data is None:
            if self._require_token:
                raise LoginRefusedError(VALIDATION_FAILED, "a login without a token")
            return False
        try:
            await verify_login_data(self._verifier, data, pid=identity.pid, now=self._clock())
        except TokenError as error:
            raise LoginRefusedError(error.result_name, error.reason) from None
        return True

    async def _check_access(self, identity: Identity) -> None:
        if self._access is not None:
            error = await self._access.check(identity.pid, self._game, self._clock())
            if error is not None:
                raise LoginRefusedError(error, "the access rules")

    async def _ask_callback(self, identity: Identity, refused: LoginRefusedError | None) -> None:
        """Ask the operator's function, then raise the first refusal, if there is any."""
        result = Result.success()
        if self._auth_callback is not None:
            result = await self._call(self._auth_callback, identity)
        if refused is None and result.is_error:
            refused = LoginRefusedError(result, "auth_callback")
        if refused is not None:
            refused.pid = identity.pid
            raise refused

    async def _call(self, callback: AuthCallback, identity: Identity) -> Result:
        try:
            return result_of(await call_user(callback, identity.user))
        except ServiceUnavailable:
            raise
        except Exception as error:
            result = result_of_error(error)
            if result is None:
                _logger.exception("auth_callback failed for PID %d", identity.pid)
                return Result.error("Core::Exception")
            return result
