"""The command line: one module for each group of commands, all with `register(app)`."""

import errno
import functools
import os
import sys
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from typer.exceptions import TyperException

from nekonex import __version__
from nekonex.cli import (
    access,
    account,
    backup,
    community,
    config,
    connect,
    demo,
    dev,
    game,
    init,
    objects,
    players,
    plugin,
    ranking,
    reports,
    serve,
    titles,
)
from nekonex.cli._common import EXIT_USAGE, CommandError, report
from nekonex.config import ConfigError

__all__ = ["build_app", "main"]

# In the order of the help text.
COMMANDS = (
    *(serve, dev, init, titles, config, account, players, game, community, ranking, objects),
    *(plugin, connect, access, reports, backup, demo),
)

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO})

_INTERRUPTED = 130  # what a shell reports for a program that Ctrl-C ended


def _print_version(wanted: bool) -> None:
    if wanted:
        typer.echo(f"nekonex {__version__}")
        raise typer.Exit


def _root(
    context: typer.Context,
    version: Annotated[  # noqa: ARG001
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and exit."
        ),
    ] = False,
) -> None:
    """Host private game servers for Wii U and 3DS, and NekoConnect, in one process."""
    if context.invoked_subcommand is None:
        typer.echo(context.get_help())


def build_app(commands: Sequence[Any] | None = None) -> typer.Typer:
    """Return the application with the commands of these modules; None: of all."""
    app = typer.Typer(name="nekonex", rich_markup_mode=None, add_completion=False)
    app.callback(invoke_without_command=True)(_root)
    for module in COMMANDS if commands is None else commands:
        module.register(app)
    return app


@functools.lru_cache(maxsize=1)
def _command(commands: tuple[Any, ...]) -> Any:
    """Return what Typer makes of the application; made once, because that takes a while."""
    return typer.main.get_command(build_app(commands))


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status; the entry point of `nekonex`.

    0 is success, 1 a failure, 2 bad use or a bad configuration, 3 that no server runs.
    Failures print one sentence to standard error.
    """
    try:
        status = _command(COMMANDS).main(
            args=None if arguments is None else list(arguments),
            prog_name="nekonex",
            standalone_mode=False,
        )
        _flush()
    except (ConfigError, CommandError) as error:
        report(str(error))
        return getattr(error, "code", EXIT_USAGE)
    except TyperException as error:
        report(_usage(error))
        return error.exit_code
    except (typer.Abort, KeyboardInterrupt):
        return _INTERRUPTED
    except BrokenPipeError:
        # The reader, such as `head`, went away: nothing is left to say, not even at exit.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    except OSError as error:
        # What a command reads and writes, it answers for itself; what is left is its output.
        if error.errno not in _FULL or error.filename is not None:
            raise
        report(f"the output cannot be written: {error.strerror}")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 1
    return status if isinstance(status, int) else 0


def _flush() -> None:
    """Write what was printed, while it can still be said that this cannot be done."""
    if sys.stdout is not None:
        sys.stdout.flush()


def _usage(error: TyperException) -> str:
    context = getattr(error, "ctx", None)
    text = error.format_message().rstrip(".")
    command = context.command_path if context is not None else "nekonex"
    known = getattr(context.command, "commands", None) if context is not None else None
    if known and text == "Missing command":
        return f"missing command; one of: {', '.join(known)} ({command} --help tells more)"
    return f"{text[:1].lower()}{text[1:]} ({command} --help tells more)"
