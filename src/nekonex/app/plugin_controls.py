"""The games of this process, as NekoConnect's plugins ask after them and act on them."""

import asyncio
import math
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable, Sequence
from itertools import chain, islice
from typing import Final

from nekonex.app.control_ranking import MAX_TOP
from nekonex.app.hosting import HostedGame
from nekonex.connect.context import OnlinePlayer, OpenGathering, TopScore
from nekonex.domain import (
    ALL_GAMES,
    SECURE_SERVER_PID,
    AccessService,
    AccountService,
    Notification,
)
from nekonex.domain.access import BANNED
from nekonex.domain.errors import InvalidPidError
from nekonex.domain.matchmaking.notices import MAX_TEXT
from nekonex.domain.ports import Clock

__all__ = ["ANNOUNCEMENT", "MAX_LISTED", "MAX_REASON", "GamePluginControls"]

MAX_LISTED: Final = 10_000
"""Players or gatherings that a plugin is told of in one answer."""
MAX_REASON: Final = 1000
"""Characters of the reason that a plugin gives for a kick or a ban."""

ANNOUNCEMENT: Final = 114_000
"""The type of notification that an announcement is sent as, by the secure server's principal id.

It is the maintenance announcement, the one type in nex-protocols-go's list of categories by which
a server says something to everybody that is not about a gathering, a friend or a request. Nobody
has written down its parameters, so they are 0; whether a title shows the text is up to the title.
"""

_PAGE: Final = 500
"""Gatherings that are looked at before the play gets its turn."""


