"""One matchmaking for all servers that were given the same collection.

Gatherings live in memory: the collection says which servers belong together, and is neither read
nor written. Servers may be made in any order, so what one of them brings (players, friends) is
known to the others as soon as it is there.
"""

from collections.abc import Hashable, Iterator
from typing import Any, Final
from weakref import WeakKeyDictionary, WeakSet, WeakValueDictionary

from nekonex.domain import Player, PlayerRegistry
from nekonex.domain.matchmaking import Matchmaking, UnreachablePairs
from nekonex.events import EventBus
from nekonex.nex import SecureConnectionServer
from nekonex.nex.matchmaking.common import ConnectedStations
from nekonex.storage import memory_matchmaking
from nekonex.values import StationURL

__all__ = ["Neighbourhood", "SharedGatherings", "identity", "neighbourhood", "shared_gatherings"]


class LatePlayers(PlayerRegistry):
    """The players of a secure connection server that is named later; before, nobody."""

    def __init__(self) -> None:
        super().__init__("", EventBus())
        self.source: PlayerRegistry | None = None

    @property
    def count(self) -> int:
        """How many connections are registered."""
        return 0 if self.source is None else self.source.count

    def __iter__(self) -> Iterator[Player]:
        return iter(()) if self.source is None else iter(self.source)

    def get(self, connection_id: int) -> Player | None:
        """Return the player on a connection."""
        return None if self.source is None else self.source.get(connection_id)

    def newest(self, pid: int) -> Player | None:
        """Return the player with this principal id who registered last."""
        return None if self.source is None else self.source.newest(pid)

    def all_of(self, pid: int) -> tuple[Player, ...]:
        """Return all connections of a principal id, the oldest first."""
        return () if self.source is None else self.source.all_of(pid)


class SharedGatherings:
    """A matchmaking and the servers in front of it; `shared_gatherings` finds it.

    It is a `nekonex.nex.matchmaking.common.StationSource` too.
    """

    def __init__(self, matchmaking: Matchmaking | None = None) -> None:
        self._players = LatePlayers()
        self._secure: SecureConnectionServer | None = None
        self._servers: WeakSet[Any] = WeakSet()
        self.key: Hashable = None
        self.matchmaking = matchmaking or memory_matchmaking(self._players)

    def attach(self, secure: SecureConnectionServer) -> None:
        """Take the players from this server.

        Raises TypeError for what is no such server, ValueError if there is another already.
        """
        if not isinstance(secure, SecureConnectionServer):
            raise TypeError(
                "secure_connection_server is one of nekonex, such as CommonSecureConnectionServer, "
                f"not {type(secure).__name__}"
            )
        if self._secure is secure:
            return
        if self._secure is not None:
            raise ValueError(
                "one gatherings_db is used with two secure connection servers; "
                "give each game a collection of its own"
            )
        self._secure = secure
        self._players.source = secure.players
        near = neighbourhood(secure)
        near.gatherings.add(self)
        self.matchmaking.extend(unreachable=near.unreachable)

    def adopt(self, secure: SecureConnectionServer) -> None:
        """Take the players from this server, unless it is known where they are."""
        if self._secure is None:
            self.attach(secure)

    def check(self, name: str) -> None:
        """Raise ValueError if there is nobody who could play; ``name`` is the server's class."""
        if self._secure is None:
            raise ValueError(
                f"{name} does not know the players: serve CommonSecureConnectionServer beside it, "
                "or make a CommonMatchmakeExtensionServer with the same gatherings_db and a "
                "secure_connection_server"
            )

    def urls_of(self, pid: int, connection_id: int = 0) -> list[StationURL]:
        """Return a player's station URLs, the public one last; none if it is offline."""
        return ConnectedStations(self._secure).urls_of(pid, connection_id)

    def add(self, server: object) -> None:
        """Take note of a server that uses this."""
        self._servers.add(server)
        if self.key is not None:
            _by_collection.setdefault(self.key, self)

    def release(self, server: object) -> None:
        """Take note that a server is not in service any more; after the last, others begin anew."""
        self._servers.discard(server)
        if not self._servers and _by_collection.get(self.key) is self:
            del _by_collection[self.key]


class Neighbourhood:
    """What belongs to one secure connection server: who plays with whom, who cannot reach whom.

    It is `nekonex.nex.nat_traversal.Neighbours`.
    """

    def __init__(self) -> None:
        self.unreachable = UnreachablePairs()
        self.gatherings: WeakSet[SharedGatherings] = WeakSet()

    async def share_gathering(self, pid: int, other: int) -> bool:
        """Tell whether two players take part in the same gathering.

        Without any matchmaking nobody knows, and all are neighbours.
        """
        found = list(self.gatherings)
        if not found:
            return True
        for each in found:
            if await each.matchmaking.gatherings.share_gathering(pid, other):
                return True
        return False


_by_collection: Final[WeakValueDictionary[Hashable, SharedGatherings]] = WeakValueDictionary()
_by_secure: Final[WeakKeyDictionary[SecureConnectionServer, Neighbourhood]] = WeakKeyDictionary()


def shared_gatherings(collection: object) -> SharedGatherings:
    """Return what belongs to a collection, made when it is first asked for."""
    key = identity(collection)
    found = _by_collection.get(key)
    if found is None:
        found = _by_collection[key] = SharedGatherings()
        found.key = key
    return found


def neighbourhood(secure: SecureConnectionServer) -> Neighbourhood:
    """Return what belongs to a secure connection server."""
    return _by_secure.setdefault(secure, Neighbourhood())


def identity(collection: object) -> Hashable:
    """Return what two objects have in common that stand for the same collection.

    That is the client, the database's name and the collection's name, where it has them as
    pymongo's has; clients are the same where they say so, as pymongo's do when they are connected
    to the same servers. Any other object is only itself.
    """
    name = getattr(collection, "full_name", None)
    client = getattr(getattr(collection, "database", None), "client", None)
    if isinstance(name, str) and client is not None:
        return _hashable(client), name
    return _hashable(collection)


def _hashable(value: object) -> Hashable:
    try:
        hash(value)
    except TypeError:
        return _Itself(value)
    return value


class _Itself:
    """Stands for an object that has no hash; equal to what stands for the same one."""

    def __init__(self, value: object) -> None:
        self._value = value

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Itself) and other._value is self._value

    def __hash__(self) -> int:
        return id(self._value)
