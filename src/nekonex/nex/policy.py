"""What an authentication server and a secure server owe each other."""

from __future__ import annotations

from nekonex.nex.authentication import AuthenticationServer
from nekonex.nex.secure import SecureConnectionServer

__all__ = ["check_token_rules"]


def check_token_rules(authentication: AuthenticationServer, secure: SecureConnectionServer) -> None:
    """Raise ValueError if tokens can be verified and yet nobody has to show one.

    A title that logs in without a token shows it when it registers, and the other way round.
    """
    if (
        (authentication.verifies_tokens or secure.verifies_tokens)
        and authentication.accepts_login_without_token
        and secure.accepts_register_without_token
    ):
        raise ValueError(
            "tokens are verified, but both Login and Register are accepted without one: "
            "nobody would have to show it"
        )
