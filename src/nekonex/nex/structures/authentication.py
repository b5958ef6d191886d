"""Structures of the authentication protocol, and of the login data in data holders."""

from __future__ import annotations

from nekonex.values import DateTime, StationURL
from nekonex.wire import (
    PID,
    AnyData,
    Buffer,
    Data,
    Rev,
    String,
    Structure,
    UInt8,
    UInt32,
    UInt64,
    V,
    field,
)

__all__ = [
    "AccountExtraInfo",
    "AuthenticationInfo",
    "NintendoLoginData",
    "RVConnectionData",
    "ValidateAndRequestTicketParam",
    "ValidateAndRequestTicketResult",
]


class AuthenticationInfo(Data):
    """The token that an account server gave to a console; Wii U and later."""

    token: String = field(default="", secret=True)
    ngs_version: UInt32 = 3
    token_type: UInt8 = field(default=1, when=V("3.0"))
    server_version: UInt32 = field(default=0, when=V("3.0"))


class NintendoLoginData(Structure):
    """The token of a 3DS or of an old title."""

    token: String = field(default="", secret=True)


class AccountExtraInfo(Structure):
    """The token of a 3DS on the friends server."""

    local_friend_code: UInt64 = 0
    move_count: UInt32 = 0
    token: String = field(default="", secret=True)


class RVConnectionData(Structure):
    """Where the secure server is, and what time it is there."""

    main_station: StationURL = field(default=StationURL())
    special_protocols: list[UInt8] = field(default=[])
    special_station: StationURL = field(default=StationURL())
    server_time: DateTime = field(default=DateTime(0), when=V("3.5") & Rev(1))


class ValidateAndRequestTicketParam(Structure):
    """A login from NEX 4.0 on.

    Titles with crossplay add the platform whose PID they want.
    """

    platform: UInt32
    username: String
    data: AnyData
    skip_version_check: bool
    nex_version: UInt32
    client_version: UInt32
    platform_pid_type: UInt32 = field(default=0, optional=True)


class ValidateAndRequestTicketResult(Structure):
    """The reply to a login from NEX 4.0 on.

    Titles with crossplay get their PID on the other platform.
    """

    pid: PID
    ticket: Buffer = field(default=b"", secret=True)
    server_url: StationURL = field(default=StationURL())
    server_time: DateTime = field(default=DateTime(0))
    server_name: String = ""
    source_key: String = field(default="", secret=True)
    platform_pid: PID = field(default=0, optional=True)
