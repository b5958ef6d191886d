"""`nekonex ban`, `unban`, `maintenance` and `whitelist`: who may play."""

import time
from typing import Annotated, Any, Literal

import typer

from nekonex.cli._common import (
    EXIT_USAGE,
    CommandError,
    ConfigOption,
    JsonOption,
    load,
    plain_table,
    print_json,
    print_table,
)
from nekonex.cli._services import (
    GameOption,
    PidArgument,
    open_services,
    refresh_server,
    run,
    scope_of,
)
from nekonex.cli._times import TIME_HELP, parse_time, show_time
from nekonex.config import Config
from nekonex.domain import ALL_GAMES, MAX_PID, AccessRules, Ban, MaintenanceWindow

__all__ = ["register"]

UntilOption = Annotated[
    str | None, typer.Option("--until", metavar="TIME", help=f"When it ends: {TIME_HELP}")
]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("ban")(_ban)
    app.command("unban")(_unban)
    app.command("maintenance")(_maintenance)
    app.command("whitelist")(_whitelist)


def _ban(
    target: Annotated[
        str, typer.Argument(metavar="PID|list", help="The player's number, or list for all bans.")
    ],
    reason: Annotated[str, typer.Option(metavar="TEXT", help="Why; shown in the list.")] = "",
    until: UntilOption = None,
    game: GameOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Ban a player, who is disconnected, or list the bans."""
    loaded = load(config)
    if target == "list":
        if reason or until is not None:
            raise CommandError("--reason and --until belong to a ban, not to list", EXIT_USAGE)
        _list_bans(loaded, game, as_json=as_json)
        return
    if not (target.isascii() and target.isdigit()):
        raise CommandError(f"{target!r} is neither a PID nor the word list", EXIT_USAGE)
    pid = int(target)
    end = parse_time(until, "--until")
    if end is not None and end <= time.time():
        raise CommandError("--until is in the past", EXIT_USAGE)
    scope = scope_of(loaded, game)

    async def ban() -> None:
        async with open_services(loaded) as services:
            await services.access.ban(pid, " ".join(reason.split()), until=end, scope=scope)

    run(ban())
    typer.echo(f"banned {pid}{_ended(refresh_server(loaded))}")


def _unban(pid: PidArgument, game: GameOption = None, config: ConfigOption = None) -> None:
    """Lift a ban: that of one game, or the one that is for all games."""
    loaded = load(config)
    scope = scope_of(loaded, game)

    async def unban() -> bool:
        async with open_services(loaded) as services:
            return await services.access.unban(pid, scope=scope)

    if not run(unban()):
        raise CommandError(f"{pid} is not banned from {_scope_text(scope)}")
    refresh_server(loaded)
    typer.echo(f"unbanned {pid}")


def _list_bans(config: Config, game: str | None, *, as_json: bool) -> None:
    rules = run(_rules(config))
    bans = [ban for of_player in rules.bans.values() for ban in of_player]
    if game is not None:
        scopes = {ALL_GAMES, scope_of(config, game)}
        bans = [ban for ban in bans if ban.scope in scopes]
    if as_json:
        print_json([_ban_as_dict(ban) for ban in bans])
        return
    table = plain_table("PID", "game", "until", "since", "reason")
    for ban in bans:
        table.add_row(
            str(ban.pid),
            ban.scope or "all",
            show_time(ban.until) or "for ever",
            show_time(ban.created),
            ban.reason,
        )
    print_table(table)


def _ban_as_dict(ban: Ban) -> dict[str, Any]:
    return {
        "pid": ban.pid,
        "game": ban.scope or None,
        "until": show_time(ban.until) or None,
        "created": show_time(ban.created),
        "reason": ban.reason,
    }


def _maintenance(
    action: Annotated[Literal["on", "off", "status"], typer.Argument(help="What to do.")],
    start: Annotated[
        str | None,
        typer.Option("--from", metavar="TIME", help=f"When it begins: {TIME_HELP} Default: now."),
    ] = None,
    until: UntilOption = None,
    game: GameOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Close the server, or one game: players are disconnected and nobody logs in."""
    loaded = load(config)
    scope = scope_of(loaded, game)
    if action != "on" and (start is not None or until is not None):
        raise CommandError(f"--from and --until belong to on, not to {action}", EXIT_USAGE)
    if action == "status":
        _print_maintenance(run(_rules(loaded)), as_json=as_json)
        return
    begin, end = parse_time(start, "--from"), parse_time(until, "--until")
    now = time.time()
    if end is not None and end <= max(now, begin or now):
        raise CommandError("--until is before the maintenance begins", EXIT_USAGE)

    async def change() -> None:
        async with open_services(loaded) as services:
            if action == "on":
                await services.access.start_maintenance(scope, start=begin, end=end)
            else:
                await services.access.end_maintenance(scope)

    run(change())
    ended = _ended(refresh_server(loaded))
    if action == "off":
        typer.echo(f"no maintenance of {_scope_text(scope)}")
    else:
        typer.echo(f"maintenance of {_scope_text(scope)} {_window_text(begin, end)}{ended}")


def _print_maintenance(rules: AccessRules, *, as_json: bool) -> None:
    now = time.time()
    if as_json:
        print_json(
            [
                {
                    "game": scope or None,
                    "from": show_time(window.start) or None,
                    "until": show_time(window.end) or None,
                    "now": window.contains(now),
                }
                for scope, window in rules.maintenance.items()
            ]
        )
        return
    if not rules.maintenance:
        typer.echo("no maintenance")
    for scope, window in rules.maintenance.items():
        typer.echo(f"{_scope_text(scope)}: {_state(window, now)}")


def _state(window: MaintenanceWindow, now: float) -> str:
    if window.contains(now):
        return "under maintenance" + (f" until {show_time(window.end)}" if window.end else "")
    if window.end is not None and window.end <= now:
        return f"maintenance was over at {show_time(window.end)}"
    return f"maintenance {_window_text(window.start, window.end)}"


def _window_text(start: float | None, end: float | None) -> str:
    begin = f"from {show_time(start)}" if start is not None else "from now"
    return f"{begin} until {show_time(end)}" if end is not None else begin


def _whitelist(
    action: Annotated[
        Literal["on", "off", "add", "remove", "list"], typer.Argument(help="What to do.")
    ],
    pids: Annotated[
        list[int] | None,
        typer.Argument(
            metavar="PID",
            min=0,
            max=MAX_PID,
            help="The players to add or remove.",
            show_default=False,
        ),
    ] = None,
    game: GameOption = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Say who may play where the whitelist is on: nobody else may, and who is online goes."""
    loaded = load(config)
    scope = scope_of(loaded, game)
    needs_pids = action in {"add", "remove"}
    if needs_pids != bool(pids):
        problem = "needs a PID" if needs_pids else "takes no PID"
        raise CommandError(f"whitelist {action} {problem}", EXIT_USAGE)
    if action == "list":
        _print_whitelists(run(_rules(loaded)), as_json=as_json)
        return

    async def change() -> None:
        async with open_services(loaded) as services:
            access = services.access
            if action == "add":
                await access.whitelist(*(pids or ()), scope=scope)
            elif action == "remove":
                await access.unwhitelist(*(pids or ()), scope=scope)
            else:
                await access.enable_whitelist(scope, enabled=action == "on")

    run(change())
    ended = _ended(refresh_server(loaded))
    named = f" {' '.join(map(str, pids))}" if pids else ""
    typer.echo(f"whitelist of {_scope_text(scope)}: {action}{named}{ended}")


def _print_whitelists(rules: AccessRules, *, as_json: bool) -> None:
    lists = rules.whitelists.items()
    if as_json:
        print_json(
            [
                {"game": scope or None, "on": each.enabled, "pids": sorted(each.pids)}
                for scope, each in lists
            ]
        )
        return
    if not lists:
        typer.echo("no whitelist")
    for scope, each in lists:
        players = ", ".join(map(str, sorted(each.pids))) or "nobody"
        typer.echo(f"{_scope_text(scope)}: {'on' if each.enabled else 'off'}; {players}")


async def _rules(config: Config) -> AccessRules:
    async with open_services(config) as services:
        return await services.access.rules()


def _scope_text(scope: str) -> str:
    return "all games" if scope == ALL_GAMES else scope


def _ended(count: int) -> str:
    return f"; disconnected {count}" if count else ""
