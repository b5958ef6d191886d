"""Who calls."""

from __future__ import annotations

from nekonex.domain import PlayerRegistry
from nekonex.rmc import Session
from nekonex.values import RMCError

__all__ = ["caller_pid"]


def caller_pid(client: Session, players: PlayerRegistry | None) -> int:
    """Return the principal id of a client.

    With ``players`` it must be among these, because that is where tokens and bans are looked at;
    without, its ticket is enough. Raises RMCError("RendezVous::NotAuthenticated").
    """
    if players is None:
        pid = client.pid
    else:
        player = players.get(client.id)
        pid = None if player is None else player.pid
    if pid is None:
        raise RMCError("RendezVous::NotAuthenticated")
    return pid
