"""`nekonex serve`: run the server."""

import typer

from nekonex.app import ReadyFile
from nekonex.cli._common import ConfigOption, load
from nekonex.cli._serving import LogFormatOption, LogLevelOption, ReadyFileOption, run_server
from nekonex.config import ConfigError
from nekonex.logs import configure_logging

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("serve")(_serve)


def _serve(
    ready_file: ReadyFileOption = None,
    log_format: LogFormatOption = None,
    log_level: LogLevelOption = None,
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
    run_server(loaded, ready)
