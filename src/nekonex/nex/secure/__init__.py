"""Secure connection (protocol 11)."""

from nekonex.nex.secure.definition import (
    ConnectionDataReply,
    RegisterReply,
    SecureConnection,
    URLsReply,
)
from nekonex.nex.secure.player import ConnectedPlayer
from nekonex.nex.secure.server import (
    MayRequestURLs,
    ReportSink,
    SecureConnectionServer,
    SecureLimits,
)
from nekonex.nex.secure.stations import Stations, is_public_url

__all__ = [
    "ConnectedPlayer",
    "ConnectionDataReply",
    "MayRequestURLs",
    "RegisterReply",
    "ReportSink",
    "SecureConnection",
    "SecureConnectionServer",
    "SecureLimits",
    "Stations",
    "URLsReply",
    "is_public_url",
]
