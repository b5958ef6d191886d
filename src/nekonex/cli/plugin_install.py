"""`nekonex plugin install`: a plugin from a file, a URL or a repository."""

import os
import re
from pathlib import Path
from typing import Annotated, Final

import typer

from nekonex.cli._common import EXIT_USAGE, CommandError, ConfigOption, load, report, visible
from nekonex.cli._plugins import plugins_of, refusals, take_up
from nekonex.config import Config
from nekonex.connect.packages import (
    DEFAULT_LIMITS,
    PACKAGE_SUFFIX,
    Installation,
    Package,
    RepositoryError,
    changing,
    choose,
    download,
    fetch_package,
    read_package,
    read_package_file,
    read_repositories,
)

__all__ = ["add_to"]

_IDLE: Final = "the running server does not run it, because it is disabled"
_SCHEME: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")


def add_to(plugin: typer.Typer) -> None:
    """Add the command to the group."""
    plugin.command("install")(_install)


def _install(
    source: Annotated[
        str,
        typer.Argument(
            metavar="FILE_OR_URL_OR_NAME",
            help="A URL has ://, a file ends in .ncp or has a slash in it (./FILE). Anything else "
            "is the greeter or the name of a plugin in one of the repositories of [connect].",
        ),
    ],
    config: ConfigOption = None,
) -> None:
    """Install or upgrade a plugin, from a file, URL or repository.

    A server that runs takes it up at once. Of an earlier version the cells and the enabled state
    are kept. It is put back if the new one cannot be installed, or that server cannot load it.
    """
    loaded = load(config)
    with refusals():
        package = _package(loaded, source)
        with changing(plugins_of(loaded)) as changes:
            done = changes.install(package)
            verdict = take_up(loaded, done.folder, idle=_IDLE)
            if verdict.failed and done.replaced:
                changes.undo(done)
                take_up(loaded, done.folder, idle=_IDLE)
                raise CommandError(
                    f"the running server cannot load {_label(done)}, so {_previous(done)} is back: "
                    f"{verdict.text}"
                )
    typer.echo(f"installed {_label(done)} in {done.folder}")
    if done.replaced:
        typer.echo(f"{_previous(done)} is replaced; what it has stored is kept")
    if verdict.failed:
        raise CommandError(f"the running server cannot load it: {verdict.text}")
    if verdict.text:
        typer.echo(verdict.text)


def _package(config: Config, source: str) -> Package:
    if _SCHEME.match(source):
        return read_package(download(source, DEFAULT_LIMITS.max_package), source)
    if source.lower().endswith(PACKAGE_SUFFIX) or os.sep in source or "/" in source:
        return read_package_file(Path(source))
    return _from_repositories(config, source)


def _from_repositories(config: Config, name: str) -> Package:
    repositories = config.connect.repositories
    hint = f"; to install the file, say .{os.sep}{name}" if os.path.isfile(name) else ""  # noqa: PTH113 - False for any bad name
    if not repositories:
        raise CommandError(
            f"{name!r} is to come from a repository, and [connect] repositories has none{hint}",
            EXIT_USAGE,
        )
    entries = read_repositories(repositories, lambda text: report(visible(text)))
    try:
        return fetch_package(choose(entries, name))
    except RepositoryError as error:
        raise RepositoryError(f"{error}{hint}") from None


def _label(done: Installation) -> str:
    return visible(f"{done.spec.greeter} {done.spec.version}")


def _previous(done: Installation) -> str:
    return f"version {visible(done.previous)}" if done.previous else "the earlier version"
