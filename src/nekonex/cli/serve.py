"""`nekonex serve`: run the server."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from nekonex.app import ReadyFile, StartError, serve_until_stopped
from nekonex.cli._common import EXIT_USAGE, CommandError, ConfigOption, load
from nekonex.config import ConfigError
from nekonex.logs import configure_logging

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(_serve)


def _serve(
    ready_file: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Write the bound addresses here, as one JSON object, once everything listens; "
            "remove it when the server stops.",
        ),
    ] = None,
    log_format: Annotated[
        Literal["text", "json"] | None,
        typer.Option(help="The form of the log lines on standard error."),
    ] = None,
    log_level: Annotated[
        Literal["debug", "info", "warning", "error"] | None,
        typer.Option(help="The least level that is logged."),
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Run the server until Ctrl-C or SIGTERM; a second one ends it at once."""
    ready = ReadyFile(ready_file)
    try:
        loaded = load(config)
    except ConfigError:
        ready.remove()
        raise
    configure_logging(log_level or loaded.server.log_level, log_format or loaded.server.log_format)
    try:
        serve_until_stopped(loaded, ready)
    except StartError as error:
        raise CommandError(str(error), EXIT_USAGE) from error
