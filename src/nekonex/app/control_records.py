"""All that is done with what players leave behind, in a running server or without one."""

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Final

from nekonex.app.control import CommandRefusedError
from nekonex.app.control_datastore import OBJECT_COMMANDS, ObjectCommand
from nekonex.app.control_ranking import RANKING_COMMANDS, RankingCommand
from nekonex.app.records import Records
from nekonex.domain import AUTHENTICATION_PID, MAX_PID, SECURE_SERVER_PID
from nekonex.values import ServiceUnavailable

__all__ = ["RECORD_COMMANDS", "RecordCommand", "player_of"]

RecordCommand = Callable[[Mapping[str, Records], Mapping[str, Any]], Awaitable[Any]]
"""Does something with the records of games, by their names, and returns the answer."""


def player_of(arguments: Mapping[str, Any], command: str) -> int:
    """Return the player whom a command is about; CommandRefusedError if there is none."""
    pid = arguments.get("pid")
    if not isinstance(pid, int) or isinstance(pid, bool) or not 0 <= pid <= MAX_PID:
        raise CommandRefusedError(f'{command} needs a "pid", a whole number')
    return pid


async def _forget(records: Mapping[str, Records], arguments: Mapping[str, Any]) -> Any:
    """Remove all that there is of a player, and say of each game how much that was."""
    pid = player_of(arguments, "forget")
    if pid in {AUTHENTICATION_PID, SECURE_SERVER_PID}:
        raise CommandRefusedError(f"PID {pid} is no player: what it has, the games need")
    try:
        return [{"game": game, **await of_game.forget(pid)} for game, of_game in records.items()]
    except ServiceUnavailable as error:
        raise CommandRefusedError(f"not all of it could be removed: {error}") from error


async def _with_rankings(
    do: RankingCommand, records: Mapping[str, Records], arguments: Mapping[str, Any]
) -> Any:
    return await do({game: each.rankings for game, each in records.items()}, arguments)


async def _with_data_stores(
    do: ObjectCommand, records: Mapping[str, Records], arguments: Mapping[str, Any]
) -> Any:
    return await do({game: each.data_store for game, each in records.items()}, arguments)


RECORD_COMMANDS: Final[Mapping[str, RecordCommand]] = MappingProxyType(
    {
        "forget": _forget,
        **{name: partial(_with_rankings, do) for name, do in RANKING_COMMANDS.items()},
        **{name: partial(_with_data_stores, do) for name, do in OBJECT_COMMANDS.items()},
    }
)
"""The commands by their names on the control socket."""
