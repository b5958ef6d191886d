"""What the commands share that run the server."""

from pathlib import Path
from typing import Annotated, Any, Literal

import typer

from nekonex.app import ReadyFile, StartError, serve_until_stopped
from nekonex.cli._common import EXIT_USAGE, CommandError
from nekonex.config import Config

__all__ = ["LogFormatOption", "LogLevelOption", "ReadyFileOption", "run_server"]

ReadyFileOption = Annotated[
    Path | None,
    typer.Option(
        metavar="FILE",
        help="Write the bound addresses here, as one JSON object, once everything listens; "
        "remove it when the server stops.",
    ),
]

LogFormatOption = Annotated[
    Literal["text", "json"] | None,
    typer.Option(help="The form of the log lines on standard error."),
]

LogLevelOption = Annotated[
    Literal["debug", "info", "warning", "error"] | None,
    typer.Option(help="The least level that is logged."),
]


def run_server(config: Config, ready: ReadyFile, **more: Any) -> None:
    """Run `nekonex.app.serve_until_stopped`; a refusal to start becomes CommandError."""
    try:
        serve_until_stopped(config, ready, **more)
    except StartError as error:
        raise CommandError(str(error), EXIT_USAGE) from error
