"""The protocols of NEX game servers, one module or package each.

A server is made from its settings, the services it needs and keyword callbacks; the methods of a
protocol are its hooks: override them in a subclass. The protocol classes (`Authentication`, …)
have the methods only, for clients: ``Authentication.client(session).login("guest")``.
"""

from nekonex.nex.authentication import (
    Authentication,
    AuthenticationServer,
    CrossplayAuthentication,
    CrossplayAuthenticationServer,
)
from nekonex.nex.datastore import DataStore, DataStoreServer
from nekonex.nex.health import Health, HealthServer
from nekonex.nex.limits import LoginLimits
from nekonex.nex.matchmake_extension import MatchmakeExtension, MatchmakeExtensionServer
from nekonex.nex.matchmaking.definition import MatchMaking, MatchMakingExt
from nekonex.nex.matchmaking.ext_server import MatchMakingExtServer
from nekonex.nex.matchmaking.server import MatchMakingServer
from nekonex.nex.nat_traversal import NATLimits, NATTraversal, NATTraversalServer
from nekonex.nex.notification import Notifications
from nekonex.nex.policy import check_token_rules
from nekonex.nex.ranking import EarlyRankingServer, Ranking, RankingServer
from nekonex.nex.secure import (
    ConnectedPlayer,
    SecureConnection,
    SecureConnectionServer,
    SecureLimits,
)
from nekonex.nex.tokens import CallbackTokenVerifier
from nekonex.nex.utility import Utility, UtilityServer

__all__ = [
    "Authentication",
    "AuthenticationServer",
    "CallbackTokenVerifier",
    "ConnectedPlayer",
    "CrossplayAuthentication",
    "CrossplayAuthenticationServer",
    "DataStore",
    "DataStoreServer",
    "EarlyRankingServer",
    "Health",
    "HealthServer",
    "LoginLimits",
    "MatchMaking",
    "MatchMakingExt",
    "MatchMakingExtServer",
    "MatchMakingServer",
    "MatchmakeExtension",
    "MatchmakeExtensionServer",
    "NATLimits",
    "NATTraversal",
    "NATTraversalServer",
    "Notifications",
    "Ranking",
    "RankingServer",
    "SecureConnection",
    "SecureConnectionServer",
    "SecureLimits",
    "Utility",
    "UtilityServer",
    "check_token_rules",
]
