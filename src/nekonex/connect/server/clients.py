"""The connections of a server, and what they share."""

from __future__ import annotations

import asyncio
from itertools import count
from typing import TYPE_CHECKING, Final

from nekonex.connect.host import PluginHost
from nekonex.connect.limits import ConnectLimits
from nekonex.connect.protocol import Gatekeeper
from nekonex.connect.stats import ConnectStats

if TYPE_CHECKING:
    from nekonex.connect.server.connection import Connection

__all__ = ["MAX_REFUSED", "Clients"]

MAX_REFUSED: Final = 128
"""Connections at a time that are told that there are too many; further ones are just closed."""


class Clients:
    """Knows who is connected, and lets in no more than `max_connections`."""

    def __init__(
        self, gate: Gatekeeper, host: PluginHost, limits: ConnectLimits, stats: ConnectStats
    ) -> None:
        self.gate = gate
        self.host = host
        self.limits = limits
        self.stats = stats
        self.is_stopping = False
        self.gone = asyncio.Event()
        """Set while nobody is connected."""
        self.gone.set()
        self._connections: set[Connection] = set()
        self._refused: set[Connection] = set()
        self._numbers = count(1)

    def __len__(self) -> int:
        return len(self._connections)

    def all(self) -> list[Connection]:
        """Return everybody who is connected, also who is about to be refused."""
        return [*self._connections, *self._refused]

    def next_id(self) -> str:
        """Return a name that no other connection has."""
        return str(next(self._numbers))

    def add(self, connection: Connection) -> bool:
        """Take a connection in; False if there are too many."""
        if self.is_stopping or len(self._connections) >= self.limits.max_connections:
            return False
        self._connections.add(connection)
        self.gone.clear()
        self.stats.connections += 1
        return True

    def may_refuse(self, connection: Connection) -> bool:
        """Return whether there is time to tell one that there are too many."""
        if len(self._refused) >= MAX_REFUSED:
            return False
        self._refused.add(connection)
        self.gone.clear()
        return True

    def remove(self, connection: Connection) -> None:
        """Forget a connection that is over."""
        self._connections.discard(connection)
        self._refused.discard(connection)
        if not self._connections and not self._refused:
            self.gone.set()
