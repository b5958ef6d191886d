"""What a NekoConnect plugin is given: type stubs for its author.

Import it where nekonex is installed, or copy this one file beside a plugin; it needs nothing but
the standard library.

    from nekonex.connect.context import Context

    class Logic:
        def recv(self, ctx: Context) -> None:
            ctx.send(b"you said " + ctx.data, ctx.op)

In a plain method the methods that wait block, and the plugin is called in a thread of its own pool:
annotate with `Context` and `App`. In a coroutine method they are awaited, on the event loop:
annotate with `AsyncContext` and `AsyncApp`. It is the same object at run time, so one that a plain
``connected`` has kept may be used by a coroutine ``recv``.
"""

from __future__ import annotations

import sys
from collections.abc import Awaitable, Callable
from typing import Any, NamedTuple, Protocol, TypeVar

__all__ = [
    "App",
    "AsyncApp",
    "AsyncContext",
    "ConnectionClosed",
    "Context",
    "DatabaseError",
    "OnlinePlayer",
    "OpenGathering",
    "TopScore",
    "ctx",
]


class ConnectionClosed(ConnectionError):  # noqa: N818 - the name that the document gives it
    """The client is gone, or the plugin that waits for it was reloaded."""


class DatabaseError(Exception):
    """The plugin's cells cannot be read; the client is told status 500 unless it is caught."""


# A copy of this file stands for the server's own: what that raises can be caught by these names.
_own = sys.modules.get("nekonex.connect.context")
if _own is not None:
    ConnectionClosed = getattr(_own, "ConnectionClosed", ConnectionClosed)  # type: ignore[misc]
    DatabaseError = getattr(_own, "DatabaseError", DatabaseError)  # type: ignore[misc]

_E = TypeVar("_E")


class OnlinePlayer(NamedTuple):
    """A console that is logged in to a game."""

    game: str
    pid: int
    name: str
    """The name of its account; empty where it has none, such as a guest's."""
    connection_id: int
    address: tuple[str, int]


class OpenGathering(NamedTuple):
    """A session or other gathering that is open."""

    game: str
    gid: int
    kind: str
    """The name of its type: ``MatchmakeSession`` or that of the game."""
    owner: int
    host: int
    players: tuple[int, ...]
    """The principal ids of those who take part."""
    places: int
    """How many may take part; 0 where there is no limit."""


class TopScore(NamedTuple):
    """One of the best scores of a category."""

    rank: int
    """1 is the best; equals share a rank."""
    pid: int
    name: str
    """The name of the player's account; empty where there is none."""
    score: int
    unique_id: int


class _Logging(Protocol):
    """Writing to the server's log, tagged with the plugin; never waits."""

    def log(self, message: object) -> None:
        """Note what is worth knowing."""

    def warn(self, message: object) -> None:
        """Note what may be wrong."""

    def error(self, message: object) -> None:
        """Note what went wrong."""


class _Client(_Logging, Protocol):
    """What is known of a connection; nothing of this waits."""

    op: int
    """The op code of the frame that woke the plugin, or of the last one that `recv` returned."""
    data: bytes
    """Its data."""
    len: int
    """How many bytes of data it has."""

    @property
    def address(self) -> tuple[str, int]:
        """Host and port of the client."""

    @property
    def client_id(self) -> str:
        """What tells this connection from every other one, as long as the server runs."""

    @property
    def state(self) -> dict[Any, Any]:
        """Whatever the plugin wants to remember of this connection; it survives a reload."""


class Context(_Client, Protocol):
    """One connection, as a plain method of a plugin sees it, usable until the connection ends.

    Methods that send or receive raise ConnectionClosed when it has ended. Calling one that may
    wait from the event loop without awaiting it is a mistake.
    """

    def recv(self, packets: int = 1) -> bytes:
        """Wait for so many further frames for this plugin and return their data, joined.

        ``op``, ``data`` and ``len`` are then those of the last one. Raises ConnectionClosed.
        """

    def send(self, data: bytes, op: int = 200) -> None:
        """Send this client a frame; raises ConnectionClosed, ValueError for too much data.

        It waits while the client is slow to take what was sent before.
        """

    def close(self) -> None:
        """Send what waits to be sent, and close the connection. Harmless when it is closed."""

    def broadcast(self, data: bytes, op: int = 200, include_self: bool = False) -> int:
        """Send a frame to every client that has sent this plugin one; return to how many."""

    def db_get(self, cell: str) -> str:
        """Return the text of a cell, ``""`` where there is none; raises DatabaseError."""

    def db_store(self, cell: str, data: str) -> bool:
        """Keep a text; True once it is on the disk, False where it cannot be kept.

        ``""`` removes the cell. Names have 1 to 255 bytes; ValueError for others, and for lone
        surrogates in a name or a text.
        """

    def db_cells(self, prefix: str = "") -> list[str]:
        """Return the names of the cells that begin so, sorted; raises DatabaseError."""


