"""Who is online in a game: the port through which everybody acts on players, and the register."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Protocol

from nekonex.events import EventBus, PlayerLoggedIn, PlayerLoggedOut

__all__ = ["Notification", "Player", "PlayerRegistry"]


@dataclass(frozen=True, slots=True)
class Notification:
    """What a game's server can tell a console unasked; the meaning depends on ``kind``."""

    kind: int
    source_pid: int = 0
    param1: int = 0
    param2: int = 0
    param3: int = 0
    text: str = ""


class Player(Protocol):
    """A console that is registered at a game's secure server.

    ``connection_id`` is unique for the life of the process and never 0. ``address`` is the
    public host and port of the console.
    """

    @property
    def pid(self) -> int:
        """The principal id; guests share one."""

    @property
    def connection_id(self) -> int:
        """The number of this connection."""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port that the console's datagrams come from."""

    def close(self, reason: str) -> None:
        """Disconnect the console soon; ``reason`` is for the log. Harmless when it is gone."""

    def notify(self, event: Notification) -> None:
        """Send the console a notification, without waiting. Harmless when it is gone."""


class PlayerRegistry:
    """The players of one game by connection, and the newest connection of each principal id.

    Everything is keyed by connection, so a late logout of an old connection never removes a
    newer one of the same player. When the newest goes, an older one that is still there counts.
    """

    def __init__(self, game: str, events: EventBus) -> None:
        self._game = game
        self._events = events
        self._players: dict[int, Player] = {}
        self._by_pid: dict[int, dict[int, Player]] = {}

    @property
    def game(self) -> str:
        """The name of the game whose players these are."""
        return self._game

    @property
    def count(self) -> int:
        """How many connections are registered."""
        return len(self._players)

    def __iter__(self) -> Iterator[Player]:
        """Go through the players who are online now; they may come and go meanwhile."""
        return iter(tuple(self._players.values()))

    def get(self, connection_id: int) -> Player | None:
        """Return the player on a connection."""
        return self._players.get(connection_id)

    def newest(self, pid: int) -> Player | None:
        """Return the player with this principal id who registered last."""
        connections = self._by_pid.get(pid)
        return None if connections is None else next(reversed(connections.values()))

    def all_of(self, pid: int) -> tuple[Player, ...]:
        """Return all connections of a principal id, the oldest first: guests have many."""
        return tuple(self._by_pid.get(pid, {}).values())

    def register(self, player: Player) -> bool:
        """Add a player and say so to the event bus; False if the connection was there already.

        Raises ValueError for the connection id 0, or if another player has this connection id.
        """
        connection = player.connection_id
        if not connection:
            raise ValueError("a connection id is never 0")
        known = self._players.get(connection)
        if known is not None:
            if known is not player:
                raise ValueError(f"connection {connection} belongs to another player")
            return False
        self._players[connection] = player
        self._by_pid.setdefault(player.pid, {})[connection] = player
        address = player.address
        self._events.publish(PlayerLoggedIn(self._game, player.pid, connection, address))
        return True

    def unregister(self, connection_id: int) -> Player | None:
        """Remove a connection and say so to the event bus; None if it was not registered."""
        player = self._players.pop(connection_id, None)
        if player is None:
            return None
        connections = self._by_pid[player.pid]
        del connections[connection_id]
        if not connections:
            del self._by_pid[player.pid]
        address = player.address
        self._events.publish(PlayerLoggedOut(self._game, player.pid, connection_id, address))
        return player
