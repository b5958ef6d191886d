"""What a game may add to the rules of matchmaking."""

from __future__ import annotations

from nekonex.domain.matchmaking.model import Gathering, MatchmakeSession
from nekonex.domain.players import Player

__all__ = ["MatchmakingHooks"]


class MatchmakingHooks:
    """Override what differs; nothing here changes anything.

    Each may raise `nekonex.values.RMCError` to say what the console is told instead.
    """

    def accepts(self, player: Player, session: MatchmakeSession) -> bool:  # noqa: ARG002
        """Tell whether a search of this player may find a session that matches its criteria.

        Called for every session that a search looks at, on the event loop: it must be quick.
        """
        return True

    async def can_join(self, player: Player, gathering: Gathering) -> bool:  # noqa: ARG002
        """Tell whether a player may join; where it may not, the console is told PermissionDenied.

        What it looks at may have changed when the player joins a moment later: what must never
        happen, such as too many players, belongs into the gathering.
        """
        return True

    def validate(self, player: Player, gathering: Gathering) -> bool:  # noqa: ARG002
        """Tell whether a player may make a gathering of this kind, or change it into this.

        The protocol's own bounds were checked already. Where it returns False, the console is
        told InvalidArgument.
        """
        return True
