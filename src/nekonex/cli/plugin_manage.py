"""`nekonex plugin list|enable|disable|remove`: what is installed."""

from pathlib import Path
from typing import Annotated, Any, Final

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
    visible,
)
from nekonex.cli._plugins import label, plugins_of, refusals, server_plugins, take_up
from nekonex.cli._services import open_services, run
from nekonex.config import Config
from nekonex.connect.packages import (
    InstalledPlugin,
    NotInstalledError,
    changing,
    find_plugin,
    installed_plugins,
)

__all__ = ["add_to"]

_STOPPED: Final = "the running server has stopped it"


def _is_text(greeter: str) -> str:
    try:
        greeter.encode()
    except UnicodeEncodeError:
        raise CommandError("the greeter is no Unicode text", EXIT_USAGE) from None
    return greeter


GreeterArgument = Annotated[
    str,
    typer.Argument(
        metavar="GREETER", help="The greeter that nekonex plugin list shows.", callback=_is_text
    ),
]


def add_to(plugin: typer.Typer) -> None:
    """Add the commands to the group."""
    plugin.command("list")(_list)
    plugin.command("enable")(_enable)
    plugin.command("disable")(_disable)
    plugin.command("remove")(_remove)


def _list(as_json: JsonOption = False, config: ConfigOption = None) -> None:
    """List the plugins that are installed.

    If a server runs, it tells what has become of them.
    """
    loaded = load(config)
    with refusals():
        installed = installed_plugins(plugins_of(loaded))
    rows = _merged(installed, server_plugins(loaded))
    if as_json:
        print_json(rows)
        return
    table = plain_table("greeter", "name", "version", "enabled", "state", "clients", "folder")
    for row in rows:
        state = row["state"] or ("wrong" if row["reason"] else "-")
        table.add_row(
            *map(visible, (row["greeter"], row["name"], _version(row))),
            "yes" if row["enabled"] else "no",
            state,
            "-" if row["clients"] is None else str(row["clients"]),
            visible(row["folder"]),
        )
    print_table(table)
    for row in rows:
        if row["reason"]:
            typer.echo(f"\n{visible(row['greeter'])}: {visible(row['reason'])}")


def _enable(greeter: GreeterArgument, config: ConfigOption = None) -> None:
    """Let a plugin run, in a running server at once."""
    _set_enabled(load(config), greeter, enabled=True)


def _disable(greeter: GreeterArgument, config: ConfigOption = None) -> None:
    """Stop a plugin, and keep it from running.

    What it has stored is kept.
    """
    _set_enabled(load(config), greeter, enabled=False)


def _remove(
    greeter: GreeterArgument,
    purge: Annotated[
        bool, typer.Option("--purge", help="Delete what it has stored, too: all its cells.")
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Remove a plugin, with its folder.

    A server that runs stops it at once. What it has stored is kept, and there again when it
    is installed again, unless --purge says otherwise. --purge does so for a plugin that was
    removed before, too.
    """
    loaded = load(config)
    try:
        with refusals():
            removed = _take_away(loaded, greeter)
    except CommandError as error:
        if not purge or not isinstance(error.__cause__, NotInstalledError):
            raise
        if not (cells := _purge(loaded, greeter)):
            raise
        _print_deleted(cells)
        return
    if purge:
        _print_deleted(_purge(loaded, removed.greeter))
    else:
        typer.echo("what it has stored is kept; with --purge that is deleted")


def _set_enabled(config: Config, greeter: str, *, enabled: bool) -> None:
    plugins = plugins_of(config)
    with refusals():
        find_plugin(plugins, greeter)
        with changing(plugins) as changes:
            found = changes.set_enabled(greeter, enabled)
            is_news = found.enabled != enabled
            verdict = take_up(config, found.folder, idle=_STOPPED if is_news else "")
    already = "" if is_news else " already"
    typer.echo(f"{label(found)} is {'enabled' if enabled else 'disabled'}{already}")
    if verdict.failed:
        raise CommandError(f"the running server cannot load it: {verdict.text}")
    if verdict.text:
        typer.echo(verdict.text)


def _take_away(config: Config, greeter: str) -> InstalledPlugin:
    plugins = plugins_of(config)
    # Without any plugin nothing is to be made, not even the folder.
    find_plugin(plugins, greeter)
    with changing(plugins) as changes:
        removed = changes.remove(greeter)
        verdict = take_up(config, removed.folder, idle=_STOPPED)
    typer.echo(f"removed {label(removed)}")
    if verdict.text:
        typer.echo(verdict.text)
    return removed


def _purge(config: Config, greeter: str) -> int:
    if not config.server.data_dir.exists():
        return 0

    async def purging() -> int:
        async with open_services(config) as services:
            return await services.cells.purge(greeter)

    return run(purging())


def _print_deleted(cells: int) -> None:
    typer.echo(f"deleted {cells} {'cell' if cells == 1 else 'cells'}")


def _merged(
    installed: list[InstalledPlugin], told: list[dict[str, Any]] | None
) -> list[dict[str, Any]]:
    """Return what is on the disk together with what a server says, which may have more."""
    statuses = {Path(each["folder"]).resolve(): each for each in told or ()}
    rows = [_row(each, statuses.pop(each.folder.resolve(), None)) for each in installed]
    return rows + [
        {**each, "enabled": True, "running_version": _running_version(each)}
        for each in statuses.values()
    ]


def _row(each: InstalledPlugin, status: dict[str, Any] | None) -> dict[str, Any]:
    return {
        "greeter": each.greeter,
        "name": each.spec.name if each.spec else "",
        "version": each.spec.version if each.spec else "",
        "folder": str(each.folder),
        "state": status and status["state"],
        "reason": (status and status["reason"]) or each.problem,
        "clients": status and status["clients"],
        "enabled": each.enabled,
        "running_version": _running_version(status),
    }


def _running_version(status: dict[str, Any] | None) -> str | None:
    return status["version"] if status and status["state"] == "running" else None


def _version(row: dict[str, Any]) -> str:
    running: str | None = row["running_version"]
    version: str = row["version"]
    return version if running in {None, version} else f"{version} ({running} runs)"