class AsyncContext(_Client, Protocol):
    """One connection, as a coroutine method of a plugin sees it: `Context`, to be awaited."""

    async def recv(self, packets: int = 1) -> bytes:
        """See `Context.recv`."""

    async def send(self, data: bytes, op: int = 200) -> None:
        """See `Context.send`."""

    async def close(self) -> None:
        """See `Context.close`."""

    async def broadcast(self, data: bytes, op: int = 200, include_self: bool = False) -> int:
        """See `Context.broadcast`."""

    async def db_get(self, cell: str) -> str:
        """See `Context.db_get`."""

    async def db_store(self, cell: str, data: str) -> bool:
        """See `Context.db_store`."""

    async def db_cells(self, prefix: str = "") -> list[str]:
        """See `Context.db_cells`."""


class _Events(_Logging, Protocol):
    """What a plugin may do at any time, without waiting."""

    @property
    def greeter(self) -> str:
        """The plugin's own greeter."""

    def on(
        self, event: type[_E], callback: Callable[[_E], Awaitable[object] | object]
    ) -> Callable[[], None]:
        """Call back with each event of a class of `nekonex.events`; the result ends that.

        A coroutine function is awaited on the event loop, a plain one called in the plugin's
        pool; events come one at a time, in their order. It ends by itself when the plugin stops.
        """


class App(_Events, Protocol):
    """The server, as a plain method of a plugin sees it; `Logic.start` is given it.

    ``game`` is the name of a game in the configuration; None stands for all of them. KeyError
    for a game that there is not. Calls that need the database raise DatabaseError when it is out
    of order.
    """

    def broadcast(self, data: bytes, op: int = 200) -> int:
        """Send a frame to every client that has sent this plugin one; return to how many."""

    def clients(self) -> list[Context]:
        """Return the connections that have sent this plugin a frame."""

    def db_get(self, cell: str) -> str:
        """See `Context.db_get`."""

    def db_store(self, cell: str, data: str) -> bool:
        """See `Context.db_store`."""

    def db_cells(self, prefix: str = "") -> list[str]:
        """See `Context.db_cells`."""

    def games(self) -> list[str]:
        """Return the names of the games that this server hosts."""

    def players(self, game: str | None = None) -> list[OnlinePlayer]:
        """Return who is logged in."""

    def gatherings(self, game: str | None = None) -> list[OpenGathering]:
        """Return which gatherings are open."""

    def top_scores(self, game: str, category: int, count: int = 10) -> list[TopScore]:
        """Return the best scores of a category; none if there is no such category.

        Raises ValueError for a count that is not 1 to 1,000.
        """

    def kick(self, pid: int, *, game: str | None = None, reason: str = "kicked") -> int:
        """Disconnect a player; return how many consoles that were.

        The reason is for the log; ValueError if it has more than 1,000 characters.
        """

    def ban(
        self, pid: int, reason: str = "", *, seconds: float | None = None, game: str | None = None
    ) -> int:
        """Keep a player out, for ever or a while; return how many consoles were disconnected.

        The ban is on the disk then. Raises ValueError for what is no player's principal id, for
        seconds that are not above 0, and for a reason of more than 1,000 characters.
        """

    def unban(self, pid: int, *, game: str | None = None) -> bool:
        """Lift a ban; False if there was none of exactly this scope."""

    def announce(self, pid: int, text: str, *, game: str | None = None) -> int:
        """Send a text to a player's consoles as a notification; return how many they were.

        Raises ValueError for a text that has not 1 to 256 characters.
        """

    def start_maintenance(self, *, game: str | None = None, seconds: float | None = None) -> None:
        """Let nobody log in from now on, for ever or a while. Who is logged in is disconnected.

        Raises ValueError for seconds that are not above 0.
        """

    def end_maintenance(self, *, game: str | None = None) -> None:
        """Let players log in again."""


class AsyncApp(_Events, Protocol):
    """The server, as a coroutine method of a plugin sees it: `App`, to be awaited."""

    async def broadcast(self, data: bytes, op: int = 200) -> int:
        """See `App.broadcast`."""

    def clients(self) -> list[AsyncContext]:
        """See `App.clients`."""

    async def db_get(self, cell: str) -> str:
        """See `Context.db_get`."""

    async def db_store(self, cell: str, data: str) -> bool:
        """See `Context.db_store`."""

    async def db_cells(self, prefix: str = "") -> list[str]:
        """See `Context.db_cells`."""

    async def games(self) -> list[str]:
        """See `App.games`."""

    async def players(self, game: str | None = None) -> list[OnlinePlayer]:
        """See `App.players`."""

    async def gatherings(self, game: str | None = None) -> list[OpenGathering]:
        """See `App.gatherings`."""

    async def top_scores(self, game: str, category: int, count: int = 10) -> list[TopScore]:
        """See `App.top_scores`."""

    async def kick(self, pid: int, *, game: str | None = None, reason: str = "kicked") -> int:
        """See `App.kick`."""

    async def ban(
        self, pid: int, reason: str = "", *, seconds: float | None = None, game: str | None = None
    ) -> int:
        """See `App.ban`."""

    async def unban(self, pid: int, *, game: str | None = None) -> bool:
        """See `App.unban`."""

    async def announce(self, pid: int, text: str, *, game: str | None = None) -> int:
        """See `App.announce`."""

    async def start_maintenance(
        self, *, game: str | None = None, seconds: float | None = None
    ) -> None:
        """See `App.start_maintenance`."""

    async def end_maintenance(self, *, game: str | None = None) -> None:
        """See `App.end_maintenance`."""


ctx = Context
"""The name that the document's ``context.py`` has."""
