"""A game with rules of its own: rooms for members only, and friends from a list."""

from nekonex import Game, GameServices
from nekonex.domain import Player
from nekonex.domain.matchmaking import (
    Gathering,
    GetFriendPids,
    MatchmakeSession,
    MatchmakingHooks,
)

CLUB = 7  # the game mode of rooms for members
PEACH, DAISY, TOAD = 1_000_000_000, 1_000_000_001, 1_000_000_002
MEMBERS = {PEACH, DAISY}  # in place of a database
FRIENDS = {PEACH: [TOAD], TOAD: [PEACH]}


def is_welcome(player: Player, gathering: Gathering) -> bool:
    club = isinstance(gathering, MatchmakeSession) and gathering.game_mode == CLUB
    return player.pid in MEMBERS or not club


# --8<-- [start:hooks]
class ClubHooks(MatchmakingHooks):
    def accepts(self, player: Player, session: MatchmakeSession) -> bool:
        """Tell whether a search of this player may find a session."""
        return is_welcome(player, session)

    async def can_join(self, player: Player, gathering: Gathering) -> bool:
        """Tell whether a player may join."""
        return is_welcome(player, gathering)

    def validate(self, player: Player, gathering: Gathering) -> bool:
        """Tell whether a player may make a gathering like this, or change it into this."""
        return is_welcome(player, gathering) and gathering.max_participants <= 8


# --8<-- [end:hooks]


# --8<-- [start:game]
class ClubGame(Game):
    def matchmaking_hooks(self, services: GameServices) -> MatchmakingHooks:
        return ClubHooks()

    def get_friend_pids(self, services: GameServices) -> GetFriendPids:
        async def friends_of(pid: int) -> list[int]:
            return FRIENDS.get(pid, [])

        return friends_of


# --8<-- [end:game]
