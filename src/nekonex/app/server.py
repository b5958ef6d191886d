"""The server as a whole: what it is made of, in the order in which it starts and stops."""

import asyncio
import contextlib
import logging
import secrets
import time
from collections.abc import AsyncIterator, Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, Final

from nekonex.app.addresses import ExternalAddress
from nekonex.app.assembly import RESERVED_USERS, Shared
from nekonex.app.connect import ConnectPort
from nekonex.app.control import ControlServer
from nekonex.app.control_commands import ControlCommands
from nekonex.app.data_dir import exclusive
from nekonex.app.errors import StartError
from nekonex.app.gathering_log import gatherings_logged
from nekonex.app.hosting import HostedGame
from nekonex.app.http import HttpPort
from nekonex.app.loading import COMMON, load_game
from nekonex.app.plugin_controls import GamePluginControls
from nekonex.app.ports import Closable, GamePort, close_all
from nekonex.app.supported import refuse_what_is_missing
from nekonex.app.watch import AccessWatcher
from nekonex.config import Config, config_warnings
from nekonex.domain import AccessService, AccountService
from nekonex.domain.datastore.files import FileStore
from nekonex.domain.ports import Clock
from nekonex.events import EventBus
from nekonex.kerberos import WorkerKeyDeriver
from nekonex.storage import OBJECTS_NAME, StorageError, Stores, open_local
from nekonex.storage.objects import LocalObjects, open_objects
from nekonex.values import ServiceUnavailable

__all__ = ["Server", "running"]

logger = logging.getLogger(__name__)

SECRET_NAME: Final = "secure-server"  # noqa: S105
OBJECTS_SECRET_NAME: Final = "object-store"  # noqa: S105
SECRET_SIZE: Final = 32


class Server:
    """A server that is running; `running` makes one."""

    def __init__(
        self,
        games: Sequence[HostedGame],
        *,
        accounts: AccountService,
        access: AccessService,
        watcher: AccessWatcher,
        events: EventBus,
        data_dir: Path,
        http: HttpPort | None = None,
        connect: ConnectPort | None = None,
    ) -> None:
        self.games = tuple(games)
        self.accounts = accounts
        self.access = access
        self.events = events
        self.data_dir = data_dir
        self.http = http
        self.connect = connect
        self._watcher = watcher

    def game(self, name: str) -> HostedGame:
        """Return the game of that name; KeyError if there is none."""
        for game in self.games:
            if game.name == name:
                return game
        raise KeyError(f"there is no game {name!r}")

    def kick(self, pid: int, *, game: str | None = None, reason: str = "kicked") -> int:
        """Disconnect a player from one game or from all; return how many consoles that were."""
        games = self.games if game is None else (self.game(game),)
        return sum(each.kick(pid, reason) for each in games)

    async def enforce_access(self) -> int:
        """Disconnect now whoever the access rules keep out; return how many they were.

        It happens within a second by itself. Raises ServiceUnavailable if the rules cannot be
        read.
        """
        return await self._watcher.check()

    def addresses(self) -> dict[str, Any]:
        """Return the bound addresses: the content of the ready file."""
        games = [
            {
                "name": game.name,
                "auth": list(game.auth.address),
                "secure": list(game.secure.address),
            }
            for game in self.games
        ]
        http = None if self.http is None else list(self.http.address)
        connect = None if self.connect is None else list(self.connect.address)
        return {"games": games, "http": http, "connect": connect}


