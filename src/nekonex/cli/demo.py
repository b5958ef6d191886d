"""`nekonex demo`: a real server and simulated consoles, told as a story."""

from pathlib import Path
from typing import Annotated

import typer

from nekonex.cli._common import EXIT_USAGE, CommandError, ConfigOption

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("demo")(_demo)


def _demo(
    picture: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Save what is printed as an SVG picture.")
    ] = None,
    config: ConfigOption = None,  # noqa: ARG001
) -> int:
    """Start a server, let simulated consoles play on it, and tell what happens."""
    # With its clients comes NintendoClients, which nothing else needs in memory.
    from nekonex.demo import MissingClientsError, run_demo  # noqa: PLC0415

    if picture is not None and not picture.parent.is_dir():
        raise CommandError(f"{picture.parent} is no folder", EXIT_USAGE)
    try:
        return 0 if run_demo(picture) else 1
    except MissingClientsError as error:
        raise CommandError(str(error), EXIT_USAGE) from None
