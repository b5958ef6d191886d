"""Monster Hunter XX: methods that it numbers otherwise.

Numbers as in NintendoClients' ``matchmaking_mhxx.py``. The game's own list of friends (54 to 58)
is not implemented.
"""

from __future__ import annotations

from nekonex.nex.matchmake_extension import MatchmakeExtensionServer
from nekonex.nex.structures import PersistentGathering, ResultRange
from nekonex.rmc import Session, method
from nekonex.wire import PID

__all__ = ["MonsterHunterXXMatchmakeExtensionServer"]


class MonsterHunterXXMatchmakeExtensionServer(MatchmakeExtensionServer):
    """The matchmake extension as Monster Hunter XX has it."""

    @method(59)
    async def find_community_by_owner(
        self, client: Session, pid: PID, result_range: ResultRange
    ) -> list[PersistentGathering]:
        """Return the communities that a player owns."""
        return await super().find_community_by_owner(client, pid, result_range)
