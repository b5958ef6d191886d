"""A game whose tokens somebody else judges."""

from nekonex import Game, GameServices
from nekonex.kerberos import TokenError, TokenVerifier
from nekonex.nex import CallbackTokenVerifier

TOKENS = {"a token": 1337, "an old token": 1338}  # in place of an account server
EXPIRED = {"an old token"}


async def is_good(token: str, pid: int) -> bool:
    if token in EXPIRED:
        raise TokenError("Authentication::TokenExpired", "it ran out")
    return TOKENS.get(token) == pid


class TokenGame(Game):
    def token_verifier(self, services: GameServices) -> TokenVerifier:
        return CallbackTokenVerifier(is_good)
