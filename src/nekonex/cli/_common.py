"""What every command shares: the --config option, output, and how a command fails."""

import json
import sys
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Console
from rich.table import Table

from nekonex.config import Config, load_config

__all__ = [
    "EXIT_NO_SERVER",
    "EXIT_USAGE",
    "CommandError",
    "ConfigOption",
    "JsonOption",
    "console",
    "group",
    "load",
    "password_line",
    "plain_table",
    "print_json",
    "print_table",
    "report",
    "visible",
]

EXIT_USAGE: Final = 2
"""Bad use of a command, or a bad configuration."""
EXIT_NO_SERVER: Final = 3
"""The command needs a running server and there is none."""

_PIPE_WIDTH: Final = 200

ConfigOption = Annotated[
    Path | None,
    typer.Option(
        "--config",
        metavar="FILE",
        help="The configuration file. Default: $NEKONEX_CONFIG, else ./nekonex.toml "
        "where there is one, else the built-in configuration.",
    ),
]

JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON instead of text.")]


class CommandError(Exception):
    """A command that failed; the text is one sentence, the code the exit status."""

    def __init__(self, text: str, code: int = 1) -> None:
        super().__init__(text)
        self.code = code


def load(file: Path | None) -> Config:
    """Load the configuration that a command was told; ConfigError if it is wrong."""
    return load_config(file)


def password_line() -> str:
    """Return the first line of standard input as it is; CommandError if it is no text."""
    try:
        line = sys.stdin.buffer.readline().decode("utf-8")
    except UnicodeDecodeError:
        raise CommandError("the password is not UTF-8", EXIT_USAGE) from None
    return line.removesuffix("\n").removesuffix("\r")


def group(name: str, help_text: str) -> typer.Typer:
    """Return an empty group of commands: `nekonex NAME …`."""
    return typer.Typer(name=name, help=help_text, rich_markup_mode=None, no_args_is_help=False)


def console() -> Console:
    """Return a console on standard output; lines are not broken for a pipe."""
    return Console(
        highlight=False,
        markup=False,
        width=None if sys.stdout and sys.stdout.isatty() else _PIPE_WIDTH,
    )


def plain_table(*columns: str) -> Table:
    """Return a table without a frame, which other programs can read by columns."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    return table


def print_table(table: Table) -> None:
    """Print a table without the blanks that fill up its last column."""
    output = console()
    with output.capture() as capture:
        output.print(table)
    for line in capture.get().splitlines():
        typer.echo(line.rstrip())


def print_json(value: Any) -> None:
    """Print a value as indented JSON."""
    lines = json.dumps(value, ensure_ascii=False, indent=2, default=str).split("\n")
    typer.echo("\n".join(map(_escaped, lines)))


def _escaped(line: str) -> str:
    """Return a line of JSON that says the same without what a terminal would obey."""
    if line.isprintable():
        return line
    return "".join(each if each.isprintable() else json.dumps(each).strip('"') for each in line)


def visible(text: str) -> str:
    """Return a text that consoles sent, without what a terminal would obey."""
    return "".join(
        each if each.isprintable() else each.encode("unicode_escape").decode("ascii")
        for each in text
    )


def report(text: str) -> None:
    """Print what went wrong to standard error, on one line."""
    sys.stderr.write(f"nekonex: {' '.join(text.split())}\n")
