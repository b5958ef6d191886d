"""For those who come from NintendoClients and nex_protocols_common_py.

Needs the extra ``nintendoclients``.
"""

from nekonex.compat.client import CompatClient
from nekonex.compat.common import (
    AuthenticationUser,
    CommonAuthenticationServer,
    CommonSecureConnectionServer,
    secure_key,
)
from nekonex.compat.matchmaking import (
    CommonMatchmakeExtensionServer,
    CommonMatchMakingServer,
    CommonMatchMakingServerExt,
    CommonNATTraversalServer,
)
from nekonex.compat.servant import NintendoServer
from nekonex.compat.serving import CompatService, serve

__all__ = [
    "AuthenticationUser",
    "CommonAuthenticationServer",
    "CommonMatchMakingServer",
    "CommonMatchMakingServerExt",
    "CommonMatchmakeExtensionServer",
    "CommonNATTraversalServer",
    "CommonSecureConnectionServer",
    "CompatClient",
    "CompatService",
    "NintendoServer",
    "secure_key",
    "serve",
]
