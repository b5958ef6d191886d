"""`nekonex players` and `nekonex kick`: who is online."""

import typer

from nekonex.app.addresses import format_address
from nekonex.cli._common import (
    CommandError,
    ConfigOption,
    JsonOption,
    load,
    plain_table,
    print_json,
    print_table,
)
from nekonex.cli._services import GameOption, PidArgument, ask_server, scope_of

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("players")(_players)
    app.command("kick")(_kick)


def _players(
    as_json: JsonOption = False, game: GameOption = None, config: ConfigOption = None
) -> None:
    """List who is online on the server that runs."""
    loaded = load(config)
    found = ask_server(loaded, "players", game=scope_of(loaded, game) or None)
    if as_json:
        print_json(found)
        return
    table = plain_table("game", "PID", "address", "connection")
    for player in found:
        host, port = player["address"]
        table.add_row(
            player["game"],
            str(player["pid"]),
            format_address((host, port)),
            str(player["connection"]),
        )
    print_table(table)


def _kick(pid: PidArgument, game: GameOption = None, config: ConfigOption = None) -> None:
    """Disconnect a player, who may come back at once: see ban."""
    loaded = load(config)
    scope = scope_of(loaded, game) or None
    count = ask_server(loaded, "kick", pid=pid, game=scope)["disconnected"]
    if not count:
        raise CommandError(f"the player {pid} is not online")
    typer.echo(f"disconnected {pid}" + (f" ({count} consoles)" if count > 1 else ""))
