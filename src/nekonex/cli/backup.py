"""`nekonex backup` and `nekonex restore`: the data directory in one file."""

from pathlib import Path
from typing import Annotated, Final

import typer

from nekonex.app import NoServerError, RefusedCommandError, StartError, ask, exclusive
from nekonex.cli._common import EXIT_USAGE, CommandError, ConfigOption, load
from nekonex.cli._times import show_time
from nekonex.storage import StorageError, backup, restore, take_snapshot

__all__ = ["register"]

SNAPSHOT_SECONDS: Final = 3600.0
"""How long a server is given to copy its database and link its files."""

FileArgument = Annotated[Path, typer.Argument(metavar="FILE", help="The backup, a .tar.gz file.")]


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("backup")(_backup)
    app.command("restore")(_restore)


def _backup(file: FileArgument, config: ConfigOption = None) -> None:
    """Write all that is stored, and secrets, to a file; the server may run."""
    loaded = load(config)
    if file.is_dir():
        raise CommandError(f"{file} is a directory", EXIT_USAGE)
    data_dir = loaded.server.data_dir

    def snapshot(stage: Path) -> None:
        try:
            ask(data_dir, "snapshot", seconds=SNAPSHOT_SECONDS, stage=stage.name)
        except NoServerError:
            take_snapshot(data_dir, stage)

    try:
        summary = backup(data_dir, file, snapshot=snapshot)
    except (StorageError, RefusedCommandError) as error:
        raise CommandError(str(error)) from None
    except OSError as error:
        raise CommandError(f"{file} cannot be written: {error.strerror}") from None
    typer.echo(f"wrote {summary.files} files, {summary.size} bytes, to {file}")


def _restore(
    file: FileArgument,
    force: Annotated[
        bool,
        typer.Option("--force", help="Replace what is there; it is moved aside, not removed."),
    ] = False,
    config: ConfigOption = None,
) -> None:
    """Put a backup into the data directory. No server may run there."""
    loaded = load(config)
    data_dir = loaded.server.data_dir
    if not file.is_file():
        raise CommandError(f"{file} is no file", EXIT_USAGE)
    try:
        with exclusive(data_dir):
            summary = restore(file, data_dir, force=force)
    except StartError as error:
        raise CommandError(str(error), EXIT_USAGE) from None
    except StorageError as error:
        hint = "" if force or "not empty" not in str(error) else "; --force does so"
        raise CommandError(f"{error}{hint}") from None
    typer.echo(
        f"restored {summary.files} files of {show_time(summary.created)} to {data_dir}"
        + (f"; what was there is in {summary.replaced}" if summary.replaced else "")
    )
