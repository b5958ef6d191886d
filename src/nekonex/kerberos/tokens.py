"""Tokens: what a console got from its account server and shows in LoginEx or RegisterEx."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

__all__ = ["NEX_TOKEN", "TokenError", "TokenInfo", "TokenVerifier"]

NEX_TOKEN = 3
"""The token type that game servers accept."""

VALIDATION_FAILED = "Authentication::ValidationFailed"
EXPIRED = "Authentication::TokenExpired"
PRINCIPAL_ID_UNMATCHED = "Authentication::PrincipalIdUnmatched"
ACCOUNT_DISABLED = "RendezVous::AccountDisabled"


@dataclass(frozen=True, slots=True)
class TokenInfo:
    """What a token says.

    ``system_type`` is 1 on Wii U and 2 on 3DS, ``token_type`` is `NEX_TOKEN`, ``expire`` is in
    POSIX seconds, and an ``access_level`` below 0 means banned.
    """

    system_type: int
    token_type: int
    pid: int
    expire: float
    title_id: int
    access_level: int


class TokenError(Exception):
    """A token is refused: ``result_name`` is what the console is told, ``reason`` is for the log.

    Only ``Authentication::TokenExpired`` makes a console fetch another token. The reason never
    holds the token itself.
    """

    def __init__(self, result_name: str, reason: str) -> None:
        super().__init__(f"{result_name}: {reason}")
        self.result_name = result_name
        self.reason = reason


class TokenVerifier(Protocol):
    """Decides about tokens; for opaque ones it asks whoever issued them."""

    async def verify(self, token: str, *, pid: int, now: float) -> TokenInfo:
        """Return what the token of this player says at this time (POSIX seconds).

        Raises TokenError to refuse it, ServiceUnavailable if it cannot be judged.
        """
