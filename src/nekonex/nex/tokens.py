"""Tokens in login data: finding them, and having them judged."""

from __future__ import annotations

import logging
import math
from collections.abc import Awaitable, Callable
from typing import Final, Protocol, runtime_checkable

from nekonex.domain import call_user
from nekonex.kerberos import TokenError, TokenInfo, TokenVerifier
from nekonex.kerberos.tokens import NEX_TOKEN
from nekonex.nex.results import result_of_error
from nekonex.nex.structures import AccountExtraInfo, AuthenticationInfo, NintendoLoginData
from nekonex.nex.structures.common import NullData
from nekonex.values import ServiceUnavailable
from nekonex.wire import HolderRegistry

__all__ = [
    "TOKEN_LIMIT",
    "CallbackTokenVerifier",
    "TokenCallback",
    "TokenReader",
    "pid_of_token",
    "register_login_data",
    "verify_login_data",
]

_logger = logging.getLogger(__name__)

TOKEN_LIMIT: Final = 918
"""Most bytes of a token: Nintendo's servers hang up on a longer one (nintendo-wiki)."""

VALIDATION_FAILED: Final = "Authentication::ValidationFailed"

_LOGIN_DATA: Final = (NullData, AuthenticationInfo, NintendoLoginData, AccountExtraInfo)

TokenCallback = Callable[[str, int], Awaitable[bool] | bool]
"""``callback(token, pid)``, plain or a coroutine function: see `CallbackTokenVerifier`."""


class CallbackTokenVerifier:
    """Has opaque tokens judged by a function: ``callback(token, pid)``.

    It returns True for a good token of this player and False for any other, or raises
    TokenError or an RMC error to say what is wrong with it. Any other exception means that the
    token cannot be judged now: it is logged, and the login fails with ServiceUnavailable. A
    plain function runs in a worker thread.
    """

    def __init__(self, callback: TokenCallback) -> None:
        self._callback = callback

    async def verify(self, token: str, *, pid: int, now: float) -> TokenInfo:
        """Ask the callback; what it does not tell is 0, and the token never expires."""
        try:
            accepted = await call_user(self._callback, token, pid)
        except (TokenError, ServiceUnavailable):
            raise
        except Exception as error:
            result = result_of_error(error)
            if result is not None:
                raise TokenError(result.name, "the token callback") from None
            _logger.exception("the token callback failed for PID %d", pid)
            raise ServiceUnavailable("the token callback failed") from error
        if accepted is not True:
            raise TokenError(VALIDATION_FAILED, "the token is not accepted")
        return TokenInfo(0, NEX_TOKEN, pid, math.inf, 0, 0)


@runtime_checkable
class TokenReader(Protocol):
    """A verifier that can tell whose a token is."""

    def read(self, token: str, *, now: float) -> TokenInfo:
        """Return what a valid token says, whoever's it is; raises TokenError for any other."""


def register_login_data(holders: HolderRegistry) -> None:
    """Make the structures of login data known, as far as a game has none of its own."""
    for cls in _LOGIN_DATA:
        if cls.__name__ not in holders:
            holders.register(cls)


async def verify_login_data(
    verifier: TokenVerifier, data: object, *, pid: int, now: float
) -> TokenInfo:
    """Have the token in login data judged.

    Raises TokenError to refuse it, and whatever else the verifier raises.
    """
    return await verifier.verify(_token(data), pid=pid, now=now)


def pid_of_token(verifier: TokenVerifier | None, data: object, *, now: float) -> int:
    """Return whose token is in login data, where nothing else says it; raises TokenError."""
    if not isinstance(verifier, TokenReader):
        raise TokenError(VALIDATION_FAILED, "nothing here can tell whose token it is")
    return verifier.read(_token(data), now=now).pid


def _token(data: object) -> str:
    if not isinstance(data, AuthenticationInfo | NintendoLoginData | AccountExtraInfo):
        raise TokenError(VALIDATION_FAILED, f"there is no token in {type(data).__name__}")
    if not data.token or len(data.token.encode()) > TOKEN_LIMIT:
        raise TokenError(VALIDATION_FAILED, "the token is empty or too long")
    return data.token
