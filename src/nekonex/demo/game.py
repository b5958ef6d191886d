"""The demo's own addition to a game: a protocol through which the server calls consoles."""

from collections.abc import Sequence

from nekonex.game import Game, GameServices
from nekonex.rmc import Protocol, Session, method
from nekonex.values import RMCError
from nekonex.wire import PID

__all__ = ["DemoGame", "Doorbell"]


class Doorbell(Protocol, id=200):
    """Rings at another player's console and returns what that answers.

    Consoles serve the protocol too: there, `ring` is what the server calls.
    """

    def __init__(self) -> None:
        self._sessions: dict[int, Session] = {}

    @method(1)
    async def listen(self, client: Session) -> None:
        """Let others ring here."""
        if client.pid is not None:
            self._sessions[client.pid] = client

    @method(2)
    async def ring(self, client: Session, pid: PID, text: str) -> str:
        """Ring at a player's console."""
        target = self._sessions.get(pid)
        if target is None:
            raise RMCError("RendezVous::NotParticipatedGathering")
        answer: str = await Doorbell.client(target).ring(client.pid or 0, text)
        return answer

    async def logout(self, client: Session) -> None:
        """Forget a player who left."""
        if client.pid is not None and self._sessions.get(client.pid) is client:
            del self._sessions[client.pid]


class DemoGame(Game):
    """Mario Kart 8 with a doorbell."""

    def protocols(self, services: GameServices) -> Sequence[Protocol]:  # noqa: ARG002
        """Return the doorbell."""
        return [Doorbell()]
