"""What commands share that work on the stores, or talk to the server that runs."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable, Coroutine
from dataclasses import dataclass
from typing import Annotated, Any, TypeVar

import typer

from nekonex.app import (
    RESERVED_USERS,
    NoServerError,
    RefusedCommandError,
    StartError,
    ask,
    refuse_what_is_missing,
)
from nekonex.cli._common import EXIT_NO_SERVER, EXIT_USAGE, CommandError
from nekonex.config import Config
from nekonex.domain import (
    ALL_GAMES,
    MAX_PID,
    AccessService,
    AccountError,
    AccountService,
    DomainError,
    ReportService,
)
from nekonex.domain.cells import CellStore
from nekonex.domain.datastore.ports import ObjectStore
from nekonex.domain.errors import InvalidNameError, InvalidPasswordError, InvalidPidError
from nekonex.domain.matchmaking import CommunityStore
from nekonex.kerberos import WorkerKeyDeriver
from nekonex.storage import StorageError, open_local
from nekonex.values import ServiceUnavailable

__all__ = [
    "GameOption",
    "PidArgument",
    "Services",
    "ask_server",
    "open_services",
    "refresh_server",
    "run",
    "scope_of",
]

_T = TypeVar("_T")

PidArgument = Annotated[
    int, typer.Argument(metavar="PID", min=0, max=MAX_PID, help="The player's number.")
]

GameOption = Annotated[
    str | None,
    typer.Option("--game", metavar="NAME", help="Only this game. Default: all games."),
]


@dataclass(frozen=True, slots=True)
class Services:
    """The services of a data directory, whether or not a server runs there."""

    accounts: AccountService
    access: AccessService
    reports: ReportService
    communities: Callable[[str], CommunityStore]
    """Those of a game, by its name."""
    objects: Callable[[str], ObjectStore]
    """What is known of the stored objects of a game, by its name."""
    cells: CellStore
    """What plugins keep."""


@contextlib.asynccontextmanager
async def open_services(config: Config) -> AsyncIterator[Services]:
    """Open the stores that a configuration names; StartError for those there are not yet."""
    refuse_what_is_missing(config)
    async with (
        open_local(config.server.data_dir) as stores,
        WorkerKeyDeriver() as deriver,
    ):
        yield Services(
            AccountService(stores.accounts, deriver, special=RESERVED_USERS),
            AccessService(stores.access),
            ReportService(stores.reports),
            stores.communities,
            stores.objects,
            stores.cells,
        )


def run(coroutine: Coroutine[Any, Any, _T]) -> _T:
    """Run a command's coroutine; what the domain or the stores refuse becomes CommandError."""
    try:
        return asyncio.run(coroutine)
    except (InvalidNameError, InvalidPasswordError, InvalidPidError, StartError) as error:
        raise CommandError(str(error), EXIT_USAGE) from error
    except (AccountError, DomainError, StorageError, ServiceUnavailable) as error:
        raise CommandError(str(error)) from error


def ask_server(config: Config, command: str, **arguments: Any) -> Any:
    """Give the running server a command; CommandError with exit status 3 if none runs."""
    try:
        return ask(config.server.data_dir, command, **arguments)
    except NoServerError as error:
        raise CommandError(str(error), EXIT_NO_SERVER) from None
    except RefusedCommandError as error:
        raise CommandError(str(error)) from None


def refresh_server(config: Config) -> int:
    """Have a server that runs act on changed rules now; return how many consoles that ended.

    Without one there is nothing to do, and one that does not answer looks by itself soon.
    """
    try:
        return int(ask(config.server.data_dir, "refresh")["disconnected"])
    except (NoServerError, RefusedCommandError):
        return 0


def scope_of(config: Config, game: str | None) -> str:
    """Return the scope of an access rule; CommandError for a game that is not configured."""
    if game is None:
        return ALL_GAMES
    known = [each.name for each in config.games]
    if game not in known:
        raise CommandError(
            f"there is no game {game!r}; configured: {', '.join(known) or 'none'}", EXIT_USAGE
        )
    return game
