"""`nekonex init`: write a configuration to start from."""

from pathlib import Path
from typing import Annotated

import typer

from nekonex.cli._common import EXIT_USAGE, CommandError, ConfigOption
from nekonex.cli.titles import no_such_title
from nekonex.config import DEFAULT_FILE, render_starter
from nekonex.games.profiles import load_profile, slugs

__all__ = ["register"]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("init")(_init)


def _init(
    path: Annotated[
        Path | None,
        typer.Argument(
            metavar="PATH",
            help=f"The file to write, or the folder for {DEFAULT_FILE}. Default: the file "
            f"of --config, else ./{DEFAULT_FILE}.",
            show_default=False,
        ),
    ] = None,
    title: Annotated[
        str | None,
        typer.Option(metavar="SLUG", help="The game to serve: a name that `nekonex titles` knows."),
    ] = None,
    force: Annotated[bool, typer.Option("--force", help="Write over a file that exists.")] = False,
    config: ConfigOption = None,
) -> None:
    """Write a short, commented configuration for one game."""
    if title is not None and title not in slugs():
        raise no_such_title(title)
    target = path or config or Path(DEFAULT_FILE)
    if target.is_dir():
        target /= DEFAULT_FILE
    if target.exists() and not force:
        raise CommandError(f"{target} exists; --force writes over it", EXIT_USAGE)
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(render_starter(title), encoding="utf-8")
    except OSError as error:
        raise CommandError(f"{target} cannot be written: {error.strerror}") from None
    typer.echo(f"wrote {target}")
    if title is not None and not load_profile(title).access_key:
        typer.echo(f"set access_key in it: nekonex titles show {title} tells why it is empty")