class GamePluginControls:
    """`nekonex.connect.ports.GameControls` over the games that a server hosts.

    ``enforce`` disconnects whoever the access rules keep out.
    """

    def __init__(
        self,
        games: Iterable[HostedGame],
        *,
        accounts: AccountService,
        access: AccessService,
        enforce: Callable[[], Awaitable[object]],
        clock: Clock,
    ) -> None:
        self._games = {game.name: game for game in games}
        self._accounts = accounts
        self._access = access
        self._enforce = enforce
        self._clock = clock

    async def games(self) -> list[str]:
        """Return the names of the games, in the order of the configuration."""
        return list(self._games)

    async def players(self, game: str | None) -> list[OnlinePlayer]:
        """Return who is logged in, `MAX_LISTED` at most."""
        online = chain.from_iterable(
            ((each.name, player) for player in each.players) for each in self._chosen(game)
        )
        found = list(islice(online, MAX_LISTED))
        names = await self._accounts.names({player.pid for _, player in found})
        return [
            OnlinePlayer(
                name, player.pid, names.get(player.pid, ""), player.connection_id, player.address
            )
            for name, player in found
        ]

    async def gatherings(self, game: str | None) -> list[OpenGathering]:
        """Return which sessions and other gatherings are open, `MAX_LISTED` at most.

        Communities are none: they are there whether or not anybody plays.
        """
        found: list[OpenGathering] = []
        for each in self._chosen(game):
            async for gathering in _open_gatherings(each):
                found.append(gathering)
                if len(found) == MAX_LISTED:
                    return found
        return found

    async def top_scores(self, game: str, category: int, count: int) -> list[TopScore]:
        """Return the best scores of a category.

        Raises ValueError for a count that is not from 1 to `nekonex.app.control_ranking.MAX_TOP`.
        """
        chosen = self._game(game)
        if not 1 <= count <= MAX_TOP:
            raise ValueError(f"the count of scores is from 1 to {MAX_TOP}, not {count}")
        best = await chosen.services.rankings.top(category, count)
        names = await self._accounts.names({each.score.pid for each in best})
        return [
            TopScore(rank, score.pid, names.get(score.pid, ""), score.score, score.unique_id)
            for score, rank, _ in best
        ]

    async def kick(self, pid: int, *, game: str | None, reason: str) -> int:
        """Disconnect a player; return how many consoles that were.

        Raises ValueError for a reason of more than `MAX_REASON` characters.
        """
        games = self._chosen(game)
        reason = _reason(reason)
        return sum(each.kick(pid, reason) for each in games)

    async def ban(self, pid: int, reason: str, *, seconds: float | None, game: str | None) -> int:
        """Keep a player out; return how many consoles were disconnected. The ban is stored then.

        Raises ValueError for what is no player's principal id, for a time that is not positive
        and for a reason of more than `MAX_REASON` characters.
        """
        games = self._chosen(game)
        until = None if seconds is None else self._clock() + _positive(seconds)
        try:
            await self._access.ban(pid, _reason(reason), until=until, scope=_scope(game))
        except InvalidPidError as error:
            raise ValueError(str(error)) from error
        return sum(each.kick(pid, BANNED) for each in games)

    async def unban(self, pid: int, *, game: str | None) -> bool:
        """Lift a ban of exactly this scope; False if there was none."""
        self._chosen(game)
        return await self._access.unban(pid, scope=_scope(game))

    async def announce(self, pid: int, text: str, *, game: str | None) -> int:
        """Send a text to the consoles of a player, see `ANNOUNCEMENT`; return how many they were.

        Raises ValueError for a text that is empty, of more characters than consoles are sent in
        a notification (`nekonex.domain.matchmaking.notices.MAX_TEXT`), or that has no UTF-8.
        """
        games = self._chosen(game)
        notification = Notification(
            ANNOUNCEMENT, source_pid=SECURE_SERVER_PID, text=_announcement(text)
        )
        consoles = [player for each in games for player in each.players.all_of(pid)]
        for player in consoles:
            player.notify(notification)
        return len(consoles)

    async def start_maintenance(self, *, game: str | None, seconds: float | None) -> None:
        """Let nobody log in, and disconnect who is; ValueError for a time that is not positive."""
        self._chosen(game)
        start = self._clock()
        end = None if seconds is None else start + _positive(seconds)
        await self._access.start_maintenance(_scope(game), start=start, end=end)
        await self._enforce()

    async def end_maintenance(self, *, game: str | None) -> None:
        """Let players log in again."""
        self._chosen(game)
        await self._access.end_maintenance(_scope(game))

    def _chosen(self, name: str | None) -> Sequence[HostedGame]:
        if name is None:
            return list(self._games.values())
        return [self._game(name)]

    def _game(self, name: str) -> HostedGame:
        found = self._games.get(name)
        if found is None:
            known = ", ".join(self._games) or "none"
            raise KeyError(f"there is no game {name!r}; games here: {known}")
        return found


async def _open_gatherings(game: HostedGame) -> AsyncIterator[OpenGathering]:
    after = 0
    while page := await game.matchmaking.gatherings.live.page(after, _PAGE):
        for each in page:
            yield OpenGathering(
                game.name,
                each.gid,
                type(each).__name__,
                each.owner,
                each.host,
                each.pids,
                each.max_participants,
            )
        after = page[-1].gid
        await asyncio.sleep(0)


def _scope(game: str | None) -> str:
    return ALL_GAMES if game is None else game


def _positive(seconds: float) -> float:
    if not 0 < seconds < math.inf:
        raise ValueError(f"a time is a positive number of seconds, not {seconds}")
    return seconds


def _reason(text: str) -> str:
    """Return a reason on one line."""
    reason = " ".join(text.split())
    if len(reason) > MAX_REASON:
        raise ValueError(f"a reason has at most {MAX_REASON} characters, not {len(reason)}")
    return reason


def _announcement(text: str) -> str:
    if not 1 <= len(text) <= MAX_TEXT:
        raise ValueError(f"an announcement has 1 to {MAX_TEXT} characters, not {len(text)}")
    if "\0" in text:
        raise ValueError("an announcement has no zero characters: consoles end a text there")
    text.encode()  # a lone surrogate is a ValueError too
    return text