@contextlib.asynccontextmanager
async def running(
    config: Config,
    *,
    events: EventBus | None = None,
    clock: Clock = time.time,
    on_claim: Callable[[], object] | None = None,
    plugin_folders: Iterable[Path] = (),
    watch: bool | None = None,
) -> AsyncIterator[Server]:
    """Start everything that a configuration asks for, and stop it in reverse order.

    Raises ConfigError for a game's class that cannot be loaded, and StartError, in one
    sentence, for anything else that keeps the server from starting; nothing is left behind
    then. At the end consoles are told goodbye, logout hooks run and everything is on the disk.
    *on_claim* is called as soon as the data directory cannot be another server's any more.
    Plugins are those of the configured folder and of *plugin_folders*; *watch* says in place of
    the configuration whether they are loaded anew when their files change.
    """
    refuse_what_is_missing(config)
    games = [load_game(config, game) for game in config.games]
    events = events or EventBus()
    data_dir = config.server.data_dir
    async with contextlib.AsyncExitStack() as stack:
        stack.enter_context(exclusive(data_dir))
        if on_claim is not None:
            on_claim()
        ports = await stack.enter_async_context(_bound_ports(config))
        http = await stack.enter_async_context(_bound_http(config))
        connect = await stack.enter_async_context(_bound_connect(config, plugin_folders, watch))
        # Not before: what cannot start says so in one sentence, and nothing else.
        for warning in config_warnings(config):
            logger.warning("%s", warning)
        stores = await _open_stores(stack, data_dir)
        objects_secret = await _secret(stores, OBJECTS_SECRET_NAME)
        objects = await _open_objects(stack, data_dir, objects_secret, clock)
        deriver = await stack.enter_async_context(WorkerKeyDeriver())
        shared = Shared(
            accounts=AccountService(stores.accounts, deriver, special=RESERVED_USERS, clock=clock),
            access=AccessService(stores.access, clock=clock),
            stores=stores,
            deriver=deriver,
            events=events,
            clock=clock,
            secret=await _secret(stores, SECRET_NAME),
            files=partial(_files, objects, http),
        )
        hosted = [
            HostedGame(each, game, auth=auth, secure=secure, shared=shared)
            for each, game, (auth, secure) in zip(config.games, games, ports, strict=True)
        ]
        for game in hosted:
            objects.watch(game.name, game.services.data_store.arrived)
            stack.push_async_callback(game.aclose)
        # Once more, in front of the stores: ports close before what their hooks need.
        closing: list[Closable] = [port for pair in ports for port in pair]
        closing += [port for port in (http, connect) if port is not None]
        stack.push_async_callback(close_all, closing)
        stack.enter_context(gatherings_logged(events))
        watcher = AccessWatcher(shared.access, hosted, clock=clock)
        server = Server(
            hosted,
            accounts=shared.accounts,
            access=shared.access,
            watcher=watcher,
            events=events,
            data_dir=data_dir,
            http=http,
            connect=connect,
        )
        if http is not None:
            await http.serve(objects)
        await _start_games(hosted)
        tasks = [
            watcher.run(),
            objects.keep_swept(),
            *(game.external.keep_fresh() for game in hosted),
            *(game.keep() for game in hosted),
        ]
        await stack.enter_async_context(_background(tasks))
        if connect is not None:
            # When the games are there: plugins may ask for them at once.
            controls = GamePluginControls(
                hosted,
                accounts=shared.accounts,
                access=shared.access,
                enforce=watcher.check,
                clock=clock,
            )
            await connect.serve(stores, controls, events)
        control = ControlServer(data_dir, ControlCommands(server))
        await stack.enter_async_context(control.serving())
        yield server


@contextlib.asynccontextmanager
async def _bound_ports(config: Config) -> AsyncIterator[list[tuple[GamePort, GamePort]]]:
    bound: list[GamePort] = []
    try:
        pairs = []
        for game in config.games:
            auth = await GamePort.open(config, game, "auth")
            bound.append(auth)
            secure = await GamePort.open(config, game, "secure")
            bound.append(secure)
            pairs.append((auth, secure))
        yield pairs
    finally:
        await close_all(bound)


@contextlib.asynccontextmanager
async def _bound_http(config: Config) -> AsyncIterator[HttpPort | None]:
    if not config.http.enabled:
        yield None
        return
    http = await HttpPort.open(config)
    try:
        yield http
    finally:
        await http.close()


@contextlib.asynccontextmanager
async def _bound_connect(
    config: Config, plugin_folders: Iterable[Path], watch: bool | None
) -> AsyncIterator[ConnectPort | None]:
    if not config.connect.enabled:
        yield None
        return
    connect = await ConnectPort.open(config, plugin_folders=plugin_folders, watch=watch)
    try:
        yield connect
    finally:
        await connect.close()


async def _open_stores(stack: contextlib.AsyncExitStack, data_dir: Path) -> Stores:
    try:
        return await stack.enter_async_context(open_local(data_dir))
    except (StorageError, OSError) as error:
        raise StartError(str(error)) from error


async def _open_objects(
    stack: contextlib.AsyncExitStack, data_dir: Path, secret: bytes, clock: Clock
) -> LocalObjects:
    root = data_dir / OBJECTS_NAME
    try:
        objects = await stack.enter_async_context(open_objects(root, secret, clock=clock))
        await objects.sweep()
    except ServiceUnavailable as error:
        raise StartError(f"the object store {root} cannot be used: {error.__cause__}") from error
    return objects


def _files(
    objects: LocalObjects, http: HttpPort | None, game: str, external: ExternalAddress
) -> FileStore:
    return objects.files(game, None if http is None else http.url_for(external))


async def _secret(stores: Stores, name: str) -> bytes:
    try:
        return await stores.secrets.get_or_create(name, lambda: secrets.token_bytes(SECRET_SIZE))
    except (StorageError, ServiceUnavailable) as error:
        raise StartError(str(error)) from error


async def _start_games(games: Sequence[HostedGame]) -> None:
    if not games:
        logger.warning("no game is configured: nothing to serve")
    for game in games:
        try:
            await game.start()
        except ServiceUnavailable as error:
            raise StartError(f"game {game.name} cannot start: {error}") from error
        except (TypeError, ValueError) as error:
            if game.config.server == COMMON:
                raise
            raise StartError(
                f"game {game.name}: {game.config.server} does not work: {error}"
            ) from error


@contextlib.asynccontextmanager
async def _background(coroutines: Sequence[Any]) -> AsyncIterator[None]:
    tasks = [asyncio.create_task(coroutine) for coroutine in coroutines]
    try:
        yield
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
