"""`nekonex plugin`: plugins of NekoConnect, from the first file to the running server."""

import hashlib
import shlex
from pathlib import Path
from typing import Annotated

import typer

from nekonex.cli import plugin_install, plugin_manage, plugin_search
from nekonex.cli._common import (
    EXIT_USAGE,
    CommandError,
    ConfigOption,
    JsonOption,
    group,
    print_json,
    visible,
)
from nekonex.cli._plugins import refusals
from nekonex.connect.packages import build_package, read_package
from nekonex.connect.plugins import ScaffoldError, check_plugin, write_scaffold

__all__ = ["register"]

plugin = group("plugin", "Make, check, build, install and manage plugins of NekoConnect.")

FolderArgument = Annotated[
    Path, typer.Argument(metavar="[DIR]", help="The folder of the plugin. Default: this one.")
]


def register(app: typer.Typer) -> None:
    """Add the group."""
    app.add_typer(plugin)


@plugin.command("new")
def _new(
    name: Annotated[
        str | None,
        typer.Argument(
            metavar="[NAME]",
            help="What it is called, and the folder to make for it. Default: this folder.",
            show_default=False,
        ),
    ] = None,
    config: ConfigOption = None,  # noqa: ARG001
) -> None:
    """Write a small plugin that works, to begin with.

    Where git is installed, its folder becomes a repository, unless it is in one.
    """
    if name == "":
        raise CommandError("a plugin needs a name", EXIT_USAGE)
    try:
        written = write_scaffold(Path(), name)
    except ScaffoldError as error:
        raise CommandError(visible(str(error))) from None
    for file in written:
        typer.echo(f"wrote {visible(_relative(file))}")
    into = f"cd {visible(_word(name))} && " if name else ""
    typer.echo(f"\nTo run it while you write: {into}nekonex dev")
    typer.echo("To see whether it is right: nekonex plugin check")
    typer.echo("To pack it for others: nekonex plugin build")


@plugin.command("check")
def _check(folder: FolderArgument = Path(), config: ConfigOption = None) -> None:  # noqa: ARG001
    """Say what is wrong with a plugin, and where.

    Its code is run, as far as loading it does that.
    """
    _must_be_folder(folder)
    found = check_plugin(folder)
    for error in found.errors:
        typer.echo(visible(error))
    for warning in found.warnings:
        typer.echo(f"warning: {visible(warning)}")
    if found.errors:
        raise CommandError(f"the plugin in {folder} cannot be loaded")
    if found.spec is not None:
        name, version = visible(found.spec.name), visible(found.spec.version)
        typer.echo(f"{name} {version} is fine; its greeter is {visible(found.spec.greeter)}")


@plugin.command("build")
def _build(
    folder: FolderArgument = Path(),
    as_json: JsonOption = False,
    config: ConfigOption = None,  # noqa: ARG001
) -> None:
    """Pack a plugin into a file that nekonex plugin install takes.

    --json prints what the index.json of a repository says of it, if the package is beside that.
    """
    _must_be_folder(folder)
    with refusals():
        path = build_package(folder)
        content = path.read_bytes()
        package = read_package(content, path.name)
    sha256 = hashlib.sha256(content).hexdigest()
    if as_json:
        spec = package.spec
        print_json(
            {
                "name": spec.name,
                "version": spec.version,
                "greet": spec.greeter,
                "sha256": sha256,
                "file": path.name,
            }
        )
        return
    typer.echo(f"built {path} of {len(package.files)} files, {len(content)} bytes")
    typer.echo(f"sha256 {sha256}")


def _word(folder: str) -> str:
    """Return a folder as a shell takes it."""
    return shlex.quote(f"./{folder}" if folder.startswith("-") else folder)


def _must_be_folder(folder: Path) -> None:
    try:
        is_folder = folder.is_dir()
    except OSError as error:
        raise CommandError(f"{folder} cannot be read: {error.strerror}", EXIT_USAGE) from None
    if not is_folder:
        raise CommandError(f"{folder} is no folder", EXIT_USAGE)


def _relative(file: Path) -> str:
    here = Path.cwd()
    return str(file.relative_to(here) if file.is_relative_to(here) else file)


plugin_install.add_to(plugin)
plugin_manage.add_to(plugin)
plugin_search.add_to(plugin)
