"""What plugins may ask of the games of the same process; `nekonex.app` has the adapter."""

from __future__ import annotations

from typing import Protocol

from nekonex.connect.context import OnlinePlayer, OpenGathering, TopScore

__all__ = ["GameControls", "NoGames"]


class GameControls(Protocol):
    """The games, as plugins see them.

    ``game`` None stands for all games; KeyError, with a sentence, for one that there is not.
    Raises ServiceUnavailable where a store is out of order.
    """

    async def games(self) -> list[str]:
        """Return the names of the games."""

    async def players(self, game: str | None) -> list[OnlinePlayer]:
        """Return who is logged in."""

    async def gatherings(self, game: str | None) -> list[OpenGathering]:
        """Return which gatherings are open."""

    async def top_scores(self, game: str, category: int, count: int) -> list[TopScore]:
        """Return the best scores of a category."""

    async def kick(self, pid: int, *, game: str | None, reason: str) -> int:
        """Disconnect a player; return how many consoles that were."""

    async def ban(self, pid: int, reason: str, *, seconds: float | None, game: str | None) -> int:
        """Keep a player out; return how many consoles were disconnected."""

    async def unban(self, pid: int, *, game: str | None) -> bool:
        """Lift a ban of exactly this scope; False if there was none."""

    async def announce(self, pid: int, text: str, *, game: str | None) -> int:
        """Send a text to the consoles of a player; return how many they were."""

    async def start_maintenance(self, *, game: str | None, seconds: float | None) -> None:
        """Let nobody log in, and disconnect who is."""

    async def end_maintenance(self, *, game: str | None) -> None:
        """Let players log in again."""


class NoGames:
    """`GameControls` of a server without games."""

    async def games(self) -> list[str]:
        """Return nothing."""
        return []

    async def players(self, game: str | None) -> list[OnlinePlayer]:
        """Return nobody."""
        _known(game)
        return []

    async def gatherings(self, game: str | None) -> list[OpenGathering]:
        """Return nothing."""
        _known(game)
        return []

    async def top_scores(self, game: str, category: int, count: int) -> list[TopScore]:  # noqa: ARG002
        """Raise KeyError."""
        _known(game)
        return []

    async def kick(self, pid: int, *, game: str | None, reason: str) -> int:  # noqa: ARG002
        """Disconnect nobody."""
        _known(game)
        return 0

    async def ban(self, pid: int, reason: str, *, seconds: float | None, game: str | None) -> int:  # noqa: ARG002
        """Ban nobody."""
        _known(game)
        return 0

    async def unban(self, pid: int, *, game: str | None) -> bool:  # noqa: ARG002
        """Find no ban."""
        _known(game)
        return False

    async def announce(self, pid: int, text: str, *, game: str | None) -> int:  # noqa: ARG002
        """Tell nobody."""
        _known(game)
        return 0

    async def start_maintenance(self, *, game: str | None, seconds: float | None) -> None:  # noqa: ARG002
        """Do nothing."""
        _known(game)

    async def end_maintenance(self, *, game: str | None) -> None:
        """Do nothing."""
        _known(game)


def _known(game: str | None) -> None:
    if game is not None:
        raise KeyError(f"there is no game {game!r}; games here: none")
