"""What a running server does when it is told to over the control socket."""

import os
import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import asdict
from functools import partial
from typing import TYPE_CHECKING, Any

from nekonex import __version__
from nekonex.app.control import CommandRefusedError
from nekonex.app.control_backup import snapshot
from nekonex.app.control_matchmaking import explain, gathering_counts, list_gatherings
from nekonex.app.control_plugins import list_plugins, refresh_plugins
from nekonex.app.control_records import RECORD_COMMANDS, RecordCommand, player_of
from nekonex.app.hosting import HostedGame
from nekonex.app.ports import GamePort
from nekonex.app.records import records_of
from nekonex.values import ServiceUnavailable

if TYPE_CHECKING:
    from _typeshed import DataclassInstance

    from nekonex.app.server import Server

__all__ = ["ControlCommands"]


class ControlCommands:
    """The handler of the control socket. Arguments are checked here: they are anybody's JSON."""

    def __init__(self, server: "Server") -> None:
        self._server = server
        self._started = time.monotonic()
        self._commands: dict[str, Callable[[Mapping[str, Any]], Awaitable[Any]]] = {
            "ping": self._ping,
            "players": self._players,
            "kick": self._kick,
            "refresh": self._refresh,
            "stats": self._stats,
            "gatherings": self._gatherings,
            "explain": self._explain,
            "snapshot": self._snapshot,
            "plugins": self._plugins,
            "plugin_refresh": self._plugin_refresh,
            **{name: partial(self._records, do) for name, do in RECORD_COMMANDS.items()},
            "forget": self._forget,
        }

    async def __call__(self, command: str, arguments: Mapping[str, Any]) -> Any:
        """Do a command and return its result; CommandRefusedError if it cannot be done."""
        handler = self._commands.get(command)
        if handler is None:
            known = ", ".join(self._commands)
            raise CommandRefusedError(f"there is no command {command!r}; known: {known}")
        return await handler(arguments)

    async def _ping(self, _: Mapping[str, Any]) -> dict[str, Any]:
        return {
            "version": __version__,
            "process": os.getpid(),
            "seconds": round(time.monotonic() - self._started, 1),
            **self._server.addresses(),
        }

    async def _players(self, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
        return [
            {
                "game": game.name,
                "pid": player.pid,
                "connection": player.connection_id,
                "address": list(player.address),
            }
            for game in self._games(arguments)
            for player in game.players
        ]

    async def _kick(self, arguments: Mapping[str, Any]) -> dict[str, int]:
        pid = player_of(arguments, "kick")
        reason = arguments.get("reason", "kicked")
        if not isinstance(reason, str):
            raise CommandRefusedError('the "reason" of a kick is a text')
        return {"disconnected": sum(game.kick(pid, reason) for game in self._games(arguments))}

    async def _refresh(self, _: Mapping[str, Any]) -> dict[str, int]:
        try:
            return {"disconnected": await self._server.enforce_access()}
        except ServiceUnavailable as error:
            raise CommandRefusedError(f"the access rules cannot be read: {error}") from error

    async def _gatherings(self, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
        return await list_gatherings(self._games(arguments))

    async def _explain(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        return await explain(self._games(arguments), arguments)

    async def _records(self, do: RecordCommand, arguments: Mapping[str, Any]) -> Any:
        records = {game.name: records_of(game.services) for game in self._games(arguments)}
        return await do(records, arguments)

    async def _forget(self, arguments: Mapping[str, Any]) -> Any:
        pid = player_of(arguments, "forget")
        for game in self._games(arguments):
            # What it still does would be left over.
            await game.expel(pid, "the player was removed")
        return await self._records(RECORD_COMMANDS["forget"], arguments)

    async def _snapshot(self, arguments: Mapping[str, Any]) -> None:
        stores = {game.name: game.services.data_store for game in self._server.games}
        await snapshot(self._server.data_dir, stores, arguments)

    async def _plugins(self, _: Mapping[str, Any]) -> list[dict[str, Any]]:
        return list_plugins(self._server.connect)

    async def _plugin_refresh(self, arguments: Mapping[str, Any]) -> list[dict[str, Any]]:
        return await refresh_plugins(self._server.connect, arguments)

    async def _stats(self, arguments: Mapping[str, Any]) -> dict[str, Any]:
        games = {
            game.name: {
                "players": game.players.count,
                **await gathering_counts(game),
                "nat_traversal": _plain(game.nat_stats),
                **{port.kind: _port_stats(port) for port in game.ports},
            }
            for game in self._games(arguments)
        }
        http, connect = self._server.http, self._server.connect
        return {
            "games": games,
            "http": None if http is None else _plain(http.stats),
            "connect": None if connect is None or connect.stats is None else _plain(connect.stats),
        }

    def _games(self, arguments: Mapping[str, Any]) -> list[HostedGame]:
        name = arguments.get("game")
        if name is None:
            return list(self._server.games)
        found = [game for game in self._server.games if game.name == name]
        if not found:
            known = ", ".join(game.name for game in self._server.games) or "none"
            raise CommandRefusedError(f"there is no game {name!r}; games here: {known}")
        return found


def _port_stats(port: GamePort) -> dict[str, Any]:
    service = port.service
    return {
        "connections": len(port.sessions()),
        "drops": {str(reason): count for reason, count in sorted(port.listener.drops.items())},
        "calls": {} if service is None else asdict(service.stats),
    }


def _plain(stats: "DataclassInstance") -> dict[str, Any]:
    return {
        name: {str(key): count for key, count in value.items()}
        if isinstance(value, dict)
        else value
        for name, value in asdict(stats).items()
    }
