"""Matchmake extension (protocol 109): sessions that are searched for, and communities."""

from nekonex.nex.matchmake_extension.definition import (
    CreateSessionReply,
    GatheringsWithHostsReply,
    MatchmakeExtension,
    SessionsWithHostsReply,
)
from nekonex.nex.matchmake_extension.server import MatchmakeExtensionServer
from nekonex.nex.matchmake_extension.social import ViolationReply

__all__ = [
    "CreateSessionReply",
    "GatheringsWithHostsReply",
    "MatchmakeExtension",
    "MatchmakeExtensionServer",
    "SessionsWithHostsReply",
    "ViolationReply",
]
