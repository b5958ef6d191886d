"""Ticket granting (protocol 10): logins, and tickets for the secure server.

Methods and fields as in NintendoClients' ``authentication.py`` and nex-protocols-go's
``ticket-granting``. From NEX 4.0 on, methods 1, 2 and 6 have other names and replies; Nintendo's
titles call 2 before 4.4 and 6 from 4.4 on.
"""

from __future__ import annotations

from typing import Annotated, NamedTuple

from nekonex.nex.structures import (
    RVConnectionData,
    ValidateAndRequestTicketParam,
    ValidateAndRequestTicketResult,
)
from nekonex.rmc import Protocol, Session, method
from nekonex.values import Result
from nekonex.wire import PID, AnyData, Buffer, String, UInt8, V

__all__ = [
    "Authentication",
    "ContextLoginReply",
    "CrossplayAuthentication",
    "KeyedLoginReply",
    "LoginReply",
    "TicketReply",
]


class LoginReply(NamedTuple):
    """The reply to a login. ``ticket`` is sealed with the key of the player."""

    result: Result
    pid: PID
    ticket: Buffer
    connection_data: RVConnectionData
    server_name: String


class KeyedLoginReply(NamedTuple):
    """The reply to a login with data from NEX 4.0 on.

    ``source_key`` is, in hexadecimal digits, the key that the ticket is sealed with; empty where
    that is the key derived from the player's password.
    """

    result: Result
    pid: PID
    ticket: Buffer
    connection_data: RVConnectionData
    server_name: String
    source_key: String


class ContextLoginReply(NamedTuple):
    """The reply to a login by context, which has no server name."""

    result: Result
    pid: PID
    ticket: Buffer
    connection_data: RVConnectionData


class TicketReply(NamedTuple):
    """A ticket for one special user; ``key`` as the source key of `KeyedLoginReply`."""

    result: Result
    ticket: Buffer
    key: Annotated[String, V("4.0")] = ""


class Authentication(Protocol, id=10):
    """The protocol; `nekonex.nex.AuthenticationServer` serves it."""

    @method(1, until=V("4.0"))
    async def login(self, client: Session, username: String) -> LoginReply:
        """Log in with a user name alone."""
        raise NotImplementedError

    @method(2, until=V("4.0"))
    async def login_ex(self, client: Session, username: String, extra_data: AnyData) -> LoginReply:
        """Log in with a user name and what the account server gave to the console."""
        raise NotImplementedError

    @method(3)
    async def request_ticket(self, client: Session, source: PID, target: PID) -> TicketReply:
        """Ask for a ticket of one's own (source) for another server (target)."""
        raise NotImplementedError

    @method(4)
    async def get_pid(self, client: Session, username: String) -> PID:
        """Ask for the principal id of a user name; 0 if there is none."""
        raise NotImplementedError

    @method(5)
    async def get_name(self, client: Session, pid: PID) -> String:
        """Ask for the user name of a principal id; empty if there is none."""
        raise NotImplementedError

    @method(6, until=V("4.0"))
    async def login_with_context(self, client: Session, login_data: AnyData) -> ContextLoginReply:
        """Log in with a token alone."""
        raise NotImplementedError

    @method(1, when=V("4.0"))
    async def validate_and_request_ticket(self, client: Session, username: String) -> LoginReply:
        """Log in with a user name alone."""
        raise NotImplementedError

    @method(2, when=V("4.0"))
    async def validate_and_request_ticket_with_custom_data(
        self, client: Session, username: String, extra_data: AnyData
    ) -> KeyedLoginReply:
        """Log in with a user name and what the account server gave to the console."""
        raise NotImplementedError

    @method(6, when=V("4.0"))
    async def validate_and_request_ticket_with_param(
        self, client: Session, param: ValidateAndRequestTicketParam
    ) -> ValidateAndRequestTicketResult:
        """Log in with everything in one structure. Its reply has no result: errors are raised."""
        raise NotImplementedError


class CrossplayAuthentication(Authentication):
    """The protocol of titles that play across platforms."""

    @method(3)
    async def request_ticket_for_platform(
        self, client: Session, platform_type: UInt8, source: PID, target: PID
    ) -> TicketReply:
        """Ask for a ticket, naming the platform that the source is of."""
        raise NotImplementedError
