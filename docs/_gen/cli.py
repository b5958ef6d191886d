"""The page of the command line: what each command's own help says."""

from __future__ import annotations

import contextlib
import io
import os
from collections.abc import Iterator, Sequence
from typing import Any, Final
from unittest import mock

import typer.main

from docs._gen.tables import one_line, table
from nekonex.cli import build_app, main

__all__ = ["command_pages", "command_paths"]

WIDTH: Final = "84"


def command_pages() -> Iterator[str]:
    """Yield a section for each command."""
    root = typer.main.get_command(build_app())
    for path in command_paths(root):
        command = _find(root, path)
        yield f"\n## `{' '.join(('nekonex', *path))}`\n"
        children = getattr(command, "commands", None)
        if not children:
            yield f"```text\n{help_text(path)}\n```\n"
            continue
        yield f"{one_line(command.help or '')}\n"
        rows = (
            (f"[`{name}`](#{'-'.join(('nekonex', *path, name))})", one_line(child.help or ""))
            for name, child in children.items()
        )
        yield from table(("command", "what it does"), rows)


def command_paths(command: Any, path: tuple[str, ...] = ()) -> Iterator[tuple[str, ...]]:
    """Yield the names of a command and of all below it."""
    yield path
    for name, child in getattr(command, "commands", {}).items():
        yield from command_paths(child, (*path, name))


def help_text(path: Sequence[str]) -> str:
    """Return what `nekonex … --help` prints."""
    output = io.StringIO()
    with (
        mock.patch.dict(os.environ, {"COLUMNS": WIDTH, "TERMINAL_WIDTH": WIDTH, "NO_COLOR": "1"}),
        contextlib.redirect_stdout(output),
    ):
        main([*path, "--help"])
    return output.getvalue().rstrip()


def _find(root: Any, path: Sequence[str]) -> Any:
    for name in path:
        root = root.commands[name]
    return root
