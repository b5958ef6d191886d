"""`nekonex dev`: run the server while plugins are being written."""

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Final

import typer

from nekonex.app import ReadyFile, Server
from nekonex.app.addresses import WILDCARDS, format_address
from nekonex.cli._common import (
    EXIT_USAGE,
    CommandError,
    ConfigOption,
    load,
    plain_table,
    print_table,
    visible,
)
from nekonex.cli._serving import LogFormatOption, LogLevelOption, ReadyFileOption, run_server
from nekonex.config import Config, ConfigError
from nekonex.logs import configure_logging

__all__ = ["register"]

SPEC_NAME: Final = "spec.conf"

AUTHORS_LOGGERS: Final = ("nekonex.connect", "nekonex.plugin")
"""What the author of a plugin wants to see all of: what NekoConnect does, and what plugins log.

The rest of the server at this level would drown it.
"""


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("dev")(_dev)


def _dev(
    folders: Annotated[
        list[Path] | None,
        typer.Argument(
            metavar="[FOLDER]...",
            help="Plugins to run beside those that are installed. Default: this folder, if it "
            "has a spec.conf.",
            show_default=False,
        ),
    ] = None,
    ready_file: ReadyFileOption = None,
    log_format: LogFormatOption = None,
    log_level: LogLevelOption = None,
    config: ConfigOption = None,
) -> None:
    """Run the server for whoever writes plugins: what changes on the disk is loaded at once.

    Without --log-level the log has everything that is about plugins.
    """
    ready = ReadyFile(ready_file)
    try:
        loaded = load(config)
        plugins = _plugins(loaded, folders or [])
    except (ConfigError, CommandError):
        ready.remove()
        raise
    configure_logging(
        log_level or loaded.server.log_level,
        log_format or loaded.server.log_format,
        in_full=() if log_level else AUTHORS_LOGGERS,
    )
    option = f" --config {shlex.quote(str(config))}" if config is not None else ""
    run_server(
        loaded,
        ready,
        plugin_folders=plugins,
        watch=True,
        on_ready=lambda server: _introduce(server, loaded, option),
    )


def _plugins(config: Config, folders: Sequence[Path]) -> Sequence[Path]:
    """Return the folders to run; CommandError where plugins are off, or one holds none."""
    if not config.connect.enabled:
        raise CommandError("connect.enabled is false, so no plugin would run", EXIT_USAGE)
    for folder in folders:
        try:
            holds_plugin = (folder / SPEC_NAME).is_file()
        except OSError as error:
            raise CommandError(f"{folder} cannot be read: {error.strerror}", EXIT_USAGE) from None
        if not holds_plugin:
            raise CommandError(
                f"{folder} holds no plugin: it has no {SPEC_NAME}; nekonex plugin new makes one",
                EXIT_USAGE,
            )
    return folders or ([Path()] if Path(SPEC_NAME).is_file() else [])


def _introduce(server: Server, config: Config, option: str) -> None:
    """Tell where the server is, what runs there, and how to try it."""
    connect = server.connect
    if connect is None:
        return
    host, port = connect.address
    if host in WILDCARDS:
        host = "::1" if ":" in host else "127.0.0.1"
    address = format_address((host, port))
    tls = ", with TLS" if config.connect.tls.cert else ""
    typer.echo(f"NekoConnect is at {address}{tls}.")
    if config.connect.allow_open:
        typer.echo("It asks for no password.")
    else:
        typer.echo(f"Its password: nekonex connect --show-password{option}")
    found = connect.plugins()
    if not found:
        typer.echo("There is no plugin yet: nekonex plugin new makes one.")
        return
    table = plain_table("greeter", "name", "version", "state", "folder")
    for each in found:
        table.add_row(
            visible(each.greeter),
            visible(each.name),
            visible(each.version),
            each.state,
            visible(str(each.folder)),
        )
    typer.echo()
    print_table(table)
    for each in found:
        if each.reason:
            typer.echo(f"\n{visible(each.reason)}")
    running = next((each.greeter for each in found if each.state == "running"), None)
    if running is not None:
        greeter = visible(shlex.quote(running))
        # Whom an author has the certificate from is rarely somebody that the system trusts.
        cert = config.connect.tls.cert
        trust = f" --ca {visible(shlex.quote(str(cert)))}" if cert else ""
        typer.echo(f"\nTo talk to one: nekonex connect {address} {greeter}{trust}{option}")
