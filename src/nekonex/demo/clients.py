"""Simulated consoles: NintendoClients' own client, over real UDP."""

import contextlib
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from nekonex.app import HostedGame

try:
    from nintendo.nex import (
        backend,
        common,
        datastore,
        matchmaking,
        nattraversal,
        notification,
        ranking,
        secure,
    )
    from nintendo.nex import settings as nintendo_settings
except ImportError:
    backend = None

__all__ = [
    "Console",
    "Inbox",
    "MissingClientsError",
    "Online",
    "Vanished",
    "check_clients",
    "error_name",
    "local_url",
]

_HOW_TO_GET_THEM: Final = (
    "the demo's consoles are NintendoClients, which is not installed: run scripts/demo in a "
    "clone, or pip install 'nekonex[nintendoclients]'"
)


class MissingClientsError(Exception):
    """NintendoClients is not installed; the text says how to get it."""


class Vanished(Exception):  # noqa: N818
    """Raised inside a console's ``async with``: it is gone, and has told nobody."""


def check_clients() -> None:
    """Raise MissingClientsError without NintendoClients."""
    if backend is None:
        raise MissingClientsError(_HOW_TO_GET_THEM)


@dataclass(frozen=True, slots=True)
class Online:
    """A console that has logged in and registered."""

    client: Any
    """The connection to the secure server."""
    secure: Any
    """The methods of the secure connection protocol."""
    connection_id: int
    public_station: Any

    @property
    def pid(self) -> int:
        """The number of the account, as the server told it."""
        return int(self.public_station["PID"])

    @property
    def extension(self) -> Any:
        """The methods of the matchmake extension: sessions and communities."""
        return matchmaking.MatchmakeExtensionClient(self.client)

    @property
    def match_making(self) -> Any:
        """The methods of match making: gatherings of any kind."""
        return matchmaking.MatchMakingClient(self.client)

    @property
    def nat_traversal(self) -> Any:
        """The methods about getting through to other consoles."""
        return nattraversal.NATTraversalClient(self.client)

    @property
    def ranking(self) -> Any:
        """The methods about scores."""
        return ranking.RankingClient(self.client)

    @property
    def data_store(self) -> Any:
        """The methods about what players store for others."""
        return datastore.DataStoreClient(self.client)

    async def participants(self, gid: int) -> list[int]:
        """Return who takes part in a gathering that this console is in."""
        protocol = matchmaking.MatchMakingClientExt(self.client)
        return list(await protocol.get_participants(gid, True))

    async def leave(self, gid: int) -> None:
        """Leave a gathering."""
        await matchmaking.MatchMakingClientExt(self.client).end_participation(gid, "")


class Inbox:
    """What a console is told by the server; ``server`` is what it serves for that."""

    def __init__(self) -> None:
        self.events: list[Any] = []
        self.server: Any = notification.NotificationServer()
        self.server.process_notification_event = self._take

    def about(self, kind: int, gid: int) -> list[Any]:
        """Return the events of a type about a gathering."""
        return [event for event in self.events if (event.type, event.param1) == (kind, gid)]

    async def _take(self, _client: Any, event: Any) -> None:
        self.events.append(event)


@dataclass(frozen=True, slots=True)
class Console:
    """A console with an account, or the guest's."""

    name: str
    password: str
    game: HostedGame

    @contextlib.asynccontextmanager
    async def log_in(self, servers: Sequence[Any] = ()) -> AsyncIterator[Any]:
        """Log in and connect to the secure server; the value is the connection."""
        host, port = self.game.auth.address
        async with contextlib.AsyncExitStack() as stack:
            auth = await stack.enter_async_context(
                backend.connect(_client_settings(self.game), host, port)
            )
            login = auth.login(self.name, self.password, servers=list(servers))
            try:
                client = await stack.enter_async_context(login)
            except Exception:
                # An error that goes through its `async with` keeps it from saying goodbye.
                await stack.pop_all().aclose()
                raise
            yield client

    @contextlib.asynccontextmanager
    async def online(self, servers: Sequence[Any] = ()) -> AsyncIterator[Online]:
        """Log in, and register the console's own address."""
        async with self.log_in(servers) as client:
            protocol = secure.SecureConnectionClient(client)
            reply = await protocol.register([local_url(client)])
            reply.result.raise_if_error()
            yield Online(client, protocol, reply.connection_id, reply.public_station)


def local_url(client: Any, port: int | None = None) -> Any:
    """Return the address of a console on its own network."""
    host, bound = client.local_address()
    return common.StationURL(
        scheme="prudp", address=host, port=bound if port is None else port, sid=15, type=0
    )


def error_name(error: BaseException) -> str:
    """Return what went wrong for a console, in one line."""
    while isinstance(error, BaseExceptionGroup):
        error = error.exceptions[0]
    if backend is not None and isinstance(error, common.RMCError):
        return str(error.name())
    return " ".join(f"{type(error).__name__}: {error}".split())


def _client_settings(game: HostedGame) -> Any:
    settings = nintendo_settings.default()
    for key, value in game.settings.as_dict().items():
        with contextlib.suppress(KeyError):  # nekonex has some keys more
            settings[key] = value
    return settings
