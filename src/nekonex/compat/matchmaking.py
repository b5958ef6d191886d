"""The match making and NAT traversal servers that nex_protocols_common_py names.

Servers that are given the same collection of gatherings share one matchmaking; see
`nekonex.compat.gatherings`. The other collections are taken for the sake of the signature: numbers
are counted in memory, and sessions are the secure connection server's affair.
"""

from typing import Any

from nekonex.compat.gatherings import SharedGatherings, neighbourhood, shared_gatherings
from nekonex.domain.matchmaking import GetFriendPids, Matchmaking, MatchmakingHooks
from nekonex.nex import (
    MatchmakeExtensionServer,
    MatchMakingExtServer,
    MatchMakingServer,
    NATLimits,
    NATTraversalServer,
    SecureConnectionServer,
)
from nekonex.nex.matchmaking.common import MatchmakingServant
from nekonex.rmc import BoundMethod
from nekonex.settings import SettingsSource
from nekonex.wire import WireContext

__all__ = [
    "CommonMatchMakingServer",
    "CommonMatchMakingServerExt",
    "CommonMatchmakeExtensionServer",
    "CommonNATTraversalServer",
    "GatheringServer",
]


class GatheringServer(MatchmakingServant):
    """What the servers have in common that are given a collection of gatherings."""

    _gatherings: SharedGatherings

    def _share(self, gatherings: SharedGatherings) -> None:
        self._gatherings = gatherings
        self.stations = gatherings
        gatherings.add(self)

    def adopt(self, secure: SecureConnectionServer) -> None:
        """Play with the players of this server, if no other one was named; see `serve`."""
        self._gatherings.adopt(secure)

    def bind(self, context: WireContext) -> dict[int, BoundMethod]:
        """Return the methods; ValueError if no secure connection server was named by now."""
        self._gatherings.check(type(self).__name__)
        self._gatherings.add(self)
        return super().bind(context)

    async def aclose(self) -> None:
        """Let go of the collection; `nekonex.compat.serve` does so at its end."""
        self._gatherings.release(self)


class CommonMatchMakingServer(GatheringServer, MatchMakingServer):
    """Serves gatherings of every kind (protocol 21).

    ``matchmaking`` is one to use in place of the one that belongs to ``gatherings_db``: with
    stores, limits or title rules of its own.
    """

    def __init__(
        self,
        settings: SettingsSource,
        gatherings_db: Any = None,
        sessions_db: Any = None,  # noqa: ARG002
        sequence_db: Any = None,  # noqa: ARG002
        *,
        matchmaking: Matchmaking | None = None,
    ) -> None:
        gatherings = _gatherings_of(gatherings_db, matchmaking)
        super().__init__(settings, matchmaking=gatherings.matchmaking)
        self._share(gatherings)


class CommonMatchMakingServerExt(GatheringServer, MatchMakingExtServer):
    """Lets players leave gatherings, and tells who is there (protocol 50).

    ``matchmaking`` as for `CommonMatchMakingServer`.
    """

    def __init__(
        self,
        settings: SettingsSource,
        gatherings_db: Any = None,
        sequence_db: Any = None,  # noqa: ARG002
        *,
        matchmaking: Matchmaking | None = None,
    ) -> None:
        gatherings = _gatherings_of(gatherings_db, matchmaking)
        super().__init__(settings, matchmaking=gatherings.matchmaking)
        self._share(gatherings)


class CommonMatchmakeExtensionServer(GatheringServer, MatchmakeExtensionServer):
    """Brings players together (protocol 109), those of ``secure_connection_server``.

    ``get_friend_pids_func(pid)``, plain or a coroutine function, returns the principal ids of a
    player's friends. ``hooks`` adds filters to searches, and other rules. ``matchmaking`` as for
    `CommonMatchMakingServer`.

    Raises TypeError for a secure connection server that is not nekonex's, ValueError if the
    collection is used with another one already.
    """

    def __init__(
        self,
        settings: SettingsSource,
        gatherings_db: Any = None,
        sequence_db: Any = None,  # noqa: ARG002
        get_friend_pids_func: GetFriendPids | None = None,
        secure_connection_server: SecureConnectionServer | None = None,
        *,
        hooks: MatchmakingHooks | None = None,
        matchmaking: Matchmaking | None = None,
    ) -> None:
        gatherings = _gatherings_of(gatherings_db, matchmaking)
        if secure_connection_server is not None:
            gatherings.attach(secure_connection_server)
        super().__init__(settings, matchmaking=gatherings.matchmaking)
        gatherings.matchmaking.extend(hooks=hooks, get_friend_pids=get_friend_pids_func)
        self._share(gatherings)


class CommonNATTraversalServer(NATTraversalServer):
    """Has consoles probe each other (protocol 3), and uses what they report about it.

    Only those who share a gathering are asked to, where there is a match making server beside it
    with the same ``secure_connection_server``; players who could not reach each other are not
    matched again there for a while. Station URLs that change are written into the collection of
    sessions by the secure connection server.

    Raises TypeError for a secure connection server that is not nekonex's.
    """

    def __init__(
        self,
        settings: SettingsSource,
        sessions_db: Any = None,  # noqa: ARG002
        secure_connection_server: SecureConnectionServer | None = None,
        *,
        limits: NATLimits | None = None,
    ) -> None:
        if not isinstance(secure_connection_server, SecureConnectionServer):
            raise TypeError(
                "secure_connection_server is one of nekonex, such as CommonSecureConnectionServer, "
                f"not {type(secure_connection_server).__name__}"
            )
        near = neighbourhood(secure_connection_server)
        super().__init__(
            settings,
            secure=secure_connection_server,
            neighbours=near,
            unreachable=near.unreachable,
            limits=limits,
        )


def _gatherings_of(collection: Any, matchmaking: Matchmaking | None) -> SharedGatherings:
    if matchmaking is not None:
        return SharedGatherings(matchmaking)
    if collection is None:
        raise ValueError("a match making server needs gatherings_db, or a matchmaking of its own")
    return shared_gatherings(collection)
