"""What players tell their friends: notification data, which lasts as long as its sender stays.

Types 101 to 108 mean what the game wants; with type x 1000 they are notifications too
(nex-protocols-common-go).
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Final

from nekonex.domain.matchmaking.notices import Event
from nekonex.domain.matchmaking.refusals import MatchmakingError, Refusal
from nekonex.domain.matchmaking.relations.friends import FriendBook
from nekonex.domain.matchmaking.rules.validation import check_length
from nekonex.domain.matchmaking.services.messenger import Messenger
from nekonex.domain.players import Notification, Player

__all__ = ["STATUS_TYPES", "StatusBoard"]

STATUS_TYPES: Final = range(101, 109)
_CATEGORY: Final = 1000


class StatusBoard:
    """The notification data of the players who are connected."""

    def __init__(self, friends: FriendBook, messenger: Messenger) -> None:
        self._friends = friends
        self._messenger = messenger
        # At most one of each type for each player who is connected.
        self._of_player: dict[int, dict[int, Notification]] = {}

    async def update(self, player: Player, kind: int, param1: int, param2: int, text: str) -> None:
        """Replace a player's data of a type, and tell its connected friends.

        Raises MatchmakingError: INVALID for another type, or a text that is too long.
        """
        _check_types([kind])
        check_length("text", text)
        notification = Notification(
            kind * _CATEGORY, source_pid=player.pid, param1=param1, param2=param2, text=text
        )
        self._of_player.setdefault(player.pid, {})[kind] = notification
        await self._tell_friends(player.pid, notification)

    async def of_friends(self, player: Player, kinds: Collection[int]) -> list[Notification]:
        """Return the data of these types of a player's friends who are connected.

        Raises MatchmakingError: INVALID for another type.
        """
        _check_types(kinds)
        kinds = dict.fromkeys(kinds)
        friends = await self._friends.friends_of(player.pid)
        return [
            board[kind]
            for pid in sorted(friends & self._of_player.keys())
            for kind, board in ((kind, self._of_player.get(pid, {})) for kind in kinds)
            if kind in board
        ]

    async def forget(self, pid: int) -> None:
        """Drop the data of a player who is gone, and tell its friends if there was any."""
        if self._of_player.pop(pid, None):
            await self._tell_friends(pid, Notification(Event.FRIEND_OFFLINE, source_pid=pid))

    async def _tell_friends(self, pid: int, notification: Notification) -> None:
        for friend in sorted(await self._friends.friends_of(pid)):
            self._messenger.tell(friend, notification)


def _check_types(kinds: Iterable[int]) -> None:
    for kind in kinds:
        if kind not in STATUS_TYPES:
            raise MatchmakingError(Refusal.INVALID, f"notification type {kind}")
