"""Ticket granting (protocol 10)."""

from nekonex.nex.authentication.admission import Admission, AuthCallback, LoginRefusedError
from nekonex.nex.authentication.definition import (
    Authentication,
    ContextLoginReply,
    CrossplayAuthentication,
    KeyedLoginReply,
    LoginReply,
    TicketReply,
)
from nekonex.nex.authentication.server import (
    AuthenticationServer,
    CrossplayAuthenticationServer,
    SecureStation,
)

__all__ = [
    "Admission",
    "AuthCallback",
    "Authentication",
    "AuthenticationServer",
    "ContextLoginReply",
    "CrossplayAuthentication",
    "CrossplayAuthenticationServer",
    "KeyedLoginReply",
    "LoginRefusedError",
    "LoginReply",
    "SecureStation",
    "TicketReply",
]
