"""A game with a protocol of its own: what a player says comes back, with the player's number."""

from collections.abc import Sequence

from nekonex import Game, GameServices, Protocol, Session, method
from nekonex.domain import PlayerRegistry
from nekonex.wire import UInt32


class Echo(Protocol, id=200):
    """Says back what it hears."""

    def __init__(self, players: PlayerRegistry) -> None:
        self._players = players

    @method(1)
    async def say(self, client: Session, text: str) -> str:
        """Return what a player said."""
        return f"{client.pid} says {text}"

    @method(2)
    async def listeners(self, client: Session) -> UInt32:  # noqa: ARG002
        """Return how many players are online."""
        return self._players.count


class EchoGame(Game):
    """The common protocols, and the echo."""

    def protocols(self, services: GameServices) -> Sequence[Protocol]:
        """Return what this game adds."""
        return [Echo(services.players)]
