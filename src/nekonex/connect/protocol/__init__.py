"""The protocol of NekoConnect, both ends, without sockets and clocks."""

from __future__ import annotations

from nekonex.connect.protocol.auth import Password, RandomSource
from nekonex.connect.protocol.client_session import (
    ClientSession,
    ImpostorError,
    LoginRefusedError,
    Message,
)
from nekonex.connect.protocol.frames import Frame, FrameDecoder, FrameError, encode_frame
from nekonex.connect.protocol.server_session import Gatekeeper, Rejection, Request, ServerSession
from nekonex.connect.protocol.status import AUTH_GREETER, SERVER_GREETER, Status

__all__ = [
    "AUTH_GREETER",
    "SERVER_GREETER",
    "ClientSession",
    "Frame",
    "FrameDecoder",
    "FrameError",
    "Gatekeeper",
    "ImpostorError",
    "LoginRefusedError",
    "Message",
    "Password",
    "RandomSource",
    "Rejection",
    "Request",
    "ServerSession",
    "Status",
    "encode_frame",
]
