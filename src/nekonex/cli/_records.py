"""What commands share that work on what players left behind, with or without a server."""

from collections.abc import Mapping
from typing import Any

from nekonex.app import NoServerError, RefusedCommandError, ask
from nekonex.app.control import CommandRefusedError
from nekonex.app.control_ranking import RANKING_COMMANDS
from nekonex.app.control_records import RECORD_COMMANDS
from nekonex.app.offline import offline_records
from nekonex.cli._common import CommandError
from nekonex.cli._services import run
from nekonex.config import Config

__all__ = ["do_command"]


def do_command(
    config: Config, command: str, *, seconds: float | None = None, **arguments: Any
) -> Any:
    """Have the server that runs do a command, or do it where none runs; CommandError.

    ``seconds`` is how long a server may take. ``game`` among the arguments says which one is
    meant; without it, or with None, all are.
    """
    try:
        return ask(config.server.data_dir, command, seconds=seconds, **arguments)
    except RefusedCommandError as error:
        raise CommandError(str(error)) from None
    except NoServerError:
        return run(_do_here(config, command, arguments))


async def _do_here(config: Config, command: str, arguments: Mapping[str, Any]) -> Any:
    async with offline_records(config) as records:
        game = arguments.get("game")
        chosen = records if game is None else {game: records[game]}
        if command in RANKING_COMMANDS:
            for each in chosen.values():
                await each.rankings.start()
        try:
            return await RECORD_COMMANDS[command](chosen, arguments)
        except CommandRefusedError as error:
            raise CommandError(str(error)) from None
