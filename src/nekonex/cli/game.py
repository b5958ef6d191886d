"""`nekonex game`: what is open on the server that runs, and why somebody does not get in."""

from typing import Annotated, Any

import typer

from nekonex.cli._common import (
    ConfigOption,
    JsonOption,
    group,
    load,
    plain_table,
    print_json,
    print_table,
)
from nekonex.cli._services import GameOption, PidArgument, ask_server, scope_of

__all__ = ["register"]

game = group("game", "Look into the games of the server that runs: gatherings, and searches.")

_MAX_GID = 0xFFFFFFFF


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(game)


@game.command("gatherings")
def _gatherings(
    as_json: JsonOption = False, game: GameOption = None, config: ConfigOption = None
) -> None:
    """List what players have open: sessions and other gatherings, but not communities."""
    loaded = load(config)
    found = ask_server(loaded, "gatherings", game=scope_of(loaded, game) or None)
    if as_json:
        print_json(found)
        return
    table = plain_table(
        "game", "gid", "kind", "owner", "host", "places", "mode", "attributes", "flags"
    )
    for gathering in found:
        table.add_row(
            gathering["game"],
            str(gathering["gid"]),
            gathering["kind"],
            str(gathering["owner"]),
            str(gathering["host"] or "none"),
            _places(gathering),
            str(gathering.get("game_mode", "")),
            ",".join(map(str, gathering.get("attributes", ()))),
            _flags(gathering),
        )
    print_table(table)


@game.command("explain")
def _explain(
    pid: PidArgument,
    gid: Annotated[
        int | None,
        typer.Option(
            metavar="GID",
            min=0,
            max=_MAX_GID,
            help="Explain why the player cannot join this gathering. Default: why its last "
            "search finds no session.",
        ),
    ] = None,
    limit: Annotated[
        int,
        typer.Option(metavar="N", min=1, max=1000, help="How many sessions to list."),
    ] = 10,
    as_json: JsonOption = False,
    game: GameOption = None,
    config: ConfigOption = None,
) -> None:
    """Tell why a player who is online finds no session, or cannot join a gathering, now.

    Its last search is looked at again, with the sessions of this moment: for each, the criteria
    that it fails, the nearest misses first.
    """
    loaded = load(config)
    scope = scope_of(loaded, game) or None
    told = ask_server(loaded, "explain", pid=pid, gid=gid, limit=limit, game=scope)
    if as_json:
        print_json(told)
    elif gid is not None:
        _print_join(told)
    else:
        _print_search(told)


def _print_join(told: dict[str, Any]) -> None:
    gathering, reasons = told["gathering"], told["reasons"]
    typer.echo(
        f"gathering {gathering['gid']} in {told['game']}: {gathering['kind']} of PID "
        f"{gathering['owner']}, {_places(gathering)} places taken"
    )
    if not reasons:
        typer.echo(f"nothing keeps PID {told['pid']} from joining it")
    for reason in reasons:
        typer.echo(f"- {reason['text']}")


def _print_search(told: dict[str, Any]) -> None:
    search = told["search"]
    purpose = "a session to join" if search["joining"] else "sessions"
    typer.echo(
        f"PID {told['pid']} in {told['game']} searched for {purpose} "
        f"{search['seconds_ago']:.0f} s ago, and found {search['found'] or 'none'}"
    )
    for query in search["queries"]:
        typer.echo(f"wanted: {_query_text(query)}")
    typer.echo(_summary(told))
    for candidate in told["candidates"]:
        reasons = "; ".join(reason["text"] for reason in candidate["reasons"])
        typer.echo(f"- gid {candidate['gid']}, {_places(candidate)}: {reasons or 'it fits'}")
    left = told["sessions"] - len(told["candidates"])
    if left:
        typer.echo(f"and {left} more, which are farther from it")


def _summary(told: dict[str, Any]) -> str:
    sessions = told["sessions"]
    if not sessions:
        return "now there are no sessions at all"
    failed = ", ".join(f"{criterion} ({count})" for criterion, count in told["failed"].items())
    there = "1 session" if sessions == 1 else f"{sessions} sessions"
    fitting = f"of {there} now, {told['fitting'] or 'none'} would do"
    return f"{fitting}; failed: {failed}" if failed else fitting


def _query_text(query: dict[str, Any]) -> str:
    parts = []
    for name, value in query.items():
        label = name.replace("_", " ")
        if name == "attributes":
            parts += [f"attribute {index} {wanted}" for index, wanted in value.items()]
        elif name == "selection":
            parts.append(f"{value} first" if value == "nearest" else f"{value} order")
        elif value is True:
            parts.append(label)
        elif value is None:
            parts.append(f"no {label}")
        elif name == "gids":
            parts.append(f"gids {', '.join(map(str, value))}")
        else:
            parts.append(f"{label} {value}")
    return "; ".join(parts)


def _places(gathering: dict[str, Any]) -> str:
    return f"{gathering['places_taken']}/{gathering['max_participants'] or 'any'}"


def _flags(gathering: dict[str, Any]) -> str:
    flags = []
    if not gathering.get("open", True):
        flags.append("closed")
    if gathering.get("password"):
        flags.append("password")
    if gathering["policy"] == _FRIENDS_ONLY:
        flags.append("friends")
    return ",".join(flags)


_FRIENDS_ONLY = 98
